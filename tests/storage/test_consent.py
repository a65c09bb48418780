import sqlite3
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stopwire.core.address import ChannelGroup
from stopwire.core.consent import Act, ConsentEvent, Reason, block_of, fold
from stopwire.ports.store import Cut
from stopwire.storage.store import SqlTx
from tests.storage.values import ANN, BOB, A, B, event, later, sid

TEXT, WHATSAPP = ChannelGroup.TEXT, ChannelGroup.WHATSAPP
MG = sid("MG", A)


def ids(found: Sequence[object]) -> list[int]:
    return [int(each.id[-4:]) for each in found]  # type: ignore[attr-defined]


def test_an_opt_out_makes_a_block_and_an_opt_in_lifts_it(tx: SqlTx) -> None:
    tx.consent.append([event()])
    block = block_of(event(), id="BL" + event().id[2:])
    assert [block] == tx.consent.blocks_of(TEXT, ANN)
    assert {ANN: [block], BOB: []} == tx.consent.blocks_of_many([ANN, BOB])
    assert block == tx.consent.block(MG, TEXT, ANN)
    assert tx.consent.block("PN1", TEXT, ANN) is None
    tx.consent.append([event(number=1, act=Act.OPT_IN)])
    assert [] == tx.consent.blocks_of(TEXT, ANN)


def test_a_second_block_in_a_scope_leaves_the_first(tx: SqlTx) -> None:
    tx.consent.append([event(), event(number=1, act=Act.BLOCK, reason=Reason.OPERATOR), event(number=2, holder="PN1")])
    assert [(MG, event().id), ("PN1", sid("CE", A, 2))] == [(b.holder, b.event) for b in tx.consent.blocks_of(TEXT, ANN)]


def test_an_event_comes_back_with_all_it_knew(tx: SqlTx) -> None:
    told = event(
        message=sid("SM", A),
        rule="courtesy",
        language="es",
        policy_version=3,
        previous=sid("SM", A, 1),
        reference="r1",
        source="website",
        note="by phone",
        occurred_at=later(-1),
    )
    tx.consent.append([told])
    found = tx.consent.event(told.id)
    assert found is not None
    assert (1, told) == (found.seq, found.event)
    assert [found] == tx.consent.events(Cut(), message=sid("SM", A))


def test_events_are_found_by_recipient_newest_first(tx: SqlTx) -> None:
    tx.consent.append([event(number=n, recipient=(ANN, BOB)[n % 2], act=Act.REPEAT, reason=None) for n in range(6)])
    assert [5, 4, 3] == ids([e.event for e in tx.consent.events(Cut(limit=3))])
    assert [4, 2, 0] == ids([e.event for e in tx.consent.events(Cut(), recipient=ANN)])
    assert [0] == ids([e.event for e in tx.consent.events(Cut(after=sid("CE", A, 2)), recipient=ANN)])
    assert [4] == ids([e.event for e in tx.consent.events(Cut(before=sid("CE", A, 2)), recipient=ANN)])


def test_the_newest_event_of_a_kind_is_found_in_its_scope(tx: SqlTx) -> None:
    tx.consent.append([event(), event(number=1, act=Act.OPT_IN), event(number=2, act=Act.HELP), event(number=3, holder="PN1")])
    found = tx.consent.newest(MG, TEXT, ANN, [Act.OPT_OUT, Act.OPT_IN])
    assert found is not None
    assert sid("CE", A, 1) == found.event.id
    assert tx.consent.newest(MG, WHATSAPP, ANN, [Act.OPT_OUT]) is None


def test_a_person_who_was_erased_stays_in_the_ledger_and_blocked(tx: SqlTx) -> None:
    tx.consent.append([event()])
    tx.unit.raw.execute("DELETE FROM consent_people")
    found = tx.consent.events(Cut(), recipient=ANN)
    assert [("", None)] == [(e.event.recipient, e.event.text) for e in found]
    assert tx.consent.block(MG, TEXT, ANN) is not None
    assert tx.consent.verify().ok


def test_the_block_list_is_read_in_pieces_though_blocks_are_lifted_meanwhile(tx: SqlTx) -> None:
    tx.consent.append([event(number=n, recipient=f"+1415555{n:04d}", occurred_at=later(n)) for n in range(6)])
    first = tx.consent.blocks(Cut(limit=2))
    assert [0, 1] == ids(first)
    tx.consent.append([event(number=9, recipient=first[1].recipient, act=Act.LIFT)])
    assert [2, 3] == ids(tx.consent.blocks(Cut(limit=2, after=first[1].id)))
    assert [3, 4] == ids(tx.consent.blocks(Cut(limit=2, before=sid("BL", A, 5))))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({"recipient": ANN}, [0, 2], id="recipient"),
        pytest.param({"holder": "PN1"}, [2], id="holder"),
        pytest.param({"reason": "api"}, [1], id="reason"),
        pytest.param({"since": later(1)}, [1, 2], id="since"),
        pytest.param({"recipient": BOB, "holder": "PN1"}, [], id="both"),
    ],
)
def test_the_block_list_is_narrowed(tx: SqlTx, asked: dict[str, object], expected: list[int]) -> None:
    tx.consent.append(
        [
            event(),
            event(number=1, recipient=BOB, reason=Reason.API, occurred_at=later(1)),
            event(number=2, holder="PN1", occurred_at=later(2)),
        ]
    )
    assert expected == ids(tx.consent.blocks(Cut(), **asked))  # type: ignore[arg-type]


@pytest.mark.parametrize("statement", ["UPDATE consent_events SET act = 'opt_in'", "DELETE FROM consent_events"])
def test_the_database_itself_refuses_to_change_the_past(tx: SqlTx, statement: str) -> None:
    tx.consent.append([event()])
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        tx.unit.raw.execute(statement)


def test_a_ledger_of_an_unknown_account_is_an_error(tx: SqlTx) -> None:
    with pytest.raises(LookupError, match="no account"):
        tx.of("ACzzz").consent.append([event()])


def test_each_account_has_a_chain_of_its_own(tx: SqlTx) -> None:
    tx.consent.append([event(), event(number=1, recipient=BOB)])
    tx.of(B).consent.append([event(B)])
    assert (2, 1) == (tx.consent.verify().events, tx.of(B).consent.verify().events)
    assert tx.of(B).consent.verify().ok


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        pytest.param("UPDATE consent_events SET act = 'help' WHERE seq = 2", "facts were changed", id="a changed fact"),
        pytest.param("DELETE FROM consent_events WHERE seq = 2", "a row is missing", id="a missing row"),
        pytest.param("DELETE FROM consent_events WHERE seq = 3", "rows are missing at its end", id="a cut tail"),
        pytest.param("UPDATE consent_people SET recipient = '+1' WHERE seq = 1", "readable half", id="a changed number"),
        pytest.param("UPDATE consent_people SET text = 'start' WHERE seq = 1", "readable half", id="a changed text"),
        pytest.param("DELETE FROM blocks WHERE seq = 3", "not in the block list", id="a lost block"),
        pytest.param("UPDATE blocks SET holder = 'PN9'", "no event of the ledger makes it", id="a block of nobody's making"),
        pytest.param("UPDATE blocks SET event = 'CE9'", "made by event", id="a block of another event"),
    ],
)
def test_a_verification_names_the_first_fault(tx: SqlTx, damage: str, expected: str) -> None:
    tx.consent.append([event(), event(number=1, act=Act.REPEAT, reason=None), event(number=2, recipient=BOB)])
    assert (True, 3, None) == (tx.consent.verify().ok, tx.consent.verify().events, tx.consent.verify().first_fault)
    for verb in ("update", "delete"):
        tx.unit.raw.execute(f"DROP TRIGGER consent_events_no_{verb}")
    tx.unit.raw.execute(damage)
    verdict = tx.consent.verify()
    assert not verdict.ok
    assert expected in str(verdict.first_fault)


ACTS = st.lists(st.tuples(st.sampled_from([ANN, BOB, f"whatsapp:{ANN}"]), st.sampled_from([MG, "PN1"]), st.sampled_from(Act)), max_size=25)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(acts=ACTS, cut=st.integers(1, 25))
def test_the_block_list_is_the_fold_of_the_ledger(tx: SqlTx, acts: list[tuple[str, str, Act]], cut: int) -> None:
    events = [told(number, *act) for number, act in enumerate(acts)]
    tx.unit.raw.execute("SAVEPOINT example")
    for start in range(0, len(events), cut):  # in units of any size
        tx.consent.append(events[start : start + cut])
    expected = fold((e.holder, e.group, e.recipient, e.act, e.id) for e in events)
    assert expected == {(b.holder, b.group, b.recipient): b.event for b in tx.consent.blocks(Cut(limit=100))}
    assert tx.consent.verify().ok
    tx.unit.raw.execute("ROLLBACK TO example")


def told(number: int, recipient: str, holder: str, act: Act) -> ConsentEvent:
    group = WHATSAPP if recipient.startswith("whatsapp:") else TEXT
    return replace(event(number=number), recipient=recipient, holder=holder, act=act, group=group)
