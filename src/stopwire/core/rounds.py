"""A round of telling a customer one event: what it takes, and what it came to."""

from dataclasses import dataclass

from stopwire.core.bound import SCHEME
from stopwire.core.jobs import Delivery, DeliveryAttempt
from stopwire.core.orders import Order
from stopwire.core.twiml import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A delivery whose turn it is, with what it takes to make it. `private`: none | loopback | all, as `ports/http.py` has it."""

    delivery: Delivery
    auth_token: str  # signs the requests
    private: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one round came to. `orders` are the replies that the customer's TwiML asks for."""

    delivered: bool
    gone: bool = False
    orders: tuple[Order, ...] = ()
    problems: tuple[Problem, ...] = ()
    attempts: tuple[DeliveryAttempt, ...] = ()  # requests that are not in the log yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A round that is over, with as much of its delivery as it takes to settle it. `rounds`: how many came before."""

    id: str
    account: str
    message: str | None
    event: str
    lane: str
    bound: bool  # to a customer that binds, and not to a URL
    rounds: int
    told: Told


def round_of(delivery: Delivery, told: Told) -> Round:
    return Round(
        id=delivery.id,
        account=delivery.account,
        message=delivery.message,
        event=delivery.event,
        lane=delivery.lane,
        bound=delivery.url.startswith(SCHEME),
        rounds=delivery.rounds,
        told=told,
    )
