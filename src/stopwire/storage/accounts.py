"""Accounts and their keys. Secrets arrive as digests; only an account's own token is kept whole."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update

from stopwire.core.senders import Account
from stopwire.ports.store import Cut, Key
from stopwire.storage import tables
from stopwire.storage.cuts import cut_of
from stopwire.storage.hot import Noun
from stopwire.storage.rows import ACCOUNT, KEY

_ACCOUNTS = tables.accounts.c
_KEYS = tables.keys.c

class SqlAccounts(Noun):
    """`find`, `find_test`, `find_key` and `every` look across accounts: they serve the door."""

    def find(self, sid: str) -> Account | None:
        row = self._row(ACCOUNT.select().where(_ACCOUNTS.sid == sid))
        return ACCOUNT.value(row) if row else None

    def find_test(self, sid: str) -> Account | None:
        row = self._row(ACCOUNT.select().where(_ACCOUNTS.test_sid == sid))
        return ACCOUNT.value(row) if row else None

    def find_key(self, sid: str) -> Key | None:
        row = self._row(KEY.select().where(_KEYS.sid == sid))
        return KEY.value(row) if row else None

    def every(self) -> list[Account]:
        """All accounts, the oldest first."""
        return ACCOUNT.each(self._rows(ACCOUNT.select().order_by(_ACCOUNTS.created_at, _ACCOUNTS.sid)))

    def add(self, account: Account) -> None:
        """A new account; the only row that a transaction of another account may make."""
        self.unit.configured = True
        self._change(insert(tables.accounts).values(**ACCOUNT.row(account), version=self.unit.directories.next_version()))

    def save(self, account: Account) -> None:
        assert account.sid == self.account
        self.unit.configured = True
        row = {**ACCOUNT.row(account), "version": self.unit.directories.next_version()}
        self._change(update(tables.accounts).where(_ACCOUNTS.sid == self.account).values(row))

    def keys(self, cut: Cut) -> list[Key]:
        """The newest first; a cut names a key by its SID."""
        query = KEY.select().where(_KEYS.account == self.account)
        marks = select(_KEYS.created_at, _KEYS.sid).where(_KEYS.account == self.account)
        return KEY.each(cut_of(self.unit, query, cut, order=(_KEYS.created_at, _KEYS.sid), marks=marks, id=_KEYS.sid))

    def key(self, sid: str) -> Key | None:
        row = self._row(KEY.select().where(_KEYS.sid == sid, _KEYS.account == self.account))
        return KEY.value(row) if row else None

    def keys_named(self, prefix: str) -> list[Key]:
        """Keys of any account whose SID begins so."""
        return KEY.each(self._rows(KEY.select().where(_KEYS.sid.startswith(prefix, autoescape=True))))

    def add_key(self, key: Key) -> None:
        self._check_own([key])
        self._change(insert(tables.keys).values(KEY.row(key)))

    def save_key(self, key: Key) -> None:
        self.unit.configured = True  # who remembers the key must ask again
        self._change(update(tables.keys).where(_KEYS.sid == key.sid, _KEYS.account == self.account).values(KEY.row(key)))

    def delete_key(self, sid: str) -> bool:
        self.unit.configured = True
        return self._change(delete(tables.keys).where(_KEYS.sid == sid, _KEYS.account == self.account)) > 0
