"""Fences between machines that answer each other."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.core import loops

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def ago(*seconds: float) -> list[datetime]:
    return [NOW - timedelta(seconds=s) for s in seconds]


@pytest.mark.parametrize(
    ("kind", "recent", "expected"),
    [
        pytest.param("HELP", [], True, id="first HELP"),
        pytest.param("HELP", ago(10, 20), True, id="third HELP"),
        pytest.param("HELP", ago(10, 20, 3599), False, id="fourth HELP within the hour"),
        pytest.param("HELP", ago(10, 20, 3600), True, id="the hour has passed"),
        pytest.param(loops.TWIML, ago(*range(14)), True, id="fifteenth reply"),
        pytest.param(loops.TWIML, ago(*range(15)), False, id="sixteenth reply in 30 seconds"),
        pytest.param(loops.TWIML, ago(*range(0, 45, 3)), True, id="fifteen replies over 45 seconds"),
        pytest.param("STOP", ago(*range(29)), True, id="thirtieth text"),
        pytest.param("STOP", ago(*[1] * 30), False, id="thirty-first text in 30 seconds"),
        pytest.param("START", ago(*range(30)), False, id="one text a second"),
        pytest.param("START", ago(*range(29, 59)), False, id="silence after thirty"),
        pytest.param("START", ago(*range(30, 60)), True, id="silence is over"),
        pytest.param("START", ago(*range(0, 60, 2)), True, id="thirty over a minute"),
        pytest.param("STOP", list(reversed(ago(*range(30)))), False, id="order does not matter"),
    ],
)
def test_a_fence_closes_when_it_is_reached_and_opens_again(kind: str, recent: list[datetime], expected: bool) -> None:
    assert expected == loops.may_answer(kind=kind, recent=recent, now=NOW)


@given(st.lists(st.floats(min_value=0.01, max_value=20), min_size=1, max_size=200), st.sampled_from(["HELP", "STOP", loops.TWIML]))
def test_two_machines_never_pass_the_fence(gaps: list[float], kind: str) -> None:
    now, sent = NOW, list[datetime]()
    for gap in gaps:
        now += timedelta(seconds=gap)
        if loops.may_answer(kind=kind, recent=sent, now=now):
            sent.append(now)
    for fence in {"HELP": (loops.HELP_FENCE,), loops.TWIML: (loops.TWIML_FENCE,)}.get(kind, (loops.ANY_FENCE,)):
        for at in sent:
            assert sum(at <= other < at + fence.window for other in sent) <= fence.count


REPLY = "Reply STOP to unsubscribe. Msg&Data Rates May Apply."


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(REPLY, True, id="our own words"),
        pytest.param(f"  {REPLY.upper()}\r\n", True, id="changed on the way"),
        pytest.param("STOP", False, id="a person's word"),
        pytest.param(f"RE: {REPLY}", False, id="more than our words"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_our_own_words_are_recognised_when_they_come_back(body: str, expected: bool) -> None:
    assert expected == loops.echoes(body, ["Hello", REPLY, ""])
