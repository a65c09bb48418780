"""Opt-out settings over the native API."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway import Gateway, eventually

US = "+14155550100"

SPANISH = {
    "stop": {"keywords": ["ALTO", "BAJA"], "reply": "Acme: ya no recibira mensajes. Responda START para volver."},
    "help": {"keywords": ["AYUDA"], "reply": "Acme: responda ALTO para salir. +1 415 555 0100"},
}


@pytest.fixture
def path(gateway: Gateway) -> Iterator[str]:
    """The settings of the demo's service; afterwards they are as they were."""
    path = f"/api/v1/services/{gateway.service}/opt-out"
    before = gateway.http.get(path).json()
    yield path
    assert 200 == gateway.http.put(path, json=before).status_code


def put(gateway: Gateway, path: str, **changes: Any) -> dict[str, Any]:
    policy = gateway.http.get(path).json()
    answer = gateway.http.put(path, json=policy | changes)
    assert 200 == answer.status_code, answer.text
    return dict(answer.json())


def test_what_was_read_can_be_written_back(gateway: Gateway, path: str) -> None:
    before = gateway.http.get(path).json()
    after = gateway.http.put(path, json=before).json()
    assert before | {"version": before["version"] + 1} == after


def test_a_language_is_kept_as_it_was_given(gateway: Gateway, path: str) -> None:
    saved = put(gateway, path, enabled=True, languages={"SPANISH": SPANISH})
    assert {"es": SPANISH} == saved["languages"]
    assert saved == gateway.http.get(path).json()


def test_a_word_of_another_language_stops_and_is_answered_in_it(gateway: Gateway, path: str) -> None:
    put(gateway, path, enabled=True, languages={"es": SPANISH})
    phone = gateway.phone("+14155552001")
    phone.text("Alto", to=US)
    (reply,) = phone.wait(1)
    assert SPANISH["stop"]["reply"] == reply["body"]


@pytest.mark.parametrize(
    ("break_it", "path_told"),
    [
        pytest.param(lambda p: p["standard"]["stop"].update(reply=""), "standard.stop.reply", id="an empty reply"),
        pytest.param(lambda p: p["standard"]["stop"].update(reply="x" * 321), "standard.stop.reply", id="a reply too long"),
        pytest.param(lambda p: p["standard"]["stop"]["keywords"].remove("STOP"), "standard.stop.keywords", id="no STOP"),
        pytest.param(lambda p: p.update(matching="fuzzy"), "matching", id="an unknown mode"),
        pytest.param(lambda p: p.update(langauges={}), "langauges", id="a slip in a name"),
        pytest.param(lambda p: p.update(enabled="yes"), "enabled", id="a text for a switch"),
    ],
)
def test_what_cannot_be_saved_is_told_by_its_place(gateway: Gateway, path: str, break_it: Any, path_told: str) -> None:
    policy = copy.deepcopy(gateway.http.get(path).json())
    break_it(policy)
    answer = gateway.http.put(path, json=policy)
    assert (422, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert path_told in [each["path"] for each in answer.json()["errors"]]
    assert gateway.http.get(path).json() != policy


@pytest.mark.parametrize("form", ["{}", '"{}"', 'W/"{}"'])
def test_a_version_that_is_not_the_newest_is_not_overwritten(gateway: Gateway, path: str, form: str) -> None:
    policy = gateway.http.get(path).json()
    stale = gateway.http.put(path, json=policy, headers={"If-Match": form.format(policy["version"] - 1)})
    assert 412 == stale.status_code
    fresh = gateway.http.put(path, json=policy, headers={"If-Match": form.format(policy["version"])})
    assert 200 == fresh.status_code, fresh.text


def test_an_old_version_comes_back_as_a_new_one(gateway: Gateway, path: str) -> None:
    first = gateway.http.get(path).json()
    put(gateway, path, enabled=True, languages={"es": SPANISH})
    back = gateway.http.post(f"{path}/rollback", json={"version": first["version"]}).json()
    assert first | {"version": first["version"] + 2} == back
    listed = gateway.http.get(f"{path}/versions").json()
    assert [back["version"], back["version"] - 1] == [each["version"] for each in listed["items"]][:2]
    assert listed["next"] is None
    one = gateway.http.get(f"{path}/versions/{first['version']}").json()
    assert {k: v for k, v in first.items() if k not in ("version", "warnings")} == one["policy"]


def test_two_versions_are_compared_by_place(gateway: Gateway, path: str) -> None:
    first = put(gateway, path, enabled=False)
    second = put(gateway, path, enabled=True)
    found = gateway.http.get(f"{path}/diff", params={"from": first["version"], "to": second["version"]}).json()
    assert [{"path": "enabled", "before": False, "after": True}] == found["changes"]


@pytest.mark.parametrize("format", ["toml", "json"])
def test_a_file_carries_the_settings_over(gateway: Gateway, path: str, format: str) -> None:
    before = put(gateway, path, enabled=True, languages={"es": SPANISH, "pt-BR": {"stop": {"keywords": ["SAIR"], "reply": 'a "b" \\ ç'}}})
    file = gateway.http.get(f"{path}/export", params={"format": format})
    put(gateway, path, enabled=False, languages={})
    answer = gateway.http.post(f"{path}/import", content=file.content, headers={"Content-Type": f"application/{format}"})
    assert 200 == answer.status_code, answer.text
    assert before["languages"] == answer.json()["languages"]


def test_a_file_that_is_none_is_refused(gateway: Gateway, path: str) -> None:
    answer = gateway.http.post(f"{path}/import", content=b"= = =", headers={"Content-Type": "application/toml"})
    assert 400 == answer.status_code


def test_a_trial_says_what_would_happen_and_changes_nothing(gateway: Gateway, path: str) -> None:
    put(gateway, path, enabled=True)
    found = gateway.http.post(f"{path}/test", json={"body": " stop. ", "from": "+14155552002"}).json()
    told = {name: found[name] for name in ("type", "matched", "matched_by", "effect", "normalised", "suggestion")}
    expected = {"type": "STOP", "matched": "STOP", "matched_by": "keyword", "effect": "block", "normalised": "stop", "suggestion": None}
    assert expected == told
    assert "STOP" == found["webhook"]["OptOutType"]
    assert "unsubscribed" in found["reply"]
    assert [] == gateway.http.get("/api/v1/blocks", params={"recipient": "+14155552002"}).json()["items"]


def test_a_trial_knows_who_is_blocked(gateway: Gateway, path: str) -> None:
    put(gateway, path, enabled=True)
    gateway.phone("+14155552003").text("STOP", to=US)
    effects = [
        gateway.http.post(f"{path}/test", json={"body": body, "from": "+14155552003"}).json()["effect"]
        for body in ("STOP", "START", "hello")
    ]
    assert ["repeat", "lift", "none"] == effects


def test_a_trial_of_an_ordinary_text_may_suggest(gateway: Gateway, path: str) -> None:
    found = gateway.http.post(f"{path}/test", json={"body": "please stop texting me"}).json()
    assert (None, "none") == (found["type"], found["effect"])
    assert "STOP" == found["suggestion"]["proposes"]


def test_a_draft_can_be_tried(gateway: Gateway, path: str) -> None:
    draft = gateway.http.get(path).json() | {"enabled": True, "languages": {"es": SPANISH}}
    found = gateway.http.post(f"{path}/test", json={"body": "baja", "policy": draft}).json()
    assert ("STOP", "es") == (found["type"], found["language"])


def test_a_sender_of_another_service_is_not_tried(gateway: Gateway, path: str) -> None:
    answer = gateway.http.post(f"{path}/test", json={"body": "STOP", "to": "+18885550100"})
    assert 422 == answer.status_code


def test_a_dry_run_tells_which_texts_would_have_meant_something_else(gateway: Gateway, path: str) -> None:
    sent = gateway.phone("+14155552004").text("baja", to=US)
    eventually(lambda: sent["message_sid"])
    draft = gateway.http.get(path).json() | {"enabled": True, "languages": {"es": SPANISH}}
    found = gateway.http.post(f"{path}/replay", json={"policy": draft, "since": "2020-01-01T00:00:00Z"}).json()
    changed = {each["message_sid"]: each for each in found["changed"]}
    assert (None, "STOP") == (changed[sent["message_sid"]]["before"], changed[sent["message_sid"]]["after"])


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_service_of_another_account_is_not_found(gateway: Gateway, path: str, method: str) -> None:
    sid, token = gateway.account()
    answer = gateway.http.request(method, path, json={} if method == "PUT" else None, auth=(sid, token))
    assert 404 == answer.status_code


@pytest.mark.parametrize("version", ["0", "x", "99999999999999999999", "-1"])
def test_a_version_that_cannot_be_is_refused(gateway: Gateway, path: str, version: str) -> None:
    assert 422 == gateway.http.get(f"{path}/versions/{version}").status_code


def test_a_version_that_is_not_there_is_not_found(gateway: Gateway, path: str) -> None:
    assert 404 == gateway.http.get(f"{path}/versions/999999").status_code
