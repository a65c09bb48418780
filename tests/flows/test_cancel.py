"""Taking back, redacting, deleting: in time, and never what the ledger holds."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from stopwire.core.message import Message, Status
from stopwire.flows import cancel
from tests.flows.still import ALONE, Still, still_house

ANN = "+14155550101"


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[Still]:
    async with still_house(tmp_path) as house:
        yield house


async def scheduled(still: Still) -> Message:
    at = (still.clock.now() + timedelta(hours=1)).isoformat()
    callback = "https://app.example.com/"
    return await still.one(to=ANN, service=still.service, schedule_type="fixed", send_at=at, status_callback=callback)


async def test_a_cancelled_message_never_leaves_and_its_callback_says_so(still: Still) -> None:
    message = await scheduled(still)
    changed = await cancel.cancel(still.world, account=still.account, sid=message.sid)
    assert changed.message is not None
    assert (Status.CANCELED, None) == (changed.message.status, changed.message.error_code)
    assert [("canceled", None)] == await still.callbacks(message)
    still.clock.moved = timedelta(hours=2)
    assert () == await still.claim()


async def test_a_claimed_message_cannot_be_cancelled(still: Still) -> None:
    message = await scheduled(still)
    still.clock.moved = timedelta(hours=1)
    assert 1 == len(await still.claim())
    changed = await cancel.cancel(still.world, account=still.account, sid=message.sid)
    assert changed.refused is not None
    assert 30409 == changed.refused.code


@pytest.mark.parametrize("act", [cancel.redact, cancel.delete])
async def test_what_is_under_way_can_be_neither_redacted_nor_deleted(still: Still, act: object) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    for step in ("queued", "sending"):
        changed = await act(still.world, account=still.account, sid=message.sid)  # type: ignore[operator]  # a flow
        assert changed.refused is not None, step
        assert 20009 == changed.refused.code
        await still.claim()
    assert Status.SENDING == (await still.seen(message)).status


async def test_a_message_that_has_left_can_be_redacted_then_deleted(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE, body="secret")
    await still.settle(await still.claim())
    changed = await cancel.redact(still.world, account=still.account, sid=message.sid)
    assert changed.message is not None
    assert ("", Status.SENT) == (changed.message.body, changed.message.status)
    await cancel.delete(still.world, account=still.account, sid=message.sid)
    assert [] == await still.messages()


async def test_deleting_a_stop_leaves_the_block_and_its_row(still: Still) -> None:
    taken = await still.text("STOP", person=ANN, to=ALONE)
    await cancel.delete(still.world, account=still.account, sid=taken.message or "")
    assert ["opt_out"] == await still.acts(ANN)
    assert 1 == len(await still.ask(lambda tx: tx.consent.blocks_of("text", ANN)))
    assert (await still.ask(lambda tx: tx.consent.verify())).ok


@pytest.mark.parametrize("act", [cancel.cancel, cancel.redact, cancel.delete])
async def test_a_message_of_nobody_is_not_there(still: Still, act: object) -> None:
    changed = await act(still.world, account=still.account, sid="SM" + "0" * 32)  # type: ignore[operator]  # a flow
    assert cancel.Changed() == changed


async def test_feedback_keeps_its_first_time_and_its_last_word(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    first = await cancel.rate(still.world, account=still.account, sid=message.sid, outcome="unconfirmed")
    still.clock.moved = timedelta(minutes=1)
    last = await cancel.rate(still.world, account=still.account, sid=message.sid, outcome="confirmed")
    assert first is not None
    assert last is not None
    assert ("confirmed", first.created_at) == (last.outcome, last.created_at)
    assert first.updated_at < last.updated_at
