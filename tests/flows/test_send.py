"""Taking orders: what is kept, what is refused, who speaks."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from stopwire.core.consent import Reason
from stopwire.core.message import Status
from stopwire.core.orders import Order
from stopwire.flows import amend, send
from stopwire.ports.store import Cut, Tx
from tests.flows.still import ALONE, SERVICE_MEMBER, Still, still_house

ANN, BOB = "+14155550101", "+14155550102"
SECOND_MEMBER = "+14155550111"


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[Still]:
    async with still_house(tmp_path) as house:
        yield house


async def block(still: Still, scope: str, person: str = ANN, reason: Reason = Reason.API) -> None:
    await amend.block(still.world, account=still.account, recipient=person, scope=scope, reason=reason, actor="test")


async def test_a_taken_order_is_a_message_and_a_job(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    assert (Status.QUEUED, ALONE, 1) == (message.status, message.sender, message.segments)
    job = await still.ask(lambda tx: tx.jobs.of_message(message.sid))
    assert ("queued", ANN, "simulator") == (job.state, job.recipient, job.connection)
    assert message == await still.seen(message)


async def test_a_refused_order_keeps_nothing_but_its_line_in_the_log(still: Still) -> None:
    await block(still, ALONE)
    (receipt,) = await still.send(Order(to=ANN, from_=ALONE, body="x"))
    assert receipt.refused is not None
    assert 21610 == receipt.refused.code
    assert [] == await still.messages()
    logged = await still.ask(lambda tx: tx.messages.refusal(receipt.refusal or ""))
    assert (21610, ALONE, ANN, "api") == (logged.code, logged.sender, logged.recipient, logged.because["reason"])


async def test_a_batch_answers_each_in_the_order_asked(still: Still) -> None:
    await block(still, ALONE, BOB)
    receipts = await still.send(*(Order(to=to, from_=ALONE, body="x") for to in (ANN, BOB, "12", ANN)))
    assert [None, 21610, 21211, None] == [r.refused.code if r.refused else None for r in receipts]
    assert 2 == len(await still.messages())


@pytest.mark.parametrize(
    ("scope", "through_service", "from_member", "from_alone"),
    [
        pytest.param("service", 21610, 21610, None, id="the service: all its senders"),
        pytest.param("account", 21610, 21610, 21610, id="the account: everybody"),
        pytest.param(SERVICE_MEMBER, None, 21610, None, id="one sender: the service speaks by another"),
        pytest.param(ALONE, None, None, 21610, id="a sender outside"),
    ],
)
async def test_a_block_forbids_what_its_scope_covers(
    still: Still, scope: str, through_service: int | None, from_member: int | None, from_alone: int | None
) -> None:
    await block(still, {"service": still.service, "account": still.account}.get(scope, scope))
    orders = (
        Order(to=ANN, service=still.service, body="x"),
        Order(to=ANN, from_=SERVICE_MEMBER, body="x"),
        Order(to=ANN, from_=ALONE, body="x"),
    )
    answers = [r.refused.code if r.refused else None for r in await still.send(*orders)]
    assert [through_service, from_member, from_alone] == answers


async def test_a_service_passes_over_a_blocked_sender_and_ends_when_none_is_left(still: Still) -> None:
    await block(still, SERVICE_MEMBER)
    message = await still.one(to=ANN, service=still.service)
    await still.claim()
    assert SECOND_MEMBER == (await still.seen(message)).sender
    await block(still, SECOND_MEMBER)
    (receipt,) = await still.send(Order(to=ANN, service=still.service, body="x"))
    assert receipt.refused is not None
    assert 21610 == receipt.refused.code


async def test_a_channel_has_a_consent_of_its_own(still: Still) -> None:
    await block(still, still.service)
    assert Status.ACCEPTED == (await still.one(to=f"whatsapp:{ANN}", service=still.service)).status


async def test_a_number_behind_rcs_is_the_same_person(still: Still) -> None:
    await block(still, still.service)
    (receipt,) = await still.send(Order(to=f"rcs:{ANN}", service=still.service, body="x"))
    assert receipt.refused is not None
    assert 21610 == receipt.refused.code


async def test_accept_then_fail_answers_as_usual_and_ends_failed(still: Still) -> None:
    def choose(tx: Tx) -> None:
        service = tx.services.directory().services[still.service]
        policy = replace(service.policy, opted_out_send="accept_then_fail")
        tx.services.save_service(replace(service, policy=policy))
        tx.services.add_policy(replace(service, policy=policy, policy_version=service.policy_version + 1), actor="t", note=None)

    await still.change(choose)
    await block(still, still.service)
    message = await still.one(to=ANN, service=still.service, status_callback="https://app.example.com/")
    assert (Status.ACCEPTED, None) == (message.status, message.error_code)
    ended = await still.seen(message)
    assert (Status.FAILED, 21610) == (ended.status, ended.error_code)
    assert [("failed", "21610")] == await still.callbacks(message)
    assert () == await still.claim()


async def test_a_service_that_reaches_nobody_there_fails_the_message(still: Still) -> None:
    message = await still.one(to="messenger:ann", service=still.service)
    ended = await still.seen(message)
    assert (Status.FAILED, 21703) == (ended.status, ended.error_code)


async def test_a_person_hears_the_same_sender_again_and_people_are_shared_evenly(still: Still) -> None:
    people = [f"+1415555{n}" for n in range(2000, 2020)]
    for _ in range(3):  # those who are known use up nobody's turn
        await still.send(*(Order(to=person, service=still.service, body="x") for person in people[:10]))
    await still.send(*(Order(to=person, service=still.service, body="x") for person in people))
    while parts := await still.claim():
        await still.settle(parts)
    heard = {(m.recipient, m.sender) for person in people for m in await still.messages(recipient=person)}
    assert len(people) == len(heard)
    assert {SERVICE_MEMBER: 10, SECOND_MEMBER: 10} == Counter(sender for _, sender in heard)


async def test_a_scheduled_message_waits_and_is_judged_when_its_time_comes(still: Still) -> None:
    at = (still.clock.now() + timedelta(hours=1)).isoformat()
    message = await still.one(to=ANN, service=still.service, schedule_type="fixed", send_at=at)
    assert (Status.SCHEDULED, None, 0) == (message.status, message.sender, message.segments)
    assert () == await still.claim()
    still.clock.moved = timedelta(hours=1)
    (part,) = await still.claim()
    assert message.sid == part.message


async def test_a_key_gives_the_same_answer_for_a_day(still: Still) -> None:
    order = Order(to=ANN, from_=ALONE, body="x")
    first = await still.send(order, key="k")
    assert first == await still.send(order, key="k")
    conflict = await send.send(still.world, account=still.account, orders=[replace(order, body="y")], key="k")
    assert conflict.conflict
    assert 1 == len(await still.messages())
    still.clock.moved = timedelta(hours=25)
    again = await still.send(order, key="k")
    assert first[0].message != again[0].message


async def test_a_refusal_names_the_block_that_decided(still: Still) -> None:
    await still.text("STOP", person=ANN, to=SERVICE_MEMBER)
    (receipt,) = await still.send(Order(to=ANN, service=still.service, body="x"))
    logged = await still.ask(lambda tx: tx.messages.refusals(Cut(), code=21610))
    assert [receipt.refusal] == [refusal.id for refusal in logged]
    assert (still.service, "keyword") == (logged[0].because["holder"], logged[0].because["reason"])


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        pytest.param(Order(to=ANN, from_="+15005550006", body="x"), None, id="valid"),
        pytest.param(Order(to="+15005550004", from_="+15005550006", body="x"), 21610, id="a blocked recipient"),
        pytest.param(Order(to="+1 (500) 555-0004", from_="+1 500 555 0006", body="x"), 21610, id="with punctuation"),
        pytest.param(Order(to="+15005550004", from_="+15005550007", body="x"), 21606, id="the sender is judged first"),
        pytest.param(Order(to="", from_="+15005550006", body="x"), 21604, id="no recipient"),
        pytest.param(Order(to=ANN, body="x"), 21603, id="no sender"),
        pytest.param(Order(to=ANN, from_="+15005550006"), 21602, id="nothing to say"),
        pytest.param(Order(to="12", from_="+15005550006", body="x"), 21211, id="no number"),
        pytest.param(Order(to=ANN, from_=ALONE, body="x"), 21606, id="a live sender is none here"),
    ],
)
async def test_a_rehearsal_answers_by_the_magic_numbers_and_keeps_nothing(
    still: Still, order: Order, expected: int | None
) -> None:
    receipt = await send.rehearse(still.world, account=still.account, order=order)
    assert expected == (receipt.refused.code if receipt.refused else None)
    assert [] == await still.messages()
