"""What tests of HTTP carriers share: a carrier without a network, and short words for parts, answers and pushes.

A carrier's test is rows: part → request, answer → outcome, push → what it tells, push → whether it is genuine.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from stopwire.carriers.http import Event, HttpCarrier
from stopwire.core.connections import Connection, Sealed
from stopwire.core.message import Status
from stopwire.core.outcomes import Cause, DeliveryReport, Outcome, OutcomeKind, Part, Received
from stopwire.ports.carrier import Tools
from stopwire.ports.http import HttpAnswer, HttpFailure, HttpRequest, PrivateTargets
from stopwire.ports.push import HttpPush

C = TypeVar("C", bound=HttpCarrier)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
SID = "CN" + "c" * 32
PUBLIC = "https://sms.example.com"
OURS, ANN = "+14155550100", "+14155550199"


class Network:
    """Answers requests from a list, and remembers them. A `HttpFailure` of the list is raised."""

    def __init__(self, *answers: HttpAnswer | HttpFailure) -> None:
        self.answers = list(answers)
        self.requests: list[HttpRequest] = []
        self.on_call: Callable[[], None] = lambda: None

    async def call(self, request: HttpRequest, *, private: PrivateTargets) -> HttpAnswer:
        self.requests.append(request)
        self.on_call()
        answer = self.answers.pop(0)
        if isinstance(answer, HttpFailure):
            raise answer
        return answer

    def refusal(self, url: str, *, private: PrivateTargets) -> str | None:
        return None

    async def close(self) -> None: ...


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return self.seconds


class Ids:
    def sid(self, prefix: str) -> str:
        return prefix + "0" * 32

    def token(self) -> str:
        return "0" * 32

    def uuid(self) -> str:
        return "00000000-0000-4000-8000-000000000000"

    def jitter(self) -> float:
        return 0.5

    def turn(self) -> int:
        return 0


def connected(
    class_: type[C],
    settings: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    *,
    network: Network | None = None,
    clock: Clock | None = None,
    told: list[tuple[str, str]] | None = None,
) -> C:
    """A carrier of this class, not started."""
    connection = Connection(
        sid=SID,
        account="AC" + "a" * 32,
        name="upstream",
        type=class_.TYPE.name,
        settings=settings or {},
        created_at=NOW,
        updated_at=NOW,
    )
    log: list[tuple[str, str]] = [] if told is None else told
    tools = Tools(
        http=network or Network(),
        clock=clock or Clock(),
        ids=Ids(),
        private=PrivateTargets.NONE,
        public_url=PUBLIC,
        tell=lambda event, says: log.append((event, says)),
    )
    return class_(Sealed(connection=connection), secrets or {}, tools)


def part(**changes: Any) -> Part:
    facts: dict[str, Any] = {"attempt": "AT1", "message": "SM1", "sender": OURS, "recipient": ANN, "body": "Hi"}
    return Part(**facts | changes)


def answer(status: int, body: Any = b"", **headers: str) -> HttpAnswer:
    """What a provider answers; a body that is not bytes becomes JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpAnswer(status=status, headers=named, body=raw, ms=1)


def form_push(fields: Mapping[str, str], path: str = "events", **headers: str) -> HttpPush:
    return push(urlencode(fields).encode(), path, **headers)


def json_push(body: Any, path: str = "events", **headers: str) -> HttpPush:
    return push(json.dumps(body).encode(), path, **headers)


def push(body: bytes, path: str = "events", method: str = "POST", **headers: str) -> HttpPush:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpPush(method=method, target=f"/carriers/{SID}/{path}", headers=named, body=body)


def form_of(request: HttpRequest) -> list[tuple[str, str]]:
    return parse_qsl((request.body or b"").decode(), keep_blank_values=True)


def json_of(request: HttpRequest) -> Any:
    return json.loads(request.body or b"null")


def accepted(reference: str, **more: Any) -> Outcome:
    return Outcome(attempt="AT1", kind=OutcomeKind.ACCEPTED, reference=reference, **more)


def rejected(cause: Cause, detail: str) -> Outcome:
    return Outcome(attempt="AT1", kind=OutcomeKind.REJECTED, cause=cause, detail=detail)


def text(body: str, reference: str | None, **more: Any) -> Received:
    facts: dict[str, Any] = {"sender": OURS, "recipient": ANN} | more
    return Received(connection=SID, body=body, reference=reference, **facts)


def report(
    reference: str,
    status: Status,
    code: int | None = None,
    at: datetime | None = None,
    *,
    sender: str | None = None,
    recipient: str | None = None,
) -> DeliveryReport:
    return DeliveryReport(
        connection=SID, reference=reference, status=status, error_code=code, at=at, sender=sender, recipient=recipient
    )


def events(carrier: HttpCarrier, heard: HttpPush) -> list[Event]:
    return list(carrier.events(heard))
