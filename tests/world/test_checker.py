"""The checker finds what it is there to find: planted faults, each in a history of a few lines; and passes a good one."""

import pytest

from tests.world import checker
from tests.world.history import Event

ANN = "+14155570001"


def line(t: float, op: str, kind: str, *, key: str = ANN, process: str = "", **value: object) -> Event:
    return Event(t=t, process=process or ("ann" if op == "mo" else op), op=op, key=key, kind=kind, value=value)


def send(t: float, body: str, sid: str, *, took: float = 0.1) -> list[Event]:
    return [line(t, "send", "invoke", body=body), line(t + took, "send", "ok", body=body, sid=sid)]


def submit(t: float, body: str, *, did: str = "accepted", segment: int = 1, **more: object) -> Event:
    return line(t, "submit", "ok", body=body, did=did, segment=segment, **more)


def reply(t: float, word: str) -> Event:
    return submit(t, f"reply:{word}", exempt=True, word=word)


def text(t: float, word: str, *, took: float = 0.1, ends: str = "ok") -> list[Event]:
    return [line(t, "mo", "invoke", body=word), line(t + took, "mo", ends, body=word)]


def final(sid: str, body: str, status: str, *, attempts: tuple[str, ...] = ("accepted",), **more: object) -> Event:
    return line(90, "final", "ok", sid=sid, body=body, status=status, segments=1, attempts=list(attempts), **{"raced": False, **more})


def listed(count: int) -> Event:
    return line(91, "listed", "ok", count=count)


GOOD = [
    *send(1, "#1#", "SM1"),
    submit(1.5, "#1#"),
    line(1.6, "receipt", "ok", key="#1#", body="#1#", segment=1, state="DELIVERED"),
    *text(2, "STOP"),
    reply(2.3, "STOP"),
    *text(3, "START"),
    reply(3.3, "START"),
    *send(4, "#2#", "SM2"),
    submit(4.5, "#2#"),
    final("SM1", "#1#", "delivered"),
    final("SM2", "#2#", "sent"),
    listed(2),
]


def history(*events: Event, without: tuple[Event, ...] = ()) -> list[Event]:
    return sorted([e for e in [*GOOD, *events] if e not in without], key=lambda e: e.t)


def test_a_good_history_passes() -> None:
    assert {name: [] for name in checker.RULES} == checker.check(GOOD)


@pytest.mark.parametrize(
    ("rule", "events"),
    [
        pytest.param("C1", history(*send(5, "#3#", "SM3")), id="accepted and lost"),
        pytest.param(
            "C1", history(*send(5, "#3#", "SM3"), final("SM3", "#3#", "queued", attempts=())), id="accepted and never sent"
        ),
        pytest.param("C1", history(*text(5, "Hello")), id="a text acknowledged and not kept"),
        pytest.param("C2", history(submit(1.7, "#1#")), id="sent twice"),
        pytest.param("C2", history(submit(1.4, "#1#", did="silent")), id="sent again after no answer"),
        pytest.param("C2", history(submit(1.7, "#1#", segment=1, did="silent")), id="a segment sent twice"),
        pytest.param(
            "C2",
            history(*send(1.2, "#0#", "SM0"), submit(6, "#0#"), final("SM0", "#0#", "sent"), *send(1.4, "#9#", "SM9"), submit(5, "#9#")),
            id="one message overtakes another",
        ),
        pytest.param("C3", history(submit(2.2, "#7#")), id="a message after an acknowledged STOP"),
        pytest.param("C3", history(submit(2.1000001, "#7#")), id="a tenth of a microsecond after it"),
        pytest.param("C5", history(reply(2.4, "STOP")), id="two confirmations"),
        pytest.param("C5", [e for e in GOOD if e.value.get("word") != "STOP"], id="no confirmation"),
        pytest.param("C5", history(*text(3.5, "START"), reply(3.7, "START"), listed(3)), id="a reply to a second START"),
        pytest.param(
            "C9",
            [e for e in GOOD if e.value.get("sid") != "SM1" or e.op != "final"] + [final("SM1", "#1#", "sent")],
            id="delivered, and not said so",
        ),
    ],
)
def test_a_planted_fault_is_found(rule: str, events: list[Event]) -> None:
    assert checker.check(events)[rule]


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(history(submit(2.05, "#7#")), id="a message before the acknowledgement"),
        pytest.param(history(submit(3.05, "#7#")), id="a message once START has begun"),
        pytest.param(history(*text(5, "STOP", ends="info"), submit(6, "#7#")), id="a STOP that nobody acknowledged"),
        pytest.param(
            history(submit(2.2, "#7#"), final("SM7", "#7#", "sent", raced=True)), id="an attempt that was listed as raced"
        ),
    ],
)
def test_what_is_lawful_is_let_pass(events: list[Event]) -> None:
    assert [] == checker.check(events)["C3"]
