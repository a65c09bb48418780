"""A submit_sm as an order and an event as deliver_sm: tables for each rule, and nothing that raises."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.core.alphabets import Alphabet, decode
from stopwire.core.errors import refuse
from stopwire.core.jobs import Delivery
from stopwire.core.segments import split
from stopwire.core.senders import AccountSettings
from stopwire.ports.faults import StoreBusy, StoreClosed, StoreFault, StoreFull
from stopwire.smpp import receipt, udh
from stopwire.smpp.fields import DataCoding, EsmClass, MessageState, Status, Tag
from stopwire.smpp.pdu import DataSm, DeliverSm, Pdu, PduError, SubmitSm, Tlv, body, encode, tlv_int, tlv_text
from stopwire.smpp.pdu import decode as decode_pdu
from stopwire.smpp_server import translate
from stopwire.smpp_server.translate import Decline, Submission

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "smpp-server.md"


def submit(**values: Any) -> Submission:
    asked = translate.submission(SubmitSm(**{"short_message": b"Hi", **values}), now=NOW)
    assert isinstance(asked, Submission), asked
    return asked


def declined(pdu: SubmitSm | DataSm) -> Status:
    asked = translate.submission(pdu, now=NOW)
    assert isinstance(asked, Decline), asked
    return asked.status


@pytest.mark.parametrize(
    ("address", "ton", "expected"),
    [
        pytest.param("14155550122", 1, "+14155550122", id="international"),
        pytest.param("+14155550122", 1, "+14155550122", id="international, with a plus that should not be there"),
        pytest.param("14155550122", 0, "+14155550122", id="unknown, long enough to have its country"),
        pytest.param("4155550122", 2, "4155550122", id="national"),
        pytest.param("72345", 3, "72345", id="short code, network specific"),
        pytest.param("72345", 6, "72345", id="short code, abbreviated"),
        pytest.param("72345", 0, "72345", id="short code, unknown"),
        pytest.param("Oak & Ash", 5, "Oak & Ash", id="a name"),
        pytest.param("ACME", 0, "ACME", id="a name whose type was forgotten"),
        pytest.param("", 0, "", id="none"),
    ],
)
def test_a_source_address_is_a_sender(address: str, ton: int, expected: str) -> None:
    assert expected == submit(source_addr=address, source_addr_ton=ton).sender


@pytest.mark.parametrize(
    ("address", "ton", "expected"),
    [
        pytest.param("14155553001", 1, "+14155553001", id="international"),
        pytest.param("525555550100", 0, "+525555550100", id="unknown, long"),
        pytest.param("0044207946000", 0, "+44207946000", id="unknown, dialled from abroad"),
        pytest.param("4155553001", 0, "4155553001", id="unknown, short: a number of the sender's country"),
        pytest.param("4155553001", 2, "4155553001", id="national"),
        pytest.param("nobody", 1, "nobody", id="no number at all"),
    ],
)
def test_a_destination_address_is_a_recipient(address: str, ton: int, expected: str) -> None:
    assert expected == submit(destination_addr=address, dest_addr_ton=ton).recipient


@pytest.mark.parametrize(
    ("coding", "octets", "expected"),
    [
        pytest.param(0x00, b"\x00 \x1b\x65", "@ €", id="GSM 7-bit, one septet an octet"),
        pytest.param(0x01, b"a@b", "a@b", id="IA5"),
        pytest.param(0x01, b"{~}_", "{~}_", id="IA5 that could be septets, too"),
        pytest.param(0x01, b"a\x00b \x1be f~r", "a@b € für", id="septets under the name of IA5"),
        pytest.param(0x03, b"caf\xe9", "café", id="Latin-1"),
        pytest.param(0x08, "Ж😀".encode("utf-16-be"), "Ж😀", id="UCS-2"),
        pytest.param(0x10, b"Hi", "Hi", id="flash"),
        pytest.param(0x18, "Ж".encode("utf-16-be"), "Ж", id="flash in UCS-2"),
        pytest.param(0xF1, b"Hi", "Hi", id="class 1"),
    ],
)
def test_a_text_is_read_by_its_data_coding(coding: int, octets: bytes, expected: str) -> None:
    asked = submit(data_coding=coding, short_message=octets)
    assert expected == decode(asked.octets, asked.alphabet)


@pytest.mark.parametrize("coding", [0x02, 0x04, 0x05, 0x06, 0x09, 0x0E, 0x14, 0xF5, 0x20, 0xE0])
def test_what_is_no_text_is_declined(coding: int) -> None:
    assert Status.ESME_RSUBMITFAIL == declined(SubmitSm(data_coding=coding, short_message=b"Hi"))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"esm_class": 0x04}, Status.ESME_RINVESMCLASS, id="a receipt from a customer"),
        pytest.param({"esm_class": 0x40, "short_message": b"\x09\x00"}, Status.ESME_RINVESMCLASS, id="a broken header"),
        pytest.param(
            {"esm_class": 0x40, "short_message": b"\x06\x05\x04\x0b\x84\x23\xf0Hi"}, Status.ESME_RSUBMITFAIL, id="for a port"
        ),
        pytest.param({"replace_if_present_flag": 1}, Status.ESME_RINVSUBREP, id="replace"),
        pytest.param({"sm_default_msg_id": 3}, Status.ESME_RINVDFTMSGID, id="a predefined message"),
        pytest.param({"tlvs": (Tlv(Tag.MESSAGE_PAYLOAD, b"Ho"),)}, Status.ESME_RINVMSGLEN, id="two texts"),
        pytest.param({"schedule_delivery_time": "tomorrow"}, Status.ESME_RINVSCHED, id="no time"),
        pytest.param({"schedule_delivery_time": "261399000000000+"}, Status.ESME_RINVSCHED, id="a thirteenth month"),
        pytest.param({"validity_period": "tomorrow"}, Status.ESME_RINVEXPIRY, id="no period"),
        pytest.param({"validity_period": "260228120000000+"}, Status.ESME_RINVEXPIRY, id="a period that is over"),
    ],
)
def test_what_is_asked_wrongly_has_its_status(values: dict[str, Any], expected: Status) -> None:
    assert expected == declined(SubmitSm(**{"short_message": b"Hi", **values}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("260301130000000+", NOW + timedelta(hours=1), id="absolute, UTC"),
        pytest.param("260301140000004+", NOW + timedelta(hours=1), id="absolute, an hour east"),
        pytest.param("260301080000020-", NOW + timedelta(hours=1), id="absolute, five hours west"),
        pytest.param("000000010000000R", NOW + timedelta(hours=1), id="relative"),
        pytest.param("000002000000000R", NOW + timedelta(days=2), id="relative, days"),
        pytest.param("260301130000099+", None, id="a zone that is nowhere"),
        pytest.param("2603011300", None, id="too short"),
        pytest.param("٢٦٠٣٠١١٣٠٠٠٠٠٠٠+", None, id="digits of another script and length"),
    ],
)
def test_a_time_of_smpp_is_an_instant(text: str, expected: datetime | None) -> None:
    assert expected == translate.instant(text, now=NOW)


def test_a_time_that_is_written_is_read_as_the_same() -> None:
    assert NOW == translate.instant(translate.absolute(NOW), now=NOW - timedelta(days=9))


def test_a_validity_period_counts_from_the_schedule_and_is_cut_to_ten_hours() -> None:
    asked = submit(schedule_delivery_time="260301130000000+", validity_period="260301140000000+")
    assert (NOW + timedelta(hours=1), 3600) == (asked.send_at, asked.validity_seconds)
    assert 36000 == submit(validity_period="000003000000000R").validity_seconds


def test_a_part_is_told_from_a_whole_text() -> None:
    header = udh.header(udh.Concat(reference=7, width=8, total=2, part=1))
    asked = submit(esm_class=0x40, short_message=header + b"Hi")
    assert (udh.Concat(reference=7, width=8, total=2, part=1), b"Hi") == (asked.place, asked.octets)
    alone = udh.header(udh.Concat(reference=7, width=8, total=1, part=1))
    assert submit(esm_class=0x40, short_message=alone + b"Hi").place is None


def test_the_service_is_named_by_a_tlv() -> None:
    assert "MG1" == submit(tlvs=(Tlv(translate.MESSAGING_SERVICE, b"MG1\0"),)).service


@given(st.builds(SubmitSm, esm_class=st.integers(0, 255), data_coding=st.integers(0, 255), short_message=st.binary(max_size=254)))
def test_no_submit_is_too_odd_to_be_answered(pdu: SubmitSm) -> None:
    assert isinstance(translate.submission(pdu, now=NOW), Submission | Decline)


@given(st.binary(max_size=300))
def test_no_octets_are_too_odd_to_be_answered(octets: bytes) -> None:
    data = (16 + len(octets)).to_bytes(4, "big") + bytes.fromhex("0000000400000000") + b"\0\0\0\1" + octets
    try:
        pdu = decode_pdu(data)
    except PduError:
        return
    assert isinstance(pdu, SubmitSm)
    assert isinstance(translate.submission(pdu, now=NOW), Submission | Decline)


@pytest.mark.parametrize(
    ("code", "values", "expected"),
    [
        (21610, {}, Status.ESME_RSUBMITFAIL),
        (21211, {"to": "x"}, Status.ESME_RINVDSTADR),
        (21604, {}, Status.ESME_RINVDSTADR),
        (21612, {"to": "x", "sender": "y"}, Status.ESME_RINVDSTADR),
        (21659, {"sender": "x"}, Status.ESME_RINVSRCADR),
        (21603, {}, Status.ESME_RINVSRCADR),
        (21617, {}, Status.ESME_RINVMSGLEN),
        (21602, {}, Status.ESME_RINVMSGLEN),
        (35114, {}, Status.ESME_RINVSCHED),
        (21624, {}, Status.ESME_RINVEXPIRY),
        (35125, {}, Status.ESME_RMSGQFUL),
    ],
)
def test_a_refusal_has_its_status_and_keeps_its_code(code: int, values: dict[str, str], expected: Status) -> None:
    decline = translate.decline_of(refuse(code, **values))
    assert (expected, str(code)) == (decline.status, decline.says.split()[0])


def test_the_reference_names_each_refusal_beside_its_status() -> None:
    rows = {
        int(match[1], 16): set(re.findall(r"\b\d{5}\b", match[2]))
        for match in re.finditer(r"^\| \**0x([0-9A-F]{2}) (.*)$", REFERENCE.read_text(), re.MULTILINE)
    }
    missing = {code: status.name for code, status in translate._STATUSES.items() if str(code) not in rows[status]}
    assert {} == missing


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(StoreBusy(), Status.ESME_RTHROTTLED), (StoreFull(), Status.ESME_RMSGQFUL), (StoreClosed(), Status.ESME_RSYSERR)],
)
def test_while_the_store_cannot_the_customer_is_told_to_come_again(fault: StoreFault, expected: Status) -> None:
    assert expected == translate.decline_for(fault).status


def test_an_error_is_told_in_words_only_to_who_asked_for_them() -> None:
    decline = translate.decline_of(refuse(21610))
    plain = translate.declined(SubmitSm(sequence=7), decline, explain=False)
    assert 16 == len(encode(plain))  # SMPP 3.4 §4.4.2: an error has no body
    told = translate.declined(SubmitSm(sequence=7), decline, explain=True)
    assert (tlv_text(told, Tag.ADDITIONAL_STATUS_INFO_TEXT) or "").startswith("21610 ")


# ── events ───────────────────────────────────────────────────────────────────────────────────────────────

SETTINGS = AccountSettings()
VENDOR = AccountSettings(smpp_tlvs="vendor")
SID = "SM" + "0" * 32


def event(kind: str, **params: str) -> Delivery:
    return Delivery(
        id="WD1", account="AC1", event=kind, message=SID, url="smpp://ac1", method="SMPP", params=params, token="t",
        due_at=NOW, created_at=NOW,
    )  # fmt: skip


def inbound(text: str, **params: str) -> Delivery:
    return event("inbound", **{"From": "+14155553001", "To": "72345", "Body": text, "MessageSid": SID, **params})


def status(word: str, **params: str) -> Delivery:
    given = {
        "From": "+14155550122", "To": "+14155553001", "MessageSid": SID, "MessageStatus": word, "Text": "Hi [you] @ 5",
        "Submitted": NOW.isoformat(), "Done": (NOW + timedelta(minutes=1)).isoformat(), **params,
    }  # fmt: skip
    return event("status", **given)


def through_the_wire(pdu: DeliverSm) -> DeliverSm:
    read = decode_pdu(encode(pdu, sequence=1))
    assert isinstance(read, DeliverSm)
    return read


def test_a_text_is_one_deliver_sm() -> None:
    (pdu,) = map(through_the_wire, translate.pdus_of(inbound("Stop"), SETTINGS))
    assert (b"Stop", 0, 0) == (pdu.short_message, pdu.data_coding, pdu.esm_class)
    assert ("14155553001", 1, 1) == (pdu.source_addr, pdu.source_addr_ton, pdu.source_addr_npi)
    assert ("72345", 3, 0) == (pdu.destination_addr, pdu.dest_addr_ton, pdu.dest_addr_npi)
    assert () == pdu.tlvs


def test_our_own_tlvs_come_only_where_they_are_asked_for() -> None:
    (pdu,) = map(through_the_wire, translate.pdus_of(inbound("Stop", OptOutType="STOP"), VENDOR))
    assert ("STOP", SID) == (tlv_text(pdu, translate.OPT_OUT_TYPE), tlv_text(pdu, translate.MESSAGE_SID))  # type: ignore[arg-type]
    assert pdu.tlv(translate.MESSAGING_SERVICE) is None


@given(st.text(max_size=1000))
def test_a_long_text_comes_whole_in_parts(text: str) -> None:
    pdus = [through_the_wire(pdu) for pdu in translate.pdus_of(inbound(text), SETTINGS)]
    assert len(split(text)) == len(pdus)
    places = [udh.part_of(pdu) for pdu in pdus]
    if len(pdus) > 1:
        assert [(n, len(pdus)) for n in range(1, len(pdus) + 1)] == [(p.part, p.total) for p, _ in places if p]
    alphabet = Alphabet.UCS2 if pdus[0].data_coding == DataCoding.UCS2 else Alphabet.GSM7
    joined = decode(b"".join(headed.octets for _, headed in places), alphabet)
    assert text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") == joined


def test_a_long_text_may_come_as_a_payload() -> None:
    (pdu,) = map(through_the_wire, translate.pdus_of(inbound("a" * 400), AccountSettings(smpp_long="payload")))
    assert (b"", b"a" * 400) == (pdu.short_message, body(pdu))


@pytest.mark.parametrize(
    ("word", "params", "stat", "state", "error"),
    [
        pytest.param("delivered", {}, "DELIVRD", MessageState.DELIVERED, "000", id="delivered"),
        pytest.param("read", {}, "DELIVRD", MessageState.DELIVERED, "000", id="read"),
        pytest.param("undelivered", {"ErrorCode": "30003"}, "UNDELIV", MessageState.UNDELIVERABLE, "003", id="undelivered"),
        pytest.param("failed", {"ErrorCode": "21610"}, "REJECTD", MessageState.REJECTED, "610", id="opted out meanwhile"),
        pytest.param("failed", {"ErrorCode": "30036"}, "EXPIRED", MessageState.EXPIRED, "036", id="too late"),
        pytest.param("canceled", {}, "DELETED", MessageState.DELETED, "000", id="canceled"),
    ],
)
def test_a_receipt_says_what_became_of_a_message(
    word: str, params: dict[str, str], stat: str, state: MessageState, error: str
) -> None:
    (pdu,) = map(through_the_wire, translate.pdus_of(status(word, **params), VENDOR))
    found = receipt.read(pdu)
    assert found is not None
    assert (SID, stat, state, error) == (found.id, found.stat, found.state, found.error)
    assert ("2603011200", "2603011201") == (found.submit_date, found.done_date)
    assert ("14155553001", "14155550122") == (pdu.source_addr, pdu.destination_addr)
    assert pdu.short_message.endswith(b"text:Hi ?you? ? 5")
    assert (params.get("ErrorCode")) == tlv_text(pdu, translate.ERROR_CODE)  # type: ignore[arg-type]
    assert int(state) == tlv_int(pdu, Tag.MESSAGE_STATE)


def test_an_intermediate_notification_is_marked_as_one() -> None:
    (pdu,) = translate.pdus_of(status("sent"), SETTINGS)
    assert EsmClass.INTERMEDIATE_NOTIFICATION == pdu.esm_class


def test_what_no_response_carries_is_not_added_to_it() -> None:
    nack: Pdu = translate.declined(DataSm(sequence=1), Decline(status=Status.ESME_RSYSERR, says="é" * 999), explain=True)
    assert len(encode(nack)) < 300
