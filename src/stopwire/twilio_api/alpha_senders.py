"""Names that a messaging service sends under: `AlphaSenders` wherever none is named for, `DestinationAlphaSenders` by country.

A use of a name has a SID. The name itself is one sender, so that a block holds for it wherever it is used.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from stopwire.core.address import SenderKind
from stopwire.core.catalogue import country_code
from stopwire.core.senders import NAMELESS, Directory, Sender, destinations
from stopwire.flows import configure
from stopwire.ports.house import House
from stopwire.ports.store import Services
from stopwire.twilio_api.answers import Declined, answer, iso, no_content
from stopwire.twilio_api.calls import Call, resource
from stopwire.twilio_api.forms import invalid
from stopwire.twilio_api.paging import list_v1, page_of, pick

KEY: Final = "alpha_senders"
PREFIX: Final = "AI"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """A name in a service, and the country it is used in; "" is wherever none is named for."""

    sid: str
    sender: Sender
    country: str


def routes(house: House) -> list[Route]:
    found: list[Route] = []
    for uses in (_Uses(path="AlphaSenders", by_country=False), _Uses(path="DestinationAlphaSenders", by_country=True)):
        path = f"/v1/Services/{{service}}/{uses.path}"
        found += resource(house, path, get=uses.list, post=uses.add)
        found += resource(house, f"{path}/{{sender}}", get=uses.fetch, delete=uses.remove)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Uses:
    path: str
    by_country: bool

    async def list(self, call: Call) -> Response:
        uses = [use for use in await _uses_in(call) if self._is_mine(use)]
        if self.by_country and (wanted := call.fields.text("IsoCountryCode").strip().upper()):
            uses = [use for use in uses if use.country == wanted]
        page = page_of(call, PREFIX)
        items = pick(uses[::-1], page.cut, _sid)
        return list_v1(call, page, items, key=KEY, show=lambda use: self._show(call, use), sid=_sid)

    async def fetch(self, call: Call) -> Response:
        return answer(self._show(call, await self._named(call)))

    async def add(self, call: Call) -> Response:
        country = _country(call) if self.by_country else ""
        name, service = call.fields.text("AlphaSender"), call.path["service"]
        changed = await call.house(configure.add_alpha, account=call.account, service=service, name=name, country=country)
        if changed.refused:
            raise Declined(changed.refused)
        if changed.sender is None:
            raise call.missing()
        sid = destinations(changed.sender)[country]
        return answer(self._show(call, _Use(sid=sid, sender=changed.sender, country=country)), 201)

    async def remove(self, call: Call) -> Response:
        use = await self._named(call)
        changed = await call.house(configure.drop_alpha, account=call.account, service=call.path["service"], sid=use.sid)
        if changed.sender is None:
            raise call.missing()
        return no_content()

    async def _named(self, call: Call) -> _Use:
        found = next((use for use in await _uses_in(call) if use.sid == call.path["sender"] and self._is_mine(use)), None)
        if found is None:
            raise call.missing()
        return found

    def _is_mine(self, use: _Use) -> bool:
        return self.by_country or not use.country

    def _show(self, call: Call, use: _Use) -> Mapping[str, Any]:
        sender = use.sender
        shown = {
            "sid": use.sid,
            "account_sid": sender.account,
            "service_sid": sender.service,
            "date_created": iso(sender.joined_at or sender.created_at),
            "date_updated": iso(sender.updated_at),
            "url": f"{call.base}/v1/Services/{sender.service}/{self.path}/{use.sid}",
            "alpha_sender": sender.address,
            "capabilities": ["SMS"],
        }
        return shown | {"iso_country_code": use.country} if self.by_country else shown


async def _uses_in(call: Call) -> list[_Use]:
    """The uses of names in the service of the path, the oldest first."""
    directory: Directory = await call.house.read(call.account, Services.directory)
    if call.path["service"] not in directory.services:
        raise call.missing()
    names = [sender for sender in directory.pool(call.path["service"]) if sender.kind is SenderKind.ALPHANUMERIC]
    return [_Use(sid=sid, sender=sender, country=code) for sender in names for code, sid in destinations(sender).items()]


def _country(call: Call) -> str:
    written = call.fields.text("IsoCountryCode").strip()
    if not written:
        return ""
    code = country_code(written)
    if code is None:
        raise Declined(invalid("IsoCountryCode", "Write an ISO 3166 code of two letters, such as GB."))
    if code in NAMELESS:
        raise Declined(invalid("IsoCountryCode", f"Networks in {code} take no names: send from a number there."))
    return code


def _sid(use: _Use) -> str:
    return use.sid
