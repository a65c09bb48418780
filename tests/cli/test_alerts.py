"""`stopwire alerts`: list, take, mute, and set the rules."""

import pytest

from stopwire.cli.output import Exit
from stopwire.core.alerts import Alert, Kind, State
from tests.cli.conftest import Ran, Run
from tests.gateway import Gateway


@pytest.fixture
def ask(run: Run, gateway: Gateway) -> Run:
    def asked(*words: object, stdin: str | None = None) -> Ran:
        url, sid, token = gateway.url, gateway.account_sid, gateway.auth_token
        return run(*words, stdin=stdin, STOPWIRE_URL=url, STOPWIRE_ACCOUNT_SID=sid, STOPWIRE_AUTH_TOKEN=token)

    return asked


def fire(gateway: Gateway, subject: str) -> str:
    account = gateway.account_sid
    alert = Alert(
        id=gateway.world.ids.sid("AL"), account=account, kind=Kind.WEBHOOK_AGE, subject=subject, state=State.FIRING,
        since=gateway.world.clock.now(), figures={"waiting": 12, "minutes": 16},
    )  # fmt: skip
    gateway.run(gateway.world.store.write(lambda tx: tx.alerts.add(alert), account=account))
    return alert.id


def test_an_alert_is_listed_taken_and_muted(ask: Run, gateway: Gateway) -> None:
    id = fire(gateway, "a")
    listed = ask("alerts", "list", "--state", "firing", "--kind", "webhook_age")
    assert id in listed.out and "Webhooks waiting: 12." in listed.out
    assert f"{id} is yours: Webhooks waiting: 12." in ask("alerts", "take", id).out
    assert "taken" == ask("alerts", "list", "--json").json["items"][0]["state"]
    assert f"{id} is muted until" in ask("alerts", "mute", id, "--for", "4h").out
    assert [id] == [each["id"] for each in ask("alerts", "list", "--state", "muted", "--json").json["items"]]
    assert f"{id} is not muted any more." in ask("alerts", "mute", id, "--for", "0").out


def test_a_whole_rule_is_muted_by_its_name(ask: Run) -> None:
    assert "loop is muted until" in ask("alerts", "mute", "loop", "--for", "30m").out
    assert "loop is not muted any more." in ask("alerts", "mute", "loop", "--for", "0").out


@pytest.mark.parametrize("time", ["soon", "1h30m", "", "-5m"])
def test_a_time_that_is_none_is_a_fault_of_usage(ask: Run, time: str) -> None:
    assert Exit.USAGE == ask("alerts", "mute", "loop", "--for", time).code


def test_rules_are_listed_and_set_one_figure_at_a_time(ask: Run) -> None:
    assert "opt-outs per 100 delivered" in ask("alerts", "rules").out
    assert 3.5 == ask("alerts", "rules", "opt_out_rate", "--threshold", "3.5", "--json").json["items"][0]["threshold"]
    both = ask("alerts", "rules", "opt_out_rate", "--at-least", "200", "--off", "--json").json["items"][0]
    assert (3.5, 200, False) == (both["threshold"], both["at_least"], both["on"])
    back = ask("alerts", "rules", "opt_out_rate", "--default", "--json").json["items"][0]
    assert (2, 100, True, None) == (back["threshold"], back["at_least"], back["on"], back["changed_by"])


def test_a_rule_out_of_its_bounds_is_refused_with_the_bounds(ask: Run) -> None:
    ran = ask("alerts", "rules", "failures", "--threshold", "0")
    assert (Exit.NO, True) == (ran.code, "Write a number from 1 to 100." in ran.err)


@pytest.mark.parametrize("words", [("weather",), ("--threshold", "5")])
def test_which_rule_has_to_be_said(ask: Run, words: tuple[str, ...]) -> None:
    assert Exit.USAGE == ask("alerts", "rules", *words).code
