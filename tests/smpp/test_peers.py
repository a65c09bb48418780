"""What we write, smpplib reads; what smpplib writes, we read. It is a stack of another house, older than ours."""

import asyncio
from typing import Any

import pytest
from smpplib import smpp
from smpplib.client import Client, SimpleSequenceGenerator

from stopwire.smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DeliverSm,
    EnquireLink,
    Pdu,
    QuerySm,
    SubmitSm,
    SubmitSmResp,
    Tag,
    Unbind,
    decode,
    encode,
    tlv,
    tlv_int,
    tlv_text,
)
from stopwire.testing.smsc import Smsc


class Sequences:
    """What smpplib asks of the client it calls for a number."""

    sequence_generator = SimpleSequenceGenerator()
    sequence = 1

    def next_sequence(self) -> int:
        return 77


ADDRESSES: dict[str, Any] = {
    "source_addr_ton": 5,
    "source_addr_npi": 0,
    "source_addr": "Acme",
    "dest_addr_ton": 1,
    "dest_addr_npi": 1,
    "destination_addr": "447700900123",
}


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        pytest.param(
            "bind_transceiver",
            {"system_id": "me", "password": "pw", "system_type": "x"},
            BindTransceiver(system_id="me", password="pw", system_type="x"),
            id="bind_transceiver",
        ),
        pytest.param(
            "bind_transmitter",
            {"system_id": "me", "password": "pw"},
            BindTransmitter(system_id="me", password="pw"),
            id="bind_transmitter",
        ),
        pytest.param(
            "bind_receiver",
            {"system_id": "me", "password": "pw"},
            BindReceiver(system_id="me", password="pw"),
            id="bind_receiver",
        ),
        pytest.param("enquire_link", {}, EnquireLink(), id="enquire_link"),
        pytest.param("unbind", {}, Unbind(), id="unbind"),
        pytest.param(
            "submit_sm",
            ADDRESSES | {"short_message": b"Hello", "registered_delivery": 1, "data_coding": 8, "esm_class": 0x40},
            SubmitSm(**ADDRESSES, short_message=b"Hello", registered_delivery=1, data_coding=8, esm_class=0x40),
            id="submit_sm",
        ),
        pytest.param(
            "query_sm", {"message_id": "abc", "source_addr": "1"}, QuerySm(message_id="abc", source_addr="1"), id="query_sm"
        ),
    ],
)
def test_what_smpplib_writes_we_read(name: str, values: dict[str, Any], expected: Pdu) -> None:
    written = smpp.make_pdu(name, client=Sequences(), **values).generate()
    read = decode(written)
    assert type(expected) is type(read)
    assert [] == [
        field
        for field in expected.__dataclass_fields__
        if field not in {"sequence", "interface_version"} and getattr(expected, field) != getattr(read, field)
    ]
    assert 77 == read.sequence


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(SubmitSm(sequence=7, **ADDRESSES, short_message=b"Hello", data_coding=3), id="submit_sm"),
        pytest.param(SubmitSm(sequence=7, **ADDRESSES, tlvs=(tlv(Tag.MESSAGE_PAYLOAD, b"long"),)), id="submit_sm with a payload"),
        pytest.param(SubmitSmResp(sequence=7, message_id="0a1b"), id="submit_sm_resp"),
        pytest.param(BindTransceiver(sequence=7, system_id="me", password="pw"), id="bind_transceiver"),
        pytest.param(
            DeliverSm(
                sequence=7,
                **ADDRESSES,
                esm_class=4,
                short_message=b"id:1 stat:DELIVRD",
                tlvs=(tlv(Tag.RECEIPTED_MESSAGE_ID, "1"), tlv(Tag.MESSAGE_STATE, 2), tlv(Tag.USER_MESSAGE_REFERENCE, 9)),
            ),
            id="deliver_sm with a receipt",
        ),
    ],
)
def test_what_we_write_smpplib_reads(value: Pdu) -> None:
    read = smpp.parse_pdu(encode(value), client=Sequences(), allow_unknown_opt_params=True)
    assert value.command.name.lower() == read.command
    assert 7 == read.sequence
    for field in set(value.__dataclass_fields__) - {"command", "sequence", "status", "tlvs", "broken_tlvs"}:
        expected, found = getattr(value, field), getattr(read, field)
        if isinstance(expected, str):
            expected = expected.encode("latin-1")
        assert (field, expected or None) == (field, found or None)
    if isinstance(value, DeliverSm):
        assert (tlv_int(value, Tag.MESSAGE_STATE), tlv_int(value, Tag.USER_MESSAGE_REFERENCE)) == (
            read.message_state,
            read.user_message_reference,
        )
        assert tlv_text(value, Tag.RECEIPTED_MESSAGE_ID) == read.receipted_message_id.decode().rstrip("\\0")


async def test_smpplib_binds_sends_hears_and_leaves() -> None:
    heard: list[bytes] = []
    answers: list[bytes] = []

    def work(port: int) -> None:
        client = Client("127.0.0.1", port, allow_unknown_opt_params=True, timeout=10)
        client.set_message_received_handler(lambda pdu: heard.append(pdu.short_message))
        client.set_message_sent_handler(lambda pdu: answers.append(pdu.message_id))
        client.connect()
        client.bind_transceiver(system_id="me", password="pw")
        client.send_message(**ADDRESSES, short_message=b"Hello", registered_delivery=True)
        while not (heard and answers):
            client.read_once()
        client.unbind()
        client.disconnect()

    async with asyncio.timeout(20), Smsc(password="pw") as smsc:
        await asyncio.to_thread(work, smsc.port)
        assert [b"Hello"] == [submission.octets for submission in smsc.submissions]
        assert [b"0000000001"] == answers
        assert [b"id:0000000001"] == [octets.split(b" ")[0] for octets in heard]
        assert [0] == [delivery.status for delivery in smsc.deliveries]
