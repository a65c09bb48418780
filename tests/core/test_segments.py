"""Segments: encoding, number, cuts, and smart encoding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.core import gsm7, segments

GSM_TEXT = st.text(alphabet=gsm7.BASIC.replace("\x1b", "") + "".join(gsm7.EXTENSION) * 4, max_size=700)
ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()) | st.sampled_from("🙂漢é€["), max_size=400)


@pytest.mark.parametrize(
    ("body", "encoding", "count", "units", "left"),
    [
        pytest.param("", "GSM-7", 1, 0, 160, id="empty"),
        pytest.param("a" * 160, "GSM-7", 1, 160, 0, id="160 septets are one"),
        pytest.param("a" * 161, "GSM-7", 2, 161, 145, id="161 are two of 153"),
        pytest.param("a" * 306, "GSM-7", 2, 306, 0, id="306 fill two"),
        pytest.param("a" * 307, "GSM-7", 3, 307, 152, id="307 are three"),
        pytest.param("é" * 160, "GSM-7", 1, 160, 0, id="national letters of the alphabet"),
        pytest.param("€" * 80, "GSM-7", 1, 160, 0, id="80 pairs are one"),
        pytest.param("€" * 81, "GSM-7", 2, 162, 143, id="81 pairs: 76 in the first, one septet lost"),
        pytest.param("a" * 152 + "€" + "a" * 152, "GSM-7", 3, 306, 152, id="a pair at the cut moves on"),
        pytest.param("a" * 159 + "[", "GSM-7", 2, 161, 145, id="the pair makes 161"),
        pytest.param("ç" * 70, "UCS-2", 1, 70, 0, id="70 units are one"),
        pytest.param("ç" * 71, "UCS-2", 2, 71, 63, id="71 are two of 67"),
        pytest.param("ç" * 134, "UCS-2", 2, 134, 0, id="134 fill two"),
        pytest.param("ç" * 135, "UCS-2", 3, 135, 66, id="135 are three"),
        pytest.param("🙂" * 35, "UCS-2", 1, 70, 0, id="35 emoji are one"),
        pytest.param("🙂" * 36, "UCS-2", 2, 72, 61, id="36 emoji: 33 in the first, one unit lost"),
        pytest.param("🙂" * 67, "UCS-2", 3, 134, 65, id="a surrogate pair at the cut moves on"),
        pytest.param("a" * 100 + "`", "UCS-2", 2, 101, 33, id="one back-tick costs the alphabet"),
        pytest.param("\ud83d" * 70, "UCS-2", 1, 70, 0, id="lone surrogates count as units"),
    ],
)
def test_a_body_takes_so_many_segments(body: str, encoding: str, count: int, units: int, left: int) -> None:
    found = segments.count(body)
    assert (encoding, count, units, left) == (found.encoding, found.segments, found.units, found.units_left)


def test_the_characters_that_cost_the_alphabet_are_named_once() -> None:
    assert ("’", "🙂") == segments.count("It’s “ok”🙂’".replace("“", "").replace("”", "")).blockers
    assert () == segments.count("It's ok").blockers


def test_a_pair_is_never_split() -> None:
    assert ["a" * 152, "€" + "a" * 151, "a"] == segments.split("a" * 152 + "€" + "a" * 152)
    assert ["ç" * 66, "🙂" + "ç" * 10] == segments.split("ç" * 66 + "🙂" + "ç" * 10)


@given(GSM_TEXT | ANY_TEXT)
def test_the_parts_are_the_body_and_each_fits(body: str) -> None:
    parts = segments.split(body)
    found = segments.count(body)
    assert body == "".join(parts)
    assert found.segments == len(parts)
    if found.encoding == "GSM-7":
        sizes = [len(gsm7.encode(part)) for part in parts]
        room = 160 if len(parts) == 1 else 153
    else:
        sizes = [len(part.encode("utf-16-le", "surrogatepass")) // 2 for part in parts]
        room = 70 if len(parts) == 1 else 67
    assert (sum(sizes), room - sizes[-1]) == (found.units, found.units_left)
    assert max(sizes) <= room


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param("“It’s” – ok…", "\"It's\" - ok...", id="what word processors write"),
        pytest.param("10\u00a0000\u202f€", "10 000 €", id="spaces that do not break"),
        pytest.param("ＳＡＬＥ！５０％", "SALE!50%", id="full width"),
        pytest.param("«½» ÷", '"1/2" /', id="fractions and guillemets"),
        pytest.param("cafe\u0301 A\u030a n\u0303", "café Å ñ", id="accents written apart"),
        pytest.param("c\u0327a a\u0301", "c\u0327a a\u0301", id="accents that GSM-7 lacks stay"),
        pytest.param("a\u200bb\ufeff\x00\x9b", "ab", id="nothing to see"),
        pytest.param("ꜱᴀʟᴇ • now", "SALE - now", id="small capitals and bullets"),
        pytest.param("👩‍👧 漢字、。 ç", "👩‍👧 漢字、。 ç", id="emoji, CJK and other letters stay"),
        pytest.param("plain {€}", "plain {€}", id="nothing to do"),
    ],
)
def test_smart_encoding_replaces_look_alikes_only(body: str, expected: str) -> None:
    assert expected == segments.smart(body)


@given(ANY_TEXT)
def test_smart_encoding_twice_changes_nothing_more(body: str) -> None:
    once = segments.smart(body)
    assert once == segments.smart(once)


def test_every_replacement_is_in_the_alphabet() -> None:
    assert all(gsm7.fits(segments.smart(chr(c))) for c in segments._LOOK_ALIKES)


@given(ANY_TEXT)
def test_the_length_of_a_body_is_measured_in_utf16(body: str) -> None:
    assert len(body.encode("utf-16-le", "surrogatepass")) // 2 == segments.units_utf16(body)
