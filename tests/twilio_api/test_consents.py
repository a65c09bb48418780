"""Consents, contacts and safe numbers in bulk; the blocks that recorded wishes make and lift."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.gateway import Gateway

ALONE = "+14155550122"
_count = itertools.count()


def correlation() -> str:
    return f"{next(_count):032d}"


def item(**changes: Any) -> dict[str, Any]:
    return {
        "contact_id": "+14155550731",
        "correlation_id": correlation(),
        "sender_id": ALONE,
        "status": "opt-out",
        "source": "website",
    } | changes


def bulk(gateway: Gateway, *items: dict[str, Any], path: str = "Consents") -> httpx.Response:
    return gateway.http.post(f"/v1/{path}/Bulk", data={"Items": [json.dumps(each) for each in items]})


def codes(answer: httpx.Response) -> list[tuple[int, list[str]]]:
    assert 201 == answer.status_code, answer.text
    return [(each["error_code"], each["error_messages"]) for each in answer.json()["items"]]


def send(gateway: Gateway, to: str, **sender: str) -> int:
    """0, or the code of the refusal."""
    path = f"/2010-04-01/Accounts/{gateway.account_sid}/Messages.json"
    answer = gateway.http.post(path, data={"To": to, "Body": "x", **(sender or {"From": ALONE})})
    return 0 if answer.status_code == 201 else int(answer.json()["code"])


def test_the_sdk_records_an_opt_out_and_an_opt_in(gateway: Gateway) -> None:
    person, client = "+14155550732", gateway.client()
    out = client.accounts.v1.bulk_consents.create(items=[item(contact_id=person)])
    assert [0] == [each["error_code"] for each in out.items]
    assert 21610 == send(gateway, person)
    client.accounts.v1.bulk_consents.create(items=[item(contact_id=person, status="opt-in")])
    assert 0 == send(gateway, person)


def test_a_recorded_opt_in_lifts_what_a_stop_blocked(gateway: Gateway) -> None:
    handset = gateway.phone("+14155550733")
    handset.text("STOP", to=ALONE)
    assert 21610 == send(gateway, handset.address)
    assert [(0, [])] == codes(bulk(gateway, item(contact_id=handset.address, status="opt-in", source="offline")))
    assert 0 == send(gateway, handset.address)


def test_a_start_lifts_a_recorded_opt_out(gateway: Gateway) -> None:
    handset = gateway.phone("+14155550734")
    bulk(gateway, item(contact_id=handset.address))
    handset.text("START", to=ALONE)
    assert 0 == send(gateway, handset.address)


def test_a_service_and_a_sender_of_it_are_two_scopes(gateway: Gateway) -> None:
    person, member = "+14155550735", "+14155550100"
    bulk(gateway, item(contact_id=person, sender_id=member))
    assert (21610, 0) == (send(gateway, person, From=member), send(gateway, person, From="+14155550111"))
    bulk(gateway, item(contact_id=person, sender_id=gateway.service))
    bulk(gateway, item(contact_id=person, sender_id=member, status="opt-in"))
    assert 21610 == send(gateway, person, From=member)
    bulk(gateway, item(contact_id=person, sender_id=gateway.service, status="opt-in"))
    assert 0 == send(gateway, person, From=member)


def test_whatsapp_has_a_state_of_its_own(gateway: Gateway) -> None:
    person, channel = "+14155550736", "whatsapp:+14155550190"
    bulk(gateway, item(contact_id=f"whatsapp:{person}", sender_id=channel))
    assert 21610 == send(gateway, f"whatsapp:{person}", From=channel)
    assert 0 == send(gateway, person)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param(("opt-out", 0), ("opt-in", -60), 21610, id="an older opt-in lifts nothing"),
        pytest.param(("opt-in", 0), ("opt-out", -60), 0, id="an older opt-out blocks nothing"),
        pytest.param(("opt-out", -60), ("opt-in", -30), 0, id="a newer opt-in lifts"),
        pytest.param(("opt-in", -60), ("opt-out", -30), 21610, id="a newer opt-out blocks"),
        pytest.param(("opt-out", 86_400), ("opt-in", None), 0, id="a date in the future counts as now"),
    ],
)
def test_the_newer_of_two_wishes_holds(
    fresh_person: str, gateway: Gateway, first: tuple[str, int], second: tuple[str, int | None], expected: int
) -> None:
    now = datetime.now(UTC)
    for status, seconds in (first, second):
        dated = {} if seconds is None else {"date_of_consent": (now + timedelta(seconds=seconds)).isoformat()}
        assert [(0, [])] == codes(bulk(gateway, item(contact_id=fresh_person, status=status, **dated)))
    assert expected == send(gateway, fresh_person)


@pytest.fixture
def fresh_person() -> str:
    return f"+1415555{5000 + next(_count)}"


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        pytest.param({"contact_id": "4155550731"}, ["INVALID_CONTACT_ID"], id="no E.164"),
        pytest.param({"contact_id": 14155550731}, ["INVALID_CONTACT_ID"], id="a number, not a text"),
        pytest.param({"contact_id": None}, ["INVALID_CONTACT_ID"], id="no contact"),
        pytest.param({"correlation_id": "short"}, ["INVALID_CORRELATION_ID"], id="a short correlation id"),
        pytest.param({"sender_id": "MG" + "0" * 32}, ["INVALID_SENDER_ID"], id="no such service"),
        pytest.param({"sender_id": "+14155559999"}, ["INVALID_SENDER_ID"], id="somebody else's sender"),
        pytest.param({"status": "out"}, ["INVALID_STATUS"], id="no status"),
        pytest.param({"source": "rumour"}, ["INVALID_SOURCE"], id="no source"),
        pytest.param({"date_of_consent": "2026-01-01"}, ["INVALID_DATE_OF_CONSENT"], id="a bare date"),
        pytest.param({"date_of_consent": 5}, ["INVALID_DATE_OF_CONSENT"], id="a number for a date"),
        pytest.param({"contact_id": "x", "status": []}, ["INVALID_CONTACT_ID", "INVALID_STATUS"], id="two faults"),
    ],
)
def test_a_faulty_item_fails_alone(gateway: Gateway, changes: dict[str, Any], faults: list[str]) -> None:
    good = item(contact_id="+14155550738", status="opt-in")
    assert [(30646, faults), (0, [])] == codes(bulk(gateway, item(**changes), good))


def test_a_correlation_id_names_one_item(gateway: Gateway) -> None:
    twice = item(contact_id="+14155550739")
    assert [(0, []), (30646, ["INVALID_CORRELATION_ID"])] == codes(bulk(gateway, twice, twice))


@pytest.mark.parametrize(
    ("items", "status", "code"),
    [
        pytest.param([], 400, 20001, id="none"),
        pytest.param(["{}"] * 26, 400, 20001, id="26"),
        pytest.param(["nonsense"], 400, 20422, id="no JSON"),
        pytest.param(["[]"], 400, 20422, id="no object"),
        pytest.param(["[" * 100_000], 400, 20422, id="a deep hole"),
    ],
)
def test_a_faulty_request_is_refused_whole(gateway: Gateway, items: list[str], status: int, code: int) -> None:
    answer = gateway.http.post("/v1/Consents/Bulk", data={"Items": items})
    assert (status, code) == (answer.status_code, answer.json()["code"])


def test_an_opt_in_cannot_lift_a_complaint(gateway: Gateway) -> None:
    person = "+14155550740"
    block = {"recipient": person, "scope": ALONE, "reason": "complaint"}
    assert 201 == gateway.http.post("/api/v1/blocks", json=block).status_code
    assert [(30646, ["OPT_OUT_NOT_LIFTABLE"])] == codes(bulk(gateway, item(contact_id=person, status="opt-in")))
    assert 21610 == send(gateway, person)


def test_contacts_are_kept_one_by_one(gateway: Gateway) -> None:
    good = {"contact_id": "+14155550741", "correlation_id": correlation(), "country_iso_code": "US", "zip_code": "94105"}
    answer = bulk(gateway, good, good | {"correlation_id": correlation(), "country_iso_code": "XX"}, path="Contacts")
    assert [(0, []), (30647, ["INVALID_COUNTRY_ISO_CODE"])] == codes(answer)
    kept = gateway.run(gateway.world.store.read(lambda tx: tx.lists.contact("+14155550741"), account=gateway.account_sid))
    assert kept is not None
    assert ("US", "94105") == (kept.country, kept.zip_code)


def test_safe_numbers_come_and_go_and_never_lift_an_opt_out(gateway: Gateway) -> None:
    number, safe = "+14155550742", gateway.client().accounts.v1.safelist
    gateway.phone(number).text("STOP", to=ALONE)
    made = safe.create(phone_number=number)
    assert made.sid.startswith("GN")
    assert (made.sid, number) == (safe.fetch(phone_number=number).sid, safe.fetch(phone_number=number).phone_number)
    assert made.sid == safe.create(phone_number=number).sid
    assert 21610 == send(gateway, number)
    assert safe.delete(phone_number=number)
    assert 404 == gateway.http.get("/v1/SafeList/Numbers", params={"PhoneNumber": number}).status_code


def test_the_hundred_and_first_request_of_a_minute_is_not_processed(gateway: Gateway) -> None:
    sid, token = gateway.account()
    form = {"Items": [json.dumps(item())]}
    with httpx.Client(base_url=gateway.url, auth=(sid, token)) as http:
        answers = [http.post("/v1/Consents/Bulk", data=form) for _ in range(101)]
    assert [201] * 100 + [429] == [answer.status_code for answer in answers]
    assert 20429 == answers[-1].json()["code"]
