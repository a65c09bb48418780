"""Webhooks › Events: what an application is told, parameter by parameter with its schema, and a test to see it arrive."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.listing import Column, listing, table
from stopwire.console.render import N_, done, say
from stopwire.console.session import acts, form_of, house_of, visitor_of
from stopwire.console.short_lists import piece
from stopwire.core.message import REPORTED
from stopwire.core.roles import Role
from stopwire.flows.sample import KINDS, sample
from stopwire.ports.store import Cut, Services

PATH = "/console/webhooks/events"
URL_CHARS_MAX = 4000
ALWAYS = N_("always")


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """One parameter: `when` it is there, and what it `says`. `values`: the only ones it has."""

    event: str
    name: str
    says: str
    when: str = ALWAYS
    values: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.event}.{self.name}"


def _params(event: str, *rows: tuple[str, str] | tuple[str, str, str]) -> tuple[Param, ...]:
    values = {
        "OptOutType": ("STOP", "START", "HELP"),
        "MessageStatus": tuple(sorted(REPORTED)),
        "SmsStatus": ("received",) if event == "inbound" else tuple(sorted(REPORTED)),
        "ApiVersion": ("2010-04-01",),
    }
    return tuple(Param(event=event, name=row[0], says=row[1], when=row[2] if len(row) > 2 else ALWAYS, values=values.get(row[0], ())) for row in rows)


_IN_SERVICE = N_("where the sender is in a messaging service")
_WHATSAPP = N_("for WhatsApp")
_ON_CHANNELS = N_("on channels other than text")
_ENDED_BADLY = N_("where it ended badly")
_MEDIA = N_("for each picture or file, from 0")
_OF_PLACE = N_("always; empty, where the country is not known")
_EMPTY = N_("Always empty: nobody can tell it from a number.")

PARAMS: tuple[Param, ...] = (
    *_params(
        "inbound",
        ("MessageSid", N_("The message.")),
        ("SmsSid", N_("The message, once more.")),
        ("SmsMessageSid", N_("The message, once more.")),
        ("AccountSid", N_("Your account.")),
        ("MessagingServiceSid", N_("The messaging service."), _IN_SERVICE),
        ("From", N_("The person.")),
        ("To", N_("Your sender.")),
        ("Body", N_("The text.")),
        ("NumSegments", N_("How many segments it took.")),
        ("NumMedia", N_("How many pictures and files it has.")),
        ("MediaUrl0", N_("Where the picture or file is fetched."), _MEDIA),
        ("MediaContentType0", N_("What it is: its media type."), _MEDIA),
        ("OptOutType", N_("Which keyword it was."), N_("where Advanced Opt-Out is on and the text was a keyword")),
        ("FromCountry", N_("The person's country, by the number."), _OF_PLACE),
        ("ToCountry", N_("Your sender's country."), _OF_PLACE),
        *((f"{end}{place}", _EMPTY) for end in ("From", "To") for place in ("State", "City", "Zip")),
        ("WaId", N_("The person's number, without a plus."), _WHATSAPP),
        ("ProfileName", N_("Always empty."), _WHATSAPP),
        ("SmsStatus", N_("That it was received.")),
        ("ApiVersion", N_("The version of the API.")),
    ),
    *_params(
        "status",
        ("MessageSid", N_("The message.")),
        ("SmsSid", N_("The message, once more.")),
        ("AccountSid", N_("Your account.")),
        ("MessagingServiceSid", N_("The messaging service."), N_("where it was sent by one")),
        ("MessageStatus", N_("The status that it has just entered.")),
        ("SmsStatus", N_("The status, once more.")),
        ("From", N_("Your sender; empty while none is chosen.")),
        ("To", N_("The person.")),
        ("ErrorCode", N_("Why, as a number."), _ENDED_BADLY),
        ("ErrorMessage", N_("Why, in a few words."), _ENDED_BADLY),
        ("ChannelPrefix", N_("Which channel."), _ON_CHANNELS),
        ("ChannelToAddress", N_("The person, the last digits hidden."), _ON_CHANNELS),
        ("EventType", N_("That it was delivered, or read."), _ON_CHANNELS),
        ("ApiVersion", N_("The version of the API.")),
    ),
)
EVENTS = {"inbound": N_("A text came in"), "status": N_("A message has a new status")}
KIND_NAMES = {
    "text": N_("a text comes in"), "stop": N_("somebody says STOP"), "start": N_("somebody says START"), "help": N_("somebody says HELP"),
    "delivered": N_("a message is delivered"), "failed": N_("a message fails"), "undelivered": N_("a message is not delivered"),
}  # fmt: skip
assert set(KIND_NAMES) == set(KINDS)

COLUMNS: tuple[Column[Param], ...] = (
    Column(name="event", value=lambda each: each.event, title=N_("Event")),
    Column(name="name", value=lambda each: each.name, title=N_("Parameter")),
    Column(name="says", value=lambda each: each.says, title=N_("What it says")),
    Column(name="when", value=lambda each: each.when, title=N_("When it is there"), priority=2),
    Column(name="values", value=lambda each: " ".join(each.values), title=N_("Values"), priority=3),
)


def schema_of(event: str) -> dict[str, Any]:
    """The parameters of an event as JSON Schema (2020-12). All values are strings: a form has no others."""
    params = [each for each in PARAMS if each.event == event]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": event,
        "type": "object",
        "properties": {p.name: {"type": "string", **({"enum": list(p.values)} if p.values else {}), "description": p.says} for p in params},
        "required": [p.name for p in params if p.when in (ALWAYS, _OF_PLACE)],
    }


async def index(request: Request) -> Response:
    return await _shown(request)


async def _shown(request: Request, **values: Any) -> Response:
    directory = await house_of(request).read(visitor_of(request).account, Services.directory)
    senders = sorted(directory.senders.values(), key=lambda each: each.created_at)
    event = request.query_params.get("event", "") if request.query_params.get("event") in EVENTS else ""
    rows = [each for each in PARAMS if event in ("", each.event)]

    async def ask(cut: Cut) -> Sequence[Param]:
        return piece(rows, cut, lambda each: each.id)

    schemas = {each: json.dumps(schema_of(each), indent=2) for each in EVENTS}
    return await listing(
        request, "webhook_events.html", columns=COLUMNS, ask=ask, id_of=lambda each: each.id, size=len(PARAMS), events=EVENTS, event=event,
        schemas=schemas, senders=senders, kinds=KIND_NAMES, **values,
    )  # fmt: skip


async def try_it(request: Request) -> Response:
    """Call the application with an invented event, and show the delivery."""
    form = await form_of(request)
    kind, url = str(form.get("kind", "")), str(form.get("url", "")).strip()[:URL_CHARS_MAX]
    made = await house_of(request)(
        sample, account=visitor_of(request).account, sender=str(form.get("sender", "")), kind=kind if kind in KINDS else "text", url=url
    )
    if made.delivery is None:
        problem = made.problem or say(request, N_("Choose a sender."))
        return await _shown(request, given=form, wrong={"url": problem})
    request.state.subject, request.state.detail = made.delivery.id, {"kind": kind}
    told = say(request, N_("A test is on its way: what it answers is not carried out."))
    return done(request, f"/console/webhooks/deliveries/{made.delivery.id}", told)


routes = [*table(PATH, index), acts(PATH + "/test", try_it, role=Role.ADMIN, act="webhook.tested")]
