"""The ledger, its proof, and the review queue over the native API."""

from tests.gateway import Gateway

US, ALONE, SHORT = "+14155550100", "+14155550122", "72345"


def test_each_change_is_an_event(gateway: Gateway) -> None:
    phone = gateway.phone("+14155554001")
    for text in ("STOP", "STOP", "HELP", "START", "START"):
        phone.text(text, to=US)
    found = gateway.http.get("/api/v1/consent-events", params={"recipient": phone.address}).json()["items"]
    assert ["no_change", "opt_in", "help", "repeat", "opt_out"] == [each["act"] for each in found]
    assert ("recipient", "STOP", "STOP", "keyword") == tuple(found[-1][name] for name in ("actor", "text", "word", "reason"))
    one = gateway.http.get(f"/api/v1/consent-events/{found[0]['id']}").json()
    assert found[0] == one


def test_the_ledger_holds(gateway: Gateway) -> None:
    gateway.phone("+14155554002").text("STOP", to=US)
    found = gateway.http.get("/api/v1/ledger/verify").json()
    assert (True, None) == (found["ok"], found["first_fault"])
    assert found["events"] >= 1


def test_evidence_is_complete(gateway: Gateway) -> None:
    phone = gateway.phone("+14155554003")
    text = phone.text("Stop", to=US)
    found = gateway.http.get("/api/v1/evidence/%2B14155554003").json()
    assert [text["message_sid"]] == [each["message_sid"] for each in found["events"]]
    assert [found["events"][0]["id"]] == [each["event"] for each in found["blocks"]]
    assert text["message_sid"] in [each["sid"] for each in found["messages"]]
    assert found["complete"] and found["sealed"]
    assert [(gateway.service, found["events"][0]["policy_version"])] == [(p["service"], p["version"]) for p in found["policies"]]


def test_a_confirmed_suggestion_blocks(gateway: Gateway) -> None:
    phone = gateway.phone("+14155554004")
    sent = phone.text("please stop texting me", to=ALONE)
    (waiting,) = gateway.http.get("/api/v1/suggestions", params={"recipient": phone.address, "state": "open"}).json()["items"]
    assert (sent["message_sid"], "STOP") == (waiting["message_sid"], waiting["proposes"])
    path = f"/api/v1/suggestions/{waiting['id']}"
    confirmed = gateway.http.post(f"{path}/confirm", json={"note": "clear enough"}).json()
    assert ("confirmed", "clear enough") == (confirmed["state"], confirmed["note"])
    (block,) = gateway.http.get("/api/v1/blocks", params={"recipient": phone.address}).json()["items"]
    assert ("review", gateway.sender(ALONE)) == (block["reason"], block["scope"])
    assert confirmed == gateway.http.post(f"{path}/confirm").json()
    assert 409 == gateway.http.post(f"{path}/dismiss").status_code


def test_a_dismissed_suggestion_blocks_nobody(gateway: Gateway) -> None:
    phone = gateway.phone("+14155554005")
    phone.text("please stop texting me", to=ALONE)
    (waiting,) = gateway.http.get("/api/v1/suggestions", params={"recipient": phone.address}).json()["items"]
    assert "dismissed" == gateway.http.post(f"/api/v1/suggestions/{waiting['id']}/dismiss").json()["state"]
    assert [] == gateway.http.get("/api/v1/blocks", params={"recipient": phone.address}).json()["items"]


def test_a_start_that_only_the_operator_can_honour_is_confirmed(gateway: Gateway) -> None:
    phone = gateway.phone("+14155554006")
    gateway.http.post("/api/v1/blocks", json={"recipient": phone.address, "scope": ALONE, "reason": "operator"})
    phone.text("START", to=ALONE)
    (waiting,) = gateway.http.get("/api/v1/suggestions", params={"recipient": phone.address}).json()["items"]
    assert "START" == waiting["proposes"]
    gateway.http.post(f"/api/v1/suggestions/{waiting['id']}/confirm")
    assert [] == gateway.http.get("/api/v1/blocks", params={"recipient": phone.address}).json()["items"]
    assert gateway.http.get("/api/v1/ledger/verify").json()["ok"]


def test_what_is_another_account_s_is_not_found(gateway: Gateway) -> None:
    gateway.phone("+14155554007").text("please stop texting me", to=ALONE)
    (waiting,) = gateway.http.get("/api/v1/suggestions", params={"recipient": "+14155554007"}).json()["items"]
    stranger = gateway.account()
    assert 404 == gateway.http.post(f"/api/v1/suggestions/{waiting['id']}/confirm", auth=stranger).status_code
    assert [] == gateway.http.get("/api/v1/consent-events", auth=stranger).json()["items"]
