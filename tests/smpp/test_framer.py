"""A stream is cut into the same PDUs however it arrives."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.smpp.fields import Status
from stopwire.smpp.pdu import PDU_OCTETS_MAX, EnquireLink, Framer, Pdu, PduError, Unbind, encode
from tests.smpp.values import pdus


@given(st.lists(pdus, max_size=6), st.data())
def test_any_chunking_gives_the_same_pdus(values: list[Pdu], data: st.DataObject) -> None:
    expected = [encode(value) for value in values]
    stream = b"".join(expected)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    framer = Framer()
    found = [
        frame for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True) for frame in framer.feed(stream[start:end])
    ]
    assert expected == found
    assert 0 == framer.waiting


@pytest.mark.parametrize("length", [0, 2, 15, PDU_OCTETS_MAX + 1, 2**32 - 1])
def test_a_length_that_cannot_be_is_refused_from_its_four_octets_alone(length: int) -> None:
    with pytest.raises(PduError) as caught:
        Framer().feed(struct.pack(">I", length))
    assert Status.ESME_RINVCMDLEN == caught.value.status
    assert f"A PDU says it has {length} octets; 16 to 65536 are allowed (SMPP 3.4 §5.1.1)." == caught.value.sentence


@pytest.mark.parametrize("length", [16, PDU_OCTETS_MAX])
def test_the_least_and_the_most_are_taken(length: int) -> None:
    data = struct.pack(">IIII", length, 0x15, 0, 1) + bytes(length - 16)
    assert [data] == Framer().feed(data)


def test_what_stands_before_a_broken_length_is_not_lost() -> None:
    framer, good = Framer(), encode(EnquireLink(sequence=1))
    assert [good] == framer.feed(good + bytes(4))
    with pytest.raises(PduError):
        framer.feed(b"")


def test_no_more_than_one_unfinished_pdu_is_held() -> None:
    framer, good = Framer(), encode(Unbind(sequence=1))
    assert [good] * 1000 == framer.feed(good * 1000 + good[:15])
    assert 15 == framer.waiting
