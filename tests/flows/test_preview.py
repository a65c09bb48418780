"""Looking ahead changes nothing and tells the truth."""

from stopwire.core.consent import Reason
from stopwire.flows import amend, preview
from tests.gateway import Gateway

FIRST, SECOND, ALONE, TOLL_FREE = "+14155550100", "+14155550111", "+14155550122", "+18885550100"


def block(gateway: Gateway, recipient: str, scope: str) -> None:
    flow = amend.block(
        gateway.world, account=gateway.account_sid, recipient=recipient, scope=scope, reason=Reason.API, actor="test"
    )
    assert gateway.run(flow).changed


def check(gateway: Gateway, *questions: preview.Question) -> list[bool]:
    return [each.blocked for each in gateway.run(preview.check(gateway.world, account=gateway.account_sid, questions=questions))]


def test_a_service_is_closed_only_when_every_sender_that_could_speak_is(gateway: Gateway) -> None:
    to = "+14155557001"
    question = preview.Question(to=to, service=gateway.service)
    block(gateway, to, FIRST)
    assert [False] == check(gateway, question)
    block(gateway, to, SECOND)
    assert [True] == check(gateway, question)


def test_a_block_of_the_account_closes_every_sender(gateway: Gateway) -> None:
    to = "+14155557002"
    block(gateway, to, gateway.account_sid)
    asked = [preview.Question(to=to, from_=sender) for sender in (FIRST, ALONE, TOLL_FREE)]
    assert [True, True, True] == check(gateway, *asked)


def test_a_block_for_texts_does_not_close_whatsapp(gateway: Gateway) -> None:
    block(gateway, "+14155557003", gateway.service)
    asked = preview.Question(to="whatsapp:+14155557003", service=gateway.service)
    assert [False] == check(gateway, asked)


def test_the_answer_is_what_a_send_gets(gateway: Gateway) -> None:
    gateway.phone("+14155557004").text("STOP", to=FIRST)
    for sender in (FIRST, SECOND, ALONE):
        (blocked,) = check(gateway, preview.Question(to="+14155557004", from_=sender))
        answer = gateway.http.post("/api/v1/messages", json={"from": sender, "body": "x", "recipients": [{"to": "+14155557004"}]})
        (item,) = answer.json()["items"]
        assert blocked == (item["error"] is not None), sender


def test_a_trial_is_what_a_text_does(gateway: Gateway) -> None:
    for number, body in enumerate(("STOP", "Quit!", "START", "help", "hello", "stop please", "ЅТОР")):
        person = f"+1415555{7100 + number}"
        told = gateway.run(
            preview.hear(gateway.world, account=gateway.account_sid, service=gateway.service, body=body, from_=person, to=FIRST)
        )
        sid = gateway.phone(person).text(body, to=FIRST)["message_sid"]
        done = gateway.http.get(f"/api/v1/messages/{sid}").json()["decision"]
        assert (done["keyword"], done["word"], done["effect"]) == (told.type, told.matched, told.effect), body
        assert bool(done["reply"]) == (told.reply is not None), body


def test_a_trial_leaves_nothing_behind(gateway: Gateway) -> None:
    gateway.run(
        preview.hear(gateway.world, account=gateway.account_sid, service=gateway.service, body="STOP", from_="+14155557200")
    )
    evidence = gateway.http.get("/api/v1/evidence/%2B14155557200").json()
    assert ([], [], []) == (evidence["events"], evidence["blocks"], evidence["messages"])
