"""Delivery reports: forward only, whenever they come."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from stopwire.core.message import Message, Status
from stopwire.core.orders import Order
from stopwire.core.outcomes import DeliveryReport, Outcome, OutcomeKind, hint_of
from stopwire.core.receipts import canonical
from stopwire.flows import connect, dispatch, report
from stopwire.flows.connect import Wanted
from tests.flows.still import ALONE, TOLL_FREE, Still, still_house

ANN = "+14155550101"


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[Still]:
    async with still_house(tmp_path) as house:
        yield house


async def sent(still: Still, sender: str = ALONE, **more: str) -> tuple[Message, str]:
    """A message the carrier took, and the carrier's reference."""
    message = await still.one(to=ANN, from_=sender, **more)
    (part,) = await still.claim()
    await still.settle([part])
    return message, part.attempt


def said(reference: str, status: Status, code: int | None = None) -> DeliveryReport:
    return DeliveryReport(connection="simulator", reference=reference, status=status, error_code=code)


async def tell(still: Still, reference: str, status: Status, code: int | None = None) -> None:
    await report.report(still.world, reports=[said(reference, status, code)])


async def test_a_report_moves_the_message_and_tells_the_customer(still: Still) -> None:
    message, reference = await sent(still, status_callback="https://example.com/cb")
    await tell(still, reference, Status.DELIVERED)
    assert "delivered" == (await still.seen(message)).status
    assert [("sent", None), ("delivered", None)] == await still.callbacks(message)


async def test_a_bad_report_carries_its_code(still: Still) -> None:
    message, reference = await sent(still, status_callback="https://example.com/cb")
    await tell(still, reference, Status.UNDELIVERED, 30003)
    seen = await still.seen(message)
    assert ("undelivered", 30003) == (seen.status, seen.error_code)
    assert [("sent", None), ("undelivered", "30003")] == await still.callbacks(message)


@pytest.mark.parametrize("order", list(permutations([Status.SENT, Status.DELIVERED, Status.READ])), ids=lambda o: "-".join(o))
async def test_whatever_the_order_of_reports_the_status_is_the_furthest(still: Still, order: tuple[Status, ...]) -> None:
    message, reference = await sent(still)
    for status in order:
        await tell(still, reference, status)
    assert "read" == (await still.seen(message)).status


@pytest.mark.parametrize("order", list(permutations([Status.SENT, Status.DELIVERED, Status.READ])), ids=lambda o: "-".join(o))
async def test_reports_that_come_together_do_what_they_would_have_done_one_by_one(
    still: Still, order: tuple[Status, ...]
) -> None:
    one, named = await sent(still, status_callback="https://example.com/cb")
    other, elsewhere = await sent(still, status_callback="https://example.com/cb")
    unknown = said("nobody's", Status.DELIVERED)
    each = [told for status in order for told in (said(named, status), unknown, said(elsewhere, Status.UNDELIVERED, 30003))]
    await report.report(still.world, reports=each)
    assert ("read", "undelivered") == ((await still.seen(one)).status, (await still.seen(other)).status)
    assert [("sent", None), ("undelivered", "30003")] == await still.callbacks(other)
    told = [status for status, _ in await still.callbacks(one)]
    assert told == sorted(set(told), key=["sent", "delivered", "read"].index)


@pytest.mark.parametrize("order", list(permutations(["a:delivered", "a:sent", "b:delivered", "b:sent"])), ids=lambda o: " ".join(o))
async def test_a_late_word_on_a_segment_takes_nothing_back_in_whatever_order_they_come_together(
    still: Still, order: tuple[str, ...]
) -> None:
    message = await still.one(to=ANN, from_=ALONE, body="x" * 200)
    (part,) = await still.claim()
    await still.settle([part], segments=(part.attempt, "b1"))
    named = {"a": part.attempt, "b": "b1"}
    each = [(named[segment], Status(status)) for segment, _, status in (told.partition(":") for told in order)]
    told = [replace(said(id, status), forms=(canonical(id),)) for id, status in each]
    await report.report(still.world, reports=told)
    assert "delivered" == (await still.seen(message)).status


async def test_a_repeated_report_tells_the_customer_once(still: Still) -> None:
    message, reference = await sent(still, status_callback="https://example.com/cb")
    for _ in range(3):
        await tell(still, reference, Status.DELIVERED)
    assert [("sent", None), ("delivered", None)] == await still.callbacks(message)


async def test_a_delivered_message_is_not_undelivered_by_a_late_report(still: Still) -> None:
    message, reference = await sent(still)
    await tell(still, reference, Status.DELIVERED)
    await tell(still, reference, Status.UNDELIVERED, 30003)
    seen = await still.seen(message)
    assert ("delivered", None) == (seen.status, seen.error_code)


async def test_a_handset_that_was_away_may_still_confirm(still: Still) -> None:
    message, reference = await sent(still)
    await tell(still, reference, Status.UNDELIVERED, 30003)
    await tell(still, reference, Status.DELIVERED)
    seen = await still.seen(message)
    assert ("delivered", None) == (seen.status, seen.error_code)


async def test_a_report_that_overtook_the_carriers_answer_is_kept_for_it(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE, status_callback="https://example.com/cb")
    (part,) = await still.claim()
    await tell(still, part.attempt, Status.DELIVERED)
    assert "sending" == (await still.seen(message)).status
    await still.settle([part])
    assert "delivered" == (await still.seen(message)).status
    assert [("sent", None), ("delivered", None)] == await still.callbacks(message)


@pytest.mark.parametrize("order", list(permutations(["a:delivered", "a:sent", "b:delivered", "b:sent"])), ids=lambda o: " ".join(o))
async def test_of_early_reports_on_segments_too_none_takes_back_another(still: Still, order: tuple[str, ...]) -> None:
    message = await still.one(to=ANN, from_=ALONE, body="x" * 200)
    (part,) = await still.claim()
    named = {"a": part.attempt, "b": "b1"}
    for segment, _, status in (told.partition(":") for told in order):
        await report.report(still.world, reports=[replace(said(named[segment], Status(status)), forms=(canonical(named[segment]),))])
    await still.settle([part], segments=(part.attempt, "b1"))
    assert "delivered" == (await still.seen(message)).status


async def test_an_early_bad_report_does_not_take_back_an_early_good_one(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    (part,) = await still.claim()
    await tell(still, part.attempt, Status.DELIVERED)
    await tell(still, part.attempt, Status.UNDELIVERED, 30003)
    await still.settle([part])
    seen = await still.seen(message)
    assert ("delivered", None) == (seen.status, seen.error_code)


async def test_a_report_of_nothing_we_know_changes_nothing(still: Still) -> None:
    message, _ = await sent(still)
    await tell(still, "nobody", Status.UNDELIVERED, 30003)
    assert "sent" == (await still.seen(message)).status


async def test_a_report_settles_a_message_whose_answer_was_doubtful(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    (part,) = await still.claim()
    await still.settle([part], OutcomeKind.UNKNOWN)
    await tell(still, part.attempt, Status.DELIVERED)
    assert "delivered" == (await still.seen(message)).status
    still.clock.moved = timedelta(hours=11)
    await dispatch.expire_unknown(still.world, connection="simulator")
    assert "delivered" == (await still.seen(message)).status


async def test_the_toll_free_networks_block_is_learned(still: Still) -> None:
    message, reference = await sent(still, TOLL_FREE)
    await tell(still, reference, Status.UNDELIVERED, 30004)
    assert ("undelivered", 30004) == ((seen := await still.seen(message)).status, seen.error_code)
    assert ["block"] == await still.acts(ANN)
    (receipt,) = await still.send(Order(to=ANN, from_=TOLL_FREE, body="Hello"))
    assert receipt.refused is not None
    assert 21610 == receipt.refused.code


async def test_the_same_code_from_another_network_is_no_opt_out(still: Still) -> None:
    _, reference = await sent(still, ALONE)
    await tell(still, reference, Status.UNDELIVERED, 30004)
    assert [] == await still.acts(ANN)


@pytest.mark.parametrize(
    ("type", "settings", "expected"),
    [
        pytest.param("twilio", {"account_sid": "AC" + "1" * 32, "auth_token": "t" * 32}, ["block"], id="which is the network's own at Twilio"),
        pytest.param(
            "bandwidth",
            {"account_id": "1", "application_id": "a", "username": "u", "password": "p", "callback_user": "c", "callback_password": "w"},
            [],
            id="which is ours for one of many reasons elsewhere",
        ),
    ],
)
async def test_30004_on_toll_free_is_an_opt_out_only_where_the_provider_means_that(
    still: Still, type: str, settings: dict[str, Any], expected: list[str]
) -> None:
    wanted = Wanted(name="upstream", settings=settings, senders=(TOLL_FREE,))
    made = await connect.add(still.world, account=still.account, type=type, wanted=wanted)
    assert made.seen is not None, made.problems
    connection = made.seen.connection.sid
    message = await still.one(to=ANN, from_=TOLL_FREE)
    parts = await still.claim(connection=connection)
    await still.settle(parts)
    told = DeliveryReport(connection=connection, reference=parts[0].attempt, status=Status.UNDELIVERED, error_code=30004)
    await report.report(still.world, reports=[told])
    assert ("undelivered", 30004) == ((seen := await still.seen(message)).status, seen.error_code)
    assert expected == await still.acts(ANN)


async def test_a_block_that_a_carrier_tells_ends_what_waits_for_the_person(still: Still) -> None:
    _, reference = await sent(still)
    queued = await still.one(to=ANN, from_=ALONE, body="And another")
    other = await still.one(to=OTHER, from_=ALONE)
    await tell(still, reference, Status.UNDELIVERED, 21610)
    assert ["block"] == await still.acts(ANN)
    seen = await still.seen(queued)
    assert ("failed", 21610) == (seen.status, seen.error_code)
    assert "queued" == (await still.seen(other)).status


async def test_a_report_on_a_message_that_was_deleted_is_forgotten(still: Still) -> None:
    message, reference = await sent(still)
    await still.change(lambda tx: tx.messages.delete(message.sid))
    await tell(still, reference, Status.DELIVERED)


async def test_a_discarded_body_is_gone_once_the_message_is_final(still: Still) -> None:
    message, reference = await sent(still, content_retention="discard", address_retention="obfuscate")
    assert "Hello" == (await still.seen(message)).body
    await tell(still, reference, Status.DELIVERED)
    seen = await still.seen(message)
    assert ("", "+1415555XXXX") == (seen.body, seen.recipient)


# ── the report came, the answer never does ───────────────────────────────────────────────────────────────

OTHER = "+14155550111"


@pytest.mark.parametrize(
    ("told", "others", "expected"),
    [
        pytest.param({"hint": 0}, 0, "delivered", id="it has the message's own hint"),
        pytest.param({"hint": 0}, 1, "delivered", id="it has its hint, though another is under way to the same person"),
        pytest.param({"hint": 1}, 0, "sending", id="it has the hint of another"),
        pytest.param({}, 0, "delivered", id="it has none, and nothing else can be meant"),
        pytest.param({}, 1, "sending", id="it has none, and another is under way to the same person"),
        pytest.param({"sender": "+14155550199"}, 0, "sending", id="it is of another sender"),
        pytest.param({"recipient": "+14155550109"}, 0, "sending", id="it is of another person"),
    ],
)
async def test_a_report_that_came_first_counts_where_the_answer_never_comes(
    still: Still, told: dict[str, Any], others: int, expected: str
) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    for _ in range(others):
        await still.one(to=ANN, from_=OTHER)
    part, *_ = sorted(await still.claim(), key=lambda each: each.message != message.sid)
    more = {"sender": ALONE, "recipient": ANN, **told}
    if "hint" in told:
        more["hint"] = (hint_of(part.attempt) + told["hint"]) % 0x1_0000
    early = DeliveryReport(connection="simulator", reference="7F", forms=("7f", "127"), status=Status.DELIVERED, **more)
    await report.report(still.world, reports=[early])
    assert "sending" == (await still.seen(message)).status
    await dispatch.settle(still.world, outcomes=[Outcome(attempt=part.attempt, kind=OutcomeKind.UNKNOWN)])
    assert expected == (await still.seen(message)).status


async def test_of_two_texts_without_an_answer_a_report_proves_the_one_whose_name_it_hands_back(still: Still) -> None:
    first, second = await still.one(to=ANN, from_=ALONE), await still.one(to=ANN, from_=ALONE, body="And another")
    parts = []
    for _ in range(2):  # a person's messages leave one after another
        parts += (left := await still.claim())
        await still.settle(left, OutcomeKind.UNKNOWN)
    attempt = next(part.attempt for part in parts if part.message == second.sid)
    told = DeliveryReport(connection="simulator", reference="up-1", status=Status.DELIVERED, recipient=ANN, hint=hint_of(attempt))
    await report.report(still.world, reports=[told])
    assert ["sending", "delivered"] == [(await still.seen(message)).status for message in (first, second)]


@pytest.mark.parametrize("early", [0, 1, 2, 3], ids=lambda n: f"{n} of them before it is known that no answer comes")
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param(["a:delivered", "b:delivered", "c:delivered"], "delivered", id="all three"),
        pytest.param(["a:delivered", "a:delivered", "b:delivered"], "sent", id="two, one of them twice"),
        pytest.param(["b:delivered", "c:undelivered", "a:delivered"], "undelivered", id="one of them bad"),
    ],
)
async def test_each_segment_without_an_answer_is_known_by_the_name_it_hands_back(
    still: Still, told: list[str], expected: str, early: int
) -> None:
    message = await still.one(to=ANN, from_=ALONE, body="x" * 400)
    (part,) = await still.claim()

    async def tell(*words: str) -> None:
        for segment, _, status in (word.partition(":") for word in words):
            of = {"forms": (segment,), "sender": ALONE, "recipient": ANN, "hint": hint_of(part.attempt)}
            await report.report(still.world, reports=[replace(said(segment, Status(status)), **of)])  # type: ignore[arg-type]  # each has its type

    await tell(*told[:early])
    await dispatch.settle(still.world, outcomes=[Outcome(attempt=part.attempt, kind=OutcomeKind.UNKNOWN)])
    await tell(*told[early:])
    assert expected == (await still.seen(message)).status
