"""What a journey or an edge may ask of time and chance. Both are arguments everywhere: nobody fetches them."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The trusted time, aware UTC, to the millisecond."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow; for deadlines."""
        ...


class Ids(Protocol):
    """Names and chance. Everything random in the gateway comes from here."""

    def sid(self, prefix: str) -> str:
        """A new SID: `prefix` and 32 hex digits."""
        ...

    def token(self) -> str:
        """A new secret of 32 hex digits."""
        ...

    def uuid(self) -> str: ...

    def jitter(self) -> float:
        """A number in [0, 1)."""
        ...

    def turn(self) -> int:
        """0, 1, 2 …: whose turn it is, so that senders share evenly."""
        ...
