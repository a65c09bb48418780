"""The numbers that can be had on the simulator: which exist, of which type, in which order they are offered.

Drawn from ranges that regulators keep for fiction, where a country has some, so that a slip reaches nobody.
Which of them are taken is asked of the store, never here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from stopwire.core.address import SenderKind, area_code, kind_of


class NumberType(StrEnum):
    """Twilio's types of phone numbers."""

    LOCAL = "local"
    MOBILE = "mobile"
    TOLL_FREE = "toll-free"
    NATIONAL = "national"


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Numbers `prefix` followed by `digits` digits, from `first` on, at most `count`."""

    country: str
    type: NumberType
    prefix: str
    digits: int
    first: int = 0
    count: int
    mms: bool = False

    def numbers(self) -> Iterator[str]:
        for number in range(self.first, self.first + self.count):
            yield f"{self.prefix}{number:0{self.digits}}"

    def holds(self, number: str) -> bool:
        rest = number.removeprefix(self.prefix)
        return rest != number and len(rest) == self.digits and self.first <= int(rest) < self.first + self.count


COUNTRY_NAMES: Final = {
    "US": "United States", "CA": "Canada", "GB": "United Kingdom", "MX": "Mexico", "AU": "Australia",
    "BR": "Brazil", "DE": "Germany", "ES": "Spain", "FR": "France", "IN": "India", "IT": "Italy",
    "NL": "Netherlands", "SE": "Sweden",
}  # fmt: skip

# 555-0100 to 555-0199 of every area code are kept for fiction (NANPA, 555 line number guidelines).
_US_AREAS = """
    415 212 213 202 312 305 404 512 617 206 303 602 702 713 718 801 808 503 504 615 704 919 216 313 314 317 412 414
    505 516 601 614 619 651 678 716 770 773 781 786 813 816 818 832 901 907 916 917 925 949 972 210 214 215 225 240
    251 253 256 262 267 270 281 301 304 307 308 309 310 316 319 320 323 330 334 336 337 347 360 385 401 402 405 406
    407 408 410 417 419 423 424 425 432 434 435 440 443 469 478 479 480 484 501 502 507 508 509 510 513 515 517 518
    520 530 540 541 551 559 561 562 563 570 571 573 574 575 580 585 586 603 605 606 607 608 609 610 612 616 618 623
    626 628 630 631 636 646 650 657 660 661 662 682 701 703 706 707 708 712 714 717 719 720 724 727 731 732 734 737
    740 743 747 754 757 760 762 763 765 769 772 774 775 779 785 802 803 804 805 806 810 812 814 815 817 828 830 831
    843 845 847 850 856 857 858 859 860 862 863 864 865 870 878 903 904 906 908 909 910 912 913 914 915 918 920 928
    931 936 937 940 941 947 951 952 954 956 959 970 971 973 978 979 980 984 985 989
"""
_CA_AREAS = "604 416 514 613 403 780 204 306 506 519 705 709 778 807 819 902 905 250 418 450 581 587 647"
_TOLL_FREE = "888 877 866 855 844 833 800"


def _nanp(country: str, codes: str, type_: NumberType) -> tuple[Range, ...]:
    return tuple(
        Range(country=country, type=type_, prefix=f"+1{code}555", digits=4, first=100, count=100, mms=True)
        for code in codes.split()
    )


RANGES: Final[tuple[Range, ...]] = (
    *_nanp("US", _US_AREAS, NumberType.LOCAL),
    *_nanp("US", _TOLL_FREE, NumberType.TOLL_FREE),
    *_nanp("CA", _CA_AREAS, NumberType.LOCAL),
    # Ofcom, "Telephone numbers for drama use".
    Range(country="GB", type=NumberType.MOBILE, prefix="+447700900", digits=3, count=1000),
    Range(country="GB", type=NumberType.LOCAL, prefix="+44207946", digits=4, count=1000),
    Range(country="MX", type=NumberType.LOCAL, prefix="+52555555", digits=4, first=100, count=100),
    Range(country="MX", type=NumberType.MOBILE, prefix="+52335555", digits=4, first=100, count=100),
    # Bundesnetzagentur, "Drama numbers".
    Range(country="DE", type=NumberType.MOBILE, prefix="+4917139200", digits=2, count=100),
    Range(country="DE", type=NumberType.LOCAL, prefix="+493023125", digits=3, count=1000),
    # ARCEP, décision 2018-0881, article 2.5.12.
    Range(country="FR", type=NumberType.MOBILE, prefix="+3363998", digits=4, count=1000),
    # ACMA, "Phone numbers for use in TV shows, films and creative works".
    Range(country="AU", type=NumberType.MOBILE, prefix="+61491570", digits=3, count=1000),
    Range(country="AU", type=NumberType.LOCAL, prefix="+6125550", digits=4, count=1000),
    # PTS, "Telefonnummer för användning i böcker och filmer".
    Range(country="SE", type=NumberType.MOBILE, prefix="+46701740", digits=3, first=605, count=95),
    # No range for fiction is kept in these.
    Range(country="ES", type=NumberType.MOBILE, prefix="+34600000", digits=3, count=1000),
    Range(country="BR", type=NumberType.MOBILE, prefix="+5511955550", digits=3, count=1000),
    Range(country="IN", type=NumberType.MOBILE, prefix="+9199999990", digits=2, count=100),
    Range(country="IT", type=NumberType.MOBILE, prefix="+393200000", digits=3, count=1000),
    Range(country="NL", type=NumberType.MOBILE, prefix="+31612345", digits=3, count=1000),
)


def types_of(country: str) -> tuple[NumberType, ...]:
    """The types that can be had in `country`, each once; empty where there is nothing."""
    return tuple(dict.fromkeys(each.type for each in RANGES if each.country == country))


def offered(country: str, type_: NumberType, *, area: str = "", contains: str = "") -> Iterator[str]:
    """Numbers of `country`, in a fixed order. `area`: a North American area code. `contains`: see `pattern`."""
    wanted = pattern(contains)
    for each in RANGES:
        if each.country == country and each.type is type_ and (not area or each.prefix.startswith(f"+1{area}")):
            yield from (number for number in each.numbers() if wanted is None or wanted.search(number))


def type_of(number: str) -> NumberType:
    """The type of a number, of the inventory or not."""
    if kind_of(number) is SenderKind.TOLL_FREE:
        return NumberType.TOLL_FREE
    if area_code(number):
        return NumberType.LOCAL
    return next((each.type for each in RANGES if each.holds(number)), NumberType.MOBILE)


_KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")


def pattern(contains: str) -> re.Pattern[str] | None:
    """Twilio's `Contains`: digits, letters as on a keypad, `*` for any digit. None where nothing is asked.

    What is none of these is left out, as people write dashes and brackets.
    """
    wanted = re.sub(r"[^0-9*]", "", contains.upper().translate(_KEYPAD))
    return re.compile(wanted.replace("*", "[0-9]")) if wanted else None
