"""Alerts and their rules over the native API."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from stopwire.core.alerts import Alert, Kind, State
from stopwire.flows.alerts import mute_rule, put_rule
from tests.gateway import WAIT_SECONDS, Gateway


@pytest.fixture
def fired(gateway: Gateway) -> Iterator[Alert]:
    """An alert that fires, until the test is done."""
    account, now = gateway.account_sid, gateway.world.clock.now()
    alert = Alert(
        id=gateway.world.ids.sid("AL"), account=account, kind=Kind.LINK_DOWN, subject="CN1", state=State.FIRING, since=now,
        figures={"name": "acme", "minutes": 7},
    )  # fmt: skip
    gateway.run(gateway.world.store.write(lambda tx: tx.alerts.add(alert), account=account))
    yield alert
    gateway.run(put_rule(gateway.world, account=account, kind=Kind.LINK_DOWN, on=False, actor="test", **NOTHING))
    gateway.run(put_rule(gateway.world, account=account, kind=Kind.LINK_DOWN, on=True, actor="test", **NOTHING))
    gateway.run(mute_rule(gateway.world, account=account, kind=Kind.LINK_DOWN, minutes=0, actor="test"))


NOTHING: dict[str, Any] = {"threshold": None, "window_minutes": None, "at_least": None}


def test_an_alert_says_what_made_it_fire_and_what_to_do(gateway: Gateway, fired: Alert) -> None:
    found = gateway.http.get(f"/api/v1/alerts/{fired.id}").json()
    assert ("link_down", "firing", "CN1", {"name": "acme", "minutes": 7}) == tuple(found[n] for n in ("kind", "state", "subject", "figures"))
    assert "The connection acme has been down for 7 min." == found["says"]
    assert found["cure"].startswith("Its log under Carriers")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, True, id="all"),
        pytest.param({"state": "firing", "kind": "link_down"}, True, id="this one"),
        pytest.param({"state": "over"}, False, id="another state"),
        pytest.param({"kind": "loop"}, False, id="another rule"),
    ],
)
def test_alerts_are_listed_and_narrowed(gateway: Gateway, fired: Alert, asked: dict[str, str], expected: bool) -> None:
    found = gateway.http.get("/api/v1/alerts", params=asked).json()
    assert expected == (fired.id in {each["id"] for each in found["items"]})


def test_an_alert_is_taken_by_whoever_says_so(gateway: Gateway, fired: Alert) -> None:
    taken = gateway.http.post(f"/api/v1/alerts/{fired.id}/take")
    assert (200, "taken") == (taken.status_code, taken.json()["state"])
    assert taken.json()["taken_by"] and taken.json()["taken_at"]


def test_an_alert_is_muted_for_a_time_and_cannot_be_taken_meanwhile(gateway: Gateway, fired: Alert) -> None:
    before = gateway.world.clock.now()
    muted = gateway.http.post(f"/api/v1/alerts/{fired.id}/mute", json={"minutes": 60}).json()
    assert "muted" == muted["state"]
    assert timedelta(minutes=60) <= datetime.fromisoformat(muted["muted_until"]) - before < timedelta(minutes=61)
    refused = gateway.http.post(f"/api/v1/alerts/{fired.id}/take")
    assert (409, "This alert is muted: end the mute first.") == (refused.status_code, refused.json()["detail"])
    assert "firing" == gateway.http.post(f"/api/v1/alerts/{fired.id}/mute", json={"minutes": 0}).json()["state"]


@pytest.mark.parametrize("body", [{}, {"minutes": -1}, {"minutes": 43_201}, {"minutes": 1.5}, {"minutes": None}])
def test_no_mute_is_without_an_end(gateway: Gateway, fired: Alert, body: dict[str, Any]) -> None:
    assert 422 == gateway.http.post(f"/api/v1/alerts/{fired.id}/mute", json=body).status_code


def test_a_stranger_sees_none_of_it(gateway: Gateway, fired: Alert) -> None:
    with httpx.Client(base_url=gateway.url, auth=gateway.account(), timeout=WAIT_SECONDS) as stranger:
        assert [] == stranger.get("/api/v1/alerts").json()["items"]
        for ask in (stranger.get, stranger.post):
            assert 404 == ask(f"/api/v1/alerts/{fired.id}" + ("/take" if ask == stranger.post else "")).status_code


def test_rules_are_told_with_their_defaults_and_bounds(gateway: Gateway) -> None:
    found = {each["kind"]: each for each in gateway.http.get("/api/v1/alerts/rules").json()["items"]}
    assert [kind.value for kind in Kind] == list(found)
    rate = found["opt_out_rate"]
    assert (True, 2, 1440, 100, None) == tuple(rate[n] for n in ("on", "threshold", "window_minutes", "at_least", "changed_by"))
    assert {"default": 2, "least": 0.1, "most": 50} == rate["threshold_bounds"]
    assert (None, None) == (found["link_down"]["window_minutes"], found["link_down"]["window_bounds"])


def test_a_rule_is_set_and_goes_back_to_its_default(gateway: Gateway) -> None:
    path = "/api/v1/alerts/rules/failures"
    changed = gateway.http.put(path, json={"threshold": 35.5, "window_minutes": 120}).json()
    assert (35.5, 120, 50, True) == tuple(changed[n] for n in ("threshold", "window_minutes", "at_least", "on"))
    assert changed["changed_by"]
    back = gateway.http.put(path, json={}).json()
    assert (20, 60, None) == tuple(back[n] for n in ("threshold", "window_minutes", "changed_by"))


@pytest.mark.parametrize(
    ("kind", "body", "path"),
    [
        pytest.param("failures", {"threshold": 0}, "threshold", id="too low"),
        pytest.param("failures", {"window_minutes": 90}, "window_minutes", id="half hours"),
        pytest.param("link_down", {"at_least": 3}, "at_least", id="a figure that it has not"),
    ],
)
def test_a_rule_out_of_its_bounds_is_refused_at_its_field(gateway: Gateway, kind: str, body: dict[str, Any], path: str) -> None:
    answer = gateway.http.put(f"/api/v1/alerts/rules/{kind}", json=body)
    assert (422, [path]) == (answer.status_code, [each["path"] for each in answer.json()["errors"]])


def test_there_is_no_rule_but_those_of_the_table(gateway: Gateway) -> None:
    assert 422 == gateway.http.put("/api/v1/alerts/rules/weather", json={}).status_code


def test_a_whole_rule_is_muted(gateway: Gateway) -> None:
    muted = gateway.http.post("/api/v1/alerts/rules/loop/mute", json={"minutes": 5}).json()
    assert muted["muted_until"]
    assert None is gateway.http.post("/api/v1/alerts/rules/loop/mute", json={"minutes": 0}).json()["muted_until"]
