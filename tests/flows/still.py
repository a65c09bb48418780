"""A still house: a real store and the demo's senders, but no engine. Nothing moves unless the test moves it."""

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from stopwire import config, demo
from stopwire.core.message import Message
from stopwire.core.orders import Order
from stopwire.core.outcomes import Outcome, OutcomeKind, Part, Received
from stopwire.flows import dispatch, own, receive, send
from stopwire.ports.store import Cut, MessageFilter, Tx
from stopwire.wiring import SystemClock, Wired, wire
from tests.empty_store import lay_in

T = TypeVar("T")
SERVICE_MEMBER, ALONE, TOLL_FREE, SHORT = "+14155550100", "+14155550122", "+18885550100", "72345"


class MovedClock(SystemClock):
    """The true time and what the test adds to it."""

    moved = timedelta()

    def now(self) -> datetime:
        return super().now() + self.moved


class Still:
    def __init__(self, wired: Wired, account: str, clock: MovedClock) -> None:
        # No engine will ever answer, so waiting long for it proves nothing more.
        choices = replace(wired.world.choices, stop_wait_seconds=0.05)
        self.world, self.account, self.clock = replace(wired.world, choices=choices), account, clock
        self.service = ""

    async def send(self, *orders: Order, **more: Any) -> tuple[send.Receipt, ...]:
        return (await send.send(self.world, account=self.account, orders=orders, **more)).receipts

    async def one(self, **order: Any) -> Message:
        """One message that was taken."""
        (receipt,) = await self.send(Order(**{"body": "Hello", **order}))
        assert receipt.message is not None, receipt.refused
        return receipt.message

    async def text(self, body: str, *, person: str, to: str) -> receive.Taken:
        heard = Received(connection="simulator", sender=to, recipient=person, body=body, reference=self.world.ids.uuid())
        return await receive.receive(self.world, heard=heard)

    async def claim(self, room: int = 100, connection: str = "simulator") -> tuple[Part, ...]:
        """Take due jobs, as an engine does before it hands them over."""
        now, ids = self.world.clock.now(), self.world.ids
        claimed = await self.world.store.write(
            lambda tx: dispatch.claim(tx, connection=connection, room=room, write_by=math.inf, now=now, ids=ids), account=""
        )
        return claimed.parts

    async def settle(self, parts: Sequence[Part], kind: OutcomeKind = OutcomeKind.ACCEPTED, **more: Any) -> None:
        outcomes = [Outcome(attempt=p.attempt, kind=kind, reference=p.attempt, **more) for p in parts]
        await dispatch.settle(self.world, outcomes=outcomes)

    async def ask(self, query: Any) -> Any:
        return await self.world.store.read(query, account=self.account)

    async def change(self, unit: Any) -> Any:
        return await self.world.store.write(unit, account=self.account)

    async def seen(self, message: Message) -> Message:
        found: Message | None = await self.ask(lambda tx: tx.messages.get(message.sid))
        assert found is not None
        return found

    async def messages(self, **wanted: Any) -> list[Message]:
        found: list[Message] = await self.ask(lambda tx: tx.messages.page(MessageFilter(**wanted), Cut()))
        return found

    async def acts(self, person: str) -> list[str]:
        """What the ledger says of a person, the first act first."""

        def query(tx: Tx) -> list[str]:
            return [sealed.event.act.value for sealed in tx.consent.events(Cut(), recipient=person)][::-1]

        return list(await self.ask(query))

    async def callbacks(self, message: Message) -> list[tuple[str, str | None]]:
        """Status callbacks that wait for a message: status and error code, the first one first."""

        def query(tx: Tx) -> list[tuple[str, str | None]]:
            waiting = tx.webhooks.page(Cut(), message=message.sid)
            return [(d.params["MessageStatus"], d.params.get("ErrorCode")) for d in waiting][::-1]

        return list(await self.ask(query))


@asynccontextmanager
async def still_house(data_dir: Path) -> AsyncIterator[Still]:
    flags = {"data_dir": str(data_dir), "demo": True}
    settings = config.load(flags, environ={}, cwd=data_dir).settings
    lay_in(data_dir)
    clock = MovedClock()
    wired = await wire(settings, public_url="https://gw.example.com", clock=clock)
    try:
        account = await own.create_account(wired.world, name="Ours")
        await demo.seed(wired.world, account=account.sid)
        still = Still(wired, account.sid, clock)
        still.service = next(iter((await wired.world.store.directory(account.sid)).services))
        yield still
    finally:
        await wired.http.close()
        await wired.store.close()
