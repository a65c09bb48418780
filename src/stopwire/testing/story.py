"""A failed test's story: who texted whom, what became of it, what was refused and why, what the application raised.

Read from the gateway's log when it is asked for. It judges nothing, and must never be the reason that a test fails.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from stopwire.core.explain import Explanation
from stopwire.core.message import Direction, Message
from stopwire.flows.explain import explain
from stopwire.ports.store import Cut, Entry, EntryFilter
from stopwire.testing.inside import Inside

LINES_MAX = 60
THREAD_MAX = 1_000
BODY_CHARS = 40
EFFECTS = {"block": "blocked", "repeat": "blocked already", "lift": "lifted", "lift_refused": "may not lift this block"}


def told(inside: Inside, faults: Sequence[str] = ()) -> str:
    """The conversation, the explanation of its last refused or failed send, and the application's exceptions."""
    entries = _entries(inside)
    told = sorted([*((entry.at, _line(inside, entry)) for entry in entries), *_automatic(inside)], key=lambda each: each[0])
    lines = [line for _, line in told] or ["  nothing was texted and nothing was refused"]
    turned_down = next((entry for entry in reversed(entries) if entry.refusal or (entry.message and entry.message.error_code)), None)
    if turned_down is not None and (explained := _explained(inside, turned_down.id)):
        lines += ["", f"  {turned_down.id}: {' '.join(explained.why)}"]
    for fault in faults:
        lines += ["", "The application raised, answering a webhook:", fault.rstrip()]
    return "\n".join(lines)


def last_word(inside: Inside) -> str:
    """What explains best that nothing came: the last refusal, else the last message."""
    entries = _entries(inside)
    refused = next((entry for entry in reversed(entries) if entry.refusal), None)
    if refused is not None and refused.refusal is not None:
        explained = _explained(inside, refused.id)
        why = " ".join(explained.why[1:]) if explained else ""  # the first says that it was refused
        return f"Last refusal: {refused.refusal.code}. {why}".rstrip()
    last = next((entry.message for entry in reversed(entries) if entry.message), None)
    return f"Last message: {_line(inside, Entry(id=last.sid, at=last.created_at, message=last)).strip()}" if last else "Nothing was texted at all."


def _entries(inside: Inside) -> list[Entry]:
    found: list[Entry] = inside.call(inside.world.store.read(lambda tx: tx.messages.entries(EntryFilter(), Cut(limit=LINES_MAX)), account=inside.sid))
    return found[::-1]


def _automatic(inside: Inside) -> list[tuple[datetime, str]]:
    """What came to the handsets that is in no log of messages: our confirmations, and the toll-free network's own texts."""
    return [
        (text.at, _told(text.at, "→", inside.name(person), text.body, "network" if text.kind == "network" else "automatic reply"))
        for person in inside.names
        for text in inside.call(inside.world.phones.conversation(inside.sid, person, None, THREAD_MAX))
        if text.direction == "in" and text.kind != "message"
    ]


def _explained(inside: Inside, id: str) -> Explanation | None:
    return inside.call(explain(inside.world, account=inside.sid, id=id)).explanation


def _line(inside: Inside, entry: Entry) -> str:
    if entry.refusal is not None:
        return _told(entry.at, "⊘", inside.name(entry.refusal.recipient), None, f"refused {entry.refusal.code}")
    message = entry.message
    assert message is not None, "an entry is a message or a refusal"
    inbound = message.direction is Direction.INBOUND
    arrow, says = ("←", _understood(message)) if inbound else ("→", _became(message))
    return _told(entry.at, arrow, inside.name(message.recipient), message.body, says)


def _told(at: datetime, arrow: str, name: str, body: str | None, says: str) -> str:
    shown = "" if body is None else repr(body if len(body) <= BODY_CHARS else body[: BODY_CHARS - 1] + "…")
    return f"  {at:%H:%M:%S}.{at.microsecond // 1000:03d}  {arrow} {name}  {shown:{BODY_CHARS + 2}}  {says}".rstrip()


def _understood(message: Message) -> str:
    decided: dict[str, Any] = dict(message.decision)
    keyword = decided.get("keyword")
    return f"{keyword}, {EFFECTS.get(str(decided.get('effect')), 'nothing changes')}" if keyword else ""


def _became(message: Message) -> str:
    return f"{message.status.value} {message.error_code or ''}".rstrip()
