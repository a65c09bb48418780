"""The hash chain of the consent ledger: seal one event, verify a run of them.

The chain covers keyed digests of the number and the text, not the values, so that a person's data can
be erased and the chain still verifies. Keys arrive as arguments; nothing here stores or fetches.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass

from stopwire.core.consent import ConsentEvent, SealedEvent

GENESIS = "0" * 64  # what the first event of an account follows
# Every ledger was sealed by what this writes: it never changes. One for all, since `json.dumps` makes its own each time.
_ENCODER = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))


def digest(key: str, value: str) -> str:
    """Keyed SHA-256 of a personal value, hex. Without the account's key it cannot be guessed from a list of numbers."""
    return hmac.digest(key.encode(), value.encode("utf-8", "surrogatepass"), "sha256").hex()


def words_of(event: ConsentEvent) -> str | None:
    """What people wrote in this event, as it is sealed: the message, and the note of who acted. None where there is neither."""
    if event.note is None:
        return event.text
    return f"{event.text or ''}\0{event.note}"


def seal(event: ConsentEvent, *, seq: int, previous_hash: str, key: str) -> SealedEvent:
    """`event` as row `seq` (from 1) of its account's ledger, following `previous_hash`."""
    return seal_each([event], seq=seq, previous_hash=previous_hash, key=key)[0]


def seal_each(events: Iterable[ConsentEvent], *, seq: int, previous_hash: str, key: str) -> list[SealedEvent]:
    """`events` as the rows of an account's ledger from `seq` on, each following the one before it."""
    keyed = hmac.new(key.encode(), digestmod="sha256")  # the key is taken in once: an import seals a thousand at a time
    sealed: list[SealedEvent] = []
    for place, event in enumerate(events, seq):
        recipient_digest = _digest(keyed, event.recipient)
        words = words_of(event)
        text_digest = None if words is None else _digest(keyed, words)
        hash_ = _hash(event, place, recipient_digest, text_digest, previous_hash)
        sealed.append(
            SealedEvent(
                seq=place,
                event=event,
                recipient_digest=recipient_digest,
                text_digest=text_digest,
                previous_hash=previous_hash,
                hash=hash_,
            )
        )
        previous_hash = hash_
    return sealed


def _digest(keyed: hmac.HMAC, value: str) -> str:
    """As `digest`, by a key that was taken in before."""
    own = keyed.copy()
    own.update(value.encode("utf-8", "surrogatepass"))
    return own.hexdigest()


def _hash(event: ConsentEvent, seq: int, recipient_digest: str, text_digest: str | None, previous_hash: str) -> str:
    facts = [
        previous_hash,
        seq,
        event.id,
        event.holder,
        event.group,
        recipient_digest,
        event.act,
        event.reason,
        event.actor,
        _millis(event.occurred_at.timestamp()),
        _millis(event.recorded_at.timestamp()),
        event.message,
        text_digest,
        event.word,
        event.rule,
        event.language,
        event.country,
        event.policy_version,
        event.previous,
        event.reference,
        event.source,
    ]
    return hashlib.sha256(_ENCODER.encode(facts).encode()).hexdigest()


def _millis(seconds: float) -> int:
    return round(seconds * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a verification found. `first_fault` names the first bad row and why, None where all is well."""

    ok: bool
    events: int
    head: str
    first_fault: str | None = None


def verify(rows: Iterable[SealedEvent], *, expected_head: tuple[int, str] | None = None) -> Verdict:
    """Check the chain from its first row. `expected_head` (count, hash) catches a tail that was cut off."""
    previous, count = GENESIS, 0
    for row in rows:
        count += 1
        fault = _fault(row, count, previous)
        if fault:
            return Verdict(ok=False, events=count, head=previous, first_fault=f"event {row.event.id} (row {row.seq}): {fault}")
        previous = row.hash
    if expected_head is not None and expected_head != (count, previous):
        missing = f"the ledger ends at row {count}, but row {expected_head[0]} was written: rows are missing at its end"
        return Verdict(ok=False, events=count, head=previous, first_fault=missing)
    return Verdict(ok=True, events=count, head=previous)


def holds(row: SealedEvent) -> bool:
    """Whether the facts of one row are those that were sealed. Its place among the others is `verify`'s question."""
    return row.hash == _hash(row.event, row.seq, row.recipient_digest, row.text_digest, row.previous_hash)


def _fault(row: SealedEvent, count: int, previous: str) -> str | None:
    if row.seq != count:
        return f"row {count} was expected here: a row is missing"
    if row.previous_hash != previous:
        return "it does not follow the row before it"
    if not holds(row):
        return "its facts were changed after it was written"
    return None
