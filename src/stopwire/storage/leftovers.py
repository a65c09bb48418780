"""What senders that are to go have left: refused sends, webhooks, suggestions, the memory of handsets. Never consent."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, delete, or_, select

from stopwire.storage import tables
from stopwire.storage.hot import Noun, filtered

_D = tables.deliveries.c
_A = tables.delivery_attempts.c
_F = tables.refusals.c


class SqlLeftovers(Noun):
    def forget_webhooks(self, messages: Sequence[str]) -> int:
        """The webhooks of these messages, with their requests; how many they were."""
        mine = filtered(_D.account, self.account), _D.message.in_(messages)
        self._change(delete(tables.delivery_attempts).where(_A.account == self.account, _A.delivery.in_(select(_D.id).where(*mine))))
        return self._change(delete(tables.deliveries).where(*mine))

    def forget(self, addresses: Sequence[str], services: Sequence[str]) -> int:
        """Refused sends, suggestions and handsets' texts of these senders and services; how many they were."""
        no_sender = _F.sender.is_(None) & _F.service.is_(None)
        refused = or_(_F.sender.in_(addresses), _F.service.in_(services), no_sender)
        gone = self._change(delete(tables.refusals).where(_F.account == self.account, refused))
        for table, column in (
            (tables.suggestions, tables.suggestions.c.sender),
            (tables.handset_messages, tables.handset_messages.c.peer),
            (tables.handset_transit, tables.handset_transit.c.peer),
        ):
            gone += self._change(delete(table).where(table.c.account == self.account, column.in_(addresses)))
        self._change(delete(tables.network_blocks).where(tables.network_blocks.c.sender.in_(_own(self.account, addresses))))
        return gone


def _own(account: str, addresses: Sequence[str]) -> Select[tuple[str]]:
    """Those of the addresses that this account has: the network's list knows no accounts."""
    return select(tables.senders.c.address).where(tables.senders.c.account == account, tables.senders.c.address.in_(addresses))
