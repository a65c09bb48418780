"""How a status moves: forward only, and to the same end whatever the order of receipts."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.core.message import FINAL, REPORTED, SETTLED, TRANSITIONS, Direction, Message, Status, advance, retained
from tests.core.samples import AC, NOW, PERSON

RECEIPTS = [Status.SENT, Status.DELIVERED, Status.UNDELIVERED, Status.READ]


def walked(start: Status, wishes: list[Status]) -> Status:
    for wish in wishes:
        start = advance(start, wish)
    return start


@given(receipts=st.lists(st.sampled_from(RECEIPTS), min_size=1, max_size=5))
def test_whatever_the_order_of_receipts_the_status_is_the_same(receipts: list[Status]) -> None:
    ends = {walked(Status.SENT, list(order)) for order in permutations(receipts)}
    assert 1 == len(ends)


@given(receipts=st.lists(st.sampled_from(RECEIPTS), min_size=1, max_size=4), place=st.integers(0, 4))
def test_a_receipt_may_overtake_the_carriers_answer(receipts: list[Status], place: int) -> None:
    answered_late = [*receipts[:place], Status.SENT, *receipts[place:]]
    assert walked(Status.SENDING, [Status.SENT, *receipts]) == walked(Status.SENDING, answered_late)


@given(wishes=st.lists(st.sampled_from(list(Status)), max_size=12), start=st.sampled_from(list(Status)))
def test_a_status_never_comes_back_but_from_sending_to_the_queue(wishes: list[Status], start: Status) -> None:
    left: set[Status] = set()
    for wish in wishes:
        after = advance(start, wish)
        if after is not start:
            left.add(start)
            assert after not in left - {Status.QUEUED, Status.SENDING}
        start = after


@pytest.mark.parametrize(
    ("now", "wish", "expected"),
    [
        pytest.param(Status.DELIVERED, Status.SENT, Status.DELIVERED, id="a late answer"),
        pytest.param(Status.DELIVERED, Status.UNDELIVERED, Status.DELIVERED, id="a late complaint"),
        pytest.param(Status.UNDELIVERED, Status.DELIVERED, Status.DELIVERED, id="a phone that was away"),
        pytest.param(Status.FAILED, Status.DELIVERED, Status.FAILED, id="what failed has failed"),
        pytest.param(Status.CANCELED, Status.QUEUED, Status.CANCELED, id="what was taken back stays so"),
        pytest.param(Status.SCHEDULED, Status.CANCELED, Status.CANCELED, id="taken back in time"),
        pytest.param(Status.QUEUED, Status.CANCELED, Status.QUEUED, id="taken back too late"),
        pytest.param(Status.SENDING, Status.QUEUED, Status.QUEUED, id="deferred by the carrier"),
        pytest.param(Status.ACCEPTED, Status.FAILED, Status.FAILED, id="a STOP before a sender was chosen"),
    ],
)
def test_a_status_moves_as_the_table_has_it(now: Status, wish: Status, expected: Status) -> None:
    assert expected == advance(now, wish)


def test_every_status_has_its_row() -> None:
    assert set(Status) == set(TRANSITIONS)
    assert all(status not in TRANSITIONS[status] for status in Status)
    assert all(TRANSITIONS[status] <= {Status.DELIVERED, Status.READ} for status in FINAL)
    assert FINAL < SETTLED
    assert not {Status.ACCEPTED, Status.SCHEDULED, Status.SENDING, Status.RECEIVED} & REPORTED


MESSAGE = Message(
    sid="SM1",
    account=AC,
    direction=Direction.API,
    sender="+14155550100",
    recipient=PERSON,
    body="secret",
    status=Status.DELIVERED,
    created_at=NOW,
    updated_at=NOW,
)
BOTH = {"ContentRetention": "discard", "AddressRetention": "obfuscate"}


@pytest.mark.parametrize(
    ("status", "options", "body", "recipient"),
    [
        pytest.param(Status.DELIVERED, {}, "secret", PERSON, id="nothing asked"),
        pytest.param(Status.DELIVERED, {"ContentRetention": "discard"}, "", PERSON, id="the text"),
        pytest.param(Status.FAILED, {"AddressRetention": "obfuscate"}, "secret", "+1415555XXXX", id="the address"),
        pytest.param(Status.UNDELIVERED, BOTH, "", "+1415555XXXX", id="both"),
        pytest.param(Status.SENT, BOTH, "secret", PERSON, id="not final yet"),
        pytest.param(Status.READ, {"ContentRetention": "retain", "AddressRetention": "retain"}, "secret", PERSON, id="to be kept"),
    ],
)
def test_what_may_not_be_kept_goes_at_the_end(status: Status, options: dict[str, str], body: str, recipient: str) -> None:
    kept = retained(replace(MESSAGE, status=status, options=options))
    assert (body, recipient) == (kept.body, kept.recipient)
    assert kept is retained(kept)
