"""What goes wrong, as values: sums, limits, and what is not as usual."""

import math

import pytest

from stopwire.core.chaos import CALM, DELAY_SECONDS_MAX, USUAL, Chaos, Reception, link_of, met, problems, unusual


def test_chaos_adds_to_what_a_handset_has_of_its_own() -> None:
    own = Reception(on=False, delay_seconds=1, loss=0.5, duplicates=0.5)
    assert Reception(on=False, delay_seconds=3, loss=0.75, duplicates=1) == met(own, Chaos(delay_seconds=2, loss=0.5, duplicates=1))
    assert own == met(own, CALM)
    assert USUAL == met(USUAL, CALM)


WRONG = [
    pytest.param(USUAL, [], id="as usual"),
    pytest.param(CALM, [], id="calm"),
    pytest.param(Reception(delay_seconds=DELAY_SECONDS_MAX, loss=1, duplicates=1), [], id="the worst there is"),
    pytest.param(Reception(loss=1.01), ["loss"], id="more than all"),
    pytest.param(Reception(duplicates=-0.1), ["duplicates"], id="less than none"),
    pytest.param(Reception(delay_seconds=-1), ["delay_seconds"], id="early"),
    pytest.param(Reception(delay_seconds=DELAY_SECONDS_MAX + 1), ["delay_seconds"], id="later than a day"),
    pytest.param(Reception(loss=math.nan, delay_seconds=math.nan), ["loss", "delay_seconds"], id="no numbers"),
    pytest.param(Chaos(lost_reports=2, per_second=-1), ["lost_reports", "per_second"], id="of all handsets"),
]


@pytest.mark.parametrize(("value", "expected"), WRONG)
def test_what_no_network_does_is_named_by_its_field(value: Reception | Chaos, expected: list[str]) -> None:
    assert expected == [problem.path for problem in problems(value)]


@pytest.mark.parametrize(
    ("chaos", "status", "says"),
    [
        pytest.param(CALM, "up", "no text leaves this machine", id="calm"),
        pytest.param(Chaos(loss=0.5, delay_seconds=9), "up", "no text leaves this machine", id="what the carrier does not know of"),
        pytest.param(Chaos(per_second=5), "up", "at most 5 messages a second", id="throttled"),
        pytest.param(Chaos(silent=True), "down", "says nothing", id="silent"),
        pytest.param(Chaos(down=True, silent=True), "down", "message centre is dead", id="dead"),
    ],
)
def test_the_connection_tells_what_goes_wrong_as_a_carrier_does(chaos: Chaos, status: str, says: str) -> None:
    assert (status, True) == (link_of(chaos).status, says in link_of(chaos).says)


def test_only_what_is_not_as_usual_is_told() -> None:
    assert {} == unusual(USUAL) == unusual(CALM)
    assert {"on": False, "loss": 0.5} == unusual(Reception(on=False, loss=0.5))
    assert {"silent": True} == unusual(Chaos(silent=True))
