"""The second half of what strangers' octets meet: what a PDU means, and what a provider's push or answer means.

As in `harnesses`: any octets may come, and each function raises only if we are wrong.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from stopwire.carriers import load
from stopwire.carriers.http import Event, HttpCarrier
from stopwire.carriers.smpp import settings as smpp_settings
from stopwire.carriers.smpp import translate as carrier_side
from stopwire.core.alphabets import decode as read_text
from stopwire.core.outcomes import DeliveryReport, Outcome, Received
from stopwire.ports.http import HttpAnswer
from stopwire.ports.push import HttpPush
from stopwire.smpp import receipt
from stopwire.smpp.fields import EsmClass
from stopwire.smpp.pdu import DeliverSm, PduError, SubmitSm, decode, encode
from stopwire.smpp_server import translate as customer_side
from tests.carriers.rows import NOW, SID, connected, part

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)  # as the engine takes it
KINDS = ("bandwidth", "generic", "infobip", "plivo", "sinch", "telnyx", "twilio", "vonage")
SHAPED = 0x40  # in the second octet: the others are not the body, but build one
WORDS = (
    "type id message to from text body data payload event_type status code errors error title results messages groupId name "
    "media url channel message_uuid MessageSid From To Body NumMedia MessageStatus ErrorCode MessageUUID message-received "
    "message.received message.finalized mo_text mo_media recipient_delivery_report_sms delivered failed phone_number batch_id "
    "messageId requestError serviceException receivedAt doneAt at +14155550199 14155550100 21610 40300 14 1240 2026-03-01T12:00:00Z"
).split()
PATHS = ("inbound", "status", "events", "events?a=1&a=2&%ff", "")
SMPP = (
    smpp_settings.read({"host": "smsc", "system_id": "me"}, ""),
    smpp_settings.read({"host": "smsc", "system_id": "me", "country": "DE", "receipt_id": "hex", "default_alphabet": "latin1"}, ""),
    smpp_settings.read({"host": "smsc", "system_id": "me", "default_alphabet": "gsm7_packed"}, ""),
)


def _carrier(name: str) -> HttpCarrier:
    made: Any = load(name)
    told: dict[str, Any] = {field.name: "x" for field in made.TYPE.fields if field.required and not field.secret}
    if name == "generic":
        told |= {"url": "https://p.example.com", "body": '{"to": "{to}", "text": "{body}"}', "answer_id": "/data/0/id"}
        told |= {"answer_error": "code", "inbound_at": "at", "report_error": "/why", "opted_out_codes": "9"}
    else:
        told |= {"base_url": "https://p.example.com"}
    return connected(made, told, {field.name: "secret-word" for field in made.TYPE.fields if field.secret})


CARRIERS = tuple(_carrier(name) for name in KINDS)


def _shaped(octets: Iterator[int], depth: int = 0) -> Any:
    """A JSON value that the octets build: few octets of chance are JSON, and fewer have a name that somebody looks for."""
    kind = next(octets, 0)
    if kind % 8 < 3 or depth > 5:
        word = WORDS[next(octets, 0) % len(WORDS)]
        return (word, next(octets, 0), None, True, float(next(octets, 0)), "", -1)[kind // 8 % 7]
    if kind % 8 == 3:
        return [_shaped(octets, depth + 1) for _ in range(kind // 8 % 3)]
    return {WORDS[next(octets, 0) % len(WORDS)]: _shaped(octets, depth + 1) for _ in range(kind // 8 % 6)}


def _body(data: bytes) -> bytes:
    return json.dumps(_shaped(iter(data[2:]))).encode() if data[1] & SHAPED else data[2:]


def tlvs(data: bytes) -> None:
    """Any octets behind the fields of a text: it is read, what was readable of them is written again as it was."""
    head = encode(DeliverSm(short_message=b"STOP", source_addr="14155550101"), sequence=1)
    whole = head + data
    whole = len(whole).to_bytes(4, "big") + whole[4:]
    try:
        value = decode(whole)
    except PduError:
        return
    assert isinstance(value, DeliverSm)
    assert b"STOP" == value.short_message
    if not value.broken_tlvs:
        assert whole == encode(value, sequence=1)


def texts(data: bytes) -> None:
    """Whatever a carrier brings as a text is one, and its receipts name a message or nothing."""
    if len(data) < 4:
        return
    choice, coding, ton, length = data[:4]
    settings = SMPP[choice % 3]
    source, rest = data[4 : 4 + length % 21], data[4 + length % 21 :]
    pdu = DeliverSm(
        esm_class=choice & (EsmClass.UDHI | EsmClass.RECEIPT),
        data_coding=coding,
        source_addr_ton=ton & 7,
        source_addr=source.replace(b"\0", b"").decode("latin-1"),
        dest_addr_ton=ton >> 4 & 7,
        destination_addr="14155550100",
        short_message=rest[:254],
    )
    heard = carrier_side.heard(pdu, settings, SID)
    assert isinstance(heard.body, str)
    assert 1 <= heard.part <= heard.parts
    found = receipt.read(pdu)
    for report in carrier_side.reports(pdu, found, settings, SID) if found else ():
        assert report.reference
        assert report.reference in report.forms or report.forms


def submissions(data: bytes) -> None:
    """Whatever a customer submits is an order or is declined by name and in a sentence."""
    if len(data) < 6:
        return
    esm, coding, tons, registered, length, schedule = data[:6]
    address, rest = data[6 : 6 + length % 21].replace(b"\0", b"").decode("latin-1"), data[6 + length % 21 :]
    when, text = rest[: schedule % 18].replace(b"\0", b"").decode("latin-1"), rest[schedule % 18 :][:254]
    pdu = SubmitSm(
        esm_class=esm,
        data_coding=coding,
        source_addr_ton=tons & 7,
        source_addr=address,
        dest_addr_ton=tons >> 4 & 7,
        destination_addr=address[::-1],
        registered_delivery=registered,
        schedule_delivery_time=when if schedule & 1 else "",
        validity_period=when if schedule & 2 else "",
        short_message=text,
    )
    asked = customer_side.submission(pdu, now=NOW)
    if isinstance(asked, customer_side.Decline):
        assert asked.says.endswith(".")
        return
    assert isinstance(read_text(asked.octets, asked.alphabet), str)
    assert asked.validity_seconds is None or 1 <= asked.validity_seconds <= customer_side.VALIDITY_SECONDS_MAX
    assert asked.send_at is None or asked.send_at.tzinfo is not None


def times(data: bytes) -> None:
    """A time of SMPP is an instant or none; what we write is read again as what it was, to the second."""
    text = data.decode("latin-1")
    if len(data) > 16:  # few octets have the shape of a time: these are given it
        text = "".join(str(octet % 10) for octet in data[:15]) + "+-R?"[data[15] & 3]
    at = customer_side.instant(text, now=NOW)
    if at is not None and datetime(2000, 1, 1, tzinfo=UTC) <= at < datetime(2100, 1, 1, tzinfo=UTC):
        again = customer_side.instant(customer_side.absolute(at), now=NOW)
        assert again is not None
        assert abs((again - at).total_seconds()) < 1


def pushes(data: bytes) -> None:
    """Nothing that a stranger sends is believed; what is read of a push is texts and reports, or it is unreadable."""
    if len(data) < 2:
        return
    carrier, path = CARRIERS[data[0] % len(CARRIERS)], PATHS[data[1] % len(PATHS)]
    method = "GET" if data[1] & 0x80 else "POST"
    target, body = f"/carriers/{SID}/{path}", _body(data)
    if method == "GET":
        target, body = f"{target}?{body.decode('latin-1')}", b""
    push = HttpPush(method=method, target=target, headers={"authorization": body[:40].decode("latin-1")}, body=body)
    assert carrier.refusal(push, at=NOW)
    try:
        events: Any = carrier.events(push)
    except UNREADABLE:
        return
    for event in events:
        assert isinstance(event, Event)
        told = event if isinstance(event, Received | DeliveryReport) else event.received
        assert told.reference is None or told.reference
        assert not isinstance(told, Received) or isinstance(told.body, str)


def answers(data: bytes) -> None:
    """Whatever a provider answers to a message has an outcome, or is unreadable."""
    if len(data) < 2:
        return
    carrier, status = CARRIERS[data[0] % len(CARRIERS)], (200, 201, 202, 400, 403, 404, 409, 422)[data[1] % 8]
    try:
        outcome = carrier.outcome(part(), HttpAnswer(status=status, headers={}, body=_body(data), ms=1))
    except UNREADABLE:
        return
    assert isinstance(outcome, Outcome)
    assert outcome.attempt == part().attempt
