"""Receipts in the dialects of carriers, and ids in the forms of theirs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.smpp.fields import EsmClass, MessageState, Tag
from stopwire.smpp.pdu import DataSm, DeliverSm, Tlv, tlv
from stopwire.smpp.receipt import Receipt, id_forms, read, text

DATES = {"submit_date": "2401011200", "done_date": "2401011201"}


def said(line: str | bytes) -> Receipt | None:
    octets = line if isinstance(line, bytes) else line.encode("latin-1")
    return read(DeliverSm(esm_class=EsmClass.RECEIPT, short_message=octets))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(
            "id:0123456789 sub:001 dlvrd:001 submit date:2401011200 done date:2401011201 stat:DELIVRD err:000 text:Hello",
            Receipt(ids=("0123456789",), state=MessageState.DELIVERED, stat="DELIVRD", error="000", **DATES),
            id="appendix B",
        ),
        pytest.param(
            "id:7f2a-11 sub:001 dlvrd:000 submit date:240101120000 done date:240101120100 stat:UNDELIV err:1A2 Text:",
            Receipt(
                ids=("7f2a-11",),
                state=MessageState.UNDELIVERABLE,
                stat="UNDELIV",
                error="1A2",
                submit_date="240101120000",
                done_date="240101120100",
            ),
            id="dates with seconds, a code that is no number, a large T",
        ),
        pytest.param(
            "ID:abc SUB:1 DLVRD:1 SUBMIT DATE:2401011200 DONE DATE:2401011201 STAT:DELIVRD ERR:0 TEXT:x",
            Receipt(ids=("abc",), state=MessageState.DELIVERED, stat="DELIVRD", error="0", **DATES),
            id="capitals",
        ),
        pytest.param(
            "id: abc sub: 001 dlvrd: 001 submit date: 2401011200 done date: 2401011201 stat: EXPIRED err: 027 text: ",
            Receipt(ids=("abc",), state=MessageState.EXPIRED, stat="EXPIRED", error="027", **DATES),
            id="blanks behind the colons",
        ),
        pytest.param(
            "id:abc submit_date:2401011200 done_date:2401011201 stat:REJECTD err:5",
            Receipt(ids=("abc",), state=MessageState.REJECTED, stat="REJECTD", error="5", **DATES),
            id="underscores, and fields left out",
        ),
        pytest.param(
            "id:abc\nsub:001\nstat:DELETED\nerr:009\n",
            Receipt(ids=("abc",), state=MessageState.DELETED, stat="DELETED", error="009"),
            id="lines",
        ),
        pytest.param(
            "stat:ACCEPTD,err:0,id:abc",
            Receipt(ids=("abc",), state=MessageState.ACCEPTED, stat="ACCEPTD", error="0"),
            id="commas, another order",
        ),
        pytest.param(
            "id:abc stat:FAILED",
            Receipt(ids=("abc",), state=MessageState.UNDELIVERABLE, stat="FAILED"),
            id="a word of the carrier's",
        ),
        pytest.param(
            "id:abc stat:delivered", Receipt(ids=("abc",), state=MessageState.DELIVERED, stat="delivered"), id="small letters"
        ),
        pytest.param("id:abc stat:QUEUEING", Receipt(ids=("abc",), state=None, stat="QUEUEING"), id="a word nobody knows"),
        pytest.param(
            "id:abc stat:ENROUTE\0", Receipt(ids=("abc",), state=MessageState.ENROUTE, stat="ENROUTE"), id="a NUL at the end"
        ),
        pytest.param("", Receipt(ids=(), state=None), id="nothing"),
        pytest.param("Your message was delivered.", Receipt(ids=(), state=None), id="prose"),
        pytest.param(
            "id:abc stat:UNDELIV err:001 text:id:evil stat:DELIVRD err:000",
            Receipt(ids=("abc",), state=MessageState.UNDELIVERABLE, stat="UNDELIV", error="001"),
            id="what a person wrote is no field",
        ),
        pytest.param(
            "id:abc text:stat:DELIVRD err:000",
            Receipt(ids=("abc",), state=None),
            id="nor where the carrier left the field out",
        ),
        pytest.param(
            "id:abc stat:DELIVRD".encode("utf-16-be"),
            Receipt(ids=("abc",), state=MessageState.DELIVERED, stat="DELIVRD"),
            id="in UTF-16",
        ),
    ],
)
def test_a_receipt_is_read_in_every_dialect(line: str | bytes, expected: Receipt) -> None:
    assert expected == said(line)


def test_the_tlvs_come_first_and_the_id_of_the_text_is_kept_beside_theirs() -> None:
    tlvs = (tlv(Tag.RECEIPTED_MESSAGE_ID, "1F4"), tlv(Tag.MESSAGE_STATE, 5), tlv(Tag.NETWORK_ERROR_CODE, b"\x03\x01\x02"))
    found = read(DeliverSm(esm_class=EsmClass.RECEIPT, short_message=b"id:500 stat:ENROUTE", tlvs=tlvs))
    assert found is not None
    assert ("1F4", ("1F4", "500")) == (found.id, found.ids)
    assert (MessageState.UNDELIVERABLE, (3, 0x0102)) == (found.state, found.network_error)


@pytest.mark.parametrize(
    ("pdu", "expected"),
    [
        pytest.param(DeliverSm(esm_class=EsmClass.RECEIPT), True, id="the type of message"),
        pytest.param(
            DeliverSm(esm_class=EsmClass.RECEIPT | EsmClass.UDHI | EsmClass.STORE_AND_FORWARD), True, id="with other bits set"
        ),
        pytest.param(DeliverSm(esm_class=EsmClass.INTERMEDIATE_NOTIFICATION), True, id="on its way"),
        pytest.param(DeliverSm(tlvs=(tlv(Tag.RECEIPTED_MESSAGE_ID, "a"),)), True, id="only the TLV"),
        pytest.param(DataSm(esm_class=EsmClass.RECEIPT, tlvs=(tlv(Tag.RECEIPTED_MESSAGE_ID, "a"),)), True, id="a data_sm"),
        pytest.param(
            DeliverSm(short_message=b"id:1 sub:001 dlvrd:001 stat:DELIVRD err:000 text:"),
            False,
            id="a person who writes like a carrier",
        ),
        pytest.param(DeliverSm(tlvs=(Tlv(Tag.RECEIPTED_MESSAGE_ID, b"\0"),)), False, id="an empty TLV"),
        pytest.param(DeliverSm(esm_class=EsmClass.USER_ACKNOWLEDGEMENT), False, id="an acknowledgement by hand"),
    ],
)
def test_what_is_a_receipt(pdu: DeliverSm | DataSm, expected: bool) -> None:
    assert expected == (read(pdu) is not None)


@given(
    st.binary(max_size=254), st.lists(st.builds(Tlv, st.sampled_from([0x1E, 0x427, 0x423]), st.binary(max_size=70)), max_size=3)
)
def test_no_receipt_raises(octets: bytes, tlvs: list[Tlv]) -> None:
    read(DeliverSm(esm_class=EsmClass.RECEIPT, short_message=octets, tlvs=tuple(tlvs)))


@pytest.mark.parametrize("state", MessageState)
def test_what_we_write_we_read(state: MessageState) -> None:
    found = said(text("a1b2", state, **DATES, error="042", words="stat:DELIVRD id:no, not this"))
    assert Receipt(ids=("a1b2",), state=state, stat=found.stat if found else "", error="042", **DATES) == found


@pytest.mark.parametrize("blank", [b" ", b"\x1c", b"\t"], ids=repr)
def test_an_id_of_white_space_is_none(blank: bytes) -> None:
    found = read(DeliverSm(esm_class=EsmClass.RECEIPT, short_message=b"stat:DELIVRD", tlvs=(Tlv(Tag.RECEIPTED_MESSAGE_ID, blank),)))
    assert found is not None
    assert () == found.ids


SAME = [
    pytest.param("0e999f21", "E999F21", id="capitals, a zero less"),
    pytest.param("0913121205", "913121205", id="a zero less"),
    pytest.param("1f4", "500", id="hexadecimal, then decimal"),
    pytest.param("0x1F4", "500", id="hexadecimal with its prefix"),
    pytest.param("500", "1F4", id="decimal, then hexadecimal"),
    pytest.param("4660", "1234", id="digits of both readings"),
    pytest.param("f47ac10b-58cc-4372-a567-0e02b2c3d479", "F47AC10B58CC4372A5670E02B2C3D479", id="dashes"),
    pytest.param("abc", " abc\0", id="blanks and a NUL around it"),
    pytest.param("0", "000", id="zeros only"),
    pytest.param("00ff", "255", id="zeros before hexadecimal"),
    pytest.param("msg_Ü1", "MSG_ü1", id="no number at all"),
]


@pytest.mark.parametrize(("answered", "reported"), SAME)
def test_an_id_is_found_in_the_form_it_is_reported_in(answered: str, reported: str) -> None:
    assert set(id_forms(answered)) & set(id_forms(reported))


def test_the_exact_form_comes_first_and_none_comes_twice() -> None:
    forms = id_forms(" 0A-1 ")
    assert (" 0A-1 ", "0A-1", "0a-1", "a-1", "0a1", "a1", "161") == forms
    assert len(forms) == len(set(forms))


@pytest.mark.parametrize(("one", "other"), [("abc", "abd"), ("1001", "1002"), ("ff", "254")])
def test_other_ids_do_not_meet(one: str, other: str) -> None:
    assert not set(id_forms(one)) & set(id_forms(other))


@given(st.text(max_size=80))
def test_an_id_has_few_forms_and_none_is_empty(value: str) -> None:
    forms = id_forms(value)
    assert all(forms)
    assert len(forms) <= 10


@given(st.integers(0, 2**128))
def test_hexadecimal_and_decimal_meet_whatever_the_number(number: int) -> None:
    assert set(id_forms(f"{number:x}")) & set(id_forms(str(number)))
    assert set(id_forms(f"{number:032X}")) & set(id_forms(str(number)))
