"""What a test holds in its hand: the real gateway in this process, handsets, and a message centre that misbehaves.

With pytest there is nothing to import: the fixture `sms` is there (`testing/plugin.py`). Never part of production.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stopwire.testing.kit import Sms
    from stopwire.testing.running import Running

__all__ = ["account", "gateway"]


@contextmanager
def gateway(*, seed: str = "1", **setup: Any) -> Iterator["Sms"]:
    """A gateway of one's own with a clean account: `with stopwire.testing.gateway() as sms`. `setup` is that of the marker `sms`."""
    from stopwire.testing.running import Running  # late: this package is imported wherever pytest starts

    running = Running(seed=seed)
    try:
        with account(running, **setup) as sms:
            yield sms
    finally:
        running.close()


@contextmanager
def account(running: "Running", **setup: Any) -> Iterator["Sms"]:
    """A clean account of a gateway that runs already, such as that of the fixture `sms_gateway`."""
    from stopwire.testing.kit import opened

    with opened(running, **setup) as sms:
        yield sms
