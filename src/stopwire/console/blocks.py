"""The block list: who is blocked, where, why, since when; search, block, lift, many at once, and “would this be sent?”."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.listing import Column, listing, table
from stopwire.console.render import N_, Undo, done, page, say, teller
from stopwire.console.session import acts, asks, form_of, house_of, shows, visitor_of
from stopwire.console.verdicts import scope_name
from stopwire.core.address import ChannelGroup, parse_recipient
from stopwire.core.consent import CONSENT_CANNOT_LIFT, START_LIFTS, Reason
from stopwire.core.roles import Role
from stopwire.core.scopes import resolve_scope
from stopwire.core.senders import Directory
from stopwire.flows import amend, preview
from stopwire.flows.blocklist import BlockFilter, Listed, blocks, named
from stopwire.ports.store import TALLIED_MAX, Consent, Cut, Services

GIVEN_REASONS = (
    (Reason.OPERATOR, N_("they asked us, on another way")),
    (Reason.COMPLAINT, N_("a complaint")),
    (Reason.WRONG_NUMBER, N_("the number belongs to somebody else")),
    (Reason.REASSIGNED, N_("the number changed hands")),
)
SINCE = {"1": N_("a day"), "7": N_("a week"), "30": N_("30 days")}
UNDO_SECONDS = 60  # the page offers it for ten; a slow reader is not punished
BULK_MAX = 500
NOTE_CHARS_MAX = 1000

# How somebody came to be blocked, as the end of “blocked, since …: …”.
HOW = {
    Reason.KEYWORD: N_("they replied %(word)s"),
    Reason.PHRASE: N_("they wrote “%(text)s”, which natural matching read as an opt-out"),
    Reason.REVIEW: N_("%(who)s read “%(text)s” and took it for an opt-out"),
    Reason.CONSENT: N_("your application recorded that they opted out"),
    Reason.OPERATOR: N_("%(who)s blocked them"),
    Reason.API: N_("blocked through the API"),
    Reason.IMPORT: N_("an imported list has them"),
    Reason.CARRIER: N_("a carrier told that they had opted out there"),
    Reason.WRONG_NUMBER: N_("the number belongs to somebody else"),
    Reason.REASSIGNED: N_("the number changed hands"),
    Reason.COMPLAINT: N_("a complaint was recorded"),
}


def scopes(request: Request, directory: Directory) -> list[tuple[str, str]]:
    """Every scope that a block can be given, with its name."""
    services = sorted(directory.services.values(), key=lambda each: each.created_at)
    senders = sorted((each for each in directory.senders.values() if each.service is None), key=lambda each: each.created_at)
    return [
        *((each.sid, each.friendly_name) for each in services),
        (directory.account.sid, say(request, N_("the whole account"))),
        *((each.sid, each.address) for each in senders),
    ]


def how(request: Request, listed: Listed) -> str:
    """How the person came to be blocked."""
    block, event = listed.block, listed.event
    told = say(
        request,
        HOW[block.reason],
        word=(event.word if event else None) or "STOP",
        text=((event.text if event else None) or "")[:80],
        who=block.actor.removeprefix("console:"),
    )
    return f"{told}: “{block.note}”" if block.note else told


# ── the list ─────────────────────────────────────────────────────────────────────────────────────────────


async def index(request: Request) -> Response:
    house, visitor, query = house_of(request), visitor_of(request), request.query_params
    directory = await house.read(visitor.account, Services.directory)
    wanted, problem = _filter(request, directory)

    async def ask(cut: Cut) -> list[Listed]:
        return [] if problem else await house(blocks, account=visitor.account, wanted=wanted, cut=cut)

    async def many(ids: list[str]) -> list[Listed]:
        return await house(named, account=visitor.account, ids=ids)

    plain = request.url.path.endswith((".json", ".csv"))
    tally = {} if plain else await house.read(visitor.account, Consent.tally)
    return await listing(
        request,
        "blocks.html",
        columns=_columns(plain),
        ask=ask,
        id_of=lambda each: each.block.id,
        many=many,
        topics="consent. import.taken message.received",
        q=query.get("q", ""),
        problem=problem,
        tally=tally,
        counted=sum(min(number, TALLIED_MAX) for number in tally.values()),
        tallied_max=TALLIED_MAX,
        scopes=scopes(request, directory),
        senders=sorted(directory.senders.values(), key=lambda each: each.created_at),
        since_choices=SINCE,
        how=lambda each: how(request, each),
        scope_name=lambda holder: scope_name(request, holder, directory),
        filtered=wanted != BlockFilter(),
    )


def _columns(plain: bool) -> list[Column[Listed]]:
    columns: list[Column[Listed]] = [
        Column(name="id", value=lambda b: b.block.id),
        Column(name="recipient", title=N_("Recipient"), value=lambda b: b.block.recipient, person=True),
        Column(name="scope", title=N_("Holds for"), value=lambda b: b.block.holder),
        Column(name="reason", title=N_("Reason"), value=lambda b: b.block.reason.value),
        Column(name="occurred_at", title=N_("Since"), value=lambda b: b.block.since),
        Column(name="actor", title=N_("How"), value=lambda b: b.block.actor, priority=2),
        Column(name="note", value=lambda b: b.block.note),
        Column(name="last_text", title=N_("Last text before it"), value=lambda b: b.previous_body, priority=3),
        Column(name="event", value=lambda b: b.block.event),
    ]
    return columns if plain else [*columns, Column(name="", title=N_("Do"), value=lambda b: None, priority=3)]


def _filter(request: Request, directory: Directory) -> tuple[BlockFilter, str]:
    """What is asked for, or a sentence."""
    query, now = request.query_params, visitor_of(request).now
    wanted, problem = BlockFilter(), ""
    if text := query.get("q", "").strip():
        digits = "".join(each for each in text if each.isdigit())
        if recipient := parse_recipient(text):
            wanted = replace(wanted, recipient=recipient)
        elif 2 <= len(digits) <= 15 and not any(each.isalpha() for each in text) and "+" not in text:
            wanted = replace(wanted, ending=digits)
        else:
            problem = say(request, N_("Write a number like +14155550101, or its last digits."))
    if scope := query.get("scope", ""):
        wanted = replace(wanted, holder=resolve_scope(directory, scope) or scope)
    if query.get("reason") in set(Reason):
        wanted = replace(wanted, reason=query["reason"])
    if query.get("channel") in set(ChannelGroup):
        wanted = replace(wanted, group=ChannelGroup(query["channel"]))
    if query.get("since") in SINCE:
        wanted = replace(wanted, since=now - timedelta(days=int(query["since"])))
    return wanted, problem


# ── block ────────────────────────────────────────────────────────────────────────────────────────────────


async def new(request: Request) -> Response:
    return await _new(request)


async def _new(request: Request, status: int = 200, **values: Any) -> Response:
    directory = await house_of(request).read(visitor_of(request).account, Services.directory)
    recipient = request.query_params.get("recipient", "")
    return page(
        request, "blocks_new.html", status=status, scopes=scopes(request, directory), reasons=GIVEN_REASONS, recipient=recipient, **values
    )


async def add(request: Request) -> Response:
    form, visitor = await form_of(request), visitor_of(request)
    recipient = parse_recipient(str(form.get("recipient", "")).strip())
    reason = str(form.get("reason", ""))
    if recipient is None:
        return await _new(request, 422, given=form, wrong={"recipient": say(request, N_("This is no phone number: write it like +14155550101."))})
    if reason not in {each.value for each, _ in GIVEN_REASONS}:
        return await _new(request, 422, given=form, wrong={"reason": say(request, N_("Choose a reason."))})
    house, scope = house_of(request), str(form.get("scope", ""))
    amended = await house(
        amend.block,
        account=visitor.account,
        recipient=recipient,
        scope=scope,
        reason=Reason(reason),
        actor=visitor.actor,
        note=_note(form.get("note")),
    )
    if amended.block is None:
        return await _new(request, 422, given=form, wrong={"scope": say(request, N_("Choose where the block holds."))})
    directory = await house.read(visitor.account, Services.directory)
    request.state.subject = recipient
    request.state.detail = {"scope": amended.block.holder, "reason": amended.block.reason.value}
    name = scope_name(request, amended.block.holder, directory)
    to = str(form.get("back", "")) or "/console/blocks"
    if not amended.changed:
        return done(request, to, say(request, N_("They were blocked in %(name)s already; it is noted in the ledger."), name=name))
    undo = Undo(action="/console/blocks/undo", fields={"id": amended.block.id, "back": to})
    return done(request, to, say(request, N_("Blocked in %(name)s."), name=name), undo=undo)


def _note(given: object) -> str | None:
    return str(given or "").strip()[:NOTE_CHARS_MAX] or None


async def undo(request: Request) -> Response:
    """Take back one's own block, right after it was made. An act of its own in ledger and audit log."""
    form, visitor, house = await form_of(request), visitor_of(request), house_of(request)
    found = await house(named, account=visitor.account, ids=[str(form.get("id", ""))])
    if not found:
        raise HTTPException(404)
    block = found[0].block
    if block.actor != visitor.actor or visitor.now - block.since > timedelta(seconds=UNDO_SECONDS):
        raise HTTPException(403, "Only who blocked can undo it, and only right after: an admin can lift the block with a reason.")
    await house(
        amend.lift, account=visitor.account, recipient=block.recipient, scope=block.holder, actor=visitor.actor, note="undo"
    )
    request.state.subject = block.recipient
    return done(request, str(form.get("back", "/console/blocks")), say(request, N_("The block is taken back.")))


# ── lift ─────────────────────────────────────────────────────────────────────────────────────────────────


async def ask_lift(request: Request) -> Response:
    """Who would become reachable, and why is that right? One block, or those that were picked."""
    ids = [each for each in request.query_params.getlist("id") if each][:BULK_MAX]
    return await _lifting(request, ids)


async def _lifting(request: Request, ids: Sequence[str], status: int = 200, **values: Any) -> Response:
    house, account = house_of(request), visitor_of(request).account
    found = await house(named, account=account, ids=list(ids))
    if not found:
        raise HTTPException(404, "These blocks are lifted already.")
    directory = await house.read(account, Services.directory)
    heavy = [each for each in found if each.block.reason in CONSENT_CANNOT_LIFT]
    return page(
        request,
        "blocks_lift.html",
        status=status,
        found=found,
        heavy=heavy,
        by_start=[each for each in found if each.block.reason in START_LIFTS],
        how=lambda each: how(request, each),
        scope_name=lambda holder: scope_name(request, holder, directory),
        pool_of=lambda holder: len(directory.pool(holder)),
        **values,
    )


async def lift(request: Request) -> Response:
    form, visitor, house = await form_of(request), visitor_of(request), house_of(request)
    ids = [str(each) for each in form.getlist("id")][:BULK_MAX]
    found = await house(named, account=visitor.account, ids=ids)
    note = _note(form.get("note"))
    heavy = [each for each in found if each.block.reason in CONSENT_CANNOT_LIFT]
    wrong = {}
    if note is None:
        wrong["note"] = say(request, N_("Say why: the ledger keeps it."))
    if heavy and len(found) == 1 and str(form.get("typed", "")).strip() != heavy[0].block.recipient[-4:]:
        wrong["typed"] = say(request, N_("Type the last four digits of the number."))
    if heavy and len(found) > 1:
        wrong[""] = say(request, N_("Some of these were not made by the person: lift those one by one."))
    if wrong:
        return await _lifting(request, ids, 422, given=form, wrong=wrong)
    for each in found:
        await house(
            amend.lift,
            account=visitor.account,
            recipient=each.block.recipient,
            scope=each.block.holder,
            actor=visitor.actor,
            note=note,
        )
    request.state.subject = found[0].block.recipient if len(found) == 1 else f"{len(found)} blocks"
    request.state.detail = {"blocks": " ".join(each.block.id for each in found[:20]), "note": note or ""}
    to = str(form.get("back", "")) or "/console/blocks"
    if len(found) != 1:
        return done(request, to, say(request, N_("%(number)s blocks are lifted."), number=len(found)))
    block = found[0].block
    again = Undo(
        action="/console/blocks",
        fields={"recipient": block.recipient, "scope": block.holder, "reason": Reason.OPERATOR.value, "note": "blocked again", "back": to},
        label=N_("Block again"),
    )
    directory = await house.read(visitor.account, Services.directory)
    return done(request, to, say(request, N_("Lifted in %(name)s."), name=scope_name(request, block.holder, directory)), undo=again)


# ── would this be sent? ──────────────────────────────────────────────────────────────────────────────────


async def check(request: Request) -> Response:
    form, visitor, house = await form_of(request), visitor_of(request), house_of(request)
    directory = await house.read(visitor.account, Services.directory)
    from_, to = str(form.get("from", "")), str(form.get("to", "")).strip()
    is_service = from_ in directory.services
    question = preview.Question(to=to, service=from_ if is_service else "", from_="" if is_service else from_)
    if not from_:
        question = preview.Question(to=to)
    (answer,) = await house(preview.check, account=visitor.account, questions=[question])
    because = (await house(named, account=visitor.account, ids=[answer.because.id])) if answer.because else []
    tell = teller(request)
    return page(
        request,
        "blocks_check.html",
        given=form,
        answer=answer,
        because=because[0] if because else None,
        how=how(request, because[0]) if because else "",
        since=tell.clock(answer.because.since) if answer.because else "",
        scope=scope_name(request, answer.because.holder, directory) if answer.because else "",
        recipient=parse_recipient(to),
        scopes=scopes(request, directory),
        senders=sorted(directory.senders.values(), key=lambda each: each.created_at),
        services=directory.services.values(),
    )


routes = [
    *table("/console/blocks", index),
    shows("/console/blocks/new", new, role=Role.OPERATOR),
    acts("/console/blocks", add, role=Role.OPERATOR, act="block.added"),
    acts("/console/blocks/undo", undo, role=Role.OPERATOR, act="block.undone"),
    shows("/console/blocks/lift", ask_lift, role=Role.ADMIN),
    acts("/console/blocks/lift", lift, role=Role.ADMIN, act="block.lifted"),
    asks("/console/blocks/check", check),
]
