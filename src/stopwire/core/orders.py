"""An order: a request to send, before it is a message. `check` is every rule it must pass, in order.

The first rule that fails decides the answer, as in Twilio's API. Opt-out comes last and is not here:
it needs the store and is `core/optout.may_send`.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from stopwire.core.address import (
    SenderKind,
    country_of,
    is_landline,
    kind_of,
    number_of,
    parse_recipient,
    parse_sender,
    same_channel,
)
from stopwire.core.countries import permits
from stopwire.core.errors import Refused, refuse
from stopwire.core.segments import smart, units_utf16
from stopwire.core.senders import Directory, Sender, Service

BODY_UNITS_MAX = 1600  # UTF-16 units, after smart encoding
MEDIA_MAX = 10
URL_CHARS_MAX = 4000
VALIDITY_SECONDS_MAX = 36000
SCHEDULE_MIN = timedelta(seconds=300)
SCHEDULE_MAX = timedelta(seconds=3024000)  # 35 days
SCHEDULED_MAX = 500_000  # an account
INTENTS = frozenset(
    "otp notifications marketing fraud security customercare delivery education polling announcements events".split()
)
SID_CHARS = 34
MESSAGING_SID = re.compile(r"MG[0-9a-fA-F]{32}\Z")
CONTENT_SID = re.compile(r"HX[0-9a-fA-F]{32}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a caller asked for, as it was written. None: not given. `options` are kept with the message, without effect."""

    to: str = ""
    from_: str = ""
    service: str = ""
    body: str = ""
    media: tuple[str, ...] = ()
    status_callback: str = ""
    callback_method: str = "POST"
    validity_period: str | None = None
    schedule_type: str | None = None
    send_at: str | None = None
    smart_encoded: bool | None = None
    send_as_mms: bool = False
    content_sid: str | None = None
    content_variables: str | None = None
    content_retention: str | None = None
    address_retention: str | None = None
    message_intent: str | None = None
    risk_check: str | None = None
    fallback_from: str | None = None
    sid: str = ""  # of the message it becomes, where that was promised already; else a new one
    reply_to: str | None = None  # the inbound message that a TwiML document answers
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An order that passed every rule: what will be sent, from whom if that is settled, and when."""

    recipient: str
    sender: Sender | None  # None: the service chooses
    service: Service | None
    body: str
    media: tuple[str, ...]
    mms: bool
    status_callback: str | None
    callback_method: str
    validity: timedelta
    send_at: datetime | None
    options: Mapping[str, Any]


def check(
    order: Order,
    directory: Directory,
    *,
    now: datetime,
    url_problem: Callable[[str], str | None],
) -> Draft | Refused:
    """`order` as a Draft, or the first rule that it breaks. `url_problem` says why a webhook URL may not be called."""
    if not order.to.strip():
        return refuse(21604)
    service_sid, from_ = order.service.strip(), order.from_.strip()
    if from_.startswith("MG") and len(from_) == SID_CHARS:  # a service where a sender stands; "MGM Grand" is a name
        service_sid, from_ = service_sid or from_, ""
    if not service_sid and not from_:
        return refuse(21603)
    if not (order.body or order.media or order.content_sid):
        return refuse(21619 if service_sid else 21602)
    service = directory.services.get(service_sid) if service_sid else None
    body = smart(order.body) if _smart(order, service) else order.body
    if units_utf16(body) > BODY_UNITS_MAX:
        return refuse(21617)
    if problem := _fields(order, url_problem):
        return problem
    if problem := _service(service_sid, service, directory):
        return problem
    sender = _sender(from_, service, directory, media=bool(order.media))
    if isinstance(sender, Refused):
        return sender
    recipient = _recipient(order, sender, service, directory)
    if isinstance(recipient, Refused):
        return recipient
    send_at = _schedule(order, service, now)
    if isinstance(send_at, Refused):
        return send_at
    validity = int(order.validity_period) if order.validity_period else (service.validity_period if service else VALIDITY_SECONDS_MAX)
    return Draft(
        recipient=recipient,
        sender=sender,
        service=service,
        body=body,
        media=order.media,
        mms=bool(order.media) or order.send_as_mms,
        status_callback=order.status_callback or (service.status_callback if service else None) or None,
        callback_method=order.callback_method,
        validity=timedelta(seconds=validity),
        send_at=send_at,
        options=order.options,
    )


def _fields(order: Order, url_problem: Callable[[str], str | None]) -> Refused | None:
    if any(not _is_web_url(url) or len(url) > URL_CHARS_MAX for url in order.media):
        return refuse(21620)
    if len(order.media) > MEDIA_MAX:
        return refuse(21623)
    if order.status_callback and (bad_url(order.status_callback) or url_problem(order.status_callback)):
        return refuse(21609)
    if order.validity_period is not None and not _whole(order.validity_period, 1, VALIDITY_SECONDS_MAX):
        return refuse(21624)
    if order.content_retention not in (None, "", "retain", "discard"):
        return refuse(30029)
    if order.address_retention not in (None, "", "retain", "obfuscate"):
        return refuse(30030)
    if order.content_variables and not order.content_sid:
        return refuse(21654)
    if order.content_sid:  # no content templates are kept here, so none is valid
        return refuse(21655)
    if order.message_intent and order.message_intent not in INTENTS:
        return refuse(20422)
    if order.risk_check not in (None, "", "enable", "disable"):
        return refuse(20422)
    if order.fallback_from:
        return refuse(21664 if order.from_ else 21667)
    tags = order.options.get("Tags")
    if tags and not _is_json_object(tags):
        return refuse(20422)
    return None


def _service(sid: str, service: Service | None, directory: Directory) -> Refused | None:
    if not sid:
        return None
    if not MESSAGING_SID.match(sid):
        return refuse(21705)
    if service is None:
        return refuse(21701)
    if not directory.pool(sid):
        return refuse(21704)
    return None


def _sender(from_: str, service: Service | None, directory: Directory, *, media: bool) -> Sender | Refused | None:
    if not from_:
        return None
    address = parse_sender(from_)
    if address is None:
        return refuse(21212, sender=from_)
    sender = directory.sender_at(address)
    if service is not None and (sender is None or sender.service != service.sid) and kind_of(address) is SenderKind.ALPHANUMERIC:
        return refuse(21709)
    if sender is None:
        return refuse(21659, sender=from_)
    if service is not None and sender.service != service.sid:
        return refuse(21711)
    if media and not sender.mms and not (service and service.mms_converter):
        return refuse(21621)
    return sender


def _recipient(order: Order, sender: Sender | None, service: Service | None, directory: Directory) -> str | Refused:
    to, settings = order.to, directory.account.settings
    region = sender.country if sender else None
    if sender is None and service is not None:
        region = next((s.country for s in directory.pool(service.sid) if s.country), None)
    recipient = parse_recipient(to, region)
    if recipient is None:
        return refuse(21211, to=to)
    if sender is not None and (unfit := _unfit(sender, to, recipient)):
        return unfit
    if not permits(settings.countries, recipient):
        return refuse(21408, to=recipient)
    if sender is not None and sender.kind is SenderKind.ALPHANUMERIC and number_of(recipient).startswith("+1"):
        return refuse(21612, to=recipient, sender=sender.address)
    if settings.landlines == "refuse" and is_landline(recipient) and str(order.options.get("ForceDelivery")).lower() != "true":
        return refuse(21635)
    return recipient


def _unfit(sender: Sender, to: str, recipient: str) -> Refused | None:
    """Why this sender cannot speak to this recipient at all."""
    if sender.address == recipient:
        return refuse(21266)
    by_rcs_only = to.strip().lower().startswith("rcs:")
    if not same_channel(sender.address, recipient) or (by_rcs_only and sender.kind is not SenderKind.RCS):
        return refuse(21910)
    if sender.kind is SenderKind.SHORT_CODE and country_of(recipient) != sender.country:
        return refuse(21659, sender=sender.address)
    return None


def _schedule(order: Order, service: Service | None, now: datetime) -> datetime | Refused | None:
    if not order.schedule_type and not order.send_at:
        return None
    if order.schedule_type != "fixed":
        return refuse(35126)
    if not order.send_at:
        return refuse(35111)
    if service is None:
        return refuse(35118)
    at = parse_instant(order.send_at)
    if at is None or not now + SCHEDULE_MIN <= at <= now + SCHEDULE_MAX:
        return refuse(35114)
    return at


def _smart(order: Order, service: Service | None) -> bool:
    return order.smart_encoded if order.smart_encoded is not None else bool(service and service.smart_encoding)


def bad_url(url: str) -> bool:
    """Whether `url` can be no webhook at all: not http(s), too long, or an underscore in its host."""
    return not _is_web_url(url) or len(url) > URL_CHARS_MAX or "_" in (urlsplit(url).hostname or "")


def _is_web_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 80) > 0
    except ValueError:
        return False


def parse_instant(text: str) -> datetime | None:
    """An ISO 8601 instant as aware UTC; without a zone it is UTC. None where it is no instant."""
    try:
        at = datetime.fromisoformat(text.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _whole(text: str, least: int, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most


def _is_json_object(text: object) -> bool:
    try:
        return isinstance(json.loads(str(text)), dict)
    except ValueError:
        return False
