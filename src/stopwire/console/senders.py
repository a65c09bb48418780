"""Senders: the addresses that texts leave from, what a STOP does at each, where its inbound texts go; add, set, give back."""

from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.listing import Column, listing, table
from stopwire.console.render import N_, done, page, say
from stopwire.console.session import acts, form_of, house_of, shows, visitor_of
from stopwire.console.short_lists import piece
from stopwire.console.snippets import calls_of_send
from stopwire.console.verdicts import scope_name
from stopwire.core.address import SenderKind
from stopwire.core.connections import SIMULATOR
from stopwire.core.errors import Refused
from stopwire.core.optout import Handling, handling
from stopwire.core.orders import Order
from stopwire.core.roles import Role
from stopwire.core.senders import Directory, Home, Sender, named_for
from stopwire.flows import connect, numbers, send
from stopwire.flows.connect import Wanted
from stopwire.flows.numbers import MPS_MAX, SenderChange
from stopwire.ports.store import Cut, Services

KINDS = {
    SenderKind.LONG_CODE: N_("long code"),
    SenderKind.TOLL_FREE: N_("toll-free"),
    SenderKind.SHORT_CODE: N_("short code"),
    SenderKind.ALPHANUMERIC: N_("name"),
    SenderKind.WHATSAPP: N_("WhatsApp"),
    SenderKind.RCS: N_("RCS"),
}
HANDLINGS = {
    Handling.ADVANCED: N_("Advanced Opt-Out"),
    Handling.DEFAULT: N_("default words"),
    Handling.NONE: N_("none"),
}
_FIELDS = {21402: "sms_url", 21406: "sms_fallback_url", 20002: "friendly_name", 21421: "address", 21422: "address"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a STOP to a sender does, in sentences; and what waits for somebody to look at it."""

    handling: Handling
    sentences: tuple[str, ...]
    warning: str = ""


async def _directory(request: Request) -> Directory:
    return await house_of(request).read(visitor_of(request).account, Services.directory)


async def _connections(request: Request) -> dict[str, str]:
    """The names of the connections, by SID."""
    seen = await house_of(request)(connect.connections, account=visitor_of(request).account)
    return {each.connection.sid: each.connection.name for each in seen}


def told_of(request: Request, home: Home, directory: Directory) -> Told:
    """What happens to a STOP, START or HELP that reaches this sender. The rules are `core/optout`'s; here they get words."""
    kind, found = home.sender.kind, handling(home)
    if kind is SenderKind.ALPHANUMERIC:
        return Told(
            handling=found,
            sentences=(say(request, N_("Nobody can answer a name, so it hears no STOP. Give people another way to opt out, such as a link.")),),
        )
    sentences = []
    name = home.service.friendly_name if home.service else ""
    if found is Handling.ADVANCED:
        sentences.append(say(request, N_("The words and replies of %(service)s decide: its Advanced Opt-Out is on."), service=name))
    elif found is Handling.DEFAULT:
        sentences.append(say(request, N_("The default words STOP, START and HELP and their kin act, and Stopwire answers with the default replies.")))
    warning = ""
    if found is Handling.NONE:
        told = N_(
            "A STOP does nothing here: senders of this kind (%(kind)s) have no default handling. It goes to your application as an ordinary message, "
            "and the person still gets texts."
        )
        warning = say(request, told, kind=say(request, KINDS[kind]))
        sentences.append(say(request, N_("Switch on Advanced Opt-Out in its messaging service, or switch on the default words below.")))
    if kind is SenderKind.TOLL_FREE:
        sentences.append(say(request, N_(
            "The toll-free network answers STOP, START and UNSTOP itself and keeps a block of its own, which nobody here can lift: "
            "Stopwire records them, stays silent, and answers HELP and the other words."
        )))  # fmt: skip
    if kind is SenderKind.WHATSAPP:
        sentences.append(say(request, N_("A block on WhatsApp holds for WhatsApp alone: texts by SMS still reach the person.")))
    sentences.extend(_scope_of(request, home, directory, acts=found is not Handling.NONE))
    return Told(handling=found, sentences=tuple(sentences), warning=warning)


def _scope_of(request: Request, home: Home, directory: Directory, *, acts: bool) -> list[str]:
    told = []
    if acts and home.holder == directory.account.sid:
        told.append(say(request, N_("A STOP holds for every sender of this account.")))
    elif acts and home.service:
        size = len(directory.pool(home.service.sid))
        told.append(say(request, N_("A STOP holds for all senders of %(service)s, now %(count)s."), service=home.service.friendly_name, count=size))
    elif acts:
        told.append(say(request, N_("A STOP holds for this sender alone: it is in no messaging service.")))
    if home.sender.inherited:
        names = ", ".join(scope_name(request, each, directory) for each in home.sender.inherited)
        told.append(say(request, N_("It also keeps the blocks of where it was before: %(names)s."), names=names))
    return told


# ── the list, and a new one ──────────────────────────────────────────────────────────────────────────────


async def index(request: Request) -> Response:
    directory, names = await _directory(request), await _connections(request)
    wanted = request.query_params.get("kind", "")
    every = sorted(directory.senders.values(), key=lambda each: (each.created_at, each.sid), reverse=True)
    senders = [each for each in every if not wanted or each.kind.value == wanted]
    columns: list[Column[Sender]] = [
        Column(name="sid", value=lambda s: s.sid),
        Column(name="address", title=N_("Address"), value=lambda s: s.address),
        Column(name="kind", title=N_("Kind"), value=lambda s: s.kind.value),
        Column(name="country", title=N_("Country"), value=lambda s: s.country or " ".join(named_for(s) or ()) or None, priority=3),
        Column(name="handling", title=N_("A STOP meets"), value=lambda s: handling(directory.home(s)).value),
        Column(name="service", title=N_("Messaging service"), value=lambda s: s.service, priority=2),
        Column(name="connection", title=N_("Carrier"), value=lambda s: names.get(s.connection, s.connection), priority=3),
        Column(name="name", title=N_("Name"), value=lambda s: s.friendly_name, priority=3),
    ]

    async def ask(cut: Cut) -> list[Sender]:
        return piece(senders, cut, lambda each: each.sid)

    counts = {kind: sum(each.kind is kind for each in every) for kind in KINDS}
    return await listing(
        request,
        "senders.html",
        columns=columns,
        ask=ask,
        id_of=lambda each: each.sid,
        directory=directory,
        names=names,
        kinds=KINDS,
        counts=counts,
        wanted=wanted,
        handlings=HANDLINGS,
        handling_of=lambda sender: handling(directory.home(sender)),
        named_for=named_for,
    )


async def new(request: Request) -> Response:
    return await _new(request)


async def _new(request: Request, status: int = 200, **values: Any) -> Response:
    return page(request, "senders_new.html", status=status, connections=await _connections(request), **values)


async def add(request: Request) -> Response:
    form, visitor = await form_of(request), visitor_of(request)
    connection = _text(form, "connection") or SIMULATOR
    if connection not in await _connections(request):
        raise HTTPException(404)
    named = SenderChange(friendly_name=_text(form, "friendly_name") or None)
    changed = await house_of(request)(
        numbers.add_sender, account=visitor.account, address=_text(form, "address"), change=named, connection=connection
    )
    if changed.sender is None:
        return await _new(request, 422, given=form, wrong=_wrong(request, changed.refused))
    made = changed.sender
    request.state.subject, request.state.detail = made.sid, {"address": made.address}
    told = N_("%(address)s is there. Put it into a messaging service, or set where its texts go.")
    return done(request, f"/console/senders/{made.sid}", say(request, told, address=made.address))


def _wrong(request: Request, refused: Refused | None) -> dict[str, str]:
    if refused is None:
        return {"": say(request, N_("Nothing was changed."))}
    sentences = {
        21421: N_("This is no sender: write a number like +14155550100, a short code, or whatsapp: and a number."),
        21422: N_("Somebody has this address already."),
    }
    told = say(request, sentences[refused.code]) if refused.code in sentences else refused.message
    return {_FIELDS.get(refused.code, ""): f"{told} [{refused.code}]"}


# ── one sender ───────────────────────────────────────────────────────────────────────────────────────────


async def _found(request: Request) -> tuple[Directory, Sender]:
    directory = await _directory(request)
    sender = directory.senders.get(request.path_params["sid"])
    if sender is None:
        raise HTTPException(404)
    return directory, sender


async def show(request: Request) -> Response:
    return await _shown(request, *await _found(request))


async def _shown(request: Request, directory: Directory, sender: Sender, status: int = 200, **values: Any) -> Response:
    home = directory.home(sender)
    calls = calls_of_send(
        base=house_of(request).choices.public_url, account=directory.account.sid, to="+14155550199", from_=sender.address, service="", body="Hello"
    )  # fmt: skip
    return page(
        request,
        "sender.html",
        status=status,
        sender=sender,
        home=home,
        told=told_of(request, home, directory),
        handlings=HANDLINGS,
        kinds=KINDS,
        connections=await _connections(request),
        mps_max=MPS_MAX,
        calls=calls,
        **values,
    )


async def change(request: Request) -> Response:
    directory, sender = await _found(request)
    form, account, house = await form_of(request), visitor_of(request).account, house_of(request)
    mps = _text(form, "mps")
    if mps and not (mps.replace(".", "", 1).isascii() and mps.replace(".", "", 1).isdigit() and 0 < float(mps) <= MPS_MAX):
        sentence = say(request, N_("Messages a second are a number above 0, at most %(most)s; empty means no limit."), most=int(MPS_MAX))
        return await _shown(request, directory, sender, 422, given=form, wrong={"mps": sentence})
    stop = _text(form, "default_opt_out")
    wanted = SenderChange(
        friendly_name=_text(form, "friendly_name"),
        sms_url=_text(form, "sms_url"),
        sms_fallback_url=_text(form, "sms_fallback_url"),
        default_opt_out={"on": True, "off": False}.get(stop),
        mps=float(mps) if mps else None,
        reset=(*(() if mps else ("mps",)), *(() if stop in ("on", "off") else ("default_opt_out",))),
    )
    changed = await house(numbers.update_sender, account=account, sender=sender.sid, change=wanted)
    if changed.sender is None:
        return await _shown(request, directory, sender, 422, given=form, wrong=_wrong(request, changed.refused))
    request.state.detail = {"address": sender.address}
    return done(request, f"/console/senders/{sender.sid}", say(request, N_("%(address)s is changed."), address=sender.address))


async def move(request: Request) -> Response:
    """Put the sender on another connection; what waits for it goes along."""
    directory, sender = await _found(request)
    form = await form_of(request)
    to = _text(form, "connection")
    names = await _connections(request)
    if to not in names:
        raise HTTPException(404)
    wanted = Wanted(senders=(sender.address,))
    changed = await house_of(request)(connect.change, account=visitor_of(request).account, name=to, wanted=wanted, origin="api")
    if changed.seen is None:
        sentence = changed.problems[0].message if changed.problems else ""
        return await _shown(request, directory, sender, 422, given=form, wrong={"connection": sentence})
    request.state.detail = {"address": sender.address, "connection": names[to]}
    told = say(request, N_("%(address)s speaks through %(carrier)s now."), address=sender.address, carrier=names[to])
    return done(request, f"/console/senders/{sender.sid}", told)


async def try_it(request: Request) -> Response:
    directory, sender = await _found(request)
    form = await form_of(request)
    to, body = _text(form, "to"), _text(form, "body")
    wrong = {name: say(request, N_("Write something first.")) for name, text in (("to", to), ("body", body)) if not text}
    if wrong:
        return await _shown(request, directory, sender, 422, given=form, wrong=wrong)
    sent = await house_of(request)(send.send, account=visitor_of(request).account, orders=[Order(to=to, from_=sender.address, body=body)])
    receipt = sent.receipts[0]
    id = receipt.message.sid if receipt.message else receipt.refusal or ""
    request.state.subject, request.state.detail = id, {"error": receipt.refused.code if receipt.refused else None}
    if receipt.refused is not None:
        told = say(request, N_("Refused with error %(code)s; nothing was sent."), code=receipt.refused.code)
    else:
        told = say(request, N_("Accepted as %(sid)s."), sid=id)
    return done(request, f"/console/messages/{id}", told)


async def release(request: Request) -> Response:
    directory, sender = await _found(request)
    form = await form_of(request)
    if _text(form, "typed") != sender.address:
        sentence = say(request, N_("Type the address, as it stands above, to give it back."))
        return await _shown(request, directory, sender, 422, given=form, wrong={"typed": sentence})
    await house_of(request)(numbers.release, account=visitor_of(request).account, sender=sender.sid)
    request.state.detail = {"address": sender.address}
    told = say(request, N_("%(address)s is given back. Its blocks stay, and wait for whoever of this account gets it again."), address=sender.address)
    return done(request, "/console/senders", told)


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""


_ONE = "/console/senders/{sid}"
routes = [
    *table("/console/senders", index),
    shows("/console/senders/new", new, role=Role.ADMIN),
    acts("/console/senders", add, role=Role.ADMIN, act="sender.added"),
    shows(_ONE, show),
    acts(_ONE, change, role=Role.ADMIN, act="sender.changed"),
    acts(f"{_ONE}/carrier", move, role=Role.ADMIN, act="sender.moved"),
    acts(f"{_ONE}/test", try_it, role=Role.OPERATOR, act="message.sent"),
    acts(f"{_ONE}/release", release, role=Role.ADMIN, act="sender.released"),
]
