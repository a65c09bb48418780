"""A round of telling a customer one event: what it takes, and what it came to."""

from dataclasses import dataclass

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
    """A round that is over, to be settled."""

    delivery: Delivery
    told: Told
