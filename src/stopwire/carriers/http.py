"""The engine that every HTTP carrier shares: timeouts, room, the sorting of failures, redaction, the link's state.

A carrier of this kind translates: part → request, answer → outcome, push → what it tells. It never sees a socket,
never repeats, never stores.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from stopwire.core.address import ADDRESS_CHARS_MAX, parse_recipient, parse_sender
from stopwire.core.connections import LinkState, LinkStatus, Sealed
from stopwire.core.message import Status
from stopwire.core.outcomes import ERROR_CODES, Cause, DeliveryReport, InboundMedia, Outcome, OutcomeKind, Part, Received, hint_of
from stopwire.core.policy import Problem
from stopwire.ports.carrier import CarrierType, Field, Inbox, Tools
from stopwire.ports.http import NOTHING_LEFT, HttpAnswer, HttpFailure, HttpRequest
from stopwire.ports.push import Heard, HttpPush, PushReply

PUSH_AGE_MAX = timedelta(minutes=5)  # how far a provider's stamp may be from our clock, either way
MEDIA_BYTES_MAX = 5 * 1024 * 1024  # as large as the largest MMS that networks carry
MEDIA_HOPS_MAX = 3  # a provider's media URL leads to its store of files
MEDIA_MAX = 10
MEDIA_SECONDS = 3.0  # for each hop: the provider waits for our answer meanwhile, and a STOP for its effect
REST_SECONDS_FIRST, REST_SECONDS_MAX = 1.0, 60.0  # while nothing can be sent, one part tries in such steps
RELEASED_SECONDS = 0.1  # before a part that did not leave is handed over again: no spinning
DETAIL_CHARS_MAX = 300
SHORT_CODE_DIGITS_MAX = 6  # what is longer is a number with its country code, when it comes without a plus

SETTINGS_CURE = "Correct the settings of this connection"
UNUSABLE = {  # it is not about this text: none can be sent, and none fails for it
    401: ("refuses the credentials", SETTINGS_CURE),
    402: ("says that the account has no credit", "Top the account up there"),
    407: ("refuses the credentials", SETTINGS_CURE),
}

_DIGITS = re.compile(r"\d{7,}")
_ATTEMPT = re.compile(r"AT[0-9a-f]{32}")
_COMMON = (
    Field(name="concurrency", says="How many messages are handed over at once.", default=16),
    Field(name="timeout_seconds", says="How long one request may take.", default=15),
)


def http_type(name: str, says: str, *fields: Field, called: str = "inbound") -> CarrierType:
    """A kind of HTTP carrier: its own fields, then those of all. `called`: how the URL ends that its provider calls with texts."""
    return CarrierType(name=name, says=says, fields=(*fields, *_COMMON), called=called)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLink:
    """Where a provider keeps what a person sent, and what it asks for before it gives it away."""

    url: str
    content_type: str = ""
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithMedia:
    """A text whose media are still with the provider."""

    received: Received
    links: tuple[MediaLink, ...]


Event = Received | WithMedia | DeliveryReport


class HttpCarrier:
    """One connection to a provider over HTTP."""

    # ── what you write ───────────────────────────────────────────────────────────────────────────────

    TYPE: ClassVar[CarrierType]

    def request(self, part: Part) -> HttpRequest:
        """The one request that hands `part` over. Timeouts and the write deadline are added by the engine."""
        raise NotImplementedError

    def outcome(self, part: Part, answer: HttpAnswer) -> Outcome:
        """What the provider's answer means; `accepted`, `rejected` … below name it."""
        raise NotImplementedError

    def verify(self, push: HttpPush, *, at: datetime) -> str | None:
        """Why the push is not genuine, by the provider's own scheme over the raw bytes. Fails closed without a secret."""
        raise NotImplementedError

    def events(self, push: HttpPush) -> Sequence[Event]:
        """What a genuine push tells. Kinds of events that do not concern messages are left out."""
        raise NotImplementedError

    def reply(self, push: HttpPush) -> PushReply:
        """What the provider wants to hear once we have it."""
        return PushReply()

    def probe(self) -> HttpRequest | None:
        """A harmless request that succeeds only with the right credentials, where the provider has one."""
        return None

    @classmethod
    def problems(cls, settings: Mapping[str, Any]) -> list[Problem]:
        """What else is wrong with the settings of a connection to be; the URL and the figures are looked at here."""
        return common_problems(settings)

    # ── what you leave alone ─────────────────────────────────────────────────────────────────────────

    def __init__(self, sealed: Sealed, secrets: Mapping[str, str], tools: Tools) -> None:
        self.connection = sealed.connection
        self.secrets = secrets
        self.tools = tools
        defaults = {field.name: field.default for field in self.TYPE.fields if not field.secret}
        given = {name: value for name, value in words_of(sealed.connection.settings).items() if value not in (None, "")}
        self.settings: Mapping[str, Any] = {**defaults, **given}
        self._concurrency = int(float(self.settings["concurrency"]))
        self._handing = 0
        self._halted: set[str] = set()
        self._under_way: set[str] = set()
        self._problem: str | None = None  # why nothing can be sent, where that is so
        self._rest_until = 0.0  # monotonic seconds
        self._rests = 0
        self._proven = False  # the provider has answered us as its customer
        self._since: datetime = tools.clock.now()
        self._inbox: Inbox | None = None
        self._probing: asyncio.Task[None] | None = None
        self._sent = self._failed = 0

    async def start(self, inbox: Inbox) -> None:
        self._inbox = inbox
        if (probe := self.probe()) is not None:
            self._probing = asyncio.get_running_loop().create_task(self._probe(probe))

    async def stop(self) -> None:
        self._inbox = None
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)

    def room(self) -> int:
        if self._problem is None:
            return max(0, self._concurrency - self._handing)
        # One part at a time finds out whether the provider is back.
        return int(not self._handing and self.tools.clock.monotonic() >= self._rest_until)

    def state(self) -> LinkState:
        figures = {"sent": self._sent, "failed": self._failed, "under_way": self._handing}
        if self._problem is not None:
            return LinkState(status=LinkStatus.DOWN, says=self._problem, since=self._since, figures=figures)
        if self._probing is not None and not self._probing.done():
            return LinkState(status=LinkStatus.CONNECTING, says="The credentials are being tried.", since=self._since)
        says = "The provider answers." if self._proven else "Nothing has been sent through it yet."
        return LinkState(status=LinkStatus.UP, says=says, since=self._since, figures=figures)

    def halt(self, attempts: Sequence[str]) -> None:
        """A message leaves whole. Those that wait for their turn behind another stay here."""
        self._halted.update(self._under_way.intersection(attempts))

    async def recall(self, parts: Sequence[str]) -> list[Outcome]:
        """No provider can be asked for a message by our name for it."""
        return []

    async def send(self, parts: Sequence[Part], answered: Callable[[Outcome], None]) -> None:
        """Hand over beside each other, those to one recipient behind each other."""
        self._handing += len(parts)
        self._under_way.update(part.attempt for part in parts)
        by_recipient: dict[str, list[Part]] = {}
        for part in parts:
            by_recipient.setdefault(part.recipient, []).append(part)
        await asyncio.gather(*(self._send_in_order(line, answered) for line in by_recipient.values()))

    async def _send_in_order(self, line: Sequence[Part], answered: Callable[[Outcome], None]) -> None:
        for part in line:
            try:
                outcome = await self._send_one(part)
            finally:
                self._handing -= 1
                self._under_way.discard(part.attempt)
                self._halted.discard(part.attempt)
            answered(outcome)

    async def _send_one(self, part: Part) -> Outcome:
        if part.attempt in self._halted:
            return released(part, "a STOP came before it was sent")
        if self.tools.clock.monotonic() > part.write_by:
            return released(part, "write deadline passed")
        try:
            request = self.request(part)
        except ValueError as unfit:
            return rejected(part, Cause.OTHER, str(unfit))
        timeout = float(self.settings["timeout_seconds"])
        request = replace(request, read_timeout=timeout, total_timeout=timeout, write_by=part.write_by)
        try:
            answer = await self.tools.http.call(request, private=self.tools.private)
        except HttpFailure as failure:
            return self._no_answer(part, failure)
        outcome = self._redacted(self._sorted(part, answer))
        self._sent += outcome.kind is OutcomeKind.ACCEPTED
        self._failed += outcome.kind is OutcomeKind.REJECTED
        return outcome

    def _sorted(self, part: Part, answer: HttpAnswer) -> Outcome:
        """What an HTTP status says by itself; everything else is the carrier's to read."""
        host = urlsplit(self.request(part).url).hostname
        if answer.status in (401, 402, 407) or 300 <= answer.status < 400:
            told, cure = UNUSABLE.get(answer.status, (f"answers {answer.status}: the URL is wrong", SETTINGS_CURE))
            self._down(f"{host} {told}. {cure}; what waits is sent then.")
            return deferred(part, f"{host} {told}")
        if answer.status in (429, 503):
            return deferred(part, f"{host} answers {answer.status}", retry_after_seconds=retry_after(answer, self.tools.clock.now()))
        if answer.status >= 500:
            return unknown(part, f"{host} answers {answer.status}")
        try:
            outcome = self.outcome(part, answer)
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
            # It said yes in words we cannot read: it may have the part. A no is a no in any words.
            odd = f"{host} answers {answer.status} with what is not documented"
            return unknown(part, odd) if answer.status < 300 else rejected(part, Cause.OTHER, odd)
        self._up()
        return outcome

    def _no_answer(self, part: Part, failure: HttpFailure) -> Outcome:
        self._failed += 1
        if failure.kind not in NOTHING_LEFT:
            return unknown(part, failure.text)
        if failure.kind != "late":  # the deadline is ours, and no word about the provider
            self._down(failure.text)
        return replace(released(part, failure.text), retry_after_seconds=RELEASED_SECONDS)

    def _redacted(self, outcome: Outcome) -> Outcome:
        """The provider's words without our secrets and without whole numbers, which stay out of logs."""
        if not outcome.detail:
            return outcome
        detail = outcome.detail
        for secret in self.secrets.values():
            detail = detail.replace(secret, "•••") if len(secret) >= 6 else detail
        detail = _DIGITS.sub(lambda digits: f"{digits[0][:-4]}XXXX", detail)
        return replace(outcome, detail=detail[:DETAIL_CHARS_MAX])

    def _down(self, problem: str) -> None:
        if self._problem != problem:
            self.tools.tell("down", problem)
        if self._problem is None:
            self._since, self._rests = self.tools.clock.now(), 0
        elif self.tools.clock.monotonic() < self._rest_until:
            return  # another part of the same handful: it says nothing new
        self._problem = problem
        step = min(REST_SECONDS_MAX, REST_SECONDS_FIRST * 2**self._rests)
        self._rests += 1
        seconds = step * (0.5 + self.tools.ids.jitter() / 2)
        self._rest_until = self.tools.clock.monotonic() + seconds
        if self._inbox is not None:
            asyncio.get_running_loop().call_later(seconds, self._inbox.ready)

    def _up(self) -> None:
        if self._problem is not None:
            self.tools.tell("up", "The provider answers again.")
        if self._problem is not None or not self._proven:
            self._since = self.tools.clock.now()
        self._problem, self._rests, self._proven = None, 0, True

    async def _probe(self, probe: HttpRequest) -> None:
        host = urlsplit(probe.url).hostname
        try:
            answer = await self.tools.http.call(probe, private=self.tools.private)
        except HttpFailure as failure:
            self._down(failure.text)
            return
        if answer.status < 300:
            self._up()
        elif answer.status in (401, 403, 404):
            self._down(f"{host} answers {answer.status} to these credentials. Correct the settings of this connection.")

    def refusal(self, push: HttpPush, *, at: datetime) -> str | None:
        try:
            problem = self.verify(push, at=at)
        except ValueError:  # not even the text that was signed can be made of it
            problem = "The push cannot be read."
        if problem:
            self.tools.tell("refused", problem)
        return problem

    async def hear(self, push: HttpPush) -> Heard:
        try:
            events = self.events(push)
        except (LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as odd:
            raise ValueError(f"a push of an undocumented shape: {type(odd).__name__} {odd}") from odd
        received = [await self._whole(event) for event in events if not isinstance(event, DeliveryReport)]
        reports = tuple(event for event in events if isinstance(event, DeliveryReport))
        return Heard(received=tuple(received), reports=reports, reply=self.reply(push))

    async def _whole(self, event: Received | WithMedia) -> Received:
        if isinstance(event, Received):
            return event
        media = await asyncio.gather(*(self._fetched(link) for link in event.links[:MEDIA_MAX]))
        return replace(event.received, media=tuple(one for one in media if one is not None))

    async def _fetched(self, link: MediaLink) -> InboundMedia | None:
        """One medium, or None: a text is taken without its pictures, or before them, for it may be a STOP."""
        url = link.url
        # Our credentials are for the provider, wherever its media are.
        headers = dict(link.headers or {}) if _host(url) == _host(self.settings.get("base_url")) else {}
        for _ in range(MEDIA_HOPS_MAX):
            if _host(url) is None:
                self.tools.tell("media", "A picture could not be fetched: its address is none.")
                return None
            request = HttpRequest(method="GET", url=url, headers=headers, bytes_max=MEDIA_BYTES_MAX, total_timeout=MEDIA_SECONDS)
            try:
                answer = await self.tools.http.call(request, private=self.tools.private)
            except HttpFailure as failure:
                self.tools.tell("media", f"A picture could not be fetched: {failure.text}")
                return None
            if answer.status not in (301, 302, 303, 307, 308):
                break
            url, headers = answer.headers.get("location", ""), {}  # the credentials are for the first host only
        if answer.status != 200 or answer.truncated:
            why = "it is too large" if answer.truncated else f"the provider answers {answer.status}"
            self.tools.tell("media", f"A picture could not be fetched: {why}.")
            return None
        kind = link.content_type or answer.headers.get("content-type", "application/octet-stream")
        return InboundMedia(content_type=str(kind).partition(";")[0].strip(), data=answer.body)

    # ── words for translations ───────────────────────────────────────────────────────────────────────

    def url_of(self, path: str) -> str:
        """`path` under the provider's base URL."""
        return str(self.settings["base_url"]).rstrip("/") + path

    def push_url(self, name: str, part: Part | None = None) -> str:
        """Where the provider is to call us; about `part`, where it is to say so without a field for it: see `attempt_in`."""
        return f"{self.tools.public_url}/carriers/{self.connection.sid}/{name}" + (f"/{part.attempt}" if part else "")

    def received(
        self, *, sender: object, recipient: object, body: object, reference: object, sent_at: datetime | None = None, answered: bool = False
    ) -> Received:
        """A text to `sender`, ours, from `recipient`. Numbers may come with or without their plus. ValueError."""
        ours, theirs = number(_word(sender, "our number")), number(_word(recipient, "the person's number"))
        if not isinstance(body, str):
            raise ValueError(f"a text that is {type(body).__name__}")
        return Received(
            connection=self.connection.sid,
            sender=parse_sender(ours) or ours,
            recipient=parse_recipient(theirs) or theirs,
            body=body,
            reference=None if reference is None else _word(reference, "its id"),
            sent_at=sent_at,
            answered=answered,
        )

    def report(
        self,
        reference: object,
        status: Status,
        *,
        cause: Cause | None = None,
        code: int | None = None,
        at: datetime | None = None,
        sender: object = None,
        recipient: object = None,
        attempt: object = None,
    ) -> DeliveryReport:
        """A report; `code` is Twilio's, by default that of `cause`. ValueError.

        `sender` (ours) and `recipient` as far as the provider tells them: a text whose answer never came is known by them,
        and by our own name of it, `attempt`, where the provider hands that back.
        """
        if code is None and cause is not None:
            code = ERROR_CODES[cause]
        named = _word(reference, "the id of a report")
        ours, theirs = _address(sender), _address(recipient)
        return DeliveryReport(
            connection=self.connection.sid,
            reference=named,
            status=status,
            error_code=code,
            at=at,
            sender=(parse_sender(ours) or ours) if ours else None,
            recipient=(parse_recipient(theirs) or theirs) if theirs else None,
            hint=hint_of(attempt) if isinstance(attempt, str) and _ATTEMPT.fullmatch(attempt) else None,
        )


# ── outcomes ─────────────────────────────────────────────────────────────────────────────────────────────


def accepted(part: Part, reference: object) -> Outcome:
    """The provider has it, and calls it so. ValueError where that is no name."""
    return Outcome(attempt=part.attempt, kind=OutcomeKind.ACCEPTED, reference=_word(reference, "the id of a message"))


def rejected(part: Part, cause: Cause, detail: str) -> Outcome:
    return Outcome(attempt=part.attempt, kind=OutcomeKind.REJECTED, cause=cause, detail=detail)


def deferred(part: Part, detail: str, *, retry_after_seconds: float | None = None) -> Outcome:
    return Outcome(
        attempt=part.attempt,
        kind=OutcomeKind.DEFERRED,
        cause=Cause.THROTTLED,
        detail=detail,
        retry_after_seconds=retry_after_seconds,
    )


def unknown(part: Part, detail: str) -> Outcome:
    return Outcome(attempt=part.attempt, kind=OutcomeKind.UNKNOWN, detail=detail)


def released(part: Part, detail: str) -> Outcome:
    return Outcome(attempt=part.attempt, kind=OutcomeKind.RELEASED, detail=detail)


def _host(url: object) -> str | None:
    try:
        return urlsplit(url).hostname if isinstance(url, str) else None
    except ValueError:
        return None


def _word(value: object, what: str) -> str:
    """A name or number as text. ValueError for anything else, so that nothing is known by `None` or `[]`."""
    if (isinstance(value, str) and value) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise ValueError(f"{what} is {type(value).__name__}, or empty")


# ── requests and answers ─────────────────────────────────────────────────────────────────────────────────


def form_request(url: str, fields: Iterable[tuple[str, str]], headers: Mapping[str, str]) -> HttpRequest:
    body = urlencode(list(fields)).encode()
    return HttpRequest(
        method="POST", url=url, headers={"Content-Type": "application/x-www-form-urlencoded", **headers}, body=body
    )


def json_request(url: str, fields: Mapping[str, Any], headers: Mapping[str, str]) -> HttpRequest:
    """A field whose value is None is left out."""
    told = {name: value for name, value in fields.items() if value is not None}
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    return HttpRequest(method="POST", url=url, headers={"Content-Type": "application/json", **headers}, body=body)


def basic(user: str, password: str) -> dict[str, str]:
    """RFC 7617."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def json_of(body: bytes) -> Any:
    """The JSON value of a body. ValueError."""
    return json.loads(body)


def retry_after(answer: HttpAnswer, now: datetime) -> float | None:
    """Seconds that the server asks us to wait, RFC 9110 §10.2.3; None where it does not say or is not understood."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(min(int(value), 86_400))
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):
        return None


def number(text: str) -> str:
    """A number as we write it: with a plus, where it is more than a short code. Other addresses stay as they are."""
    text = text.strip()
    return f"+{text}" if text.isdigit() and len(text) > SHORT_CODE_DIGITS_MAX else text


def _address(told: object) -> str:
    """An address that a report gives beside its id; empty where it gives none that could be one."""
    return number(told)[:ADDRESS_CHARS_MAX] if isinstance(told, str) else ""


def digits(address: str) -> str:
    """A number as many providers want it: without its plus. Other addresses stay as they are."""
    return address.removeprefix("+")


def instant(text: object) -> datetime | None:
    """An ISO 8601 instant with a zone; None for anything else: a stamp without a zone cannot be trusted."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


# ── pushes ───────────────────────────────────────────────────────────────────────────────────────────────


def form_of(push: HttpPush) -> dict[str, str]:
    """The fields of a form in the body, or of the query where there is none; the last of a name counts."""
    return dict(parse_qsl(push.body.decode() if push.body else push.query, keep_blank_values=True))


def attempt_in(push: HttpPush) -> str | None:
    """Our name of the part that a report is about, where the URL was made for it by `push_url`."""
    last = push.target.partition("?")[0].rpartition("/")[2]
    return last if _ATTEMPT.fullmatch(last) else None


def same(expected: str, given: str) -> bool:
    """Whether two signatures are equal, in a time that tells nothing."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))


def hmac_base64(key: str, message: bytes) -> str:
    return base64.b64encode(hmac.new(key.encode(), message, hashlib.sha256).digest()).decode()


def hmac_hex(key: str, message: bytes) -> str:
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


def stale(stamp: str, at: datetime) -> str | None:
    """Why a stamp of Unix seconds makes a push too old or too new to be believed."""
    try:
        age = abs(at.timestamp() - float(stamp))
    except ValueError:
        return "The push has no readable timestamp."
    if not age <= PUSH_AGE_MAX.total_seconds():  # a stamp of NaN is not believed either
        return f"The push was signed {age:.0f} seconds from now, more than five minutes: it may be a repeat. Check both clocks."
    return None


def basic_problem(push: HttpPush, user: str, password: str, *, what: str) -> str | None:
    """Why a push does not carry these Basic credentials. `what` names the settings they come from."""
    if not user or not password:
        return f"There are no {what}: without them nobody can tell whose push this is. Set them here and at the provider."
    scheme, _, given = push.headers.get("authorization", "").partition(" ")
    try:
        told = base64.b64decode(given.strip(), validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, ValueError):
        told = ""
    if not same(f"{user}:{password}", told):
        return "The push does not carry the credentials that are set here: make them the same at the provider."
    return None


def words_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with numbers as text: a code, an id or a place may have come as 77 from a file or the command line."""
    return {name: str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value for name, value in settings.items()}


def shape_problems(settings: Mapping[str, Any]) -> list[Problem]:
    """Settings that are lists or objects, where each is one word or one text."""
    return [
        Problem(path=f"settings.{name}", message=f"{name} must be text: put it in quotes, several words with commas between.")
        for name, value in settings.items()
        if not isinstance(value, str | int | float | None)
    ]


def common_problems(settings: Mapping[str, Any]) -> list[Problem]:
    """What can be wrong with the settings that every HTTP carrier has."""
    problems = shape_problems(settings)
    for name, least, most in (("concurrency", 1, 500), ("timeout_seconds", 1, 60)):
        value = settings.get(name)
        try:
            fits = value is None or least <= float(value) <= most
        except (TypeError, ValueError):
            fits = False
        if not fits:
            problems.append(Problem(path=f"settings.{name}", message=f"{name} must be a number from {least} to {most}."))
    for name in ("base_url", "url"):
        url = settings.get(name)
        if url and not re.fullmatch(r"https?://[^\s/?#@]+(/\S*)?", str(url)):
            problems.append(Problem(path=f"settings.{name}", message=f"{name} must be an http or https URL without credentials in it."))
    return problems
