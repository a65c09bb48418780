"""One function for each parser that meets strangers' octets: give it any, it raises only if we are wrong.

They are run in three ways: on the kept corpus in every test run, on mutants of it, and under a coverage-guided fuzzer (see
run.py). What a fuzzer finds goes into corpus/<name>/ with the fix.
"""

from collections.abc import Callable

from stopwire.smpp import receipt
from stopwire.smpp.fields import RESPONSE, EsmClass, Tag, meaning
from stopwire.smpp.pdu import (
    PDU_OCTETS_MAX,
    AlertNotification,
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    DataSm,
    DeliverSm,
    Framer,
    Pdu,
    PduError,
    SubmitSm,
    Tlv,
    body,
    decode,
    encode,
    response_to,
    tlv_int,
    tlv_text,
    type_of,
)
from stopwire.smpp.session import Asked, Role, Session
from stopwire.smpp.udh import PARTS_MAX, Unit, behead, concat, header, join, part_of, split
from tests.fuzz import meanings

BINDS: tuple[tuple[Pdu, Pdu] | None, ...] = (
    None,
    (BindTransmitter(sequence=1), BindTransmitterResp(sequence=1)),
    (BindReceiver(sequence=1), BindReceiverResp(sequence=1)),
    (BindTransceiver(sequence=1), BindTransceiverResp(sequence=1)),
)


def pdu(data: bytes) -> None:
    """What can be read can be written, and is then read as the same; what cannot is called by a fault and a sentence."""
    value = _decoded(data)
    if isinstance(value, PduError):
        assert meaning(value.status).name == value.status.name
        assert value.sentence.endswith(".")
        assert "§" in value.sentence, "whoever argues with a peer is told where it stands"
        return
    if isinstance(value, SubmitSm | DeliverSm | DataSm):
        body(value)
        part_of(value)
        tlv_int(value, Tag.MESSAGE_STATE)
        tlv_text(value, Tag.RECEIPTED_MESSAGE_ID)
    if isinstance(value, DeliverSm | DataSm):
        receipt.read(value)
    try:
        written = encode(value)
    except PduError:
        # Only an answer, or what a carrier tells, may hold more than we would write.
        assert value.command & RESPONSE or isinstance(value, DeliverSm | AlertNotification)
        return
    again = decode(written)
    if not value.broken_tlvs:
        assert value == again


def _decoded(data: bytes) -> Pdu | PduError:
    try:
        return decode(data)
    except PduError as error:
        return error


def framer(data: bytes) -> None:
    """However a stream is cut, it gives the same PDUs and the same end; the first octet says how it is cut."""
    step, stream = (data[0] or 1, data[1:]) if data else (1, b"")
    whole = _frames([stream])
    assert whole == _frames([stream[at : at + step] for at in range(0, len(stream), step)])
    assert b"".join(whole[0]) == stream[: sum(map(len, whole[0]))]


def _frames(chunks: list[bytes]) -> tuple[list[bytes], str]:
    cutter, found = Framer(), []
    try:
        for chunk in chunks:
            while frames := cutter.feed(chunk):
                found += frames
                chunk = b""
            assert cutter.waiting <= PDU_OCTETS_MAX + len(chunk)
    except PduError as error:
        return found, error.sentence
    return found, ""


def session(data: bytes) -> None:
    """Whatever a peer says, a session answers and counts rightly. The first octet says who we are, the second the pace."""
    if len(data) < 2:
        return
    role, bind = Role.ESME if data[0] & 1 else Role.SMSC, BINDS[data[0] >> 1 & 3]
    one, step, now = Session(role, now=0, window=3), data[1] or 1, 0.0
    if bind is not None and role is Role.ESME:
        one.request(bind[0], now=now)
        one.receive(encode(bind[1]), now=now)
    elif bind is not None:
        one.receive(encode(bind[0]), now=now)
        one.answer(*bind)
    message: Pdu = SubmitSm() if role is Role.ESME else DeliverSm()
    for at in range(2, len(data), step):
        now += step / 16
        if one.room and one.may_ask(message.command):
            one.request(message, now=now)
        for event in one.receive(data[at : at + step], now=now):
            if isinstance(event, Asked) and event.request.command | RESPONSE in type_of:
                one.answer(event.request, response_to(event.request))
        one.tick(now=now)
        assert 0 <= one.room <= one.window
    one.tick(now=now + 1000)
    one.tick(now=now + 2000)
    assert one.room in (0, one.window)


def receipts(data: bytes) -> None:
    """A receipt of any octets is read; its ids have forms, and each form finds the id again."""
    at = data[0] if data else 0
    text, tail = data[1 : 1 + at], data[1 + at :]
    found = receipt.read(
        DeliverSm(
            esm_class=EsmClass.RECEIPT,
            short_message=text,
            tlvs=(Tlv(Tag.RECEIPTED_MESSAGE_ID, tail), Tlv(Tag.MESSAGE_STATE, tail[:1])),
        )
    )
    assert found is not None
    for one in found.ids:
        forms = receipt.id_forms(one)
        assert forms[0] == one
        assert 1 <= len(forms) <= 10
        assert all(forms)


def udh(data: bytes) -> None:
    """No header costs a message its octets; what is cut is joined again."""
    headed = behead(data)
    assert data.endswith(headed.octets)
    place = concat(headed.elements)
    if place is not None:
        assert 1 <= place.part <= place.total <= PARTS_MAX
        assert place == concat(behead(header(place)).elements)
    for unit in Unit:
        for width in (8, 16):
            parts = split(data, unit, width=width)
            assert data == join(dict(enumerate(parts, start=1)), len(parts))


HARNESSES: dict[str, Callable[[bytes], None]] = {
    "pdu": pdu,
    "framer": framer,
    "session": session,
    "receipts": receipts,
    "udh": udh,
    "tlvs": meanings.tlvs,
    "texts": meanings.texts,
    "submissions": meanings.submissions,
    "times": meanings.times,
    "pushes": meanings.pushes,
    "answers": meanings.answers,
}
