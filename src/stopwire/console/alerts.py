"""Alerts: what is wrong now, what was, who looks after it; and the rules by which alerts fire.

What fires is the core's and the engine's. Here somebody takes an alert, mutes it until a time, or sets a rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.listing import Column, listing, table
from stopwire.console.render import N_, done, page, retell, say, teller
from stopwire.console.session import acts, form_of, house_of, shows, visitor_of
from stopwire.console.snippets import curl_of
from stopwire.core import alerts as core
from stopwire.core.alerts import SPECS, Alert, Kind, Spec, State
from stopwire.core.roles import Role
from stopwire.core.sentences import Sentence
from stopwire.flows import alerts
from stopwire.ports.store import Alerts, Cut

PATH = "/console/alerts"
RULES = PATH + "/rules"
TIMES = ((60, N_("1 hour")), (480, N_("8 hours")), (1440, N_("1 day")), (10_080, N_("7 days")), (43_200, N_("30 days")))
ORDER = (State.FIRING, State.TAKEN, State.MUTED)
HOUR = core.HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An alert in the visitor's words, and where to look further."""

    alert: Alert
    title: str
    says: str
    cure: str
    href: str
    who: str  # looks after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One figure of a rule as a form has it, in the unit that people set it in."""

    name: str
    label: str
    value: str
    help: str


def told(request: Request, alert: Alert) -> Told:
    return Told(
        alert=alert,
        title=retell(request, SPECS[alert.kind].title),
        says=retell(request, core.says(alert)),
        cure=retell(request, core.cure(alert)),
        href=_place(alert),
        who=(alert.taken_by or "").removeprefix("console:"),
    )


def _place(alert: Alert) -> str:
    """Where the cure begins."""
    match alert.kind:
        case Kind.OPT_OUT_RATE:
            return "/console/analytics/texts"
        case Kind.FAILURES:
            return "/console/messages?q=" + quote("has:error since:1d")
        case Kind.WEBHOOK_AGE:
            return "/console/webhooks?state=pending"
        case Kind.LINK_DOWN:
            return "/console/carriers/" + quote(str(alert.figures.get("name", "")), safe="")
        case Kind.REVIEW_OVERDUE:
            return "/console/review"
        case Kind.PUMPING:
            return "/console/messages?q=" + quote(f"to:{alert.subject}*")
        case Kind.LOOP:
            return "/console/messages?q=" + quote(f"from:{alert.subject} since:1d")


async def standing(request: Request) -> list[Told]:
    """What is not over: what fires first, then what somebody has taken, then what is muted."""
    found = await house_of(request).read(visitor_of(request).account, Alerts.standing)
    return [told(request, each) for each in sorted(found, key=lambda each: ORDER.index(each.state))]


COLUMNS: tuple[Column[Told], ...] = (
    Column(name="id", value=lambda row: row.alert.id),
    Column(name="since", value=lambda row: row.alert.since, title=N_("Since")),
    Column(name="rule", value=lambda row: row.alert.kind.value),
    Column(name="state", value=lambda row: row.alert.state.value, title=N_("State")),
    Column(name="title", value=lambda row: row.title, title=N_("Alert")),
    Column(name="says", value=lambda row: row.says, title=N_("What was found"), priority=2),
    Column(name="subject", value=lambda row: row.alert.subject),
    Column(name="taken_by", value=lambda row: row.alert.taken_by, title=N_("Taken by"), priority=3),
    Column(name="over_at", value=lambda row: row.alert.over_at, title=N_("Over"), priority=2),
    Column(name="muted_until", value=lambda row: row.alert.muted_until),
)


async def index(request: Request) -> Response:
    house, account = house_of(request), visitor_of(request).account

    async def ask(cut: Cut) -> Sequence[Told]:
        return [told(request, each) for each in await house.read(account, Alerts.page, cut)]

    base = house.choices.public_url
    return await listing(
        request,
        "alerts.html",
        columns=COLUMNS,
        ask=ask,
        id_of=lambda row: row.alert.id,
        standing=await standing(request),
        times=TIMES,
        calls={"curl": curl_of("GET", f"{base}/api/v1/alerts?state=firing", account), "CLI": "stopwire alerts list --state firing"},
    )


async def take(request: Request) -> Response:
    visitor = visitor_of(request)
    answered = await house_of(request)(alerts.take, account=visitor.account, id=request.path_params["id"], actor=visitor.actor)
    _check(request, answered)
    return done(request, PATH, say(request, N_("It is yours.")))


async def mute(request: Request) -> Response:
    visitor, minutes = visitor_of(request), await _minutes(request)
    id = request.path_params["id"]
    answered = await house_of(request)(alerts.mute, account=visitor.account, id=id, minutes=minutes, actor=visitor.actor)
    _check(request, answered)
    return done(request, PATH, _muted(request, minutes))


def _muted(request: Request, minutes: int) -> str:
    sentence = N_("It is muted, and heard of again when its time is over.") if minutes else N_("It is heard of again.")
    return say(request, sentence)


async def _minutes(request: Request) -> int:
    written = str((await form_of(request)).get("minutes", ""))
    minutes = int(written) if written.isascii() and written.isdigit() and len(written) < 9 else -1
    request.state.detail = {"minutes": minutes}
    if problem := core.mute_problem(minutes):
        raise HTTPException(422, _said(request, problem.message))
    return minutes


def _check(request: Request, answered: alerts.Answered) -> None:
    if answered.alert is None:
        raise HTTPException(404)
    if answered.problems:
        raise HTTPException(409, _said(request, answered.problems[0].message))


def _said(request: Request, sentence: str) -> str:
    return retell(request, sentence) if isinstance(sentence, Sentence) else sentence


# ── rules ────────────────────────────────────────────────────────────────────────────────────────────────


async def show_rules(request: Request) -> Response:
    return await _rules(request)


async def _rules(request: Request, status: int = 200, **values: Any) -> Response:
    house, account = house_of(request), visitor_of(request).account
    found = await house(alerts.rules, account=account)
    base = house.choices.public_url
    change = {"threshold": 5, "at_least": 200}
    shown = {
        "wrong_rule": "",
        "given_on": None,
        "times": TIMES,
        "rules": [(each, SPECS[each.rule.kind], retell(request, SPECS[each.rule.kind].title), _fields(request, each)) for each in found],
        "calls": {
            "curl": curl_of("PUT", f"{base}/api/v1/alerts/rules/opt_out_rate", account, change),
            "CLI": "stopwire alerts rules opt_out_rate --threshold 5 --at-least 200",
        },
    }
    return page(request, "alerts_rules.html", status=status, **{**shown, **values})


def _fields(request: Request, value: alerts.SetRule) -> list[Field]:
    rule, spec = value.rule, SPECS[value.rule.kind]
    label = say(request, N_("Threshold: %(units)s"), units=retell(request, spec.unit))
    found = [_field(request, "threshold", label, rule.threshold, spec.threshold)]
    if spec.window and rule.window_minutes is not None:
        label = say(request, N_("Looking back, hours") if spec.step == HOUR else N_("Looking back, minutes"))
        found.append(_field(request, "window", label, rule.window_minutes, spec.window, by=spec.step))
    if spec.at_least and spec.counts and rule.at_least is not None:
        label = say(request, N_("Once there were so many %(counts)s"), counts=retell(request, spec.counts))
        found.append(_field(request, "at_least", label, rule.at_least, spec.at_least))
    return found


def _field(request: Request, name: str, label: str, value: float, within: core.Range, *, by: int = 1) -> Field:
    tell = teller(request).figure
    bounds = N_("by default %(default)s; from %(least)s to %(most)s")
    figures = {"default": tell(within.default / by), "least": tell(within.least / by), "most": tell(within.most / by)}
    return Field(name=name, label=label, value=core.figure(value / by), help=say(request, bounds, **figures))


def _kind(request: Request) -> Kind:
    try:
        return Kind(request.path_params["kind"])
    except ValueError:
        raise HTTPException(404) from None


async def set_rule(request: Request) -> Response:
    kind, visitor, form = _kind(request), visitor_of(request), await form_of(request)
    wanted = {} if "default" in form else _read(form, SPECS[kind])
    on = "default" in form or form.get("on") == "on"
    figures: dict[str, Any] = {"threshold": None, "window_minutes": None, "at_least": None, **wanted}
    problems = core.problems(kind, **figures)
    if not problems:
        changed = await house_of(request)(alerts.put_rule, account=visitor.account, kind=kind, on=on, actor=visitor.actor, **figures)
        problems = list(changed.problems)
    if problems:
        fields = {"window_minutes": "window"}
        wrong = {fields.get(each.path, each.path): _said(request, each.message) for each in problems}
        return await _rules(request, 422, wrong_rule=kind.value, given=form, given_on=on, wrong=wrong)
    request.state.detail = {"on": on, **wanted}
    return done(request, f"{RULES}#{kind}", say(request, N_("The rule holds from the next look on, within a minute.")))


def _read(form: Any, spec: Spec) -> dict[str, Any]:
    """The figures that were written; what is no number is for the core to refuse, what stands at its default follows it."""
    found: dict[str, Any] = {}
    for field, name, within, by in (
        ("threshold", "threshold", spec.threshold, 1),
        ("window", "window_minutes", spec.window, spec.step),
        ("at_least", "at_least", spec.at_least, 1),
    ):
        written = str(form.get(field, "")).strip().replace(",", ".")
        if within is None or not written:
            continue
        try:
            value: float | str = float(written) * by
        except ValueError:
            found[name] = written
            continue
        if value != within.default:
            found[name] = value if name == "threshold" or value % 1 else int(value)
    return found


async def mute_rule(request: Request) -> Response:
    kind, visitor, minutes = _kind(request), visitor_of(request), await _minutes(request)
    await house_of(request)(alerts.mute_rule, account=visitor.account, kind=kind, minutes=minutes, actor=visitor.actor)
    return done(request, f"{RULES}#{kind}", _muted(request, minutes))


routes = [
    *table(PATH, index),
    shows(RULES, show_rules),
    acts(RULES + "/{kind}", set_rule, role=Role.ADMIN, act="alert.rule"),
    acts(RULES + "/{kind}/mute", mute_rule, role=Role.OPERATOR, act="alert.muted"),
    acts(PATH + "/{id}/take", take, role=Role.OPERATOR, act="alert.taken"),
    acts(PATH + "/{id}/mute", mute, role=Role.OPERATOR, act="alert.muted"),
]
