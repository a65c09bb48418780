"""The simulator at its seam: the rules of a carrier, and what its handsets and networks do by themselves."""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stopwire.carriers.simulator import Simulator, networks
from stopwire.carriers.simulator.air import Air
from stopwire.carriers.simulator.carrier import KEPT_FOR, LOOK_SECONDS
from stopwire.core.chaos import CALM, USUAL, Chaos, Reception
from stopwire.core.handsets import HANDSETS, ORDINARY, temper_of
from stopwire.core.message import Status
from stopwire.core.outcomes import Cause, DeliveryReport, InboundMedia, Outcome, OutcomeKind, Part, Received
from stopwire.ports.carrier import Fate
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


# ── a handset that is off, far away, or lossy ────────────────────────────────────────────────────────


def again(still: Still) -> Simulator:
    """The simulator of the next process."""
    return Simulator(store=still.world.store, clock=still.world.clock, ids=still.world.ids)


async def carried(still: Still, *simulators: Simulator) -> None:
    """Let everything that is due arrive, and what follows from it."""
    for simulator in simulators:
        simulator.look()
        while await still.world.store.read(
            lambda tx, air=simulator._air: tx.handsets.due(still.world.clock.now(), air.dead(), 1), account=""
        ):
            await asyncio.sleep(0.002)
        await asyncio.sleep(0.002)  # what was due is gone from the store before what follows from it has begun
        await settled(simulator)


async def test_texts_to_a_handset_that_is_off_wait_and_nothing_is_reported(still: Still, simulator: Simulator, ear: Ear) -> None:
    await simulator.set_reception(still.account, ANN, Reception(on=False))
    outcomes = await send(simulator, part("1"), part("2", "+14155550102"))
    await carried(still, simulator)
    assert [OutcomeKind.ACCEPTED] * 2 == [o.kind for o in outcomes]
    assert ([], ["sim-2"]) == (await conversation(still, simulator), [r.reference for r in ear.reports])
    await simulator.set_reception(still.account, ANN, USUAL)
    await carried(still, simulator)
    assert [("in", "message", "Hello")] == await conversation(still, simulator)
    assert [("sim-1", Status.DELIVERED)] == [(r.reference, r.status) for r in ear.reports[1:]]


async def test_a_handset_that_was_off_is_off_after_a_start_and_its_texts_wait_on(still: Still, simulator: Simulator, ear: Ear) -> None:
    await simulator.set_reception(still.account, ANN, Reception(on=False))
    await send(simulator, part("1"))
    await simulator.stop()
    second = again(still)
    await second.start(ear)
    await carried(still, second)
    assert ([], False) == (ear.reports, second.reception(still.account, ANN).on)
    assert [OutcomeKind.ACCEPTED] == [o.kind for o in await second.recall(["1"])]
    await second.set_reception(still.account, ANN, USUAL)
    await carried(still, second)
    assert [Status.DELIVERED] == [r.status for r in ear.reports]
    await second.stop()


@pytest.mark.parametrize("hours", [pytest.param(None, id="as centres do"), pytest.param(1, id="as the message says")])
async def test_a_text_that_waited_too_long_is_undelivered(still: Still, simulator: Simulator, ear: Ear, hours: int | None) -> None:
    await simulator.set_reception(still.account, ANN, Reception(on=False))
    expires_at = still.world.clock.now() + timedelta(hours=hours) if hours else None
    await send(simulator, part("1", expires_at=expires_at))
    still.clock.moved += timedelta(hours=hours) if hours else KEPT_FOR
    await carried(still, simulator)
    assert [(Status.UNDELIVERED, 30003)] == [(r.status, r.error_code) for r in ear.reports]
    await simulator.set_reception(still.account, ANN, USUAL)
    assert [] == await conversation(still, simulator)


async def test_a_slow_network_is_late_in_both_directions(still: Still, simulator: Simulator, ear: Ear) -> None:
    await simulator.set_reception(still.account, ANN, Reception(delay_seconds=60))
    await send(simulator, part("1"))
    texted = await simulator.text(still.account, ANN, ALONE, "hi")
    await carried(still, simulator)
    assert (Fate.ON_ITS_WAY, None) == (texted.fate, texted.message_sid)
    assert ([], [], ["out"]) == (ear.heard, ear.reports, [direction for direction, _, _ in await conversation(still, simulator)])
    still.clock.moved += timedelta(seconds=61)
    await carried(still, simulator)
    assert (["hi"], [Status.DELIVERED]) == ([h.body for h in ear.heard], [r.status for r in ear.reports])
    assert ["out", "in"] == [direction for direction, _, _ in await conversation(still, simulator)]


async def test_a_late_text_survives_a_start_with_its_parts_and_pictures(still: Still, simulator: Simulator, ear: Ear) -> None:
    picture = InboundMedia(content_type="image/png", data=b"png")
    await simulator.set_reception(still.account, ANN, Reception(delay_seconds=60))
    texted = await simulator.text(still.account, ANN, ALONE, "ab", parts=2, part_order=(2, 1), media=(picture,), repeat=2)
    await simulator.stop()
    still.clock.moved += timedelta(seconds=61)
    second = again(still)
    await second.start(ear)
    await carried(still, second)
    assert [(2, "b", ()), (1, "a", (picture,))] == [(h.part, h.body, h.media) for h in ear.heard[::2]]
    assert [f"{texted.id}.{n}" for n in (2, 2, 1, 1)] == [h.reference for h in ear.heard]
    await second.stop()


async def test_a_late_text_that_could_not_be_taken_in_comes_again(still: Still, simulator: Simulator, ear: Ear) -> None:
    await simulator.set_reception(still.account, ANN, Reception(delay_seconds=60))
    await simulator.text(still.account, ANN, ALONE, "STOP")
    await simulator.stop()
    ear.breaks = True
    second = again(still)
    second._inbox = ear  # not started: its rounds are walked one by one
    still.clock.moved += timedelta(seconds=61)
    with pytest.raises(OSError, match="no room"):
        await second._carry_on()
    ear.breaks = False
    await second._carry_on()
    assert ["STOP"] == [h.body for h in ear.heard]
    assert LOOK_SECONDS == await second._carry_on()


async def test_a_late_text_that_cannot_be_taken_in_holds_up_no_other_handset(still: Still, simulator: Simulator) -> None:
    class Deaf(Ear):
        async def received(self, heard: Received) -> str | None:
            if heard.recipient == ANN:
                raise OSError("no room")
            return await super().received(heard)

    await simulator.set_chaos(still.account, Chaos(delay_seconds=60))
    for handset in (ANN, "+14155550102"):
        await simulator.text(still.account, handset, ALONE, "hi")
    await simulator.stop()
    second, deaf = again(still), Deaf()
    second._inbox = deaf
    still.clock.moved += timedelta(seconds=61)
    for _ in range(2):
        with pytest.raises(OSError, match="no room"):
            await second._carry_on()
    assert ["+14155550102"] == [h.recipient for h in deaf.heard]


async def test_a_lost_text_is_undelivered_one_way_and_never_heard_the_other(still: Still, simulator: Simulator, ear: Ear) -> None:
    await simulator.set_reception(still.account, ANN, Reception(loss=1))
    (outcome,) = await send(simulator, part("1"))
    texted = await simulator.text(still.account, ANN, TOLL_FREE, "STOP")
    await settled(simulator)
    assert (OutcomeKind.ACCEPTED, Fate.LOST) == (outcome.kind, texted.fate)
    assert ([(Status.UNDELIVERED, 30008)], []) == ([(r.status, r.error_code) for r in ear.reports], ear.heard)
    assert [("out", "message", "STOP")] == await conversation(still, simulator)  # nor did the toll-free network hear it


async def test_a_network_that_repeats_itself_tells_the_same_twice(still: Still, simulator: Simulator, ear: Ear) -> None:
    await simulator.set_reception(still.account, ANN, Reception(duplicates=1))
    await send(simulator, part("1"))
    await simulator.text(still.account, ANN, ALONE, "STOP")
    await settled(simulator)
    assert [ear.heard[0]] * 2 == ear.heard
    assert [ear.reports[0]] * 2 == ear.reports
    assert ["in", "out"] == [direction for direction, _, _ in await conversation(still, simulator)]


# ── chaos ────────────────────────────────────────────────────────────────────────────────────────────


async def test_chaos_is_of_one_account_adds_to_a_handsets_own_and_is_over_after_a_start(still: Still, simulator: Simulator) -> None:
    await simulator.set_reception(still.account, ANN, Reception(delay_seconds=1, loss=0.5))
    await simulator.set_chaos(still.account, Chaos(delay_seconds=2, loss=0.5))
    meets = simulator._air.meets
    assert Reception(delay_seconds=3, loss=0.75) == meets(still.account, ANN)
    assert Reception(delay_seconds=2, loss=0.5) == meets(still.account, "+14155550102")
    assert USUAL == meets("AC-another", ANN)
    assert CALM == again(still).chaos(still.account)


async def test_a_dead_message_centre_takes_nothing_and_brings_nothing_until_it_lives(still: Still, simulator: Simulator, ear: Ear) -> None:
    await simulator.set_chaos(still.account, Chaos(down=True))
    (outcome,) = await send(simulator, part("1"))
    texted = await simulator.text(still.account, ANN, ALONE, "STOP")
    await carried(still, simulator)
    assert (OutcomeKind.RELEASED, Fate.ON_ITS_WAY, []) == (outcome.kind, texted.fate, ear.heard)
    await simulator.set_chaos(still.account, CALM)
    await carried(still, simulator)
    assert ["STOP"] == [h.body for h in ear.heard]


async def test_a_throttling_carrier_defers_what_is_too_much_in_one_second(
    still: Still, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [10.1]
    monkeypatch.setattr(type(still.clock), "monotonic", lambda self: seconds[0])
    await simulator.set_chaos(still.account, Chaos(per_second=2))
    outcomes = await send(simulator, *(part(str(n)) for n in range(4)))
    assert [OutcomeKind.ACCEPTED] * 2 + [OutcomeKind.DEFERRED] * 2 == [o.kind for o in outcomes]
    assert {Cause.THROTTLED} == {o.cause for o in outcomes[2:]}
    seconds[0] = 11.0
    assert [OutcomeKind.ACCEPTED] == [o.kind for o in await send(simulator, part("3"))]


async def test_a_silent_carrier_hands_over_and_gives_its_answers_late(still: Still, simulator: Simulator, ear: Ear) -> None:
    await simulator.set_chaos(still.account, Chaos(silent=True))
    outcomes: list[Outcome] = []
    await simulator.send([part("1")], outcomes.append)
    await settled(simulator)
    assert [OutcomeKind.UNKNOWN] == [o.kind for o in outcomes]
    assert ([("in", "message", "Hello")], []) == (await conversation(still, simulator), ear.reports)
    await simulator.set_chaos(still.account, CALM)
    await settled(simulator)
    assert [(OutcomeKind.ACCEPTED, "sim-1")] == [(o.kind, o.reference) for o in outcomes[1:]]
    assert [("sim-1", Status.DELIVERED)] == [(r.reference, r.status) for r in ear.reports]


async def test_lost_reports_are_lost_and_the_texts_are_not(still: Still, simulator: Simulator, ear: Ear) -> None:
    await simulator.set_chaos(still.account, Chaos(lost_reports=1))
    await send(simulator, part("1"))
    await settled(simulator)
    assert ([("in", "message", "Hello")], []) == (await conversation(still, simulator), ear.reports)


SHUFFLED = [
    pytest.param("x" * 160, ALONE, [1], id="one segment"),
    pytest.param("x" * 161, ALONE, [2, 1], id="two segments"),
    pytest.param("я" * 140, ALONE, [3, 2, 1], id="three in UCS-2"),
    pytest.param("x" * 500, "whatsapp:+14155550190", [1], id="no segments on WhatsApp"),
]


@pytest.mark.parametrize(("body", "to", "parts"), SHUFFLED)
async def test_the_parts_of_a_long_text_come_the_last_one_first(
    still: Still, simulator: Simulator, ear: Ear, body: str, to: str, parts: list[int]
) -> None:
    await simulator.set_chaos(still.account, Chaos(shuffled=True))
    await simulator.text(still.account, ANN, to, body)
    assert parts == [h.part for h in ear.heard]
    assert body == "".join(h.body for h in reversed(ear.heard))


async def test_a_share_is_met_by_chance(still: Still) -> None:
    class Dice:
        def __init__(self) -> None:
            self.throws = iter([0.0, 0.49, 0.5, 0.99])

        def jitter(self) -> float:
            return next(self.throws)

    air = Air(still.world.clock, Dice())  # type: ignore[arg-type]  # it needs chance only
    assert [False, True, True, False, True] == [air.hits(0), air.hits(0.5), air.hits(0.5), air.hits(0.5), air.hits(1)]
