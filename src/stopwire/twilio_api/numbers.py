"""Phone numbers and short codes of an account, and the numbers that can be had."""

import re
from dataclasses import replace
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from stopwire.core.address import SenderKind, national_format
from stopwire.core.errors import refuse
from stopwire.core.inventory import COUNTRY_NAMES, NumberType, type_of, types_of
from stopwire.core.senders import Sender
from stopwire.flows import numbers
from stopwire.flows.numbers import SenderChange, SenderChanged
from stopwire.ports.house import House
from stopwire.twilio_api.answers import API_VERSION, Declined, answer, no_content, rfc2822
from stopwire.twilio_api.calls import Call, resource
from stopwire.twilio_api.paging import SIZE_MAX, list_2010, page_of, pick
from stopwire.twilio_api.services import NUMBERS, directory_of, method

_ACCOUNT: Final = "/2010-04-01/Accounts/{account}"
_TYPES: Final = {
    "Local": NumberType.LOCAL,
    "Mobile": NumberType.MOBILE,
    "TollFree": NumberType.TOLL_FREE,
    "National": NumberType.NATIONAL,
}
# Parameters about voice and paperwork: kept, shown again, without effect.
_KEPT: Final = (
    "SmsApplicationSid", "ApiVersion", "StatusCallback", "StatusCallbackMethod", "VoiceApplicationSid",
    "VoiceCallerIdLookup", "VoiceFallbackMethod", "VoiceFallbackUrl", "VoiceMethod", "VoiceUrl", "VoiceReceiveMode",
    "TrunkSid", "AddressSid", "IdentitySid", "BundleSid", "EmergencyStatus", "EmergencyAddressSid",
)  # fmt: skip


def routes(house: House) -> list[Route]:
    owned, free = f"{_ACCOUNT}/IncomingPhoneNumbers", f"{_ACCOUNT}/AvailablePhoneNumbers"
    found = resource(house, owned, get=list_numbers, post=buy, for_test=True)
    for name in _TYPES:
        found += resource(house, f"{owned}/{name}", get=_Typed(_TYPES[name]).list, post=buy, for_test=True)
    found += resource(house, f"{owned}/{{sid}}", get=fetch, post=update, delete=release)
    found += resource(house, free, get=list_countries)
    for name in _TYPES:
        found += resource(house, f"{free}/{{country}}/{name}", get=_Typed(_TYPES[name]).available)
    found += resource(house, f"{free}/{{country}}", get=fetch_country)
    found += resource(house, f"{_ACCOUNT}/SMS/ShortCodes", get=list_short_codes)
    found += resource(house, f"{_ACCOUNT}/SMS/ShortCodes/{{sid}}", get=fetch_short_code, post=update_short_code)
    found += resource(house, f"{_ACCOUNT}/SMS/Messages", get=gone, post=gone)
    return found


async def list_numbers(call: Call) -> Response:
    return await _list_numbers(call, None)


class _Typed:
    """The lists of one type of number."""

    def __init__(self, type_: NumberType) -> None:
        self.type = type_

    async def list(self, call: Call) -> Response:
        return await _list_numbers(call, self.type)

    async def available(self, call: Call) -> Response:
        country = _country(call)
        if self.type not in types_of(country):
            raise call.missing()
        fields = call.fields
        found: list[str] = []
        # A number of ours takes texts and no calls; who insists on calls finds nothing.
        if fields.flag("SmsEnabled") is not False and not fields.flag("VoiceEnabled"):
            found = await call.house(
                numbers.available,
                account=call.account,
                country=country,
                type=self.type,
                area_code=fields.text("AreaCode"),
                contains=fields.text("Contains"),
                limit=fields.whole("PageSize", 1, SIZE_MAX) or 50,
            )
        shown = [_show_available(number, country) for number in found]
        if fields.flag("MmsEnabled") is not None:
            shown = [each for each in shown if each["capabilities"]["mms"] is fields.flag("MmsEnabled")]
        return answer({"available_phone_numbers": shown, "uri": call.url_path})


async def _list_numbers(call: Call, type_: NumberType | None) -> Response:
    fields = call.fields
    page = page_of(call, "PN")
    name, wanted = fields.text("FriendlyName"), _wildcard(fields.text("PhoneNumber"))
    found = [
        sender
        for sender in await _senders(call, NUMBERS)
        if (type_ is None or type_of(sender.address) is type_)
        and (not name or sender.friendly_name == name)
        and (wanted is None or wanted.search(sender.address))
    ]
    items = pick(found, page.cut, _sid)
    return list_2010(call, page, items, key="incoming_phone_numbers", show=show, sid=_sid)


async def buy(call: Call) -> Response:
    fields, change = call.fields, _change(call)
    number, area_code = fields.text("PhoneNumber"), fields.text("AreaCode")
    flow = numbers.rehearse_purchase if call.caller.test else numbers.buy
    changed = await call.house(flow, account=call.account, number=number, area_code=area_code, change=change)
    return answer(show(replace(_changed(call, changed), account=call.account_shown)), 201)


async def fetch(call: Call) -> Response:
    return answer(show(await _sender(call, NUMBERS)))


async def update(call: Call) -> Response:
    sender = await _sender(call, NUMBERS)
    owner = call.fields.get("AccountSid")
    if owner and owner != call.account:  # there are no subaccounts to move a number to
        raise Declined(refuse(20404, path=f"/2010-04-01/Accounts/{owner}.json"))
    changed = await call.house(numbers.update_sender, account=call.account, sender=sender.sid, change=_change(call))
    return answer(show(_changed(call, changed)))


async def release(call: Call) -> Response:
    sender = await _sender(call, NUMBERS)
    _changed(call, await call.house(numbers.release, account=call.account, sender=sender.sid))
    return no_content()


async def list_short_codes(call: Call) -> Response:
    page = page_of(call, "SC")
    name, code = call.fields.text("FriendlyName"), call.fields.text("ShortCode")
    found = [
        sender
        for sender in await _senders(call, (SenderKind.SHORT_CODE,))
        if (not name or sender.friendly_name == name) and (not code or code in sender.address)
    ]
    items = pick(found, page.cut, _sid)
    return list_2010(call, page, items, key="short_codes", show=_show_short_code, sid=_sid)


async def fetch_short_code(call: Call) -> Response:
    return answer(_show_short_code(await _sender(call, (SenderKind.SHORT_CODE,))))


async def update_short_code(call: Call) -> Response:
    sender = await _sender(call, (SenderKind.SHORT_CODE,))
    changed = await call.house(numbers.update_sender, account=call.account, sender=sender.sid, change=_change(call))
    return answer(_show_short_code(_changed(call, changed)))


async def list_countries(call: Call) -> Response:
    uri = call.url_path.removesuffix(".json")
    return answer({"countries": [_show_country(code, f"{uri}/{code}") for code in COUNTRY_NAMES], "uri": call.url_path})


async def fetch_country(call: Call) -> Response:
    return answer(_show_country(_country(call), call.url_path.removesuffix(".json")))


async def gone(call: Call) -> Response:
    """The resource that Messages replaced long ago."""
    raise Declined(refuse(20410))


def show(sender: Sender) -> dict[str, Any]:
    """An IncomingPhoneNumber."""
    hook, kept = sender.webhook, sender.settings
    return {
        "sid": sender.sid,
        "account_sid": sender.account,
        "friendly_name": sender.friendly_name,
        "phone_number": sender.address,
        "voice_url": kept.get("VoiceUrl"),
        "voice_method": kept.get("VoiceMethod", "POST"),
        "voice_fallback_url": kept.get("VoiceFallbackUrl"),
        "voice_fallback_method": kept.get("VoiceFallbackMethod", "POST"),
        "voice_caller_id_lookup": kept.get("VoiceCallerIdLookup", "").lower() == "true",
        "voice_application_sid": kept.get("VoiceApplicationSid", ""),
        "voice_receive_mode": kept.get("VoiceReceiveMode", "voice"),
        "date_created": rfc2822(sender.created_at),
        "date_updated": rfc2822(sender.updated_at),
        "sms_url": hook.url,
        "sms_method": hook.method,
        "sms_fallback_url": hook.fallback_url,
        "sms_fallback_method": hook.fallback_method,
        "sms_application_sid": kept.get("SmsApplicationSid", ""),
        "address_requirements": "none",
        "beta": False,
        "capabilities": {"voice": False, "sms": True, "mms": sender.mms, "fax": False},
        "status_callback": kept.get("StatusCallback", ""),
        "status_callback_method": kept.get("StatusCallbackMethod", "POST"),
        "api_version": API_VERSION,
        "trunk_sid": kept.get("TrunkSid"),
        "address_sid": kept.get("AddressSid"),
        "identity_sid": kept.get("IdentitySid"),
        "bundle_sid": kept.get("BundleSid"),
        "emergency_status": kept.get("EmergencyStatus", "Inactive"),
        "emergency_address_sid": kept.get("EmergencyAddressSid"),
        "emergency_address_status": "unregistered",
        "origin": "hosted",
        "type": type_of(sender.address).value,
        "status": "in-use",
        "uri": f"/2010-04-01/Accounts/{sender.account}/IncomingPhoneNumbers/{sender.sid}.json",
    }


def _show_short_code(sender: Sender) -> dict[str, Any]:
    hook = sender.webhook
    return {
        "sid": sender.sid,
        "account_sid": sender.account,
        "friendly_name": sender.friendly_name,
        "short_code": sender.address,
        "date_created": rfc2822(sender.created_at),
        "date_updated": rfc2822(sender.updated_at),
        "api_version": sender.settings.get("ApiVersion", API_VERSION),
        "sms_url": hook.url,
        "sms_method": hook.method,
        "sms_fallback_url": hook.fallback_url,
        "sms_fallback_method": hook.fallback_method,
        "uri": f"/2010-04-01/Accounts/{sender.account}/SMS/ShortCodes/{sender.sid}.json",
    }


def _show_available(number: str, country: str) -> dict[str, Any]:
    return {
        "friendly_name": national_format(number),
        "phone_number": number,
        "lata": None,
        "locality": None,
        "rate_center": None,
        "latitude": None,
        "longitude": None,
        "region": None,
        "postal_code": None,
        "iso_country": country,
        "address_requirements": "none",
        "beta": False,
        "capabilities": {"voice": False, "sms": True, "mms": True},
    }


def _show_country(code: str, uri: str) -> dict[str, Any]:
    types = {"Local": "local", "TollFree": "toll_free", "Mobile": "mobile", "National": "national"}
    return {
        "country_code": code,
        "country": COUNTRY_NAMES[code],
        "uri": f"{uri}.json",
        "beta": False,
        "subresource_uris": {key: f"{uri}/{name}.json" for name, key in types.items() if _TYPES[name] in types_of(code)},
    }


def _country(call: Call) -> str:
    country = call.path["country"]
    if country not in COUNTRY_NAMES:
        raise call.missing()
    return country


def _change(call: Call) -> SenderChange:
    fields = call.fields
    return SenderChange(
        friendly_name=fields.get("FriendlyName"),
        sms_url=fields.get("SmsUrl"),
        sms_method=method(call, "SmsMethod"),
        sms_fallback_url=fields.get("SmsFallbackUrl"),
        sms_fallback_method=method(call, "SmsFallbackMethod"),
        settings={name: fields.text(name) for name in _KEPT if name in fields},
    )


async def _senders(call: Call, kinds: tuple[SenderKind, ...]) -> list[Sender]:
    """The account's senders of these kinds, newest first."""
    found = [sender for sender in (await directory_of(call)).senders.values() if sender.kind in kinds]
    return sorted(found, key=lambda sender: (sender.created_at, sender.sid), reverse=True)


async def _sender(call: Call, kinds: tuple[SenderKind, ...]) -> Sender:
    sender = (await directory_of(call)).senders.get(call.path["sid"])
    if sender is None or sender.kind not in kinds:
        raise call.missing()
    return sender


def _changed(call: Call, changed: SenderChanged) -> Sender:
    if changed.refused:
        raise Declined(changed.refused)
    if changed.sender is None:
        raise call.missing()
    return changed.sender


def _wildcard(text: str) -> re.Pattern[str] | None:
    """The filter `PhoneNumber`: part of a number, `*` for any digit."""
    wanted = re.sub(r"[^0-9*+]", "", text)
    return re.compile(re.escape(wanted).replace(r"\*", "[0-9]")) if wanted else None


def _sid(sender: Sender) -> str:
    return sender.sid
