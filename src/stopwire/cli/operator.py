"""What the operator of this machine asks of a data folder: of the gateway that runs on it, else of its store."""

from typing import Any

from stopwire.cli.access import START_ONE
from stopwire.cli.output import Exit, Failed
from stopwire.cli.talk import Talk


def admin(talk: Talk, action: str, *, running: bool = False, **values: Any) -> dict[str, Any]:
    """The answer to `action` of `stopwire.admin`. With `running` only a gateway that runs can give it."""
    from stopwire.admin import NotRunning, call

    try:
        return call(talk.data_dir, action, **values)
    except NotRunning:
        if running:
            raise Failed(f"No gateway runs on {talk.data_dir}: {START_ONE}.", Exit.UNREACHABLE) from None
        return _alone(talk, action, values)
    except (LookupError, ValueError) as refusal:
        raise Failed(str(refusal), Exit.NO) from None


def _alone(talk: Talk, action: str, values: dict[str, Any]) -> dict[str, Any]:
    """Open the store, act, close it. The store's lock keeps a second process out."""
    import asyncio

    from stopwire.admin import ACTIONS
    from stopwire.config import load
    from stopwire.wiring import wire

    settings = load({"data_dir": talk.data_dir}).settings

    async def act() -> dict[str, Any]:
        wired = await wire(settings, public_url=settings.public_url)
        try:
            return dict(await ACTIONS[action](wired.world, **values))
        finally:
            await wired.close()

    try:
        return asyncio.run(act())
    except (LookupError, ValueError) as refusal:
        raise Failed(str(refusal), Exit.NO) from None
