"""The block list is the fold of the ledger."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.core.address import ChannelGroup
from stopwire.core.consent import (
    API_REASONS,
    CLOSES,
    CONSENT_CANNOT_LIFT,
    OPENS,
    START_LIFTS,
    Act,
    ConsentEvent,
    Reason,
    block_of,
    fold,
)
from tests.core.samples import MG, NOW, PERSON

T, W = ChannelGroup.TEXT, ChannelGroup.WHATSAPP


def facts(*acts: str, group: ChannelGroup = T, holder: str = MG) -> list[tuple[str, ChannelGroup, str, Act, str]]:
    return [(holder, group, PERSON, Act(act), f"{act}-{n}") for n, act in enumerate(acts)]


@pytest.mark.parametrize(
    ("acts", "event"),
    [
        pytest.param(["opt_out"], "opt_out-0", id="a STOP"),
        pytest.param(["block"], "block-0", id="a block by hand"),
        pytest.param(["opt_out", "repeat", "opt_out"], "opt_out-0", id="the first block stands"),
        pytest.param(["opt_out", "opt_in"], None, id="a START"),
        pytest.param(["block", "lift"], None, id="a lift by hand"),
        pytest.param(["opt_out", "opt_in", "block"], "block-2", id="blocked again"),
        pytest.param(["opt_out", "help", "no_change", "lift_refused", "repeat"], "opt_out-0", id="the others change nothing"),
        pytest.param(["opt_in", "lift", "help"], None, id="nothing to open"),
    ],
)
def test_acts_close_and_open(acts: list[str], event: str | None) -> None:
    expected = {(MG, T, PERSON): event} if event else {}
    assert expected == fold(facts(*acts))


def test_scopes_and_channels_do_not_touch_each_other() -> None:
    ledger = [*facts("opt_out"), *facts("opt_in", group=W), *facts("opt_in", holder="PN1"), *facts("opt_out", group=W)]
    assert {(MG, T, PERSON): "opt_out-0", (MG, W, PERSON): "opt_out-0"} == fold(ledger)


@given(
    st.lists(st.tuples(st.sampled_from([MG, "PN1"]), st.sampled_from([T, W]), st.sampled_from(list(Act))), max_size=30)
)
def test_the_last_act_that_closes_or_opens_decides(acts: list[tuple[str, ChannelGroup, Act]]) -> None:
    ledger = [(holder, group, PERSON, act, str(n)) for n, (holder, group, act) in enumerate(acts)]
    blocked = fold(ledger)
    for holder, group in {(holder, group) for holder, group, _ in acts}:
        telling = [act for h, g, act in acts if (h, g) == (holder, group) and act in CLOSES | OPENS]
        assert bool(telling and telling[-1] in CLOSES) == ((holder, group, PERSON) in blocked)


def test_what_may_be_lifted_by_whom() -> None:
    assert not START_LIFTS & CONSENT_CANNOT_LIFT
    assert {Reason.API} == set(Reason) - START_LIFTS - CONSENT_CANNOT_LIFT  # an application may take its own block back
    assert {Reason.CONSENT} == API_REASONS & START_LIFTS


EVENT = ConsentEvent(
    id="CE1",
    holder=MG,
    group=T,
    recipient=PERSON,
    act=Act.BLOCK,
    reason=Reason.API,
    actor="SK1",
    occurred_at=NOW,
    recorded_at=NOW,
    note="asked by phone",
)


def test_a_block_tells_who_made_it_and_why() -> None:
    made = block_of(EVENT, id="BL1")
    assert ("BL1", MG, T, PERSON, Reason.API, NOW, "SK1", "asked by phone", "CE1") == (
        made.id, made.holder, made.group, made.recipient, made.reason, made.since, made.actor, made.note, made.event,
    )  # fmt: skip


@pytest.mark.parametrize("act", sorted(set(Act) - CLOSES))
def test_no_other_act_makes_a_block(act: Act) -> None:
    with pytest.raises(AssertionError):
        block_of(replace(EVENT, act=act), id="BL1")
