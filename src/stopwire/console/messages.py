"""Messages: the log with its refused sends, one message with its explanation and timeline, and the thread of a pair."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from stopwire.console import as_test
from stopwire.console.listing import Column, listing, table
from stopwire.console.queries import read
from stopwire.console.render import HEADERS, N_, Teller, done, local, page, retell, say, teller
from stopwire.console.session import acts, form_of, house_of, shows, visitor_of
from stopwire.console.snippets import calls_of_send, curl_of
from stopwire.console.timeline import timeline
from stopwire.console.verdicts import scope_name, verdict
from stopwire.core.address import group_of
from stopwire.core.consent import ConsentEvent, SealedEvent
from stopwire.core.explain import Explanation
from stopwire.core.message import Direction, Message, Purpose, Status, emptied_at
from stopwire.core.orders import Order
from stopwire.core.roles import Role
from stopwire.core.segments import count
from stopwire.core.senders import Directory
from stopwire.flows import cancel, send
from stopwire.flows.explain import explain
from stopwire.flows.story import Story, story
from stopwire.ports.store import Consent, Cut, Entry, Look, Messages, Services
from stopwire.ports.values import to_plain

PATH = "/console/messages"
THREAD = 100  # messages of a conversation shown at once
BODY_CHARS_MAX = 5000
VIEWS = ("marked", "phone", "points")

# Queries that are asked most; each is a link above the table.
SAVED = (
    (N_("all"), ""),
    (N_("in"), "dir:in"),
    (N_("out"), "dir:out"),
    (N_("refused"), "status:refused"),
    (N_("delivered"), "status:delivered"),
    (N_("failed"), "status:failed"),
    (N_("undelivered"), "status:undelivered"),
    (N_("scheduled"), "status:scheduled"),
    ("STOP", "keyword:STOP"),
    ("START", "keyword:START"),
    ("HELP", "keyword:HELP"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row: a message or a refused send, told alike."""

    id: str
    at: datetime
    inbound: bool
    person: str | None
    sender: str | None
    service: str | None
    state: str
    code: int | None
    keyword: str
    body: str
    segments: int
    media: int
    reply: bool = False  # an automatic one
    emptied_at: datetime | None = None  # when its text was erased


def line_of(entry: Entry) -> Line:
    if entry.refusal is not None:
        refused = entry.refusal
        return Line(
            id=refused.id, at=refused.at, inbound=False, person=refused.recipient, sender=refused.sender, service=refused.service,
            state="refused", code=refused.code, keyword="", body="", segments=0, media=0,
        )  # fmt: skip
    message = entry.message
    assert message is not None, "an entry is a message or a refusal"
    inbound = message.direction is Direction.INBOUND
    return Line(
        id=message.sid,
        at=message.created_at,
        inbound=inbound,
        person=message.recipient,
        sender=message.sender,
        service=message.service,
        state=message.status.value,
        code=message.error_code,
        keyword=str(message.decision.get("keyword") or "") if inbound else "",
        body=message.body,
        segments=message.segments,
        media=message.media,
        reply=message.purpose is Purpose.KEYWORD_REPLY,
        emptied_at=emptied_at(message),
    )


COLUMNS: tuple[Column[Line], ...] = (
    Column(name="id", value=lambda line: line.id),
    Column(name="at", value=lambda line: line.at, title=N_("Time")),
    Column(name="direction", value=lambda line: "in" if line.inbound else "out", title=N_("Way"), priority=2),
    Column(name="person", value=lambda line: line.person, title=N_("Person"), person=True),
    Column(name="state", value=lambda line: line.state, title=N_("State")),
    Column(name="code", value=lambda line: line.code),
    Column(name="keyword", value=lambda line: line.keyword),
    Column(name="sender", value=lambda line: line.sender, title=N_("Sender"), priority=2),
    Column(name="service", value=lambda line: line.service, title=N_("Messaging service"), priority=3),
    Column(name="text", value=lambda line: line.body, title=N_("Text"), priority=2),
    Column(name="segments", value=lambda line: line.segments, title=N_("Segments"), figure=True, priority=3),
)


async def index(request: Request) -> Response:
    house, account = house_of(request), visitor_of(request).account
    directory = await house.read(account, Services.directory)
    asked = request.query_params.get("q", "").strip()
    plain = request.url.path.endswith((".json", ".csv"))
    query = read(asked, directory, visitor_of(request).now)
    if query.id and not plain:
        return done(request, f"{PATH}/{query.id}")

    look = Look(entries=())

    async def ask(cut: Cut) -> Sequence[Line]:
        """A page shows what one look finds; a twin goes on until it has all, look by look."""
        nonlocal look
        found: list[Line] = []
        while not query.problem:
            look = await house.read(account, Messages.look, query.wanted, cut)
            found += map(line_of, look.entries)
            if look.seen_to is None or not plain:
                break
            cut = replace(cut, limit=cut.limit - len(look.entries), after=look.seen_to)
        return found

    async def many(ids: list[str]) -> Sequence[Line]:
        found = await house.read(account, Messages.many, [sid for sid in ids if not sid.startswith("RF")])
        return [line_of(Entry(id=message.sid, at=message.created_at, message=message)) for message in found]

    return await listing(
        request,
        "messages.html",
        columns=COLUMNS,
        ask=ask,
        id_of=lambda line: line.id,
        many=many,
        topics="message.",
        asked=asked,
        saved=SAVED,
        stopped=lambda: look.seen_to,
        looked_to=lambda: look.seen_at,
        names={service.sid: service.friendly_name for service in directory.services.values()},
        problem=say(request, query.problem, term=query.term) if query.problem else "",
    )


# ── one message ──────────────────────────────────────────────────────────────────────────────────────────


async def show(request: Request) -> Response:
    house, account, sid = house_of(request), visitor_of(request).account, request.path_params["sid"]
    told = await house(story, account=account, id=sid)
    if told.message is None and told.refusal is None:
        raise HTTPException(404)
    directory = await house.read(account, Services.directory)
    explained = (await house(explain, account=account, id=sid)).explanation
    assert explained is not None, "the story was found a moment ago"
    cause = await _cause(request, told, explained)
    at = told.message.created_at if told.message else told.refusal.at if told.refusal else visitor_of(request).now
    facts = line_of(Entry(id=sid, at=at, message=told.message, refusal=told.refusal))
    view = request.query_params.get("view", "")
    body = told.message.body if told.message else ""
    return page(
        request,
        "message.html",
        sid=sid,
        told=told,
        line=timeline(request, told, directory),
        facts=facts,
        explained=_shown(request, explained, verdict(request, told, cause, directory), directory, facts.person),
        service=directory.services.get(facts.service or ""),
        views=VIEWS,
        view=view if view in VIEWS else "marked",
        points=_points(body) if view == "points" else [],
        counted=count(body),
        calls=_calls(request, told, sid, await as_test.written(request, told, directory)),
        cancelable=told.message is not None and told.message.status is Status.SCHEDULED,
        resendable=_resendable(told),
    )


async def _cause(request: Request, told: Story, explained: Explanation) -> ConsentEvent | None:
    """The event that closed the scope, where one did."""
    because = told.refusal.because if told.refusal else None
    id = str(because.get("event") or "") if because else next((check.event for check in explained.checked if check.event), "")
    if not id:
        return None
    found: SealedEvent | None = await house_of(request).read(visitor_of(request).account, Consent.event, id)
    return found.event if found else None


_LINKS = {
    "message": PATH + "/", "consent_event": "/console/ledger/", "webhook": "/console/webhooks/deliveries/", "suggestion": "/console/review/",
}  # fmt: skip


def _shown(request: Request, told: Explanation, sentence: str, directory: Directory, person: str | None) -> dict[str, Any]:
    """An explanation as its macro takes it."""
    evidence = []
    for proof in told.evidence:
        href = _LINKS[proof.kind] + quote(proof.id, safe="") if proof.kind in _LINKS else ""
        if proof.kind == "policy":
            href = f"/console/services/{quote(proof.id.partition('/')[0], safe='')}/opt-out"
        evidence.append({"text": retell(request, proof.text), "href": href, "at": proof.at})
    checked = [{"ok": not check.blocked, "text": scope_name(request, check.scope, directory)} for check in told.checked]
    following = [{"text": retell(request, each), "href": ""} for each in told.next]
    if person:
        href = f"/console/recipients/{quote(person, safe='')}"
        following.append({"text": say(request, N_("Open the standing and history of this person")), "href": href})
    return {"verdict": sentence, "why": [retell(request, each) for each in told.why], "evidence": evidence, "checked": checked, "next": following}


def _points(body: str) -> list[tuple[str, str]]:
    return [(f"U+{ord(char):04X}", unicodedata.name(char, "–")) for char in body[:500]]


def _calls(request: Request, told: Story, sid: str, test: str) -> dict[str, str]:
    base, account = house_of(request).choices.public_url, visitor_of(request).account
    calls = {"curl": curl_of("GET", f"{base}/api/v1/messages/{sid}/explain", account), "CLI": f"stopwire messages explain {sid}"}
    if test:
        calls["pytest"] = test
    message = told.message
    if message is not None and message.direction is not Direction.INBOUND and message.purpose is Purpose.MESSAGE:
        to = teller(request).number(message.recipient)
        again = calls_of_send(
            base=base, account=account, to=to, from_=message.sender or "", service=message.service or "", body=message.body
        )
        calls |= {say(request, N_("%(way)s, send it again"), way=way): again[way] for way in ("curl", "Python")}
    return calls


def _resendable(told: Story) -> bool:
    message = told.message
    return (
        message is not None
        and message.direction is not Direction.INBOUND
        and message.purpose is Purpose.MESSAGE
        and bool(message.body)
        and not message.media
    )


async def show_json(request: Request) -> Response:
    """The message as it is kept, its story and its explanation. Numbers stand as this visitor may see them."""
    house, account, sid = house_of(request), visitor_of(request).account, request.path_params["sid"]
    told = await house(story, account=account, id=sid)
    if told.message is None and told.refusal is None:
        raise HTTPException(404)
    explained = (await house(explain, account=account, id=sid)).explanation
    return JSONResponse(_masked({"story": to_plain(told), "explanation": to_plain(explained)}, teller(request)), headers=HEADERS)


_NUMBERS = frozenset({"recipient", "From", "To", "to", "from"})


def _masked(value: Any, tell: Teller, name: str = "") -> Any:
    if isinstance(value, dict):
        return {each: _masked(inner, tell, each) for each, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, tell, name) for inner in value]
    return tell.number(value) if name in _NUMBERS and isinstance(value, str) else value


async def raw(request: Request) -> Response:
    """The text alone, byte for byte, as nothing that a browser would run."""
    message = await _message(request)
    return PlainTextResponse(message.body, headers={**HEADERS, "Content-Disposition": f'inline; filename="{message.sid}.txt"'})


async def _message(request: Request) -> Message:
    found: Message | None = await house_of(request).read(
        visitor_of(request).account, Messages.get, request.path_params["sid"], any_purpose=True
    )
    if found is None:
        raise HTTPException(404)
    return found


async def resend(request: Request) -> Response:
    message = await _message(request)
    order = Order(to=message.recipient, from_="" if message.service else message.sender or "", service=message.service or "", body=message.body)
    return await _sent(request, order)


async def _sent(request: Request, order: Order, back: str = "") -> Response:
    """Send, and go to what became of it."""
    sent = await house_of(request)(send.send, account=visitor_of(request).account, orders=[order])
    receipt = sent.receipts[0]
    id = receipt.message.sid if receipt.message else receipt.refusal or ""
    request.state.subject, request.state.detail = id, {"error": receipt.refused.code if receipt.refused else None}
    if receipt.refused is not None:
        return done(request, back or f"{PATH}/{id}", say(request, N_("Refused with error %(code)s; nothing was sent."), code=receipt.refused.code))
    return done(request, back or f"{PATH}/{id}", say(request, N_("Accepted as %(sid)s."), sid=id))


async def take_back(request: Request) -> Response:
    sid = request.path_params["sid"]
    changed = await house_of(request)(cancel.cancel, account=visitor_of(request).account, sid=sid)
    if changed.refused is not None:
        raise HTTPException(409, changed.refused.message)
    if changed.message is None:
        raise HTTPException(404)
    return done(request, f"{PATH}/{sid}", say(request, N_("Canceled; nothing was sent.")))


# ── a conversation ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What stands in a thread: a text, or a change of standing as a rule across it."""

    at: datetime
    line: Line | None = None
    event: ConsentEvent | None = None
    scope: str = ""


async def converse(request: Request) -> Response:
    return await _conversation(request)


async def _conversation(request: Request, status: int = 200, **values: Any) -> Response:
    house, account = house_of(request), visitor_of(request).account
    sender, recipient = request.path_params["sender"], request.path_params["recipient"]
    directory = await house.read(account, Services.directory)
    ours = directory.sender_at(sender)
    after = request.query_params.get("after")
    entries = await house.read(account, Messages.between, sender, recipient, Cut(limit=THREAD + 1, after=after))
    older = entries[THREAD - 1].id if len(entries) > THREAD else None
    entries = entries[:THREAD]
    if ours is None and not entries:
        raise HTTPException(404)
    events = await house.read(account, Consent.events, Cut(limit=THREAD), recipient)
    since, until = (entries[-1].at if older and entries else None), (entries[0].at if after and entries else None)
    home = directory.home(ours).scopes if ours else ()
    turns = [Turn(at=entry.at, line=line_of(entry)) for entry in entries] + [
        Turn(at=each.event.recorded_at, event=each.event, scope=scope_name(request, each.event.holder, directory))
        for each in events
        if each.event.holder in home and (since is None or each.event.recorded_at >= since) and (until is None or each.event.recorded_at <= until)
    ]
    turns.sort(key=lambda turn: (turn.at, 1 if turn.event else 0 if turn.line and turn.line.inbound else 2))
    blocks = await house.read(account, Consent.blocks_of, group_of(recipient), recipient)
    return page(
        request,
        "conversation.html",
        status=status,
        sender=sender,
        ours=ours,
        recipient=recipient,
        turns=turns,
        older=older,
        blocked=[(block, scope_name(request, block.holder, directory)) for block in blocks if block.holder in home],
        **values,
    )


async def reply(request: Request) -> Response:
    form = await form_of(request)
    body = str(form.get("body", "")).replace("\r\n", "\n")[:BODY_CHARS_MAX]
    if not body.strip():
        return await _conversation(request, 422, given=form, wrong={"body": say(request, N_("Write something first."))})
    sender, recipient = request.path_params["sender"], request.path_params["recipient"]
    return await _sent(request, Order(to=recipient, from_=sender, body=body), back=local(conversation_path(sender, recipient)))


def conversation_path(sender: str, recipient: str) -> str:
    return f"/console/conversations/{quote(sender, safe='')}/{quote(recipient, safe='')}"


routes = [
    *table(PATH, index),
    shows(PATH + "/{sid}.json", show_json),
    shows(PATH + "/{sid}/raw", raw),
    shows(PATH + "/{sid}", show),
    acts(PATH + "/{sid}/resend", resend, role=Role.OPERATOR, act="message.resent"),
    acts(PATH + "/{sid}/cancel", take_back, role=Role.OPERATOR, act="message.canceled"),
    shows("/console/conversations/{sender}/{recipient}", converse),
    acts("/console/conversations/{sender}/{recipient}", reply, role=Role.OPERATOR, act="message.sent"),
]
