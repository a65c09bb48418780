"""Consent: acts, reasons, blocks, and the fold that turns the ledger into the block list.

A block is a fact about (account, channel group, holder, recipient). The account is the caller's and
never stands here. Nothing here decides what to answer; that is `core/optout.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from stopwire.core.address import ChannelGroup


class Act(StrEnum):
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    REPEAT = "repeat"
    BLOCK = "block"
    LIFT = "lift"
    HELP = "help"
    LIFT_REFUSED = "lift_refused"
    NO_CHANGE = "no_change"


class Reason(StrEnum):
    KEYWORD = "keyword"
    PHRASE = "phrase"
    REVIEW = "review"
    CONSENT = "consent"
    OPERATOR = "operator"
    API = "api"
    IMPORT = "import"
    CARRIER = "carrier"
    WRONG_NUMBER = "wrong_number"
    REASSIGNED = "reassigned"
    COMPLAINT = "complaint"


# A person's START lifts what a person's wish made, and what was learned second-hand (semantics row 3).
START_LIFTS = frozenset({Reason.KEYWORD, Reason.PHRASE, Reason.REVIEW, Reason.CONSENT, Reason.CARRIER, Reason.IMPORT})
# An opt-in recorded by the application lifts more, but never these.
CONSENT_CANNOT_LIFT = frozenset({Reason.OPERATOR, Reason.COMPLAINT, Reason.WRONG_NUMBER, Reason.REASSIGNED})
API_REASONS = frozenset({Reason.API, Reason.CONSENT, Reason.COMPLAINT, Reason.WRONG_NUMBER, Reason.OPERATOR})

CLOSES = frozenset({Act.OPT_OUT, Act.BLOCK})
OPENS = frozenset({Act.OPT_IN, Act.LIFT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """`recipient` may not be texted in the scope of `holder` (MG…, PN…, SC…, XE…, AC…)."""

    id: str
    holder: str
    group: ChannelGroup
    recipient: str
    reason: Reason
    since: datetime
    actor: str
    note: str | None = None
    event: str  # id of the consent event that made it


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEvent:
    """One dated, attributed fact, before it is sealed into the ledger."""

    id: str
    holder: str
    group: ChannelGroup
    recipient: str
    act: Act
    reason: Reason | None
    actor: str
    occurred_at: datetime
    recorded_at: datetime
    message: str | None = None  # the inbound message
    text: str | None = None  # its raw body
    word: str | None = None
    rule: str | None = None
    language: str | None = None
    country: str | None = None
    policy_version: int | None = None
    previous: str | None = None  # the last outbound message to that person
    reference: str | None = None  # the carrier's
    source: str | None = None  # Consents/Bulk: website, offline …
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedEvent:
    """A row of the ledger: the event, its place, and the hashes that hold it there."""

    seq: int
    event: ConsentEvent
    recipient_digest: str
    text_digest: str | None
    previous_hash: str
    hash: str


def block_of(event: ConsentEvent, *, id: str) -> Block:
    """The block that an OPT_OUT or BLOCK event makes."""
    assert event.act in CLOSES, event.act
    assert event.reason is not None
    return Block(
        id=id,
        holder=event.holder,
        group=event.group,
        recipient=event.recipient,
        reason=event.reason,
        since=event.occurred_at,
        actor=event.actor,
        note=event.note,
        event=event.id,
    )


def fold(events: Iterable[tuple[str, ChannelGroup, str, Act, str]]) -> dict[tuple[str, ChannelGroup, str], str]:
    """The block list of a ledger: (holder, group, recipient) → id of the event that blocks.

    Takes (holder, group, recipient or its digest, act, event id) in ledger order.
    """
    blocked: dict[tuple[str, ChannelGroup, str], str] = {}
    for holder, group, recipient, act, event in events:
        where = (holder, group, recipient)
        if act in CLOSES:
            blocked.setdefault(where, event)
        elif act in OPENS:
            blocked.pop(where, None)
    return blocked
