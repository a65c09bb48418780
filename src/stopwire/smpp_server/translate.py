"""SMPP and our own words: a submit_sm as an order, an event as deliver_sm, a refusal as a command_status.

Pure: no link, no house. Sections are those of the SMPP 3.4 specification, issue 1.2.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Final

from stopwire.core import gsm7, segments
from stopwire.core.alphabets import Alphabet, encode, of_ia5
from stopwire.core.errors import Refused
from stopwire.core.jobs import Delivery
from stopwire.core.message import FINAL, Message
from stopwire.core.message import Status as Standing
from stopwire.core.orders import VALIDITY_SECONDS_MAX
from stopwire.core.senders import AccountSettings
from stopwire.ports.faults import StoreBusy, StoreFault, StoreFull
from stopwire.smpp import udh
from stopwire.smpp.fields import MESSAGE_TYPE, DataCoding, EsmClass, MessageState, Npi, Status, Tag, Ton
from stopwire.smpp.pdu import SHORT_MESSAGE_OCTETS_MAX, DataSm, DeliverSm, Pdu, SubmitSm, Tlv, response_to, tlv

# TLVs of our own, in the range that §5.3.2 leaves to vendors.
OPT_OUT_TYPE: Final = 0x1400  # C-octets: STOP, START or HELP, with a text that was one
MESSAGING_SERVICE: Final = 0x1401  # C-octets: SID of the messaging service, both ways
ERROR_CODE: Final = 0x1402  # C-octets: the five digits of the error dictionary, in receipts
MESSAGE_SID: Final = 0x1403  # C-octets: SID of an inbound message

_NATIONAL_DIGITS_MAX: Final = 10  # a number without its type and no longer than this is one of the sender's country
_SHORT_CODE_DIGITS_MAX: Final = 8
_STATUS_TEXT_MAX: Final = 250  # of additional_status_info_text, §5.3.2.11
_GSM_NETWORK: Final = 3  # §5.3.2.31

# What each refusal is called in SMPP; others are ESME_RSUBMITFAIL, an opted-out recipient (21610) among them.
_STATUSES: Final[Mapping[int, Status]] = {
    **dict.fromkeys((21211, 21266, 21408, 21604, 21612, 21614, 21703, 21910), Status.ESME_RINVDSTADR),
    **dict.fromkeys((21212, 21603, 21606, 21659, 21701, 21704, 21705, 21711), Status.ESME_RINVSRCADR),
    **dict.fromkeys((21602, 21617, 21619), Status.ESME_RINVMSGLEN),
    **dict.fromkeys((35111, 35114, 35118, 35126), Status.ESME_RINVSCHED),
    21624: Status.ESME_RINVEXPIRY,
    21611: Status.ESME_RMSGQFUL,
    35125: Status.ESME_RMSGQFUL,
}

_STATES: Final[Mapping[Standing, tuple[MessageState, str]]] = {
    Standing.ACCEPTED: (MessageState.ENROUTE, "ENROUTE"),
    Standing.SCHEDULED: (MessageState.SCHEDULED, "ENROUTE"),
    Standing.QUEUED: (MessageState.ENROUTE, "ENROUTE"),
    Standing.SENDING: (MessageState.ENROUTE, "ENROUTE"),
    Standing.SENT: (MessageState.ENROUTE, "ENROUTE"),
    Standing.DELIVERED: (MessageState.DELIVERED, "DELIVRD"),
    Standing.READ: (MessageState.DELIVERED, "DELIVRD"),
    Standing.UNDELIVERED: (MessageState.UNDELIVERABLE, "UNDELIV"),
    Standing.FAILED: (MessageState.REJECTED, "REJECTD"),
    Standing.CANCELED: (MessageState.DELETED, "DELETED"),
    Standing.RECEIVED: (MessageState.UNKNOWN, "UNKNOWN"),
}
_EXPIRED: Final = 30036  # the validity period ended first

_TIME = re.compile(r"(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d)(\d{2})([+\-R])", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    """Why a request is answered with an error: its command_status, and a sentence for people."""

    status: Status
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a submit_sm or data_sm asks for. Addresses are as an order takes them; `place` is there for a part of a text."""

    sender: str
    recipient: str
    service: str
    octets: bytes
    alphabet: Alphabet
    place: udh.Concat | None
    registered: int
    validity_seconds: int | None
    send_at: datetime | None


# ── in: what a customer submits ──────────────────────────────────────────────────────────────────────────


def submission(pdu: SubmitSm | DataSm, *, now: datetime) -> Submission | Decline:
    """What `pdu` asks for, or why it cannot be asked. Whether it may be sent is not judged here."""
    if problem := _unfit(pdu):
        return problem
    alphabet = alphabet_of(pdu.data_coding)
    if alphabet is None:
        return Decline(status=Status.ESME_RSUBMITFAIL, says=f"data_coding 0x{pdu.data_coding:02X} is no text: use 0, 1, 3 or 8.")
    place, headed = udh.part_of(pdu)
    if headed.malformed:
        return Decline(status=Status.ESME_RINVESMCLASS, says="esm_class tells of a header that cannot be read.")
    if other := next((e.identifier for e in headed.elements if e.identifier not in (udh.CONCAT_8, udh.CONCAT_16)), None):
        return Decline(status=Status.ESME_RSUBMITFAIL, says=f"The header element 0x{other:02X} is not for a text.")
    send_at, validity = None, None
    if isinstance(pdu, SubmitSm) and pdu.schedule_delivery_time:
        send_at = instant(pdu.schedule_delivery_time, now=now)
        if send_at is None:
            return Decline(status=Status.ESME_RINVSCHED, says="schedule_delivery_time is no time of SMPP.")
    if isinstance(pdu, SubmitSm) and pdu.validity_period:
        ends_at = instant(pdu.validity_period, now=now)
        seconds = int((ends_at - (send_at or now)).total_seconds()) if ends_at else 0
        if seconds < 1:
            return Decline(status=Status.ESME_RINVEXPIRY, says="validity_period is no time of SMPP, or it is over.")
        # Ten hours at most, as in the HTTP API: a longer wish is cut, since no application means "or not at all".
        validity = min(seconds, VALIDITY_SECONDS_MAX)
    return Submission(
        sender=sender_of(pdu.source_addr, pdu.source_addr_ton),
        recipient=recipient_of(pdu.destination_addr, pdu.dest_addr_ton),
        service=(pdu.tlv(MESSAGING_SERVICE) or b"").partition(b"\0")[0].decode("latin-1"),
        octets=headed.octets,
        alphabet=of_ia5(headed.octets) if pdu.data_coding == DataCoding.IA5 else alphabet,
        place=place if place and place.total > 1 else None,
        registered=pdu.registered_delivery,
        validity_seconds=validity,
        send_at=send_at,
    )


def _unfit(pdu: SubmitSm | DataSm) -> Decline | None:
    if pdu.esm_class & MESSAGE_TYPE:
        return Decline(status=Status.ESME_RINVESMCLASS, says="esm_class asks for another type of message than a text.")
    if isinstance(pdu, DataSm):
        return None
    if pdu.replace_if_present_flag:
        return Decline(status=Status.ESME_RINVSUBREP, says="Messages are not replaced here.")
    if pdu.sm_default_msg_id:
        return Decline(status=Status.ESME_RINVDFTMSGID, says="There are no predefined messages here.")
    if pdu.short_message and pdu.tlv(Tag.MESSAGE_PAYLOAD):  # §5.2.22: one or the other
        return Decline(status=Status.ESME_RINVMSGLEN, says="The text is in short_message or in message_payload, not in both.")
    return None


def alphabet_of(data_coding: int) -> Alphabet | None:
    """The alphabet of a text in this coding, None for what is no text or is not read here. §5.2.19, 3GPP TS 23.038 §4."""
    match data_coding:
        case DataCoding.SMSC_DEFAULT:
            return Alphabet.GSM7
        case DataCoding.IA5 | DataCoding.LATIN_1:
            return Alphabet.LATIN1
        case DataCoding.UCS2:
            return Alphabet.UCS2
    if data_coding & 0xF0 == 0xF0:  # a class, flash among them, in GSM 7-bit or octets
        return None if data_coding & 0x04 else Alphabet.GSM7
    if data_coding & 0xF0 == 0x10:  # a class and an alphabet
        return {0x00: Alphabet.GSM7, 0x08: Alphabet.UCS2}.get(data_coding & 0x0C)
    return None


def sender_of(address: str, ton: int) -> str:
    """A source address as an order's sender."""
    digits = address.lstrip("+")
    if ton == Ton.ALPHANUMERIC or not _is_number(address):
        return address
    if ton == Ton.INTERNATIONAL or address.startswith("+"):
        return f"+{digits}"
    if ton in (Ton.NATIONAL, Ton.ABBREVIATED, Ton.NETWORK_SPECIFIC) or len(digits) <= _NATIONAL_DIGITS_MAX:
        return digits  # a short code, or a number as its own country writes it
    return f"+{digits}"


def recipient_of(address: str, ton: int) -> str:
    """A destination address as an order's recipient."""
    digits = address.lstrip("+")
    if not _is_number(address) or ton == Ton.NATIONAL:
        return address
    if ton == Ton.INTERNATIONAL or address.startswith("+") or len(digits) > _NATIONAL_DIGITS_MAX:
        return f"+{digits.removeprefix('00') if ton != Ton.INTERNATIONAL else digits}"
    return digits


def _is_number(address: str) -> bool:
    digits = address.removeprefix("+")
    return digits.isascii() and digits.isdigit()


def instant(text: str, *, now: datetime) -> datetime | None:
    """A time of SMPP, absolute or relative to `now`; None where it is none. §7.1.1."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    years, months, days, hours, minutes, seconds, tenths, quarters = (int(match[number]) for number in range(1, 9))
    try:
        if match[9] == "R":
            # Years and months have no length of their own: 365 and 30 days.
            whole = timedelta(days=years * 365 + months * 30 + days, hours=hours, minutes=minutes, seconds=seconds)
            return now + whole
        if quarters > 48:
            return None
        zone = timezone(timedelta(minutes=15 * quarters) * (1 if match[9] == "+" else -1))
        at = datetime(2000 + years, months, days, hours, minutes, seconds, tenths * 100_000, tzinfo=zone)
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


# ── out: answers ─────────────────────────────────────────────────────────────────────────────────────────


def decline_of(refused: Refused) -> Decline:
    """A refusal of ours in SMPP's words; the text begins with its code."""
    status = _STATUSES.get(refused.code, Status.ESME_RSUBMITFAIL)
    return Decline(status=status, says=f"{refused.code} {refused.message}")


def decline_for(fault: StoreFault) -> Decline:
    """What a customer is told while the store cannot take more: always to come again."""
    match fault:
        case StoreBusy():
            return Decline(status=Status.ESME_RTHROTTLED, says="More waits for the store than it takes in: slow down.")
        case StoreFull():
            return Decline(status=Status.ESME_RMSGQFUL, says="There is no room left on the disk.")
        case _:
            return Decline(status=Status.ESME_RSYSERR, says="The store cannot take it now.")


def declined(request: Pdu, decline: Decline, *, explain: bool) -> Pdu:
    """The response that says so. §4.4.2 wants it without a body; only who asked for more is also told in words."""
    answer = response_to(request, decline.status)
    if not explain:
        return answer
    said = decline.says.encode("ascii", "replace").decode()[:_STATUS_TEXT_MAX]
    return type(answer)(sequence=answer.sequence, status=answer.status, tlvs=(tlv(Tag.ADDITIONAL_STATUS_INFO_TEXT, said),))


def state_of(message: Message) -> tuple[MessageState, str]:
    """message_state and the word of appendix B for where a message stands."""
    return _state(message.status, message.error_code)


def final_date(message: Message) -> str:
    """When a message came to its end; empty while it has not. §4.8.2."""
    return absolute(message.updated_at) if message.status in FINAL else ""


def absolute(at: datetime) -> str:
    """An instant as SMPP writes it, in UTC. §7.1.1."""
    return f"{at.astimezone(UTC):%y%m%d%H%M%S}{at.microsecond // 100_000}00+"


# ── out: what a bound receiver is told ───────────────────────────────────────────────────────────────────


def pdus_of(delivery: Delivery, settings: AccountSettings) -> list[DeliverSm]:
    """The deliver_sm of an event, several for a long text."""
    if delivery.event == "status":
        return [_receipt(delivery, settings)]
    return _text(delivery, settings)


def _receipt(delivery: Delivery, settings: AccountSettings) -> DeliverSm:
    params = delivery.params
    status, code = Standing(params["MessageStatus"]), int(params.get("ErrorCode") or 0)
    state, word = _state(status, code)
    done = state in (MessageState.DELIVERED,)
    shown = "".join(char if _is_the_same_in_both(char) else "?" for char in params["Text"])
    text = (
        f"id:{params['MessageSid']} sub:001 dlvrd:{int(done):03} submit date:{_minutes(params['Submitted'])} "
        f"done date:{_minutes(params['Done'])} stat:{word} err:{code % 1000:03} text:{shown}"
    )
    intermediate = state is MessageState.ENROUTE
    tlvs = [tlv(Tag.RECEIPTED_MESSAGE_ID, params["MessageSid"]), tlv(Tag.MESSAGE_STATE, int(state))]
    if code:
        tlvs.append(tlv(Tag.NETWORK_ERROR_CODE, bytes((_GSM_NETWORK,)) + (code & 0xFFFF).to_bytes(2, "big")))
        tlvs += _own(settings, (ERROR_CODE, str(code)))
    return _deliver(
        source=params["To"],
        destination=params["From"],
        esm_class=EsmClass.INTERMEDIATE_NOTIFICATION if intermediate else EsmClass.RECEIPT,
        octets=text.encode("ascii")[:SHORT_MESSAGE_OCTETS_MAX],
        tlvs=tuple(tlvs),
    )


def _text(delivery: Delivery, settings: AccountSettings) -> list[DeliverSm]:
    params = delivery.params
    body = params["Body"]
    alphabet, coding = (Alphabet.GSM7, 0) if gsm7.fits(body) else (Alphabet.UCS2, int(DataCoding.UCS2))
    own = _own(
        settings,
        (OPT_OUT_TYPE, params.get("OptOutType", "")),
        (MESSAGING_SERVICE, params.get("MessagingServiceSid", "")),
        (MESSAGE_SID, params["MessageSid"]),
    )
    deliver = partial(_deliver, source=params["From"], destination=params["To"], data_coding=coding)
    parts = segments.split(body)
    if len(parts) == 1:
        return [deliver(octets=encode(body, alphabet), tlvs=own)]
    if settings.smpp_long == "payload" or len(parts) > udh.PARTS_MAX:
        payload = Tlv(Tag.MESSAGE_PAYLOAD, encode(body, alphabet)[: 0xFFFF - 1])
        return [deliver(tlvs=(payload, *own))]
    reference = hashlib.sha256(params["MessageSid"].encode()).digest()[0]
    return [
        deliver(
            esm_class=EsmClass.UDHI,
            octets=udh.header(udh.Concat(reference=reference, width=8, total=len(parts), part=number)) + encode(part, alphabet),
            tlvs=own,
        )
        for number, part in enumerate(parts, start=1)
    ]


def _deliver(
    *, source: str, destination: str, esm_class: int = 0, octets: bytes = b"", data_coding: int = 0, tlvs: tuple[Tlv, ...] = ()
) -> DeliverSm:
    from_, from_ton, from_npi = _address(source)
    to, to_ton, to_npi = _address(destination)
    return DeliverSm(
        source_addr=from_,
        source_addr_ton=from_ton,
        source_addr_npi=from_npi,
        destination_addr=to,
        dest_addr_ton=to_ton,
        dest_addr_npi=to_npi,
        esm_class=int(esm_class),
        data_coding=data_coding,
        short_message=octets,
        tlvs=tlvs,
    )


def _address(address: str) -> tuple[str, int, int]:
    """An address of ours with its type and numbering plan; numbers stand without their plus. §5.2.5, §5.2.8."""
    if address.startswith("+"):
        return address[1:21], Ton.INTERNATIONAL, Npi.ISDN
    if address.isdigit() and len(address) <= _SHORT_CODE_DIGITS_MAX:
        return address, Ton.NETWORK_SPECIFIC, Npi.UNKNOWN
    return address[:20], Ton.ALPHANUMERIC if address else Ton.UNKNOWN, Npi.UNKNOWN


def _own(settings: AccountSettings, *pairs: tuple[int, str]) -> tuple[Tlv, ...]:
    """TLVs of ours, where the account wants them: some stacks drop a PDU with a tag that they do not know."""
    if settings.smpp_tlvs != "vendor":
        return ()
    return tuple(Tlv(tag, value.encode("ascii", "replace") + b"\0") for tag, value in pairs if value)


def _state(status: Standing, code: int | None) -> tuple[MessageState, str]:
    if status is Standing.FAILED and code == _EXPIRED:
        return MessageState.EXPIRED, "EXPIRED"
    return _STATES[status]


def _is_the_same_in_both(char: str) -> bool:
    """Whether a character has the same octet in ASCII and in GSM 7-bit, so that no reader mistakes it."""
    return " " <= char <= "~" and gsm7.fits(char) and gsm7.encode(char) == char.encode("ascii")


def _minutes(iso: str) -> str:
    return f"{datetime.fromisoformat(iso).astimezone(UTC):%y%m%d%H%M}"
