"""PDUs against octets laid out by hand from the specification, round trips, and strangers' octets."""

import re
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stopwire.smpp import pdu as module
from stopwire.smpp.fields import Command, EsmClass, Status, Tag
from stopwire.smpp.pdu import (
    PDU_OCTETS_MAX,
    PDUS,
    AlertNotification,
    BindReceiver,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Outbind,
    Pdu,
    PduError,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    Tlv,
    Unbind,
    UnbindResp,
    body,
    decode,
    encode,
    response_to,
    tlv,
    tlv_int,
    tlv_text,
)
from tests.smpp.values import pdus


def octets(layout: str) -> bytes:
    """Hex, and texts in single quotes, as one reads them off the tables of the specification."""
    pieces = re.findall(r"'([^']*)'|([0-9A-Fa-f ]+)", layout)
    return b"".join(text.encode("latin-1") if not digits.strip() else bytes.fromhex(digits) for text, digits in pieces)


GOLDEN = [
    pytest.param(
        # The example of §3.2.3, octet by octet.
        "00 00 00 2F 00 00 00 02 00 00 00 00 00 00 00 01'SMPP3TEST' 00 'secret08' 00 'SUBMIT1' 00 00 01 01 00",
        BindTransmitter(
            sequence=1,
            system_id="SMPP3TEST",
            password="secret08",
            system_type="SUBMIT1",
            interface_version=0,
            addr_ton=1,
            addr_npi=1,
        ),
        id="§3.2.3 bind_transmitter, the specification's own example",
    ),
    pytest.param(
        "00 00 00 1E 00 00 00 01 00 00 00 00 00 00 00 05 'me' 00 'pw' 00 00 34 01 01 '^1.' 00 ",
        BindReceiver(sequence=5, system_id="me", password="pw", addr_ton=1, addr_npi=1, address_range="^1."),
        id="§4.1.3 bind_receiver",
    ),
    pytest.param(
        "00 00 00 1C 00 00 00 09 00 00 00 00 7F FF FF FF 'me' 00 'pw' 00 'x' 00 34 00 00 00",
        BindTransceiver(sequence=0x7FFFFFFF, system_id="me", password="pw", system_type="x"),
        id="§4.1.5 bind_transceiver",
    ),
    pytest.param(
        "00 00 00 1A 80 00 00 09 00 00 00 00 00 00 00 01 'SMSC' 00 0210 0001 34",
        BindTransceiverResp(sequence=1, system_id="SMSC", tlvs=(Tlv(Tag.SC_INTERFACE_VERSION, b"\x34"),)),
        id="§4.1.6 bind_transceiver_resp",
    ),
    pytest.param(
        "00 00 00 10 80 00 00 02 00 00 00 0E 00 00 00 01",
        BindTransmitterResp(sequence=1, status=Status.ESME_RINVPASWD),
        id="§4.1.2 bind_transmitter_resp with an error has no body",
    ),
    pytest.param(
        "00 00 00 16 00 00 00 0B 00 00 00 00 00 00 00 01 'me' 00 'pw' 00",
        Outbind(sequence=1, system_id="me", password="pw"),
        id="§4.1.7 outbind",
    ),
    pytest.param("00 00 00 10 00 00 00 06 00 00 00 00 00 00 00 02", Unbind(sequence=2), id="§4.2.1 unbind"),
    pytest.param("00 00 00 10 80 00 00 06 00 00 00 00 00 00 00 02", UnbindResp(sequence=2), id="§4.2.2 unbind_resp"),
    pytest.param(
        "00 00 00 10 80 00 00 00 00 00 00 03 00 00 00 09",
        GenericNack(sequence=9, status=Status.ESME_RINVCMDID),
        id="§4.3.1 generic_nack",
    ),
    pytest.param(
        "00 00 00 39 00 00 00 04 00 00 00 00 00 00 00 07"
        "'CMT' 00"  # service_type
        "05 00 'Acme' 00"  # source: alphanumeric
        "01 01 '447700900123' 00"  # destination: international, ISDN
        "03 00 01"  # store and forward, protocol_id, priority
        "00 00"  # at once, the SMSC's own validity
        "01 00 00 00"  # a receipt, no replacing, default alphabet, no predefined message
        "05 'Hello'",
        SubmitSm(
            sequence=7,
            service_type="CMT",
            source_addr_ton=5,
            source_addr="Acme",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr="447700900123",
            esm_class=EsmClass.STORE_AND_FORWARD,
            priority_flag=1,
            registered_delivery=1,
            short_message=b"Hello",
        ),
        id="§4.4.1 submit_sm",
    ),
    pytest.param(
        "00 00 00 50 00 00 00 04 00 00 00 00 00 00 00 08"
        "00 00 00 00 00 00 '1' 00 00 00 00 '020610233429000R' 00 '000002000000000R' 00 00 00 08 00 00 "
        "0204 0002 0A01 0424 0004 00480069",
        SubmitSm(
            sequence=8,
            destination_addr="1",
            schedule_delivery_time="020610233429000R",
            validity_period="000002000000000R",
            data_coding=8,
            tlvs=(Tlv(Tag.USER_MESSAGE_REFERENCE, b"\x0a\x01"), Tlv(Tag.MESSAGE_PAYLOAD, b"\0H\0i")),
        ),
        id="§4.4.1 submit_sm with times (§7.1.1) and its message in a TLV",
    ),
    pytest.param(
        "00 00 00 19 80 00 00 04 00 00 00 00 00 00 00 07 '0a1B2c3D' 00",
        SubmitSmResp(sequence=7, message_id="0a1B2c3D"),
        id="§4.4.2 submit_sm_resp",
    ),
    pytest.param(
        "00 00 00 10 80 00 00 04 00 00 00 58 00 00 00 07",
        SubmitSmResp(sequence=7, status=Status.ESME_RTHROTTLED),
        id="§4.4.2 submit_sm_resp with an error has no body",
    ),
    pytest.param(
        "00 00 00 1C 00 00 00 21 00 00 00 00 00 00 00 03 00 01 01 '1' 00 01 02 'list' 00",
        SubmitMulti(sequence=3, source_addr_ton=1, source_addr_npi=1, source_addr="1", number_of_dests=1, rest=b"\2list\0"),
        id="§4.5.1 submit_multi",
    ),
    pytest.param(
        "00 00 00 13 80 00 00 21 00 00 00 00 00 00 00 03 '1' 00 00",
        SubmitMultiResp(sequence=3, message_id="1"),
        id="§4.5.2 submit_multi_resp",
    ),
    pytest.param(
        "00 00 00 40 00 00 00 05 00 00 00 00 00 00 00 09"
        "00 01 01 '447700900123' 00 00 00 '12345' 00 40 00 00 00 00 00 00 00 00 0A 050003 2A 02 01 'STOP'"
        "001E 0000",
        DeliverSm(
            sequence=9,
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr="447700900123",
            destination_addr="12345",
            esm_class=EsmClass.UDHI,
            short_message=b"\x05\x00\x03\x2a\x02\x01STOP",
            tlvs=(Tlv(Tag.RECEIPTED_MESSAGE_ID, b""),),
        ),
        id="§4.6.1 deliver_sm with a header in its message",
    ),
    pytest.param("00 00 00 11 80 00 00 05 00 00 00 00 00 00 00 09 00", DeliverSmResp(sequence=9), id="§4.6.2 deliver_sm_resp"),
    pytest.param(
        "00 00 00 20 00 00 01 03 00 00 00 00 00 00 00 01 00 00 00 '1' 00 00 00 '2' 00 00 01 04 0424 0000",
        DataSm(
            sequence=1,
            source_addr="1",
            destination_addr="2",
            registered_delivery=1,
            data_coding=4,
            tlvs=(Tlv(Tag.MESSAGE_PAYLOAD, b""),),
        ),
        id="§4.7.1 data_sm",
    ),
    pytest.param(
        "00 00 00 16 80 00 01 03 00 00 00 00 00 00 00 01 00 0420 0001 01",
        DataSmResp(sequence=1, tlvs=(Tlv(Tag.DPF_RESULT, b"\1"),)),
        id="§4.7.2 data_sm_resp",
    ),
    pytest.param(
        "00 00 00 16 00 00 00 03 00 00 00 00 00 00 00 01 'ab' 00 01 01 00",
        QuerySm(sequence=1, message_id="ab", source_addr_ton=1, source_addr_npi=1),
        id="§4.8.1 query_sm",
    ),
    pytest.param(
        "00 00 00 16 80 00 00 03 00 00 00 00 00 00 00 01 'ab' 00 00 02 07",
        QuerySmResp(sequence=1, message_id="ab", message_state=2, error_code=7),
        id="§4.8.2 query_sm_resp",
    ),
    pytest.param(
        "00 00 00 1B 00 00 00 08 00 00 00 00 00 00 00 01 00 'ab' 00 00 00 '1' 00 00 00 00",
        CancelSm(sequence=1, message_id="ab", source_addr="1"),
        id="§4.9.1 cancel_sm",
    ),
    pytest.param("00 00 00 10 80 00 00 08 00 00 00 00 00 00 00 01", CancelSmResp(sequence=1), id="§4.9.2 cancel_sm_resp"),
    pytest.param(
        "00 00 00 1C 00 00 00 07 00 00 00 00 00 00 00 01 'ab' 00 00 00 00 00 00 01 00 01 'x'",
        ReplaceSm(sequence=1, message_id="ab", registered_delivery=1, short_message=b"x"),
        id="§4.10.1 replace_sm",
    ),
    pytest.param("00 00 00 10 80 00 00 07 00 00 00 00 00 00 00 01", ReplaceSmResp(sequence=1), id="§4.10.2 replace_sm_resp"),
    pytest.param("00 00 00 10 00 00 00 15 00 00 00 00 00 00 00 0A", EnquireLink(sequence=10), id="§4.11.1 enquire_link"),
    pytest.param("00 00 00 10 80 00 00 15 00 00 00 00 00 00 00 0A", EnquireLinkResp(sequence=10), id="§4.11.2 enquire_link_resp"),
    pytest.param(
        "00 00 00 1F 00 00 01 02 00 00 00 00 00 00 00 01 01 01 '44' 00 00 00 'me' 00 0422 0001 00",
        AlertNotification(
            sequence=1,
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr="44",
            esme_addr="me",
            tlvs=(Tlv(Tag.MS_AVAILABILITY_STATUS, b"\0"),),
        ),
        id="§4.12.1 alert_notification",
    ),
]


def whole(layout: str) -> bytes:
    """`octets`, with the length put right: a test of a broken field is not a test of a broken length."""
    data = octets(layout)
    return struct.pack(">I", len(data)) + data[4:]


@pytest.mark.parametrize(("layout", "expected"), GOLDEN)
def test_a_pdu_is_read_as_the_specification_lays_it_out(layout: str, expected: Pdu) -> None:
    assert expected == decode(octets(layout))


@pytest.mark.parametrize(("layout", "value"), GOLDEN)
def test_a_pdu_is_written_as_the_specification_lays_it_out(layout: str, value: Pdu) -> None:
    assert octets(layout).hex(" ") == encode(value).hex(" ")


def test_every_command_has_its_octets_by_hand() -> None:
    shown = {type(row.values[1]) for row in GOLDEN}
    assert {module.BindReceiverResp} == set(PDUS) - shown  # the same as its two sisters


def test_every_command_has_its_value() -> None:
    assert list(Command) == sorted(kind.command for kind in PDUS)


@given(pdus)
def test_what_is_written_is_read_back(value: Pdu) -> None:
    assert value == decode(encode(value))


@given(pdus, st.binary(max_size=8))
def test_octets_behind_a_pdu_never_change_what_stands_before_them(value: Pdu, extra: bytes) -> None:
    data = encode(value)
    if len(data) == 16 or isinstance(value, SubmitMulti | SubmitMultiResp):
        return  # they would be its body
    longer = struct.pack(">I", len(data) + len(extra)) + data[4:] + extra
    assert value.tlvs == decode(longer).tlvs[: len(value.tlvs)]


@given(st.binary(max_size=200))
@example(b"")
@example(bytes(16))
def test_any_octets_are_a_pdu_or_a_pdu_error(data: bytes) -> None:
    try:
        decode(data)
    except PduError:
        return


@given(st.sampled_from([kind.command for kind in PDUS]), st.binary(max_size=200), st.integers(0, 2**32 - 1))
def test_any_body_is_a_pdu_or_a_pdu_error_that_knows_its_sequence(command: int, rest: bytes, sequence: int) -> None:
    data = struct.pack(">IIII", 16 + len(rest), command, 0, sequence) + rest
    try:
        known = decode(data).sequence, command
    except PduError as error:
        known = error.sequence, error.command
    assert (sequence, command) == known


@given(pdus, st.data())
def test_a_damaged_pdu_is_a_pdu_or_a_pdu_error(value: Pdu, data: st.DataObject) -> None:
    spoilt = bytearray(encode(value))
    for _ in range(data.draw(st.integers(1, 4))):
        spoilt[data.draw(st.integers(16, len(spoilt)) if len(spoilt) > 16 else st.just(16)) - 1] = data.draw(st.integers(0, 255))
    cut = spoilt[: data.draw(st.integers(16, len(spoilt)))]
    try:
        decode(struct.pack(">I", len(cut)) + bytes(cut[4:]))
    except PduError:
        return


HEAD = "00 00 00 00 00 00 00 04 00 00 00 00 00 00 00 2A"
BIND = "00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 2A"
MIDDLE = "00 00 00 00 00 00 00 00 00"


@pytest.mark.parametrize(
    ("layout", "status", "sentence"),
    [
        pytest.param(
            HEAD + "'toolong' 00",
            Status.ESME_RINVSERTYP,
            "SUBMIT_SM has no end of service_type in 6 octets, the most allowed (SMPP 3.4 §5.2.11).",
            id="service_type",
        ),
        pytest.param(
            HEAD + "00 01 01 '123456789012345678901' 00 01 01 '1' 00" + MIDDLE,
            Status.ESME_RINVSRCADR,
            "SUBMIT_SM has no end of source_addr in 21 octets, the most allowed (SMPP 3.4 §5.2.8).",
            id="source_addr",
        ),
        pytest.param(
            HEAD + "00 01 01 '1' 00 01 01 '123456789012345678901' 00" + MIDDLE,
            Status.ESME_RINVDSTADR,
            "SUBMIT_SM has no end of destination_addr in 21 octets, the most allowed (SMPP 3.4 §5.2.9).",
            id="destination_addr",
        ),
        pytest.param(
            HEAD + "00 00 00 00 00 00 00 00 00 00 '12345678901234567' 00 00 00 00 00 00 00",
            Status.ESME_RINVSCHED,
            "SUBMIT_SM has no end of schedule_delivery_time in 17 octets, the most allowed (SMPP 3.4 §5.2.15).",
            id="schedule_delivery_time",
        ),
        pytest.param(
            HEAD + "00 00 00 00 00 00 00 00 00 00 00 '12345678901234567' 00 00 00 00 00 00",
            Status.ESME_RINVEXPIRY,
            "SUBMIT_SM has no end of validity_period in 17 octets, the most allowed (SMPP 3.4 §5.2.16).",
            id="validity_period",
        ),
        pytest.param(
            HEAD + "00 00 00 00 00 00 00" + MIDDLE + "05 'four'",
            Status.ESME_RINVMSGLEN,
            "SUBMIT_SM says that short_message has 5 octets; 4 follow (SMPP 3.4 §5.2.22).",
            id="sm_length past the end",
        ),
        pytest.param(
            HEAD + "00 00 00 00 00 00 00" + MIDDLE + "FF" + "41" * 255,
            Status.ESME_RINVMSGLEN,
            "SUBMIT_SM says that short_message has 255 octets; 255 follow, 254 are allowed (SMPP 3.4 §5.2.22).",
            id="sm_length of 255",
        ),
        pytest.param(
            HEAD + "00 00 00 00 00 00 00" + MIDDLE,
            Status.ESME_RINVCMDLEN,
            "SUBMIT_SM ends before short_message (SMPP 3.4 §5.2.22).",
            id="no sm_length",
        ),
        pytest.param(
            HEAD + "00 00 00", Status.ESME_RINVCMDLEN, "SUBMIT_SM ends before source_addr (SMPP 3.4 §5.2.8).", id="cut after source_addr_npi"
        ),
        pytest.param(
            HEAD + "00 00 00 '123'", Status.ESME_RINVCMDLEN, "SUBMIT_SM ends inside source_addr (SMPP 3.4 §5.2.8).", id="cut inside source_addr"
        ),
        pytest.param(HEAD, Status.ESME_RINVCMDLEN, "SUBMIT_SM ends before service_type (SMPP 3.4 §5.2.11).", id="no body"),
        pytest.param(
            BIND + "'1234567890123456' 00 00 00 34 00 00 00",
            Status.ESME_RINVSYSID,
            "BIND_TRANSMITTER has no end of system_id in 16 octets, the most allowed (SMPP 3.4 §5.2.1).",
            id="system_id",
        ),
        pytest.param(
            BIND + "'me' 00" + "41" * 65 + "00 00 34 00 00 00",
            Status.ESME_RINVPASWD,
            "BIND_TRANSMITTER has no end of password in 65 octets, the most allowed (SMPP 3.4 §5.2.2).",
            id="password",
        ),
        pytest.param(
            BIND + "'me' 00 00 '1234567890123' 00 34 00 00 00",
            Status.ESME_RINVSYSTYP,
            "BIND_TRANSMITTER has no end of system_type in 13 octets, the most allowed (SMPP 3.4 §5.2.3).",
            id="system_type",
        ),
        pytest.param(
            "00 00 00 00 00 00 00 05 00 00 00 00 00 00 00 2A" + "41" * 255 + "00 00 00 00 00 00 00" + MIDDLE + "00",
            Status.ESME_RINVSERTYP,
            "DELIVER_SM has no end of service_type in 255 octets, the most allowed (SMPP 3.4 §5.2.11).",
            id="a field of a carrier's beyond all bounds",
        ),
        pytest.param(
            "00 00 00 00 00 00 0F FF 00 00 00 00 00 00 00 2A",
            Status.ESME_RINVCMDID,
            "Command 0x00000FFF is not one of SMPP 3.4 (§5.1.2.1).",
            id="unknown command",
        ),
    ],
)
def test_a_request_that_cannot_be_read_is_called_by_the_name_of_its_fault(layout: str, status: Status, sentence: str) -> None:
    with pytest.raises(PduError) as caught:
        decode(whole(layout))
    assert (status, sentence, 42) == (caught.value.status, caught.value.sentence, caught.value.sequence)


TOLD = "00 00 00 00 00 00 00 05 00 00 00 00 00 00 00 2A"


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        pytest.param(
            TOLD + "'toolong' 00 00 00 00 00 00 00" + MIDDLE + "04 'STOP'",
            DeliverSm(sequence=42, service_type="toolong", short_message=b"STOP"),
            id="service_type",
        ),
        pytest.param(
            TOLD + "00 05 00 'a name of more than twenty' 00 00 00 00" + MIDDLE + "04 'STOP'",
            DeliverSm(sequence=42, source_addr_ton=5, source_addr="a name of more than twenty", short_message=b"STOP"),
            id="source_addr",
        ),
        pytest.param(
            TOLD + "00 00 00 00 00 00 00 00 00 00 00 '2401011200000000+' 00 00 00 00 00 04 'STOP'",
            DeliverSm(sequence=42, validity_period="2401011200000000+", short_message=b"STOP"),
            id="validity_period",
        ),
        pytest.param(
            TOLD + "00 00 00 00 00 00 00" + MIDDLE + "FF" + "41" * 255,
            DeliverSm(sequence=42, short_message=b"A" * 255),
            id="sm_length of 255",
        ),
    ],
)
def test_what_a_carrier_tells_is_read_though_a_field_is_too_long(layout: str, expected: Pdu) -> None:
    assert expected == decode(whole(layout))
    with pytest.raises(PduError):
        encode(expected)


@pytest.mark.parametrize(
    ("value", "status", "sentence"),
    [
        pytest.param(
            SubmitSm(source_addr="1" * 21),
            Status.ESME_RINVSRCADR,
            "SUBMIT_SM has 21 characters in source_addr; at most 20 are allowed (SMPP 3.4 §5.2.8).",
            id="too long",
        ),
        pytest.param(
            SubmitSm(destination_addr="1\0" + "2"),
            Status.ESME_RINVDSTADR,
            "SUBMIT_SM has a character in destination_addr that is not one octet, or is NUL (SMPP 3.4 §5.2.9).",
            id="a NUL inside",
        ),
        pytest.param(
            SubmitSm(source_addr="Łódź"),
            Status.ESME_RINVSRCADR,
            "SUBMIT_SM has a character in source_addr that is not one octet, or is NUL (SMPP 3.4 §5.2.8).",
            id="no octet",
        ),
        pytest.param(
            SubmitSm(short_message=bytes(255)),
            Status.ESME_RINVMSGLEN,
            "SUBMIT_SM has 255 octets in short_message; at most 254 are allowed (SMPP 3.4 §5.2.22).",
            id="a long message",
        ),
        pytest.param(
            SubmitSm(esm_class=256),
            Status.ESME_RINVESMCLASS,
            "SUBMIT_SM has 256 as esm_class, which is one octet: 0 to 255 (SMPP 3.4 §5.2.12).",
            id="a large number",
        ),
        pytest.param(
            SubmitSm(data_coding=-1),
            Status.ESME_RINVPARLEN,
            "SUBMIT_SM has -1 as data_coding, which is one octet: 0 to 255 (SMPP 3.4 §5.2.19).",
            id="a negative number",
        ),
        pytest.param(
            SubmitSm(tlvs=(Tlv(0x1400, bytes(65536)),)),
            Status.ESME_RINVOPTPARSTREAM,
            "TLV 0x1400 of 65536 octets does not fit: tag and length have two octets each (SMPP 3.4 §3.2.4).",
            id="a TLV too long",
        ),
        pytest.param(
            SubmitSm(tlvs=(Tlv(Tag.MESSAGE_PAYLOAD, bytes(65535)),)),
            Status.ESME_RINVCMDLEN,
            f"SUBMIT_SM would have 65572 octets; at most {PDU_OCTETS_MAX} are allowed here: shorten its message.",
            id="a PDU too long",
        ),
        pytest.param(
            Unbind(sequence=-1),
            Status.ESME_RSYSERR,
            "UNBIND has status 0 and sequence -1; each is four octets without a sign (SMPP 3.4 §3.2).",
            id="no such sequence",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_not_written(value: Pdu, status: Status, sentence: str) -> None:
    with pytest.raises(PduError) as caught:
        encode(value)
    assert (status, sentence) == (caught.value.status, caught.value.sentence)


@pytest.mark.parametrize("stated", [0, 2, 15, 17, 65537, 2**32 - 1])
def test_a_length_that_is_not_the_length_is_refused(stated: int) -> None:
    with pytest.raises(PduError) as caught:
        decode(struct.pack(">IIII", stated, Command.UNBIND, 0, 3))
    assert Status.ESME_RINVCMDLEN == caught.value.status


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        pytest.param("00 00 00 00 80 00 00 04 00 00 00 00 00 00 00 01", SubmitSmResp(sequence=1), id="no body at all"),
        pytest.param(
            "00 00 00 00 80 00 00 04 00 00 00 00 00 00 00 01 'abc'",
            SubmitSmResp(sequence=1, message_id="abc"),
            id="an id without its NUL",
        ),
        pytest.param(
            "00 00 00 00 80 00 00 04 00 00 00 00 00 00 00 01" + "41" * 100 + "00",
            SubmitSmResp(sequence=1, message_id="A" * 100),
            id="an id too long",
        ),
        pytest.param(
            "00 00 00 00 80 00 00 04 00 00 00 08 00 00 00 01 00", SubmitSmResp(sequence=1, status=8), id="an error with a body"
        ),
        pytest.param(
            "00 00 00 00 80 00 00 05 00 00 00 00 00 00 00 01", DeliverSmResp(sequence=1), id="a deliver_sm_resp without its NUL"
        ),
        pytest.param(
            "00 00 00 00 80 00 00 03 00 00 00 00 00 00 00 01 'ab' 00 00 02",
            QuerySmResp(sequence=1, message_id="ab", message_state=2),
            id="an answer cut in the middle",
        ),
    ],
)
def test_an_answer_is_read_as_far_as_it_goes(layout: str, expected: Pdu) -> None:
    assert expected == decode(whole(layout))


def test_unknown_tlvs_are_kept_raw_and_in_order() -> None:
    kept = (Tlv(0x1400, b"vendor"), Tlv(0x3FFF, b""), Tlv(0x1400, b"again"), Tlv(0xFFFF, b"\0"))
    assert kept == decode(encode(DeliverSm(tlvs=kept))).tlvs


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param("04", id="one octet"),
        pytest.param("04 27 00", id="three octets"),
        pytest.param("04 27 00 02 01", id="shorter than it says"),
        pytest.param("04 27 FF FF", id="longer than any PDU"),
    ],
)
def test_a_broken_tlv_is_flagged_and_what_stands_before_it_is_kept(tail: str) -> None:
    good = DeliverSm(sequence=1, short_message=b"STOP", tlvs=(Tlv(Tag.USER_MESSAGE_REFERENCE, b"\0\1"),))
    data = encode(good) + octets(tail)
    read = decode(struct.pack(">I", len(data)) + data[4:])
    assert isinstance(read, DeliverSm)
    assert read.broken_tlvs
    assert (good.tlvs, b"STOP") == (read.tlvs, read.short_message)


@pytest.mark.parametrize(
    ("tag", "value", "expected"),
    [
        pytest.param(Tag.MESSAGE_STATE, 2, b"\2", id="one octet"),
        pytest.param(Tag.SAR_MSG_REF_NUM, 0x1234, b"\x12\x34", id="two octets"),
        pytest.param(Tag.QOS_TIME_TO_LIVE, 1, b"\0\0\0\1", id="four octets"),
        pytest.param(Tag.RECEIPTED_MESSAGE_ID, "ab", b"ab\0", id="a C-octet string"),
        pytest.param(Tag.NETWORK_ERROR_CODE, b"\3\0\7", b"\3\0\7", id="octets"),
        pytest.param(Tag.ALERT_ON_MESSAGE_DELIVERY, b"", b"", id="nothing"),
    ],
)
def test_a_tlv_is_written_as_its_tag_asks(tag: Tag, value: int | str | bytes, expected: bytes) -> None:
    assert Tlv(tag, expected) == tlv(tag, value)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        pytest.param(Tag.MESSAGE_STATE, 256, id="a number too large"),
        pytest.param(Tag.MESSAGE_STATE, b"\2", id="octets for a number"),
        pytest.param(Tag.RECEIPTED_MESSAGE_ID, "a" * 65, id="a string too long"),
        pytest.param(Tag.RECEIPTED_MESSAGE_ID, "a\0b", id="a NUL inside"),
        pytest.param(Tag.RECEIPTED_MESSAGE_ID, "ż", id="no octet"),
        pytest.param(Tag.NETWORK_ERROR_CODE, b"\0\7", id="octets too few"),
    ],
)
def test_a_tlv_with_a_wrong_value_is_not_written(tag: Tag, value: int | str | bytes) -> None:
    with pytest.raises(PduError, match=f"The value of TLV {tag.name} is no "):
        tlv(tag, value)


def test_the_message_is_in_the_payload_where_it_is_not_in_its_field() -> None:
    payload = (Tlv(Tag.MESSAGE_PAYLOAD, b"long"),)
    assert b"short" == body(DeliverSm(short_message=b"short", tlvs=payload))
    assert b"long" == body(DeliverSm(tlvs=payload))
    assert b"long" == body(DataSm(tlvs=payload))
    assert b"" == body(SubmitSm())


def test_tlvs_of_a_careless_peer_are_read_all_the_same() -> None:
    value = DeliverSm(
        tlvs=(Tlv(Tag.MESSAGE_STATE, b"\0\2"), Tlv(Tag.RECEIPTED_MESSAGE_ID, b"ab"), Tlv(Tag.SOURCE_PORT, bytes(9)))
    )
    assert 2 == tlv_int(value, Tag.MESSAGE_STATE)
    assert "ab" == tlv_text(value, Tag.RECEIPTED_MESSAGE_ID)
    assert tlv_int(value, Tag.SOURCE_PORT) is None
    assert tlv_text(value, Tag.ADDITIONAL_STATUS_INFO_TEXT) is None


def test_the_plain_response_fits_its_request() -> None:
    assert SubmitSmResp(sequence=4, status=0x58) == response_to(SubmitSm(sequence=4), Status.ESME_RTHROTTLED)
    assert UnbindResp(sequence=5) == response_to(Unbind(sequence=5))
    assert GenericNack(sequence=6, status=3) == response_to(Outbind(sequence=6), Status.ESME_RINVCMDID)


def test_no_secret_and_no_message_shows_in_a_repr() -> None:
    shown = repr(BindTransceiver(password="hunter2")) + repr(
        SubmitSm(short_message=b"hunter2", tlvs=(Tlv(Tag.MESSAGE_PAYLOAD, b"hunter2"),))
    )
    assert "hunter2" not in shown
