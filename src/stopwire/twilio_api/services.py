"""`/v1/Services`: messaging services and their senders, but for names (`alpha_senders.py`).

Opt-out is nowhere here: in Twilio's API no property of a service concerns it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from stopwire.core.address import SenderKind, number_of
from stopwire.core.senders import Directory, Sender, Service
from stopwire.flows import configure
from stopwire.flows.configure import MemberChanged, ServiceChange, ServiceChanged
from stopwire.ports.house import House
from stopwire.ports.store import Services
from stopwire.twilio_api.answers import Declined, answer, iso, no_content
from stopwire.twilio_api.calls import Call, resource
from stopwire.twilio_api.forms import invalid
from stopwire.twilio_api.paging import list_v1, page_of, pick

NUMBERS: Final = (SenderKind.LONG_CODE, SenderKind.TOLL_FREE)
CHANNELS: Final = (SenderKind.WHATSAPP, SenderKind.RCS)
METHODS: Final = ("GET", "POST")

_SID = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}")
_SENDER_TYPES: Final = {SenderKind.WHATSAPP: "WhatsApp", SenderKind.RCS: "RCS"}
_USECASES: Final = (
    ("notifications", "Notifications", "Alerts and updates that people asked for."),
    ("marketing", "Marketing", "Offers and news to people who agreed to them."),
    ("verification", "Verification", "One-time passcodes."),
    ("discussion", "Discussion", "Conversations between people."),
    ("poll", "Poll", "Questions and votes."),
    ("undeclared", "Undeclared", "Not said."),
)


def routes(house: House) -> list[Route]:
    found = [
        *resource(house, "/v1/Services", get=list_services, post=create),
        *resource(house, "/v1/Services/Usecases", get=usecases),
        *resource(house, "/v1/Services/{service}", get=fetch, post=update, delete=delete),
    ]
    for members in _MEMBERS:
        path = f"/v1/Services/{{service}}/{members.path}"
        found += resource(house, path, get=members.list, post=members.add)
        found += resource(house, f"{path}/{{sender}}", get=members.fetch, delete=members.remove)
    return found


async def directory_of(call: Call) -> Directory:
    return await call.house.read(call.account, Services.directory)


async def service_of(call: Call) -> tuple[Directory, Service]:
    """The service in the path. Declines with 404 where the account has none such."""
    directory = await directory_of(call)
    service = directory.services.get(call.path["service"])
    if service is None:
        raise call.missing()
    return directory, service


async def list_services(call: Call) -> Response:
    page = page_of(call, "MG")
    services = sorted((await directory_of(call)).services.values(), key=lambda s: (s.created_at, s.sid), reverse=True)
    items = pick(services, page.cut, _sid)
    return list_v1(call, page, items, key="services", show=lambda service: show(call, service), sid=_sid)


async def create(call: Call) -> Response:
    call.fields.required("FriendlyName")
    changed = await call.house(
        configure.create_service, account=call.account, change=_change(call), actor=call.caller.actor
    )
    return _answer(call, changed, 201)


async def fetch(call: Call) -> Response:
    _, service = await service_of(call)
    return answer(show(call, service))


async def update(call: Call) -> Response:
    changed = await call.house(
        configure.update_service, account=call.account, service=call.path["service"], change=_change(call)
    )
    return _answer(call, changed, 200)


async def delete(call: Call) -> Response:
    changed = await call.house(configure.delete_service, account=call.account, service=call.path["service"])
    if changed.service is None:
        raise call.missing()
    return no_content()


async def usecases(call: Call) -> Response:
    shown = [{"usecase": code, "description": name, "purpose": purpose} for code, name, purpose in _USECASES]
    return answer({"usecases": shown})


def _answer(call: Call, changed: ServiceChanged, status: int) -> Response:
    if changed.refused:
        raise Declined(changed.refused)
    if changed.service is None:
        raise call.missing()
    return answer(show(call, changed.service), status)


def _change(call: Call) -> ServiceChange:
    """The settings that a form gives. An empty value clears a URL, and says nothing of anything else."""
    fields = call.fields
    return ServiceChange(
        friendly_name=fields.get("FriendlyName"),
        inbound_request_url=fields.get("InboundRequestUrl"),
        inbound_method=method(call, "InboundMethod"),
        fallback_url=fields.get("FallbackUrl"),
        fallback_method=method(call, "FallbackMethod"),
        status_callback=fields.get("StatusCallback"),
        sticky_sender=fields.flag("StickySender"),
        mms_converter=fields.flag("MmsConverter"),
        smart_encoding=fields.flag("SmartEncoding"),
        area_code_geomatch=fields.flag("AreaCodeGeomatch"),
        fallback_to_long_code=fields.flag("FallbackToLongCode"),
        synchronous_validation=fields.flag("SynchronousValidation"),
        scan_message_content=fields.choice("ScanMessageContent", configure.SCANS),
        validity_period=fields.whole("ValidityPeriod", 1, configure.VALIDITY_SECONDS_MAX),
        usecase=fields.get("Usecase") or None,
        use_inbound_webhook_on_number=fields.flag("UseInboundWebhookOnNumber"),
    )


def method(call: Call, name: str) -> str | None:
    """A webhook's method, in capitals; None where absent or empty. Whether it is one is the flow's to say."""
    value = call.fields.text(name)
    return value.upper() or None


def show(call: Call, service: Service) -> dict[str, Any]:
    """The 23 properties of a service."""
    url = f"{call.base}/v1/Services/{service.sid}"
    return {
        "account_sid": service.account,
        "sid": service.sid,
        "date_created": iso(service.created_at),
        "date_updated": iso(service.updated_at),
        "friendly_name": service.friendly_name,
        "inbound_request_url": service.inbound_request_url,
        "inbound_method": service.inbound_method,
        "fallback_url": service.fallback_url,
        "fallback_method": service.fallback_method,
        "status_callback": service.status_callback,
        "sticky_sender": service.sticky_sender,
        "smart_encoding": service.smart_encoding,
        "mms_converter": service.mms_converter,
        "fallback_to_long_code": service.fallback_to_long_code,
        "scan_message_content": service.scan_message_content,
        "area_code_geomatch": service.area_code_geomatch,
        "validity_period": service.validity_period,
        "synchronous_validation": service.synchronous_validation,
        "usecase": service.usecase,
        "us_app_to_person_registered": False,
        "use_inbound_webhook_on_number": service.use_inbound_webhook_on_number,
        "links": {
            "phone_numbers": f"{url}/PhoneNumbers",
            "short_codes": f"{url}/ShortCodes",
            "alpha_senders": f"{url}/AlphaSenders",
            "messages": f"{call.base}/2010-04-01/Accounts/{service.account}/Messages.json",
            "us_app_to_person": f"{url}/Compliance/Usa2p",
            "us_app_to_person_usecases": f"{url}/Compliance/Usa2p/Usecases",
            "channel_senders": f"{url}/ChannelSenders",
            "destination_alpha_senders": f"{url}/DestinationAlphaSenders",
        },
        "url": url,
    }


def _sid(item: Service | Sender) -> str:
    return item.sid


Show = Callable[[Call, Sender], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Members:
    """One kind of members of a service: the same four operations under a path of their own."""

    path: str
    key: str
    prefix: str
    parameter: str  # what a create names its sender by
    kinds: tuple[SenderKind, ...]
    show: Show

    async def list(self, call: Call) -> Response:
        directory, service = await service_of(call)
        page = page_of(call, self.prefix)
        members = [sender for sender in directory.pool(service.sid)[::-1] if sender.kind in self.kinds]
        items = pick(members, page.cut, _sid)
        return list_v1(call, page, items, key=self.key, show=lambda sender: self.show(call, sender), sid=_sid)

    async def fetch(self, call: Call) -> Response:
        directory, service = await service_of(call)
        sender = directory.senders.get(call.path["sender"])
        if sender is None or sender.service != service.sid or sender.kind not in self.kinds:
            raise call.missing()
        return answer(self.show(call, sender))

    async def add(self, call: Call) -> Response:
        service = call.path["service"]
        sender = call.fields.required(self.parameter)
        if not _SID.fullmatch(sender):
            raise Declined(invalid(self.parameter, f"Give the {self.prefix} SID of a sender of this account."))
        changed = await call.house(
            configure.join, account=call.account, service=service, sender=sender, kinds=self.kinds
        )
        return self._answer(call, changed)

    def _answer(self, call: Call, changed: MemberChanged) -> Response:
        if changed.refused:
            raise Declined(changed.refused)
        if changed.sender is None:
            raise call.missing()
        return answer(self.show(call, changed.sender), 201)

    async def remove(self, call: Call) -> Response:
        changed = await call.house(
            configure.leave,
            account=call.account,
            service=call.path["service"],
            sender=call.path["sender"],
            kinds=self.kinds,
        )
        if changed.sender is None:
            raise call.missing()
        return no_content()


def _common(call: Call, sender: Sender, path: str) -> dict[str, Any]:
    return {
        "sid": sender.sid,
        "account_sid": sender.account,
        "service_sid": sender.service,
        "date_created": iso(sender.joined_at or sender.created_at),
        "date_updated": iso(sender.updated_at),
        "url": f"{call.base}/v1/Services/{sender.service}/{path}/{sender.sid}",
    }


def _capabilities(sender: Sender) -> list[str]:
    """Nobody can call a sender of ours: `Voice` is never among them."""
    return ["SMS", "MMS"] if sender.mms else ["SMS"]


def _show_number(call: Call, sender: Sender) -> dict[str, Any]:
    return _common(call, sender, "PhoneNumbers") | {
        "phone_number": sender.address,
        "country_code": sender.country,
        "capabilities": _capabilities(sender),
    }


def _show_short_code(call: Call, sender: Sender) -> dict[str, Any]:
    return _common(call, sender, "ShortCodes") | {
        "short_code": sender.address,
        "country_code": sender.country,
        "capabilities": _capabilities(sender),
    }


def _show_channel(call: Call, sender: Sender) -> dict[str, Any]:
    shown = _common(call, sender, "ChannelSenders")
    shown["messaging_service_sid"] = shown.pop("service_sid")
    is_number = number_of(sender.address).startswith("+")
    return shown | {
        "sender": sender.address,
        "sender_type": _SENDER_TYPES[sender.kind],
        "country_code": sender.country if is_number else None,
    }


_MEMBERS: Final = (
    _Members(
        path="PhoneNumbers", key="phone_numbers", prefix="PN", parameter="PhoneNumberSid", kinds=NUMBERS, show=_show_number
    ),
    _Members(
        path="ShortCodes",
        key="short_codes",
        prefix="SC",
        parameter="ShortCodeSid",
        kinds=(SenderKind.SHORT_CODE,),
        show=_show_short_code,
    ),
    _Members(path="ChannelSenders", key="senders", prefix="XE", parameter="Sid", kinds=CHANNELS, show=_show_channel),
)
