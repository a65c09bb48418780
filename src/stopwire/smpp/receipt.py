"""Delivery receipts: the text of appendix B in its many dialects, the TLVs of §5.3.2, and the forms one id may take.

What a state means for a message is decided elsewhere. A receipt's dates have minutes and no time zone: never order by them.
"""

import re
from dataclasses import dataclass
from typing import Final

from stopwire.smpp.fields import MESSAGE_TYPE, EsmClass, MessageState, Tag
from stopwire.smpp.pdu import DataSm, DeliverSm, body, tlv_int, tlv_text

ID_CHARS_MAX: Final = 64  # §5.2.23; longer ones are compared as they are

# Appendix B, table B-2, and the words that carriers write instead.
_STATES: Final = {
    "SCHEDULED": MessageState.SCHEDULED,
    "ENROUTE": MessageState.ENROUTE,
    "EN_ROUTE": MessageState.ENROUTE,
    "BUFFERED": MessageState.ENROUTE,
    "BUFFRED": MessageState.ENROUTE,
    "SENT": MessageState.ENROUTE,
    "DELIVRD": MessageState.DELIVERED,
    "DELIVERED": MessageState.DELIVERED,
    "DELIVERD": MessageState.DELIVERED,
    "EXPIRED": MessageState.EXPIRED,
    "DELETED": MessageState.DELETED,
    "UNDELIV": MessageState.UNDELIVERABLE,
    "UNDELIVERABLE": MessageState.UNDELIVERABLE,
    "UNDELIVERED": MessageState.UNDELIVERABLE,
    "UNDELIVRD": MessageState.UNDELIVERABLE,
    "FAILED": MessageState.UNDELIVERABLE,
    "ACCEPTD": MessageState.ACCEPTED,
    "ACCEPTED": MessageState.ACCEPTED,
    "UNKNOWN": MessageState.UNKNOWN,
    "REJECTD": MessageState.REJECTED,
    "REJECTED": MessageState.REJECTED,
    "SKIPPED": MessageState.SKIPPED,
}

_KEY: Final = re.compile(
    r"(?<![a-z0-9])(id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat|err|text)[ \t]*[:=][ \t]*", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a carrier reports of one submitted message. Texts stand as they came; empty where nothing came."""

    ids: tuple[str, ...]  # of the TLV, of the text; the same once
    state: MessageState | None  # None: a word that nobody knows
    stat: str = ""  # that word
    error: str = ""  # the carrier's own code: digits as a rule, not always
    network_error: tuple[int, int] | None = None  # §5.3.2.31: type of network, code
    submit_date: str = ""
    done_date: str = ""
    intermediate: bool = False

    @property
    def id(self) -> str:
        """The id to look for first; empty if the receipt has none."""
        return self.ids[0] if self.ids else ""


def read(pdu: DeliverSm | DataSm) -> Receipt | None:
    """The receipt in `pdu`, or None if it is a message from a person. Never raises.

    It is one if esm_class says so, or if the TLV receipted_message_id is there, which no handset can add. A text that
    only looks like a receipt is none: anybody can send one.
    """
    kind = pdu.esm_class & MESSAGE_TYPE
    tlv_id = tlv_text(pdu, Tag.RECEIPTED_MESSAGE_ID)
    if kind not in (EsmClass.RECEIPT, EsmClass.INTERMEDIATE_NOTIFICATION) and not (tlv_id and kind == EsmClass.DEFAULT):
        return None
    found = _fields(_text(body(pdu)))
    stat = found.get("stat", "")
    state = _state(tlv_int(pdu, Tag.MESSAGE_STATE))
    network_error = pdu.tlv(Tag.NETWORK_ERROR_CODE)
    return Receipt(
        ids=tuple(dict.fromkeys(one for one in (tlv_id, found.get("id")) if one and not one.isspace())),
        state=_STATES.get(stat.upper()) if state is None else state,
        stat=stat,
        error=found.get("err", ""),
        network_error=(network_error[0], int.from_bytes(network_error[1:3], "big"))
        if network_error and len(network_error) == 3
        else None,
        submit_date=found.get("submitdate", ""),
        done_date=found.get("donedate", ""),
        intermediate=kind == EsmClass.INTERMEDIATE_NOTIFICATION,
    )


def text(
    message_id: str,
    state: MessageState,
    *,
    submit_date: str,
    done_date: str,
    error: str = "000",
    words: str = "",
    delivered: int | None = None,
) -> bytes:
    """The text of a receipt as appendix B lays it out. Dates are `YYMMDDhhmm`; of `words` the first 20 octets are kept."""
    if delivered is None:
        delivered = int(state is MessageState.DELIVERED)
    line = (
        f"id:{message_id} sub:001 dlvrd:{delivered:03} submit date:{submit_date} done date:{done_date}"
        f" stat:{_WORDS[state]} err:{error} text:"
    )
    return line.encode("latin-1") + words.encode("latin-1", "replace")[:20]


def id_forms(message_id: str) -> tuple[str, ...]:
    """Every form under which a carrier may report `message_id`, the exact one first, each once.

    As given; trimmed; in small letters; without dashes; without leading zeros; hexadecimal ↔ decimal. Two ids are the
    same, by one reading or another, if their forms meet: that is a candidate, and only one alone is a match.
    """
    trimmed = message_id.strip(_AROUND)
    forms = {message_id: None, trimmed: None}
    small = trimmed.lower()
    for one in (small, small.replace("-", "")):
        forms[one] = None
        forms[one.lstrip("0") or one[:1]] = None
    plain = small.replace("-", "").removeprefix("0x")
    if len(plain) <= ID_CHARS_MAX and _HEX.fullmatch(plain):
        forms[plain.lstrip("0") or "0"] = None
        forms[str(int(plain, 16))] = None
        if _DECIMAL.fullmatch(plain):
            forms[f"{int(plain):x}"] = None
    return tuple(one for one in forms if one)


_AROUND = " \t\r\n\0\"'"
_HEX = re.compile(r"[0-9a-f]+")
_DECIMAL = re.compile(r"[0-9]+")

_WORDS: Final = {
    MessageState.SCHEDULED: "SCHEDULED",
    MessageState.ENROUTE: "ENROUTE",
    MessageState.DELIVERED: "DELIVRD",
    MessageState.EXPIRED: "EXPIRED",
    MessageState.DELETED: "DELETED",
    MessageState.UNDELIVERABLE: "UNDELIV",
    MessageState.ACCEPTED: "ACCEPTD",
    MessageState.UNKNOWN: "UNKNOWN",
    MessageState.REJECTED: "REJECTD",
    MessageState.SKIPPED: "SKIPPED",
}


def _state(number: int | None) -> MessageState | None:
    return MessageState(number) if number is not None and 0 <= number <= max(MessageState) else None


def _text(octets: bytes) -> str:
    """The text of a receipt is ASCII, whatever data_coding says; some carriers write it in UTF-16."""
    if octets[:1] == b"\0" and octets[2:3] == b"\0":
        return octets.decode("utf-16-be", "replace")
    return octets.decode("latin-1")


def _fields(line: str) -> dict[str, str]:
    """Fields by name, without blanks in the names. `text` ends them: behind it stands what a person wrote."""
    found: dict[str, str] = {}
    name, start = "", 0
    for match in _KEY.finditer(line):
        if name:
            found.setdefault(name, _value(line[start : match.start()]))
        name, start = match[1].lower().replace(" ", "").replace("_", ""), match.end()
        if name == "text":
            return found
    if name:
        found.setdefault(name, _value(line[start:]))
    return found


def _value(piece: str) -> str:
    return piece.strip(" \t\r\n\0,;")
