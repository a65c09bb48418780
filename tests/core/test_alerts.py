"""Alerts: what makes each rule fire, what a rule may be, and the road of an alert from firing to over."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.core import alerts
from stopwire.core.alerts import CALM_FOR, MUTE_MAX, SPECS, Alert, Change, Kind, Reading, Rule, State, step

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WHOLE_HOURS = "Write whole hours: messages are counted by the hour, so the window is a multiple of 60 minutes."
FIRES, BETWEEN, CALM = (
    Reading(kind=Kind.LINK_DOWN, subject="CN1", value=value, fires=fires, calm=calm, figures={"name": "acme", "minutes": 7})
    for value, fires, calm in ((7, True, False), (4.5, False, False), (0, False, True))
)


def rule(kind: Kind) -> Rule:
    return alerts.rule_of(kind, None)


def at(minutes: float) -> datetime:
    return NOW + minutes * MINUTE


def next_of(alert: Alert | None, reading: Reading, now: datetime = NOW, muted_until: datetime | None = None) -> Alert | None:
    return step(alert, reading, account="AC1", id="AL1", muted_until=muted_until, now=now)


def firing(reading: Reading = FIRES) -> Alert:
    found = next_of(None, reading)
    assert found is not None
    return found


# ── what makes a rule fire ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("stops", "delivered", "fires", "calm"),
    [
        pytest.param(1, 3, False, True, id="one of three never fires"),
        pytest.param(99, 99, False, True, id="nor does anything below the minimum of delivered messages"),
        pytest.param(2, 100, True, False, id="two of a hundred do"),
        pytest.param(19, 1000, False, False, id="a little below, what fires goes on"),
        pytest.param(16, 1000, False, True, id="a fifth below it is calm"),
        pytest.param(0, 0, False, True, id="nothing was sent"),
    ],
)
def test_opt_outs_fire_by_their_share_of_enough_deliveries(stops: int, delivered: int, fires: bool, calm: bool) -> None:
    reading = alerts.opt_outs(rule(Kind.OPT_OUT_RATE), stops=stops, delivered=delivered)
    assert (fires, calm) == (reading.fires, reading.calm)


@pytest.mark.parametrize(
    ("statuses", "codes", "fires"),
    [
        pytest.param({"delivered": 80, "failed": 20}, {"30003": 20}, True, id="twenty of a hundred"),
        pytest.param({"delivered": 80, "undelivered": 20}, {}, True, id="undelivered ones count too"),
        pytest.param({"delivered": 80, "failed": 20}, {"21610": 20}, False, id="whom a STOP ended has not failed"),
        pytest.param({"sent": 960, "failed": 40}, {}, False, id="what no carrier reports on was sent"),
        pytest.param({"delivered": 20, "failed": 20}, {}, False, id="too few have ended"),
        pytest.param({"queued": 900, "delivered": 20, "failed": 20}, {}, False, id="what moves has not ended"),
    ],
)
def test_failures_fire_by_their_share_of_what_has_ended(statuses: dict[str, int], codes: dict[str, int], fires: bool) -> None:
    assert fires == alerts.failures(rule(Kind.FAILURES), statuses=statuses, codes=codes).fires


@pytest.mark.parametrize(
    ("reading", "fires", "says"),
    [
        pytest.param(
            alerts.opt_outs(rule(Kind.OPT_OUT_RATE), stops=5, delivered=120), True,
            "5 people opted out and 120 messages were delivered: 4.2 per 100.", id="opt-outs",
        ),
        pytest.param(
            alerts.failures(rule(Kind.FAILURES), statuses={"delivered": 60, "failed": 40}, codes={}), True,
            "40 of 100 messages failed or were not delivered: 40 of 100.", id="failures",
        ),
        pytest.param(
            alerts.webhook_age(rule(Kind.WEBHOOK_AGE), waiting=12, oldest_at=at(-16), now=NOW), True,
            "Webhooks waiting: 12. The oldest has waited for 16 min.", id="webhooks",
        ),
        pytest.param(
            alerts.link_down(rule(Kind.LINK_DOWN), connection="CN1", name="acme", down_since=at(-4), now=NOW), False,
            "The connection acme has been down for 4 min.", id="a connection, not yet",
        ),
        pytest.param(
            alerts.review_overdue(rule(Kind.REVIEW_OVERDUE), count=3, oldest_due_at=at(-3000), now=NOW), True,
            "Texts in Review past the date to decide them: 3. Days that the oldest is late: 2.", id="review",
        ),
        pytest.param(
            alerts.pumping(rule(Kind.PUMPING), block="+37060012", numbers=64, texts=70), True,
            "64 numbers beginning with +37060012 got 70 texts, and none of this block had any before.", id="pumping",
        ),
        pytest.param(
            alerts.loop(rule(Kind.LOOP), sender="+14155550100", recipient="+14155550117", replies=44), True,
            "+14155550100 sent 44 replies to the number ending 0117, each to a text of theirs.", id="a loop",
        ),
    ],
)  # fmt: skip
def test_an_alert_says_the_figures_that_made_it_fire(reading: Reading, fires: bool, says: str) -> None:
    assert fires == reading.fires
    told = firing(Reading(kind=reading.kind, subject=reading.subject, fires=True, calm=False, figures=reading.figures))
    assert says == alerts.says(told)
    assert alerts.cure(told)


def test_a_connection_that_is_down_is_not_calm_however_short_a_time() -> None:
    reading = alerts.link_down(rule(Kind.LINK_DOWN), connection="CN1", name="acme", down_since=NOW, now=NOW)
    assert (False, False) == (reading.fires, reading.calm)


# ── what a rule may be ───────────────────────────────────────────────────────────────────────────────────


def test_every_kind_has_a_row_whose_defaults_are_within_its_bounds() -> None:
    assert list(Kind) == list(SPECS)
    for kind in Kind:
        own = rule(kind)
        given = {"threshold": own.threshold, "window_minutes": own.window_minutes, "at_least": own.at_least}
        assert [] == alerts.problems(kind, **given)


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        pytest.param(Kind.FAILURES, {"threshold": 0.5}, "Write a number from 1 to 100.", id="too low"),
        pytest.param(Kind.FAILURES, {"threshold": float("nan")}, "Write a number from 1 to 100.", id="no number"),
        pytest.param(Kind.FAILURES, {"threshold": "5"}, "Write a number from 1 to 100.", id="a text"),
        pytest.param(Kind.FAILURES, {"threshold": True}, "Write a number from 1 to 100.", id="a truth"),
        pytest.param(Kind.FAILURES, {"at_least": 20.5}, "Write a number from 20 to 1000000.", id="half a message"),
        pytest.param(Kind.FAILURES, {"window_minutes": 90}, WHOLE_HOURS, id="half an hour"),
        pytest.param(Kind.LINK_DOWN, {"at_least": 5}, "This rule has no such figure: leave it out.", id="a figure that it has not"),
        pytest.param(Kind.OPT_OUT_RATE, {"threshold": 0.1, "window_minutes": 10080, "at_least": 20}, None, id="at its bounds"),
    ],
)  # fmt: skip
def test_a_rule_has_bounds_that_say_so(kind: Kind, given: dict[str, object], expected: str | None) -> None:
    assert expected == next((each.message for each in alerts.problems(kind, **given)), None)


def test_a_change_says_only_what_differs() -> None:
    change = Change(account="AC1", kind=Kind.FAILURES, threshold=5, actor="ana", updated_at=NOW)
    assert Rule(kind=Kind.FAILURES, on=True, threshold=5, window_minutes=60, at_least=50) == alerts.rule_of(Kind.FAILURES, change)


@pytest.mark.parametrize(
    ("minutes", "fits"),
    [
        pytest.param(MUTE_MAX // MINUTE, True, id="the longest"),
        pytest.param(MUTE_MAX // MINUTE + 1, False, id="longer"),
        pytest.param(0, True, id="none any more"),
        pytest.param(-1, False, id="before it began"),
    ],
)
def test_a_mute_has_an_end(minutes: int, fits: bool) -> None:
    assert fits == (alerts.mute_problem(minutes) is None)


@pytest.mark.parametrize(
    ("mutes", "expected"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({(Kind.LINK_DOWN, "CN1"): at(1)}, at(1), id="this one"),
        pytest.param({(Kind.LINK_DOWN, "CN2"): at(1), (Kind.LOOP, ""): at(1)}, None, id="another"),
        pytest.param({(Kind.LINK_DOWN, "CN1"): at(1), (Kind.LINK_DOWN, ""): at(9)}, at(9), id="the whole kind, for longer"),
    ],
)
def test_a_subject_is_muted_by_itself_or_with_its_kind(mutes: dict[tuple[Kind, str], datetime], expected: datetime | None) -> None:
    assert expected == alerts.muted_until(mutes, Kind.LINK_DOWN, "CN1")


# ── the road of an alert ─────────────────────────────────────────────────────────────────────────────────


def test_what_is_between_neither_begins_nor_ends_an_alert() -> None:
    assert None is next_of(None, BETWEEN)
    assert firing() == next_of(firing(), BETWEEN, at(60))


def test_an_alert_is_over_when_it_has_been_calm_for_a_while() -> None:
    calm = next_of(firing(), CALM, at(1))
    assert calm is not None and State.FIRING is calm.state and at(1) == calm.calm_since
    restless = next_of(calm, BETWEEN, at(2))
    assert firing() == restless, "five minutes in a row are asked for"
    over = next_of(calm, CALM, at(1) + CALM_FOR)
    assert over is not None and (State.OVER, at(1) + CALM_FOR) == (over.state, over.over_at)
    assert over == next_of(over, FIRES, at(30))


def test_a_taken_alert_stays_taken_while_it_stands_and_fires_anew_after_it_was_over() -> None:
    taken = alerts.take(firing(), by="ana", now=at(1))
    assert taken is not None and (State.TAKEN, "ana", at(1)) == (taken.state, taken.taken_by, taken.taken_at)
    assert taken == next_of(taken, FIRES, at(2))
    assert firing() == next_of(None, FIRES)


def test_a_muted_alert_is_heard_of_again_at_the_end_of_the_mute_if_it_still_stands() -> None:
    muted = next_of(firing(), FIRES, at(1), at(10))
    assert muted is not None and (State.MUTED, at(10)) == (muted.state, muted.muted_until)
    assert muted == next_of(muted, FIRES, at(9), at(10))
    assert firing() == next_of(muted, FIRES, at(10), at(10))
    over = next_of(muted, CALM, at(10), at(10))
    assert over is not None and State.OVER is over.state, "and not for five minutes just to end"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(None, firing(), "alert.fired", id="fired"),
        pytest.param(firing(), alerts.mute(firing(), until=at(9)), "alert.muted", id="muted"),
        pytest.param(alerts.mute(firing(), until=at(9)), firing(), "alert.fired", id="fired again"),
        pytest.param(firing(), alerts.end(firing(), now=NOW), "alert.over", id="over"),
        pytest.param(firing(), firing(), None, id="nothing"),
    ],
)
def test_a_change_of_state_is_told(before: Alert | None, after: Alert | None, expected: str | None) -> None:
    assert expected == alerts.event_of(before, after)


def test_what_is_over_is_neither_taken_nor_muted() -> None:
    over = alerts.end(firing(), now=NOW)
    assert None is alerts.take(over, by="ana", now=NOW)
    assert over == alerts.mute(over, until=at(5))


READINGS = st.sampled_from([FIRES, BETWEEN, CALM])
LOOKS = st.lists(st.tuples(READINGS, st.integers(0, 20), st.sampled_from(["", "mute", "unmute", "take"])), max_size=40)


@given(LOOKS)
def test_nothing_fires_while_it_is_muted_and_everything_ends(looks: list[tuple[Reading, int, str]]) -> None:
    alert: Alert | None = None
    muted: datetime | None = None
    now = NOW
    for reading, minutes, act in looks:
        now += minutes * MINUTE
        if act == "mute":
            muted = now + 15 * MINUTE
        elif act == "unmute":
            muted = None
        elif act == "take" and alert is not None:
            alert = alerts.take(alert, by="ana", now=now) or alert
        alert = next_of(None if alert is not None and alert.state is State.OVER else alert, reading, now, muted)
        if muted is not None and muted > now:
            assert alert is None or alert.state in (State.MUTED, State.OVER)
        elif reading.fires:
            assert alert is not None and alert.state in (State.FIRING, State.TAKEN), "what is wrong is never passed over in silence"
    if alert is not None:
        for minutes in (0, 5, 40):
            alert = next_of(alert, CALM, now + minutes * MINUTE, muted)
            assert alert is not None
        assert State.OVER is alert.state
