"""The back door: one file is one carrier, which translates and names what happened.

A carrier never retries, never stores, and has never heard of consent. Here is the board of those that are plugged in.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stopwire.core.connections import LinkState, LinkStatus, Sealed
from stopwire.core.policy import Problem
from stopwire.ports.carrier import Carrier, CarrierType

Make = Callable[[Sealed], Carrier]


class Board:
    """Implements `ports.carrier.Carriers`: the live connections, by SID."""

    def __init__(self) -> None:
        self._live: dict[str, Carrier] = {}

    def plug(self, connection: str, carrier: Carrier) -> None:
        self._live[connection] = carrier

    def get(self, connection: str) -> Carrier | None:
        return self._live.get(connection)

    def names(self) -> list[str]:
        return list(self._live)

    def up(self) -> frozenset[str]:
        return frozenset(sid for sid, carrier in self._live.items() if carrier.state().status is LinkStatus.UP)

    def halt(self, attempts: Sequence[str]) -> None:
        for carrier in self._live.values():
            carrier.halt(attempts)

    def types(self) -> list[CarrierType]:
        return []

    def problems(self, type_: str, settings: Mapping[str, Any]) -> list[Problem]:
        return [Problem(path="type", message=f"There is no carrier of type {type_} in this version.")]

    async def test(self, sealed: Sealed) -> LinkState:
        raise LookupError(sealed.connection.type)
