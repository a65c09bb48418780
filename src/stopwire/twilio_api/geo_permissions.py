"""Twilio's geo permissions: which countries the account may write to. A send elsewhere is refused with 21408.

Items are read one by one; the list itself is a setting of the account.
"""

from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from stopwire.core.address import calling_code
from stopwire.core.catalogue import COUNTRIES
from stopwire.core.errors import title
from stopwire.flows import account as accounts
from stopwire.ports.house import House
from stopwire.ports.store import Services
from stopwire.twilio_api.answers import Declined, answer, record
from stopwire.twilio_api.calls import Call, resource
from stopwire.twilio_api.forms import Item, invalid

FAILED: Final = 30649
KIND: Final = "country"  # the only type of permission there is


def routes(house: House) -> list[Route]:
    return resource(house, "/v1/Messaging/GeoPermissions", get=_show, patch=_change)


async def _show(call: Call) -> Response:
    wanted = [code.strip().upper() for code in call.fields.text("CountryCode").split(",") if code.strip()]
    if unknown := [code for code in wanted if code not in COUNTRIES]:
        raise Declined(invalid("CountryCode", f"{unknown[0][:20]} is no country: write ISO 3166 codes, such as US,GB."))
    settings = (await call.house.read(call.account, Services.directory)).account.settings
    on = COUNTRIES if settings.countries is None else frozenset(settings.countries)
    return answer({"permissions": [_permission(code, enabled=code in on) for code in wanted or sorted(COUNTRIES)]})


def _permission(country: str, *, enabled: bool) -> Item:
    prefix = calling_code(country)
    message = "" if enabled else title(21408)
    return record(country_code=country, type=KIND, enabled=enabled, prefix=f"+{prefix}" if prefix else None, message=message)


async def _change(call: Call) -> Response:
    items = call.fields.objects("Permissions", len(COUNTRIES))
    faults = [_faults(item) for item in items]
    switches = {str(item["country_code"]).upper(): item["enabled"] for item, found in zip(items, faults, strict=True) if not found}
    if not await call.house(accounts.permit, account=call.account, switches=switches):
        faults = [found or ["NO_COUNTRY_LEFT"] for found in faults]
    return answer({"permissions": [_changed(item, found) for item, found in zip(items, faults, strict=True)]})


def _faults(item: Item) -> list[str]:
    code = item.get("country_code")
    rules = {
        "INVALID_COUNTRY_CODE": isinstance(code, str) and code.upper() in COUNTRIES,
        "INVALID_TYPE": item.get("type", KIND) == KIND,
        "INVALID_ENABLED": isinstance(item.get("enabled"), bool),
    }
    return [name for name, holds in rules.items() if not holds]


def _changed(item: Item, faults: list[str]) -> Item:
    echoed = {name: item.get(name) for name in ("country_code", "type", "enabled")}
    plain = {name: value if isinstance(value, str | bool) else None for name, value in echoed.items()}
    return record(**plain, error_code=FAILED if faults else 0, error_messages=faults)
