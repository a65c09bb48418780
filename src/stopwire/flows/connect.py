"""Look at the connections to carriers: which there are, whether they are up, which senders speak through them."""

from dataclasses import dataclass

from stopwire.ports.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One connection as an account sees it: with its own senders only."""

    name: str
    type: str
    up: bool
    senders: tuple[str, ...]


async def connections(world: World, *, account: str) -> list[Connection]:
    """The connections of the gateway, by name."""
    directory = await world.store.directory(account)
    up = world.carriers.up()
    return [
        Connection(
            name=name,
            type=name,  # the simulator is the only kind there is
            up=name in up,
            senders=tuple(s.address for s in directory.senders.values() if s.connection == name),
        )
        for name in sorted(world.carriers.names())
    ]
