"""Empty what is kept about one person: their texts, their number, and what others wrote about them.

Blocks stay, and so does every row of the ledger: only its readable half is emptied, which its chain does not cover.
Whether somebody is to be erased is not decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, tuple_, update

from stopwire.core.address import ChannelGroup
from stopwire.core.message import EMPTIED, SETTLED
from stopwire.ports.store import Mention
from stopwire.storage import tables
from stopwire.storage.hot import Noun, filtered
from stopwire.storage.leftovers import SqlLeftovers

GONE = ""  # what stands for a person who was erased
UNTOLD = ("pending", "sending")

_M = tables.messages.c
_D = tables.deliveries.c
_A = tables.attempts.c
_P = tables.consent_people.c
_B = tables.blocks.c
_F = tables.refusals.c
_I = tables.import_rows.c
_S = tables.suggestions.c


class SqlErasure(Noun):
    def messages(self, recipient: str, now: datetime, limit: int) -> int:
        """Empty texts that have left or ended, and whose webhooks have been told; how many they were."""
        untold = select(_D.seq).where(_D.message == _M.sid, _D.state.in_(UNTOLD)).exists()
        settled = _M.status.in_([status.value for status in SETTLED])
        ready = select(_M.sid).where(*self._theirs(recipient), settled, ~untold).limit(limit)
        sids = [row.sid for row in self._rows(ready)]
        if not sids:
            return 0
        SqlLeftovers(self.unit, self.account).forget_webhooks(sids)
        sent = select(_A.id).where(_A.account == self.account, _A.message.in_(sids))
        segments = tables.segments.c
        self._change(delete(tables.segments).where(segments.account == self.account, segments.attempt.in_(sent)))
        self._change(update(tables.attempts).where(_A.account == self.account, _A.message.in_(sids)).values(detail=None))
        media = tables.media.c
        self._change(delete(tables.media).where(media.account == self.account, media.message.in_(sids)))
        # What the keyword engine made of it stays: without it the message would tell of another decision than was made.
        noted = {EMPTIED: now.isoformat(timespec="seconds")}
        empty: dict[str, Any] = {"body": "", "recipient": GONE, "status_callback": None, "options": noted, "updated_at": now}
        return self._change(update(tables.messages).where(filtered(_M.account, self.account), _M.sid.in_(sids)).values(empty))

    def ledger(self, recipient: str, limit: int) -> int:
        """Empty the readable half of the rows about them; how many they were."""
        theirs = select(_P.seq).where(_P.account == self.account, _P.recipient == recipient).limit(limit)
        mine = _P.account == self.account, _P.seq.in_(theirs)
        return self._change(update(tables.consent_people).where(*mine).values(recipient=GONE, text=None, note=None))

    def beside(self, recipient: str) -> int:
        """What stands beside the texts: handsets, contacts, decided suggestions, replies, notes of blocks; how many rows."""
        t, gone = tables, 0
        for table, where in (
            (t.handset_messages, t.handset_messages.c.handset == recipient),
            (t.handset_transit, t.handset_transit.c.handset == recipient),
            (t.receptions, t.receptions.c.handset == recipient),
            (t.contacts, t.contacts.c.contact == recipient),
            (t.safe_numbers, t.safe_numbers.c.number == recipient),
            (t.sticky, t.sticky.c.recipient == recipient),
            (t.parts, t.parts.c.recipient == recipient),
            (t.submitted, t.submitted.c.recipient == recipient),
            (t.suggestions, (_S.recipient == recipient) & (_S.state != "open")),
        ):
            gone += self._change(delete(table).where(table.c.account == self.account, where))
        # A reply stays as a row: it keeps the promise of one a transition.
        replies = t.replies.c
        theirs = replies.account == self.account, replies.recipient == recipient
        gone += self._change(update(t.replies).where(*theirs).values(recipient=GONE, body=""))
        blocked = _B.account == self.account, _B.grp.in_(list(ChannelGroup)), _B.recipient == recipient, _B.note.is_not(None)
        gone += self._change(update(t.blocks).where(*blocked).values(note=None))
        ours = select(t.senders.c.address).where(t.senders.c.account == self.account)
        return gone + self._change(delete(t.orphans).where(t.orphans.c.recipient == recipient, t.orphans.c.sender.in_(ours)))

    def mentions(self, recipient: str, limit: int) -> list[Mention]:
        """Refused sends and rows of imports that name them. No index finds these: ask it of a snapshot."""
        refused = select(_F.id).where(_F.account == self.account, _F.recipient == recipient).limit(limit)
        found = [Mention(kind="refusal", id=row.id) for row in self._rows(refused)]
        taken = select(_I["import"].label("id"), _I.row.label("number")).where(_I.account == self.account, _I.recipient == recipient).limit(limit)
        return found + [Mention(kind="import", id=row.id, row=row.number) for row in self._rows(taken)]

    def blank(self, mentions: Sequence[Mention]) -> int:
        """Take the number out of these; how many they were."""
        refused = [each.id for each in mentions if each.kind == "refusal"]
        taken = [(each.id, each.row) for each in mentions if each.kind == "import"]
        mine = _F.account == self.account, _F.id.in_(refused)
        gone = self._change(update(tables.refusals).where(*mine).values(recipient=None, because=None)) if refused else 0
        if taken:
            rows = _I.account == self.account, tuple_(_I["import"], _I.row).in_(taken)
            gone += self._change(update(tables.import_rows).where(*rows).values(recipient=None, error=None))
        return gone

    def waiting(self, recipient: str) -> int:
        """What could not be emptied yet: texts on their way, webhooks not told, suggestions that nobody has decided."""
        texts = select(func.count()).select_from(tables.messages).where(*self._theirs(recipient))
        undecided = select(func.count()).where(_S.account == self.account, _S.recipient == recipient, _S.state == "open")
        return int(self._scalar(texts)) + int(self._scalar(undecided))

    def _theirs(self, recipient: str) -> tuple[ColumnElement[bool], ...]:
        return _M.account == self.account, _M.recipient == recipient
