"""Automatic replies: one a transition, which is a constraint of the table, and what the loop fence counts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, insert, select

from stopwire.storage import tables
from stopwire.storage.hot import Noun, Statement

_R = tables.replies.c

_recent = Statement(
    select(_R.keyword, _R.body, _R.at)
    .where(
        _R.account == bindparam("of"),
        _R.recipient == bindparam("person"),
        _R.sender == bindparam("ours"),
        _R.at >= bindparam("since"),
    )
    .order_by(_R.at.desc()),
    "of",
    "person",
    "ours",
    "since",
)


class SqlReplies(Noun):
    """Kept beside the messages they became: those may be deleted, the fence may not forget."""

    def recent(self, sender: str, recipient: str, since: datetime) -> list[tuple[str, str, datetime]]:
        """Keyword, body and time of each reply of a sender to a person, the newest first."""
        return [(row[0], row[1], row[2]) for row in _recent.all(self.unit, self.account, recipient, sender, since)]

    def add(
        self, message: str, event: str, keyword: str, sender: str, recipient: str, body: str, now: datetime
    ) -> None:
        """Keep a reply. A second one to the same event and keyword is refused by the database."""
        row = {
            "message": message,
            "account": self.account,
            "event": event,
            "keyword": keyword,
            "sender": sender,
            "recipient": recipient,
            "body": body,
            "at": now,
        }
        self._change(insert(tables.replies).values(row))
