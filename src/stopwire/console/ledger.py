"""The consent ledger: every event with its place in the chain, filters, one event's page, and the check of the whole chain."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.listing import Column, listing, table
from stopwire.console.render import N_, page, say
from stopwire.console.session import asks, house_of, shows, visitor_of
from stopwire.console.snippets import curl_of
from stopwire.console.verdicts import scope_name
from stopwire.core.address import parse_recipient
from stopwire.core.consent import Act, SealedEvent
from stopwire.core.ledger import GENESIS, Verdict, holds
from stopwire.core.senders import Directory
from stopwire.flows import prove
from stopwire.ports.store import Consent, Cut, Messages, Services

CHECKED_AT_ONCE = 5_000  # a chain of so many events is checked whenever the page is opened; a longer one on request
# What an act is called; the chips' colours are those of the state.
ACTS = {
    Act.OPT_OUT: N_("opted out"),
    Act.OPT_IN: N_("opted in"),
    Act.REPEAT: N_("opted out again"),
    Act.BLOCK: N_("blocked"),
    Act.LIFT: N_("lifted"),
    Act.HELP: N_("asked for help"),
    Act.LIFT_REFUSED: N_("start refused"),
    Act.NO_CHANGE: N_("no change"),
}


def _columns(directory: Directory) -> Sequence[Column[SealedEvent]]:
    return (
        Column(name="seq", title=N_("Number"), value=lambda s: s.seq, figure=True),
        Column(name="id", value=lambda s: s.event.id),
        Column(name="recorded_at", title=N_("Time"), value=lambda s: s.event.recorded_at),
        Column(name="recipient", title=N_("Person"), value=lambda s: s.event.recipient, person=True),
        Column(name="act", title=N_("What happened"), value=lambda s: s.event.act.value),
        Column(name="reason", title=N_("Reason"), value=lambda s: s.event.reason.value if s.event.reason else None, priority=3),
        Column(name="scope", title=N_("Holds for"), value=lambda s: s.event.holder, priority=2),
        Column(name="channel_group", value=lambda s: s.event.group.value),
        Column(name="actor", title=N_("By"), value=lambda s: s.event.actor, priority=2),
        Column(name="word", title=N_("Word"), value=lambda s: s.event.word, priority=3),
        Column(name="rule", value=lambda s: s.event.rule),
        Column(name="language", value=lambda s: s.event.language),
        Column(name="country", value=lambda s: s.event.country),
        Column(name="policy_version", value=lambda s: s.event.policy_version),
        Column(name="message_sid", value=lambda s: s.event.message),
        Column(name="previous_message_sid", value=lambda s: s.event.previous),
        Column(name="note", value=lambda s: s.event.note),
        Column(name="occurred_at", value=lambda s: s.event.occurred_at),
        Column(name="hash", value=lambda s: s.hash),
    )


async def index(request: Request) -> Response:
    return await _index(request)


async def _index(request: Request, verdict: Verdict | None = None) -> Response:
    house, account, query = house_of(request), visitor_of(request).account, request.query_params
    directory = await house.read(account, Services.directory)
    act, scope = query.get("act", ""), query.get("scope", "")
    wrong: dict[str, str] = {}
    person = parse_recipient(query["person"].strip()) if query.get("person", "").strip() else None
    if query.get("person", "").strip() and person is None:
        wrong["person"] = say(request, N_("Write the whole number, like +14155550101: numbers are kept here as digests, which know no parts."))
    since, until = _day(query.get("since", "")), _day(query.get("until", ""))
    acts = (act,) if act in list(Act) else ()
    before = until + timedelta(days=1) - timedelta(milliseconds=1) if until else None

    async def ask(cut: Cut) -> list[SealedEvent]:
        if wrong:
            return []
        return await house.read(account, Consent.events, cut, person, None, acts, scope or None, since, before)

    newest = await house.read(account, Consent.events, Cut(limit=1))
    length = newest[0].seq if newest else 0
    is_page = not request.url.path.endswith((".json", ".csv")) and not any(name in query for name in ("rows", "rows_after"))
    if verdict is None and is_page and 0 < length <= CHECKED_AT_ONCE:
        verdict = await house(prove.verify, account=account)
    scopes = [*directory.services.values()], [each for each in directory.senders.values() if each.service is None]
    return await listing(
        request,
        "ledger.html",
        columns=_columns(directory),
        ask=ask,
        id_of=lambda each: each.event.id,
        topics="consent. import.taken message.received",  # a keyword is told by the text that held it
        verdict=verdict,
        length=length,
        acts=ACTS,
        act=act,
        scope=scope,
        scopes=[(each.sid, each.friendly_name) for each in scopes[0]] + [(each.sid, each.address) for each in scopes[1]],
        person=person,
        scope_of=lambda holder: scope_name(request, holder, directory),
        wrong=wrong,
        filtered=bool(act or scope or person or since or until),
        calls={
            "curl": curl_of("GET", f"{house.choices.public_url}/api/v1/ledger/verify", account),
            "CLI": "stopwire ledger verify",
        },
    )


def _day(text: str) -> datetime | None:
    """A day as a date field writes it, by UTC."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None


async def verify(request: Request) -> Response:
    verdict = await house_of(request)(prove.verify, account=visitor_of(request).account)
    return page(request, "ledger_verdict.html", verdict=verdict)


async def show(request: Request) -> Response:
    house, account = house_of(request), visitor_of(request).account
    sealed = await house.read(account, Consent.event, request.path_params["id"])
    if sealed is None:
        raise HTTPException(404)
    directory = await house.read(account, Services.directory)
    newer = await house.read(account, Consent.events, Cut(limit=1, before=sealed.event.id))
    older = await house.read(account, Consent.events, Cut(limit=1, after=sealed.event.id))
    cited = [sid for sid in (sealed.event.message, sealed.event.previous) if sid]
    kept = {each.sid for each in await house.read(account, Messages.many, cited)}
    follows = older[0].hash == sealed.previous_hash if older else sealed.previous_hash == GENESIS
    return page(
        request,
        "ledger_event.html",
        sealed=sealed,
        event=sealed.event,
        newer=newer[0] if newer else None,
        older=older[0] if older else None,
        sound=holds(sealed),
        follows=follows,
        led=(newer[0].previous_hash == sealed.hash) if newer else None,
        kept=kept,
        acts=ACTS,
        scope=scope_name(request, sealed.event.holder, directory),
        facts=_facts(sealed),
    )


def _facts(sealed: SealedEvent) -> list[tuple[str, Any]]:
    """What the ledger keeps of how it was understood."""
    event = sealed.event
    told = (
        (N_("Word"), event.word),
        (N_("Rule"), event.rule),
        (N_("Language"), event.language),
        (N_("Country"), event.country),
        (N_("Version of the words"), event.policy_version),
        (N_("Carrier's reference"), event.reference),
        (N_("Source"), event.source),
    )
    return [(name, value) for name, value in told if value is not None and value != ""]


routes = [
    *table("/console/ledger", index),
    asks("/console/ledger/verify", verify),
    shows("/console/ledger/{id}", show),
]
