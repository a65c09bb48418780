"""What a customer is told: the events, their parameters as Twilio names them, and where they go.

Building only: signing is `core/signing.py`, delivering is `flows/notify.py`.
"""

from collections.abc import Sequence
from datetime import datetime

from stopwire.core.address import SenderKind, country_of, mask_digits_x, number_of
from stopwire.core.errors import title
from stopwire.core.jobs import Delivery
from stopwire.core.message import REPORTED, Media, Message, Status
from stopwire.core.optout import Answer
from stopwire.core.senders import Home, Webhook, inbound_webhook

API_VERSION = "2010-04-01"


def inbound_params(
    message: Message, home: Home, answer: Answer, media: Sequence[Media], *, public_url: str
) -> dict[str, str]:
    """Parameters of an inbound webhook. `OptOutType` only where Advanced Opt-Out matched a keyword."""
    sender, recipient = message.sender or "", message.recipient
    params = {
        "ToCountry": home.sender.country or "",
        "ToState": "",
        "SmsMessageSid": message.sid,
        "NumMedia": str(len(media)),
        "ToCity": "",
        "FromZip": "",
        "SmsSid": message.sid,
        "FromState": "",
        "SmsStatus": "received",
        "FromCity": "",
        "Body": message.body,
        "FromCountry": country_of(recipient) or "",
        "To": sender,
        "ToZip": "",
        "NumSegments": str(message.segments),
        "MessageSid": message.sid,
        "AccountSid": message.account,
        "From": recipient,
        "ApiVersion": API_VERSION,
    }
    if home.service:
        params["MessagingServiceSid"] = home.service.sid
    if answer.opt_out_type:
        params["OptOutType"] = answer.opt_out_type
    if home.sender.kind is SenderKind.WHATSAPP:
        params["WaId"] = number_of(recipient).lstrip("+")
        params["ProfileName"] = ""
    for number, medium in enumerate(media):
        params[f"MediaUrl{number}"] = media_url(message, medium, public_url)
        params[f"MediaContentType{number}"] = medium.content_type
    return params


def media_url(message: Message, medium: Media, public_url: str) -> str:
    return f"{public_url}/2010-04-01/Accounts/{message.account}/Messages/{message.sid}/Media/{medium.sid}"


def inbound_event(
    message: Message,
    home: Home,
    answer: Answer,
    media: Sequence[Media],
    *,
    id: str,
    token: str,
    now: datetime,
    public_url: str,
) -> Delivery | None:
    """The webhook of an inbound message, or None where the customer asked not to be called."""
    target: Webhook | None = inbound_webhook(home.sender, home.service)
    if not answer.forward or target is None or not target.url:
        return None
    return Delivery(
        id=id,
        account=message.account,
        event="inbound",
        message=message.sid,
        url=target.url,
        method=target.method,
        fallback_url=target.fallback_url,
        fallback_method=target.fallback_method,
        params=inbound_params(message, home, answer, media, public_url=public_url),
        token=token,
        due_at=now,
        created_at=now,
    )


def status_event(message: Message, *, id: str, token: str, now: datetime) -> Delivery | None:
    """The status callback of a message that has just entered its status, or None where nobody is told."""
    if not message.status_callback or message.status not in REPORTED:
        return None
    params = {
        "SmsSid": message.sid,
        "SmsStatus": message.status.value,
        "MessageStatus": message.status.value,
        "To": message.recipient,
        "MessageSid": message.sid,
        "AccountSid": message.account,
        "From": message.sender or "",
        "ApiVersion": API_VERSION,
    }
    if message.service:
        params["MessagingServiceSid"] = message.service
    if message.error_code:
        params["ErrorCode"] = str(message.error_code)
        params["ErrorMessage"] = title(message.error_code)
    params |= _channel_params(message)
    return Delivery(
        id=id,
        account=message.account,
        event="status",
        message=message.sid,
        url=message.status_callback,
        method=message.callback_method,
        params=params,
        token=token,
        due_at=now,
        created_at=now,
    )


def _channel_params(message: Message) -> dict[str, str]:
    """What a channel adds to a status callback. Text messages have none of it."""
    prefix, colon, number = message.recipient.partition(":")
    if not colon:
        return {}
    seen = {"EventType": message.status.upper()} if message.status in (Status.DELIVERED, Status.READ) else {}
    return {"ChannelPrefix": prefix, "ChannelToAddress": mask_digits_x(number), **seen}
