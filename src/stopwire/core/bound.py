"""Customers who bind to us by SMPP: the names and passwords they bind with, and what they are told.

Values only: PDUs are made in `smpp_server/`, and who is bound right now is known there alone.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stopwire.core.events import inbound_params
from stopwire.core.jobs import Delivery
from stopwire.core.message import Media, Message, Purpose, Status
from stopwire.core.optout import Answer
from stopwire.core.senders import Account, Home

SCHEME: Final = "smpp://"
REGISTERED: Final = "RegisteredDelivery"  # the option of a message that asks for a receipt; its value is SMPP's octet
SYSTEM_ID_DIGITS: Final = 12  # a system_id has 15 characters at most (SMPP 3.4 §5.2.1)
SHORT_PASSWORD_CHARS: Final = 8  # SMPP 3.4 §5.2.2
RECEIPT_TEXT_CHARS: Final = 20  # SMPP 3.4 appendix B

FINAL_RECEIPT, FAILURE_RECEIPT, INTERMEDIATE_RECEIPT = 0x01, 0x02, 0x10  # registered_delivery, SMPP 3.4 §5.2.17

_NAMES: Final = {"AC": "sw", "SK": "sk"}
_SYSTEM_ID = re.compile(rf"(sw|sk)([0-9a-f]{{{SYSTEM_ID_DIGITS}}})", re.IGNORECASE)
_SUCCESS = frozenset({Status.DELIVERED, Status.READ})
_FAILURE = frozenset({Status.UNDELIVERED, Status.FAILED, Status.CANCELED})


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedPart:
    """One part of a long text on its way in. Parts with the same sender, recipient, reference and total are one text."""

    account: str
    sender: str  # as the customer wrote it, like `recipient`
    recipient: str
    reference: str  # with its width: an 8-bit 7 is another than a 16-bit 7
    total: int
    part: int
    octets: bytes
    alphabet: str
    registered: int = 0
    message: str = ""  # the SID that the whole text will have
    taken_at: datetime | None = None  # when the whole text became a message


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveBind:
    """One bind of a customer's application, as it is right now."""

    id: str  # ours, for as long as it lasts
    account: str
    system_id: str  # the name it bound with
    key: str | None  # the API key it bound with; None: the account's own token
    how: str  # transmitter | receiver | transceiver
    address: str  # where it came from
    since: datetime
    window: int  # deliver_sm that may wait for their answers
    waiting: int = 0  # of them, how many do
    in_work: int = 0  # its requests without an answer yet
    taken: int = 0  # its submits answered with ESME_ROK
    declined: int = 0  # its submits answered otherwise
    told: int = 0  # events it has acknowledged


def system_id(sid: str) -> str:
    """The name an account (`AC…`) or an API key (`SK…`) binds with: its SID, cut to what SMPP has room for."""
    return _NAMES[sid[:2]] + sid[2 : 2 + SYSTEM_ID_DIGITS].lower()


def sid_prefix(name: str) -> str | None:
    """What the SID behind a system_id begins with, in lower case but for its two letters. None where it can be none."""
    match = _SYSTEM_ID.fullmatch(name)
    if match is None:
        return None
    letters = next(letters for letters, short in _NAMES.items() if short == match[1].lower())
    return letters + match[2].lower()


def short_password(token: str) -> str:
    """A password of eight characters, for stacks that take no longer one. It is drawn from the auth token and ends with it."""
    digest = hmac.new(token.encode(), b"smpp", hashlib.sha256).digest()
    return base64.b32encode(digest).decode()[:SHORT_PASSWORD_CHARS].lower()


def target(account: str) -> str:
    """The URL of deliveries to the customers of `account` that are bound."""
    return f"{SCHEME}{account.lower()}"


def listens(account: Account) -> bool:
    """Whether this account is told of messages by SMPP: as it chose or, by itself, once a receiver has been bound."""
    choice = account.settings.smpp_delivery
    return choice == "on" or (choice == "auto" and account.settings.smpp_bound)


def inbound_delivery(
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
    """The deliver_sm of an inbound message. None: nobody listens, or it is not for the customer, or it is no SMS."""
    by_channel = ":" in message.recipient or ":" in (message.sender or "")  # no room for such an address in a deliver_sm
    if not answer.forward or by_channel or not listens(home.account):
        return None
    params = inbound_params(message, home, answer, media, public_url=public_url)
    return _delivery(message, "inbound", params, id=id, token=token, now=now)


def receipt_delivery(message: Message, *, id: str, token: str, now: datetime) -> Delivery | None:
    """The delivery receipt of a message that has just entered its status, or None where none was asked for."""
    asked = message.options.get(REGISTERED)
    if not isinstance(asked, int) or message.purpose is not Purpose.MESSAGE or not _asked_for(message.status, asked):
        return None
    params = {
        "MessageSid": message.sid,
        "MessageStatus": message.status.value,
        "From": message.sender or "",
        "To": message.recipient,
        "Submitted": message.created_at.isoformat(),
        "Done": now.isoformat(),
        "Text": message.body[:RECEIPT_TEXT_CHARS],
    }
    if message.error_code:
        params["ErrorCode"] = str(message.error_code)
    return _delivery(message, "status", params, id=id, token=token, now=now)


def _asked_for(status: Status, asked: int) -> bool:
    if status in _FAILURE:
        return bool(asked & (FINAL_RECEIPT | FAILURE_RECEIPT))
    if status in _SUCCESS:
        return bool(asked & FINAL_RECEIPT)
    return status is Status.SENT and bool(asked & INTERMEDIATE_RECEIPT)


def _delivery(message: Message, event: str, params: dict[str, str], *, id: str, token: str, now: datetime) -> Delivery:
    return Delivery(
        id=id,
        account=message.account,
        event=event,
        message=message.sid,
        url=target(message.account),
        method="SMPP",
        params=params,
        token=token,
        due_at=now,
        created_at=now,
        lane=f"{target(message.account)}/{message.recipient}",
    )
