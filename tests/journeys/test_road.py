"""The road: what a person texts and what an application sends, from one end to the other."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from stopwire.core.address import SenderKind
from stopwire.core.senders import Webhook
from stopwire.flows import receive
from tests import arrange
from tests.gateway import Gateway, Phone, eventually
from tests.webhook_server import WebhookServer, twiml

NUMBER = "+14155550122"  # in no service
FIRST, SECOND = "+14155550100", "+14155550111"  # members of the service
TOLL_FREE = "+18885550100"
SHORT_CODE = "72345"
WHATSAPP = "whatsapp:+14155550190"  # a member of the service


def send(gateway: Gateway, person: Phone, sender: str, body: str = "Hello", **more: Any) -> Any:
    origin = {"messaging_service_sid": sender} if sender.startswith("MG") else {"from_": sender}
    return gateway.client().messages.create(to=person.address, body=body, **origin, **more)


def ended(gateway: Gateway, sid: str) -> tuple[str, int | None]:
    """Status and error code of a message, once it has ended."""

    def ask() -> tuple[str, int | None] | None:
        message = gateway.client().messages(sid).fetch()
        final = ("delivered", "undelivered", "failed", "canceled")
        return (message.status, message.error_code) if message.status in final else None

    return eventually(ask)


def code(gateway: Gateway, person: Phone, sender: str) -> int | None:
    """The code of the error that a send meets; None where it is delivered."""
    try:
        sent = send(gateway, person, sender)
    except TwilioRestException as error:
        return int(error.code)
    assert ("delivered", None) == ended(gateway, sent.sid)
    return None


def received(person: Phone) -> list[tuple[str, str]]:
    return [(m["kind"], m["body"]) for m in person.inbox]


def acts(gateway: Gateway, person: Phone) -> list[str]:
    """The person's rows in the ledger, oldest first."""
    answer = gateway.http.get("/api/v1/consent-events", params={"recipient": person.address})
    return [event["act"] for event in reversed(answer.json()["items"])]


# ── there and back ───────────────────────────────────────────────────────────────────────────────────


def test_send_stop_start_send(gateway: Gateway, person: Phone) -> None:
    assert code(gateway, person, NUMBER) is None
    person.text("Stop.", to=NUMBER)
    person.wait(2)
    assert 21610 == code(gateway, person, NUMBER)
    person.text("start", to=NUMBER)
    person.wait(3)
    assert code(gateway, person, NUMBER) is None
    assert ["message", "auto_reply", "auto_reply", "message"] == [kind for kind, _ in received(person)]
    assert ["opt_out", "opt_in"] == acts(gateway, person)
    assert gateway.http.get("/api/v1/ledger/verify").json()["ok"]


def test_a_refusal_is_kept_and_explained(gateway: Gateway, person: Phone) -> None:
    stop = person.text("STOP", to=NUMBER)["message_sid"]
    assert 21610 == code(gateway, person, NUMBER)
    (refusal,) = [
        each for each in gateway.http.get("/api/v1/refusals").json()["items"] if each["to"] == person.address
    ]
    assert (21610, NUMBER) == (refusal["code"], refusal["from"])
    explained = gateway.http.get(f"/api/v1/messages/{refusal['id']}/explain").json()
    assert "refused" == explained["verdict"]
    (event,) = gateway.http.get("/api/v1/consent-events", params={"message": stop}).json()["items"]
    assert event["id"] in {proof["id"] for proof in explained["evidence"]}


def test_a_second_stop_is_noted_and_not_answered(gateway: Gateway, person: Phone) -> None:
    for _ in range(3):
        person.text("STOP", to=NUMBER)
    person.text("HELP", to=NUMBER)
    person.wait(2)
    assert ["opt_out", "repeat", "repeat", "help"] == acts(gateway, person)
    assert 2 == len(received(person))


def test_each_pair_of_stop_and_start_is_confirmed_once(gateway: Gateway, person: Phone) -> None:
    for number in range(1, 4):
        person.text("STOP", to=NUMBER)
        person.text("START", to=NUMBER)
        person.wait(2 * number, kind="auto_reply")
    assert ["opt_out", "opt_in"] * 3 == acts(gateway, person)
    assert 6 == len(received(person))


def test_the_pool_of_a_service_stops_as_one(gateway: Gateway, person: Phone) -> None:
    person.text("STOP", to=FIRST)
    assert [21610] * 3 == [code(gateway, person, sender) for sender in (FIRST, SECOND, gateway.service)]
    assert code(gateway, person, NUMBER) is None
    person.text("START", to=SECOND)
    assert [None] * 3 == [code(gateway, person, sender) for sender in (FIRST, SECOND, gateway.service)]


def test_a_sender_that_left_its_service_keeps_who_stopped(gateway: Gateway, person: Phone) -> None:
    service = arrange.new_service(gateway, "Left")
    arrange.new_sender(gateway, "+14155550201", SenderKind.LONG_CODE, service=service)
    arrange.new_sender(gateway, "+14155550202", SenderKind.LONG_CODE, service=service)
    person.text("STOP", to="+14155550201")
    arrange.leave(gateway, "+14155550202")
    assert 21610 == code(gateway, person, "+14155550202")
    person.text("START", to="+14155550202")
    assert [None, None] == [code(gateway, person, sender) for sender in ("+14155550202", service)]


def test_a_person_talks_to_the_same_sender_of_a_service(gateway: Gateway, people: Callable[[], Phone]) -> None:
    first, second = people(), people()
    for person in (first, second) * 3:
        code(gateway, person, gateway.service)
    assert 1 == len({m["peer"] for m in first.inbox})
    assert 1 == len({m["peer"] for m in second.inbox})
    assert {FIRST, SECOND} == {first.inbox[0]["peer"], second.inbox[0]["peer"]}


# ── toll-free, short code, WhatsApp ──────────────────────────────────────────────────────────────────


def test_toll_free_the_network_confirms_and_we_do_not(gateway: Gateway, person: Phone) -> None:
    person.text("Stop", to=TOLL_FREE)
    assert 21610 == code(gateway, person, TOLL_FREE)
    person.text("YES", to=TOLL_FREE)
    assert 21610 == code(gateway, person, TOLL_FREE)
    person.text("unstop", to=TOLL_FREE)
    assert code(gateway, person, TOLL_FREE) is None
    assert ["network", "network", "message"] == [kind for kind, _ in received(person)]


def test_toll_free_cancel_is_ours_to_confirm_since_the_network_does_not_know_it(gateway: Gateway, person: Phone) -> None:
    person.text("CANCEL", to=TOLL_FREE)
    person.wait(1)
    assert 21610 == code(gateway, person, TOLL_FREE)
    assert ["auto_reply"] == [kind for kind, _ in received(person)]


def test_toll_free_the_networks_own_block_is_learned(gateway: Gateway, person: Phone) -> None:
    """The operator lifts our block, the network keeps its own: the next send finds it, and we block again."""
    person.text("STOP", to=TOLL_FREE)
    lifted = gateway.http.request("DELETE", "/api/v1/blocks", json={"recipient": person.address, "scope": TOLL_FREE})
    assert 200 == lifted.status_code, lifted.text
    sent = send(gateway, person, TOLL_FREE)
    assert ("undelivered", 30004) == ended(gateway, sent.sid)
    assert 21610 == code(gateway, person, TOLL_FREE)
    (block,) = gateway.http.get("/api/v1/blocks", params={"recipient": person.address}).json()["items"]
    assert "carrier" == block["reason"]
    person.text("START", to=TOLL_FREE)
    assert code(gateway, person, TOLL_FREE) is None


def test_toll_free_help_is_not_answered_to_somebody_the_network_blocks(gateway: Gateway, person: Phone) -> None:
    person.text("STOP", to=TOLL_FREE)
    person.text("HELP", to=TOLL_FREE)
    person.text("START", to=TOLL_FREE)
    person.text("HELP", to=TOLL_FREE)
    person.wait(1, kind="auto_reply")
    assert ["network", "network", "auto_reply"] == [kind for kind, _ in received(person)]


def test_whatsapp_stands_apart_from_sms(gateway: Gateway, person: Phone) -> None:
    arrange.policy(gateway, gateway.service)
    on_whatsapp = gateway.phone(f"whatsapp:{person.address}")
    person.text("STOP", to=FIRST)
    assert [21610, None] == [code(gateway, person, gateway.service), code(gateway, on_whatsapp, gateway.service)]
    on_whatsapp.text("STOP", to=WHATSAPP)
    person.text("START", to=FIRST)
    assert [None, 21610] == [code(gateway, person, gateway.service), code(gateway, on_whatsapp, gateway.service)]
    arrange.policy(gateway, gateway.service, enabled=False)


def test_whatsapp_without_advanced_opt_out_handles_no_keyword(gateway: Gateway, person: Phone) -> None:
    on_whatsapp = gateway.phone(f"whatsapp:{person.address}")
    on_whatsapp.text("STOP", to=WHATSAPP)
    assert code(gateway, on_whatsapp, WHATSAPP) is None
    assert [] == acts(gateway, on_whatsapp)


def test_a_short_code_handles_no_keyword_until_it_is_told_to(gateway: Gateway, person: Phone) -> None:
    person.text("STOP", to=SHORT_CODE)
    assert code(gateway, person, SHORT_CODE) is None
    arrange.sender(gateway, SHORT_CODE, default_opt_out=True)
    person.text("STOP", to=SHORT_CODE)
    assert 21610 == code(gateway, person, SHORT_CODE)
    arrange.sender(gateway, SHORT_CODE, default_opt_out=None)


# ── what waits ───────────────────────────────────────────────────────────────────────────────────────


def test_a_stop_takes_back_what_was_scheduled(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    sent = send(
        gateway, person, gateway.service, schedule_type="fixed", send_at=at, status_callback=web.url("/scheduled")
    )
    assert "scheduled" == sent.status
    person.text("STOP", to=FIRST)
    message = gateway.client().messages(sent.sid).fetch()
    assert ("canceled", 21610) == (message.status, message.error_code)
    told = web.one("/scheduled", MessageSid=sent.sid)
    assert ("canceled", "21610") == (told.params["MessageStatus"], told.params["ErrorCode"])


def test_a_stop_to_another_scope_leaves_what_was_scheduled(gateway: Gateway, person: Phone) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    sent = send(gateway, person, gateway.service, schedule_type="fixed", send_at=at)
    person.text("STOP", to=NUMBER)
    assert "scheduled" == gateway.client().messages(sent.sid).fetch().status


def test_a_stop_takes_back_what_was_queued(gateway: Gateway, person: Phone) -> None:
    arrange.new_sender(gateway, "+14155550203", SenderKind.LONG_CODE, mps=0.001)
    sent = [send(gateway, person, "+14155550203", body=str(n)).sid for n in range(6)]
    eventually(lambda: len(person.inbox) >= 1)
    person.text("STOP", to="+14155550203")
    at_the_stop = len([kind for kind, _ in received(person) if kind == "message"])  # the confirmation may be there already
    statuses = [ended(gateway, sid) for sid in sent]
    assert at_the_stop == statuses.count(("delivered", None))
    assert len(sent) - at_the_stop == statuses.count(("failed", 21610))
    assert at_the_stop < len(sent)
    assert at_the_stop == len([kind for kind, _ in received(person) if kind == "message"])


def test_a_service_may_accept_what_it_will_not_send(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    service = arrange.new_service(gateway, "Lenient")
    arrange.new_sender(gateway, "+14155550204", SenderKind.LONG_CODE, service=service)
    arrange.policy(gateway, service, opted_out_send="accept_then_fail")
    person.text("STOP", to="+14155550204")
    sent = send(gateway, person, service, status_callback=web.url("/lenient"))
    assert "accepted" == sent.status
    assert ("failed", 21610) == ended(gateway, sent.sid)
    told = web.one("/lenient", MessageSid=sent.sid)
    assert ("failed", "21610") == (told.params["MessageStatus"], told.params["ErrorCode"])
    assert ["auto_reply"] == [kind for kind, _ in received(person)]


def test_nothing_follows_a_stop_however_much_is_on_its_way(gateway: Gateway, people: Callable[[], Phone]) -> None:
    """Sends from all sides while the STOP comes in: once it is acknowledged, only its confirmation may arrive."""
    persons = [people() for _ in range(4)]
    path = f"/2010-04-01/Accounts/{gateway.account_sid}/Messages.json"

    def ask(number: int) -> int:
        form = {"To": persons[number % 4].address, "Body": str(number)}
        origin = (("MessagingServiceSid", gateway.service), ("From", FIRST), ("From", SECOND))[number % 3]
        return gateway.http.post(path, data={**form, origin[0]: origin[1]}).status_code

    def stop(person: Phone) -> int:
        person.text("STOP", to=FIRST)
        return len([m for m in person.inbox if m["kind"] == "message"])

    with ThreadPoolExecutor(8) as pool, ThreadPoolExecutor(4) as stops:
        asked = [pool.submit(ask, number) for number in range(80)]
        asked[8].result()
        at_the_stop = list(stops.map(stop, persons))
        late = [pool.submit(ask, number) for number in range(24)]
    assert {400} == {each.result() for each in late}
    for person, before in zip(persons, at_the_stop, strict=True):
        person.wait(1, kind="auto_reply")
        eventually(lambda person=person: not waiting(gateway, person))
        kinds = [kind for kind, _ in received(person)]
        assert before == kinds.count("message")
        assert (1, "auto_reply") == (kinds.count("auto_reply"), kinds[-1])


def waiting(gateway: Gateway, person: Phone) -> list[str]:
    """Messages to `person` that have not ended."""
    final = ("delivered", "undelivered", "failed", "canceled")
    return [m.sid for m in gateway.client().messages.list(to=person.address) if m.status not in final]


# ── standing made by others ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("reason", ["operator", "api", "complaint", "wrong_number"])
def test_start_does_not_lift_what_the_person_did_not_ask_for(gateway: Gateway, person: Phone, reason: str) -> None:
    block = {"recipient": person.address, "scope": NUMBER, "reason": reason, "note": ""}
    assert 201 == gateway.http.post("/api/v1/blocks", json=block).status_code
    person.text("START", to=NUMBER)
    assert 21610 == code(gateway, person, NUMBER)
    assert ["block", "lift_refused"] == acts(gateway, person)
    found = gateway.http.get("/api/v1/suggestions").json()["items"]
    (suggestion,) = [each for each in found if each["recipient"] == person.address]
    assert ("START", "open") == (suggestion["proposes"], suggestion["state"])
    assert [] == received(person)


def test_start_lifts_what_the_application_recorded_as_the_persons_wish(gateway: Gateway, person: Phone) -> None:
    block = {"recipient": person.address, "scope": NUMBER, "reason": "consent", "note": "by letter"}
    assert 201 == gateway.http.post("/api/v1/blocks", json=block).status_code
    person.text("START", to=NUMBER)
    assert code(gateway, person, NUMBER) is None


def test_what_looks_like_a_stop_waits_for_a_person_and_blocks_nothing(gateway: Gateway, person: Phone) -> None:
    person.text("please stop texting me", to=NUMBER)
    assert code(gateway, person, NUMBER) is None
    found = gateway.http.get("/api/v1/suggestions").json()["items"]
    (suggestion,) = [each for each in found if each["recipient"] == person.address]
    assert "STOP" == suggestion["proposes"]
    assert 200 == gateway.http.post(f"/api/v1/suggestions/{suggestion['id']}/confirm").status_code
    assert 21610 == code(gateway, person, NUMBER)


def test_in_natural_mode_a_sentence_stops(gateway: Gateway, person: Phone) -> None:
    service = arrange.new_service(gateway, "Natural")
    arrange.new_sender(gateway, "+14155550205", SenderKind.LONG_CODE, service=service)
    arrange.policy(gateway, service, matching="natural")
    person.text("please stop texting me", to="+14155550205")
    person.wait(1)
    assert 21610 == code(gateway, person, service)
    (block,) = gateway.http.get("/api/v1/blocks", params={"recipient": person.address}).json()["items"]
    assert "phrase" == block["reason"]


# ── repeats and parts ────────────────────────────────────────────────────────────────────────────────


def test_what_a_carrier_repeats_happens_once(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    arrange.sender(gateway, NUMBER, webhook=Webhook(url=web.on("/repeat", twiml(""))))
    sid = person.text("STOP", to=NUMBER, repeat=3)["message_sid"]
    web.one("/repeat", MessageSid=sid)
    person.text("HELP", to=NUMBER)
    person.wait(2)
    assert ["opt_out", "help"] == acts(gateway, person)
    assert 2 == len(received(person))
    assert ["HELP", "STOP"] == [m.body for m in gateway.client().messages.list(from_=person.address)]
    assert 1 == len(web.of("/repeat", From=person.address))


@pytest.mark.parametrize("order", [[1, 2, 3], [3, 2, 1], [2, 3, 1]], ids=str)
def test_parts_are_joined_whatever_their_order(gateway: Gateway, person: Phone, order: list[int]) -> None:
    body = "".join(f"{number:03}," for number in range(100))
    sid = person.text(body, to=NUMBER, parts=3, part_order=order, repeat=2)["message_sid"]
    assert body == gateway.client().messages(sid).fetch().body
    assert 1 == len(gateway.client().messages.list(from_=person.address))


def test_a_keyword_that_came_in_parts_is_a_keyword(gateway: Gateway, person: Phone) -> None:
    person.text("STOP", to=NUMBER, parts=2, part_order=[2, 1])
    assert 21610 == code(gateway, person, NUMBER)


def test_a_first_part_that_says_stop_is_no_stop_while_the_rest_may_come(gateway: Gateway, person: Phone) -> None:
    assert person.text("STOP it", to=NUMBER, parts=2, part_order=[1])["message_sid"] is None
    assert code(gateway, person, NUMBER) is None


def test_parts_of_two_people_do_not_mix(gateway: Gateway, people: Callable[[], Phone]) -> None:
    one, two = people(), people()
    one.text("aaaabbbb", to=NUMBER, parts=2, part_order=[1])
    two.text("ccccdddd", to=NUMBER, parts=2, part_order=[2])
    close_parts(gateway)
    bodies = [m.body for phone in (one, two) for m in gateway.client().messages.list(from_=phone.address)]
    assert not [body for body in bodies if "aaaa" in body and "dddd" in body]


def close_parts(gateway: Gateway) -> None:
    gateway.run(receive.close_parts(gateway.world, window=timedelta(seconds=-1)))


def test_a_stop_whose_rest_never_comes_stops_in_the_end(gateway: Gateway, person: Phone) -> None:
    person.text("STOP" + "abcd", to=NUMBER, parts=2, part_order=[1])
    close_parts(gateway)
    assert 21610 == code(gateway, person, NUMBER)
    person.wait(1)
    close_parts(gateway)
    assert ["opt_out"] == acts(gateway, person)


def test_a_text_whose_rest_never_comes_is_kept_and_says_so(gateway: Gateway, person: Phone) -> None:
    person.text("Hello world!", to=NUMBER, parts=2, part_order=[1])
    close_parts(gateway)
    (message,) = gateway.client().messages.list(from_=person.address)
    assert "Hello " == message.body
    explained = gateway.http.get(f"/api/v1/messages/{message.sid}/explain").json()
    assert any("whose rest did not arrive" in line for line in explained["why"])


def test_a_text_of_which_only_the_end_came_is_kept_too(gateway: Gateway, person: Phone) -> None:
    person.text("Hello world!", to=NUMBER, parts=2, part_order=[2])
    close_parts(gateway)
    bodies = [m.body for m in gateway.client().messages.list(from_=person.address)]
    assert 1 == len(bodies)
    assert "world!" in bodies[0]


# ── machines ─────────────────────────────────────────────────────────────────────────────────────────


def test_help_is_answered_three_times_an_hour(gateway: Gateway, person: Phone) -> None:
    for _ in range(5):
        person.text("HELP", to=NUMBER)
    person.text("STOP", to=NUMBER)
    person.wait(4)
    assert 4 == len(received(person))
    assert ["help"] * 5 + ["opt_out"] == acts(gateway, person)


def test_help_to_another_sender_is_another_conversation(gateway: Gateway, person: Phone) -> None:
    for sender in (NUMBER, FIRST, TOLL_FREE, "+16045550100", "+525555550100"):
        person.text("HELP", to=sender)
    person.wait(5)


def test_our_own_words_are_not_answered_when_they_come_back(gateway: Gateway, person: Phone) -> None:
    person.text("HELP", to=NUMBER)
    (reply,) = person.wait(1)
    person.text(reply["body"], to=NUMBER)
    person.text("STOP", to=NUMBER)
    person.wait(2)
    assert 2 == len(received(person))


def test_one_of_our_own_numbers_is_blocked_but_never_answered(gateway: Gateway) -> None:
    ours = gateway.phone(SECOND)
    ours.text("STOP", to=NUMBER)
    assert 21610 == code(gateway, ours, NUMBER)
    assert [] == received(ours)
