"""Addresses: who a message is from and to, and what their numbers tell (country, kind, area, time zones).

An address is a plain `str` in Twilio's form: "+14155550101", "whatsapp:+14155550101", "rcs:agent",
"messenger:id", a short code "72345", an alphanumeric sender "ACME". The `parse_…` functions make canonical
ones; all others take canonical ones. Whether somebody may be written to is never decided here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import timezone as phone_zones

ADDRESS_CHARS_MAX: Final = 128  # longer than any agent id; keeps strangers' novels out of the caches
REGION_DEFAULT: Final = "US"  # the country of a number written without "+", as Twilio reads "2019376882"
TOLL_FREE_CODES: Final = frozenset({"800", "833", "844", "855", "866", "877", "888"})

_CACHED = 65536
_SEPARATORS = str.maketrans("", "", " -.()\u00a0\t")
_PREFIX = re.compile(r"(whatsapp|rcs|messenger):(.*)", re.IGNORECASE | re.DOTALL)
_DIGITS = re.compile(r"\+?[0-9]+")
_NANP_E164 = re.compile(r"\+1[2-9][0-9]{2}[2-9][0-9]{6}")  # area code, exchange and line, as NANPA numbers them
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
_ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 +_&-]{1,11}")
_AGENT = re.compile(r"[A-Za-z0-9_.@-]{1,100}")
_LAST_FOUR_DIGITS = re.compile(r"[0-9](?=(?:[^0-9]*[0-9]){0,3}[^0-9]*\Z)")

_PARSE_FAULTS = {
    phonenumbers.NumberParseException.INVALID_COUNTRY_CODE: "INVALID_COUNTRY_CODE",
    phonenumbers.NumberParseException.TOO_SHORT_AFTER_IDD: "TOO_SHORT",
    phonenumbers.NumberParseException.TOO_SHORT_NSN: "TOO_SHORT",
    phonenumbers.NumberParseException.TOO_LONG: "TOO_LONG",
}
_LENGTH_FAULTS = {
    phonenumbers.ValidationResult.TOO_SHORT: "TOO_SHORT",
    phonenumbers.ValidationResult.TOO_LONG: "TOO_LONG",
    phonenumbers.ValidationResult.INVALID_LENGTH: "INVALID_LENGTH",
    phonenumbers.ValidationResult.INVALID_COUNTRY_CODE: "INVALID_COUNTRY_CODE",
    phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "TOO_SHORT",
}

# Area codes that share one geographic area (overlays), US first, then Canada.
# Source: NANPA, "Area code overlays" and planning letters; CNAC for Canada. A code may stand in two areas.
_OVERLAYS: Final = tuple(
    frozenset(area.split())
    for area in (
        # United States
        "201 551", "202 771", "203 475", "205 659", "206 564", "209 350", "210 726", "212 332 646 917",
        "213 323 738", "214 469 945 972", "215 267 445", "217 447", "220 740", "223 717", "224 847",
        "234 330", "235 573", "240 301 227", "248 947", "253 564", "256 938", "270 364", "272 570", "279 916",
        "281 346 621 713 832", "283 513", "303 720 983", "304 681", "305 645 786", "309 861", "310 424",
        "312 773 872", "314 557", "315 680", "317 463", "321 407 689", "324 904", "326 937", "327 870",
        "329 845", "331 630", "336 743", "339 781", "341 510", "347 465 718 917 929", "351 978", "353 608",
        "357 559", "360 564", "363 516", "369 707", "380 614", "385 801", "402 531", "404 470 678 770 943",
        "405 572", "408 669", "410 443 667", "412 724 878", "415 628", "419 567", "423 729", "425 564",
        "430 903", "436 440", "442 760", "448 850", "458 541", "464 708", "472 910", "480 602 623",
        "484 610 835", "503 971", "508 774", "512 737", "518 838", "530 837", "534 715", "539 918",
        "540 826", "561 728", "571 703", "582 814", "601 769", "609 640", "615 629", "617 857", "618 730",
        "619 858", "631 934", "656 813", "657 714", "682 817", "686 804", "704 980", "706 762", "732 848",
        "747 818", "748 970", "754 954", "757 948", "779 815", "803 839", "805 820", "812 930", "821 864",
        "840 909", "843 854", "860 959", "862 973", "919 984",
        # Canada
        "204 431 584", "226 382 519 548", "236 250 604 672 778", "249 683 705", "263 438 514",
        "289 365 742 905", "306 474 639", "343 613 753", "354 450 579", "367 418 581", "368 403 587 825",
        "368 587 780 825", "416 437 647 942", "428 506", "468 819 873", "709 879", "782 902",
    )
)  # fmt: skip


class ChannelGroup(StrEnum):
    """What one consent covers: SMS, MMS and RCS together, or WhatsApp alone."""

    TEXT = "text"
    WHATSAPP = "whatsapp"


class SenderKind(StrEnum):
    """What an address of ours is; the handling of keywords depends on it."""

    LONG_CODE = "long_code"
    TOLL_FREE = "toll_free"
    SHORT_CODE = "short_code"
    ALPHANUMERIC = "alphanumeric"
    WHATSAPP = "whatsapp"
    RCS = "rcs"


def parse_recipient(text: str, region: str | None = None) -> str | None:
    """The canonical address of a person, or None when `text` cannot be one. Never raises.

    RCS reaches a number, and its consent is that of SMS: "rcs:+1…" is the number itself, or a block had a gap.
    Possible is enough, assigned is not asked: fictional and magic numbers pass. Without "+" the number is
    read in `region` (ISO alpha-2), and in the US when there is none.
    """
    if _NANP_E164.fullmatch(text):
        return text  # written as it is kept: a block list has a million of them, each once, and no cache helps there
    if len(text) > ADDRESS_CHARS_MAX:
        return None
    return _recipient(text, region)


def parse_sender(text: str) -> str | None:
    """The canonical address of a sender: E.164, short code, alphanumeric or channel address; else None."""
    if len(text) > ADDRESS_CHARS_MAX:
        return None
    return _sender(text)


def group_of(address: str) -> ChannelGroup:
    """The channel group whose consent covers this address."""
    return ChannelGroup.WHATSAPP if address.startswith("whatsapp:") else ChannelGroup.TEXT


def same_channel(sender: str, recipient: str) -> bool:
    """Whether a sender can reach a recipient at all: the same channel; RCS reaches plain numbers too."""
    prefix = sender.partition(":")[0] if ":" in sender else ""
    wanted = recipient.partition(":")[0] if ":" in recipient else ""
    return prefix == wanted or (prefix == "rcs" and not wanted)


def number_of(address: str) -> str:
    """The address without its channel prefix."""
    prefix, colon, rest = address.partition(":")
    return rest if colon else prefix


@lru_cache(maxsize=_CACHED)
def country_of(address: str) -> str | None:
    """ISO alpha-2 country of a number, or None for short codes, names, agents and global services.

    +1 is split by area code; toll-free codes and area codes nobody knows yet count as US.
    """
    return _nanp_country(address[:8]) if _NANP_E164.fullmatch(address) else _country(address)


@lru_cache(maxsize=_CACHED)
def _nanp_country(prefix: str) -> str | None:
    """Of all numbers that begin so: in North America area code and exchange decide, and most texts come from few of them."""
    return _country(f"{prefix}0000")


def _country(address: str) -> str | None:
    number = _parsed(address)
    if number is None:
        return None
    region = phonenumbers.region_code_for_number(number)  # None when the number is not an assigned one
    if region is None:
        region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    return region if len(region) == 2 and region != "ZZ" else None


def calling_code(country: str) -> int | None:
    """The calling code of a country (ISO alpha-2): 44 for GB, 1 for all that share it. None where it has none of its own."""
    return phonenumbers.country_code_for_region(country) or None


@lru_cache(maxsize=_CACHED)
def is_landline(address: str) -> bool:
    """Whether the numbering plan proves that no text arrives at this number.

    Not in the US, Canada and the UK, where landlines may take texts, and not where one range serves both: as Twilio has it.
    """
    if not address.startswith("+") or country_of(address) in ("US", "CA", "GB"):
        return False
    number = _parsed(address)
    if number is None:
        return False
    landline: bool = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.FIXED_LINE
    return landline


@lru_cache(maxsize=_CACHED)
def kind_of(address: str) -> SenderKind:
    """What kind of sender this canonical address is."""
    if address.startswith("whatsapp:"):
        return SenderKind.WHATSAPP
    if address.startswith("rcs:"):
        return SenderKind.RCS
    if address.startswith("+"):
        return SenderKind.TOLL_FREE if _nanp_code(address) in TOLL_FREE_CODES else SenderKind.LONG_CODE
    return SenderKind.SHORT_CODE if _SHORT_CODE.fullmatch(address) else SenderKind.ALPHANUMERIC


def area_code(address: str) -> str | None:
    """The three digits of a North American area, or None elsewhere. Toll-free codes are no area."""
    code = _nanp_code(number_of(address))
    return None if code in TOLL_FREE_CODES else code


@lru_cache(maxsize=_CACHED)
def same_area(first: str, second: str) -> bool:
    """Whether two North American numbers are of one area: the same code, or codes that overlay each other."""
    one, other = area_code(first), area_code(second)
    if one is None or other is None:
        return False
    return one == other or any(one in area and other in area for area in _OVERLAYS)


def mask(address: str) -> str:
    """The address for logs and screens: "+1415•••0101". Short codes and names are nobody's secret and stay."""
    prefix, colon, rest = address.rpartition(":")
    if prefix == "messenger":
        return f"messenger:•••{rest[-4:] if len(rest) > 8 else ''}"
    if not rest.startswith("+"):
        return address
    head = max(1, min(5, len(rest) - 7))  # at least three digits are hidden
    return f"{prefix}{colon}{rest[:head]}•••{rest[-4:] if len(rest) > 8 else ''}"


def mask_digits_x(address: str) -> str:
    """The address with its last four digits as X, the way Twilio's error texts show a person's number."""
    return _LAST_FOUR_DIGITS.sub("X", address)


@lru_cache(maxsize=_CACHED)
def national_format(address: str) -> str:
    """The number as its own country writes it: "(415) 555-0101". Other addresses come back without prefix."""
    number = _parsed(address)
    if number is None:
        return number_of(address)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)


@lru_cache(maxsize=_CACHED)
def time_zones(address: str) -> tuple[str, ...]:
    """IANA names of every time zone the person may be in by the number; empty when nothing is known."""
    number = _parsed(address)
    if number is None:
        return ()
    zones: tuple[str, ...] = phone_zones.time_zones_for_number(number)
    return tuple(zone for zone in zones if zone != "Etc/Unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What the digits of a number tell. `faults` are Twilio's names for what is wrong with it; empty where it is valid."""

    number: str  # E.164 where it can be read, else as it was written
    calling_code: str | None = None
    country: str | None = None
    national: str | None = None
    faults: tuple[str, ...] = ()


def examine(text: str, region: str | None = None) -> Examined:
    """What numbering plans say of `text`, a number written in E.164 or as `region` (ISO alpha-2) does. Never raises."""
    shown = text[:ADDRESS_CHARS_MAX]
    if len(text) > ADDRESS_CHARS_MAX:
        return Examined(number=shown, faults=("TOO_LONG",))
    digits = text.translate(_SEPARATORS).strip()
    if not _DIGITS.fullmatch(digits):
        return Examined(number=shown, faults=("NOT_A_NUMBER",))
    try:
        number = phonenumbers.parse(digits, (region or REGION_DEFAULT).upper())
    except phonenumbers.NumberParseException as fault:
        return Examined(number=shown, faults=(_PARSE_FAULTS.get(fault.error_type, "NOT_A_NUMBER"),))
    return Examined(
        number=phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        calling_code=str(number.country_code),
        country=country_of(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)),
        national=phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL),
        faults=_faults(number),
    )


def _faults(number: phonenumbers.PhoneNumber) -> tuple[str, ...]:
    if phonenumbers.is_valid_number(number):
        return ()
    possible = phonenumbers.is_possible_number_with_reason(number)
    return (_LENGTH_FAULTS.get(possible, "INVALID_BUT_POSSIBLE"),)


@lru_cache(maxsize=_CACHED)
def _recipient(text: str, region: str | None) -> str | None:
    match = _PREFIX.fullmatch(text.strip())
    if match and match[1].lower() == "rcs":
        return _e164(match[2], region)
    return _channel_address(text, lambda number: _e164(number, region), prefixes=("whatsapp", "messenger"))


@lru_cache(maxsize=_CACHED)
def _sender(text: str) -> str | None:
    return _channel_address(text, _bare_sender, prefixes=("whatsapp", "rcs"))


def _channel_address(text: str, bare: Callable[[str], str | None], *, prefixes: tuple[str, ...]) -> str | None:
    match = _PREFIX.fullmatch(text.strip())
    if match is None:
        return bare(text)
    prefix, rest = match[1].lower(), match[2].strip()
    if prefix not in prefixes:
        return None
    if prefix == "whatsapp" or (prefix == "rcs" and rest.startswith("+")):
        rest = _e164(rest, None) or ""
    elif not _AGENT.fullmatch(rest):
        return None
    return f"{prefix}:{rest}" if rest else None


def _bare_sender(text: str) -> str | None:
    name = text.strip()
    if _SHORT_CODE.fullmatch(name) or _ALPHANUMERIC.fullmatch(name):
        return name
    return _e164(text, None)


def _e164(text: str, region: str | None) -> str | None:
    digits = text.translate(_SEPARATORS).strip()
    if not _DIGITS.fullmatch(digits):
        return None  # letters too: "1-800-FLOWERS" is a slogan, not an address
    if _NANP_E164.fullmatch(digits):
        return digits  # most traffic there is; the library says the same at a hundred times the cost
    try:
        number = phonenumbers.parse(digits, region or REGION_DEFAULT)
    except phonenumbers.NumberParseException:
        return None
    # A number that is complete only inside its own town ("possible, local only") reaches nobody from here.
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _parsed(address: str) -> phonenumbers.PhoneNumber | None:
    number = number_of(address)
    if not number.startswith("+"):
        return None
    try:
        return phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None


def _nanp_code(number: str) -> str | None:
    return number[2:5] if number.startswith("+1") and len(number) == 12 else None
