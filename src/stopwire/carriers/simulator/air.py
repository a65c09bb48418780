"""The air between handsets and their message centre: how each handset is reached, and the chaos of each account.

It decides what becomes of a text by the numbers that were set and by chance; it carries nothing.
"""

from collections.abc import Mapping
from datetime import datetime

from stopwire.core.chaos import CALM, USUAL, Chaos, Reception, met
from stopwire.ports.world import Clock, Ids


class Air:
    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock, self._ids = clock, ids
        self._receptions: dict[tuple[str, str], Reception] = {}  # by account and handset; those that are not as usual
        self._chaos: dict[str, Chaos] = {}  # by account; those that are not calm
        self._since: dict[str, datetime] = {}  # since when it is as it is
        self._taken: dict[str, tuple[int, int]] = {}  # of a throttled account: which second, and how many parts in it

    def load(self, receptions: Mapping[tuple[str, str], Reception]) -> None:
        self._receptions = dict(receptions)

    def reception(self, account: str, handset: str) -> Reception:
        return self._receptions.get((account, handset), USUAL)

    def set_reception(self, account: str, handset: str, reception: Reception) -> None:
        if reception == USUAL:
            self._receptions.pop((account, handset), None)
        else:
            self._receptions[account, handset] = reception

    def chaos(self, account: str) -> Chaos:
        return self._chaos.get(account, CALM)

    def set_chaos(self, account: str, chaos: Chaos) -> None:
        self._taken.pop(account, None)
        if chaos != self.chaos(account):
            self._since[account] = self._clock.now()
        if chaos == CALM:
            self._chaos.pop(account, None)
        else:
            self._chaos[account] = chaos

    def since(self, account: str) -> datetime | None:
        """When the account's chaos last changed; None where there was none since the start."""
        return self._since.get(account)

    def meets(self, account: str, handset: str) -> Reception:
        """What a text to or from this handset meets now."""
        if not self._receptions and not self._chaos:
            return USUAL
        return met(self.reception(account, handset), self.chaos(account))

    def dead(self) -> list[str]:
        """The accounts whose message centre is down."""
        return [account for account, chaos in self._chaos.items() if chaos.down]

    def hits(self, share: float) -> bool:
        """Whether it happens this time, where it happens to `share` of all."""
        return share > 0 and self._ids.jitter() < share

    def full(self, account: str) -> bool:
        """Whether the account's carrier takes no further part in this second; a part that it takes is counted."""
        limit = self.chaos(account).per_second
        if not limit:
            return False
        second = int(self._clock.monotonic())
        of, count = self._taken.get(account, (second, 0))
        count = count if of == second else 0
        if count >= limit:
            return True
        self._taken[account] = (second, count + 1)
        return False
