"""How long an account keeps what: what may be set, what is advised, and when something is due."""

from datetime import UTC, datetime, timedelta

import pytest

from stopwire.core import retention
from stopwire.core.senders import AccountSettings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_by_default_nothing_is_ever_due() -> None:
    assert {} == retention.due(AccountSettings(), NOW)
    assert [] == retention.warnings(AccountSettings())


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"keep_bodies_days": 400}, {"texts", "suggested", "handsets"}, id="texts"),
        pytest.param({"keep_messages_days": 2000}, {"messages", "refusals", "suggestions"}, id="messages"),
        pytest.param({"keep_webhooks_days": 30}, {"webhooks"}, id="webhooks"),
        pytest.param({"keep_webhooks_days": 30, "legal_hold": True}, set(), id="a hold outranks every time"),
    ],
)
def test_a_time_lets_its_own_records_go(settings: dict[str, int], expected: set[str]) -> None:
    assert expected == retention.due(AccountSettings(**settings), NOW).keys()


def test_what_is_due_is_older_than_the_days_set() -> None:
    assert {"webhooks": NOW - timedelta(days=30)} == retention.due(AccountSettings(keep_webhooks_days=30), NOW)


def test_the_ledger_the_blocks_and_the_audit_log_have_no_rule() -> None:
    assert {"texts", "suggested", "handsets", "messages", "refusals", "suggestions", "webhooks"} == set(retention.KINDS)


@pytest.mark.parametrize(
    ("setting", "value", "fits"),
    [
        pytest.param("keep_bodies_days", None, True, id="for good"),
        pytest.param("keep_bodies_days", 1, True, id="a day"),
        pytest.param("keep_bodies_days", 0, False, id="not at all: that is ContentRetention=discard"),
        pytest.param("keep_bodies_days", -1, False, id="negative"),
        pytest.param("keep_bodies_days", True, False, id="a truth"),
        pytest.param("keep_bodies_days", "30", False, id="a text"),
        pytest.param("keep_bodies_days", 36_501, False, id="beyond a hundred years"),
        pytest.param("keep_messages_days", 34, False, id="shorter than a message may be scheduled ahead"),
        pytest.param("keep_messages_days", 35, True, id="as far as a message may be scheduled ahead"),
        pytest.param("keep_webhooks_days", 3, False, id="as long as a webhook is tried"),
        pytest.param("keep_webhooks_days", 4, True, id="longer than a webhook is tried"),
    ],
)
def test_what_days_may_be_set(setting: str, value: object, fits: bool) -> None:
    assert fits == (retention.problem(setting, value) is None)


def test_a_time_below_the_advised_one_is_warned_of_and_says_which_is_advised() -> None:
    warned = retention.warnings(AccountSettings(keep_bodies_days=90, keep_messages_days=1_827, keep_webhooks_days=7))
    assert ["keep_bodies_days", "keep_webhooks_days"] == [each.path for each in warned]
    assert "396 days are advised" in warned[0].message
