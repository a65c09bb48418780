"""What a journey may ask of the customers that are bound to us by SMPP: take one event, and say so.

A door keeps who is bound; a journey never sees a PDU.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from stopwire.core.bound import LiveBind
from stopwire.core.jobs import Delivery
from stopwire.core.senders import AccountSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What one delivery to a bound customer came to. `final`: the customer refused it for good."""

    delivered: bool
    says: str  # for the log
    ms: int
    status: int | None = None  # the command_status that was answered; None where no answer came
    final: bool = False


class Peers(Protocol):
    async def deliver(self, delivery: Delivery, settings: AccountSettings) -> Reached:
        """Hand `delivery` to a bound receiver of its account.

        Returns when the receiver has answered, or cannot be reached. Never raises.
        """
        ...

    def bound(self, account: str) -> Sequence[LiveBind]:
        """Who of `account` is bound now, the newest first."""
        ...

    async def unbind(self, account: str, id: str) -> LiveBind | None:
        """End one bind in order, and answer it as it was; None where there is none of this id."""
        ...
