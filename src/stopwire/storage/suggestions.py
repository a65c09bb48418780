"""Suggestions: inbound messages that looked like an opt-out and wait for a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select, update

from stopwire.core.jobs import Review
from stopwire.ports.store import Cut
from stopwire.storage import tables
from stopwire.storage.cuts import cut_of
from stopwire.storage.hot import Noun
from stopwire.storage.rows import REVIEW

_S = tables.suggestions.c


class SqlSuggestions(Noun):
    """A suggestion blocks nothing; what a person decides becomes a consent event elsewhere."""

    def add(self, reviews: Sequence[Review]) -> None:
        self._check_own(reviews)
        if reviews:
            self.unit.connection.execute(insert(tables.suggestions), [REVIEW.row(review) for review in reviews])

    def page(self, cut: Cut, state: str | None = None, recipient: str | None = None) -> list[Review]:
        """The newest first; a cut names a suggestion by its id."""
        query = REVIEW.select().where(_S.account == self.account)
        for column, value in ((_S.state, state), (_S.recipient, recipient)):
            if value is not None:
                query = query.where(column == value)
        marks = select(_S.seq).where(_S.account == self.account)
        return REVIEW.each(cut_of(self.unit, query, cut, order=(_S.seq,), marks=marks, id=_S.id))

    def get(self, id: str) -> Review | None:
        row = self._row(REVIEW.select().where(_S.id == id, _S.account == self.account))
        return REVIEW.value(row) if row else None

    def decide(self, id: str, state: str, *, by: str, now: datetime, note: str | None) -> None:
        """Close a suggestion that is open; one that is closed stays as it was decided."""
        mine = _S.id == id, _S.account == self.account, _S.state == "open"
        self._change(update(tables.suggestions).where(*mine).values(state=state, decided_by=by, decided_at=now, note=note))

    def reopen(self, id: str) -> None:
        """Take a decision back."""
        mine = _S.id == id, _S.account == self.account
        self._change(update(tables.suggestions).where(*mine).values(state="open", decided_by=None, decided_at=None, note=None))
