"""Addresses: what is read as one, and what a number tells."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.core import address
from stopwire.core.address import ChannelGroup, SenderKind


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        pytest.param("+14155550101", None, "+14155550101", id="fictional number"),
        pytest.param("+15005550006", None, "+15005550006", id="magic number"),
        pytest.param("+15551230001", None, "+15551230001", id="area code nobody has"),
        pytest.param(" +1 (415) 555-0101 ", None, "+14155550101", id="separators"),
        pytest.param("+1.415.555.0101", None, "+14155550101", id="dots"),
        pytest.param(" 14155550101", None, "+14155550101", id="plus lost in a form"),
        pytest.param("2019376882", None, "+12019376882", id="without plus it is read in the US"),
        pytest.param("06 12 34 56 78", "FR", "+33612345678", id="national French number"),
        pytest.param("+33612345678", "US", "+33612345678", id="plus wins over the region"),
        pytest.param("+39 06 6982 1234", None, "+390669821234", id="Italian zero is kept"),
        pytest.param("WhatsApp:+14155550101", None, "whatsapp:+14155550101", id="prefix in lower case"),
        pytest.param("rcs:+14155550101", None, "+14155550101", id="RCS to a number: the same person"),
        pytest.param("RCS:4155550101", "US", "+14155550101", id="RCS, as the country writes it"),
        pytest.param("rcs:acme_agent", None, None, id="an agent is no person"),
        pytest.param("messenger:1234567890", None, "messenger:1234567890", id="messenger id"),
        pytest.param("", None, None, id="empty"),
        pytest.param("+", None, None, id="only a plus"),
        pytest.param("+1415555", None, None, id="too short"),
        pytest.param("5550101", None, None, id="local only"),
        pytest.param("+1415555010199", None, None, id="too long"),
        pytest.param("+999123456789", None, None, id="no such country code"),
        pytest.param("1-800-FLOWERS", None, None, id="letters"),
        pytest.param("+1415555010١", None, None, id="digit of another script"),
        pytest.param("whatsapp:ACME", None, None, id="WhatsApp needs a number"),
        pytest.param("telegram:+14155550101", None, None, id="unknown channel"),
        pytest.param("12345", None, None, id="a short code is no person"),
        pytest.param("1" * 5000, None, None, id="a novel"),
        pytest.param("12345", "XX", None, id="unknown region"),
    ],
)
def test_a_recipient_is_read_as_a_possible_address(text: str, region: str | None, expected: str | None) -> None:
    assert expected == address.parse_recipient(text, region)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("+1 415 555 0101", "+14155550101", id="E.164"),
        pytest.param("72345", "72345", id="short code"),
        pytest.param("123", "123", id="shortest short code"),
        pytest.param("12", None, id="two digits"),
        pytest.param("4155550101", "+14155550101", id="ten digits are a number"),
        pytest.param("ACME", "ACME", id="alphanumeric"),
        pytest.param("A+B_c & d-1", "A+B_c & d-1", id="all characters"),
        pytest.param("ACME Stores Inc", None, id="name too long"),
        pytest.param("ACMÉ", None, id="letter outside the set"),
        pytest.param("1 2-3", None, id="name without a letter"),
        pytest.param("whatsapp:+14155550101", "whatsapp:+14155550101", id="WhatsApp"),
        pytest.param("rcs:acme_agent", "rcs:acme_agent", id="RCS agent"),
        pytest.param("rcs:", None, id="agent without a name"),
        pytest.param("messenger:123", None, id="no carrier speaks Messenger"),
    ],
)
def test_a_sender_is_read_by_its_form(text: str, expected: str | None) -> None:
    assert expected == address.parse_sender(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+14155550101", "US"),
        ("+16045550101", "CA"),
        ("+18765550101", "JM"),
        ("+18095550101", "DO"),
        ("+17875550101", "PR"),
        ("+18885550101", "US"),
        ("+15551230001", "US"),
        ("+15005550006", "US"),
        ("+442079460000", "GB"),
        ("+447700900123", "GB"),
        ("+77011234567", "KZ"),
        ("whatsapp:+33612345678", "FR"),
        ("+80012345678", None),
        ("72345", None),
        ("ACME", None),
        ("rcs:acme", None),
    ],
)
def test_a_number_tells_its_country(text: str, expected: str | None) -> None:
    assert expected == address.country_of(text)


@given(st.from_regex(r"\+1[2-9][0-9]{2}[2-9][0-9]{6}", fullmatch=True))
def test_in_north_america_the_last_four_digits_decide_no_country(number: str) -> None:
    assert address._country(number) == address.country_of(number)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+14155550101", SenderKind.LONG_CODE),
        ("+18885550101", SenderKind.TOLL_FREE),
        ("+18335550101", SenderKind.TOLL_FREE),
        ("+448005550101", SenderKind.LONG_CODE),
        ("72345", SenderKind.SHORT_CODE),
        ("ACME", SenderKind.ALPHANUMERIC),
        ("whatsapp:+18885550101", SenderKind.WHATSAPP),
        ("rcs:acme", SenderKind.RCS),
    ],
)
def test_a_sender_tells_its_kind(text: str, expected: SenderKind) -> None:
    assert expected == address.kind_of(text)


def test_whatsapp_is_a_group_of_its_own_and_everything_else_is_text() -> None:
    assert ChannelGroup.WHATSAPP == address.group_of("whatsapp:+14155550101")
    assert {ChannelGroup.TEXT} == {address.group_of(a) for a in ("+14155550101", "72345", "ACME", "rcs:acme")}


def test_a_prefix_can_be_taken_off() -> None:
    assert ["+14155550101", "+14155550101", "72345"] == [
        address.number_of(a) for a in ("whatsapp:+14155550101", "+14155550101", "72345")
    ]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param("+14155550101", "+14155550199", True, id="same code"),
        pytest.param("+14155550101", "+16285550101", True, id="overlay"),
        pytest.param("+12125550101", "+19175550101", True, id="917 lies over Manhattan"),
        pytest.param("+17185550101", "+19175550101", True, id="and over Brooklyn"),
        pytest.param("+12125550101", "+17185550101", False, id="which are two areas"),
        pytest.param("+14155550101", "+12125550101", False, id="two coasts"),
        pytest.param("+18885550101", "+18885550102", False, id="toll-free is no area"),
        pytest.param("+33612345678", "+33612345679", False, id="only in North America"),
        pytest.param("whatsapp:+14155550101", "+16285550101", True, id="the channel does not matter"),
    ],
)
def test_overlaid_codes_are_one_area(first: str, second: str, expected: bool) -> None:
    assert expected == address.same_area(first, second)
    assert expected == address.same_area(second, first)


@pytest.mark.parametrize(
    ("text", "masked", "with_x"),
    [
        ("+14155550101", "+1415•••0101", "+1415555XXXX"),
        ("whatsapp:+14155550101", "whatsapp:+1415•••0101", "whatsapp:+1415555XXXX"),
        ("+29022222", "+2•••2222", "+2902XXXX"),
        ("messenger:1234567890", "messenger:•••7890", "messenger:123456XXXX"),
        ("72345", "72345", "7XXXX"),
        ("ACME", "ACME", "ACME"),
        ("12-34 x", "12-34 x", "XX-XX x"),
        ("+1", "+•••", "+X"),
    ],
)
def test_a_masked_number_keeps_its_ends(text: str, masked: str, with_x: str) -> None:
    assert masked == address.mask(text)
    assert with_x == address.mask_digits_x(text)


def test_a_number_is_written_as_at_home() -> None:
    assert "(415) 555-0101" == address.national_format("whatsapp:+14155550101")
    assert "020 7946 0000" == address.national_format("+442079460000")
    assert "72345" == address.national_format("72345")


def test_a_number_tells_the_time_zones_its_owner_may_live_in() -> None:
    assert ("America/Los_Angeles",) == address.time_zones("+14155550101")
    assert () == address.time_zones("72345")
    assert () == address.time_zones("+80012345678")


@given(st.text(alphabet=st.sampled_from("+0123456789 -.()abwhatsapp:rcsmessenger"), max_size=40) | st.text(max_size=30))
def test_a_canonical_address_reads_as_itself(text: str) -> None:
    for parse in (address.parse_recipient, address.parse_sender):
        found = parse(text)
        if found is not None:
            assert found == parse(found)
            address.country_of(found), address.kind_of(found), address.mask(found), address.time_zones(found)


@given(st.from_regex(r"\+1[2-9][0-9]{2}[2-9][0-9]{6}", fullmatch=True))
def test_the_short_way_for_north_american_numbers_agrees_with_the_library(number: str) -> None:
    parsed = phonenumbers.parse(number)
    assert phonenumbers.ValidationResult.IS_POSSIBLE == phonenumbers.is_possible_number_with_reason(parsed)
    assert number == address.parse_recipient(number)
