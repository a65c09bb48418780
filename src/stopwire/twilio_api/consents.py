"""Twilio's accounts API: consents and contacts in bulk, the list of safe numbers.

Items are read and judged one by one; what a consent does to a block is decided behind the door.
"""

import re
import time
from collections import deque
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from stopwire.core.address import parse_recipient
from stopwire.core.catalogue import COUNTRIES
from stopwire.core.errors import refuse
from stopwire.core.orders import parse_instant
from stopwire.core.senders import Directory
from stopwire.flows import amend, bulk
from stopwire.ports.house import House
from stopwire.ports.store import Lists, Services
from stopwire.twilio_api.answers import Declined, answer, no_content, record
from stopwire.twilio_api.calls import Call, Handler, resource
from stopwire.twilio_api.forms import Item, invalid

ITEMS_MAX: Final = 25
REQUESTS_MAX: Final = 100  # a minute and account
MINUTE_SECONDS: Final = 60.0
FAILED_CONSENT: Final = 30646
FAILED_CONTACT: Final = 30647
SOURCES: Final = frozenset({"website", "offline", "opt-in-message", "opt-out-message", "others"})

_CORRELATION = re.compile(r"[0-9A-Za-z]{32}")
_ZIP = re.compile(r"[0-9A-Za-z][0-9A-Za-z -]{1,11}")
_SAFE = re.compile(r"\+[1-9][0-9]{6,14}")  # a number, or the prefix that a thousand numbers share


def routes(house: House) -> list[Route]:
    """Consents and contacts in bulk; safe numbers."""
    return [
        *resource(house, "/v1/Consents/Bulk", post=_limited(_consents)),
        *resource(house, "/v1/Contacts/Bulk", post=_limited(_contacts)),
        *resource(house, "/v1/SafeList/Numbers", post=_add_safe, get=_safe, delete=_delete_safe),
    ]


async def _consents(call: Call) -> Response:
    items = call.fields.objects("Items", ITEMS_MAX)
    directory = await call.house.read(call.account, Services.directory)
    faults = [_consent_faults(item, directory) for item in items]
    _repeated(items, faults)
    good = [item for item, found in zip(items, faults, strict=True) if not found]
    wishes = [_wish(item, directory) for item in good]
    kept = await call.house(amend.consents, account=call.account, wishes=wishes, actor=call.caller.actor)
    answers = iter(kept)
    for found in faults:
        if not found and (fault := next(answers)):
            found.append(fault)
    return _answer(items, faults, FAILED_CONSENT)


async def _contacts(call: Call) -> Response:
    items = call.fields.objects("Items", ITEMS_MAX)
    faults = [_contact_faults(item) for item in items]
    _repeated(items, faults)
    contacts = [_contact(item) for item, found in zip(items, faults, strict=True) if not found]
    await call.house(bulk.keep_contacts, account=call.account, contacts=contacts)
    return _answer(items, faults, FAILED_CONTACT)


async def _add_safe(call: Call) -> Response:
    number = _safe_number(call)
    kept = await call.house(bulk.keep_safe_number, account=call.account, number=number)
    return answer(record(sid=kept.sid, phone_number=kept.number), 201)


async def _safe(call: Call) -> Response:
    kept = await call.house.read(call.account, Lists.safe_number, _safe_number(call))
    if kept is None:
        raise call.missing()
    return answer(record(sid=kept.sid, phone_number=kept.number))


async def _delete_safe(call: Call) -> Response:
    if not await call.house(bulk.forget_safe_number, account=call.account, number=_safe_number(call)):
        raise call.missing()
    return no_content()


def _safe_number(call: Call) -> str:
    number = call.fields.required("PhoneNumber").strip()
    if not _SAFE.fullmatch(number):
        raise Declined(invalid("PhoneNumber", "Write a number in E.164 form, or its first digits without the last three."))
    return number


def _limited(handler: Handler) -> Handler:
    """At most REQUESTS_MAX of one account in any minute; more are declined unprocessed."""
    seen: dict[str, deque[float]] = {}

    async def within_limit(call: Call) -> Response:
        now = time.monotonic()
        for account in [account for account, times in seen.items() if times[-1] <= now - MINUTE_SECONDS]:
            del seen[account]
        times = seen.setdefault(call.account, deque())
        while times and times[0] <= now - MINUTE_SECONDS:
            times.popleft()
        if len(times) >= REQUESTS_MAX:
            raise Declined(refuse(20429))
        times.append(now)
        return await handler(call)

    return within_limit


def _text(item: Item, name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""


def _recipient(item: Item) -> str | None:
    """The person. RCS shares the state of SMS, so a number is asked for; other channels have no state of their own."""
    text = _text(item, "contact_id").strip()
    return parse_recipient(text) if text.startswith(("+", "whatsapp:+")) else None


def _holder(item: Item, directory: Directory) -> str | None:
    holder = amend.resolve_scope(directory, _text(item, "sender_id"))
    return None if holder == directory.account.sid else holder


def _consent_faults(item: Item, directory: Directory) -> list[str]:
    date = item.get("date_of_consent")
    dated = date is None or date == "" or (isinstance(date, str) and "T" in date and parse_instant(date) is not None)
    return _broken(
        INVALID_CONTACT_ID=_recipient(item) is not None,
        INVALID_CORRELATION_ID=_correlation(item) is not None,
        INVALID_SENDER_ID=_holder(item, directory) is not None,
        INVALID_STATUS=item.get("status") in ("opt-in", "opt-out"),
        INVALID_SOURCE=_text(item, "source") in SOURCES,
        INVALID_DATE_OF_CONSENT=dated,
    )


def _contact_faults(item: Item) -> list[str]:
    country, code = item.get("country_iso_code"), item.get("zip_code")
    return _broken(
        INVALID_CONTACT_ID=_recipient(item) is not None,
        INVALID_CORRELATION_ID=_correlation(item) is not None,
        INVALID_COUNTRY_ISO_CODE=country in (None, "") or _text(item, "country_iso_code").upper() in COUNTRIES,
        INVALID_ZIP_CODE=code in (None, "") or bool(_ZIP.fullmatch(_text(item, "zip_code"))),
    )


def _broken(**rules: bool) -> list[str]:
    return [name for name, holds in rules.items() if not holds]


def _repeated(items: list[Item], faults: list[list[str]]) -> None:
    """A correlation id names one item of a request: its second use is a fault."""
    seen: set[str] = set()
    for item, found in zip(items, faults, strict=True):
        correlation = _correlation(item)
        if correlation is not None and correlation in seen:
            found.append("INVALID_CORRELATION_ID")
        elif correlation:
            seen.add(correlation)


def _wish(item: Item, directory: Directory) -> amend.Wish:
    recipient, holder = _recipient(item), _holder(item, directory)
    assert recipient and holder, "only items without a fault become wishes"
    return amend.Wish(
        recipient=recipient,
        holder=holder,
        opt_out=item["status"] == "opt-out",
        source=item["source"],
        wished_at=parse_instant(_text(item, "date_of_consent")),
    )


def _contact(item: Item) -> bulk.Person:
    recipient = _recipient(item)
    assert recipient, "only items without a fault become contacts"
    return bulk.Person(
        contact=recipient,
        country=_text(item, "country_iso_code").upper() or None,
        zip_code=_text(item, "zip_code") or None,
    )


def _correlation(item: Item) -> str | None:
    text = _text(item, "correlation_id")
    return text if _CORRELATION.fullmatch(text) else None


def _answer(items: list[Item], faults: list[list[str]], code: int) -> Response:
    answers = [
        record(correlation_id=_echo(item), error_code=code if found else 0, error_messages=found)
        for item, found in zip(items, faults, strict=True)
    ]
    return answer({"items": answers}, 201)


def _echo(item: Item) -> str | None:
    """The correlation id as it was written, also a faulty one: it is how the caller finds the item again."""
    text = _text(item, "correlation_id")
    return text.encode("utf-8", "replace").decode() if text else None
