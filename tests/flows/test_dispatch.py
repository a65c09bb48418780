"""Handing over: what is claimed, marked, settled, recovered; and what a STOP takes back at each step."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stopwire.core.address import ChannelGroup
from stopwire.core.consent import Act, ConsentEvent, Reason
from stopwire.core.message import Message, Status
from stopwire.core.orders import Order
from stopwire.core.outcomes import Cause, DeliveryReport, OutcomeKind, Received
from stopwire.flows import account as accounts
from stopwire.flows import amend, dispatch
from tests.flows.still import ALONE, SERVICE_MEMBER, TOLL_FREE, Still, still_house

ANN, BOB = "+14155550101", "+14155550102"


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[Still]:
    async with still_house(tmp_path) as house:
        yield house


async def end_of(still: Still, message: Message) -> tuple[str, int | None]:
    seen = await still.seen(message)
    return seen.status.value, seen.error_code


async def attempts(still: Still, message: Message) -> list[str]:
    return [a.state for a in await still.ask(lambda tx: tx.jobs.attempts(message.sid))]


async def job_of(still: Still, message: Message) -> Any:
    return await still.ask(lambda tx: tx.jobs.of_message(message.sid))


# ── the claim ────────────────────────────────────────────────────────────────────────────────────────


async def test_an_attempt_is_on_disk_before_its_bytes_may_leave(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    parts = await still.claim()
    assert [(message.sid, ALONE, ANN, "Hello")] == [(p.message, p.sender, p.recipient, p.body) for p in parts]
    assert ["written"] == await attempts(still, message)
    assert "sending" == (await still.seen(message)).status


async def test_what_is_handed_over_says_until_when_it_may_leave(still: Still) -> None:
    await still.one(to=ANN, from_=ALONE)
    asked_at = still.world.clock.monotonic()
    round_ = await dispatch.dispatch(still.world, connection="simulator", room=10)
    (part,) = round_.parts
    assert asked_at <= part.write_by - still.world.choices.write_deadline_seconds <= still.world.clock.monotonic()


async def test_a_round_takes_no_more_than_there_is_room_for(still: Still) -> None:
    for person in (ANN, BOB, "+14155550103"):
        await still.one(to=person, from_=ALONE)
    assert 2 == len(await still.claim(room=2))
    assert 1 == len(await still.claim(room=2))
    assert 0 == len(await still.claim(room=2))


async def test_what_is_not_due_is_not_taken_and_the_engine_is_told_when_to_look_again(still: Still) -> None:
    at = still.world.clock.now() + timedelta(hours=1)
    await still.one(to=ANN, service=still.service, schedule_type="fixed", send_at=at.isoformat())
    round_ = await dispatch.dispatch(still.world, connection="simulator", room=10)
    assert (0, at) == (round_.taken, round_.next_due)


async def test_a_service_chooses_its_sender_at_the_hand_over(still: Still) -> None:
    message = await still.one(to=ANN, service=still.service, status_callback="https://example.com/cb")
    assert (Status.ACCEPTED, None) == (message.status, message.sender)
    (part,) = await still.claim()
    assert part.sender == (await still.seen(message)).sender
    assert 1 == (await still.seen(message)).segments
    assert [("queued", None)] == await still.callbacks(message)


async def test_a_scheduled_message_is_sent_when_its_time_has_come(still: Still) -> None:
    at = still.world.clock.now() + timedelta(hours=1)
    message = await still.one(to=ANN, service=still.service, schedule_type="fixed", send_at=at.isoformat())
    still.clock.moved = timedelta(hours=1, seconds=1)
    (part,) = await still.claim()
    assert message.sid == part.message


async def test_a_block_made_meanwhile_ends_a_scheduled_message_when_its_time_has_come(still: Still) -> None:
    """The block is put straight into the ledger here, as an import of millions would: nothing was taken back yet."""
    at = still.world.clock.now() + timedelta(hours=1)
    message = await still.one(to=ANN, service=still.service, schedule_type="fixed", send_at=at.isoformat())
    await learned_block(still, still.service)
    still.clock.moved = timedelta(hours=1, seconds=1)
    assert () == await still.claim()
    assert ("failed", 21610) == await end_of(still, message)


# ── scheduled messages whose connection is down ──────────────────────────────────────────────────────


async def put_all_on(still: Still, connection: str, *, failover: Sequence[str] = ()) -> None:
    """All senders on a connection that nobody opens, with what they use while it is down."""

    def unit(tx: Any) -> None:
        for sender in tx.services.directory().senders.values():
            tx.services.save_sender(replace(sender, connection=connection, settings={"failover": list(failover)}))

    await still.change(unit)


async def scheduled(still: Still, person: str = ANN, **more: Any) -> Message:
    at = still.world.clock.now() + timedelta(hours=1)
    return await still.one(to=person, service=still.service, schedule_type="fixed", send_at=at.isoformat(), **more)


@pytest.mark.parametrize("from_", ["", SERVICE_MEMBER], ids=["the service chooses", "the sender is named"])
async def test_a_scheduled_message_that_falls_due_on_a_dead_connection_leaves_by_the_next(still: Still, from_: str) -> None:
    await put_all_on(still, "CNdown", failover=["simulator"])
    message = await scheduled(still, from_=from_, status_callback="https://example.com/cb")
    seen = await dispatch.hand_on(still.world, connection="CNdown")
    assert "CNdown" == (await job_of(still, message)).connection
    still.clock.moved = timedelta(hours=1, seconds=1)
    await dispatch.hand_on(still.world, connection="CNdown", since=seen)
    assert [("queued", None)] == await still.callbacks(message)
    (part,) = await still.claim()
    assert (message.sid, "simulator", (await still.seen(message)).sender) == (part.message, part.connection, part.sender)


async def test_without_another_connection_a_scheduled_message_chooses_its_sender_and_waits(still: Still) -> None:
    await put_all_on(still, "CNdown")
    message = await scheduled(still)
    still.clock.moved = timedelta(hours=1, seconds=1)
    await dispatch.hand_on(still.world, connection="CNdown")
    job = await job_of(still, message)
    assert ("CNdown", True, Status.QUEUED) == (job.connection, job.sender is not None, (await still.seen(message)).status)


async def test_a_block_ends_a_scheduled_message_that_falls_due_on_a_dead_connection(still: Still) -> None:
    await put_all_on(still, "CNdown", failover=["simulator"])
    message = await scheduled(still)
    await learned_block(still, still.service)
    still.clock.moved = timedelta(hours=1, seconds=1)
    await dispatch.hand_on(still.world, connection="CNdown")
    assert ("failed", 21610) == await end_of(still, message)


async def test_what_is_handed_on_is_taken_in_pieces(still: Still, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "HANDED_ON_AT_ONCE", 2)
    await put_all_on(still, "CNdown", failover=["simulator"])
    for n in range(5):
        await scheduled(still, f"+1415555020{n}")
    still.clock.moved = timedelta(hours=1, seconds=1)
    await dispatch.hand_on(still.world, connection="CNdown")
    assert 5 == len(await still.claim())


async def learned_block(still: Still, holder: str) -> None:
    now = still.world.clock.now()
    event = ConsentEvent(
        id=still.world.ids.sid("CE"), holder=holder, group=ChannelGroup.TEXT, recipient=ANN, act=Act.BLOCK,
        reason=Reason.IMPORT, actor="test", occurred_at=now, recorded_at=now,
    )  # fmt: skip
    await still.change(lambda tx: tx.consent.append([event]))


async def test_validity_that_has_passed_ends_a_message(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE, validity_period="60")
    still.clock.moved = timedelta(seconds=61)
    assert () == await still.claim()
    assert ("failed", 30036) == await end_of(still, message)


async def test_a_pool_that_lost_its_last_sender_ends_its_messages(still: Still) -> None:
    message = await still.one(to=ANN, service=still.service)

    def gone(tx: Any) -> None:
        for sender in tx.services.directory().pool(still.service):
            tx.services.delete_sender(sender.sid)

    await still.change(gone)
    assert () == await still.claim()
    assert ("failed", 21703) == await end_of(still, message)


# ── a STOP at each step ──────────────────────────────────────────────────────────────────────────────


async def test_a_stop_before_the_claim_ends_the_message(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE, status_callback="https://example.com/cb")
    await still.text("STOP", person=ANN, to=ALONE)
    assert ("failed", 21610) == await end_of(still, message)
    assert [("failed", "21610")] == await still.callbacks(message)
    assert [True] == [part.keyword_reply for part in await still.claim()]


async def test_a_stop_takes_its_own_person_only_out_of_the_next_claim(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    other = await still.one(to=BOB, from_=ALONE)
    taken = await still.text("STOP", person=ANN, to=ALONE)
    assert () == taken.under_way
    parts = [part for part in await still.claim() if not part.keyword_reply]
    assert [other.sid] == [part.message for part in parts]
    assert ("failed", 21610) == await end_of(still, message)
    assert [] == await attempts(still, message)


async def test_a_stop_after_the_claim_waits_for_the_answer(still: Still) -> None:
    still.world = replace(still.world, choices=replace(still.world.choices, stop_wait_seconds=30))
    message = await still.one(to=ANN, from_=ALONE)
    parts = await still.claim()
    acknowledged = asyncio.create_task(still.text("STOP", person=ANN, to=ALONE))
    while "opt_out" not in await still.acts(ANN):
        await asyncio.sleep(0)
    assert not acknowledged.done()
    await still.settle(parts)
    taken = await acknowledged
    assert (parts[0].attempt,) == taken.under_way
    assert "sent" == (await still.seen(message)).status
    (attempt,) = await still.ask(lambda tx: tx.jobs.attempts(message.sid))
    assert not attempt.raced


async def test_an_answer_that_does_not_come_is_noted_before_the_stop_is_acknowledged(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    await still.claim()
    await still.text("STOP", person=ANN, to=ALONE)
    (attempt,) = await still.ask(lambda tx: tx.jobs.attempts(message.sid))
    assert ("written", True) == (attempt.state, attempt.raced)


@pytest.mark.parametrize("kind", [OutcomeKind.DEFERRED, OutcomeKind.RELEASED])
async def test_what_comes_back_after_a_stop_does_not_leave_again(still: Still, kind: OutcomeKind) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    parts = await still.claim()
    await still.text("STOP", person=ANN, to=ALONE)
    await still.settle(parts, kind, retry_after_seconds=3600)
    assert ("failed", 21610) == await end_of(still, message)
    still.clock.moved = timedelta(hours=2)
    assert () == await still.claim()


async def test_a_stop_to_one_sender_leaves_the_messages_of_the_others(still: Still) -> None:
    message = await still.one(to=ANN, from_=TOLL_FREE)
    await still.text("STOP", person=ANN, to=ALONE)
    assert "queued" == (await still.seen(message)).status


async def test_the_confirmation_leaves_although_its_person_is_blocked_in_every_scope(still: Still) -> None:
    await still.text("STOP", person=ANN, to=ALONE)
    await amend.block(
        still.world, account=still.account, recipient=ANN, scope=still.account, reason=Reason.OPERATOR, actor="test"
    )
    (part,) = await still.claim()
    assert part.keyword_reply


async def test_a_confirmation_older_than_five_minutes_is_dropped_and_the_block_stays(still: Still) -> None:
    await still.text("STOP", person=ANN, to=ALONE)
    still.clock.moved = timedelta(minutes=5, seconds=1)
    assert () == await still.claim()
    (receipt,) = await still.send(Order(to=ANN, from_=ALONE, body="Hello"))
    assert receipt.refused is not None
    assert 21610 == receipt.refused.code


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────


async def test_an_accepted_message_is_sent_and_its_job_is_done(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE, status_callback="https://example.com/cb")
    await still.settle(await still.claim())
    seen = await still.seen(message)
    assert ("sent", None) == (seen.status, seen.error_code)
    assert seen.sent_at is not None
    assert await job_of(still, message) is None
    assert [("sent", None)] == await still.callbacks(message)


async def test_the_second_answer_to_an_attempt_is_ignored(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    parts = await still.claim()
    await still.settle(parts)
    await still.settle(parts, OutcomeKind.REJECTED)
    await still.settle(parts, OutcomeKind.DEFERRED)
    assert ("sent", None) == await end_of(still, message)


REJECTED = [
    pytest.param(Cause.UNKNOWN_HANDSET, 30005, id="no such handset"),
    pytest.param(Cause.FILTERED, 30007, id="filtered"),
    pytest.param(Cause.OTHER, 30008, id="for no reason given"),
]


@pytest.mark.parametrize(("cause", "code"), REJECTED)
async def test_a_rejected_message_fails_with_the_code_of_its_cause(still: Still, cause: Cause, code: int) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    await still.settle(await still.claim(), OutcomeKind.REJECTED, cause=cause)
    assert ("failed", code) == await end_of(still, message)
    assert [] == await still.acts(ANN)


async def test_a_carriers_opt_out_becomes_a_block_of_ours(still: Still) -> None:
    message = await still.one(to=ANN, service=still.service)
    await still.settle(await still.claim(), OutcomeKind.REJECTED, cause=Cause.OPTED_OUT)
    assert ("failed", 21610) == await end_of(still, message)
    assert ["block"] == await still.acts(ANN)
    (receipt,) = await still.send(Order(to=ANN, from_=SERVICE_MEMBER, body="Hello"))
    assert receipt.refused is not None
    await still.text("START", person=ANN, to=SERVICE_MEMBER)
    assert ["block", "opt_in"] == await still.acts(ANN)


async def test_a_deferred_message_waits_at_least_as_long_as_the_carrier_asked(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    await still.settle(await still.claim(), OutcomeKind.DEFERRED, retry_after_seconds=30)
    job = await job_of(still, message)
    assert ("queued", 1) == (job.state, job.tries)
    assert "queued" == (await still.seen(message)).status
    still.clock.moved = timedelta(seconds=29)
    assert () == await still.claim()
    still.clock.moved = timedelta(seconds=31)
    assert [message.sid] == [part.message for part in await still.claim()]


async def test_a_released_message_is_due_at_once_and_nothing_was_tried(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    await still.settle(await still.claim(), OutcomeKind.RELEASED)
    assert 0 == (await job_of(still, message)).tries
    assert [message.sid] == [part.message for part in await still.claim()]


async def test_a_message_without_an_answer_is_held_and_never_sent_again(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE, status_callback="https://example.com/cb")
    await still.settle(await still.claim(), OutcomeKind.UNKNOWN)
    assert "unknown" == (await job_of(still, message)).state
    still.clock.moved = timedelta(hours=9)
    assert () == await still.claim()
    await dispatch.expire_unknown(still.world, connection="simulator")
    assert "sending" == (await still.seen(message)).status
    still.clock.moved = timedelta(hours=11)
    await dispatch.expire_unknown(still.world, connection="simulator")
    assert ("undelivered", 30046) == await end_of(still, message)
    assert [("undelivered", "30046")] == await still.callbacks(message)


async def test_an_answer_that_comes_late_still_counts(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    parts = await still.claim()
    await still.settle(parts, OutcomeKind.UNKNOWN)
    await still.settle(parts)
    assert ("sent", None) == await end_of(still, message)
    assert await job_of(still, message) is None


async def test_an_account_may_choose_one_more_try_after_no_answer(still: Still) -> None:
    await accounts.change_account(still.world, account=still.account, changes={"ambiguous": "retry"})
    message = await still.one(to=ANN, from_=ALONE)
    await still.settle(await still.claim(), OutcomeKind.UNKNOWN)
    still.clock.moved = timedelta(seconds=2)
    await still.settle(await still.claim(), OutcomeKind.UNKNOWN)
    assert ["unknown", "unknown"] == await attempts(still, message)
    still.clock.moved = timedelta(hours=1)
    assert () == await still.claim()


class Deaf:
    """An inbox that takes nothing in."""

    async def received(self, heard: Received) -> str | None:
        return None

    async def reported(self, reports: Sequence[DeliveryReport]) -> None:
        pass


# ── after a crash ────────────────────────────────────────────────────────────────────────────────────


async def test_what_the_carrier_took_is_not_sent_again_after_a_start(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    parts = await still.claim()
    simulator = still.world.carriers.get("simulator")
    assert simulator is not None
    await simulator.start(Deaf())
    await simulator.send(parts, lambda outcome: None)  # the process ends before it hears the answer
    assert 1 == await dispatch.recover(still.world, connection="simulator")
    assert "sent" == (await still.seen(message)).status
    assert () == await still.claim()
    assert 1 == len(await still.world.phones.conversation(still.account, ANN, None, 10))


async def test_what_the_carrier_never_saw_is_sent_after_a_start(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    await still.claim()
    assert 1 == await dispatch.recover(still.world, connection="simulator")
    assert [message.sid] == [part.message for part in await still.claim()]
