"""The inbox: what carriers with a live link hand us, and the flow that each of it starts."""

from collections.abc import Callable, Sequence

from stopwire.basket import Basket
from stopwire.core.outcomes import DeliveryReport, Received
from stopwire.flows import receive, report
from stopwire.log import get_logger
from stopwire.ports.world import World

log = get_logger(__name__)
STRANGERS_NOTED = 100
UNDER_WAY = 2  # calls that keep texts, or reports: the second one joins the commit that the first one may have missed


class Links:
    """Implements `ports.carrier.Inbox`."""

    def __init__(self, world: World, *, ready: Callable[[], None]) -> None:
        """`ready`: what to call when the carrier has room again."""
        self._world, self._ready = world, ready
        self._strangers: set[tuple[str, str]] = set()  # connections, and addresses of nobody that texts came to
        self._texts: Basket[Received, receive.Taken] = Basket(self._keep_texts, under_way=UNDER_WAY)
        self._reports: Basket[Sequence[DeliveryReport], None] = Basket(self._keep_reports, under_way=UNDER_WAY)

    async def received(self, heard: Received) -> str | None:
        taken = await self._texts.take(heard)
        if not taken.account:
            await self._note_stranger(heard)
            return None
        await receive.settle(self._world, heard=heard, taken=taken)
        return taken.message

    async def _note_stranger(self, heard: Received) -> None:
        """Nobody here has this address: the number was given back, or the carrier writes it in a way that we read wrongly.

        Each number is noted once, so that a flood of them leaves room for the rest of the connection's log.
        """
        log.warning("inbound.unknown_sender", sender=heard.sender, connection=heard.connection)
        stranger = (heard.connection, heard.sender)
        if stranger in self._strangers or len(self._strangers) >= STRANGERS_NOTED:
            return
        self._strangers.add(stranger)
        sealed = await self._world.store.read(lambda tx: tx.connections.find(heard.connection), account="")
        if sealed is not None:
            says = (
                f"A text came to {heard.sender}, which is no sender here, and was dropped: put the number on this connection, or "
                "correct the connection's country if the carrier leaves country codes out."
            )
            self._world.carriers.note(sealed, "unknown_sender", says)

    async def reported(self, reports: Sequence[DeliveryReport]) -> None:
        await self._reports.take(reports)

    def ready(self) -> None:
        self._ready()

    async def _keep_texts(self, heard: Sequence[Received]) -> Sequence[receive.Taken]:
        return await receive.keep(self._world, heard=heard)

    async def _keep_reports(self, told: Sequence[Sequence[DeliveryReport]]) -> Sequence[None]:
        await report.report(self._world, reports=[one for reports in told for one in reports])
        return [None] * len(told)
