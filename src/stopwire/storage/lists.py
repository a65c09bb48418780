"""What is stored for the accounts API (contacts, the safe list), and imports with a result for each row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update

from stopwire.ports.store import Contact, Cut, Import, ImportRow, SafeNumber
from stopwire.storage import tables
from stopwire.storage.cuts import cut_of
from stopwire.storage.hot import Noun, Statement, upsert
from stopwire.storage.hot import insert as insert_of
from stopwire.storage.rows import CONTACT, IMPORT, IMPORT_ROW, SAFE_NUMBER

_C = tables.contacts.c
_S = tables.safe_numbers.c
_I = tables.imports.c
_R = tables.import_rows.c

_put_contact = upsert(tables.contacts, key=("account", "contact"))
_add_safe_number = Statement(
    lambda dialect: insert_of(dialect, tables.safe_numbers)
    .values(account=bindparam("of"), number=bindparam("safe"), sid=bindparam("named"))
    .on_conflict_do_nothing(index_elements=["account", "number"]),
    "of",
    "safe",
    "named",
)
_put_row = upsert(tables.import_rows, key=("import", "row"))  # a chunk that is taken again writes the same rows


class SqlLists(Noun):
    def put_contacts(self, contacts: Sequence[Contact]) -> None:
        """Keep each, in the place of an earlier one."""
        _put_contact.many(self.unit, [(self.account, *CONTACT.values(contact)) for contact in contacts])

    def contact(self, contact: str) -> Contact | None:
        row = self._row(CONTACT.select().where(_C.account == self.account, _C.contact == contact))
        return CONTACT.value(row) if row else None

    def safe_number(self, number: str) -> SafeNumber | None:
        row = self._row(SAFE_NUMBER.select().where(_S.account == self.account, _S.number == number))
        return SAFE_NUMBER.value(row) if row else None

    def add_safe_number(self, number: SafeNumber) -> None:
        """Keep it; one that is there already keeps its SID."""
        _add_safe_number.run(self.unit, self.account, number.number, number.sid)

    def delete_safe_number(self, number: str) -> bool:
        return self._change(delete(tables.safe_numbers).where(_S.account == self.account, _S.number == number)) > 0

    def add_import(self, import_: Import) -> None:
        self._check_own([import_])
        self._change(insert(tables.imports).values(IMPORT.row(import_)))

    def save_import(self, import_: Import) -> None:
        mine = _I.id == import_.id, _I.account == self.account
        self._change(update(tables.imports).where(*mine).values(IMPORT.row(import_)))

    def import_(self, id: str) -> Import | None:
        row = self._row(IMPORT.select().where(_I.id == id, _I.account == self.account))
        return IMPORT.value(row) if row else None

    def imports(self, cut: Cut) -> list[Import]:
        """The newest first; a cut names an import by its id."""
        query = IMPORT.select().where(_I.account == self.account)
        marks = select(_I.created_at, _I.id).where(_I.account == self.account)
        return IMPORT.each(cut_of(self.unit, query, cut, order=(_I.created_at, _I.id), marks=marks, id=_I.id))

    def idle_imports(self, before: datetime) -> list[Import]:
        return IMPORT.each(self._rows(IMPORT.select().where(_I.state == "running", _I.updated_at <= before)))

    def add_import_rows(self, id: str, rows: Sequence[ImportRow]) -> None:
        _put_row.many(
            self.unit, [(id, row.row, self.account, row.recipient, row.state, row.error) for row in rows]
        )

    def import_rows(self, id: str, cut_after: int, limit: int) -> list[ImportRow]:
        """At most `limit` results after row number `cut_after`."""
        query = IMPORT_ROW.select().where(_R["import"] == id, _R.account == self.account, _R.row > cut_after)
        return IMPORT_ROW.each(self._rows(query.order_by(_R.row).limit(limit)))
