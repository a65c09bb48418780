"""Whether a history keeps the promises: nothing lost, nothing twice, nothing after an acknowledged STOP, one confirmation.

Every check is linear in the history, and answers its violations as sentences; an empty list is a pass.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.world.history import Event

FINAL = frozenset({"delivered", "undelivered", "failed", "canceled"})
TAKEN = frozenset({"accepted", "silent"})  # what a centre did with a submission that may have reached the person


@dataclass
class Texts:
    """The texts of one person that changed consent, in order: when they began and when they were acknowledged."""

    stops: list[tuple[float, float]] = field(default_factory=list)  # (invoked, acknowledged)
    starts: list[tuple[float, float]] = field(default_factory=list)  # (invoked first, acknowledged)


def check(events: Sequence[Event]) -> dict[str, list[str]]:
    """The violations of each rule."""
    return {name: rule(events) for name, rule in RULES.items()}


def c1_nothing_is_lost(events: Sequence[Event]) -> list[str]:
    """What was accepted comes to an end, or is held as unknown; every acknowledged text is listed."""
    accepted = {e.value["sid"] for e in events if e.op == "send" and e.kind == "ok"}
    finals: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.op == "final":
            finals[event.value["sid"]].append(event)
    found = []
    for sid in sorted(accepted):
        ends = finals.get(sid, [])
        if len(ends) != 1:
            found.append(f"{sid} was accepted and has {len(ends)} ends")
        elif ends[0].value["status"] not in FINAL and not _ends_open(ends[0]):
            found.append(f"{sid} was accepted and is still {ends[0].value['status']}")
    heard = Counter(e.key for e in events if e.op == "mo" and e.kind == "ok")
    listed = {e.key: e.value["count"] for e in events if e.op == "listed"}
    found += [
        f"{person} had {count} texts acknowledged and {listed.get(person, 0)} are listed"
        for person, count in sorted(heard.items())
        if listed.get(person, 0) < count
    ]
    return found


def _ends_open(final: Event) -> bool:
    """Sent and not reported, or held because nobody answered."""
    return final.value["status"] == "sent" or (final.value["status"] == "sending" and "unknown" in final.value["attempts"])


def c2_nothing_is_sent_twice(events: Sequence[Event]) -> list[str]:
    """A segment that was taken, or may have been, is not written again; to one person messages leave in their order."""
    ambiguous = {e.value["body"]: e.value.get("retried", 0) for e in events if e.op == "final"}
    taken = Counter((e.value["body"], e.value.get("segment", 1)) for e in events if e.op == "submit" and e.value["did"] in TAKEN)
    found = [
        f"segment {segment} of {body} was taken {count} times"
        for (body, segment), count in taken.items()
        if not body.startswith("reply:") and count - 1 > ambiguous.get(body, 0)
    ]
    return found + _disorder(events)


def _disorder(events: Sequence[Event]) -> list[str]:
    first: dict[str, float] = {}
    for event in events:
        if event.op == "submit":
            first.setdefault(event.value["body"], event.t)
    orders: dict[str, list[tuple[float, float, str]]] = defaultdict(list)  # (asked, accepted, body) by person
    begun: dict[str, float] = {}
    for event in events:
        if event.op == "send" and event.kind == "invoke":
            begun[event.value["body"]] = event.t
        elif event.op == "send" and event.kind == "ok":
            orders[event.key].append((begun[event.value["body"]], event.t, event.value["body"]))
    found = []
    for person, orders_of in orders.items():
        left = [order for order in sorted(orders_of) if order[2] in first]
        latest: tuple[float, float, str] | None = None
        for order in left:
            # Two orders that were under way at once have no order; one accepted before the other was asked has.
            if latest is not None and latest[1] < order[0] and first[order[2]] < first[latest[2]]:
                found.append(f"{order[2]} to {person} left before {latest[2]}, which was accepted earlier")
            if latest is None or first[order[2]] > first[latest[2]]:
                latest = order
    return found


def c3_nothing_follows_a_stop(events: Sequence[Event]) -> list[str]:
    """No message is received later than the acknowledgement of a STOP that no later START has lifted. Tolerance: none.

    A text that was never acknowledged may have been taken: a START of that kind excuses, a STOP of that kind forbids
    nothing.
    """
    texts = _consent(events)
    raced = {(e.value["body"]) for e in events if e.op == "final" and e.value.get("raced")}
    found = []
    for event in events:
        if event.op != "submit" or event.value.get("exempt") or event.value["body"] in raced:
            continue
        of = texts.get(event.key)
        if of is None:
            continue
        for began, acknowledged in of.stops:
            if acknowledged >= event.t:
                break
            lifted = any(invoked > began and invoked < event.t for invoked, _ in of.starts)
            if not lifted:
                gap = round((event.t - acknowledged) * 1e6)
                found.append(f"{event.value['body']} was written to {event.key} {gap} µs after its STOP was acknowledged")
                break
    return found


def c5_one_confirmation(events: Sequence[Event]) -> list[str]:
    """Each opt-out has one confirmation and no more; a STOP from somebody who is opted out has none of its own."""
    changes: Counter[tuple[str, str]] = Counter()
    unsure: set[tuple[str, str]] = set()
    state: dict[str, str] = {}
    for event in events:
        if event.op != "mo" or event.kind == "invoke":
            continue
        word = event.value["body"]
        if event.kind == "ok":
            before = state.get(event.key, "START")
            if word in ("STOP", "START") and word != before:
                changes[event.key, word] += 1
                state[event.key] = word
        elif event.kind == "info":
            unsure.add((event.key, word))  # taken or not: the carrier brings it again
    replies = Counter((e.key, e.value["word"]) for e in events if e.op == "submit" and e.value.get("exempt") and e.value["did"] in TAKEN)
    unknown = {(e.key, e.value["word"]) for e in events if e.op == "reply" and "unknown" in e.value["attempts"]}
    found = []
    for key in sorted(changes.keys() | replies.keys()):
        count, least = replies[key], changes[key] if key not in unknown else 0
        if count > changes[key]:
            found.append(f"{key[0]} changed to {key[1]} {changes[key]} times and was told so {count} times")
        elif count < least and not (key in unsure and count >= least - 1 and _unfinished(events, key)):
            found.append(f"{key[0]} changed to {key[1]} {least} times and was told so {count} times only")
    return found


def _unfinished(events: Sequence[Event], key: tuple[str, str]) -> bool:
    """Whether the last text of this kind had no acknowledgement by the end of the run."""
    last = [e for e in events if e.op == "mo" and e.key == key[0] and e.value["body"] == key[1] and e.kind != "invoke"]
    return bool(last) and last[-1].kind != "ok"


def c9_reports_converge(events: Sequence[Event]) -> list[str]:
    """A message whose every segment was reported as delivered is delivered; one with a bad report is not."""
    reports: dict[str, list[str]] = defaultdict(list)
    for event in events:
        if event.op == "receipt" and event.kind == "ok":
            reports[event.value["body"]].append(event.value["state"])
    found = []
    for event in events:
        if event.op != "final" or event.value["body"] not in reports:
            continue
        states, status = set(reports[event.value["body"]]), event.value["status"]
        parts = {(e.value["segment"]) for e in events if e.op == "receipt" and e.kind == "ok" and e.value["body"] == event.value["body"]}
        if states == {"DELIVERED"} and len(parts) == event.value["segments"] and status not in ("delivered", "failed"):
            found.append(f"{event.value['body']} was reported as delivered and is {status}")
        if states == {"UNDELIVERABLE"} and status == "delivered":
            found.append(f"{event.value['body']} was reported as undeliverable and is {status}")
    return found


def _consent(events: Sequence[Event]) -> dict[str, Texts]:
    """STOP and START of each person. One that is brought several times begins with its first invocation."""
    texts: dict[str, Texts] = defaultdict(Texts)
    begun: dict[tuple[str, str], float] = {}
    for event in events:
        if event.op != "mo":
            continue
        key = event.process, event.value["body"]
        if event.kind == "invoke":
            began = begun.setdefault(key, event.t)
            if event.value["body"] == "START" and (began, began) not in texts[event.key].starts:
                texts[event.key].starts.append((began, began))  # it may have been taken from now on, whatever the answer
        elif event.kind == "ok":
            began = begun.pop(key)
            if event.value["body"] == "STOP":
                texts[event.key].stops.append((began, event.t))
        elif event.kind == "fail":
            begun.pop(key, None)
    return texts


RULES: dict[str, Callable[[Sequence[Event]], list[str]]] = {
    "C1": c1_nothing_is_lost,
    "C2": c2_nothing_is_sent_twice,
    "C3": c3_nothing_follows_a_stop,
    "C5": c5_one_confirmation,
    "C9": c9_reports_converge,
}


def figures(events: Sequence[Event]) -> dict[str, Any]:
    """What the run was made of."""
    return {
        "seconds": round(events[-1].t - events[0].t, 1) if events else 0,
        "events": len(events),
        "accepted": sum(e.op == "send" and e.kind == "ok" for e in events),
        "refused": sum(e.op == "send" and e.kind == "fail" for e in events),
        "submits": sum(e.op == "submit" for e in events),
        "stops": sum(e.op == "mo" and e.kind == "ok" and e.value["body"] == "STOP" for e in events),
        "starts": sum(e.op == "mo" and e.kind == "ok" and e.value["body"] == "START" for e in events),
        "nemesis": dict(Counter(e.value["did"] for e in events if e.op == "nemesis")),
        "raced": sum(bool(e.value.get("raced")) for e in events if e.op == "final"),
        "unknown": sum("unknown" in e.value["attempts"] for e in events if e.op == "final"),
    }
