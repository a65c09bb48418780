"""Standing changed by hand: what is blocked, what is ended, what is waited for, what may be lifted."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from stopwire.core.address import ChannelGroup
from stopwire.core.consent import Block, Reason
from stopwire.core.message import Status
from stopwire.core.orders import Order
from stopwire.core.outcomes import OutcomeKind
from stopwire.flows import amend
from stopwire.flows.amend import Amended, Wish, resolve_scope
from tests.flows.still import ALONE, SERVICE_MEMBER, SHORT, Still, still_house

ANN, BOB = "+14155550101", "+14155550102"


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[Still]:
    async with still_house(tmp_path) as house:
        yield house


async def block(still: Still, scope: str = ALONE, reason: Reason = Reason.API, **more: str) -> Amended:
    return await amend.block(
        still.world, account=still.account, recipient=ANN, scope=scope, reason=reason, actor="SK1", **more
    )


async def lift(still: Still, scope: str = ALONE) -> Amended:
    return await amend.lift(still.world, account=still.account, recipient=ANN, scope=scope, actor="SK1", note="called us")


async def blocked(still: Still, person: str = ANN) -> list[Block]:
    found: list[Block] = await still.ask(lambda tx: tx.consent.blocks_of(ChannelGroup.TEXT, person))
    return found


async def test_a_block_by_hand_is_a_row_with_its_author(still: Still) -> None:
    amended = await block(still, reason=Reason.COMPLAINT, note="by letter")
    assert amended.changed
    assert amended.block is not None
    assert (Reason.COMPLAINT, "SK1", "by letter") == (amended.block.reason, amended.block.actor, amended.block.note)
    assert ["block"] == await still.acts(ANN)
    assert [amended.block] == await blocked(still)


async def test_who_is_blocked_stays_so_under_the_first_block(still: Still) -> None:
    await still.text("STOP", person=ANN, to=ALONE)
    (first,) = await blocked(still)
    again = await block(still, reason=Reason.OPERATOR)
    assert (first, False) == (again.block, again.changed)
    assert ["opt_out", "repeat"] == await still.acts(ANN)


async def test_any_reason_can_be_lifted_by_hand(still: Still) -> None:
    for reason in (Reason.API, Reason.OPERATOR, Reason.COMPLAINT):
        await block(still, reason=reason)
        lifted = await lift(still)
        assert (True, reason) == (lifted.changed, lifted.block and lifted.block.reason)
    assert [] == await blocked(still)
    assert ["block", "lift"] * 3 == await still.acts(ANN)


async def test_lifting_what_is_not_blocked_changes_nothing(still: Still) -> None:
    assert Amended() == await lift(still)
    assert [] == await still.acts(ANN)


@pytest.mark.parametrize("scope", ["+14155559999", "MG" + "0" * 32, "nonsense", ""])
async def test_a_scope_of_nobody_is_said_to_be_so(still: Still, scope: str) -> None:
    assert Amended(unknown_scope=True) == await block(still, scope)
    assert Amended(unknown_scope=True) == await lift(still, scope)


async def test_a_scope_is_a_sid_or_an_address(still: Still) -> None:
    directory = await still.world.store.directory(still.account)
    member = directory.sender_at(SERVICE_MEMBER)
    assert member is not None
    short = directory.sender_at(SHORT)
    assert short is not None
    assert {
        still.account: still.account,
        still.service: still.service,
        member.sid: member.sid,
        SERVICE_MEMBER: member.sid,
        "+1 (415) 555-0100": member.sid,
        SHORT: short.sid,
        "AC" + "0" * 32: None,
    } == {
        text: resolve_scope(directory, text)
        for text in (still.account, still.service, member.sid, SERVICE_MEMBER, "+1 (415) 555-0100", SHORT, "AC" + "0" * 32)
    }


async def test_a_block_ends_what_waits_in_its_scope(still: Still) -> None:
    at = (still.clock.now() + timedelta(hours=1)).isoformat()
    queued = await still.one(to=ANN, from_=ALONE, status_callback="https://app.example.com/")
    later = await still.one(to=ANN, service=still.service, from_="", schedule_type="fixed", send_at=at)
    other = await still.one(to=BOB, from_=ALONE)
    await block(still)
    assert (Status.FAILED, 21610) == ((await still.seen(queued)).status, (await still.seen(queued)).error_code)
    assert [("failed", "21610")] == await still.callbacks(queued)
    assert Status.SCHEDULED == (await still.seen(later)).status
    await block(still, still.service)
    assert (Status.CANCELED, 21610) == ((await still.seen(later)).status, (await still.seen(later)).error_code)
    assert [other.sid] == [part.message for part in await still.claim()]


async def test_a_block_waits_for_what_is_on_the_wire(still: Still) -> None:
    still.world = replace(still.world, choices=replace(still.world.choices, stop_wait_seconds=30))
    message = await still.one(to=ANN, from_=ALONE)
    marked = await still.claim()
    blocking = asyncio.create_task(block(still))
    while not await blocked(still):
        await asyncio.sleep(0)
    await still.settle(marked)
    await blocking
    assert Status.SENT == (await still.seen(message)).status
    assert not (await still.ask(lambda tx: tx.jobs.attempts(message.sid)))[0].raced


async def test_an_answer_that_does_not_come_is_marked_as_a_race(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    await still.claim()
    await block(still)
    assert (await still.ask(lambda tx: tx.jobs.attempts(message.sid)))[0].raced


async def test_a_deferred_message_is_judged_again(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    marked = await still.claim()
    await block(still)
    await still.settle(marked, OutcomeKind.DEFERRED)
    still.clock.moved = timedelta(minutes=5)
    assert () == await still.claim()
    assert (Status.FAILED, 21610) == ((await still.seen(message)).status, (await still.seen(message)).error_code)


def wish(still: Still, *, opt_out: bool, at: datetime | None = None, person: str = ANN) -> Wish:
    return Wish(recipient=person, holder=still.service, opt_out=opt_out, source="website", wished_at=at)


async def consents(still: Still, *wishes: Wish) -> list[str | None]:
    return await amend.consents(still.world, account=still.account, wishes=wishes, actor="SK1")


async def test_recorded_wishes_are_the_persons_and_keep_their_source(still: Still) -> None:
    assert [None, None] == await consents(still, wish(still, opt_out=True), wish(still, opt_out=False, person=BOB))
    assert ["opt_out"] == await still.acts(ANN)
    assert ["opt_in"] == await still.acts(BOB)
    (made,) = await blocked(still)
    sealed = await still.ask(lambda tx: tx.consent.event(made.event))
    assert (Reason.CONSENT, "website", "SK1") == (made.reason, sealed.event.source, sealed.event.actor)


async def test_wishes_of_one_request_hold_in_their_order(still: Still) -> None:
    await consents(still, wish(still, opt_out=True), wish(still, opt_out=False), wish(still, opt_out=True))
    assert ["opt_out", "opt_in", "opt_out"] == await still.acts(ANN)
    assert 1 == len(await blocked(still))


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        pytest.param(Reason.API, None, id="api"),
        pytest.param(Reason.IMPORT, None, id="import"),
        pytest.param(Reason.CARRIER, None, id="carrier"),
        pytest.param(Reason.OPERATOR, amend.NOT_LIFTABLE, id="operator"),
        pytest.param(Reason.COMPLAINT, amend.NOT_LIFTABLE, id="complaint"),
        pytest.param(Reason.WRONG_NUMBER, amend.NOT_LIFTABLE, id="wrong number"),
        pytest.param(Reason.REASSIGNED, amend.NOT_LIFTABLE, id="reassigned"),
    ],
)
async def test_a_recorded_opt_in_lifts_all_but_four(still: Still, reason: Reason, expected: str | None) -> None:
    await block(still, still.service, reason)
    assert [expected] == await consents(still, wish(still, opt_out=False))
    assert bool(expected) == bool(await blocked(still))
    assert ["block", "lift_refused" if expected else "opt_in"] == await still.acts(ANN)


async def test_a_recorded_opt_in_lifts_that_scope_alone(still: Still) -> None:
    await block(still, SERVICE_MEMBER)
    await block(still, still.service)
    await consents(still, wish(still, opt_out=False))
    assert ["PN"] == [made.holder[:2] for made in await blocked(still)]


async def test_an_older_wish_is_noted_and_changes_nothing(still: Still) -> None:
    await still.text("STOP", person=ANN, to=SERVICE_MEMBER)
    before = still.clock.now() - timedelta(days=1)
    assert [None] == await consents(still, wish(still, opt_out=False, at=before))
    assert ["opt_out", "no_change"] == await still.acts(ANN)
    assert 1 == len(await blocked(still))


async def test_a_wish_from_the_future_does_not_outvote_the_next_word(still: Still) -> None:
    await consents(still, wish(still, opt_out=False, at=still.clock.now() + timedelta(days=365)))
    await still.text("STOP", person=ANN, to=SERVICE_MEMBER)
    (receipt,) = await still.send(Order(to=ANN, service=still.service, body="x"))
    assert receipt.refused is not None
    await consents(still, wish(still, opt_out=False))
    assert [] == await blocked(still)


async def test_the_ledger_verifies_after_all_of_it(still: Still) -> None:
    await consents(still, wish(still, opt_out=True), wish(still, opt_out=True), wish(still, opt_out=False))
    await block(still, reason=Reason.OPERATOR)
    await lift(still)
    assert (await still.ask(lambda tx: tx.consent.verify())).ok


async def test_a_stop_by_rcs_holds_for_sms(still: Still) -> None:
    await still.text("STOP", person=f"rcs:{ANN}", to=ALONE)
    assert [ANN] == [made.recipient for made in await blocked(still)]
