"""The simulator: handsets side by side, what an application sends them, and the trace of the last text.

The address holds everything: which handsets stand there (`phone`) and whose trace is shown (`trace`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stopwire.console import as_test
from stopwire.console import chaos as weather
from stopwire.console.render import N_, done, page, say
from stopwire.console.session import acts, form_of, house_of, shows, visitor_of
from stopwire.console.snippets import calls_of_send
from stopwire.console.timeline import timeline
from stopwire.core.address import SenderKind, country_of, group_of, national_format, number_of, parse_recipient
from stopwire.core.chaos import CALM, unusual
from stopwire.core.handsets import HANDSETS
from stopwire.core.jobs import HandsetMessage
from stopwire.core.message import Direction, Message
from stopwire.core.orders import Order
from stopwire.core.roles import Role
from stopwire.core.senders import Directory, Sender
from stopwire.flows import rehearse, send
from stopwire.flows.story import story
from stopwire.ports.carrier import Fate
from stopwire.ports.store import Cut, Handsets, MessageFilter, Messages, Services

PATH = "/console/simulator"
PHONES_MAX = 8
BUBBLES = 60  # of one handset
BODY_CHARS_MAX = 5000
WORDS = (("STOP", "stop", "■"), ("START", "good", "▶"), ("HELP", "move", "?"))
PARTS = ("2", "3", "2,1", "3,1,2")  # how a long text may be cut: how many parts, or in which order

FATES: dict[str, str] = {  # what is said of a text that did not arrive at once
    Fate.ON_ITS_WAY: N_("The network has the text; it is late."),
    Fate.LOST: N_("The network lost the text. Nobody but you knows."),
}

# People to begin with, and their numbers: reserved for fiction where a country reserves any.
NAMES = {
    "+14155550101": "Ann",
    "+525555550101": "Cruz",
    "+14155550102": "Ben",
    "+16045550101": "Dee",
    "whatsapp:+14155550103": "Wen",
}
FIRST = ("+14155550101", "+525555550101")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """One text as the phone shows it, and how its delivery stands on our side."""

    message: HandsetMessage
    status: str = ""
    sid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handset:
    id: str  # in the page
    address: str
    name: str
    country: str | None
    channel: str
    thread: Sequence[Bubble]
    senders: Sequence[Sender]  # whom it can text, the likeliest first
    peer: str  # whom it texts, if nobody is chosen
    says: str  # what is special about it
    on: bool
    goes_wrong: Sequence[str]  # about its network, in sentences
    network: Sequence[tuple[str, str, Sequence[weather.Choice]]]  # what can be chosen about it
    waiting: int  # texts that wait for it, or are on their way to it
    without: str  # the address of this page without it


async def show(request: Request) -> Response:
    return await _shown(request)


async def _shown(request: Request, status: int = 200, **values: object) -> Response:
    house, account = house_of(request), visitor_of(request).account
    directory = await house.read(account, Services.directory)
    addresses = _phones(request.query_params.getlist("phone"))
    threads = {address: await house.read(account, Handsets.latest, address, BUBBLES) for address in addresses}
    sids = [message.message for thread in threads.values() for message in thread if message.message]
    known = {message.sid: message for message in await house.read(account, Messages.many, sids)} if sids else {}
    reached = {each.address: each for each in await house(rehearse.handsets, account=account)}
    phones = [
        _handset(request, reached.get(address, rehearse.Handset(address=address)), number, threads[address], known, directory, addresses)
        for number, address in enumerate(addresses)
    ]
    chaos = await house(rehearse.chaos, account=account)
    trace = request.query_params.get("trace", "") or await _newest(request, addresses)
    told = await house(story, account=account, id=trace) if trace else None
    shown = {
        "phones": phones,
        "addresses": addresses,
        "words": WORDS,
        "parts": PARTS,
        "offered": [(address, f"{name} · {country_of(number_of(address)) or ''}") for address, name in NAMES.items() if address not in addresses]
        + [(address, temper.says) for address, temper in HANDSETS.items() if address not in addresses],
        "told": told if told and (told.message or told.refusal) else None,
        "testable": bool(told and (told.message or told.refusal) and await as_test.written(request, told, directory)),
        "line": timeline(request, told, directory) if told else None,
        "services": sorted(directory.services.values(), key=lambda service: service.created_at),
        "senders": sorted(directory.senders.values(), key=lambda sender: sender.created_at),
        "calls": _calls(request, directory, addresses),
        "fate": say(request, FATES[fate]) if (fate := request.query_params.get("fate", "")) in FATES else "",
        "fate_of": request.query_params.get("of", ""),
        "goes_wrong": weather.told(request, chaos),
        "chaos_fields": weather.fields_of(request, chaos),
        "chaos_checks": weather.checks_of(request, chaos),
        "scenarios": weather.SCENARIOS,
        "trace_for": _whose(told.message, addresses) if told and told.message else "",
    }
    return page(request, "simulator.html", status=status, **{**shown, **values})


def _phones(given: Sequence[str]) -> list[str]:
    """The handsets of an address; unreadable ones are left out."""
    found = [parsed for each in given if (parsed := parse_recipient(each.strip() if not each.startswith(" ") else "+" + each.strip()))]
    return list(dict.fromkeys(found))[:PHONES_MAX] or list(FIRST)


def _handset(
    request: Request,
    reached: rehearse.Handset,
    number: int,
    thread: Sequence[HandsetMessage],
    known: dict[str, Message],
    directory: Directory,
    all_: Sequence[str],
) -> Handset:
    address = reached.address
    bubbles = [
        Bubble(message=each, status=known[each.message].status.value, sid=each.message)
        if each.message and each.message in known
        else Bubble(message=each)
        for each in thread
    ]
    senders = _reachable(address, directory)
    last = thread[-1].peer if thread else ""
    temper = HANDSETS.get(number_of(address))
    return Handset(
        id=f"phone-{number}",
        address=address,
        name=_name(address),
        country=country_of(number_of(address)),
        channel="WhatsApp" if address.startswith("whatsapp:") else "SMS",
        thread=bubbles,
        senders=senders,
        peer=last if last in {sender.address for sender in senders} else (senders[0].address if senders else ""),
        says=temper.says if temper else "",
        on=reached.reception.on,
        goes_wrong=weather.told(request, reached.reception),
        network=weather.fields_of(request, reached.reception),
        waiting=reached.waiting,
        without=f"{PATH}?{urlencode([('phone', each) for each in all_ if each != address])}",
    )


def _name(address: str) -> str:
    return NAMES.get(address) or national_format(address)


def _reachable(address: str, directory: Directory) -> list[Sender]:
    """Our senders that this handset can text: those of its own country and of a service first."""
    country = country_of(number_of(address))
    able = [
        sender
        for sender in directory.senders.values()
        if sender.group is group_of(address) and sender.kind is not SenderKind.ALPHANUMERIC and sender.address != address
    ]
    return sorted(able, key=lambda sender: (sender.country != country, sender.service is None, sender.created_at, sender.address))


async def _newest(request: Request, addresses: Sequence[str]) -> str:
    """The last text that one of these handsets sent or received."""
    house, account = house_of(request), visitor_of(request).account
    newest: Message | None = None
    for address in addresses:
        for message in await house.read(account, Messages.page, MessageFilter(recipient=address), Cut(limit=1)):
            if newest is None or message.created_at > newest.created_at:
                newest = message
    return newest.sid if newest else ""


def _whose(message: Message, addresses: Sequence[str]) -> str:
    return _name(message.recipient) if message.recipient in addresses else ""


def _calls(request: Request, directory: Directory, addresses: Sequence[str]) -> dict[str, str]:
    service = min(directory.services.values(), key=lambda each: each.created_at, default=None)
    sender = next(iter(_reachable(addresses[0], directory)), None)
    return calls_of_send(
        base=house_of(request).choices.public_url,
        account=directory.account.sid,
        to=addresses[0],
        from_=sender.address if sender else "",
        service=service.sid if service else "",
        body="Sale ends tonight. Reply STOP to end",
    )


# ── acts ─────────────────────────────────────────────────────────────────────────────────────────────────


async def text(request: Request) -> Response:
    """A handset texts one of our senders."""
    form, handset = await form_of(request), parse_recipient(request.path_params["address"])
    if handset is None:
        raise HTTPException(404)
    body = str(form.get("word") or form.get("body") or "")[:BODY_CHARS_MAX]
    cut = str(form.get("parts", ""))
    order = [int(part) for part in cut.split(",")] if cut in PARTS and "," in cut else None
    wrong = say(request, N_("Write something first.")) if not body.strip() else ""
    sent = rehearse.Rehearsed()
    if not wrong:
        sent = await house_of(request)(
            rehearse.text,
            account=visitor_of(request).account,
            handset=handset,
            to=str(form.get("to", "")),
            body=body.replace("\r\n", "\n"),
            parts=max(order) if order else int(cut) if cut in PARTS else 1,
            part_order=order,
            repeat=2 if form.get("repeat") == "on" else 1,
        )
        wrong = _why_not(request, sent)
    if wrong:
        return await _shown(request, 422, wrong_phone=handset, sentence=wrong, given_body=body)
    request.state.subject, request.state.detail = handset, {"to": str(form.get("to", "")), "fate": sent.fate.value}
    told = [] if sent.fate is Fate.ARRIVED else [("fate", sent.fate.value), ("of", handset)]
    return done(request, _back(request, sent.message_sid or "", told))


def _why_not(request: Request, sent: rehearse.Rehearsed) -> str:
    if sent.unknown:
        return say(request, N_("This account has no such sender."))
    if sent.off:
        return say(request, N_("This handset is switched off: switch it on, then it can text."))
    return sent.refused or ""


async def tune(request: Request) -> Response:
    """Switch a handset on or off, or change how the network reaches it."""
    handset = parse_recipient(request.path_params["address"])
    if handset is None:
        raise HTTPException(404)
    change = weather.change_of(await form_of(request))
    tuned = await house_of(request)(rehearse.tune, account=visitor_of(request).account, handset=handset, change=change)
    if tuned.handset is None:
        return await _shown(request, 422, wrong_phone=handset, sentence=tuned.problems[0].message, given_body="")
    request.state.subject, request.state.detail = handset, {"on": tuned.handset.reception.on}
    return done(request, _back(request, request.query_params.get("trace", "")))


async def stir(request: Request) -> Response:
    """Let it go wrong for every handset, or put it right: an empty form asks for nothing."""
    chaos = weather.chaos_of(await form_of(request))
    stirred = await house_of(request)(rehearse.stir, account=visitor_of(request).account, chaos=chaos)
    if stirred.problems:
        return await _shown(request, 422, chaos_sentence=stirred.problems[0].message)
    request.state.subject, request.state.detail = "chaos", unusual(chaos)
    return done(request, _back(request, request.query_params.get("trace", "")))


async def play(request: Request) -> Response:
    """Play a scenario with one handset, and show the trace of what it is about."""
    scenario = weather.SCENARIOS.get(request.path_params["name"])
    form = await form_of(request)
    handset = parse_recipient(str(form.get("handset", "")))
    if scenario is None or handset is None:
        raise HTTPException(404)
    performance = weather.Play(
        house=house_of(request), account=visitor_of(request).account, handset=handset, sender=str(form.get("to", ""))
    )
    try:
        trace = await scenario.play(performance)
    finally:
        await performance.stir(CALM)  # also where it broke off: what a scenario let go wrong is over with it
    request.state.subject = handset
    return done(request, _back(request, trace), say(request, scenario.shows))


async def tell(request: Request) -> Response:
    """The application's part: send something to a handset."""
    form = await form_of(request)
    from_ = str(form.get("from", ""))
    order = Order(
        to=str(form.get("recipient", "")),
        from_="" if from_.startswith("MG") else from_,
        service=from_ if from_.startswith("MG") else "",
        body=str(form.get("text", ""))[:BODY_CHARS_MAX].replace("\r\n", "\n"),
    )
    sent = await house_of(request)(send.send, account=visitor_of(request).account, orders=[order], direction=Direction.API)
    receipt = sent.receipts[0]
    request.state.subject = order.to
    request.state.detail = {"from": from_, "error": receipt.refused.code if receipt.refused else None}
    if receipt.message is not None:
        return done(request, _back(request, receipt.message.sid))
    return done(request, _back(request, receipt.refusal or ""))


def _back(request: Request, trace: str, told: Sequence[tuple[str, str]] = ()) -> str:
    """This page with the same handsets, the trace of what was just done, and what else is told of it."""
    phones = [("phone", each) for each in request.query_params.getlist("phone")]
    return f"{PATH}?{urlencode([*phones, *([('trace', trace)] if trace else []), *told])}"


def path_of(address: str) -> str:
    return f"{PATH}/{quote(address, safe='')}/messages"


routes = [
    shows(PATH, show),
    acts(PATH + "/chaos", stir, role=Role.OPERATOR, act="simulator.chaos"),
    acts(PATH + "/scenarios/{name}", play, role=Role.OPERATOR, act="simulator.played"),
    acts(PATH + "/{address}/reception", tune, role=Role.OPERATOR, act="simulator.reception"),
    acts(PATH + "/send", tell, role=Role.OPERATOR, act="simulator.sent"),
    acts(PATH + "/{address}/messages", text, role=Role.OPERATOR, act="simulator.texted"),
]
