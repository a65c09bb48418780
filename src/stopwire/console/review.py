"""The review queue: what looked like an opt-out and was no keyword. A person reads it and decides, by keyboard if they like."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from stopwire.console.listing import Column, listing, table
from stopwire.console.render import HEADERS, N_, Undo, done, say, url_with
from stopwire.console.session import acts, form_of, house_of, shows, visitor_of
from stopwire.console.verdicts import scope_name
from stopwire.core.address import group_of
from stopwire.core.consent import CONSENT_CANNOT_LIFT, Block
from stopwire.core.jobs import Review
from stopwire.core.message import Message
from stopwire.core.roles import Role
from stopwire.core.spelling import key
from stopwire.flows import review as reviews
from stopwire.flows.review import Finding
from stopwire.ports.house import House
from stopwire.ports.store import Consent, Cut, MessageFilter, Messages, Services, Suggestions

STATES = ("open", "confirmed", "dismissed", "expired")
ALIKE_MAX = 200  # open suggestions among which those with the same words are sought
AROUND = 6  # texts before the one in question
SENT_WITHIN = timedelta(minutes=1)
NOTE_CHARS_MAX = 1000

# Why the machine put it here.
REASONS = {
    "near_keyword": N_("It is close to a keyword, but it is not one: exact matching acts on a single word alone."),
    "removed_word": N_("It is a usual word that this messaging service does not have in its list."),
    "other_language": N_("It is a keyword of another language, which is not in the lists in force here."),
    "phrase": N_("It reads like a wish to hear no more, said in a sentence."),
    "wrong_number": N_("It reads as if somebody else has this number."),
    "soft": N_("It sounds displeased, without asking for anything."),
    "start_refused": N_("START did not lift the block: it was not made by the person's own word."),
}
FINDINGS = (
    (Finding.OPT_OUT, "c", N_("Opt out"), "stop"),
    (Finding.WRONG_NUMBER, "w", N_("Wrong number"), "stop"),
    (Finding.WANTS_TEXTS, "s", N_("Wants texts"), "good"),
    (Finding.HELP, "h", N_("Asks for help"), "move"),
    (Finding.NOTHING, "d", N_("Not an opt-out"), ""),
)
_DONE = {
    Finding.OPT_OUT: N_("Blocked in %(name)s: an opt-out."),
    Finding.WRONG_NUMBER: N_("Blocked in %(name)s: a wrong number."),
    Finding.WANTS_TEXTS: N_("Lifted where it could be: they want texts."),
    Finding.HELP: N_("Noted as a question. Answer it in the conversation."),
    Finding.NOTHING: N_("Dismissed: not an opt-out."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """The suggestion that is looked at, and what a person needs to decide it."""

    review: Review
    before: Sequence[Message]  # the thread before it, oldest first
    message: Message | None
    blocks: Sequence[Block]
    alike: Sequence[Review]
    confirmed_until: datetime | None  # until then an opt-out that is found is also confirmed to the person


async def index(request: Request) -> Response:
    house, account, query = house_of(request), visitor_of(request).account, request.query_params
    state = query.get("state", "open")
    state = state if state in STATES else "open"
    directory = await house.read(account, Services.directory)

    async def ask(cut: Cut) -> list[Review]:
        return await house.read(account, Suggestions.page, cut, state)

    async def many(ids: list[str]) -> list[Review]:
        found = [await house.read(account, Suggestions.get, id) for id in ids]
        return [each for each in found if each is not None]

    detail = None
    if not request.url.path.endswith((".json", ".csv")) and "rows" not in query and "rows_after" not in query:
        detail = await _detail(house, account, query.get("id", ""), state)
    columns: list[Column[Review]] = [
        Column(name="id", value=lambda r: r.id),
        Column(name="body", title=N_("Text"), value=lambda r: r.body),
        Column(name="proposes", title=N_("Looks like"), value=lambda r: r.proposes, priority=2),
        Column(name="recipient", title=N_("From"), value=lambda r: r.recipient, person=True, priority=2),
        Column(name="scope", value=lambda r: r.scope),
        Column(name="state", value=lambda r: r.state),
        Column(name="reason", value=lambda r: r.reason),
        Column(name="confidence", value=lambda r: r.confidence),
        Column(name="due_at", title=N_("Decide by"), value=lambda r: r.due_at),
        Column(name="decided_by", value=lambda r: r.decided_by),
    ]
    return await listing(
        request,
        "review.html",
        columns=columns,
        ask=ask,
        id_of=lambda each: each.id,
        many=many,
        topics="suggestion.",
        state=state,
        states=STATES,
        detail=detail,
        findings=FINDINGS,
        reasons=REASONS,
        may_lift=_may_lift(request, detail),
        selected=detail.review.id if detail else "",
        scope_name=lambda holder: scope_name(request, holder, directory),
        open_at=lambda id: url_with(request, id=id),
    )


def _may_lift(request: Request, detail: Detail | None) -> bool:
    """Whether this visitor may say “wants texts”: a lift is an admin's."""
    return detail is not None and (not detail.blocks or visitor_of(request).role.may(Role.ADMIN))


async def _detail(house: House, account: str, id: str, state: str) -> Detail | None:
    """The suggestion named, else the newest of the list."""
    if id:
        review = await house.read(account, Suggestions.get, id)
        if review is None:
            raise HTTPException(404)
    else:
        newest = await house.read(account, Suggestions.page, Cut(limit=1), state)
        if not newest:
            return None
        review = newest[0]
    message = await house.read(account, Messages.get, review.message) if review.message else None
    # What was asked for before it may have been sent after it: a little more is read, and told by when it was asked for.
    near = MessageFilter(recipient=review.recipient, sender=review.sender, until=review.created_at + SENT_WITHIN)
    thread = await house.read(account, Messages.page, near, Cut(limit=4 * AROUND))
    thread = [each for each in thread if each.created_at <= review.created_at and each.sid != review.message][:AROUND]
    blocks = await house.read(account, Consent.blocks_of, group_of(review.recipient), review.recipient)
    alike: list[Review] = []
    if review.state == "open":
        others = await house.read(account, Suggestions.page, Cut(limit=ALIKE_MAX), "open")
        alike = [each for each in others if each.id != review.id and key(each.body) == key(review.body) and each.proposes == review.proposes]
    return Detail(
        review=review,
        before=thread[::-1],
        message=message,
        blocks=blocks,
        alike=alike,
        confirmed_until=await house(reviews.confirmed_until, account=account, review=review),
    )


async def one(request: Request) -> Response:
    """A suggestion has its place in the queue."""
    id = request.path_params["id"]
    found = await house_of(request).read(visitor_of(request).account, Suggestions.get, id)
    if found is None:
        raise HTTPException(404)
    return RedirectResponse(f"/console/review?state={found.state}&id={quote(id, safe='')}", 303, headers=HEADERS)


async def decide(request: Request) -> Response:
    form, visitor, house = await form_of(request), visitor_of(request), house_of(request)
    finding = _finding(form.get("finding"))
    detail = await _detail(house, visitor.account, request.path_params["id"], "open")
    if detail is None:
        raise HTTPException(404)
    targets = [detail.review, *(detail.alike if form.get("alike") == "on" else ())]
    if finding is Finding.WANTS_TEXTS:
        await _check_lift(house, visitor.account, targets, admin=visitor.role.may(Role.ADMIN))
    note = str(form.get("note", "")).strip()[:NOTE_CHARS_MAX] or None
    decided = confirmed = 0
    for each in targets:
        found = await house(reviews.find, account=visitor.account, id=each.id, finding=finding, actor=visitor.actor, note=note)
        decided, confirmed = decided + found.changed, confirmed + (found.reply is not None)
    request.state.subject = detail.review.recipient if decided == 1 else f"{decided} suggestions"
    request.state.detail = {"finding": finding.value, "ids": " ".join(each.id for each in targets[:20])}
    if not decided:
        return done(request, "/console/review", say(request, N_("Somebody decided it meanwhile.")))
    if finding is Finding.HELP and detail.review.sender:
        address = f"/console/conversations/{quote(detail.review.sender, safe='')}/{quote(detail.review.recipient, safe='')}"
        return done(request, address, say(request, _DONE[finding]))
    directory = await house.read(visitor.account, Services.directory)
    told = say(request, _DONE[finding], name=scope_name(request, detail.review.scope, directory))
    if decided > 1:
        told = say(request, N_("%(number)s alike are decided."), number=decided)
    if confirmed:
        told += " " + say(request, N_("Its confirmation leaves in %(seconds)s seconds."), seconds=int(reviews.CONFIRM_AFTER.total_seconds()))
    undo = None
    if finding is not Finding.WANTS_TEXTS:
        undo = Undo(action="/console/review/undo", fields={"ids": " ".join(each.id for each in targets)})
    return done(request, "/console/review", told, undo=undo)


def _finding(given: object) -> Finding:
    try:
        return Finding(str(given))
    except ValueError:
        raise HTTPException(422, "There is no such finding.") from None


async def _check_lift(house: House, account: str, targets: Sequence[Review], *, admin: bool) -> None:
    """A lift is an admin's; and what the person did not make is lifted in the block list, with its digits typed."""
    for each in targets:
        blocks = await house.read(account, Consent.blocks_of, group_of(each.recipient), each.recipient)
        if blocks and not admin:
            raise HTTPException(403, "They are blocked, and lifting needs the role admin: leave it to one, or dismiss it.")
        if len(targets) > 1 and any(block.reason in CONSENT_CANNOT_LIFT for block in blocks):
            raise HTTPException(422, "Some of these blocks were not made by the person: decide them one by one.")


async def undo(request: Request) -> Response:
    form, visitor, house = await form_of(request), visitor_of(request), house_of(request)
    ids = str(form.get("ids", "")).split()[:ALIKE_MAX]
    undone: list[Any] = [await house(reviews.undo, account=visitor.account, id=id, actor=visitor.actor) for id in ids]
    if not any(each.changed for each in undone) and any(each.told for each in undone):
        raise HTTPException(409, "The confirmation has left: the person knows. Lift the block in the block list, with a reason.")
    if not any(each.changed for each in undone):
        raise HTTPException(403, "Only who decided can undo it, and only right after.")
    request.state.detail = {"ids": " ".join(ids[:20])}
    return done(request, "/console/review", say(request, N_("Taken back: it is open again.")))


routes = [
    *table("/console/review", index),
    acts("/console/review/undo", undo, role=Role.OPERATOR, act="suggestion.undone"),
    shows("/console/review/{id}", one),
    acts("/console/review/{id}", decide, role=Role.OPERATOR, act="suggestion.decided"),
]
