"""Messages and their feedback, as Twilio's 2010 API has them.

A form becomes an `Order`, a Message becomes its properties; whether it may be sent is decided behind the door.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from stopwire.basket import Baskets
from stopwire.core.address import parse_recipient, parse_sender
from stopwire.core.errors import Refused, refuse, title
from stopwire.core.message import Direction, Message
from stopwire.core.orders import Order
from stopwire.flows import cancel, send
from stopwire.ports.house import House
from stopwire.ports.store import MessageFilter, Messages
from stopwire.twilio_api.answers import API_VERSION, Declined, answer, no_content, record, refusal, rfc2822
from stopwire.twilio_api.calls import Call, resource
from stopwire.twilio_api.forms import Fields, invalid, unreadable
from stopwire.twilio_api.paging import list_2010, page_of

PREFIXES: Final = ("SM", "MM")
UNDER_WAY: Final = 2  # calls of one account on their way to the core at once; what comes meanwhile goes with the next
KEY_CHARS_MAX: Final = 255  # of an Idempotency-Key
OUTCOMES: Final = ("confirmed", "unconfirmed")

# Kept with the message as written, without effect here.
_KEPT: Final = (
    "ApplicationSid", "Attempt", "ForceDelivery", "MaxPrice", "ProvideFeedback", "ShortenUrls", "Tags", "TrafficType",
)  # fmt: skip
_MIDNIGHT: Final = time(0, 0)
_LAST_INSTANT: Final = timedelta(days=1) - timedelta(milliseconds=1)  # of a day, as fine as times are kept


def routes(house: House) -> list[Route]:
    """Messages, one message, its feedback."""
    messages = "/2010-04-01/Accounts/{account}/Messages"
    return [
        *resource(house, messages, get=_list, post=partial(_create, Baskets(house, under_way=UNDER_WAY)), for_test=True),
        *resource(house, f"{messages}/{{sid}}", get=_fetch, post=_update, delete=_delete),
        *resource(house, f"{messages}/{{sid}}/Feedback", post=_feedback),
    ]


async def _create(baskets: Baskets, call: Call) -> Response:
    order = order_of(call.fields)
    if call.caller.test:
        receipt = await call.house(send.rehearse, account=call.account, order=order)
    elif key := _key(call):
        sent = await call.house(send.send, account=call.account, orders=[order], key=key)
        if sent.conflict:
            return refusal(_key_conflict())
        receipt = sent.receipts[0]
    else:
        receipt = await baskets.send(call.account, order)
    if receipt.refused:
        return refusal(receipt.refused)
    assert receipt.message is not None, "an order is refused or becomes a message"
    return answer(shown(receipt.message, call, created=True), 201)


async def _list(call: Call) -> Response:
    page = page_of(call, *PREFIXES)
    found = await call.house.read(call.account, Messages.page, _filter(call.fields), page.cut)
    return list_2010(call, page, found, key="messages", show=lambda each: shown(each, call), sid=lambda each: each.sid)


async def _fetch(call: Call) -> Response:
    found = await call.house.read(call.account, Messages.get, call.path["sid"])
    if found is None:
        raise call.missing()
    return answer(shown(found, call))


async def _update(call: Call) -> Response:
    """`Status=canceled` takes a scheduled message back; an empty `Body` erases the text."""
    status, body = call.fields.get("Status"), call.fields.get("Body")
    if status and status != "canceled":
        raise Declined(invalid("Status", "The only status that can be set is canceled."))
    if body:
        raise Declined(invalid("Body", "A body cannot be changed: send an empty Body to erase it."))
    if status:
        return _changed(call, await call.house(cancel.cancel, account=call.account, sid=call.path["sid"]))
    if body is not None:
        return _changed(call, await call.house(cancel.redact, account=call.account, sid=call.path["sid"]))
    return await _fetch(call)


def _changed(call: Call, changed: cancel.Changed) -> Response:
    if changed.refused:
        return refusal(changed.refused)
    if changed.message is None:
        raise call.missing()
    return answer(shown(changed.message, call))


async def _delete(call: Call) -> Response:
    changed = await call.house(cancel.delete, account=call.account, sid=call.path["sid"])
    if changed.refused:
        return refusal(changed.refused)
    if changed.message is None:
        raise call.missing()
    return no_content()


async def _feedback(call: Call) -> Response:
    outcome = call.fields.choice("Outcome", OUTCOMES) or "confirmed"
    kept = await call.house(cancel.rate, account=call.account, sid=call.path["sid"], outcome=outcome)
    if kept is None:
        raise call.missing()
    return answer(
        record(
            account_sid=kept.account,
            message_sid=kept.message,
            outcome=kept.outcome,
            date_created=rfc2822(kept.created_at),
            date_updated=rfc2822(kept.updated_at),
            uri=f"/{API_VERSION}/Accounts/{kept.account}/Messages/{kept.message}/Feedback.json",
        )
    )


def order_of(fields: Fields) -> Order:
    """The order that a form writes. Declines what cannot be read as its type."""
    options: dict[str, Any] = {name: fields.text(name) for name in _KEPT if fields.get(name)}
    if actions := fields.all("PersistentAction"):
        options["PersistentAction"] = list(actions)
    return Order(
        to=fields.text("To"),
        from_=fields.text("From"),
        service=fields.text("MessagingServiceSid"),
        body=fields.text("Body"),
        media=tuple(url for url in fields.all("MediaUrl") if url),
        status_callback=fields.text("StatusCallback"),
        validity_period=fields.get("ValidityPeriod") or None,
        schedule_type=fields.get("ScheduleType") or None,
        send_at=fields.get("SendAt") or None,
        smart_encoded=fields.flag("SmartEncoded"),
        send_as_mms=fields.flag("SendAsMms") or False,
        content_sid=fields.get("ContentSid") or None,
        content_variables=fields.get("ContentVariables") or None,
        content_retention=fields.get("ContentRetention") or None,
        address_retention=fields.get("AddressRetention") or None,
        message_intent=fields.get("MessageIntent") or None,
        risk_check=fields.get("RiskCheck") or None,
        fallback_from=fields.get("FallbackFrom") or None,
        options=options,
    )


def shown(message: Message, call: Call, *, created: bool = False) -> dict[str, Any]:
    """The properties of a Message, in the order and the types that clients know."""
    inbound = message.direction is Direction.INBOUND
    uri = f"/{API_VERSION}/Accounts/{call.account_shown}/Messages/{message.sid}"
    links = {"media": f"{uri}/Media.json"} if created else {"media": f"{uri}/Media.json", "feedback": f"{uri}/Feedback.json"}
    return record(
        body=message.body,
        num_segments=str(message.segments),
        direction=message.direction.value,
        from_=message.recipient if inbound else message.sender,
        date_updated=rfc2822(message.updated_at),
        price=None,
        error_message=title(message.error_code) if message.error_code else None,
        uri=f"{uri}.json",
        account_sid=call.account_shown,
        num_media=str(message.media),
        to=message.sender if inbound else message.recipient,
        date_created=rfc2822(message.created_at),
        status=message.status.value,
        sid=message.sid,
        date_sent=rfc2822(message.sent_at),
        messaging_service_sid=message.service,
        error_code=message.error_code,
        price_unit=None,
        api_version=API_VERSION,
        subresource_uris=links,
    )


def _key(call: Call) -> str | None:
    key = call.header("Idempotency-Key")
    if key and len(key) > KEY_CHARS_MAX:
        raise Declined(unreadable(f"The Idempotency-Key has {len(key)} characters; at most {KEY_CHARS_MAX} are allowed."))
    return key or None


def _key_conflict() -> Refused:
    sentence = "The Idempotency-Key was used for another message within 24 hours: use a new key for a new message."
    return replace(refuse(20409), message=sentence)


def _filter(fields: Fields) -> MessageFilter:
    to, from_ = fields.text("To"), fields.text("From")
    since, until = _span(fields, "DateSent")
    return MessageFilter(
        to=(_address(to) or to) if to else None,
        from_=(_address(from_) or from_) if from_ else None,
        since=since,
        until=until,
    )


def within(fields: Fields, name: str) -> Callable[[datetime], bool]:
    """Whether an instant passes the filters `name`, `name<` and `name>`."""
    since, until = _span(fields, name)
    return lambda at: (since is None or since <= at) and (until is None or at <= until)


def _span(fields: Fields, name: str) -> tuple[datetime | None, datetime | None]:
    """The inclusive span that a date's filters leave open. A key holds the sign itself: `DateSent>` = on or after."""
    day, since, until = (_date(fields, f"{name}{sign}") for sign in ("", ">", "<"))
    if until and until == _midnight(until):  # a plain date, or one that a client spelled out: the whole day counts
        until = _end_of(until)
    if day:
        since = max(since or _midnight(day), _midnight(day))
        until = min(until or _end_of(day), _end_of(day))
    return since, until


def _address(text: str) -> str | None:
    return parse_recipient(text) if text.strip().startswith(("+", "(")) else parse_sender(text)


def _midnight(at: datetime) -> datetime:
    return datetime.combine(at.date(), _MIDNIGHT, UTC)


def _end_of(at: datetime) -> datetime:
    return _midnight(at) + _LAST_INSTANT


def _date(fields: Fields, name: str) -> datetime | None:
    text = fields.text(name).strip()
    if not text:
        return None
    at = read_date(text)
    if at is None:
        raise Declined(invalid(name, "Write a date as 2026-01-31, or an instant as 2026-01-31T12:00:00Z."))
    return at


# Zones that people write by name in filters, in hours from UTC.
_ZONES: Final = {"GMT": 0, "UTC": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}


def read_date(text: str) -> datetime | None:
    """A date or instant in any of the spellings that filters take, as aware UTC; None where it is none of them."""
    try:
        at = _read_date(text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    return at if 1970 <= at.year < 9999 else None


def _read_date(text: str) -> datetime:
    if text[:4].isdigit():
        return datetime.fromisoformat(text)
    if text[:1].isdigit() and "/" in text:  # 06/11/2019 22:05:25 MST
        words = text.split()
        at = datetime.strptime(" ".join(words[:2]), "%m/%d/%Y %H:%M:%S" if len(words) > 1 else "%m/%d/%Y")  # noqa: DTZ007
        zone = _ZONES[words[2].upper()] if len(words) > 2 and words[2].upper() in _ZONES else 0
        return at.replace(tzinfo=UTC) - timedelta(hours=zone)
    return parsedate_to_datetime(text)
