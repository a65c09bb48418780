"""Between our values and PDUs: a part as submit_sm, a status as an outcome, a deliver_sm as a text or a report.

Pure. What is sent when, and over which bind, is told in `carrier`.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from stopwire.carriers.smpp.settings import PACKED, Settings
from stopwire.core import gsm7, receipts
from stopwire.core.address import SenderKind, kind_of, parse_recipient, parse_sender
from stopwire.core.alphabets import Alphabet, decode, encode, of_ia5
from stopwire.core.message import Status as MessageStatus
from stopwire.core.outcomes import Cause, DeliveryReport, Outcome, OutcomeKind, Part, Received, hint_of
from stopwire.smpp import receipt, udh
from stopwire.smpp.fields import (
    DataCoding,
    EsmClass,
    Kind,
    MessageState,
    Npi,
    RegisteredDelivery,
    Status,
    Tag,
    Ton,
    meaning,
)
from stopwire.smpp.pdu import DataSm, DeliverSm, SubmitSm, body, tlv, tlv_int

SHORT_CODE_DIGITS_MAX: Final = 8
ADDRESS_OCTETS_MAX: Final = 20  # §5.2.8, without the NUL
VALIDITY_DAYS_MAX: Final = 99

_CAUSES: Final = {
    Status.ESME_RINVDSTADR: Cause.UNKNOWN_HANDSET,
    Status.ESME_RINVDSTTON: Cause.UNKNOWN_HANDSET,
    Status.ESME_RINVDSTNPI: Cause.UNKNOWN_HANDSET,
    Status.ESME_RX_R_APPN: Cause.BLOCKED,
    Status.ESME_RTHROTTLED: Cause.THROTTLED,
    Status.ESME_RMSGQFUL: Cause.THROTTLED,
}
_REPORTED: Final = {  # Twilio's code for each final state; None: not final, nothing to tell
    MessageState.DELIVERED: (MessageStatus.DELIVERED, None),
    MessageState.EXPIRED: (MessageStatus.UNDELIVERED, 30003),  # not reached while it was valid
    MessageState.DELETED: (MessageStatus.UNDELIVERED, 30008),
    MessageState.UNDELIVERABLE: (MessageStatus.UNDELIVERED, 30008),
    MessageState.UNKNOWN: (MessageStatus.UNDELIVERED, 30008),
    MessageState.REJECTED: (MessageStatus.UNDELIVERED, 30007),
    MessageState.SKIPPED: (MessageStatus.UNDELIVERED, 30008),
}
_CR: Final = b"\r"
_NOTHING: Final = b"\0"
# Parts are told apart by reference and kind of reference: 8 bits, 16 bits, SAR.
_WIDTHS: Final = {8: 0, 16: 0x10000}
_SAR: Final = 0x20000
# GSM 03.38 general data coding (TS 23.038 §4): bits 3-2 name the alphabet in the groups 00xx and 1111.
_GSM_ALPHABETS: Final = {0: Alphabet.GSM7, 1: Alphabet.OCTETS, 2: Alphabet.UCS2, 3: Alphabet.GSM7}


def submits(part: Part, settings: Settings, *, now: datetime) -> list[SubmitSm]:
    """The submit_sm of each segment of `part`, in order. Raises ValueError or PduError where it cannot be written."""
    text = part.body if not part.media else "\n".join([part.body, *part.media]).strip()
    octets, coding, unit = _written(text, settings)
    source_ton, source_npi, source = address(part.sender, settings)
    dest_ton, dest_npi, destination = address(part.recipient, settings)
    for wrong in (text for text in (source, destination) if len(text) > ADDRESS_OCTETS_MAX or not text.isascii()):
        raise ValueError(f"{wrong!r} is no address of SMPP, which has at most {ADDRESS_OCTETS_MAX} ASCII characters.")
    like = SubmitSm(
        service_type=settings.service_type,
        source_addr_ton=source_ton,
        source_addr_npi=source_npi,
        source_addr=source,
        dest_addr_ton=dest_ton,
        dest_addr_npi=dest_npi,
        destination_addr=destination,
        validity_period=_validity(part.expires_at, now),
        registered_delivery=RegisteredDelivery.FINAL if settings.receipts else RegisteredDelivery.NONE,
        data_coding=coding,
        tlvs=(tlv(Tag.USER_MESSAGE_REFERENCE, hint_of(part.attempt)),) if settings.user_message_reference else (),
    )
    if settings.long_messages == "payload" and len(octets) > udh.ROOM[unit][0]:
        return [replace(like, tlvs=(*like.tlvs, tlv(Tag.MESSAGE_PAYLOAD, _laid(octets, unit, settings))))]
    width = 16 if settings.long_messages == "udh16" else 8
    pieces = udh.split(octets, unit, width=width)
    if len(pieces) == 1:
        return [replace(like, short_message=_laid(octets, unit, settings))]
    made = []
    for number, piece in enumerate(pieces, start=1):
        reference = hint_of(part.attempt) & ((1 << width) - 1)
        place = udh.Concat(reference=reference, width=width, total=len(pieces), part=number)
        if settings.long_messages == "sar":
            laid = _laid(piece, unit, settings)
            made.append(replace(like, short_message=laid, tlvs=(*like.tlvs, *udh.sar_tlvs(place))))
        else:
            header = udh.header(place)
            laid = _laid(piece, unit, settings, behind=len(header))
            made.append(replace(like, short_message=header + laid, esm_class=EsmClass.UDHI))
    return made


def _laid(octets: bytes, unit: udh.Unit, settings: Settings, *, behind: int = 0) -> bytes:
    """A piece as this carrier wants it: packed, `behind` octets of header (TS 23.040 §9.2.3.24), or as it is."""
    if settings.default_alphabet != PACKED or unit is not udh.Unit.SEPTETS:
        return octets
    fill = _fill_bits(behind)
    # Where a whole septet would be left over, whoever counts octets reads it: as CR it is no letter (TS 23.038 §6.1.2.3.1).
    left_over = (8 * len(gsm7.pack(octets, fill_bits=fill)) - fill) // 7 > len(octets)
    return gsm7.pack(octets + _CR if left_over else octets, fill_bits=fill)


def _fill_bits(behind: int) -> int:
    """Bits between a header and the text, which begins at a septet."""
    return -8 * behind % 7


def _unpacked(octets: bytes, *, behind: int, ends: bool) -> bytes:
    """The septets in packed octets. How many they were is not said: one that only fills the last octet is taken off.

    Where the text `ends` it may have been an @; far more often it is nothing. A part before the last is full.
    """
    fill = _fill_bits(behind)
    septets = gsm7.unpack(octets, len(octets) * 8 // 7, fill_bits=fill)
    may_fill = (8 * len(octets) - fill) % 7 == 0 and septets[-1:] in ((_CR, _NOTHING) if ends else (_CR,))
    return septets[:-1] if may_fill else septets


def _written(text: str, settings: Settings) -> tuple[bytes, int, udh.Unit]:
    """Octets, data_coding, and what the octets are."""
    if gsm7.fits(text):
        if settings.default_alphabet in ("gsm7", PACKED):
            return encode(text, Alphabet.GSM7), DataCoding.SMSC_DEFAULT, udh.Unit.SEPTETS
        if _is_latin(text):
            # The carrier turns Latin-1 into the alphabet of the air: a segment holds as many characters as septets.
            return encode(text, Alphabet.LATIN1), DataCoding.SMSC_DEFAULT, udh.Unit.SEPTETS
    return encode(text, Alphabet.UCS2), DataCoding.UCS2, udh.Unit.UCS2


def _is_latin(text: str) -> bool:
    """In Latin-1, and one septet each on the air."""
    return all(char <= "\u00ff" for char in text) and not gsm7.has_pairs(text)


def address(text: str, settings: Settings) -> tuple[int, int, str]:
    """Type of number, numbering plan and digits of an address of ours or a person's. §5.2.5, §5.2.6."""
    bare = text.partition(":")[2] or text
    match kind_of(bare):
        case SenderKind.ALPHANUMERIC:
            return Ton.ALPHANUMERIC, Npi.UNKNOWN, bare
        case SenderKind.SHORT_CODE:
            return settings.short_code_ton, settings.short_code_npi, bare
    return Ton.INTERNATIONAL, Npi.ISDN, bare.removeprefix("+")


def _validity(expires_at: datetime | None, now: datetime) -> str:
    """The time left, in the relative form of §7.1.1: a clock that is wrong on either side does no harm."""
    if expires_at is None:
        return ""
    left = max(1, int((expires_at - now).total_seconds()))
    days, seconds = divmod(left, 86_400)
    if days > VALIDITY_DAYS_MAX:
        return ""
    return f"0000{days:02}{seconds // 3600:02}{seconds // 60 % 60:02}{seconds % 60:02}000R"


def refused(code: int, settings: Settings) -> tuple[OutcomeKind, Cause, bool]:
    """What a command_status other than 0 means: kind, cause, and whether we were too fast."""
    if code in settings.statuses:
        cause = settings.statuses[code]
        return (OutcomeKind.DEFERRED, Cause.OTHER, False) if cause is None else (OutcomeKind.REJECTED, cause, False)
    cause = _CAUSES.get(Status(code), Cause.OTHER) if code in _LISTED else Cause.OTHER
    match meaning(code).kind:
        case Kind.THROTTLED:
            return OutcomeKind.DEFERRED, Cause.THROTTLED, True
        case Kind.TEMPORARY | Kind.BIND | Kind.PROTOCOL:
            return OutcomeKind.DEFERRED, cause, False
        case _:
            return OutcomeKind.REJECTED, cause, False


def said(code: int) -> str:
    """A status in the carrier's words."""
    told = meaning(code)
    return f"{told.name} (0x{code:02X}): {told.sentence}"


def heard(pdu: DeliverSm | DataSm, settings: Settings, connection: str) -> Received:
    """The text, or the part of one, that a person sent. Never raises: what cannot be read is kept raw."""
    place, headed = udh.part_of(pdu)
    alphabet, octets = _alphabet(pdu.data_coding, settings), headed.octets
    if alphabet is Alphabet.GSM7 and settings.default_alphabet == PACKED:
        octets = _unpacked(octets, behind=len(body(pdu)) - len(octets), ends=place is None or place.part == place.total)
    elif pdu.data_coding == DataCoding.IA5:
        alphabet = of_ia5(octets)
    elif alphabet is Alphabet.GSM7 and any(octet > 0x7F for octet in octets):
        alphabet = Alphabet.LATIN1  # no septets: the carrier means its own character set
    reference = None
    if place is not None:
        is_sar = tlv_int(pdu, Tag.SAR_TOTAL_SEGMENTS) is not None and not udh.concat(headed.elements)
        reference = place.reference + (_SAR if is_sar else _WIDTHS[place.width])
    return Received(
        connection=connection,
        sender=ours(pdu.destination_addr, pdu.dest_addr_ton, settings),
        recipient=person(pdu.source_addr, pdu.source_addr_ton, settings),
        body=decode(octets, alphabet),
        part_reference=reference,
        part=place.part if place else 1,
        parts=place.total if place else 1,
        octets=octets,
        alphabet=alphabet.value,
    )


def _alphabet(coding: int, settings: Settings) -> Alphabet:
    match coding:
        case DataCoding.SMSC_DEFAULT:
            return Alphabet.LATIN1 if settings.default_alphabet == "latin1" else Alphabet.GSM7
        case DataCoding.IA5 | DataCoding.LATIN_1:
            return Alphabet.LATIN1
        case DataCoding.UCS2:
            return Alphabet.UCS2
        case DataCoding.OCTETS | DataCoding.OCTETS_8BIT:
            return Alphabet.OCTETS
    if coding >> 6 == 0 and coding & 0x10:  # 00x1: an alphabet and a class
        return _GSM_ALPHABETS[coding >> 2 & 0x3]
    if coding >> 4 == 0xF:
        return Alphabet.OCTETS if coding & 0x4 else Alphabet.GSM7
    return Alphabet.OCTETS


def reports(pdu: DeliverSm | DataSm, found: receipt.Receipt, settings: Settings, connection: str) -> list[DeliveryReport]:
    """What a receipt reports: nothing where its state is not final, or it names no message."""
    if found.intermediate or not found.ids or found.state not in _REPORTED:
        return []
    status, code = _REPORTED[found.state]
    if status is not MessageStatus.DELIVERED:
        code = settings.errors.get(found.error.lstrip("0") or "0", code)
    forms = tuple(dict.fromkeys(form for id in found.ids for form in receipts.forms_of(id, written=settings.receipt_id)))
    return [
        DeliveryReport(
            connection=connection,
            reference=found.id.strip(),
            status=status,
            error_code=code,
            forms=forms,
            sender=ours(pdu.destination_addr, pdu.dest_addr_ton, settings),
            recipient=person(pdu.source_addr, pdu.source_addr_ton, settings),
            hint=tlv_int(pdu, Tag.USER_MESSAGE_REFERENCE),
        )
    ]


def ours(text: str, ton: int, settings: Settings) -> str:
    """An address of ours as the carrier writes it, in our form."""
    bare = text.strip()
    digits = bare.removeprefix("+").removeprefix("00") if ton != Ton.ALPHANUMERIC else bare
    if ton != Ton.ALPHANUMERIC and digits.isdecimal():
        if len(digits) <= SHORT_CODE_DIGITS_MAX and ton != Ton.INTERNATIONAL:
            return digits
        return _number(digits, ton, settings)
    return parse_sender(bare) or bare


def person(text: str, ton: int, settings: Settings) -> str:
    """A person's number as the carrier writes it, in E.164 where it can be."""
    bare = text.strip().removeprefix("+").removeprefix("00")
    return _number(bare, ton, settings) if bare.isdecimal() else text.strip()


def _number(digits: str, ton: int, settings: Settings) -> str:
    if settings.country and ton in (Ton.NATIONAL, Ton.UNKNOWN, Ton.SUBSCRIBER_NUMBER):
        national = parse_recipient(digits, settings.country)
        if national is not None:
            return national
    return f"+{digits}"


def refused_outcome(attempt: str, code: int, settings: Settings, *, which: str, wait: float) -> Outcome:
    """The outcome of a part of which the carrier took nothing."""
    kind, cause, _ = refused(code, settings)
    return Outcome(
        attempt=attempt,
        kind=kind,
        cause=cause,
        detail=f"{which}{said(code)}",
        retry_after_seconds=wait if kind is OutcomeKind.DEFERRED else None,
    )


def counted(number: int, total: int, ids: Sequence[str]) -> str:
    """Which segment something was about; nothing where there is one only."""
    return "" if total == 1 else f"segment {number} of {total}, {len([i for i in ids if i])} taken: "


_LISTED: Final = frozenset(int(status) for status in Status)
