"""What the statuses say, and whether the tables are whole."""

import pytest

from stopwire.smpp.fields import RESPONSE, TLVS, Command, Kind, Status, Tag, meaning


def test_every_status_has_a_sentence_and_a_kind() -> None:
    assert [] == [status for status in Status if not meaning(status).sentence.endswith(".")]
    assert {Kind.UNLISTED} == set(Kind) - {meaning(status).kind for status in Status}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        pytest.param(0x00, Kind.OK, id="no error"),
        pytest.param(0x58, Kind.THROTTLED, id="throttled"),
        pytest.param(0x14, Kind.THROTTLED, id="queue full"),
        pytest.param(0x08, Kind.TEMPORARY, id="system error"),
        pytest.param(0x0A, Kind.PERMANENT, id="source address"),
        pytest.param(0x0B, Kind.PERMANENT, id="destination address"),
        pytest.param(0x66, Kind.PERMANENT, id="rejected by the application"),
        pytest.param(0x0E, Kind.BIND, id="password"),
        pytest.param(0x03, Kind.PROTOCOL, id="unknown command"),
        pytest.param(0x400, Kind.UNLISTED, id="first of the vendor's"),
        pytest.param(0x4FF, Kind.UNLISTED, id="last of the vendor's"),
        pytest.param(0x09, Kind.UNLISTED, id="reserved"),
        pytest.param(0xFFFFFFFF, Kind.UNLISTED, id="the largest"),
    ],
)
def test_a_status_says_what_to_do(code: int, kind: Kind) -> None:
    assert kind == meaning(code).kind
    assert code == meaning(code).code


def test_a_vendors_code_is_told_from_a_reserved_one() -> None:
    assert "A status of the vendor's own." == meaning(0x401).sentence
    assert "0x00000401" == meaning(0x401).name
    assert "A status that SMPP 3.4 does not list." == meaning(0x500).sentence


def test_every_tag_has_a_type_and_a_width() -> None:
    assert set(Tag) == set(TLVS)
    assert [] == [tag for tag, (_, least, most) in TLVS.items() if not 0 <= least <= most]


def test_every_request_has_its_response_but_for_two() -> None:
    without = {one for one in Command if not one & RESPONSE and one | RESPONSE not in set(Command)}
    assert {Command.OUTBIND, Command.ALERT_NOTIFICATION} == without
