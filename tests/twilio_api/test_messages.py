"""Messages as a customer's program sees them: through the official SDK, and byte by byte where the SDK hides things."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException

from tests.gateway import Gateway, eventually

OURS = "+14155550100"
ALONE = "+14155550122"  # in no service
PERSON = "+14155550701"

PROPERTIES = [
    "body", "num_segments", "direction", "from", "date_updated", "price", "error_message", "uri", "account_sid",
    "num_media", "to", "date_created", "status", "sid", "date_sent", "messaging_service_sid", "error_code",
    "price_unit", "api_version", "subresource_uris",
]  # fmt: skip


def post(gateway: Gateway, headers: dict[str, str] | None = None, **form: Any) -> httpx.Response:
    path = f"/2010-04-01/Accounts/{gateway.account_sid}/Messages.json"
    return gateway.http.post(path, data={name.rstrip("_"): value for name, value in form.items()}, headers=headers)


def status_of(gateway: Gateway, sid: str, *wanted: str) -> Any:
    def there() -> Any:
        found = gateway.client().messages(sid).fetch()
        return found if found.status in wanted else None

    return eventually(there)


def test_a_created_message_has_every_property_in_its_type(gateway: Gateway) -> None:
    answer = post(gateway, To=PERSON, From=ALONE, Body="Hello")
    body = answer.json()
    assert 201 == answer.status_code
    assert "application/json; charset=utf-8" == answer.headers["content-type"]
    assert sorted(PROPERTIES) == sorted(body)
    shown = {name: value for name, value in body.items() if name not in ("sid", "date_created", "date_updated")}
    uri = f"/2010-04-01/Accounts/{gateway.account_sid}/Messages/{body['sid']}"
    assert {
        "body": "Hello",
        "num_segments": "1",
        "direction": "outbound-api",
        "from": ALONE,
        "price": None,
        "error_message": None,
        "uri": f"{uri}.json",
        "account_sid": gateway.account_sid,
        "num_media": "0",
        "to": PERSON,
        "status": "queued",
        "date_sent": None,
        "messaging_service_sid": None,
        "error_code": None,
        "price_unit": None,
        "api_version": "2010-04-01",
        "subresource_uris": {"media": f"{uri}/Media.json"},
    } == shown
    assert body["date_created"].endswith(" +0000")
    assert parsedate_to_datetime(body["date_created"]) <= datetime.now(UTC) + timedelta(seconds=5)


def test_a_message_through_a_service_has_no_sender_and_no_segments_yet(gateway: Gateway) -> None:
    body = post(gateway, To=PERSON, MessagingServiceSid=gateway.service, Body="Hello").json()
    assert ("accepted", None, "0") == (body["status"], body["from"], body["num_segments"])
    assert gateway.service == body["messaging_service_sid"]


def test_the_sdk_sends_and_the_handset_receives(gateway: Gateway) -> None:
    handset = gateway.phone("+14155550702")
    sent = gateway.client().messages.create(to=handset.address, from_=OURS, body="Hi there")
    assert "Hi there" == handset.wait(1)[0]["body"]
    seen = status_of(gateway, sent.sid, "delivered")
    assert (OURS, handset.address, "1", None) == (seen.from_, seen.to, seen.num_segments, seen.error_code)
    assert isinstance(seen.date_sent, datetime)
    assert "feedback" in seen.subresource_uris


def test_an_inbound_message_is_listed_from_the_person_to_us(gateway: Gateway) -> None:
    handset = gateway.phone("+14155550703")
    sid = handset.text("hello?", to=ALONE)["message_sid"]
    seen = gateway.client().messages(sid).fetch()
    assert ("inbound", "received", handset.address, ALONE) == (seen.direction, seen.status, seen.from_, seen.to)
    assert [sid] == [m.sid for m in gateway.client().messages.list(from_=handset.address)]
    assert [] == gateway.client().messages.list(to=handset.address)


def test_a_send_after_stop_is_refused_with_21610_and_the_four_keys(gateway: Gateway) -> None:
    handset = gateway.phone("+14155550704")
    handset.text("STOP", to=ALONE)
    answer = post(gateway, To=handset.address, From=ALONE, Body="Hello")
    assert 400 == answer.status_code
    assert {
        "code": 21610,
        "message": "Attempt to send to unsubscribed recipient",
        "more_info": "https://www.twilio.com/docs/errors/21610",
        "status": 400,
    } == answer.json()
    with pytest.raises(TwilioRestException) as caught:
        gateway.client().messages.create(to=handset.address, from_=ALONE, body="Hello")
    assert (400, 21610) == (caught.value.status, caught.value.code)
    assert [] == gateway.client().messages.list(to=handset.address)


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        pytest.param({"From": ALONE, "Body": "x"}, 400, 21604, id="no To"),
        pytest.param({"To": PERSON, "Body": "x"}, 400, 21603, id="no sender"),
        pytest.param({"To": PERSON, "From": ALONE}, 400, 21602, id="nothing to say"),
        pytest.param({"To": PERSON, "From": ALONE, "Body": "x" * 1601}, 400, 21617, id="too long"),
        pytest.param({"To": PERSON, "From": "+14155559999", "Body": "x"}, 400, 21659, id="somebody else's sender"),
        pytest.param({"To": "12", "From": ALONE, "Body": "x"}, 400, 21211, id="no number"),
        pytest.param({"To": PERSON, "MessagingServiceSid": "MG" + "0" * 32, "Body": "x"}, 404, 21701, id="no such service"),
        pytest.param({"To": PERSON, "From": ALONE, "Body": "x", "StatusCallback": "ftp://x"}, 400, 21609, id="callback"),
        pytest.param({"To": PERSON, "From": ALONE, "Body": "x", "SmartEncoded": "maybe"}, 400, 20422, id="no boolean"),
    ],
)
def test_a_faulty_create_is_refused(gateway: Gateway, form: dict[str, str], status: int, code: int) -> None:
    answer = post(gateway, **form)
    assert (status, code) == (answer.status_code, answer.json()["code"])
    assert ["code", "message", "more_info", "status"] == sorted(answer.json())


def test_a_text_of_a_person_masks_their_number(gateway: Gateway) -> None:
    answer = post(gateway, To="+1234567", From=ALONE, Body="x")
    assert "Invalid 'To' Phone Number: +123XXXX" == answer.json()["message"]


def test_the_same_idempotency_key_and_body_give_the_same_answer(gateway: Gateway) -> None:
    handset = gateway.phone("+14155550705")
    form, headers = {"To": handset.address, "From": ALONE, "Body": "once"}, {"Idempotency-Key": "key-1"}
    first, again = post(gateway, headers, **form), post(gateway, headers, **form)
    assert (201, first.json()) == (again.status_code, again.json())
    handset.wait(1)
    assert 1 == len(gateway.client().messages.list(to=handset.address))
    other = post(gateway, headers, **form | {"Body": "twice"})
    assert (409, 20409) == (other.status_code, other.json()["code"])


def test_a_refusal_is_kept_under_the_key_too(gateway: Gateway) -> None:
    handset = gateway.phone("+14155550706")
    form, headers = {"To": handset.address, "From": ALONE, "Body": "once"}, {"Idempotency-Key": "key-2"}
    handset.text("STOP", to=ALONE)
    assert 21610 == post(gateway, headers, **form).json()["code"]
    handset.text("START", to=ALONE)
    assert 21610 == post(gateway, headers, **form).json()["code"]
    assert 201 == post(gateway, **form).status_code


def test_a_scheduled_message_can_be_cancelled_once(gateway: Gateway) -> None:
    client = gateway.client()
    made = client.messages.create(
        to="+14155550707",
        messaging_service_sid=gateway.service,
        body="later",
        schedule_type="fixed",
        send_at=datetime.now(UTC) + timedelta(hours=1),
    )
    assert ("scheduled", None, "0", None) == (made.status, made.from_, made.num_segments, made.date_sent)
    assert "canceled" == client.messages(made.sid).update(status="canceled").status
    with pytest.raises(TwilioRestException) as caught:
        client.messages(made.sid).update(status="canceled")
    assert (409, 30409) == (caught.value.status, caught.value.code)


def test_redacting_erases_the_body_and_only_that(gateway: Gateway) -> None:
    client = gateway.client()
    made = client.messages.create(to="+14155550708", from_=ALONE, body="secret")
    status_of(gateway, made.sid, "delivered")
    assert "" == client.messages(made.sid).update(body="").body
    assert ("", "delivered") == (client.messages(made.sid).fetch().body, client.messages(made.sid).fetch().status)


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({"Body": "new text"}, id="another body"),
        pytest.param({"Status": "sent"}, id="another status"),
    ],
)
def test_nothing_else_can_be_updated(gateway: Gateway, form: dict[str, str]) -> None:
    sid = post(gateway, To="+14155550709", From=ALONE, Body="x").json()["sid"]
    answer = gateway.http.post(f"/2010-04-01/Accounts/{gateway.account_sid}/Messages/{sid}.json", data=form)
    assert (400, 20422) == (answer.status_code, answer.json()["code"])


def test_a_message_that_waits_can_be_neither_deleted_nor_redacted(gateway: Gateway) -> None:
    client = gateway.client()
    at = datetime.now(UTC) + timedelta(hours=1)
    made = client.messages.create(
        to="+14155550710", messaging_service_sid=gateway.service, body="x", schedule_type="fixed", send_at=at
    )
    for act in (client.messages(made.sid).delete, lambda: client.messages(made.sid).update(body="")):
        with pytest.raises(TwilioRestException) as caught:
            act()
        assert (409, 20009) == (caught.value.status, caught.value.code)


def test_a_deleted_message_is_gone_and_its_block_stays(gateway: Gateway) -> None:
    handset, client = gateway.phone("+14155550711"), gateway.client()
    sid = handset.text("STOP", to=ALONE)["message_sid"]
    assert client.messages(sid).delete()
    with pytest.raises(TwilioRestException) as caught:
        client.messages(sid).fetch()
    assert (404, 20404) == (caught.value.status, caught.value.code)
    assert 21610 == post(gateway, To=handset.address, From=ALONE, Body="x").json()["code"]


def test_feedback_is_kept_and_defaults_to_confirmed(gateway: Gateway) -> None:
    client = gateway.client()
    made = client.messages.create(to="+14155550712", from_=ALONE, body="x")
    assert "confirmed" == client.messages(made.sid).feedback.create().outcome
    assert "unconfirmed" == client.messages(made.sid).feedback.create(outcome="unconfirmed").outcome


def test_content_and_address_are_erased_when_final(gateway: Gateway) -> None:
    made = gateway.client().messages.create(
        to="+14155550713", from_=ALONE, body="secret", content_retention="discard", address_retention="obfuscate"
    )
    assert ("secret", "+14155550713") == (made.body, made.to)
    seen = status_of(gateway, made.sid, "delivered")
    assert ("", "+1415555XXXX") == (seen.body, seen.to)


def test_pages_hold_each_message_once_and_the_newest_first(gateway: Gateway) -> None:
    handset, client = gateway.phone("+14155550714"), gateway.client()
    made = [client.messages.create(to=handset.address, from_=ALONE, body=str(n)).sid for n in range(5)]
    listed = [m.sid for m in client.messages.list(to=handset.address, page_size=2)]
    assert made[::-1] == listed
    path = f"/2010-04-01/Accounts/{gateway.account_sid}/Messages.json"
    page = gateway.http.get(path, params={"To": handset.address, "PageSize": 2}).json()
    assert (0, 1, 2, None) == (page["start"], page["end"], page["page_size"], page["previous_page_uri"])
    assert [made[4], made[3]] == [m["sid"] for m in page["messages"]]
    second = gateway.http.get(page["next_page_uri"]).json()
    assert [made[2], made[1]] == [m["sid"] for m in second["messages"]]
    first_again = gateway.http.get(second["previous_page_uri"]).json()
    assert [made[4], made[3]] == [m["sid"] for m in first_again["messages"]]


def _day(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%d")


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        pytest.param({"DateSent": _day(0)}, True, id="today"),
        pytest.param({"DateSent": _day(-1)}, False, id="yesterday"),
        pytest.param({"DateSent>": _day(0)}, True, id="on or after today"),
        pytest.param({"DateSent>": _day(1)}, False, id="on or after tomorrow"),
        pytest.param({"DateSent<": _day(0)}, True, id="on or before today, all of it"),
        pytest.param({"DateSent<": f"{_day(0)}T00:00:00Z"}, True, id="today as the SDK spells it"),
        pytest.param({"DateSent<": _day(-1)}, False, id="on or before yesterday"),
        pytest.param({"DateSent>": _day(-1), "DateSent<": _day(1)}, True, id="a span"),
        pytest.param({"DateSent<": f"{_day(0)}T00:00:01Z"}, False, id="an instant is an instant"),
    ],
)
def test_lists_are_narrowed_by_date(gateway: Gateway, filters: dict[str, str], found: bool) -> None:
    handset = gateway.phone("+14155550715")
    sid = handset.text("hello", to=ALONE)["message_sid"]
    path = f"/2010-04-01/Accounts/{gateway.account_sid}/Messages.json"
    answer = gateway.http.get(path, params={"From": handset.address, **filters}).json()
    assert found == (sid in [m["sid"] for m in answer["messages"]])


def test_a_date_that_is_none_is_refused(gateway: Gateway) -> None:
    path = f"/2010-04-01/Accounts/{gateway.account_sid}/Messages.json"
    answer = gateway.http.get(path, params={"DateSent": "yesterday"})
    assert (400, 20422) == (answer.status_code, answer.json()["code"])


def test_another_account_sees_nothing_of_ours(gateway: Gateway) -> None:
    sid = post(gateway, To="+14155550716", From=ALONE, Body="x").json()["sid"]
    other, token = gateway.account()
    client = gateway.client(other, token)
    for act in (client.messages(sid).fetch, client.messages(sid).delete, lambda: client.messages(sid).update(body="")):
        with pytest.raises(TwilioRestException) as caught:
            act()
        assert (404, 20404) == (caught.value.status, caught.value.code)
    assert [] == client.messages.list()


def test_test_credentials_rehearse_and_keep_nothing(gateway: Gateway) -> None:
    account = gateway.run(gateway.world.store.directory(gateway.account_sid)).account
    client = gateway.client(account.test_sid, account.test_token)
    made = client.messages.create(to=PERSON, from_="+15005550006", body="x")
    assert ("queued", account.test_sid) == (made.status, made.account_sid)
    with pytest.raises(TwilioRestException) as caught:
        client.messages.create(to="+15005550004", from_="+15005550006", body="x")
    assert (400, 21610) == (caught.value.status, caught.value.code)
    with pytest.raises(TwilioRestException) as caught:
        gateway.client().messages(made.sid).fetch()
    assert 404 == caught.value.status


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2026-01-02", datetime(2026, 1, 2, tzinfo=UTC), id="a date"),
        pytest.param("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), id="an instant"),
        pytest.param("2019-06-11 22:05:25.000", datetime(2019, 6, 11, 22, 5, 25, tzinfo=UTC), id="with a space"),
        pytest.param("06/11/2019 22:05:25 MST", datetime(2019, 6, 12, 5, 5, 25, tzinfo=UTC), id="American, with its zone"),
        pytest.param("Thu, 24 Aug 2023 05:01:45 +0000", datetime(2023, 8, 24, 5, 1, 45, tzinfo=UTC), id="RFC 2822"),
        pytest.param("2026-01-02T00:00:00+02:00", datetime(2026, 1, 1, 22, tzinfo=UTC), id="another zone"),
        pytest.param("soon", None, id="a word"),
        pytest.param("9999-12-31", None, id="the end of the calendar"),
        pytest.param("2026-13-01", None, id="a thirteenth month"),
    ],
)
def test_a_filter_reads_dates_as_people_write_them(text: str, expected: datetime | None) -> None:
    from stopwire.twilio_api.messages import read_date

    assert expected == read_date(text)


def test_a_program_may_delete_while_it_lists(gateway: Gateway) -> None:
    client, to = gateway.client(), "+14155557781"
    for number in range(9):
        client.messages.create(to=to, from_="+14155550122", body=str(number))
    eventually(lambda: {"delivered"} == {m.status for m in client.messages.list(to=to)})
    deleted = [message.delete() for message in client.messages.stream(to=to, page_size=2)]
    assert [True] * 9 == deleted
    assert [] == client.messages.list(to=to)
