"""The simulator at its seam: the rules of a carrier, and what its handsets and networks do by themselves."""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stopwire.carriers.simulator import Simulator, networks
from stopwire.core.handsets import HANDSETS, ORDINARY, temper_of
from stopwire.core.message import Status
from stopwire.core.outcomes import Cause, DeliveryReport, InboundMedia, Outcome, OutcomeKind, Part, Received
from tests.flows.still import ALONE, TOLL_FREE, Still, still_house

ANN = "+14155550101"


class Ear:
    """An inbox that remembers. `breaks`: it cannot take anything in."""

    def __init__(self) -> None:
        self.heard: list[Received] = []
        self.reports: list[DeliveryReport] = []
        self.breaks = False

    async def received(self, heard: Received) -> str | None:
        if self.breaks:
            raise OSError("no room")
        self.heard.append(heard)
        return f"SM{len(self.heard)}"

    async def reported(self, reports: Sequence[DeliveryReport]) -> None:
        self.reports += reports


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[Still]:
    async with still_house(tmp_path) as house:
        yield house


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
async def simulator(still: Still, ear: Ear) -> AsyncIterator[Simulator]:
    made = Simulator(store=still.world.store, clock=still.world.clock, ids=still.world.ids)
    OURS["account"] = still.account
    await made.start(ear)
    yield made
    await made.stop()


OURS: dict[str, str] = {}  # whose parts they are: set with the simulator


def part(attempt: str, to: str = ANN, **more: Any) -> Part:
    return Part(**{**OURS, "attempt": attempt, "message": f"SM-{attempt}", "sender": ALONE, "recipient": to, "body": "Hello", **more})


async def send(simulator: Simulator, *parts: Part) -> list[Outcome]:
    outcomes: list[Outcome] = []
    await simulator.send(parts, outcomes.append)
    return outcomes


async def conversation(still: Still, simulator: Simulator, handset: str = ANN) -> list[tuple[str, str, str]]:
    return [(m.direction, m.kind, m.body) for m in await simulator.conversation(still.account, handset, None, 100)]


async def settled(simulator: Simulator) -> None:
    """Let what the simulator does later come to its end."""
    while simulator._tasks:
        await asyncio.gather(*simulator._tasks)


# ── the rules of the seam ────────────────────────────────────────────────────────────────────────────


async def test_each_part_gets_one_outcome_in_the_order_given(simulator: Simulator) -> None:
    outcomes = await send(simulator, part("1"), part("2", "+19995550002"), part("3", "+19995550007"), part("4"))
    kinds = [OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.UNKNOWN, OutcomeKind.ACCEPTED]
    assert list(zip("1234", kinds, strict=True)) == [(o.attempt, o.kind) for o in outcomes]
    assert Cause.UNKNOWN_HANDSET is outcomes[1].cause
    assert 2 == len({o.reference for o in outcomes if o.kind is OutcomeKind.ACCEPTED})


async def test_nothing_leaves_after_its_time(still: Still, simulator: Simulator) -> None:
    late = part("1", write_by=still.world.clock.monotonic() - 0.001)
    (outcome,) = await send(simulator, late)
    assert OutcomeKind.RELEASED is outcome.kind
    assert [] == await conversation(still, simulator)


async def test_room_shrinks_while_parts_are_handed_over(simulator: Simulator) -> None:
    rooms: list[int] = []
    free = simulator.room()
    await simulator.send([part("1"), part("2")], lambda outcome: rooms.append(simulator.room()))
    assert [free - 2, free - 2] == rooms
    assert free == simulator.room()


async def test_what_reached_a_handset_is_recalled_and_what_did_not_is_released(simulator: Simulator) -> None:
    await send(simulator, part("1"))
    known, unknown = await simulator.recall(["1", "2"])
    assert (OutcomeKind.ACCEPTED, OutcomeKind.RELEASED) == (known.kind, unknown.kind)
    assert known.reference is not None


async def test_a_text_that_could_not_be_taken_in_fails_at_its_handset(simulator: Simulator, ear: Ear) -> None:
    ear.breaks = True
    with pytest.raises(OSError, match="no room"):
        await simulator.text("AC", ANN, ALONE, "STOP")


# ── towards handsets ─────────────────────────────────────────────────────────────────────────────────


async def test_an_accepted_part_is_reported_under_its_reference(simulator: Simulator, ear: Ear) -> None:
    (outcome,) = await send(simulator, part("1"))
    await settled(simulator)
    assert [(outcome.reference, Status.DELIVERED, None)] == [(r.reference, r.status, r.error_code) for r in ear.reports]


async def test_a_report_that_was_not_made_is_made_after_a_start(still: Still, simulator: Simulator, ear: Ear) -> None:
    await simulator.stop()
    await send(simulator, part("1"))
    await simulator.stop()  # before the report
    assert [] == ear.reports
    second = Simulator(store=still.world.store, clock=still.world.clock, ids=still.world.ids)
    await second.start(ear)
    await settled(second)
    assert [Status.DELIVERED] == [r.status for r in ear.reports]


@pytest.mark.parametrize("handset", HANDSETS)
def test_a_magic_handset_says_what_it_does(handset: str) -> None:
    temper = HANDSETS[handset]
    assert temper.says
    assert temper == temper_of(handset) == temper_of(f"whatsapp:{handset}")
    assert (temper.report is Status.UNDELIVERED) == (temper.error_code is not None)


def test_every_other_handset_is_an_ordinary_one() -> None:
    assert ORDINARY == temper_of(ANN)


async def test_a_busy_handset_takes_the_third_try(simulator: Simulator) -> None:
    kinds = [(await send(simulator, part(str(n), "+19995550001", message="SM1")))[0].kind for n in range(3)]
    assert [OutcomeKind.DEFERRED, OutcomeKind.DEFERRED, OutcomeKind.ACCEPTED] == kinds


async def test_the_confirmation_is_told_from_an_ordinary_message(still: Still, simulator: Simulator) -> None:
    await send(simulator, part("1"), part("2", keyword_reply=True))
    assert [("in", "message", "Hello"), ("in", "auto_reply", "Hello")] == await conversation(still, simulator)


async def test_past_the_networks_block_nothing_reaches_the_handset(still: Still, simulator: Simulator, ear: Ear) -> None:
    await simulator.text(still.account, ANN, TOLL_FREE, "STOP")
    await send(simulator, part("1", sender=TOLL_FREE), part("2"))
    await settled(simulator)
    assert [(Status.UNDELIVERED, networks.BLOCKED), (Status.DELIVERED, None)] == [(r.status, r.error_code) for r in ear.reports]
    assert ["out", "in", "in"] == [direction for direction, _, _ in await conversation(still, simulator)]


# ── from handsets ────────────────────────────────────────────────────────────────────────────────────


async def test_a_text_is_heard_with_its_reference(still: Still, simulator: Simulator, ear: Ear) -> None:
    texted = await simulator.text(still.account, ANN, ALONE, "hi")
    (heard,) = ear.heard
    assert ("hi", ALONE, ANN, texted.id, 1) == (heard.body, heard.sender, heard.recipient, heard.reference, heard.parts)
    assert "SM1" == texted.message_sid


async def test_a_repeat_is_the_same_bytes_under_the_same_reference(still: Still, simulator: Simulator, ear: Ear) -> None:
    await simulator.text(still.account, ANN, ALONE, "hi", repeat=3)
    assert [ear.heard[0]] * 3 == ear.heard


@pytest.mark.parametrize(("body", "parts"), [("abcdefghij", 3), ("ab", 5), ("", 2), ("x" * 1000, 7)])
async def test_parts_make_up_the_whole(still: Still, simulator: Simulator, ear: Ear, body: str, parts: int) -> None:
    await simulator.text(still.account, ANN, ALONE, body, parts=parts)
    assert list(range(1, parts + 1)) == [heard.part for heard in ear.heard]
    assert {parts} == {heard.parts for heard in ear.heard}
    assert 1 == len({heard.part_reference for heard in ear.heard})
    assert parts == len({heard.reference for heard in ear.heard})
    assert body == "".join(heard.body for heard in ear.heard)


async def test_parts_come_as_they_are_ordered_and_those_left_out_never(still: Still, simulator: Simulator, ear: Ear) -> None:
    await simulator.text(still.account, ANN, ALONE, "abc", parts=3, part_order=(3, 1))
    assert [(3, "c"), (1, "a")] == [(heard.part, heard.body) for heard in ear.heard]


@pytest.mark.parametrize("order", [None, (2, 1), (1, 2)])
async def test_pictures_come_with_the_part_that_makes_the_text_whole(
    still: Still, simulator: Simulator, ear: Ear, order: tuple[int, ...] | None
) -> None:
    picture = InboundMedia(content_type="image/png", data=b"png")
    await simulator.text(still.account, ANN, ALONE, "ab", parts=2, part_order=order, media=(picture,))
    assert [(), (picture,)] == [heard.media for heard in ear.heard]


LISTENS = [
    pytest.param(TOLL_FREE, "STOP", networks.Verdict.BLOCK, id="stop"),
    pytest.param(TOLL_FREE, "«stop»", networks.Verdict.BLOCK, id="stop in quotes"),
    pytest.param(TOLL_FREE, "Start", networks.Verdict.LIFT, id="start"),
    pytest.param(TOLL_FREE, "UNSTOP.", networks.Verdict.LIFT, id="unstop"),
    pytest.param(TOLL_FREE, "YES", None, id="yes"),
    pytest.param(TOLL_FREE, "STOPALL", None, id="stopall"),
    pytest.param(TOLL_FREE, "stop it", None, id="a sentence"),
    pytest.param(ALONE, "STOP", None, id="a long code"),
    pytest.param("72345", "STOP", None, id="a short code"),
]


@pytest.mark.parametrize(("sender", "body", "verdict"), LISTENS)
def test_the_toll_free_network_knows_three_words(sender: str, body: str, verdict: networks.Verdict | None) -> None:
    answer = networks.listen(sender, body)
    assert verdict == (answer.verdict if answer else None)
    assert answer is None or answer.text.startswith("NETWORK MSG: ")


# ── a sender with a limit ────────────────────────────────────────────────────────────────────────────


async def test_parts_over_the_limit_get_places_one_after_the_other(still: Still, simulator: Simulator) -> None:
    def slow(tx: Any) -> None:
        tx.services.save_sender(replace(tx.services.directory().sender_at(ALONE), mps=2.0))

    await still.change(slow)
    outcomes = await send(simulator, *(part(str(n)) for n in range(4)))
    assert [OutcomeKind.ACCEPTED] + [OutcomeKind.RELEASED] * 3 == [o.kind for o in outcomes]
    waits = [o.retry_after_seconds or 0.0 for o in outcomes[1:]]
    assert all(math.isclose(expected, wait, abs_tol=0.4) for expected, wait in zip((0.5, 1.0, 1.5), waits, strict=True)), waits
    assert waits == sorted(waits)
    (again,) = await send(simulator, part("later", message="SM-3"))
    assert OutcomeKind.ACCEPTED is again.kind


async def test_a_keyword_reply_does_not_queue_behind_the_limit_and_pays_with_the_next_place(still: Still, simulator: Simulator) -> None:
    def slow(tx: Any) -> None:
        tx.services.save_sender(replace(tx.services.directory().sender_at(ALONE), mps=2.0))

    await still.change(slow)
    outcomes = await send(simulator, part("1"), part("2"), part("3", keyword_reply=True), part("4"))
    assert [True, False, True, False] == [o.kind is OutcomeKind.ACCEPTED for o in outcomes]
    assert math.isclose(1.5, outcomes[3].retry_after_seconds or 0.0, abs_tol=0.4)
