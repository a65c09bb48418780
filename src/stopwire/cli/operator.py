"""What the operator of this machine asks of a data folder: of the gateway that runs on it, else of its store."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from stopwire.cli.access import START_ONE
from stopwire.cli.output import Exit, Failed
from stopwire.cli.talk import Talk

if TYPE_CHECKING:
    from stopwire.ports.world import World

T = TypeVar("T")


def admin(talk: Talk, action: str, *, running: bool = False, **values: Any) -> dict[str, Any]:
    """The answer to `action` of `stopwire.admin`. With `running` only a gateway that runs can give it."""
    from stopwire.admin import ACTIONS, NotRunning, call

    try:
        return call(talk.data_dir, action, **values)
    except NotRunning:
        if running:
            raise Failed(f"No gateway runs on {talk.data_dir}: {START_ONE}.", Exit.UNREACHABLE) from None
    except (LookupError, ValueError) as refusal:
        raise Failed(str(refusal), Exit.NO) from None
    try:
        return dict(in_store(talk.data_dir, lambda world: ACTIONS[action](world, **values)))
    except (LookupError, ValueError) as refusal:
        raise Failed(str(refusal), Exit.NO) from None


def in_store(data_dir: Path, act: Callable[["World"], Awaitable[T]]) -> T:
    """Open the store of a data folder, act, close it. Its lock keeps a second process out: DirectoryInUse."""
    from stopwire.config import load
    from stopwire.wiring import wire

    settings = load({"data_dir": data_dir}).settings

    async def alone() -> T:
        wired = await wire(settings, public_url=settings.public_url)
        try:
            return await act(wired.world)
        finally:
            await wired.close()

    return asyncio.run(alone())
