"""Headers as handsets and attackers write them; messages cut and joined."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.smpp.fields import EsmClass, Tag
from stopwire.smpp.pdu import DeliverSm, Tlv, decode, encode
from stopwire.smpp.udh import (
    PARTS_MAX,
    ROOM,
    Concat,
    Element,
    Headed,
    Unit,
    behead,
    concat,
    header,
    join,
    part_of,
    sar_tlvs,
    split,
)

places = st.integers(1, PARTS_MAX).flatmap(
    lambda total: st.one_of(
        st.builds(Concat, reference=st.integers(0, 0xFF), width=st.just(8), total=st.just(total), part=st.integers(1, total)),
        st.builds(Concat, reference=st.integers(0, 0xFFFF), width=st.just(16), total=st.just(total), part=st.integers(1, total)),
    )
)


@pytest.mark.parametrize(
    ("octets", "place", "rest"),
    [
        pytest.param("050003 2A 02 01 48", Concat(reference=0x2A, width=8, total=2, part=1), b"H", id="8 bits"),
        pytest.param("060804 1234 03 03 48", Concat(reference=0x1234, width=16, total=3, part=3), b"H", id="16 bits"),
        pytest.param(
            "0B 0504 0B84 23F0 0003 07 02 02 48", Concat(reference=7, width=8, total=2, part=2), b"H", id="behind ports"
        ),
        pytest.param(
            "0A 0003 01 02 01 0003 02 02 02 48", Concat(reference=2, width=8, total=2, part=2), b"H", id="twice: the last holds"
        ),
        pytest.param("050003 2A 00 01 48", None, b"H", id="of no parts"),
        pytest.param("050003 2A 02 00 48", None, b"H", id="part 0"),
        pytest.param("050003 2A 02 03 48", None, b"H", id="part 3 of 2"),
        pytest.param("04 0002 2A 02 48", None, b"H", id="an element too short"),
        pytest.param("00 48", None, b"H", id="an empty header"),
        pytest.param("03 240101 48", None, b"H", id="a national language only"),
    ],
)
def test_a_header_is_taken_off_and_its_concatenation_read(octets: str, place: Concat | None, rest: bytes) -> None:
    headed = behead(bytes.fromhex(octets))
    assert (place, rest, False) == (concat(headed.elements), headed.octets, headed.malformed)


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        pytest.param("", Headed((), b"", malformed=True), id="a flag and no octet"),
        pytest.param("05", Headed((), b"\x05", malformed=True), id="a length and nothing else"),
        pytest.param("FF 53544F50", Headed((), b"\xffSTOP", malformed=True), id="longer than the message"),
        pytest.param("02 0009 53544F50", Headed((), b"STOP", malformed=True), id="an element longer than the header"),
        pytest.param("03 700000 53544F50", Headed((Element(0x70, b""),), b"STOP", malformed=True), id="an octet left over"),
    ],
)
def test_a_malformed_header_costs_no_octet_of_the_message(octets: str, expected: Headed) -> None:
    assert expected == behead(bytes.fromhex(octets))


@given(st.binary(max_size=140))
def test_any_octets_have_a_header_or_none(octets: bytes) -> None:
    headed = behead(octets)
    concat(headed.elements)
    assert octets.endswith(headed.octets)


@given(places, st.binary(max_size=50))
def test_a_header_that_we_write_is_read_back(place: Concat, octets: bytes) -> None:
    pdu = DeliverSm(esm_class=EsmClass.UDHI, short_message=header(place) + octets)
    found, headed = part_of(pdu)
    assert (place, octets, False) == (found, headed.octets, headed.malformed)


@given(places, st.binary(max_size=50))
def test_sar_tlvs_that_we_write_are_read_back(place: Concat, octets: bytes) -> None:
    read = decode(encode(DeliverSm(short_message=octets, tlvs=sar_tlvs(place))))
    assert isinstance(read, DeliverSm)
    found, headed = part_of(read)
    assert found is not None
    assert (place.reference, place.total, place.part, octets) == (found.reference, found.total, found.part, headed.octets)


def test_a_message_by_itself_is_no_part() -> None:
    assert (None, Headed((), b"STOP")) == part_of(DeliverSm(short_message=b"STOP"))
    assert (None, Headed((), b"STOP")) == part_of(DeliverSm(short_message=b"STOP", tlvs=(Tlv(Tag.SAR_TOTAL_SEGMENTS, b"\2"),)))


def test_the_flag_without_a_message_is_no_fault_of_ours() -> None:
    assert (None, Headed((), b"", malformed=True)) == part_of(DeliverSm(esm_class=EsmClass.UDHI))


@pytest.mark.parametrize(
    ("length", "unit", "width", "expected"),
    [
        pytest.param(0, Unit.SEPTETS, 8, [0], id="nothing"),
        pytest.param(160, Unit.SEPTETS, 8, [160], id="one full part of septets"),
        pytest.param(161, Unit.SEPTETS, 8, [153, 8], id="two"),
        pytest.param(306, Unit.SEPTETS, 8, [153, 153], id="two full ones"),
        pytest.param(307, Unit.SEPTETS, 8, [153, 153, 1], id="three"),
        pytest.param(161, Unit.SEPTETS, 16, [152, 9], id="a longer header leaves less"),
        pytest.param(140, Unit.UCS2, 8, [140], id="one full part of UTF-16"),
        pytest.param(142, Unit.UCS2, 8, [134, 8], id="two of UTF-16"),
        pytest.param(142, Unit.UCS2, 16, [132, 10], id="two of UTF-16 behind a longer header"),
        pytest.param(141, Unit.OCTETS, 16, [133, 8], id="octets"),
    ],
)
def test_a_message_is_cut_where_its_parts_are_full(length: int, unit: Unit, width: int, expected: list[int]) -> None:
    assert expected == [len(part) for part in split(b"\x20" * length, unit, width=width)]


def test_an_escape_stays_with_its_character() -> None:
    euro = b"\x1b\x65"
    assert [152, 10] == [len(part) for part in split(b"a" * 152 + euro + b"a" * 8, Unit.SEPTETS)]
    assert [153, 9] == [len(part) for part in split(b"a" * 151 + euro + b"a" * 9, Unit.SEPTETS)]
    assert [153, 9] == [len(part) for part in split(b"a" * 151 + b"\x1b\x1b" + b"a" * 9, Unit.SEPTETS)]


def test_an_emoji_stays_whole() -> None:
    octets = ("a" * 66 + "😀" + "a" * 10).encode("utf-16-be")
    first, second = split(octets, Unit.UCS2)
    assert ("a" * 66, "😀" + "a" * 10) == (first.decode("utf-16-be"), second.decode("utf-16-be"))


@given(st.text(max_size=400), st.sampled_from([8, 16]))
def test_every_part_of_a_text_can_be_read_alone(body: str, width: int) -> None:
    octets = body.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace").encode("utf-16-be")
    parts = split(octets, Unit.UCS2, width=width)
    assert octets.decode("utf-16-be") == "".join(part.decode("utf-16-be") for part in parts)


@given(st.binary(max_size=3000), st.sampled_from(Unit), st.sampled_from([8, 16]))
def test_what_is_cut_is_joined_again_and_no_part_is_too_long(octets: bytes, unit: Unit, width: int) -> None:
    parts = split(octets, unit, width=width)
    assert octets == join(dict(enumerate(parts, start=1)), len(parts))
    assert max(map(len, parts)) <= (ROOM[unit][0] if len(parts) == 1 else ROOM[unit][1 if width == 8 else 2])


def test_a_whole_with_a_part_missing_is_no_whole() -> None:
    assert join({1: b"a", 3: b"c"}, 3) is None
    assert b"abc" == join({3: b"c", 1: b"a", 2: b"b"}, 3)


def test_more_parts_than_can_be_counted_are_refused() -> None:
    with pytest.raises(ValueError, match="would have 256 parts; at most 255 can be counted: shorten it"):
        split(bytes(134 * 255 + 1), Unit.OCTETS)
