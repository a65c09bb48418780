"""One inbound text: what is a repeat, what is late, what is kept, and that all of it is one commit."""

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stopwire.core.outcomes import InboundMedia, Received
from stopwire.flows import numbers, own, receive
from stopwire.ports.store import Cut
from tests.flows.still import ALONE, SERVICE_MEMBER, Still, still_house

ANN, BOB = "+14155550101", "+14155550102"


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[Still]:
    async with still_house(tmp_path) as house:
        yield house


def heard(body: str, **more: Any) -> Received:
    return Received(**{"connection": "simulator", "sender": ALONE, "recipient": ANN, "body": body, **more})


async def take(still: Still, body: str, **more: Any) -> receive.Taken:
    return await receive.receive(still.world, heard=heard(body, **more))


async def suggestions(still: Still) -> list[Any]:
    return list(await still.ask(lambda tx: tx.suggestions.page(Cut())))


async def replies(still: Still) -> int:
    """Automatic replies that wait to be handed over."""
    return len([part for part in await still.claim() if part.keyword_reply])


# ── repeats ──────────────────────────────────────────────────────────────────────────────────────────


async def test_the_same_reference_names_one_message_for_48_hours(still: Still) -> None:
    first = await take(still, "STOP", reference="r1")
    again = await take(still, "STOP", reference="r1")
    assert (True, first.message) == (again.repeated, again.message)
    still.clock.moved = timedelta(hours=47, minutes=59)
    assert (await take(still, "STOP", reference="r1")).repeated
    assert ["opt_out"] == await still.acts(ANN)


async def test_a_reference_is_free_again_after_48_hours(still: Still) -> None:
    await take(still, "hello", reference="r1")
    still.clock.moved = timedelta(hours=48, seconds=1)
    assert not (await take(still, "other", reference="r1")).repeated
    assert 2 == len(await still.messages())


async def test_two_references_are_two_messages(still: Still) -> None:
    await take(still, "hello", reference="r1")
    await take(still, "hello", reference="r2")
    assert 2 == len(await still.messages())


async def test_without_a_reference_the_same_bytes_within_four_seconds_are_a_repeat(still: Still) -> None:
    await take(still, "hello")
    still.clock.moved = timedelta(seconds=3)
    assert (await take(still, "hello")).repeated
    still.clock.moved = timedelta(seconds=8)
    assert not (await take(still, "hello")).repeated


DIFFERENT = [
    pytest.param({"body": "Hello"}, id="other bytes"),
    pytest.param({"recipient": BOB}, id="another person"),
    pytest.param({"sender": SERVICE_MEMBER}, id="another sender"),
    pytest.param({"media": (InboundMedia(content_type="image/png", data=b"other"),)}, id="another picture"),
]


@pytest.mark.parametrize("other", DIFFERENT)
async def test_without_a_reference_anything_different_is_new(still: Still, other: dict[str, Any]) -> None:
    text = heard("hello", media=(InboundMedia(content_type="image/png", data=b"one"),))
    await receive.receive(still.world, heard=text)
    assert (await receive.receive(still.world, heard=text)).repeated
    assert not (await receive.receive(still.world, heard=replace(text, **other))).repeated


async def test_without_a_reference_the_same_words_after_others_are_new(still: Still) -> None:
    assert not (await take(still, "STOP")).repeated
    assert not (await take(still, "START")).repeated
    assert not (await take(still, "STOP")).repeated


async def test_without_a_reference_an_answer_to_what_we_sent_in_between_is_new(still: Still) -> None:
    await take(still, "yes please")
    await still.one(to=ANN, from_=ALONE)
    assert not (await take(still, "yes please")).repeated


async def test_a_repeated_stop_waits_like_the_first(still: Still) -> None:
    """A carrier that repeats a STOP is not told "taken" before what was under way has its answer."""
    await still.one(to=ANN, from_=ALONE)
    (part,) = await still.claim()
    first = await take(still, "STOP", reference="r1")
    assert (part.attempt,) == first.under_way


# ── order ────────────────────────────────────────────────────────────────────────────────────────────


async def stamped(still: Still, body: str, at: datetime | None) -> receive.Taken:
    return await take(still, body, reference=still.world.ids.uuid(), sent_at=at)


async def test_a_start_written_before_the_stop_is_noted_and_ignored(still: Still) -> None:
    before = still.world.clock.now() - timedelta(minutes=1)
    await stamped(still, "STOP", None)
    late = await stamped(still, "START", before)
    assert ["opt_out", "no_change"] == await still.acts(ANN)
    message = (await still.messages())[0]
    assert (late.message, "START") == (message.sid, message.body)
    assert 1 == await replies(still)


async def test_a_start_written_after_the_stop_lifts(still: Still) -> None:
    await stamped(still, "STOP", None)
    still.clock.moved = timedelta(seconds=5)
    await stamped(still, "START", still.world.clock.now())
    assert ["opt_out", "opt_in"] == await still.acts(ANN)


async def test_a_start_without_a_trustworthy_stamp_counts_when_it_comes(still: Still) -> None:
    await stamped(still, "STOP", None)
    await stamped(still, "START", None)
    assert ["opt_out", "opt_in"] == await still.acts(ANN)


async def test_a_stop_blocks_however_late_it_comes(still: Still) -> None:
    before = still.world.clock.now() - timedelta(days=1)
    await stamped(still, "STOP", None)
    await stamped(still, "START", None)
    await stamped(still, "STOP", before)
    assert ["opt_out", "opt_in", "opt_out"] == await still.acts(ANN)


# ── what is kept ─────────────────────────────────────────────────────────────────────────────────────


async def test_the_ledger_says_what_was_texted_and_what_it_answers(still: Still) -> None:
    message = await still.one(to=ANN, from_=ALONE)
    taken = await take(still, "Stop!", reference="carrier-7")
    (sealed,) = await still.ask(lambda tx: tx.consent.events(Cut(), recipient=ANN))
    event = sealed.event
    assert ("Stop!", "stop", "recipient", "carrier-7") == (event.text, event.word.casefold(), event.actor, event.reference)
    assert (taken.message, message.sid, "US", "keyword") == (event.message, event.previous, event.country, event.reason)
    assert await still.ask(lambda tx: tx.consent.verify().ok)


async def test_the_message_says_what_was_decided(still: Still) -> None:
    taken = await take(still, "STOP")
    message = await still.ask(lambda tx: tx.messages.get(taken.message))
    expected = {"row": 1, "handling": "default", "keyword": "STOP", "effect": "block", "forward": True, "opt_out_type": None}
    assert expected == {name: message.decision[name] for name in expected}
    assert message.decision["reply"] is not None


async def test_pictures_are_kept_with_their_bytes(still: Still) -> None:
    taken = await take(still, "look", media=(InboundMedia(content_type="image/png", data=b"png"),))
    (medium,) = await still.ask(lambda tx: tx.messages.media(taken.message))
    assert ("image/png", b"png") == (medium.content_type, medium.bytes_)


async def test_what_the_application_drops_is_not_kept_but_looked_at(still: Still) -> None:
    def drop(tx: Any) -> None:
        tx.services.save_service(replace(tx.services.directory().services[still.service], use_inbound_webhook_on_number=False))

    await still.change(drop)
    taken = await take(still, "please stop texting me", sender=SERVICE_MEMBER)
    assert taken.message is None
    assert [] == await still.messages()
    (suggestion,) = await suggestions(still)
    assert ("STOP", "please stop texting me", None) == (suggestion.proposes, suggestion.body, suggestion.message)


async def test_a_text_for_nobody_is_refused_and_nothing_is_kept(still: Still) -> None:
    with pytest.raises(receive.UnknownSender):
        await take(still, "STOP", sender="+14155559999")
    assert [] == await still.acts(ANN)


async def test_nothing_of_a_text_is_kept_when_its_commit_fails(still: Still, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journey reads or writes; where it breaks at its last step, the carrier brings the text again."""

    def breaks(*args: Any, **more: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(receive, "inbound_event", breaks)
        with pytest.raises(ZeroDivisionError):
            await take(still, "STOP", reference="r1")
    assert ([], [], ()) == (await still.acts(ANN), await still.messages(), await still.claim())
    assert not (await take(still, "STOP", reference="r1")).repeated
    assert ["opt_out"] == await still.acts(ANN)


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────


def part(number: int, total: int, body: str, **more: Any) -> Received:
    return heard(body, reference=f"p{number}", part_reference=7, part=number, parts=total, **more)


async def test_parts_wait_until_all_are_there(still: Still) -> None:
    first = await receive.receive(still.world, heard=part(2, 2, "OP"))
    assert (True, None) == (first.waiting_for_parts, first.message)
    await receive.receive(still.world, heard=part(1, 2, "ST"))
    assert ["opt_out"] == await still.acts(ANN)


async def test_a_part_that_comes_again_changes_nothing(still: Still) -> None:
    for _ in range(2):
        for number, body in ((1, "Hello "), (2, "Ann")):
            await receive.receive(still.world, heard=part(number, 2, body))
    assert ["Hello Ann"] == [m.body for m in await still.messages()]


async def test_parts_wait_for_a_day(still: Still) -> None:
    await receive.receive(still.world, heard=part(1, 2, "STOP"))
    still.clock.moved = timedelta(hours=23)
    assert 0 == await receive.close_parts(still.world)
    still.clock.moved = timedelta(hours=25)
    assert 1 == await receive.close_parts(still.world)
    assert ["opt_out"] == await still.acts(ANN)
    assert 0 == await receive.close_parts(still.world)


@pytest.mark.parametrize(
    ("number", "body"),
    [
        pytest.param(2, "STOP", id="a later part that reads STOP"),
        pytest.param(1, "START", id="a START"),
        pytest.param(1, "HELP", id="a HELP"),
        pytest.param(1, "STOP it", id="a STOP in a sentence"),
    ],
)
async def test_of_a_text_that_is_never_whole_only_a_first_part_that_is_a_stop_counts(
    still: Still, number: int, body: str
) -> None:
    await receive.receive(still.world, heard=part(number, 2, body))
    await receive.close_parts(still.world, window=timedelta(seconds=-1))
    assert [] == await still.acts(ANN)
    assert [body] == [m.body for m in await still.messages()]


# ── many at once ─────────────────────────────────────────────────────────────────────────────────────

WORDS = ("STOP", "START", "HELP", "stop please", "hello", "wrong number")


def crowd(seed: int, *, first: int) -> list[Received]:
    """Texts of three people that begin with the number `first`, over two links: repeats, parts, one for nobody."""
    chance = random.Random(seed)
    texts = []
    for n in range(chance.randint(2, 14)):
        person = f"+1415555{first + chance.randrange(3):04}"
        text = heard(chance.choice(WORDS), recipient=person, sender=chance.choice((ALONE, ALONE, SERVICE_MEMBER)))
        kind = chance.randrange(8)
        if kind < 4:
            text = replace(text, reference=f"{seed}-{first}-{chance.choice((n, n, 0))}", connection=chance.choice(("simulator", "smsc")))
        elif kind == 4:
            text = replace(text, part_reference=1, part=chance.randint(1, 2), parts=2)
        elif kind == 5 and n == 3:
            text = replace(text, sender="+14155559999")
        texts.append(text)
    return texts


async def outcome(still: Still, texts: Sequence[Received], taken: Sequence[receive.Taken]) -> list[Any]:
    """What became of texts, without what names one message or another."""
    people = sorted({text.recipient for text in texts})
    return [
        [(bool(each.message), bool(each.account), each.repeated, each.waiting_for_parts, each.keyword) for each in taken],
        [await still.acts(person) for person in people],
        [[(m.body, m.decision["row"], bool(m.decision["reply"])) for m in await still.messages(from_=person)] for person in people],
        [sorted(s.body for s in await suggestions(still) if s.recipient == person) for person in people],
    ]


@pytest.mark.parametrize("seed", range(20))
async def test_texts_taken_together_do_what_they_do_one_by_one(still: Still, seed: int) -> None:
    together, alone = crowd(seed, first=1100), crowd(seed, first=1900)
    taken = await receive.keep(still.world, heard=together)
    one_by_one = [each for text in alone for each in await receive.keep(still.world, heard=[text])]
    assert await outcome(still, alone, one_by_one) == await outcome(still, together, taken)


async def test_a_stop_and_a_start_of_one_person_are_taken_in_their_order(still: Still) -> None:
    await receive.keep(still.world, heard=[heard("STOP", reference="1"), heard("START", reference="2"), heard("STOP", reference="3")])
    assert ["opt_out", "opt_in", "opt_out"] == await still.acts(ANN)


async def test_texts_of_two_accounts_come_to_their_own(still: Still) -> None:
    other = await own.create_account(still.world, name="Theirs")
    theirs = "+14155550177"
    await numbers.buy(still.world, account=other.sid, number=theirs)
    taken = await receive.keep(still.world, heard=[heard("STOP"), heard("STOP", sender=theirs), heard("hi", recipient=BOB)])
    assert [still.account, other.sid, still.account] == [each.account for each in taken]
    assert ["opt_out"] == await still.acts(ANN)
    assert {"STOP", "hi"} == {m.body for m in await still.messages()}


async def test_of_texts_taken_together_each_costs_few_statements(still: Still) -> None:
    """Ten ordinary texts: what was seen and who is blocked is asked once, and each kind of row is written at once."""
    texts = [heard(f"hello {n}", recipient=f"+1415555{n:04}") for n in range(1200, 1210)]
    desk = receive.desk_of(still.world)
    spoken: list[str] = []

    def unit(tx: Any) -> None:
        tx.unit.raw.set_trace_callback(spoken.append)
        receive.take(tx, heard=texts, owners=[still.account] * len(texts), desk=desk)
        tx.unit.raw.set_trace_callback(None)

    await still.change(unit)
    asked = [sql for sql in spoken if sql.startswith("SELECT")]
    assert 3 == len(asked), asked  # and whether the configuration is still the same
