"""Which connection carries a message: the sender's own, and what comes next while that is down."""

from collections.abc import Collection, Sequence

from stopwire.core.senders import Sender

FAILOVER = "failover"  # key of `Sender.settings`: SIDs of connections, in order


def order_of(sender: Sender) -> tuple[str, ...]:
    """The connections of a sender, the first choice first, each once."""
    more = sender.settings.get(FAILOVER, ())
    return tuple(dict.fromkeys((sender.connection, *more)))


def first_route(sender: Sender, *, usable: Collection[str]) -> str:
    """The connection for a new message: the first that is usable, and the sender's own where none is.

    What waits already for the same person keeps its place, whichever connection it waits for: the queue sees to that.
    """
    if sender.connection in usable or FAILOVER not in sender.settings:
        return sender.connection
    return next((sid for sid in order_of(sender) if sid in usable), sender.connection)


def next_route(order: Sequence[str], failed: str, *, up: Collection[str]) -> str | None:
    """The connection to try after `failed`, or None where no other is up. Only for what certainly never left."""
    return next((sid for sid in order if sid != failed and sid in up), None)
