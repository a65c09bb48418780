"""`python -m tests.world --plant NAME`: a run against a gateway that breaks a promise. The verdict must say so, or it is worth nothing.

What is broken stands in PLANTED of the environment, for the gateway is a process of its own. Nothing of it is for the suite:
each run takes as long as any, and what it finds hangs on chance.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any

from stopwire.carriers.smpp import Smpp
from stopwire.cli.main import main
from stopwire.core.outcomes import OutcomeKind
from stopwire.flows import receive
from stopwire.smpp import receipt
from stopwire.smpp.pdu import DataSm, DeliverSm, Pdu, response_to
from tests.world.smpp import Gateway

NAME = "PLANTED"
LATE_SECONDS = 0.3


class Planted(Gateway):
    MODULE = "tests.world.planted"
    LOADED_BEFORE = False


def fence() -> None:
    """A STOP is acknowledged while what is under way goes on: C3."""

    async def quiet(*_: Any, **__: Any) -> None:
        return

    receive.quiet = quiet


def early() -> None:
    """What a carrier brings is acknowledged before it is kept: C1, C3."""
    tasks: set[asyncio.Task[None]] = set()

    async def later(self: Smpp, pdu: DeliverSm | DataSm) -> None:
        await asyncio.sleep(LATE_SECONDS)
        await self._take(pdu)

    async def hear(self: Smpp, pdu: Pdu) -> Pdu:
        if isinstance(pdu, DeliverSm | DataSm):
            tasks.add(task := asyncio.get_running_loop().create_task(later(self, pdu)))
            task.add_done_callback(tasks.discard)
        return response_to(pdu)

    Smpp._hear = hear  # type: ignore[method-assign]


def again() -> None:
    """What has no answer is taken for what never left, and is written again: C2, C5."""
    honest = Smpp._answer

    def answer(self: Smpp, out: Any, kind: OutcomeKind, **more: Any) -> None:
        if kind is OutcomeKind.UNKNOWN:
            kind, more = OutcomeKind.RELEASED, {"detail": "planted"}
        honest(self, out, kind, **more)

    Smpp._answer = answer  # type: ignore[method-assign]


def deaf() -> None:
    """Every fourth receipt is acknowledged and forgotten: C9."""
    honest = Smpp._take

    async def take(self: Smpp, pdu: DeliverSm | DataSm) -> None:
        if receipt.read(pdu) is None or sum(pdu.short_message if isinstance(pdu, DeliverSm) else b"") % 4:
            await honest(self, pdu)

    Smpp._take = take  # type: ignore[method-assign]


PLANTS: dict[str, Callable[[], None]] = {plant.__name__: plant for plant in (fence, early, again, deaf)}

if __name__ == "__main__":
    PLANTS[os.environ[NAME]]()
    sys.exit(main())
