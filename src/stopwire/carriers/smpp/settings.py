"""The settings of an SMPP connection: which there are, what each means, and what is wrong with some.

Nothing here opens a file or a socket.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from stopwire.core.outcomes import Cause
from stopwire.core.policy import Problem
from stopwire.ports.carrier import CarrierType, Field
from stopwire.smpp.pdu import PASSWORD_OCTETS_MAX

BINDS_MAX: Final = 32
WINDOW_MAX: Final = 1000
TEMPORARY: Final = "temporary"  # in a status table: the same again, later

TRANSCEIVER: Final = "transceiver"
PAIRS: Final = "transmitter+receiver"
PACKED: Final = "gsm7_packed"  # eight septets in seven octets, as on the air; most carriers take a septet an octet

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "bind": (TRANSCEIVER, PAIRS),
    "default_alphabet": ("gsm7", PACKED, "latin1"),
    "receipt_id": ("as_is", "hex", "decimal"),
    "ambiguous": ("hold", "retry"),
    "long_messages": ("udh", "udh16", "sar", "payload"),
}
_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "port": (1, 65_535),
    "binds": (1, BINDS_MAX),
    "window": (1, WINDOW_MAX),
    "throughput": (0.01, 100_000),
    "enquire_link": (1, 3600),
    "response_timeout": (0.1, 600),
    "connect_timeout": (0.1, 120),
    "short_code_ton": (0, 6),
    "short_code_npi": (0, 18),
}
_LENGTHS: Final[Mapping[str, int]] = {"system_id": 15, "system_type": 12, "service_type": 5, "address_range": 40}
_WHOLE: Final = ("port", "binds", "window", "short_code_ton", "short_code_npi")
_FLAGS: Final = ("tls", "tls_verify", "receipts", "user_message_reference")

TYPE: Final = CarrierType(
    name="smpp",
    says="Any carrier or aggregator that speaks SMPP 3.4.",
    fields=(
        Field(name="host", says="Host name or address of the carrier's SMSC.", required=True),
        Field(name="port", says="Its TCP port.", default=2775),
        Field(name="system_id", says="The name to bind with.", required=True),
        Field(name="password", says="The password to bind with.", secret=True, default=""),
        Field(name="system_type", says="The system type to bind with, where the carrier gave one.", default=""),
        Field(name="bind", says="One bind for both directions, or one for each: transceiver | transmitter+receiver.", default=TRANSCEIVER),
        Field(name="binds", says="How many binds (or pairs of them) are kept up.", default=1),
        Field(name="window", says="Messages that may wait for their answers on one bind.", default=10),
        Field(name="throughput", says="Messages a second over all binds; empty means as fast as the carrier answers."),
        Field(name="tls", says="Whether the connection is made with TLS.", default=False),
        Field(name="tls_verify", says="Whether the carrier's certificate is checked.", default=True),
        Field(name="tls_ca", says="File of the certificates to check it by; empty means those of this system.", default=""),
        Field(name="enquire_link", says="Seconds of silence after which the link is probed.", default=30),
        Field(name="response_timeout", says="Seconds after which a message without an answer counts as unknown.", default=30),
        Field(name="connect_timeout", says="Seconds that a connection may take to come up.", default=10),
        Field(name="default_alphabet", says="What the carrier means by data_coding 0: gsm7 | gsm7_packed | latin1.", default="gsm7"),
        Field(name="receipt_id", says="How receipts write the ids that answers write the other way: as_is | hex | decimal.", default="as_is"),
        Field(name="receipts", says="Whether receipts are asked for.", default=True),
        Field(name="user_message_reference", says="Whether messages carry this TLV, by which a receipt proves what had no answer.", default=True),
        Field(name="ambiguous", says="What is done with a message without an answer: hold | retry; empty means as the account is set."),
        Field(name="long_messages", says="How a long message is sent: udh | udh16 | sar | payload.", default="udh"),
        Field(name="short_code_ton", says="Type of number of our short codes.", default=0),
        Field(name="short_code_npi", says="Numbering plan of our short codes.", default=0),
        Field(name="country", says="ISO code of the country whose national numbers the carrier writes without a code.", default=""),
        Field(name="service_type", says="service_type of each message, where the carrier gave one.", default=""),
        Field(name="address_range", says="Addresses that a receiver asks for, where the carrier wants it.", default=""),
        Field(name="statuses", says="The carrier's own command statuses, such as {\"0x400\": \"opted_out\"}: a cause, or temporary.", default={}),
        Field(name="errors", says="Error codes of its receipts, such as {\"012\": 30005}.", default={}),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in force. Names and defaults are those of `TYPE`."""

    host: str
    port: int = 2775
    system_id: str
    password: str = field(default="", repr=False)
    system_type: str = ""
    bind: str = TRANSCEIVER
    binds: int = 1
    window: int = 10
    throughput: float | None = None
    tls: bool = False
    tls_verify: bool = True
    tls_ca: str = ""
    enquire_link: float = 30
    response_timeout: float = 30
    connect_timeout: float = 10
    default_alphabet: str = "gsm7"
    receipt_id: str = "as_is"
    receipts: bool = True
    user_message_reference: bool = True
    ambiguous: str | None = None
    long_messages: str = "udh"
    short_code_ton: int = 0
    short_code_npi: int = 0
    country: str = ""
    service_type: str = ""
    address_range: str = ""
    statuses: Mapping[int, Cause | None] = field(default_factory=dict)  # None: temporary
    errors: Mapping[str, int] = field(default_factory=dict)


def read(settings: Mapping[str, Any], password: str) -> Settings:
    """The settings of a connection without problems; what is empty has its default."""
    known = {f.name for f in fields(Settings)}
    given = {name: value for name, value in settings.items() if name in known and value not in (None, "")}
    for name in _RANGES:
        if name in given:
            given[name] = int(given[name]) if name in _WHOLE else float(given[name])
    for name in _FLAGS:
        if name in given:
            given[name] = _flag(given[name])
    given["statuses"] = {int(str(code), 0): _cause(text) for code, text in dict(given.get("statuses", {})).items()}
    given["errors"] = {_error(code): int(value) for code, value in dict(given.get("errors", {})).items()}
    return Settings(**{**given, "password": password})


def problems(settings: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with known settings. Text is taken for a number or a yes where one is asked for."""
    found = [*_choice_problems(settings), *_number_problems(settings), *_text_problems(settings)]
    for name, reads in (("statuses", _status_pair), ("errors", _error_pair)):
        table = settings.get(name) or {}
        if not isinstance(table, Mapping):
            found.append(_problem(name, f"{name} is a table."))
            continue
        for code, value in table.items():
            try:
                reads(code, value)
            except ValueError as error:
                found.append(_problem(f"{name}.{code}", str(error)))
    return found


def _choice_problems(settings: Mapping[str, Any]) -> list[Problem]:
    found = []
    for name, choices in _CHOICES.items():
        if settings.get(name) not in (None, "", *choices):
            found.append(_problem(name, f"{name} is {settings[name]!r}: choose {' or '.join(choices)}."))
    for name in _FLAGS:
        if settings.get(name) not in (None, "") and _flag(settings[name]) is None:
            found.append(_problem(name, f"{name} is {settings[name]!r}: true or false is needed."))
    return found


def _number_problems(settings: Mapping[str, Any]) -> list[Problem]:
    found = []
    for name, (least, most) in _RANGES.items():
        value = settings.get(name)
        if value in (None, ""):
            continue
        try:
            number = float(value) if not isinstance(value, bool) else None
        except (TypeError, ValueError):
            number = None
        if number is None or not least <= number <= most or (name in _WHOLE and number != int(number)):
            kind = "whole number" if name in _WHOLE else "number"
            found.append(_problem(name, f"{name} is {value!r}: a {kind} from {least:g} to {most:g} is needed."))
    return found


def _text_problems(settings: Mapping[str, Any]) -> list[Problem]:
    found = []
    for name, most in (*_LENGTHS.items(), ("password", PASSWORD_OCTETS_MAX - 1)):
        text = str(settings.get(name) or "")
        if len(text) > most or not text.isascii() or not text.isprintable():
            found.append(_problem(name, f"{name} has at most {most} ASCII characters in SMPP."))
    host = str(settings.get("host") or "")
    if any(letter.isspace() or letter in "/@" for letter in host) or not _is_name(host):
        found.append(_problem("host", f"host is {host!r}: a host name or an IP address is needed."))
    return found


def _is_name(host: str) -> bool:
    """Whether a resolver can be asked for it. RFC 5890 §2.3.2: no label is empty or longer than 63 octets."""
    try:
        return bool(host.encode("idna")) or not host
    except UnicodeError:
        return False


def _problem(name: str, message: str) -> Problem:
    return Problem(path=f"settings.{name}", message=message)


def _flag(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}.get(
        str(value).strip().lower()
    )


def _cause(text: str) -> Cause | None:
    return None if text == TEMPORARY else Cause(text)


def _status_pair(code: object, value: object) -> None:
    try:
        int(str(code), 0)
    except ValueError:
        raise ValueError(f"{code!r} is no command status: write it like 0x400.") from None
    try:
        _cause(str(value))
    except ValueError:
        raise ValueError(f"{value!r} is no cause: choose {', '.join(Cause)} or {TEMPORARY}.") from None


def _error_pair(code: object, value: object) -> None:
    if not str(value).isdecimal():
        raise ValueError(f"{value!r} is no error code of Twilio's: write it like 30005.")


def _error(code: object) -> str:
    """Error codes of receipts are compared without the zeros that some carriers write and others do not."""
    return str(code).strip().lstrip("0") or "0"
