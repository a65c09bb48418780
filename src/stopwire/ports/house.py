"""The House: the bundle a door is given. A door calls one flow through it, or reads one noun.

What goes in and comes out are plain values, so the same call works inside one process and through the hatch.
"""

from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from stopwire.ports.world import Choices, World

P = ParamSpec("P")
R = TypeVar("R")
Noun = TypeVar("Noun")


class House(Protocol):
    @property
    def choices(self) -> Choices: ...

    @property
    def configuration(self) -> int | None:
        """What a door keeps about accounts is good while this stays the same; None: keep nothing."""
        ...

    async def __call__(
        self, flow: Callable[Concatenate[World, P], Awaitable[R]], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Walk `flow` with these values: `await house(send.send, account=…, orders=[…])`."""
        ...

    async def read(self, account: str, query: Callable[Concatenate[Noun, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Ask one noun of the store: `await house.read(account, Messages.get, sid)`."""
        ...
