"""Alerts: which rules there are, what makes one fire, and the states that an alert walks through until it is over.

Figures come in, alerts come out. Where figures come from, who is told, and when somebody looks is not known here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from stopwire.core.policy import Problem
from stopwire.core.sentences import Sentence

# Against flapping: what fired is over only when its figure is a fifth below the threshold, and has stayed there.
CALM_SHARE: Final = 0.8
CALM_FOR: Final = timedelta(minutes=5)
MUTE_MAX: Final = timedelta(days=30)  # a mute always has an end
BLOCK_DIGITS: Final = 3  # numbers are given out by the thousand at least: 47 CFR 52.20, thousands-block pooling
NEW_FOR: Final = timedelta(days=1)  # how long a block of numbers counts as never written to before
BY_STOP: Final = 21610  # a message that a STOP ended on the way has not failed


class Kind(StrEnum):
    """What can be wrong. A name here is a name of the public API."""

    OPT_OUT_RATE = "opt_out_rate"
    FAILURES = "failures"
    WEBHOOK_AGE = "webhook_age"
    LINK_DOWN = "link_down"
    REVIEW_OVERDUE = "review_overdue"
    PUMPING = "pumping"
    LOOP = "loop"


SLOW: Final = frozenset({Kind.OPT_OUT_RATE, Kind.FAILURES, Kind.PUMPING, Kind.LOOP})  # they read messages: looked at less often


class State(StrEnum):
    FIRING = "firing"  # nobody has taken it yet
    TAKEN = "taken"  # somebody said that they look after it
    MUTED = "muted"  # it stands, and nobody wants to hear of it until a time
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What a figure of a rule is by default, and what it may be."""

    default: float
    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One row of the table of rules. Figures named in `fired` are those of a reading.

    `unit` says what the threshold counts; `window` is in minutes and a whole number of `step`; `at_least` is how much
    there must have been before a share says anything.
    """

    kind: Kind
    title: Sentence
    unit: Sentence
    fired: Sentence
    cure: Sentence
    threshold: Range
    window: Range | None = None
    step: int = 1
    at_least: Range | None = None
    counts: Sentence | None = None  # what `at_least` counts


HOUR: Final = 60
_DAYS: Final = Range(default=24 * HOUR, least=HOUR, most=7 * 24 * HOUR)

SPECS: Final[Mapping[Kind, Spec]] = {
    spec.kind: spec
    for spec in (
        Spec(
            kind=Kind.OPT_OUT_RATE,
            title=Sentence("Many opt-outs"),
            unit=Sentence("opt-outs per 100 delivered"),
            fired=Sentence("%(stops)s people opted out and %(delivered)s messages were delivered: %(rate)s per 100."),
            cure=Sentence("Look in Analytics for the text that they stopped after, and pause what sends it."),
            threshold=Range(default=2, least=0.1, most=50),  # 20 per 1,000: where carriers look closer
            window=_DAYS,
            step=HOUR,
            at_least=Range(default=100, least=20, most=1_000_000),
            counts=Sentence("delivered messages"),
        ),
        Spec(
            kind=Kind.FAILURES,
            title=Sentence("Many failures"),
            unit=Sentence("failed per 100 sent"),
            fired=Sentence("%(failed)s of %(sent)s messages failed or were not delivered: %(rate)s of 100."),
            cure=Sentence("Filter Messages by failed and undelivered: the error code says whether it is the carrier, the sender or the numbers."),
            threshold=Range(default=20, least=1, most=100),
            window=Range(default=HOUR, least=HOUR, most=7 * 24 * HOUR),
            step=HOUR,
            at_least=Range(default=50, least=20, most=1_000_000),
            counts=Sentence("messages that have ended"),
        ),
        Spec(
            kind=Kind.WEBHOOK_AGE,
            title=Sentence("Webhooks wait"),
            unit=Sentence("minutes that the oldest webhook has waited"),
            fired=Sentence("Webhooks waiting: %(waiting)s. The oldest has waited for %(minutes)s min."),
            cure=Sentence("Look at the last answer of your application in Webhooks. Nothing is lost, and opt-outs do not depend on it."),
            threshold=Range(default=15, least=1, most=3 * 24 * HOUR),  # tries go on for three days
        ),
        Spec(
            kind=Kind.LINK_DOWN,
            title=Sentence("A connection is down"),
            unit=Sentence("minutes that a connection is down"),
            fired=Sentence("The connection %(name)s has been down for %(minutes)s min."),
            cure=Sentence(
                "Its log under Carriers says what the carrier answered. Messages wait in order, or go by the next connection of their sender."
            ),
            threshold=Range(default=5, least=1, most=24 * HOUR),
        ),
        Spec(
            kind=Kind.REVIEW_OVERDUE,
            title=Sentence("Review is overdue"),
            unit=Sentence("suggestions past their date"),
            fired=Sentence("Texts in Review past the date to decide them: %(count)s. Days that the oldest is late: %(days)s."),
            cure=Sentence("Decide them in Review: these people may have asked for silence and still get texts."),
            threshold=Range(default=1, least=1, most=1_000),
        ),
        Spec(
            kind=Kind.PUMPING,
            title=Sentence("Texts to a new block of numbers"),
            unit=Sentence("numbers of one block"),
            # "You will likely see a spike of messages sent to a block of adjacent numbers": Twilio, What is SMS pumping fraud?
            fired=Sentence("%(numbers)s numbers beginning with %(block)s got %(texts)s texts, and none of this block had any before."),
            cure=Sentence(
                "Somebody may type numbers into a form of yours to earn by your texts: limit and check that form. "
                "If it is a campaign of yours, take this alert."
            ),
            threshold=Range(default=50, least=5, most=1_000),  # of a thousand: judgement
            window=Range(default=HOUR, least=HOUR, most=24 * HOUR),
            step=HOUR,
        ),
        Spec(
            kind=Kind.LOOP,
            title=Sentence("Two machines answer each other"),
            unit=Sentence("replies to one number"),
            fired=Sentence("%(sender)s sent %(replies)s replies to the number ending %(ending)s, each to a text of theirs."),
            cure=Sentence("Read the conversation. If a machine answers there, block it, and have your application not answer every text."),
            threshold=Range(default=40, least=5, most=1_000),  # one each fifteen seconds: more than a person types; judgement
            window=Range(default=10, least=1, most=HOUR),
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How a rule of an account differs from the default; None: it does not."""

    account: str
    kind: Kind
    on: bool = True
    threshold: float | None = None
    window_minutes: int | None = None
    at_least: int | None = None
    actor: str
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule as it holds for an account."""

    kind: Kind
    on: bool
    threshold: float
    window_minutes: int | None
    at_least: int | None

    @property
    def window(self) -> timedelta:
        return timedelta(minutes=self.window_minutes or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """Nothing fires of a kind, about one subject or (empty) about any, until a time."""

    account: str
    kind: Kind
    subject: str = ""
    until: datetime
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one look found about a subject. Between `fires` and `calm` what is firing goes on and what is quiet stays so."""

    kind: Kind
    subject: str = ""
    value: float = 0.0
    fires: bool = False
    calm: bool = True
    figures: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert, from when it fired until it is over. `calm_since`: since when its figure is low again."""

    id: str
    account: str
    kind: Kind
    subject: str
    state: State
    since: datetime
    figures: Mapping[str, Any]
    muted_until: datetime | None = None
    taken_by: str | None = None
    taken_at: datetime | None = None
    calm_since: datetime | None = None
    over_at: datetime | None = None


# ── rules ────────────────────────────────────────────────────────────────────────────────────────────────


def rule_of(kind: Kind, change: Change | None) -> Rule:
    """The rule as it holds: the default, and what the account has changed of it."""
    spec = SPECS[kind]
    threshold, window, at_least = (change.threshold, change.window_minutes, change.at_least) if change else (None, None, None)
    return Rule(
        kind=kind,
        on=change.on if change else True,
        threshold=spec.threshold.default if threshold is None else threshold,
        window_minutes=_whole(spec.window) if window is None else window,
        at_least=_whole(spec.at_least) if at_least is None else at_least,
    )


def _whole(of: Range | None) -> int | None:
    return int(of.default) if of else None


def problems(kind: Kind, *, threshold: object = None, window_minutes: object = None, at_least: object = None) -> list[Problem]:
    """Why a rule cannot be so; nothing where it can. None stands for the default."""
    spec = SPECS[kind]
    found = []
    for path, value, within, whole in (
        ("threshold", threshold, spec.threshold, False),
        ("window_minutes", window_minutes, spec.window, True),
        ("at_least", at_least, spec.at_least, True),
    ):
        if value is None:
            continue
        if within is None:
            found.append(Problem(path=path, message=Sentence("This rule has no such figure: leave it out.")))
        elif not _fits(value, within, whole=whole):
            told = Sentence("Write a number from %(least)s to %(most)s.", least=figure(within.least), most=figure(within.most))
            found.append(Problem(path=path, message=told))
        elif path == "window_minutes" and int(str(value)) % spec.step:
            told = Sentence("Write whole hours: messages are counted by the hour, so the window is a multiple of 60 minutes.")
            found.append(Problem(path=path, message=told))
    return found


def _fits(value: object, within: Range, *, whole: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        return False
    return within.least <= value <= within.most  # which no NaN is


def mute_problem(minutes: int) -> Problem | None:
    """Why nothing can be muted for so long; None where it can. 0 ends a mute."""
    if 0 <= minutes <= MUTE_MAX // timedelta(minutes=1):
        return None
    told = Sentence("A mute ends within %(days)s days: choose an earlier end, or switch the rule off.", days=MUTE_MAX.days)
    return Problem(path="minutes", message=told)


def muted_until(mutes: Mapping[tuple[Kind, str], datetime], kind: Kind, subject: str) -> datetime | None:
    """Until when a subject of a kind is muted, by itself or with its whole kind."""
    return max((until for key in {(kind, subject), (kind, "")} if (until := mutes.get(key))), default=None)


# ── readings ─────────────────────────────────────────────────────────────────────────────────────────────


def quiet(kind: Kind, subject: str = "") -> Reading:
    """Nothing was found of what once fired."""
    return Reading(kind=kind, subject=subject)


def opt_outs(rule: Rule, *, stops: int, delivered: int) -> Reading:
    return _share(rule, stops, delivered, stops=stops, delivered=delivered)


def failures(rule: Rule, *, statuses: Mapping[str, int], codes: Mapping[str, int]) -> Reading:
    """`statuses` and `codes`: how many messages ended so. What still moves is not counted; what has been `sent` has, since
    not every carrier reports."""
    failed = statuses.get("failed", 0) + statuses.get("undelivered", 0) - codes.get(str(BY_STOP), 0)
    sent = failed + sum(statuses.get(each, 0) for each in ("sent", "delivered", "read"))
    return _share(rule, failed, sent, failed=failed, sent=sent)


def _share(rule: Rule, some: int, of: int, **figures: int) -> Reading:
    rate = 100 * some / of if of else 0.0
    enough = of >= (rule.at_least or 1)
    return _read(rule, "", rate, rate=figure(round(rate, 1)), **figures) if enough else replace(quiet(rule.kind), value=rate)


def webhook_age(rule: Rule, *, waiting: int, oldest_at: datetime | None, now: datetime) -> Reading:
    minutes = _minutes(now - oldest_at) if oldest_at else 0.0
    return _read(rule, "", minutes, waiting=waiting, minutes=int(minutes))


def link_down(rule: Rule, *, connection: str, name: str, down_since: datetime, now: datetime) -> Reading:
    minutes = _minutes(now - down_since)
    # A connection that is down is not calm, however short a time: it must be up for a while.
    return replace(_read(rule, connection, minutes, name=name, minutes=int(minutes)), calm=False)


def review_overdue(rule: Rule, *, count: int, oldest_due_at: datetime | None, now: datetime) -> Reading:
    days = (now - oldest_due_at).days if oldest_due_at else 0
    return _read(rule, "", count, count=count, days=days)


def pumping(rule: Rule, *, block: str, numbers: int, texts: int) -> Reading:
    """`block` is where the numbers begin; whether any had a text before is for the caller to say: then there is no reading."""
    return _read(rule, block, numbers, block=block, numbers=numbers, texts=texts)


def loop(rule: Rule, *, sender: str, recipient: str, replies: int) -> Reading:
    # An alert is kept for long, so it knows the person by four digits only.
    return _read(rule, sender, replies, sender=sender, replies=replies, ending=recipient[-4:])


def _read(rule: Rule, subject: str, value: float, **figures: int | str) -> Reading:
    return Reading(
        kind=rule.kind,
        subject=subject,
        value=value,
        fires=value >= rule.threshold,
        calm=value <= rule.threshold * CALM_SHARE,
        figures=figures,
    )


def _minutes(span: timedelta) -> float:
    return span / timedelta(minutes=1)


# ── states ───────────────────────────────────────────────────────────────────────────────────────────────


def step(alert: Alert | None, reading: Reading, *, account: str, id: str, muted_until: datetime | None, now: datetime) -> Alert | None:
    """What an alert becomes by a reading; None: there is none. `id` is that of the alert which may begin here.

    quiet ─fires─▶ firing ─take─▶ taken; any ─mute─▶ muted ─its end─▶ firing; any ─calm for CALM_FOR─▶ over.
    """
    muted = muted_until is not None and muted_until > now
    if alert is None:
        if muted or not reading.fires:
            return None
        return Alert(
            id=id,
            account=account,
            kind=reading.kind,
            subject=reading.subject,
            state=State.FIRING,
            since=now,
            figures=reading.figures,
        )
    if alert.state is State.OVER:
        return alert
    if reading.calm:
        return _calmer(alert, muted=muted, muted_until=muted_until, now=now)
    return _standing(replace(alert, calm_since=None), reading, muted=muted, muted_until=muted_until)


def _calmer(alert: Alert, *, muted: bool, muted_until: datetime | None, now: datetime) -> Alert:
    since = alert.calm_since or now
    # Whose mute has ended while it was calm, is not told of again just to be over five minutes later.
    if now - since >= CALM_FOR or (alert.state is State.MUTED and not muted):
        return replace(alert, state=State.OVER, calm_since=since, over_at=now)
    return _standing(replace(alert, calm_since=since), None, muted=muted, muted_until=muted_until)


def _standing(alert: Alert, reading: Reading | None, *, muted: bool, muted_until: datetime | None) -> Alert:
    if muted:
        return replace(alert, state=State.MUTED, muted_until=muted_until)
    if alert.state is State.MUTED:
        figures = reading.figures if reading else alert.figures
        return replace(alert, state=State.FIRING, muted_until=None, taken_by=None, taken_at=None, figures=figures)
    return alert


def take(alert: Alert, *, by: str, now: datetime) -> Alert | None:
    """Somebody looks after it; of another who did, they take it over. None: it is over, or muted, so there is nothing to take."""
    if alert.state not in (State.FIRING, State.TAKEN):
        return None
    return replace(alert, state=State.TAKEN, taken_by=by, taken_at=now)


def mute(alert: Alert, *, until: datetime | None) -> Alert:
    """Muted until then; with None heard of again, as if it had just fired."""
    if alert.state is State.OVER:
        return alert
    if until is not None:
        return replace(alert, state=State.MUTED, muted_until=until)
    return replace(alert, state=State.FIRING, muted_until=None, taken_by=None, taken_at=None) if alert.state is State.MUTED else alert


def end(alert: Alert, *, now: datetime) -> Alert:
    """Over at once, since its rule is off."""
    return alert if alert.state is State.OVER else replace(alert, state=State.OVER, over_at=now)


# Why an alert cannot be answered so.
NOTHING_TO_TAKE: Final = Sentence("This alert is over: there is nothing to take.")
NOT_WHILE_MUTED: Final = Sentence("This alert is muted: end the mute first.")
NOTHING_TO_MUTE: Final = Sentence("This alert is over: mute its rule, should it not fire again.")


def event_of(before: Alert | None, after: Alert | None) -> str | None:
    """What is told where an alert changed its state; None: nothing."""
    if after is None or (before is not None and before.state is after.state):
        return None
    return {State.FIRING: "alert.fired", State.TAKEN: "alert.taken", State.MUTED: "alert.muted", State.OVER: "alert.over"}[after.state]


# ── in words ─────────────────────────────────────────────────────────────────────────────────────────────


def says(alert: Alert) -> Sentence:
    """What made it fire, with its figures."""
    return SPECS[alert.kind].fired.of(**alert.figures)


def cure(alert: Alert) -> Sentence:
    return SPECS[alert.kind].cure


def figure(number: float) -> str:
    """A number as a sentence has it: whole where it is."""
    return str(int(number)) if number == int(number) else f"{number:g}"
