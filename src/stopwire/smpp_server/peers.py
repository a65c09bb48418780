"""Who is bound as a receiver, and the deliver_sm to them: one event, its parts in order.

What an event says is made in `translate`; which comes next, and whether it is tried again later, is the journey's.
"""

import asyncio
from collections import defaultdict

from stopwire.core.jobs import Delivery
from stopwire.core.senders import AccountSettings
from stopwire.link import Link, Lost, NotSent
from stopwire.ports.clock import Clock
from stopwire.ports.peers import Reached
from stopwire.smpp.fields import Kind, Status, meaning
from stopwire.smpp.pdu import DeliverSm
from stopwire.smpp_server import translate

TRIES = 3  # of one round, while the receiver says "not now"
PAUSE_SECONDS = 1.0
SENDING_SECONDS = 30.0  # for one part, its wait for room in the window included


class Switchboard:
    """Implements `ports.peers.Peers`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._receivers: dict[str, list[Link]] = defaultdict(list)
        self._next = 0

    def add(self, account: str, link: Link) -> None:
        self._receivers[account].append(link)

    def remove(self, account: str, link: Link) -> None:
        links = self._receivers.get(account, [])
        if link in links:
            links.remove(link)
        if not links:
            self._receivers.pop(account, None)

    async def deliver(self, delivery: Delivery, settings: AccountSettings) -> Reached:
        began = self._clock.monotonic()
        pdus = translate.pdus_of(delivery, settings)
        for _ in range(TRIES):
            link = self._pick(delivery.account)
            if link is None:
                return self._reached(began, "No receiver of the account is bound.")
            reached, again = await self._hand(link, pdus, began)
            if reached.delivered or reached.final or not again:
                return reached
            await asyncio.sleep(PAUSE_SECONDS)
        return reached

    async def _hand(self, link: Link, pdus: list[DeliverSm], began: float) -> tuple[Reached, bool]:
        """Hand all parts to one receiver, and whether another try at once may help."""
        for pdu in pdus:
            try:
                async with asyncio.timeout(SENDING_SECONDS):
                    outcome = await link.request(pdu)
            except TimeoutError:
                return self._reached(began, f"The receiver took nothing for {SENDING_SECONDS:g} s."), False
            if isinstance(outcome, NotSent):
                return self._reached(began, outcome.reason), True
            if isinstance(outcome, Lost):
                return self._reached(began, outcome.reason), False
            if outcome.pdu.status != Status.ESME_ROK:
                said = meaning(outcome.pdu.status)
                reached = self._reached(
                    began, f"{said.name}: {said.sentence}", status=said.code, final=said.kind is Kind.PERMANENT
                )
                return reached, said.kind in (Kind.TEMPORARY, Kind.THROTTLED)
        return self._reached(began, Status.ESME_ROK.name, status=Status.ESME_ROK, delivered=True), False

    def _pick(self, account: str) -> Link | None:
        """The next bound receiver in turn, one with room in its window before one without."""
        links = [link for link in self._receivers.get(account, []) if link.bound]
        if not links:
            return None
        self._next += 1
        turned = links[self._next % len(links) :] + links[: self._next % len(links)]
        return next((link for link in turned if link.room), turned[0])

    def _reached(
        self, began: float, says: str, *, status: int | None = None, delivered: bool = False, final: bool = False
    ) -> Reached:
        ms = round((self._clock.monotonic() - began) * 1000)
        return Reached(delivered=delivered, says=says, ms=ms, status=status, final=final)
