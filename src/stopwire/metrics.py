"""Counters, histograms and gauges for Prometheus, on a registry of our own.

Labels come from short closed lists. A number, an account, a URL or a text of a stranger is never a label: it would
tell of people, and grow without end.
"""

import re

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

OTHER = "other"  # what a label says when its value is not one of the list
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CONNECTIONS_MAX = 200  # names of connections are the operator's; beyond this they are counted together

REGISTRY = CollectorRegistry()

_accepted = Counter("stopwire_messages_accepted", "Messages accepted for sending.", registry=REGISTRY)
_refused = Counter("stopwire_messages_refused", "Messages refused, by error code.", ["code"], registry=REGISTRY)
_dispatched = Counter(
    "stopwire_parts_dispatched",
    "Parts handed to a carrier, by connection and outcome.",
    ["connection", "outcome"],
    registry=REGISTRY,
)
_received = Counter(
    "stopwire_messages_received", "Messages received, by keyword (none, stop, start, help).", ["keyword"], registry=REGISTRY
)
_webhooks = Counter(
    "stopwire_webhook_deliveries", "Attempts to deliver a webhook, by outcome.", ["outcome"], registry=REGISTRY
)
_set_apart = Counter(
    "stopwire_pushes_set_apart",
    "Pushes of providers that were not taken, by why: refused, unreadable, no_sender. They may hold STOPs.",
    ["why"],
    registry=REGISTRY,
)
_raced = Counter(
    "stopwire_stop_raced",
    "Attempts still under way when a STOP was acknowledged; 0 where carriers answer in time.",
    registry=REGISTRY,
)
_commit_seconds = Histogram(
    "stopwire_store_commit_seconds",
    "Time of one commit of the store.",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
    registry=REGISTRY,
)
_batch_size = Histogram(
    "stopwire_store_batch_units",
    "Units that shared one commit.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
    registry=REGISTRY,
)
_queue_depth = Gauge("stopwire_queue_depth", "Things waiting, by queue.", ["queue"], registry=REGISTRY)
_requests = Counter(
    "stopwire_http_requests",
    "HTTP requests answered, by door, method and status.",
    ["door", "method", "status"],
    registry=REGISTRY,
)
_request_seconds = Histogram(
    "stopwire_http_request_seconds",
    "Time from a request's arrival to its answer, by door.",
    ["door"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)

_binds = Gauge("stopwire_smpp_binds", "Applications of customers that are bound, by how.", ["how"], registry=REGISTRY)
_smpp_requests = Counter(
    "stopwire_smpp_requests",
    "Requests of bound applications answered, by command and status.",
    ["command", "status"],
    registry=REGISTRY,
)

_alerts = Gauge("stopwire_alerts_firing", "Alerts that fire and that nobody has taken, by rule.", ["rule"], registry=REGISTRY)

_connections: set[str] = set()
_relayed: list[tuple[str, str, int, float]] | None = None  # answers of a door process, on their way to the core


def accepted(count: int = 1) -> None:
    """Messages were accepted."""
    _accepted.inc(count)


def refused(code: int, count: int = 1) -> None:
    """Messages were refused with an error code of ours."""
    _refused.labels(str(int(code))).inc(count)


def dispatched(connection: str, outcome: str, count: int = 1) -> None:
    """A carrier answered, or did not: `outcome` is the outcome's class, such as `accepted` or `unknown`."""
    _dispatched.labels(_connection(connection), _word(outcome)).inc(count)


def received(keyword: str | None) -> None:
    """A message came in; `keyword` is the type it was recognised as."""
    _received.labels(_word(keyword or "none")).inc()


def webhook(outcome: str) -> None:
    """A webhook was tried: `delivered`, `refused_address`, `connect_timeout`, `http_5xx` …"""
    _webhooks.labels(_word(outcome)).inc()


def push_set_apart(why: str) -> None:
    """A provider's push was not taken: `refused`, `unreadable`, or for `no_sender` of ours."""
    _set_apart.labels(_word(why)).inc()


def stop_raced(count: int = 1) -> None:
    """Attempts were under way when a STOP was acknowledged."""
    _raced.inc(count)


def committed(seconds: float, units: int) -> None:
    """The store committed a batch."""
    _commit_seconds.observe(seconds)
    _batch_size.observe(units)


def waiting(queue: str, depth: int) -> None:
    """How many things wait in a queue now."""
    _queue_depth.labels(_word(queue)).set(depth)


def alerts_firing(rule: str, count: int) -> None:
    """How many alerts of a rule fire now, in all accounts together."""
    _alerts.labels(_word(rule)).set(count)


def answered(door: str, method: str, status: int, seconds: float) -> None:
    """A request was answered. Methods that are not HTTP's own are counted together."""
    if _relayed is not None:
        _relayed.append((door, method if method in METHODS else OTHER, status, seconds))
        return
    _requests.labels(_word(door), method if method in METHODS else OTHER, str(int(status))).inc()
    _request_seconds.labels(_word(door)).observe(seconds)


def bound(how: str, change: int) -> None:
    """A customer's application has bound (1), or left (-1)."""
    _binds.labels(_word(how)).inc(change)


def smpp_answered(command: str, status: str) -> None:
    """A request of a customer's application was answered, with this command_status."""
    _smpp_requests.labels(_word(command), _word(status)).inc()


def relay() -> None:
    """From now on keep answers for the process whose metrics are shown, instead of counting them here."""
    global _relayed
    _relayed = []


def taken() -> list[tuple[str, str, int, float]]:
    """What was kept for that process since the last time: door, method, status, seconds."""
    global _relayed
    found, _relayed = _relayed or [], []
    return found


def render() -> tuple[bytes, str]:
    """All of it in Prometheus' text format, and its content type."""
    return generate_latest(REGISTRY), CONTENT_TYPE_PLAIN_0_0_4


def _word(value: str) -> str:
    """A label is a short word of ours. What looks like a number or an identifier is a mistake, and is not shown."""
    return value.lower() if re.fullmatch(r"[A-Za-z_]+([0-9][a-z]{2})?", value) and len(value) <= 40 else OTHER


def _connection(name: str) -> str:
    # Shorter than a SID, and without a number in it.
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,30}", name) or re.search(r"\d{7}", name):
        return OTHER
    if name not in _connections:
        if len(_connections) >= CONNECTIONS_MAX:
            return OTHER
        _connections.add(name)
    return name
