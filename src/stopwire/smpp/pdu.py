"""SMPP 3.4 PDUs as values, one table of their fields, `encode` and `decode`.

Strict where we write and where we are asked, tolerant where we are answered or told: a TLV that nobody knows is kept
raw, one that is broken is flagged. What a field means is not judged here, and octets never become text.
"""

import re
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from dataclasses import fields as dataclass_fields
from enum import Enum
from operator import attrgetter
from typing import ClassVar, Final, NamedTuple

from stopwire.smpp.fields import INTERFACE_VERSION, RESPONSE, TLVS, Command, Status, Tag, TlvType

HEADER_OCTETS: Final = 16  # §3.2: length, id, status, sequence number: four octets each
PDU_OCTETS_MAX: Final = 65536  # a message_payload of 64 KiB - 1 and a long address are the most one could want
SHORT_MESSAGE_OCTETS_MAX: Final = 254  # §5.2.22
PASSWORD_OCTETS_MAX: Final = 65  # §5.2.2 says 9, but carriers hand out longer ones, and so do we
TOLD_OCTETS_MAX: Final = 255  # of a field in what a carrier tells, whatever its own size: a STOP is not lost for it

_HEADER = struct.Struct(">IIII")
_TLV = struct.Struct(">HH")


class PduError(Exception):
    """A PDU that cannot be read or written: the status that says so to the peer, a sentence, whose PDU it was."""

    def __init__(self, status: Status, sentence: str, *, sequence: int = 0, command: int = 0) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.sequence = sequence
        self.command = command


class Tlv(NamedTuple):
    """An optional parameter as it stands in the PDU. §3.2.4."""

    tag: int
    octets: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Pdu:
    """What every PDU has. C-octet strings are `str` of the characters U+0001 to U+00FF, one an octet; bodies are `bytes`."""

    command: ClassVar[Command]

    sequence: int = 0  # 0 until a session gives it one
    status: int = Status.ESME_ROK  # of a response; NULL in a request
    tlvs: tuple[Tlv, ...] = field(default=(), repr=False)  # may hold the body of a message
    broken_tlvs: bool = False  # the octets after the last of `tlvs` were no TLV

    def tlv(self, tag: int) -> bytes | None:
        """The octets of the first TLV with this tag."""
        for found, octets in self.tlvs:
            if found == tag:
                return octets
        return None


# --- the session: §4.1, §4.2, §4.3, §4.11 ---


@dataclass(frozen=True, slots=True, kw_only=True)
class BindTransmitter(Pdu):
    command = Command.BIND_TRANSMITTER
    system_id: str = ""
    password: str = field(default="", repr=False)
    system_type: str = ""
    interface_version: int = INTERFACE_VERSION
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BindReceiver(Pdu):
    command = Command.BIND_RECEIVER
    system_id: str = ""
    password: str = field(default="", repr=False)
    system_type: str = ""
    interface_version: int = INTERFACE_VERSION
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BindTransceiver(Pdu):
    command = Command.BIND_TRANSCEIVER
    system_id: str = ""
    password: str = field(default="", repr=False)
    system_type: str = ""
    interface_version: int = INTERFACE_VERSION
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BindTransmitterResp(Pdu):
    command = Command.BIND_TRANSMITTER_RESP
    system_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BindReceiverResp(Pdu):
    command = Command.BIND_RECEIVER_RESP
    system_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BindTransceiverResp(Pdu):
    command = Command.BIND_TRANSCEIVER_RESP
    system_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbind(Pdu):
    command = Command.OUTBIND
    system_id: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbind(Pdu):
    command = Command.UNBIND


@dataclass(frozen=True, slots=True, kw_only=True)
class UnbindResp(Pdu):
    command = Command.UNBIND_RESP


@dataclass(frozen=True, slots=True, kw_only=True)
class EnquireLink(Pdu):
    command = Command.ENQUIRE_LINK


@dataclass(frozen=True, slots=True, kw_only=True)
class EnquireLinkResp(Pdu):
    command = Command.ENQUIRE_LINK_RESP


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericNack(Pdu):
    command = Command.GENERIC_NACK


# --- messages: §4.4 to §4.7 ---


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitSm(Pdu):
    command = Command.SUBMIT_SM
    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitSmResp(Pdu):
    command = Command.SUBMIT_SM_RESP
    message_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverSm(Pdu):
    command = Command.DELIVER_SM
    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverSmResp(Pdu):
    command = Command.DELIVER_SM_RESP
    message_id: str = ""  # §4.6.2: unused, empty


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSm(Pdu):
    command = Command.DATA_SM
    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSmResp(Pdu):
    command = Command.DATA_SM_RESP
    message_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitMulti(Pdu):
    """One message to many: read far enough to decline it."""

    command = Command.SUBMIT_MULTI
    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    number_of_dests: int = 0
    rest: bytes = field(default=b"", repr=False)  # the destinations and what follows them, unread


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitMultiResp(Pdu):
    command = Command.SUBMIT_MULTI_RESP
    message_id: str = ""
    no_unsuccess: int = 0
    rest: bytes = field(default=b"", repr=False)  # the destinations that failed, unread


# --- what becomes of messages: §4.8 to §4.10, §4.12 ---


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySm(Pdu):
    command = Command.QUERY_SM
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySmResp(Pdu):
    command = Command.QUERY_SM_RESP
    message_id: str = ""
    final_date: str = ""
    message_state: int = 0
    error_code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSm(Pdu):
    command = Command.CANCEL_SM
    service_type: str = ""
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSmResp(Pdu):
    command = Command.CANCEL_SM_RESP


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceSm(Pdu):
    command = Command.REPLACE_SM
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceSmResp(Pdu):
    command = Command.REPLACE_SM_RESP


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertNotification(Pdu):
    command = Command.ALERT_NOTIFICATION
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    esme_addr_ton: int = 0
    esme_addr_npi: int = 0
    esme_addr: str = ""


# --- the one table of fields ---


class _Form(Enum):
    C_OCTETS = "a C-octet string: octets that are not NUL, then NUL"
    INT = "an integer of one octet"
    SHORT_MESSAGE = "its length in one octet, then that many octets"
    REST = "whatever is left of the PDU"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    form: _Form
    octets_max: int  # with the NUL
    status: Status  # what a fault in this field is called
    section: str  # where the specification tells of it


def _text(octets_max: int, status: Status, section: str) -> _Field:
    return _Field(form=_Form.C_OCTETS, octets_max=octets_max, status=status, section=section)


def _int(section: str, status: Status = Status.ESME_RINVPARLEN) -> _Field:
    return _Field(form=_Form.INT, octets_max=1, status=status, section=section)


def _see(section: str) -> str:
    """Where the specification says so: whoever argues with a carrier needs it."""
    return f"(SMPP 3.4 §{section})"


# Sizes and statuses of §5.2, each once; a field with a name of its own has them wherever it stands …
_FIELDS: Final[dict[str, _Field]] = {
    "system_id": _text(16, Status.ESME_RINVSYSID, "5.2.1"),
    "password": _text(PASSWORD_OCTETS_MAX, Status.ESME_RINVPASWD, "5.2.2"),
    "system_type": _text(13, Status.ESME_RINVSYSTYP, "5.2.3"),
    "interface_version": _int("5.2.4", Status.ESME_RBINDFAIL),
    "addr_ton": _int("5.2.5", Status.ESME_RBINDFAIL),
    "addr_npi": _int("5.2.6", Status.ESME_RBINDFAIL),
    "address_range": _text(41, Status.ESME_RBINDFAIL, "5.2.7"),
    "source_addr_ton": _int("5.2.5", Status.ESME_RINVSRCTON),
    "source_addr_npi": _int("5.2.6", Status.ESME_RINVSRCNPI),
    "source_addr": _text(21, Status.ESME_RINVSRCADR, "5.2.8"),
    "dest_addr_ton": _int("5.2.5", Status.ESME_RINVDSTTON),
    "dest_addr_npi": _int("5.2.6", Status.ESME_RINVDSTNPI),
    "destination_addr": _text(21, Status.ESME_RINVDSTADR, "5.2.9"),
    "esme_addr_ton": _int("5.2.5"),
    "esme_addr_npi": _int("5.2.6"),
    "esme_addr": _text(65, Status.ESME_RINVPARLEN, "5.2.10"),
    "service_type": _text(6, Status.ESME_RINVSERTYP, "5.2.11"),
    "esm_class": _int("5.2.12", Status.ESME_RINVESMCLASS),
    "protocol_id": _int("5.2.13"),
    "priority_flag": _int("5.2.14", Status.ESME_RINVPRTFLG),
    "schedule_delivery_time": _text(17, Status.ESME_RINVSCHED, "5.2.15"),
    "validity_period": _text(17, Status.ESME_RINVEXPIRY, "5.2.16"),
    "registered_delivery": _int("5.2.17", Status.ESME_RINVREGDLVFLG),
    "replace_if_present_flag": _int("5.2.18", Status.ESME_RINVREPFLAG),
    "data_coding": _int("5.2.19"),
    "sm_default_msg_id": _int("5.2.20", Status.ESME_RINVDFTMSGID),
    "short_message": _Field(
        form=_Form.SHORT_MESSAGE, octets_max=SHORT_MESSAGE_OCTETS_MAX, status=Status.ESME_RINVMSGLEN, section="5.2.22"
    ),
    "message_id": _text(65, Status.ESME_RINVMSGID, "5.2.23"),
    "number_of_dests": _int("5.2.24", Status.ESME_RINVNUMDESTS),
    "no_unsuccess": _int("5.2.26"),
    "final_date": _text(17, Status.ESME_RINVPARLEN, "4.8.2"),
    "message_state": _int("5.2.28"),
    "error_code": _int("4.8.2"),
    "rest": _Field(form=_Form.REST, octets_max=PDU_OCTETS_MAX, status=Status.ESME_RINVMSGLEN, section="4.5"),
}

# … but for these: §4.7.1 and §4.12.1 give addresses more room.
_EXCEPTIONS: Final[dict[tuple[Command, str], _Field]] = {
    (Command.DATA_SM, "source_addr"): _text(65, Status.ESME_RINVSRCADR, "4.7.1"),
    (Command.DATA_SM, "destination_addr"): _text(65, Status.ESME_RINVDSTADR, "4.7.1"),
    (Command.ALERT_NOTIFICATION, "source_addr"): _text(65, Status.ESME_RINVSRCADR, "4.12.1"),
}

PDUS: Final[tuple[type[Pdu], ...]] = (
    BindTransmitter, BindTransmitterResp, BindReceiver, BindReceiverResp, BindTransceiver, BindTransceiverResp,
    Outbind, Unbind, UnbindResp, EnquireLink, EnquireLinkResp, GenericNack,
    SubmitSm, SubmitSmResp, DeliverSm, DeliverSmResp, DataSm, DataSmResp, SubmitMulti, SubmitMultiResp,
    QuerySm, QuerySmResp, CancelSm, CancelSmResp, ReplaceSm, ReplaceSmResp, AlertNotification,
)  # fmt: skip

type_of: Final[dict[int, type[Pdu]]] = {pdu.command: pdu for pdu in PDUS}


# Only a message centre sends these (§4.6, §4.12). A permanent error would lose what they tell, and nobody would bring it again.
_TOLD: Final = frozenset({Command.DELIVER_SM, Command.ALERT_NOTIFICATION})


class _Layout:
    """The body of one command, made ready: a pattern that reads its fields, a format that writes them.

    A fault makes pattern or format fail; only then are the fields walked one by one, to name the one at fault.
    """

    def __init__(self, pdu: type[Pdu]) -> None:
        header = {one.name for one in dataclass_fields(Pdu)}
        own = [one for one in dataclass_fields(pdu) if one.name not in header]
        self.type = pdu
        self.command: Final = int(pdu.command)
        self.is_response: Final = bool(pdu.command & RESPONSE)
        self.is_told: Final = pdu.command in _TOLD
        self.fields = [(one.name, _EXCEPTIONS.get((pdu.command, one.name)) or _FIELDS[one.name]) for one in own]
        self.defaults = tuple(one.default for one in own)
        self.tail = self.fields[-1][1].form if self.fields else None
        fixed = [(name, what) for name, what in self.fields if what.form in (_Form.C_OCTETS, _Form.INT)]
        self.fixed = len(fixed)
        self.pattern = re.compile("".join(map(self._piece, fixed)), re.DOTALL)
        self.format = "".join("%s\0" if what.form is _Form.C_OCTETS else "%c" for _, what in fixed)
        self.room = [(at, what.octets_max) for at, (_, what) in enumerate(fixed) if what.form is _Form.C_OCTETS]
        # Frozen values are filled through their slots: half the time of __init__, on the way of every message.
        self.setters = [_setter(pdu, name) for name, _ in self.fields]
        self.readers = [ord if what.form is _Form.INT else None for _, what in fixed]
        names = [name for name, _ in self.fields]
        self.values: Callable[[Pdu], tuple[object, ...]]
        if len(names) > 1:
            self.values = attrgetter(*names)
        else:
            self.values = lambda pdu: tuple(getattr(pdu, name) for name in names)

    def _piece(self, part: tuple[str, _Field]) -> str:
        if part[1].form is _Form.INT:
            return "(.)"
        # A peer's answer has no answer: an id that is too long is taken as it is, or the message would be lost to us.
        limit = "" if self.is_response else self.most(part[1]) - 1
        return f"([^\0]{{0,{limit}}})\0"

    def most(self, what: _Field) -> int:
        """The octets that a field may have where it is read."""
        return max(TOLD_OCTETS_MAX, what.octets_max) if self.is_told else what.octets_max


def _setter(pdu: type[Pdu], name: str) -> Callable[[object, object], None]:
    setter: Callable[[object, object], None] = getattr(pdu, name).__set__
    return setter


_LAYOUTS: Final[dict[int, _Layout]] = {int(pdu.command): _Layout(pdu) for pdu in PDUS}
_set_sequence, _set_status = _setter(Pdu, "sequence"), _setter(Pdu, "status")
_set_tlvs, _set_broken = _setter(Pdu, "tlvs"), _setter(Pdu, "broken_tlvs")


def encode(pdu: Pdu, *, sequence: int | None = None) -> bytes:
    """The octets of `pdu`, under another sequence number if one is given.

    Raises PduError with the field's own status if a value does not fit its field.
    """
    if sequence is None:
        sequence = pdu.sequence
    layout = _LAYOUTS[pdu.command]
    values = layout.values(pdu)
    if pdu.status and layout.is_response and not pdu.tlvs and values == layout.defaults:
        body = b""  # §4.1.2, §4.4.2 …: no body is returned with an error
    else:
        try:
            for at, octets_max in layout.room:
                text = values[at]
                if len(text) >= octets_max or "\0" in text:  # type: ignore[arg-type, operator]  # a str, or the walk says so
                    raise _misfit(layout, pdu, values)
            fixed = values[: layout.fixed] if layout.tail is not None else ()
            body = (layout.format % fixed).encode("latin-1")
        except (TypeError, ValueError, OverflowError) as error:
            raise _misfit(layout, pdu, values) from error
        if layout.fixed < len(values):
            octets = values[-1]
            assert isinstance(octets, bytes)
            if layout.tail is _Form.SHORT_MESSAGE:
                if len(octets) > SHORT_MESSAGE_OCTETS_MAX:
                    raise _misfit(layout, pdu, values)
                body = b"%b%c%b" % (body, len(octets), octets)
            else:
                body += octets
    if pdu.tlvs:
        body += _encoded(pdu.tlvs, pdu)
    length = HEADER_OCTETS + len(body)
    if length > PDU_OCTETS_MAX:
        raise PduError(
            Status.ESME_RINVCMDLEN,
            f"{pdu.command.name} would have {length} octets; at most {PDU_OCTETS_MAX} are allowed here: shorten its message.",
            sequence=sequence,
            command=pdu.command,
        )
    try:
        return _HEADER.pack(length, layout.command, pdu.status, sequence) + body
    except struct.error as error:
        sentence = f"{pdu.command.name} has status {pdu.status} and sequence {sequence}; each is four octets without a sign {_see('3.2')}."
        raise PduError(Status.ESME_RSYSERR, sentence, command=pdu.command) from error


def decode(data: bytes) -> Pdu:
    """The PDU in `data`, all of it and nothing else. Raises PduError and nothing else, whatever the octets are."""
    length = len(data)
    if length < HEADER_OCTETS:
        raise PduError(Status.ESME_RINVCMDLEN, f"A PDU of {length} octets is shorter than its header of {HEADER_OCTETS} {_see('3.2')}.")
    stated, command, status, sequence = _HEADER.unpack_from(data)
    if stated != length or length > PDU_OCTETS_MAX:
        sentence = f"A PDU says it has {stated} octets, and has {length}; at most {PDU_OCTETS_MAX} are allowed {_see('5.1.1')}."
        raise PduError(Status.ESME_RINVCMDLEN, sentence, sequence=sequence, command=command)
    layout = _LAYOUTS.get(command)
    if layout is None:
        sentence = f"Command 0x{command:08X} is not one of SMPP 3.4 (§5.1.2.1)."
        raise PduError(Status.ESME_RINVCMDID, sentence, sequence=sequence, command=command)

    pdu: Pdu = object.__new__(layout.type)
    _set_sequence(pdu, sequence)
    _set_status(pdu, status)
    at = _read(layout, data, pdu)
    if at == length:
        _set_tlvs(pdu, ())
        _set_broken(pdu, False)
    else:
        tlvs, broken = _tlvs(data, at)
        _set_tlvs(pdu, tlvs)
        _set_broken(pdu, broken)
    return pdu


def _read(layout: _Layout, data: bytes, pdu: Pdu) -> int:
    """Fill the fields of `pdu`; where its TLVs begin."""
    match = layout.pattern.match(str(data, "latin-1"), HEADER_OCTETS)
    if match is None:
        if layout.is_response:
            return _read_answer(layout, data, pdu)
        raise _fault(layout, data, pdu)
    values: Iterable[str] = match.groups()
    for set_, reader, value in zip(layout.setters, layout.readers, values, strict=False):
        set_(pdu, value if reader is None else reader(value))
    at = match.end()
    if layout.tail is _Form.SHORT_MESSAGE:
        end = at + 1 + data[at] if at < len(data) else 0
        if not at < end <= len(data) or data[at] > layout.most(layout.fields[-1][1]):
            raise _fault(layout, data, pdu)
        layout.setters[-1](pdu, data[at + 1 : end])
        return end
    if layout.tail is _Form.REST:
        layout.setters[-1](pdu, data[at:])
        return len(data)
    return at


def _read_answer(layout: _Layout, data: bytes, pdu: Pdu) -> int:
    """A response cut short, as many stacks send it: without its body, or without the NUL at the end of it."""
    at = HEADER_OCTETS
    for set_, default, (_, what) in zip(layout.setters, layout.defaults, layout.fields, strict=True):
        if at >= len(data):
            set_(pdu, default)
        elif what.form is _Form.INT:
            set_(pdu, data[at])
            at += 1
        elif what.form is _Form.C_OCTETS:
            end = data.find(0, at)
            end = len(data) if end < 0 else end
            set_(pdu, str(data[at:end], "latin-1"))
            at = end + 1
        else:
            set_(pdu, data[at:])
            at = len(data)
    return min(at, len(data))


def _tlvs(data: bytes, at: int) -> tuple[tuple[Tlv, ...], bool]:
    found: list[Tlv] = []
    length = len(data)
    while at + 4 <= length:
        tag, octets = _TLV.unpack_from(data, at)
        end = at + 4 + octets
        if end > length:
            return tuple(found), True
        found.append(Tlv(tag, data[at + 4 : end]))
        at = end
    return tuple(found), at < length


def _encoded(tlvs: tuple[Tlv, ...], pdu: Pdu) -> bytes:
    pieces = []
    for tag, octets in tlvs:
        if not 0 <= tag <= 0xFFFF or len(octets) > 0xFFFF:
            sentence = f"TLV 0x{tag:04X} of {len(octets)} octets does not fit: tag and length have two octets each {_see('3.2.4')}."
            raise PduError(Status.ESME_RINVOPTPARSTREAM, sentence, sequence=pdu.sequence, command=pdu.command)
        pieces.append(_TLV.pack(tag, len(octets)) + octets)
    return b"".join(pieces)


def _fault(layout: _Layout, data: bytes, pdu: Pdu) -> PduError:
    """Which field of a request cannot be read, and why."""
    at = HEADER_OCTETS
    status, reason, section = Status.ESME_RINVCMDLEN, "ends inside its fields", "3.2"
    for name, what in layout.fields:
        section = what.section
        if at >= len(data):
            reason = f"ends before {name}"
            break
        if what.form is _Form.INT:
            at += 1
        elif what.form is _Form.C_OCTETS:
            most = layout.most(what)
            end = data.find(0, at, at + most)
            if end < 0:
                if at + most > len(data):
                    reason = f"ends inside {name}"
                else:
                    status, reason = what.status, f"has no end of {name} in {most} octets, the most allowed"
                break
            at = end + 1
        else:
            status, reason = what.status, f"says that {name} has {data[at]} octets; {len(data) - at - 1} follow"
            if data[at] > layout.most(what):
                reason += f", {SHORT_MESSAGE_OCTETS_MAX} are allowed"
    sentence = f"{layout.type.command.name} {reason} {_see(section)}."
    return PduError(status, sentence, sequence=pdu.sequence, command=layout.command)


def _misfit(layout: _Layout, pdu: Pdu, values: tuple[object, ...]) -> PduError:
    """Which value does not fit its field, and why. The value itself stays unsaid: it may be a number or a secret."""
    status, reason, section = Status.ESME_RSYSERR, "has a value of a wrong type", "3.1"
    for (name, what), value in zip(layout.fields, values, strict=True):
        section = what.section
        if what.form is _Form.C_OCTETS and isinstance(value, str):
            if len(value) >= what.octets_max:
                status = what.status
                reason = f"has {len(value)} characters in {name}; at most {what.octets_max - 1} are allowed"
                break
            if "\0" in value or (not value.isascii() and max(value) > "\xff"):
                status, reason = what.status, f"has a character in {name} that is not one octet, or is NUL"
                break
        elif what.form is _Form.INT and isinstance(value, int):
            if not 0 <= value <= 0xFF:
                status, reason = what.status, f"has {value} as {name}, which is one octet: 0 to 255"
                break
        elif isinstance(value, bytes):
            if len(value) > what.octets_max:
                status, reason = what.status, f"has {len(value)} octets in {name}; at most {what.octets_max} are allowed"
                break
        else:
            status, reason = what.status, f"has a {type(value).__name__} as {name}"
            break
    return PduError(status, f"{pdu.command.name} {reason} {_see(section)}.", sequence=pdu.sequence, command=pdu.command)


# --- what several kinds of PDU have in common ---


def body(pdu: SubmitSm | DeliverSm | DataSm) -> bytes:
    """The octets of the message: short_message or, where that is empty, the TLV message_payload. §5.3.2.32."""
    if not isinstance(pdu, DataSm) and pdu.short_message:
        return pdu.short_message
    return pdu.tlv(Tag.MESSAGE_PAYLOAD) or b""


def response_to(request: Pdu, status: int = Status.ESME_ROK) -> Pdu:
    """The plainest response to `request`: nothing in it but the status. A generic_nack where there is no response."""
    answer = type_of.get(request.command | RESPONSE, GenericNack)
    return answer(sequence=request.sequence, status=status)


def tlv(tag: Tag, value: int | str | bytes = b"") -> Tlv:
    """A TLV with its value written as the type of its tag asks. Raises PduError if it does not fit."""
    form, least, most = TLVS[tag]
    octets: bytes | None = None
    if form is TlvType.INT and isinstance(value, int) and 0 <= value < 1 << (8 * most):
        octets = value.to_bytes(most, "big")
    elif form is TlvType.C_OCTETS and isinstance(value, str) and "\0" not in value and not value.strip(_LATIN_1):
        octets = value.encode("latin-1") + b"\0"
    elif form in (TlvType.OCTETS, TlvType.NONE) and isinstance(value, bytes):
        octets = value
    if octets is None or not least <= len(octets) <= most:
        sentence = f"The value of TLV {tag.name} is no {form.value} of {least} to {most} octets {_see('5.3.2')}."
        raise PduError(Status.ESME_RINVOPTPARAMVAL, sentence)
    return Tlv(tag, octets)


def tlv_int(pdu: Pdu, tag: Tag) -> int | None:
    """The number in a TLV, whatever its width: peers send two octets where one is asked for. None if there is none."""
    octets = pdu.tlv(tag)
    return int.from_bytes(octets, "big") if octets and len(octets) <= 4 else None


def tlv_text(pdu: Pdu, tag: Tag) -> str | None:
    """The C-octet string in a TLV, ended by its NUL or, as some peers send it, by its length. None if there is none."""
    octets = pdu.tlv(tag)
    return None if octets is None else str(octets.partition(b"\0")[0], "latin-1")


_LATIN_1 = "".join(map(chr, range(1, 256)))


class Framer:
    """A stream of octets, in whatever pieces, into whole PDUs. Holds no more than one unfinished PDU of an allowed length."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The PDUs that `data` completes. Raises PduError at a length that cannot be: nothing after it can be read.

        PDUs before such a length are returned first; the error then comes with the next call, `feed(b"")` included.
        """
        buffer = self._buffer
        buffer += data
        at, end = 0, len(buffer)
        found: list[bytes] = []
        while end - at >= 4:
            length = int.from_bytes(buffer[at : at + 4], "big")
            if not HEADER_OCTETS <= length <= PDU_OCTETS_MAX:
                if found:
                    break
                sentence = f"A PDU says it has {length} octets; {HEADER_OCTETS} to {PDU_OCTETS_MAX} are allowed {_see('5.1.1')}."
                raise PduError(Status.ESME_RINVCMDLEN, sentence)
            if end - at < length:
                break
            found.append(bytes(buffer[at : at + length]))
            at += length
        if at:
            del buffer[:at]
        return found

    @property
    def waiting(self) -> int:
        """Octets of a PDU that is not complete."""
        return len(self._buffer)
