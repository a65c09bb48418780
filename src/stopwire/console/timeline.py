"""What happened to a message, step by step: the timeline of its page, and the trace of a handset's last text.

A rendering of a story: every time and fact in it was kept when it happened, and what was not kept is not told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request

from stopwire.console.render import N_, retell, say
from stopwire.core.consent import SealedEvent
from stopwire.core.explain import cause
from stopwire.core.jobs import Attempt, Delivery, DeliveryAttempt
from stopwire.core.message import FINAL, Direction, Message, Purpose, Status
from stopwire.core.segments import count
from stopwire.core.senders import Directory
from stopwire.flows.story import OPTED_OUT, Story


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line. `text` is a stranger's or an application's; `facts` unfold under it; `replays` is a webhook's id."""

    at: datetime
    name: str
    sentence: str
    state: str = ""  # whose colour and glyph it has
    text: str = ""
    href: str = ""
    facts: tuple[tuple[str, Any], ...] = ()
    replays: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A piece of the bar above a timeline: places in thousandths of it."""

    name: str
    state: str
    start: int
    width: int
    lasted: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    steps: tuple[Step, ...] = ()
    began_at: datetime | None = None
    spans: tuple[Span, ...] = field(default=())

    def offset(self, at: datetime) -> str:
        """`+2.9 ms`, `+1.2 s`: since it began."""
        assert self.began_at is not None
        ms = (at - self.began_at) / timedelta(milliseconds=1)
        if ms < 1000:
            return f"+{ms:.0f} ms"
        return f"+{ms / 1000:.1f} s" if ms < 120_000 else f"+{ms / 60_000:.0f} min"


def timeline(request: Request, told: Story, directory: Directory) -> Timeline:
    """The steps of a story, oldest first."""
    teller = _Teller(request, told, directory)
    if told.refusal is not None:
        steps = list(teller.refusal())
    elif told.message is not None:
        inbound = told.message.direction is Direction.INBOUND
        steps = list(teller.inbound(told.message) if inbound else teller.outbound(told.message))
    else:
        return Timeline()
    began = steps[0].at
    ordered = sorted(steps, key=lambda step: step.at)  # stable: steps of one instant stay as they were told
    spans = _spans(told.message, told.attempts) if told.message and told.message.direction is not Direction.INBOUND else ()
    return Timeline(steps=tuple(ordered), began_at=began, spans=spans)


# What facts are called; `matched_by` and its like are asked for without their underscores.
_NAMES = (
    N_("sender"), N_("media"), N_("carrier reference"), N_("handling"), N_("matched by"), N_("rule"), N_("word"), N_("language"), N_("country"),
    N_("policy version"), N_("event"), N_("scope"), N_("row hash"), N_("reason"), N_("segments"), N_("service"), N_("status callback"),
    N_("attempt"), N_("carrier"), N_("reference"), N_("state"), N_("holder"), N_("account"), N_("group"), N_("since"), N_("id"),
)  # fmt: skip


class _Teller:
    def __init__(self, request: Request, told: Story, directory: Directory) -> None:
        self.request, self.told, self.directory = request, told, directory

    def say(self, sentence: str, **values: object) -> str:
        return say(self.request, sentence, **values)

    # ── what came in ─────────────────────────────────────────────────────────────────────────────────────

    def inbound(self, message: Message) -> Iterator[Step]:
        decision, at = message.decision, message.created_at
        counted = count(message.body)
        yield Step(
            at=at,
            name=N_("Received"),
            state="received",
            sentence=self.say(
                N_("%(encoding)s, segments: %(segments)s, characters: %(chars)s"),
                segments=message.segments, encoding=counted.encoding, chars=len(message.body),
            ),
            facts=tuple(
                (name, value)
                for name, value in (
                    ("sender", message.sender),
                    ("media", ", ".join(each.content_type for each in self.told.media)),
                    ("carrier reference", next((each.event.reference for each in self.told.events if each.event.reference), None)),
                )
                if value
            ),
        )  # fmt: skip
        yield self._understood(message, at)
        yield self._decided(message, at)
        for sealed in self.told.events:
            yield self._recorded(sealed)
        if self.told.ended:
            yield Step(
                at=at,
                name=N_("Ended"),
                state="stopped",
                sentence=self.say(N_("Waiting sends to this person that ended with 21610: %(number)s"), number=len(self.told.ended)),
                facts=tuple((each.sid, each.status.value) for each in self.told.ended),
            )
        if suggestion := decision.get("suggestion"):
            yield Step(
                at=at,
                name=N_("To review"),
                state="open",
                sentence=self.say(N_("It looks as if more was meant: a person decides. Until then it blocks nothing.")),
                href=f"/console/review/{suggestion}",
            )
        yield Step(at=at, name=N_("Acknowledged"), state="ok", sentence=self.say(N_("The carrier was told that we have it.")))
        if self.told.reply is not None:
            yield from self._replied(self.told.reply)
        if decision.get("forward") is False:
            yield Step(at=at, name=N_("Your app"), state="none", sentence=self.say(N_("Not called: this text stays with us.")))
        elif not self.told.deliveries:
            yield Step(at=at, name=N_("Your app"), state="none", sentence=self.say(N_("No webhook is set for this sender.")))
        yield from self._webhooks()

    def _understood(self, message: Message, at: datetime) -> Step:
        decision = message.decision
        keyword, word = decision.get("keyword"), decision.get("word")
        facts = tuple(
            (name, str(decision[name]))
            for name in ("handling", "matched_by", "rule", "word", "language", "country", "policy_version")
            if decision.get(name) is not None
        )
        if keyword and word and decision.get("matched_by") == "phrase":
            sentence = self.say(N_("A phrase that means %(keyword)s"), keyword=keyword)
        elif keyword:
            sentence = self.say(N_("The word %(word)s, which means %(keyword)s"), word=word or keyword, keyword=keyword)
        elif decision.get("handling") == "none":
            sentence = self.say(N_("This sender takes no keywords: an ordinary message"))
        else:
            sentence = self.say(N_("No keyword: an ordinary message"))
        return Step(at=at, name=N_("Understood"), state=str(keyword or "message"), sentence=sentence, text=message.body, facts=facts)

    def _decided(self, message: Message, at: datetime) -> Step:
        decision = message.decision
        effect = str(decision.get("effect") or "none")
        told = {
            "block": N_("Row %(row)s: block this person here"),
            "repeat": N_("Row %(row)s: they are blocked already, nothing changes"),
            "lift": N_("Row %(row)s: lift the block"),
            "lift_refused": N_("Row %(row)s: START may not lift this block; a person decides"),
        }.get(effect, N_("Row %(row)s: nothing changes"))
        parts = [
            self.say(told, row=decision.get("row") or 7),
            self.say(N_("automatic reply")) if decision.get("reply") else self.say(N_("no reply of ours")),
            self.say(N_("webhook")) if self.told.deliveries else self.say(N_("no webhook")),
        ]
        state = {"block": "blocked", "repeat": "repeat", "lift": "lift", "lift_refused": "lift_refused"}.get(effect, "message")
        facts = (("OptOutType", str(decision["opt_out_type"])),) if decision.get("opt_out_type") else ()
        return Step(at=at, name=N_("Decided"), state=state, sentence=" · ".join(parts), facts=facts)

    def _recorded(self, sealed: SealedEvent) -> Step:
        event = sealed.event
        facts: list[tuple[str, Any]] = [("event", event.id), ("scope", event.holder), ("row hash", sealed.hash)]
        if event.reason:
            facts.append(("reason", event.reason.value))
        return Step(
            at=event.recorded_at,
            name=N_("Recorded"),
            state=event.act.value,
            sentence=self.say(
                N_("%(act)s for %(scope)s, event %(number)s of the ledger"),
                act=self.say(event.act.value.replace("_", " ")), scope=self._scope(event.holder), number=sealed.seq,
            ),
            href=f"/console/ledger/{event.id}",
            facts=tuple(facts),
        )  # fmt: skip

    def _scope(self, holder: str) -> str:
        if holder == self.directory.account.sid:
            return self.say(N_("the whole account"))
        if service := self.directory.services.get(holder):
            return service.friendly_name
        sender = self.directory.senders.get(holder)
        return sender.address if sender else holder

    def _replied(self, reply: Message) -> Iterator[Step]:
        attempts = self.told.reply_attempts
        if not attempts:
            late = reply.status in FINAL
            yield Step(
                at=reply.updated_at if late else reply.created_at,
                name=N_("Replied"),
                state=reply.status.value,
                sentence=self.say(N_("The automatic reply did not leave")) if late else self.say(N_("The automatic reply waits for its carrier")),
                text=reply.body,
                href=f"/console/messages/{reply.sid}",
            )
            return
        last = attempts[-1]
        yield Step(
            at=last.answered_at or last.at,
            name=N_("Replied"),
            state=reply.status.value,
            sentence=self.say(N_("handed to %(carrier)s, segments: %(segments)s"), segments=reply.segments, carrier=last.connection),
            text=reply.body,
            href=f"/console/messages/{reply.sid}",
        )

    # ── what goes out ────────────────────────────────────────────────────────────────────────────────────

    def refusal(self) -> Iterator[Step]:
        refusal = self.told.refusal
        assert refusal is not None
        yield Step(
            at=refusal.at,
            name=N_("Refused"),
            state="refused",
            sentence=self.say(
                N_("Answered with error %(code)s, and nothing was sent. %(cause)s"),
                code=refusal.code, cause=retell(self.request, cause(refusal.code)),
            ),
            href=f"/console/developers/errors/{refusal.code}",
            facts=tuple((name, str(value)) for name, value in (refusal.because or {}).items() if name != "recipient" and value is not None),
        )  # fmt: skip

    def outbound(self, message: Message) -> Iterator[Step]:
        yield self._accepted(message)
        if message.status is Status.SCHEDULED and message.send_at:
            yield Step(at=message.created_at, name=N_("Held"), state="scheduled", sentence=self.say(N_("It waits for its time.")))
        for attempt in self.told.attempts:
            yield from self._attempt(attempt)
        yield from self._ending(message)
        yield from self._webhooks()

    def _accepted(self, message: Message) -> Step:
        if message.purpose is Purpose.KEYWORD_REPLY:
            sentence = self.say(N_("An automatic reply, queued in the same commit as the change that it confirms"))
        elif message.direction is Direction.REPLY:
            sentence = self.say(N_("Asked for by your application's TwiML"))
        else:
            sentence = self.say(N_("Asked for by the API: no scope that counts was closed at this moment"))
            if message.error_code == OPTED_OUT and message.updated_at == message.created_at:
                sentence = self.say(N_("Asked for by the API"))
        answers = message.decision.get("answers")
        facts: list[tuple[str, Any]] = [("segments", message.segments), ("service", message.service), ("status callback", message.status_callback)]
        return Step(
            at=message.created_at,
            name=N_("Accepted"),
            state="accepted",
            sentence=sentence,
            href=f"/console/messages/{answers}" if answers else "",
            facts=tuple((name, value) for name, value in facts if value),
        )

    def _attempt(self, attempt: Attempt) -> Iterator[Step]:
        facts = tuple((name, value) for name, value in (("attempt", attempt.id), ("carrier", attempt.connection)) if value)
        yield Step(
            at=attempt.at,
            name=N_("Handed over"),
            state="written",
            sentence=self.say(N_("to the carrier %(name)s"), name=attempt.connection),
            facts=facts,
        )
        if attempt.raced:
            yield Step(
                at=attempt.at,
                name=N_("Raced"),
                state="raced",
                sentence=self.say(N_("A STOP was acknowledged while it was under way: it may have crossed the STOP.")),
            )
        if attempt.answered_at is None:
            return
        told = {
            "accepted": N_("The carrier took it"),
            "rejected": N_("The carrier rejected it for good"),
            "deferred": N_("The carrier was busy: tried again later"),
            "unknown": N_("The carrier never answered: it may have arrived, so it is not sent again"),
            "released": N_("It did not leave: tried again later"),
            "blocked": N_("Stopped before it reached the carrier"),
        }.get(attempt.state, N_("The carrier answered"))
        yield Step(
            at=attempt.answered_at,
            name=N_("Answered"),
            state={"accepted": "sent", "deferred": "held", "released": "held"}.get(attempt.state, attempt.state),
            sentence=self.say(told) + (f": {attempt.detail}" if attempt.detail else ""),
            facts=tuple((name, value) for name, value in (("reference", attempt.reference), ("state", attempt.state)) if value),
        )

    def _ending(self, message: Message) -> Iterator[Step]:
        state, at = message.status.value, message.updated_at
        why = f" {retell(self.request, cause(message.error_code))} [{message.error_code}]" if message.error_code else ""
        link = f"/console/developers/errors/{message.error_code}" if message.error_code else ""
        if message.error_code == OPTED_OUT:
            yield Step(
                at=at,
                name=N_("Stopped"),
                state="stopped",
                sentence=self.say(N_("They are blocked in a scope that counts for it: nothing was written to a carrier.")) + why,
                href=link,
            )
        elif message.status in (Status.DELIVERED, Status.READ, Status.UNDELIVERED):
            told = self.say(N_("The carrier reports: %(state)s"), state=self.say(state))
            yield Step(at=at, name=N_("Reported"), state=state, sentence=told + why, href=link)
        elif message.status is Status.CANCELED:
            yield Step(at=at, name=N_("Canceled"), state=state, sentence=self.say(N_("Taken back before it left.")))
        elif message.status is Status.FAILED:
            yield Step(at=at, name=N_("Failed"), state=state, sentence=self.say(N_("It ended without being delivered.")) + why, href=link)

    # ── the application ──────────────────────────────────────────────────────────────────────────────────

    def _webhooks(self) -> Iterator[Step]:
        for delivery in self.told.deliveries:
            made = self.told.requests.get(delivery.id, ())
            yield from (self._request(delivery, each) for each in made)
            if not made:
                yield Step(
                    at=delivery.created_at,
                    name=_called(delivery),
                    state=delivery.state,
                    sentence=self.say(N_("waits to be called")),
                    href=f"/console/webhooks/deliveries/{delivery.id}",
                )

    def _request(self, delivery: Delivery, made: DeliveryAttempt) -> Step:
        status = (made.response or {}).get("status")
        good = status is not None and 200 <= int(status) < 300
        told = self.say(N_("%(status)s in %(ms)s ms"), status=status, ms=made.ms) if status else (made.error or "")
        if delivery.event == "status":
            told = f"{delivery.params.get('MessageStatus', '')}: {told}"
        return Step(
            at=made.at,
            name=_called(delivery),
            state="ok" if good else "failed",
            sentence=told,
            href=f"/console/webhooks/deliveries/{delivery.id}",
            facts=(("URL", made.request.get("url", "")), ("OptOutType", delivery.params.get("OptOutType", "–")))
            if delivery.event == "inbound"
            else (("URL", made.request.get("url", "")),),
            replays=delivery.id,
        )


def _called(delivery: Delivery) -> str:
    return N_("Your app") if delivery.event == "inbound" else N_("Status callback")


def _spans(message: Message, attempts: Sequence[Attempt]) -> tuple[Span, ...]:
    """The bar: waiting for the carrier, in its hands, waiting for its report."""
    marks: list[tuple[str, str, datetime]] = []
    first = attempts[0] if attempts else None
    final = message.updated_at if message.status in FINAL else None
    if first is None:
        if final:
            marks.append((N_("waiting"), "held", final))
    else:
        marks.append((N_("waiting"), "held", first.at))
        if (answered := attempts[-1].answered_at) is not None:
            marks.append((N_("carrier"), "sent", answered))
            if final and message.status in (Status.DELIVERED, Status.UNDELIVERED, Status.READ):
                marks.append((N_("report"), message.status.value, final))
    began = message.created_at
    whole = (marks[-1][2] - began) / timedelta(milliseconds=1) if marks else 0.0
    if whole <= 0:
        return ()
    spans: list[Span] = []
    start = began
    for name, state, end in marks:
        end = max(end, start)
        left = round(1000 * ((start - began) / timedelta(milliseconds=1)) / whole)
        right = round(1000 * ((end - began) / timedelta(milliseconds=1)) / whole)
        spans.append(Span(name=name, state=state, start=left, width=max(2, right - left), lasted=end - start))
        start = end
    return tuple(spans)
