"""Undoing an import: it lifts what it blocked and nothing else, and nobody who has asked for silence since."""

from typing import Any

import pytest

from stopwire.flows import ingest
from stopwire.flows.undo import OTHER, SAID_SINCE
from tests.gateway import Gateway, eventually

FIRST, SAID_STOP, BEFORE, LIFTED, ELSEWHERE = (f"+1415555{number}" for number in (6101, 6102, 6103, 6104, 6105))
ALONE = "+14155550122"


def bring(gateway: Gateway, *recipients: str, scope: str | None = None) -> str:
    file = "recipient\n" + "\n".join(recipients)
    answer = gateway.http.post("/api/v1/blocks/import", content=file, params={"scope": scope} if scope else {}, headers={"Content-Type": "text/csv"})
    assert 201 == answer.status_code, answer.text
    return str(answer.json()["id"])


def undo(gateway: Gateway, id: str) -> dict[str, Any]:
    answer = gateway.http.post(f"/api/v1/imports/{id}/undo", json={"note": "the wrong file"})
    assert 200 == answer.status_code, answer.text
    return dict(answer.json())


def reasons(gateway: Gateway, recipient: str) -> list[str]:
    return [each["reason"] for each in gateway.http.get("/api/v1/blocks", params={"recipient": recipient}).json()["items"]]


def rows(gateway: Gateway, id: str) -> list[tuple[str, str | None]]:
    return [(each["state"], each["error"]) for each in gateway.http.get(f"/api/v1/imports/{id}/rows").json()["items"]]


def test_it_lifts_what_it_blocked_and_nothing_else(gateway: Gateway) -> None:
    gateway.http.post("/api/v1/blocks", json={"recipient": BEFORE, "scope": gateway.account_sid})
    gateway.http.post("/api/v1/blocks", json={"recipient": ELSEWHERE, "scope": ALONE})
    id = bring(gateway, FIRST, SAID_STOP, BEFORE, LIFTED, ELSEWHERE)
    gateway.phone(SAID_STOP).text("STOP", to=ALONE)
    eventually(lambda: len(reasons(gateway, SAID_STOP)) == 2)
    lifting = {"recipient": LIFTED, "scope": gateway.account_sid}
    assert 200 == gateway.http.request("DELETE", "/api/v1/blocks", json=lifting).status_code
    done = undo(gateway, id)
    assert ("undone", 3) == (done["import"]["state"], done["lifted"])
    assert [("lifted", None), ("lifted", None), ("skipped", None), ("stays", OTHER), ("lifted", None)] == rows(gateway, id)
    expected = {FIRST: [], SAID_STOP: ["keyword"], BEFORE: ["api"], LIFTED: [], ELSEWHERE: ["api"]}
    assert expected == {each: reasons(gateway, each) for each in expected}


def test_who_said_stop_where_the_import_had_blocked_them_stays_blocked(gateway: Gateway) -> None:
    """Their STOP made no block of its own: there was one. To lift it would be to forget what they said."""
    id = bring(gateway, person := "+14155556131", scope=ALONE)
    gateway.phone(person).text("STOP", to=ALONE)
    asked = {"recipient": person}
    eventually(lambda: "repeat" in [e["act"] for e in gateway.http.get("/api/v1/consent-events", params=asked).json()["items"]])
    done = undo(gateway, id)
    assert (0, 1) == (done["lifted"], done["stayed"])
    assert [("stays", SAID_SINCE)] == rows(gateway, id)
    assert ["import"] == reasons(gateway, person)


def test_the_ledger_says_so_and_stays_whole(gateway: Gateway) -> None:
    person = "+14155556111"
    undo(gateway, id := bring(gateway, person))
    told = gateway.http.get("/api/v1/consent-events", params={"recipient": person}).json()["items"]
    assert [("lift", f"undo of import {id}", "the wrong file"), ("block", f"import {id}", None)] == [
        (each["act"], each["source"], each["note"]) for each in told
    ]
    assert gateway.http.get("/api/v1/ledger/verify").json()["ok"]


def test_undoing_twice_lifts_nothing_more(gateway: Gateway) -> None:
    id = bring(gateway, person := "+14155556121")
    undo(gateway, id)
    again = bring(gateway, person)
    done = undo(gateway, id)
    assert (0, 0) == (done["lifted"], done["stayed"])
    assert ["import"] == reasons(gateway, person)
    assert 1 == undo(gateway, again)["lifted"]


@pytest.mark.parametrize(("which", "status"), [pytest.param("IM" + "0" * 32, 404, id="there is none"), pytest.param("", 409, id="still running")])
def test_what_cannot_be_undone_says_why(gateway: Gateway, which: str, status: int) -> None:
    id = which or gateway.run(ingest.start(gateway.world, account=gateway.account_sid)).id
    answer = gateway.http.post(f"/api/v1/imports/{id}/undo")
    assert status == answer.status_code, answer.text
