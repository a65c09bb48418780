"""Parts of long texts that bound customers submit one by one, until all are there. They are the customer's, not a person's."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, insert, select, tuple_, update

from stopwire.core.bound import SubmittedPart
from stopwire.storage import tables
from stopwire.storage.hot import Noun
from stopwire.storage.rows import SUBMITTED

_S = tables.submitted.c


class SqlSubmitted(Noun):
    """`forget` looks across accounts: an engine serves all."""

    def parts(self, part: SubmittedPart) -> list[SubmittedPart]:
        """What is there of the text that `part` is one of."""
        return SUBMITTED.each(self._rows(SUBMITTED.select().where(*self._text(part))))

    def add(self, part: SubmittedPart, now: datetime) -> None:
        self._check_own([part])
        self._change(insert(tables.submitted).values({**SUBMITTED.row(part), "at": now}))

    def take(self, part: SubmittedPart, now: datetime) -> None:
        """The text that `part` is one of has become a message."""
        self._change(update(tables.submitted).where(*self._text(part)).values(taken_at=now))

    def drop(self, part: SubmittedPart) -> None:
        """All parts of the text that `part` is one of."""
        self._change(delete(tables.submitted).where(*self._text(part)))

    def forget(self, before: datetime, limit: int) -> int:
        """Forget at most `limit` parts that came before `before`; how many they were."""
        key = (_S.account, _S.sender, _S.recipient, _S.reference, _S.total, _S.part)
        old = select(*key).where(_S.at < before).limit(limit)
        return self._change(delete(tables.submitted).where(tuple_(*key).in_(old)))

    def _text(self, part: SubmittedPart) -> tuple[ColumnElement[bool], ...]:
        return (
            _S.account == self.account,
            _S.sender == part.sender,
            _S.recipient == part.recipient,
            _S.reference == part.reference,
            _S.total == part.total,
        )
