"""Settings, Retention: how long the account keeps its texts, messages and webhooks, and the hold that keeps everything.

What may be set and what is advised is told by the core; what goes when is the engine's. Nothing is deleted here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.render import N_, done, page, retell, say, teller
from stopwire.console.session import acts, form_of, house_of, shows, visitor_of
from stopwire.console.settings import TABS
from stopwire.console.snippets import curl_of
from stopwire.core import retention as rules
from stopwire.core.retention import RULES
from stopwire.core.roles import Role
from stopwire.core.senders import AccountSettings
from stopwire.core.sentences import Sentence
from stopwire.flows import account as accounts
from stopwire.flows import purge, visit
from stopwire.flows.retention import oldest
from stopwire.ports.store import Services

PATH = "/console/settings/retention"
WORD = "erase"  # typed where something goes for good


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One time that can be set: what it is about, what goes, and which record's age tells how far back it is kept."""

    setting: str
    name: str
    what: str
    kind: str  # whose oldest record is shown
    loss: str  # what is said before the first of them go


CHOICES = (
    Kept(
        setting="keep_bodies_days",
        name=N_("Texts"),
        what=N_("The words and pictures of texts in and out. The message stays, says when its text went, and is still explained."),
        kind="messages",
        loss=N_("All texts from before %(before)s go; the oldest message is of %(oldest)s."),
    ),
    Kept(
        setting="keep_messages_days",
        name=N_("Messages"),
        what=N_("Who was written to when, what became of it, refused sends, decided suggestions. Texts go with their message at the latest."),
        kind="messages",
        loss=N_("All messages from before %(before)s go; the oldest is of %(oldest)s."),
    ),
    Kept(
        setting="keep_webhooks_days",
        name=N_("Webhook deliveries"),
        what=N_("What your application was told, and what it answered. They hold the words, so they go with the text at the latest."),
        kind="webhooks",
        loss=N_("All webhook deliveries from before %(before)s go; the oldest is of %(oldest)s."),
    ),
)
# What nobody sets: how long (None: for good; zero: until the gateway ends), and why.
FIXED: tuple[tuple[str, timedelta | None, str], ...] = (
    (N_("Consent events and blocks"), None, N_("The proof that a wish was honoured. Nothing here deletes them.")),
    (N_("Audit log"), None, N_("Rows are only added.")),
    (N_("Answers kept under an Idempotency-Key"), purge.KEPT_ANSWERS, ""),
    (N_("Carriers' references, which tell a repeated delivery"), purge.REFERENCES, ""),
    (N_("Delivery reports that belong to no message"), purge.ORPHANS, ""),
    (N_("Requests of programs, and when keys were last used"), timedelta(), N_("In memory only, and the newest of them.")),
    (N_("Sessions"), visit.SESSION_LIFE, N_("Sooner where nobody comes for three days.")),
)


async def show(request: Request) -> Response:
    return await _shown(request)


async def _shown(request: Request, status: int = 200, **values: Any) -> Response:
    house, account = house_of(request), visitor_of(request).account
    directory = await house.read(account, Services.directory)
    settings = directory.account.settings
    return page(
        request,
        "settings_retention.html",
        status=status,
        tabs=TABS,
        tab="retention",
        choices=CHOICES,
        rules=RULES,
        days={each.setting: getattr(settings, each.setting) for each in CHOICES},
        held=settings.legal_hold,
        warnings=[_told(request, each.message) for each in rules.warnings(settings)],
        oldest=await house(oldest, account=account),
        fixed=FIXED,
        word=WORD,
        calls=_calls(house.choices.public_url, account),
        **{"losses": (), "lifting": False, **values},
    )


def _calls(base: str, account: str) -> dict[str, str]:
    advised = {name: rule.advised_days for name, rule in RULES.items()}
    return {
        "curl": curl_of("PATCH", f"{base}/api/v1/account", account, advised),
        "CLI": "stopwire account set " + " ".join(f"{name}={days}" for name, days in advised.items()),
    }


def _told(request: Request, sentence: str) -> str:
    return retell(request, sentence) if isinstance(sentence, Sentence) else sentence


async def change(request: Request) -> Response:
    form = await form_of(request)
    wanted = {each.setting: _days(str(form[each.setting])) for each in CHOICES if each.setting in form}
    return await _change(request, wanted, form, say(request, N_("What is kept how long is changed.")))


async def hold(request: Request) -> Response:
    form = await form_of(request)
    holds = form.get("hold") == "on"
    told = N_("Nothing is deleted any more, whoever asks, until the hold is lifted.") if holds else N_("The hold is lifted: times run again.")
    return await _change(request, {"legal_hold": holds}, form, say(request, told))


def _days(written: str) -> int | str | None:
    """What somebody wrote: nothing is for good, digits are days, and anything else is for the flow to refuse."""
    written = written.strip()
    if not written:
        return None
    return int(written) if written.isascii() and written.isdigit() and len(written) < 9 else written


async def _change(request: Request, wanted: Mapping[str, Any], form: Any, told: str) -> Response:
    house, account = house_of(request), visitor_of(request).account
    problems = [found for name, value in wanted.items() if name in RULES and (found := rules.problem(name, value))]
    if problems:
        return await _shown(request, 422, given=form, wrong={each.path: _told(request, each.message) for each in problems})
    if str(form.get("word", "")).strip().casefold() != WORD:
        settings = (await house.read(account, Services.directory)).account.settings
        losses = _losses(request, settings, replace(settings, **wanted), await house(oldest, account=account))
        if losses:
            wrong = {"word": say(request, N_("Type %(word)s to confirm."), word=WORD)} if "word" in form else {}
            return await _shown(request, 422, given=form, losses=losses, lifting="legal_hold" in wanted, wrong=wrong)
    changed = await house(accounts.change_account, account=account, changes=dict(wanted))
    if changed.problems:
        return await _shown(request, 422, given=form, wrong={each.path: each.message for each in changed.problems})
    request.state.detail = dict(wanted)
    return done(request, PATH, told)


def _losses(request: Request, now: AccountSettings, then: AccountSettings, ages: Mapping[str, datetime]) -> list[str]:
    """What would go for good that stays as it is set now; in sentences."""
    at = visitor_of(request).now
    goes, will = rules.due(now, at), rules.due(then, at)
    found = []
    for choice in CHOICES:
        kind = {"keep_bodies_days": "texts"}.get(choice.setting, choice.kind)
        before, first = will.get(kind), ages.get(choice.kind)
        if before is None or first is None or first >= before or (kind in goes and goes[kind] >= before):
            continue
        found.append(say(request, choice.loss, before=_day(request, before), oldest=_day(request, first)))
    return found


def _day(request: Request, at: datetime) -> str:
    return teller(request).day(at)


routes = [
    shows(PATH, show),
    acts(PATH, change, role=Role.ADMIN, act="retention.changed"),
    acts(PATH + "/hold", hold, role=Role.ADMIN, act="retention.hold"),
]
