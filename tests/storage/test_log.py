import pytest
from sqlalchemy import select

from stopwire.core.message import Direction, Purpose, Status
from stopwire.ports.store import Cut, Entry, EntryFilter
from stopwire.storage import tables
from stopwire.storage.log import look, seq_at
from stopwire.storage.store import SqlTx
from tests.storage.values import ANN, BOB, later, message, refusal, sender

OURS = sender().address


def ids(found: list[Entry]) -> list[str]:
    return [each.id for each in found]


@pytest.fixture
def told(tx: SqlTx) -> list[str]:
    """Ids of a log, the newest first: messages at 1, 3, 5 …, refusals at 2, 4 …, and two of one instant."""
    messages = [message(number=number, recipient=ANN, sender=OURS, created_at=later(number)) for number in (1, 3, 5, 6)]
    refusals = [refusal(number=number, at=later(number)) for number in (2, 4, 6)]
    tx.messages.add(messages)
    tx.messages.add_refusals(refusals)
    whole = [(m.created_at, 0, m.sid) for m in messages] + [(r.at, 1, r.id) for r in refusals]
    return [id for *_, id in sorted(whole, reverse=True)]


def test_both_stand_in_one_order(tx: SqlTx, told: list[str]) -> None:
    assert told == ids(tx.messages.entries(EntryFilter(), Cut(limit=10)))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_it_is_read_in_pieces_without_a_gap(tx: SqlTx, told: list[str], size: int) -> None:
    read: list[str] = []
    while piece := tx.messages.entries(EntryFilter(), Cut(limit=size, after=read[-1] if read else None)):
        read += ids(piece)
    assert told == read


@pytest.mark.parametrize("size", [1, 2, 3])
def test_it_is_read_backwards_without_a_gap(tx: SqlTx, told: list[str], size: int) -> None:
    read = [told[-1]]
    while piece := tx.messages.entries(EntryFilter(), Cut(limit=size, before=read[0])):
        read = ids(piece) + read
    assert told == read


def test_an_unknown_place_is_followed_by_nothing(tx: SqlTx, told: list[str]) -> None:
    assert [] == tx.messages.entries(EntryFilter(), Cut(limit=10, after="SM" + "f" * 32))


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        pytest.param(EntryFilter(to=ANN), [1], id="to a person"),
        pytest.param(EntryFilter(from_=ANN), [2], id="from a person"),
        pytest.param(EntryFilter(to=OURS), [2], id="to us"),
        pytest.param(EntryFilter(person="*" + BOB[-4:]), [3], id="by last digits"),
        pytest.param(EntryFilter(person=ANN[:5] + "*", status="failed"), [1], id="by beginning, and status"),
        pytest.param(EntryFilter(code=30003), [1], id="by code"),
        pytest.param(EntryFilter(text="SALE"), [1], id="by text in any case"),
        pytest.param(EntryFilter(text="100%"), [], id="a sign is no pattern"),
        pytest.param(EntryFilter(keyword="STOP"), [2], id="by keyword"),
        pytest.param(EntryFilter(inbound=True), [2], id="in"),
        pytest.param(EntryFilter(inbound=False), [3, 1], id="out"),
        pytest.param(EntryFilter(error=True), [1], id="with an error"),
        pytest.param(EntryFilter(media=True), [3], id="with a picture"),
        pytest.param(EntryFilter(since=later(2)), [3, 2], id="since"),
        pytest.param(EntryFilter(until=later(1)), [1], id="until"),
        pytest.param(EntryFilter(status="refused"), [], id="refused"),
    ],
)
def test_it_is_narrowed(tx: SqlTx, wanted: EntryFilter, numbers: list[int]) -> None:
    tx.messages.add(
        [
            message(number=1, recipient=ANN, sender=OURS, body="a Sale", status=Status.FAILED, error_code=30003, created_at=later(1)),
            message(number=2, direction=Direction.INBOUND, sender=OURS, body="stop", created_at=later(2), decision={"keyword": "STOP"}),
            message(number=3, recipient=BOB, sender=OURS, media=1, created_at=later(3)),
            message(number=4, recipient=BOB, sender=OURS, purpose=Purpose.KEYWORD_REPLY, created_at=later(4)),
        ]
    )
    assert numbers == [int(each.id[-4:]) for each in tx.messages.entries(wanted, Cut(limit=10))]


def test_refusals_are_found_by_their_person_and_code(tx: SqlTx) -> None:
    tx.messages.add_refusals([refusal(number=1, recipient=ANN, code=21610), refusal(number=2, recipient=BOB, code=21211)])
    assert [1] == [int(each.id[-4:]) for each in tx.messages.entries(EntryFilter(to=ANN), Cut())]
    assert [2] == [int(each.id[-4:]) for each in tx.messages.entries(EntryFilter(code=21211), Cut())]
    assert [] == tx.messages.entries(EntryFilter(text="x"), Cut())


def test_between_two_automatic_replies_stand_too(tx: SqlTx) -> None:
    tx.messages.add(
        [
            message(number=1, recipient=ANN, sender=OURS, created_at=later(1)),
            message(number=2, recipient=ANN, sender=OURS, purpose=Purpose.KEYWORD_REPLY, created_at=later(2)),
            message(number=3, recipient=BOB, sender=OURS, created_at=later(3)),
        ]
    )
    assert [2, 1] == [int(each.id[-4:]) for each in tx.messages.between(OURS, ANN, Cut())]


@pytest.fixture
def years(tx: SqlTx) -> SqlTx:
    """A log in which every third entry is a refusal, some of one instant with a message, and every fifth text is a sale."""
    tx.messages.add(
        [
            message(number=n, recipient=(ANN, BOB)[n % 2], sender=OURS, body="a sale" if n % 5 == 0 else "hello", created_at=later(3600 * (n // 2)))
            for n in range(1, 31)
        ]
    )
    tx.messages.add_refusals([refusal(number=n, recipient=ANN, at=later(3600 * n)) for n in range(1, 16, 2)])
    return tx


WANTED = [
    pytest.param(EntryFilter(), id="all"),
    pytest.param(EntryFilter(text="sale"), id="a text"),
    pytest.param(EntryFilter(text="nowhere"), id="a text that is nowhere"),
    pytest.param(EntryFilter(person="*" + ANN[-4:]), id="last digits"),
    pytest.param(EntryFilter(to=ANN), id="a person"),
    pytest.param(EntryFilter(from_=OURS), id="a sender of ours"),
    pytest.param(EntryFilter(status="refused"), id="refused"),
    pytest.param(EntryFilter(since=later(3600 * 4), until=later(3600 * 11)), id="between two instants"),
    pytest.param(EntryFilter(text="sale", since=later(3600 * 4), until=later(3600 * 11)), id="a text between two instants"),
]


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("wanted", WANTED)
def test_look_by_look_the_same_is_found(years: SqlTx, wanted: EntryFilter, size: int, rows: int) -> None:
    found: list[Entry] = []
    after: str | None = None
    while True:
        seen = look(years.unit, years.account, wanted, Cut(limit=size, after=after), rows)
        found += seen.entries
        after = seen.seen_to or (seen.entries[-1].id if seen.entries else None)
        if seen.seen_to is None and len(seen.entries) < size:
            break
    assert ids(years.messages.entries(wanted, Cut(limit=100))) == ids(found)


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("wanted", WANTED)
def test_look_by_look_it_is_the_same_backwards(years: SqlTx, wanted: EntryFilter, size: int, rows: int) -> None:
    before = ids(years.messages.entries(EntryFilter(), Cut(limit=100)))[-1]
    expected = ids(years.messages.entries(wanted, Cut(limit=100, before=before)))
    found: list[str] = []
    while True:
        seen = look(years.unit, years.account, wanted, Cut(limit=size, before=before), rows)
        found = ids(list(seen.entries)) + found
        if seen.seen_to is None and len(seen.entries) < size:
            break
        before = seen.seen_to or seen.entries[0].id
    assert expected == found


def test_a_look_says_where_it_ended(years: SqlTx) -> None:
    seen = look(years.unit, years.account, EntryFilter(text="nowhere"), Cut(), rows=10)
    assert ((), later(3600 * 10)) == (seen.entries, seen.seen_at)


@pytest.mark.parametrize("hour", [-1, 0, 1, 7, 15, 99])
def test_an_instant_has_its_place_in_the_order(years: SqlTx, hour: int) -> None:
    whole = [each.message for each in years.messages.entries(EntryFilter(refusals=False), Cut(limit=100)) if each.message]
    expected = sum(each.created_at >= later(3600 * hour) for each in whole)
    seq = seq_at(years.unit, years.account, later(3600 * hour))
    assert expected == sum(row.seq >= seq for row in years.unit.connection.execute(select(tables.messages.c.seq)))
