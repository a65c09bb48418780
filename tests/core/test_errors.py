"""The catalogue of errors: complete, literal, and helpful."""

import re
import string

import pytest

from stopwire.core import errors

SPOKEN_OF = """
20001 20002 20003 20004 20005 20006 20007 20008 20009 20010 20404 20409 20410 20412 20413 20422 20423 20426 20429
20500 20503 21211 21212 21266 21401 21402 21403 21406 21407 21408 21421 21422 21452 21481 21602 21603 21604 21606
21608 21609 21610 21611 21612 21614 21616 21617 21618 21619 21620 21621 21622 21623 21624 21635 21653 21654 21655
21656 21657 21658 21659 21660 21661 21664 21665 21666 21667 21701 21702 21703 21704 21705 21708 21709 21710 21711
21712 21713 21714 21715 21910 30001 30002 30003 30004 30005 30006 30007 30008 30009 30010 30011 30012 30013 30014
30015 30016 30017 30018 30019 30020 30021 30022 30023 30024 30027 30029 30030 30032 30033 30034 30035 30036 30037
30038 30039 30040 30041 30042 30044 30046 30113 30114 30115 30409 30410 30450 30485 30610 30615 30620 30630 30640
30646 30647 30648 30649 35111 35114 35115 35117 35118 35125 35126 63001 63003 63005 63007 63009 63012 63013 63014
63016 63017 63018 63019 63021 63024 63027 63028 63031 63033 63038 11200 11201 11202 11203 11205 11206 11210 11215
11220 11235 11236 11237 11243 11750 11770 12100 12200 12300 12400 14101 14102 14103 14104 14105 14106 14107 14108
14109 14110 14111 23001 23002 23004 57012 80901
"""
TO, SENDER = "+14155550101", "+18005550199"


def test_every_code_of_the_wire_contract_is_in_the_catalogue_once() -> None:
    assert sorted(map(int, SPOKEN_OF.split())) == sorted(errors.CATALOGUE)
    rows = [row[0] for row in (*errors._REQUESTS, *errors._MESSAGE_ENDS, *errors._WEBHOOKS)]
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize("entry", errors.CATALOGUE.values(), ids=lambda entry: str(entry.code))
def test_every_code_says_what_happened_and_what_to_do(entry: errors.Entry) -> None:
    for sentence in (entry.cause, entry.cure):
        assert re.fullmatch(r"['A-Z].{8,}\.", sentence)
    assert entry.title.strip()
    assert entry.cause != entry.cure


@pytest.mark.parametrize(
    ("refused", "status", "message"),
    [
        pytest.param(errors.refuse(21610), 400, "Attempt to send to unsubscribed recipient", id="21610"),
        pytest.param(errors.refuse(21211, to="+1234567890"), 400, "Invalid 'To' Phone Number: +123456XXXX", id="21211"),
        pytest.param(
            errors.refuse(21212, sender="+15005550001"),
            400,
            "The 'From' number +15005550001 is not a valid phone number, shortcode, or alphanumeric sender ID.",
            id="21212",
        ),
        pytest.param(
            errors.refuse(21408, to="+18777800000"),
            400,
            "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: +1877780XXXX",
            id="21408",
        ),
        pytest.param(
            errors.refuse(21608, to="+917000000000", where="the settings"),
            400,
            "The number +91700000XXXX is unverified. Trial accounts cannot send messages to unverified numbers; "
            "verify +91700000XXXX at the settings",
            id="21608",
        ),
        pytest.param(
            errors.refuse(21606, sender=SENDER),
            400,
            f"The From phone number {SENDER} is not a valid, SMS-capable inbound phone number or short code "
            "for your account.",
            id="21606",
        ),
        pytest.param(errors.refuse(21611), 429, "SMS queue is full.", id="21611"),
        pytest.param(
            errors.refuse(21612, to="+212706400000", sender=SENDER),
            400,
            "Message cannot be sent with the current combination of 'To' (+21270640XXXX) and/or 'From' "
            f"({SENDER}) parameters",
            id="21612",
        ),
        pytest.param(errors.refuse(21614, to=TO), 400, "To number: +1415555XXXX, is not a mobile number", id="21614"),
        pytest.param(
            errors.refuse(21659, sender=SENDER),
            400,
            f"'From' {SENDER} is not a Twilio phone number or Short Code country mismatch",
            id="21659",
        ),
        pytest.param(errors.refuse(21602), 400, "Message body is required.", id="21602"),
        pytest.param(errors.refuse(21603), 400, "A 'From' phone number is required.", id="21603"),
        pytest.param(errors.refuse(21604), 400, "A 'To' phone number is required.", id="21604"),
        pytest.param(
            errors.refuse(21617), 400, "The concatenated message body exceeds the 1600 character limit.", id="21617"
        ),
        pytest.param(
            errors.refuse(21619), 400, "A Message Body, Media URL or Content SID is required", id="title is the text"
        ),
        pytest.param(errors.refuse(20003), 401, "Authenticate", id="wrong token"),
        pytest.param(
            errors.refuse(20003, case="no_credentials"),
            401,
            "Authentication Error - No credentials provided",
            id="no credentials",
        ),
        pytest.param(
            errors.refuse(20003, case="username"), 401, "Authentication Error - invalid username", id="unknown account"
        ),
        pytest.param(
            errors.refuse(20404, path="/Services/MG1"),
            404,
            "The requested resource /Services/MG1 was not found",
            id="20404",
        ),
        pytest.param(
            errors.refuse(20001, name="FriendlyName"),
            400,
            "Missing required parameter FriendlyName in the post body",
            id="20001",
        ),
        pytest.param(errors.refuse(20001, case="page_size"), 400, "Invalid PageSize.", id="PageSize"),
        pytest.param(errors.refuse(20429), 429, "Too Many Requests", id="20429"),
        pytest.param(errors.refuse(21701), 404, "The Messaging Service does not exist", id="21701"),
        pytest.param(errors.refuse(20404, path="/{x}"), 404, "The requested resource /{x} was not found", id="braces"),
    ],
)
def test_a_refusal_says_its_literal_text(refused: errors.Refused, status: int, message: str) -> None:
    assert (status, message) == (refused.status, refused.message)


def test_the_envelope_has_exactly_the_four_keys() -> None:
    assert {
        "code": 21610,
        "message": "Attempt to send to unsubscribed recipient",
        "more_info": "https://www.twilio.com/docs/errors/21610",
        "status": 400,
    } == errors.envelope(errors.refuse(21610))


def test_every_code_with_a_status_can_refuse() -> None:
    names = {name for text in errors._MESSAGES.values() for _, name, _, _ in string.Formatter().parse(text) if name}
    assert {"name", "path", "to", "sender", "where"} == names
    for code, entry in errors.CATALOGUE.items():
        if entry.status is not None:
            refused = errors.refuse(code, name="N", path="/p", to=TO, sender=SENDER, where="w")
            assert (code, entry.status) == (refused.code, refused.status)
            assert "0101" not in refused.message


def test_a_code_of_messages_cannot_refuse_a_request() -> None:
    with pytest.raises(ValueError, match="30003"):
        errors.refuse(30003)


def test_titles_are_told_and_an_unknown_code_is_admitted() -> None:
    assert "Unreachable destination handset" == errors.title(30003)
    assert "Unknown error" == errors.title(99999)
