"""Values as the storage tests need them: everything has a default, and a test says only what it is about."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from stopwire.core.address import ChannelGroup, SenderKind
from stopwire.core.consent import Act, ConsentEvent, Reason
from stopwire.core.jobs import Attempt, Delivery, HandsetMessage, Job, Refusal, Review, Transit
from stopwire.core.message import Direction, Message, Purpose, Status
from stopwire.core.policy import standard_policy
from stopwire.core.senders import Account, AccountSettings, Sender, Service
from stopwire.storage import jobs
from stopwire.storage.store import SqlTx

NOW = datetime(2026, 3, 1, 12, 0, 0, 123_000, tzinfo=UTC)
A = "AC" + "a" * 32
B = "AC" + "b" * 32
ANN = "+14155550101"
BOB = "+14155550102"


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def sid(prefix: str, of: str, number: int = 0) -> str:
    """An SID that says whose it is: the account's letter, then a number."""
    return f"{prefix}{of[2]}{number:031d}"


def account(of: str = A, **changes: Any) -> Account:
    facts: dict[str, Any] = {
        "sid": of,
        "friendly_name": f"Account {of[2]}",
        "auth_token": of[2] * 32,
        "test_sid": sid("AC", of, 1),
        "test_token": "t" * 32,
        "ledger_key": of[2] * 64,
        "settings": AccountSettings(),
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Account(**facts | changes)


def service(of: str = A, **changes: Any) -> Service:
    facts: dict[str, Any] = {
        "sid": sid("MG", of),
        "account": of,
        "friendly_name": "News",
        "policy": standard_policy(),
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Service(**facts | changes)


def sender(of: str = A, number: int = 0, **changes: Any) -> Sender:
    facts: dict[str, Any] = {
        "sid": sid("PN", of, number),
        "account": of,
        "address": f"+1{'415' if of == A else '212'}555{1000 + number}",
        "kind": SenderKind.LONG_CODE,
        "country": "US",
        "friendly_name": "",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Sender(**facts | changes)


def message(of: str = A, number: int = 0, **changes: Any) -> Message:
    facts: dict[str, Any] = {
        "sid": sid("SM", of, number),
        "account": of,
        "direction": Direction.API,
        "sender": sender(of).address,
        "recipient": ANN,
        "body": "hello",
        "status": Status.QUEUED,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Message(**facts | changes)


def job(of: str = A, number: int = 0, **changes: Any) -> Job:
    facts: dict[str, Any] = {
        "message": sid("SM", of, number),
        "account": of,
        "connection": "simulator",
        "sender": sid("PN", of),
        "service": None,
        "recipient": ANN,
        "purpose": Purpose.MESSAGE,
        "due_at": NOW,
    }
    return Job(**facts | changes)


def attempt(of: str = A, number: int = 0, **changes: Any) -> Attempt:
    facts: dict[str, Any] = {
        "id": sid("AT", of, number),
        "account": of,
        "message": sid("SM", of, number),
        "connection": "simulator",
        "state": "written",
        "at": NOW,
    }
    return Attempt(**facts | changes)


def event(of: str = A, number: int = 0, **changes: Any) -> ConsentEvent:
    facts: dict[str, Any] = {
        "id": sid("CE", of, number),
        "holder": sid("MG", of),
        "group": ChannelGroup.TEXT,
        "recipient": ANN,
        "act": Act.OPT_OUT,
        "reason": Reason.KEYWORD,
        "actor": "recipient",
        "occurred_at": NOW,
        "recorded_at": NOW,
        "text": "Stop.",
        "word": "STOP",
        "country": "US",
        "note": None,
    }
    return ConsentEvent(**facts | changes)


def delivery(of: str = A, number: int = 0, **changes: Any) -> Delivery:
    facts: dict[str, Any] = {
        "id": sid("WD", of, number),
        "account": of,
        "event": "inbound",
        "message": sid("SM", of, number),
        "url": "https://Example.com:8443/sms?x=1",
        "method": "POST",
        "params": {"Body": "hi", "From": ANN},
        "token": "00000000-0000-4000-8000-000000000000",
        "due_at": NOW,
        "created_at": NOW,
    }
    return Delivery(**facts | changes)


def refusal(of: str = A, number: int = 0, **changes: Any) -> Refusal:
    facts: dict[str, Any] = {
        "id": sid("RF", of, number),
        "account": of,
        "at": NOW,
        "code": 21610,
        "sender": sender(of).address,
        "service": None,
        "recipient": ANN,
        "because": {"event": sid("CE", of)},
    }
    return Refusal(**facts | changes)


def review(of: str = A, number: int = 0, **changes: Any) -> Review:
    facts: dict[str, Any] = {
        "id": sid("SG", of, number),
        "account": of,
        "recipient": ANN,
        "sender": sender(of).address,
        "scope": sid("MG", of),
        "message": sid("SM", of, number),
        "body": "stop please",
        "proposes": "STOP",
        "reason": "near_keyword",
        "confidence": 0.75,
        "evidence": ("stop", "courtesy word"),
        "created_at": NOW,
        "due_at": later(3600),
    }
    return Review(**facts | changes)


def handset_message(of: str = A, number: int = 0, **changes: Any) -> HandsetMessage:
    facts: dict[str, Any] = {
        "id": sid("HM", of, number),
        "account": of,
        "handset": ANN,
        "direction": "in",
        "peer": sender(of).address,
        "body": "hello",
        "at": NOW,
        "media": ("https://example.com/cat.png",),
        "attempt": sid("AT", of, number),
        "message": sid("SM", of, number),
    }
    return HandsetMessage(**facts | changes)


def transit(of: str = A, number: int = 0, **changes: Any) -> Transit:
    values = {
        "id": sid("HM", of, number),
        "account": of,
        "handset": ANN,
        "direction": "in",
        "peer": sender(of).address,
        "body": "Hello",
        "at": NOW,
        "kind": "message",
        "media": (),
        "attempt": sid("AT", of, number),
        "due_at": NOW,
    }
    return Transit(**{**values, **changes})


def add_attempts(tx: SqlTx, attempts: Sequence[Attempt]) -> None:
    """Attempts in whatever state, without the jobs that the product begins them at."""
    jobs._add_attempts.many(tx.unit, attempts)
