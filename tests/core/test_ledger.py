"""The chain of the ledger: whatever is changed, taken out, put in or cut off is found, and where."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.core.address import ChannelGroup
from stopwire.core.consent import Act, ConsentEvent, Reason, SealedEvent
from stopwire.core.ledger import GENESIS, digest, seal, seal_each, verify
from tests.core.samples import MG, NOW, PERSON

KEY = "k" * 64


def event(n: int) -> ConsentEvent:
    return ConsentEvent(
        id=f"CE{n}",
        holder=MG,
        group=ChannelGroup.TEXT,
        recipient=PERSON,
        act=Act.OPT_OUT if n % 2 else Act.OPT_IN,
        reason=Reason.KEYWORD,
        actor="recipient",
        occurred_at=NOW + timedelta(seconds=n),
        recorded_at=NOW + timedelta(seconds=n),
        message=f"SM{n}",
        text="STOP",
        word="STOP",
        rule=None,
        language="en",
        country="US",
        policy_version=3,
        previous="SM0",
        reference="r1",
        source=None,
        note="a note",
    )


def chain(count: int) -> list[SealedEvent]:
    rows: list[SealedEvent] = []
    for n in range(1, count + 1):
        rows.append(seal(event(n), seq=n, previous_hash=rows[-1].hash if rows else GENESIS, key=KEY))
    return rows


def head(rows: list[SealedEvent]) -> tuple[int, str]:
    return len(rows), rows[-1].hash


def test_an_untouched_chain_verifies() -> None:
    rows = chain(5)
    verdict = verify(rows, expected_head=head(rows))
    assert (True, 5, rows[-1].hash, None) == (verdict.ok, verdict.events, verdict.head, verdict.first_fault)


def test_an_empty_ledger_verifies() -> None:
    verdict = verify([], expected_head=(0, GENESIS))
    assert (True, 0, GENESIS) == (verdict.ok, verdict.events, verdict.head)


CHANGES = {
    "id": "CE9",
    "holder": "PN1",
    "group": ChannelGroup.WHATSAPP,
    "act": Act.HELP,
    "reason": Reason.API,
    "actor": "AC1",
    "occurred_at": NOW,
    "recorded_at": NOW,
    "message": None,
    "word": "END",
    "rule": "r",
    "language": "es",
    "country": "MX",
    "policy_version": 4,
    "previous": None,
    "reference": None,
    "source": "website",
}


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_a_changed_fact_is_found(name: str) -> None:
    rows = chain(5)
    rows[2] = replace(rows[2], event=replace(rows[2].event, **{name: CHANGES[name]}))
    verdict = verify(rows, expected_head=head(rows))
    assert not verdict.ok
    assert "(row 3): its facts were changed after it was written" in (verdict.first_fault or "")


@pytest.mark.parametrize("name", ["recipient_digest", "text_digest"])
def test_a_changed_digest_is_found(name: str) -> None:
    rows = chain(3)
    rows[1] = replace(rows[1], **{name: digest(KEY, "+14155550199")})  # type: ignore[arg-type]  # both are texts
    assert "(row 2)" in (verify(rows, expected_head=head(rows)).first_fault or "")


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        pytest.param(lambda rows: rows[:2] + rows[3:], "row 3 was expected here: a row is missing", id="a row taken out"),
        pytest.param(lambda rows: rows[1:], "row 1 was expected here: a row is missing", id="the first taken out"),
        pytest.param(lambda rows: rows[:-1], "rows are missing at its end", id="the end cut off"),
        pytest.param(lambda rows: [], "rows are missing at its end", id="all of it gone"),
        pytest.param(lambda rows: [rows[1], rows[0], *rows[2:]], "row 1 was expected here", id="two swapped"),
        pytest.param(lambda rows: [*rows[:2], rows[1], *rows[2:]], "row 3 was expected here", id="one twice"),
        pytest.param(
            lambda rows: [*rows[:2], replace(rows[2], previous_hash=rows[0].hash), *rows[3:]],
            "does not follow the row before it",
            id="hung elsewhere",
        ),
    ],
)
def test_a_changed_order_is_found(tamper: Callable[[list[SealedEvent]], list[SealedEvent]], fault: str) -> None:
    rows = chain(5)
    verdict = verify(tamper(rows), expected_head=head(rows))
    assert not verdict.ok
    assert fault in (verdict.first_fault or "")


def test_a_chain_written_anew_ends_elsewhere() -> None:
    rows = chain(3)
    forged = [seal(replace(event(1), actor="nobody"), seq=1, previous_hash=GENESIS, key=KEY)]
    for n in (2, 3):
        forged.append(seal(event(n), seq=n, previous_hash=forged[-1].hash, key=KEY))
    assert verify(forged).ok
    assert not verify(forged, expected_head=head(rows)).ok


def test_the_readable_half_can_be_erased() -> None:
    rows = chain(3)
    erased = [replace(row, event=replace(row.event, recipient="", text=None, note=None)) for row in rows]
    assert verify(erased, expected_head=head(rows)).ok


def test_without_the_key_a_number_cannot_be_guessed() -> None:
    assert digest(KEY, PERSON) != digest("another key", PERSON)
    assert seal(event(1), seq=1, previous_hash=GENESIS, key=KEY).hash != seal(
        event(1), seq=1, previous_hash=GENESIS, key="another key"
    ).hash


@given(text=st.text(alphabet=st.characters(exclude_categories=())), word=st.text(max_size=10))
def test_any_text_can_be_sealed(text: str, word: str) -> None:
    sealed = seal(replace(event(1), text=text, word=word), seq=1, previous_hash=GENESIS, key=KEY)
    assert verify([sealed]).ok


@given(st.text(), st.none() | st.text(), st.none() | st.integers(0))
def test_the_bytes_that_are_sealed_are_a_json_list_and_never_change(actor: str, word: str | None, version: int | None) -> None:
    made = replace(event(1), actor=actor, word=word, policy_version=version)
    millis = round(made.occurred_at.timestamp() * 1000)
    own = [made.id, made.holder, "text", digest(KEY, PERSON), "opt_out", "keyword", actor, millis, millis, made.message]
    rest = [digest(KEY, "STOP\0a note"), word, None, "en", "US", version, "SM0", "r1", None]
    expected = hashlib.sha256(json.dumps([GENESIS, 1, *own, *rest], separators=(",", ":")).encode()).hexdigest()
    assert expected == seal(made, seq=1, previous_hash=GENESIS, key=KEY).hash


def test_many_are_sealed_as_one_after_the_other() -> None:
    assert chain(5)[2:] == seal_each([event(n) for n in (3, 4, 5)], seq=3, previous_hash=chain(2)[-1].hash, key=KEY)
