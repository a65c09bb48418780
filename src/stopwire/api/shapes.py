"""Shapes that several answers share, and the core's values turned into them.

A name here is a name of the public API: changing one breaks somebody's program.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import ConfigDict, Field

from stopwire.api.door import In, Out
from stopwire.core import consent, errors
from stopwire.core.jobs import HandsetMessage as CoreHandsetMessage
from stopwire.core.jobs import Refusal as CoreRefusal
from stopwire.core.jobs import Review
from stopwire.core.message import Direction, emptied_at
from stopwire.core.message import Message as CoreMessage
from stopwire.core.senders import Sender as CoreSender
from stopwire.core.senders import named_for

T = TypeVar("T")


class Page(Out, Generic[T]):
    """A piece of a list. `next` continues it as `cursor=`; null at the end."""

    items: list[T]
    next: str | None = Field(examples=[None])
    as_of: datetime


class Answers(Out, Generic[T]):
    """The answers of a batch, in the order asked."""

    items: list[T]


class WrongField(Out):
    path: str = Field(examples=["recipients.3.to"])
    message: str = Field(examples=["This is no phone number: write it like +14155550101."])


class ProblemDetails(Out):
    """RFC 9457. `code` is that of the public error dictionary, where there is one; `errors` name fields."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no message of this id in this account: check its id."])
    code: int | None = None
    errors: list[WrongField] | None = None


class ItemError(Out):
    code: int | None = Field(None, examples=[21610])
    message: str = Field(examples=["Attempt to send to unsubscribed recipient"])


class Note(In):
    note: str | None = Field(None, max_length=1000, description="Why, for whoever reads the ledger.")


class Block(Out):
    """A recipient blocked in a scope. `scope` is the SID of its holder, `event` the row of the ledger that made it."""

    id: str
    recipient: str = Field(examples=["+14155550101"])
    channel_group: str = Field(examples=["text"])
    scope: str = Field(examples=["MG00112233445566778899aabbccddeeff"])
    reason: str = Field(examples=["keyword"])
    since: datetime
    actor: str = Field(examples=["recipient"])
    note: str | None
    event: str


def block(value: consent.Block) -> Block:
    return Block(
        id=value.id,
        recipient=value.recipient,
        channel_group=value.group.value,
        scope=value.holder,
        reason=value.reason.value,
        since=value.since,
        actor=value.actor,
        note=value.note,
        event=value.event,
    )


class ConsentEvent(Out):
    """A row of the ledger, sealed into its chain. What was erased is an empty recipient, text and note."""

    id: str
    seq: int
    scope: str
    channel_group: str
    recipient: str
    act: str = Field(examples=["opt_out"])
    reason: str | None = Field(examples=["keyword"])
    actor: str
    occurred_at: datetime
    recorded_at: datetime
    message_sid: str | None
    text: str | None = Field(examples=["Stop."])
    word: str | None = Field(examples=["STOP"])
    rule: str | None
    language: str | None
    country: str | None = Field(examples=["US"])
    policy_version: int | None
    previous_message_sid: str | None
    carrier_reference: str | None
    source: str | None
    note: str | None
    recipient_digest: str
    text_digest: str | None
    previous_hash: str
    hash: str


def consent_event(sealed: consent.SealedEvent) -> ConsentEvent:
    event = sealed.event
    return ConsentEvent(
        id=event.id,
        seq=sealed.seq,
        scope=event.holder,
        channel_group=event.group.value,
        recipient=event.recipient,
        act=event.act.value,
        reason=event.reason.value if event.reason else None,
        actor=event.actor,
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
        message_sid=event.message,
        text=event.text,
        word=event.word,
        rule=event.rule,
        language=event.language,
        country=event.country,
        policy_version=event.policy_version,
        previous_message_sid=event.previous,
        carrier_reference=event.reference,
        source=event.source,
        note=event.note,
        recipient_digest=sealed.recipient_digest,
        text_digest=sealed.text_digest,
        previous_hash=sealed.previous_hash,
        hash=sealed.hash,
    )


class Message(Out):
    """A message, inbound or outbound. `decision` tells of an inbound one what the keyword engine made of it."""

    sid: str
    direction: str = Field(examples=["outbound-api"])
    from_: str | None = Field(alias="from", examples=["+14155550100"])
    to: str | None = Field(examples=["+14155550101"])
    service: str | None
    body: str
    body_erased_at: datetime | None = Field(description="When the text was erased; null: it was not.")
    status: str = Field(examples=["delivered"])
    segments: int
    media: int
    error_code: int | None
    error_message: str | None
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None
    send_at: datetime | None
    decision: dict[str, Any] | None


def message(value: CoreMessage) -> Message:
    inbound = value.direction is Direction.INBOUND
    return Message(
        sid=value.sid,
        direction=value.direction.value,
        from_=value.recipient if inbound else value.sender,
        to=value.sender if inbound else value.recipient,
        service=value.service,
        body=value.body,
        body_erased_at=emptied_at(value),
        status=value.status.value,
        segments=value.segments,
        media=value.media,
        error_code=value.error_code,
        error_message=errors.title(value.error_code) if value.error_code else None,
        created_at=value.created_at,
        updated_at=value.updated_at,
        sent_at=value.sent_at,
        send_at=value.send_at,
        decision=dict(value.decision) if value.decision else None,
    )


class Refusal(Out):
    """A send that was declined. `because` is the block that stood in its way, where one did."""

    id: str = Field(examples=["RF00112233445566778899aabbccddeeff"])
    at: datetime
    code: int = Field(examples=[21610])
    message: str
    from_: str | None = Field(alias="from")
    service: str | None
    to: str | None
    because: dict[str, Any] | None


def refusal(value: CoreRefusal) -> Refusal:
    return Refusal(
        id=value.id,
        at=value.at,
        code=value.code,
        message=errors.title(value.code),
        from_=value.sender,
        service=value.service,
        to=value.recipient,
        because=_because(value.because),
    )


def _because(kept: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not kept:
        return None
    renamed = {"holder": "scope", "group": "channel_group"}
    return {renamed.get(name, name): value for name, value in kept.items()}


class Suggestion(Out):
    """What looked like an opt-out and waits for a person; nothing is blocked before somebody confirms it."""

    id: str
    state: str = Field(examples=["open"])
    recipient: str
    sender: str
    scope: str
    message_sid: str | None
    body: str
    proposes: str = Field(examples=["STOP"])
    reason: str
    confidence: float
    evidence: list[str]
    created_at: datetime
    due_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    note: str | None


def suggestion(value: Review) -> Suggestion:
    return Suggestion(
        id=value.id,
        state=value.state,
        recipient=value.recipient,
        sender=value.sender,
        scope=value.scope,
        message_sid=value.message,
        body=value.body,
        proposes=value.proposes,
        reason=value.reason,
        confidence=value.confidence,
        evidence=list(value.evidence),
        created_at=value.created_at,
        due_at=value.due_at,
        decided_by=value.decided_by,
        decided_at=value.decided_at,
        note=value.note,
    )


class HandsetMessage(Out):
    """What a handset sent (`out`) or received (`in`). `peer` is our sender."""

    id: str
    direction: str = Field(examples=["in"])
    peer: str = Field(examples=["+14155550100"])
    body: str
    at: datetime
    kind: str = Field(examples=["auto_reply"])
    media: list[str]
    message_sid: str | None


def handset_message(value: CoreHandsetMessage) -> HandsetMessage:
    return HandsetMessage(
        id=value.id,
        direction=value.direction,
        peer=value.peer,
        body=value.body,
        at=value.at,
        kind=value.kind,
        media=list(value.media),
        message_sid=value.message,
    )


class Sender(Out):
    """An address of the account. `default_opt_out` null: as its kind has it."""

    sid: str
    address: str = Field(examples=["+14155550100"])
    kind: str = Field(examples=["long_code"])
    country: str | None
    destinations: list[str] | None = Field(description="Countries that a name is used in; null: wherever none is named for.")
    friendly_name: str
    service: str | None
    connection: str
    default_opt_out: bool | None
    mps: float | None
    sms_url: str
    sms_method: str
    sms_fallback_url: str
    sms_fallback_method: str
    inherited: list[str]
    created_at: datetime
    updated_at: datetime


def sender(value: CoreSender) -> Sender:
    return Sender(
        sid=value.sid,
        address=value.address,
        kind=value.kind.value,
        country=value.country,
        destinations=named_for(value),
        friendly_name=value.friendly_name,
        service=value.service,
        connection=value.connection,
        default_opt_out=value.default_opt_out,
        mps=value.mps,
        sms_url=value.webhook.url,
        sms_method=value.webhook.method,
        sms_fallback_url=value.webhook.fallback_url,
        sms_fallback_method=value.webhook.fallback_method,
        inherited=list(value.inherited),
        created_at=value.created_at,
        updated_at=value.updated_at,
    )
