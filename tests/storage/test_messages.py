from dataclasses import replace

import pytest

from stopwire.core.message import Direction, Media, Message, Purpose, Status
from stopwire.ports.store import Cut, Feedback, Kept, MessageFilter
from stopwire.storage.store import SqlTx
from tests.storage.values import ANN, BOB, NOW, A, later, message, refusal, sender, sid

OURS = sender().address
ALL = MessageFilter()


def sids(found: list[Message]) -> list[str]:
    return [each.sid for each in found]


def numbers(found: list[Message]) -> list[int]:
    return [int(each.sid[-4:]) for each in found]


def test_every_field_of_a_message_is_kept(tx: SqlTx) -> None:
    told = message(
        direction=Direction.REPLY,
        sender=None,
        service=sid("MG", A),
        body="caf\u00e9 \U0001f600 \x00",
        status=Status.SCHEDULED,
        segments=2,
        media=1,
        error_code=30003,
        status_callback="https://example.com",
        callback_method="GET",
        send_at=later(60),
        expires_at=later(90),
        sent_at=later(1),
        options={"Tags": {"campaign": "x"}},
        decision={"row": 1},
    )
    tx.messages.add([told])
    assert told == tx.messages.get(told.sid)
    changed = replace(told, status=Status.CANCELED, body="", sender=OURS)
    tx.messages.save(changed)
    assert changed == tx.messages.get(told.sid)


def test_a_keyword_reply_is_no_message_resource(tx: SqlTx) -> None:
    reply = message(purpose=Purpose.KEYWORD_REPLY)
    tx.messages.add([reply])
    assert tx.messages.get(reply.sid) is None
    assert reply == tx.messages.get(reply.sid, any_purpose=True)
    assert [reply] == tx.messages.many([reply.sid])
    assert [] == tx.messages.page(ALL, Cut())
    assert tx.messages.last_outbound(ANN) is None


def test_many_come_in_the_order_asked_without_those_that_are_not_there(tx: SqlTx) -> None:
    tx.messages.add([message(number=number) for number in range(3)])
    asked = [sid("SM", A, 2), sid("SM", A, 9), sid("SM", A, 0)]
    assert [asked[0], asked[2]] == sids(tx.messages.many(asked))


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        pytest.param(Cut(limit=3), [9, 8, 7], id="the newest first"),
        pytest.param(Cut(limit=3, offset=8), [1, 0], id="from an offset"),
        pytest.param(Cut(limit=3, after=sid("SM", A, 7)), [6, 5, 4], id="after an item"),
        pytest.param(Cut(limit=3, before=sid("SM", A, 4)), [7, 6, 5], id="right before an item, newest first still"),
        pytest.param(Cut(limit=3, before=sid("SM", A, 8)), [9], id="before the second"),
        pytest.param(Cut(limit=3, after=sid("SM", A, 0)), [], id="after the last"),
        pytest.param(Cut(limit=3, after=sid("SM", A, 77)), [], id="after an item that is not there"),
        pytest.param(Cut(limit=3, after=sid("SM", A, 77), offset=3), [6, 5, 4], id="the offset serves instead"),
    ],
)
@pytest.mark.parametrize("wanted", [ALL, MessageFilter(to=ANN)], ids=["all", "to a person"])
def test_a_page_is_a_piece_of_the_list(tx: SqlTx, wanted: MessageFilter, cut: Cut, expected: list[int]) -> None:
    if wanted is not ALL and cut.after == sid("SM", A, 77):
        expected = []  # a merged list has no offset to fall back on
    tx.messages.add([message(number=number) for number in range(10)])
    assert expected == numbers(tx.messages.page(wanted, cut))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param(MessageFilter(to=ANN), [0], id="to the person: outbound"),
        pytest.param(MessageFilter(to=OURS), [2, 1], id="to us: inbound"),
        pytest.param(MessageFilter(from_=ANN), [1], id="from the person: inbound"),
        pytest.param(MessageFilter(from_=OURS), [3, 0], id="from us: outbound"),
        pytest.param(MessageFilter(to=OURS, from_=BOB), [2], id="both ends"),
        pytest.param(MessageFilter(recipient=BOB), [3, 2], id="the person, in both directions"),
        pytest.param(MessageFilter(sender=OURS), [3, 2, 1, 0], id="ours, in both directions"),
        pytest.param(MessageFilter(status="received"), [2, 1], id="a status"),
        pytest.param(MessageFilter(service="MG1"), [3], id="a messaging service"),
        pytest.param(MessageFilter(since=later(10)), [2, 0], id="since: sent, or created where not sent"),
        pytest.param(MessageFilter(until=later(9)), [3, 1], id="until"),
        pytest.param(MessageFilter(since=later(10), until=later(10)), [2], id="both inclusive"),
    ],
)
def test_filters_speak_the_words_of_the_wire(tx: SqlTx, wanted: MessageFilter, expected: list[int]) -> None:
    inbound = {"direction": Direction.INBOUND, "status": Status.RECEIVED}
    tx.messages.add(
        [
            message(number=0, sent_at=later(20)),
            message(number=1, **inbound),
            message(number=2, **inbound, recipient=BOB, created_at=later(10)),
            message(number=3, recipient=BOB, service="MG1"),
        ]
    )
    assert expected == numbers(tx.messages.page(wanted, Cut()))


def test_both_directions_are_merged_newest_first(tx: SqlTx) -> None:
    note_to_self = {"sender": OURS, "recipient": OURS}
    kinds = (Direction.INBOUND, Direction.API)
    tx.messages.add([message(number=n, direction=kinds[n % 2], **note_to_self) for n in range(6)])
    assert [5, 4, 3] == numbers(tx.messages.page(MessageFilter(to=OURS), Cut(limit=3)))
    assert [3, 2] == numbers(tx.messages.page(MessageFilter(to=OURS), Cut(limit=2, offset=2)))
    assert [4, 3] == numbers(tx.messages.page(MessageFilter(to=OURS), Cut(limit=2, before=sid("SM", A, 2))))


def test_a_move_sets_status_and_code_and_the_time_sent_once(tx: SqlTx) -> None:
    tx.messages.add([message(number=0), message(number=1)])
    both = [sid("SM", A, 0), sid("SM", A, 1)]
    tx.messages.move(both, Status.SENT, now=later(1), sent=True)
    tx.messages.move(both[:1], Status.UNDELIVERED, now=later(2), error_code=30003)
    expected = [
        message(number=0, status=Status.UNDELIVERED, error_code=30003, sent_at=later(1), updated_at=later(2)),
        message(number=1, status=Status.SENT, sent_at=later(1), updated_at=later(1)),
    ]
    assert expected == tx.messages.many(both)


def test_a_service_chooses_who_speaks(tx: SqlTx) -> None:
    tx.messages.add([message(sender=None)])
    tx.messages.choose(message().sid, sender=OURS, segments=3, now=later(1))
    assert message(sender=OURS, segments=3, updated_at=later(1)) == tx.messages.get(message().sid)


def test_the_last_outbound_is_the_newest_that_went_to_the_person(tx: SqlTx) -> None:
    tx.messages.add(
        [
            message(number=0),
            message(number=1, direction=Direction.REPLY),
            message(number=2, direction=Direction.INBOUND),
            message(number=3, recipient=BOB),
        ]
    )
    assert message(number=1, direction=Direction.REPLY) == tx.messages.last_outbound(ANN)
    ours = message().sender or ""
    assert [NOW] == tx.messages.replies_since(ours, ANN, NOW)
    assert [] == tx.messages.replies_since(ours, ANN, later(1))
    assert [] == tx.messages.replies_since("+14155550999", ANN, NOW)


def test_inbound_since_are_the_newest_in_the_order_they_came(tx: SqlTx) -> None:
    of_service = {"service": "MG1", "direction": Direction.INBOUND}
    tx.messages.add([message(number=n, created_at=later(n), **of_service) for n in range(5)])
    assert [3, 4] == numbers(tx.messages.inbound_since("MG1", later(1), 2))


def test_scheduled_messages_are_counted_along_their_own_index(tx: SqlTx) -> None:
    tx.messages.add([message(number=n, status=Status.SCHEDULED) for n in range(3)] + [message(number=9)])
    assert 3 == tx.messages.scheduled()
    tx.messages.move([sid("SM", A, 0)], Status.CANCELED, now=NOW)
    assert 2 == tx.messages.scheduled()
    plan = "EXPLAIN QUERY PLAN SELECT count(*) FROM messages WHERE account = ? AND status = 'scheduled'"
    assert "ix_messages_scheduled" in str(tx.unit.raw.execute(plan, (A,)).fetchall())


def test_media_go_with_their_message(tx: SqlTx) -> None:
    media = [
        Media(sid=f"ME{n}", message=message().sid, content_type="image/png", url=f"https://example.com/{n}", created_at=NOW)
        for n in (2, 1)
    ]
    heard = Media(sid="ME3", message=message().sid, content_type="image/gif", bytes_=b"GIF\x00", created_at=NOW)
    tx.messages.add([message()])
    tx.messages.add_media([*media, heard])
    tx.messages.set_feedback(
        Feedback(message=message().sid, account=A, outcome="confirmed", created_at=NOW, updated_at=NOW)
    )
    assert [*media, heard] == tx.messages.media(message().sid)
    assert heard == tx.messages.medium(message().sid, "ME3")
    assert tx.messages.delete_medium(message().sid, "ME3")
    assert tx.messages.medium(message().sid, "ME3") is None
    tx.messages.delete(message().sid)
    assert tx.messages.get(message().sid) is None
    assert [] == tx.messages.media(message().sid)
    assert [] == tx.unit.raw.execute("SELECT * FROM feedback").fetchall()


def test_feedback_keeps_its_first_time_and_its_newest_outcome(tx: SqlTx) -> None:
    first = Feedback(message=message().sid, account=A, outcome="unconfirmed", created_at=NOW, updated_at=NOW)
    second = replace(first, outcome="confirmed", created_at=later(5), updated_at=later(5))
    assert first == tx.messages.set_feedback(first)
    assert replace(second, created_at=NOW) == tx.messages.set_feedback(second)


def test_refusals_are_listed_by_code_and_recipient(tx: SqlTx) -> None:
    told = [refusal(number=0), refusal(number=1, code=21211, because=None), refusal(number=2, recipient=BOB)]
    tx.messages.add_refusals(told)
    assert told[::-1] == tx.messages.refusals(Cut())
    assert [told[2], told[0]] == tx.messages.refusals(Cut(), code=21610)
    assert [told[2]] == tx.messages.refusals(Cut(), recipient=BOB)
    assert told[1] == tx.messages.refusal(told[1].id)


def test_an_answer_is_kept_under_its_key_for_a_time(tx: SqlTx) -> None:
    tx.messages.keep("key", "print", {"a": [1, None]}, NOW)
    assert Kept(fingerprint="print", answer={"a": [1, None]}) == tx.messages.kept("key", NOW)
    assert tx.messages.kept("key", later(1)) is None
    tx.messages.keep("key", "other", [], later(2))
    assert Kept(fingerprint="other", answer=[]) == tx.messages.kept("key", later(1))


def test_a_row_of_another_account_is_a_bug(tx: SqlTx) -> None:
    with pytest.raises(AssertionError, match="in a transaction of"):
        tx.messages.add([message("AC" + "b" * 32)])
