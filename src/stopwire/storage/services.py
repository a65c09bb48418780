"""Messaging services, their senders and the versions of their policies: an account's configuration.

Every change takes a new version of the account's directory; versions of policies are only added.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, delete, insert, literal_column, select, update

from stopwire.core.policy import to_data
from stopwire.core.senders import Directory, Sender, Service
from stopwire.ports.store import PolicyVersion
from stopwire.storage import tables
from stopwire.storage.hot import Noun, Statement, upsert
from stopwire.storage.rows import ACCOUNT, SENDER, policy_of, service_of, service_row

ADDRESSES_AT_ONCE = 500  # parameters of one statement; SQLite's own limit was 999 for long

_ACCOUNTS = tables.accounts.c
_SERVICES = tables.services.c
_SENDERS = tables.senders.c
_POLICIES = tables.policies.c
_STICKY = tables.sticky.c
_FORMER = tables.former_holders.c

_version = Statement(select(_ACCOUNTS.version).where(_ACCOUNTS.sid == bindparam("account")), "account")
_owner = Statement(  # the kind is written out, so that the index of addresses that can be answered serves
    select(_SENDERS.account).where(
        _SENDERS.address == bindparam("address"), _SENDERS.kind != literal_column("'alphanumeric'")
    ),
    "address",
)
_signers = Statement(select(_SENDERS.account).where(_SENDERS.address == bindparam("address")), "address")
_known = Statement(
    select(_STICKY.sender).where(
        _STICKY.service == bindparam("service"),
        _STICKY.recipient == bindparam("recipient"),
        _STICKY.account == bindparam("account"),
    ),
    "service",
    "recipient",
    "account",
)
_remember = upsert(tables.former_holders, key=("account", "address"))
_stick = upsert(tables.sticky, key=("service", "recipient"))


class SqlServices(Noun):
    """`account_of` and `taken` look across accounts: an address has one owner."""

    def directory(self) -> Directory:
        """The account's configuration as this transaction sees it. Raises LookupError for an unknown account."""
        row = _version.first(self.unit, self.account)
        if row is None:
            raise LookupError(f"There is no account {self.account}.")
        directory = self.unit.directories.get(self.account, row[0])
        if directory is None:
            directory = self._read_directory()
            self.unit.directories.keep(self.account, row[0], directory)
        return directory

    def account_of(self, address: str) -> str | None:
        """Who owns an address. A name has an owner while one account alone signs with it."""
        rows = _owner.all(self.unit, address) or _signers.all(self.unit, address)
        return rows[0][0] if len(rows) == 1 else None

    def taken(self, addresses: Sequence[str]) -> set[str]:
        """Those of `addresses` that have an owner, whichever account it is."""
        found: set[str] = set()
        for start in range(0, len(addresses), ADDRESSES_AT_ONCE):
            piece = addresses[start : start + ADDRESSES_AT_ONCE]
            found.update(row.address for row in self._rows(select(_SENDERS.address).where(_SENDERS.address.in_(piece))))
        return found

    def add_service(self, service: Service, *, actor: str) -> None:
        """A new messaging service, with the first version of its policy."""
        self._check_own([service])
        self._change(insert(tables.services).values(service_row(service)))
        self._add_version(service, actor=actor, note=None)

    def save_service(self, service: Service) -> None:
        """Every setting but the policy, which `add_policy` changes."""
        row = service_row(service)
        del row["policy_version"]
        self._configure()
        self._change(update(tables.services).where(_SERVICES.sid == service.sid, self._own_service).values(row))

    def delete_service(self, sid: str) -> None:
        """The service goes, and who knows which of its senders; the versions of its policy stay."""
        self._configure()
        self._change(delete(tables.services).where(_SERVICES.sid == sid, self._own_service))
        self._change(delete(tables.sticky).where(_STICKY.service == sid, _STICKY.account == self.account))

    def add_policy(self, service: Service, *, actor: str, note: str | None) -> None:
        """Keep `service.policy` as version `service.policy_version`, and put it in force."""
        self._check_own([service])
        changed = {"policy_version": service.policy_version, "updated_at": service.updated_at}
        self._change(update(tables.services).where(_SERVICES.sid == service.sid, self._own_service).values(changed))
        self._add_version(service, actor=actor, note=note)

    def policies(self, service: str) -> list[PolicyVersion]:
        """All versions, the newest first."""
        query = select(tables.policies).where(_POLICIES.service == service, _POLICIES.account == self.account)
        return [_policy_version(row) for row in self._rows(query.order_by(_POLICIES.version.desc()))]

    def policy(self, service: str, version: int) -> PolicyVersion | None:
        query = select(tables.policies).where(_POLICIES.service == service, _POLICIES.account == self.account)
        row = self._row(query.where(_POLICIES.version == version))
        return _policy_version(row) if row else None

    def add_sender(self, sender: Sender) -> None:
        """A new sender. An address that somebody has already is refused by the database."""
        self._check_own([sender])
        self._configure()
        self._change(insert(tables.senders).values(SENDER.row(sender)))

    def save_sender(self, sender: Sender) -> None:
        self._check_own([sender])
        self._configure()
        mine = _SENDERS.sid == sender.sid, _SENDERS.account == self.account
        self._change(update(tables.senders).where(*mine).values(SENDER.row(sender)))

    def delete_sender(self, sid: str) -> None:
        """The sender goes; what it answered to is remembered by its address."""
        row = self._row(SENDER.select().where(_SENDERS.sid == sid, _SENDERS.account == self.account))
        if row is None:
            return
        sender = SENDER.value(row)
        answered_to = (*self.holders_before(sender.address), *sender.inherited, sender.service, sender.sid)
        holders = list(dict.fromkeys(holder for holder in answered_to if holder))
        _remember.run(self.unit, self.account, sender.address, holders)
        self._configure()
        self._change(delete(tables.senders).where(_SENDERS.sid == sid, _SENDERS.account == self.account))

    def holders_before(self, address: str) -> tuple[str, ...]:
        """What a deleted sender of this account answered to at `address`, the oldest first."""
        mine = _FORMER.account == self.account, _FORMER.address == address
        row = self._row(select(_FORMER.holders).where(*mine))
        return tuple(row[0]) if row else ()

    def sticky(self, service: str, recipient: str) -> str | None:
        row = _known.first(self.unit, service, recipient, self.account)
        return None if row is None else row[0]

    def stick(self, service: str, recipient: str, sender: str) -> None:
        _stick.run(self.unit, service, recipient, self.account, sender)

    def unstick(self, sender: str) -> None:
        """Forget whom `sender` spoke to: it leaves its service."""
        self._change(delete(tables.sticky).where(_STICKY.sender == sender, _STICKY.account == self.account))

    @property
    def _own_service(self) -> ColumnElement[bool]:
        return _SERVICES.account == self.account

    def _configure(self) -> None:
        """The account's configuration is about to change: everybody who keeps it must read it again."""
        self.unit.configured = True
        version = self.unit.directories.next_version()
        self._change(update(tables.accounts).where(_ACCOUNTS.sid == self.account).values(version=version))

    def _add_version(self, service: Service, *, actor: str, note: str | None) -> None:
        self._configure()
        row = {
            "service": service.sid,
            "version": service.policy_version,
            "account": self.account,
            "policy": to_data(service.policy),
            "actor": actor,
            "note": note,
            "created_at": service.updated_at,
        }
        self._change(insert(tables.policies).values(row))

    def _read_directory(self) -> Directory:
        account = ACCOUNT.value(self.unit.connection.execute(ACCOUNT.select().where(_ACCOUNTS.sid == self.account)).one())
        senders = SENDER.each(self._rows(SENDER.select().where(_SENDERS.account == self.account).order_by(_SENDERS.sid)))
        in_force = tables.services.join(
            tables.policies, (_POLICIES.service == _SERVICES.sid) & (_POLICIES.version == _SERVICES.policy_version)
        )
        query = select(tables.services, _POLICIES.policy).select_from(in_force).where(self._own_service)
        services = [service_of(row._mapping) for row in self._rows(query.order_by(_SERVICES.created_at, _SERVICES.sid))]
        return Directory(
            account=account,
            senders={sender.sid: sender for sender in senders},
            services={service.sid: service for service in services},
        )


def _policy_version(row: Row[Any]) -> PolicyVersion:
    return PolicyVersion(
        version=row.version, policy=policy_of(row.policy), actor=row.actor, note=row.note, created_at=row.created_at
    )
