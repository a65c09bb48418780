"""Who is bound, and the deliver_sm to those who receive: one event, its parts in order.

What an event says is made in `translate`; which comes next, and whether it is tried again later, is the journey's.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from stopwire import metrics
from stopwire.core.bound import LiveBind
from stopwire.core.jobs import Delivery
from stopwire.core.senders import AccountSettings
from stopwire.link import Link, Lost, NotSent
from stopwire.log import get_logger
from stopwire.ports.clock import Clock, Ids
from stopwire.ports.peers import Reached
from stopwire.smpp.fields import Kind, Status, meaning
from stopwire.smpp.pdu import DeliverSm
from stopwire.smpp_server import translate

log = get_logger(__name__)
TRIES = 3  # of one round, while the receiver says "not now"
PAUSE_SECONDS = 1.0
SENDING_SECONDS = 30.0  # for one part, its wait for room in the window included
UNBIND_SECONDS = 5.0  # for an unbind in order
TRANSMITTER = "transmitter"


class Switchboard:
    """Implements `ports.peers.Peers`."""

    def __init__(
        self, clock: Clock, ids: Ids, *, on_tell: Callable[[str, str, Mapping[str, Any]], None] | None = None
    ) -> None:
        """`on_tell`: told (account, event, facts) when somebody has bound or left, for whoever watches."""
        self._clock, self._ids, self._on_tell = clock, ids, on_tell
        self._seats: dict[str, list[Seat]] = {}  # by account
        self._next = 0

    def add(self, link: Link, *, account: str, key: str | None, system_id: str, how: str) -> "Seat":
        """Somebody is about to be bound."""
        who = LiveBind(
            id=self._ids.sid("BD"),
            account=account,
            system_id=system_id,
            key=key,
            how=how,
            address=link.peer,
            since=self._clock.now(),
            window=link.limits.window,
        )
        seat = Seat(link, who)
        self._seats.setdefault(account, []).append(seat)
        metrics.bound(how, 1)
        # Once the bind has been answered: whoever looks then shall find it.
        asyncio.get_running_loop().call_soon(self._tell, seat, "smpp.bound")
        return seat

    def remove(self, seat: "Seat") -> None:
        account = seat.who.account
        seats = self._seats[account]
        seats.remove(seat)
        if not seats:
            del self._seats[account]
        metrics.bound(seat.who.how, -1)
        self._tell(seat, "smpp.left")

    def bound(self, account: str) -> list[LiveBind]:
        return [seat.now() for seat in reversed(self._seats.get(account, [])) if seat.link.bound]

    async def unbind(self, account: str, id: str) -> LiveBind | None:
        seat = next((seat for seat in self._seats.get(account, []) if seat.who.id == id and seat.link.bound), None)
        if seat is None:
            return None
        was = seat.now()
        log.info("smpp.shown_out", remote=seat.link.peer, account=account)
        await seat.link.unbind(within_seconds=UNBIND_SECONDS)
        return was

    def _tell(self, seat: "Seat", event: str) -> None:
        if self._on_tell is not None:
            who = seat.who
            self._on_tell(who.account, event, {"id": who.id, "system_id": who.system_id, "how": who.how})

    async def deliver(self, delivery: Delivery, settings: AccountSettings) -> Reached:
        began = self._clock.monotonic()
        pdus = translate.pdus_of(delivery, settings)
        for _ in range(TRIES):
            seat = self._pick(delivery.account)
            if seat is None:
                return self._reached(began, "No receiver of the account is bound.")
            reached, again = await self._hand(seat.link, pdus, began)
            seat.told += reached.delivered
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

    def _pick(self, account: str) -> "Seat | None":
        """The next bound receiver in turn, one with room in its window before one without."""
        seats = [seat for seat in self._seats.get(account, []) if seat.who.how != TRANSMITTER and seat.link.bound]
        if not seats:
            return None
        self._next += 1
        turned = seats[self._next % len(seats) :] + seats[: self._next % len(seats)]
        return next((seat for seat in turned if seat.link.room), turned[0])

    def _reached(
        self, began: float, says: str, *, status: int | None = None, delivered: bool = False, final: bool = False
    ) -> Reached:
        ms = round((self._clock.monotonic() - began) * 1000)
        return Reached(delivered=delivered, says=says, ms=ms, status=status, final=final)


class Seat:
    """One bind while it lasts: its link, who it is, and what has gone over it. The door counts its submits here."""

    __slots__ = ("declined", "link", "taken", "told", "who")

    def __init__(self, link: Link, who: LiveBind) -> None:
        self.link, self.who = link, who
        self.taken = self.declined = self.told = 0

    def now(self) -> LiveBind:
        link = self.link
        return replace(
            self.who,
            waiting=link.session.outstanding,
            in_work=link.in_work,
            taken=self.taken,
            declined=self.declined,
            told=self.told,
        )
