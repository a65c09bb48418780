"""Recognition: what is a keyword, by which list, and what is only a message."""

import time
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stopwire.core.keywords import key, normalise, recognise, recognise_default
from stopwire.core.policy import (
    DEFAULT_HELP_REPLY,
    DEFAULT_HELP_WORDS,
    DEFAULT_START_REPLY,
    DEFAULT_START_WORDS,
    DEFAULT_STOP_REPLY,
    DEFAULT_STOP_WORDS,
    CountryOverride,
    Keyword,
    Matching,
    WordList,
    WordSet,
    standard_policy,
)

STANDARD = standard_policy()
SPANISH = WordSet(
    stop=WordList(keywords=("BAJA", "PARAR"), reply="Ha quedado dado de baja."),
    start=WordList(keywords=("ALTA",), reply="Bienvenido de nuevo."),
)
FRENCH = WordSet(
    stop=WordList(keywords=("ARRÊT", "STOP"), reply="Vous êtes désinscrit."),
    help=WordList(keywords=("AIDE",), reply="Aide : 01 23 45 67 89"),
)
POLICY = replace(
    STANDARD,
    enabled=True,
    languages={"es": SPANISH},
    countries={"CA": CountryOverride(languages={"fr": FRENCH})},
)


def keyword_of(body: str) -> Keyword | None:
    found = recognise(body, policy=STANDARD, country=None)
    return found.keyword if found else None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("STOP", id="the bare word"),
        pytest.param("stop", id="small letters"),
        pytest.param(" Stop.", id="a space and a full stop"),
        pytest.param(' "stop!" ', id="quotes and punctuation around it"),
        pytest.param("“stop!!”", id="curly quotes"),
        pytest.param("STOP\n", id="a line break"),
        pytest.param("\tSTOP\r\n\r\n", id="controls on both sides"),
        pytest.param("*STOP*", id="stars"),
        pytest.param("«STOP»", id="guillemets"),
        pytest.param("(STOP)", id="brackets"),
        pytest.param("STOP 🙏", id="an emoji after it"),
        pytest.param("🛑stop", id="an emoji before it"),
        pytest.param("STOP 🙏🏽👨‍👩‍👧❤️", id="emoji of several code points"),
        pytest.param("ＳＴＯＰ", id="full-width letters"),
        pytest.param("S\u200bTOP", id="a zero-width space inside"),
        pytest.param("\ufeffSTOP", id="a byte order mark"),
        pytest.param("\u202eSTOP\u202c", id="bidi controls"),
        pytest.param("ST\u00adOP", id="a soft hyphen"),
        pytest.param("STOP\u20e3", id="an enclosing mark"),
        pytest.param("\u00a0STOP\u3000", id="wide and unbreakable spaces"),
        pytest.param("𝐒𝐓𝐎𝐏", id="mathematical letters"),
        pytest.param("ⓈⓉⓄⓅ", id="circled letters"),
        pytest.param("ЅТОР", id="Cyrillic look-alikes"),
        pytest.param("SТΟP", id="Latin, Cyrillic and Greek mixed"),
        pytest.param("OPT-OUT", id="a hyphen inside the word"),
        pytest.param("STÓP", id="an accent by mistake"),
    ],
)
def test_a_decorated_stop_is_a_stop(body: str) -> None:
    assert Keyword.STOP == keyword_of(body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("STOP PLEASE", id="B05: a second word"),
        pytest.param("PLEASE CANCEL", id="B05: a word before it"),
        pytest.param("please stop", id="politely"),
        pytest.param("stop all", id="two words for STOPALL"),
        pytest.param("opt out", id="two words for OPTOUT"),
        pytest.param("STOP STOP", id="the word twice"),
        pytest.param("S T O P", id="spaced letters"),
        pytest.param("S.T.O.P", id="dotted letters"),
        pytest.param("S-T-O-P", id="hyphened letters"),
        pytest.param("Stop. Thank you", id="a sentence more"),
        pytest.param("STOP\nthanks", id="a second line"),
        pytest.param("STOP2", id="a digit"),
        pytest.param("STOP 123", id="a number after it"),
        pytest.param("unstoppable", id="inside another word"),
        pytest.param("weekend", id="END inside another word"),
        pytest.param("🛑", id="the sign alone"),
        pytest.param("СТОП", id="the Russian word, not in force"),
        pytest.param("BAJA", id="a language not in force"),
        pytest.param("ѕtаrt", id="look-alikes do not opt in"),
        pytest.param("", id="an empty body"),
        pytest.param(" \n\t", id="white space"),
        pytest.param("...", id="punctuation"),
        pytest.param("\u0301", id="a mark without a letter"),
        pytest.param("STO", id="a word cut short"),
    ],
)
def test_what_is_not_one_word_of_a_list_is_an_ordinary_message(body: str) -> None:
    assert keyword_of(body) is None


@pytest.mark.parametrize("word", [*DEFAULT_STOP_WORDS, *DEFAULT_START_WORDS, *DEFAULT_HELP_WORDS])
def test_b01_each_default_word_means_its_keyword(word: str) -> None:
    expected = Keyword.STOP if word in DEFAULT_STOP_WORDS else Keyword.START if word in DEFAULT_START_WORDS else Keyword.HELP
    for toll_free in (False, True):
        found = recognise_default(word.lower(), toll_free=toll_free)
        if word == "YES" and toll_free:
            assert found is None
        else:
            assert found is not None
            assert (expected, word, "en", "keyword") == (found.keyword, found.word, found.language, found.matched_by)


@pytest.mark.parametrize(
    ("word", "reply"), [("STOP", DEFAULT_STOP_REPLY), ("UNSTOP", DEFAULT_START_REPLY), ("INFO", DEFAULT_HELP_REPLY)]
)
def test_b11_default_words_have_the_default_replies(word: str, reply: str) -> None:
    found = recognise_default(word, toll_free=False)
    assert found is not None
    assert reply == found.reply


def test_b09_yes_is_an_ordinary_message_on_a_toll_free_sender() -> None:
    assert recognise_default("Yes!", toll_free=True) is None
    assert recognise("Yes!", policy=STANDARD, country=None, toll_free=True) is None
    for word in ("START", "UNSTOP"):
        found = recognise(word, policy=STANDARD, country=None, toll_free=True)
        assert found is not None
        assert Keyword.START == found.keyword


@pytest.mark.parametrize(
    ("body", "country", "expected"),
    [
        pytest.param("STOP", None, ("STOP", None, None, DEFAULT_STOP_REPLY), id="Standard"),
        pytest.param("baja", None, ("BAJA", "es", None, "Ha quedado dado de baja."), id="a language of all countries"),
        pytest.param("baja", "CA", ("BAJA", "es", None, "Ha quedado dado de baja."), id="an override adds"),
        pytest.param("Arrêt", "CA", ("ARRÊT", "fr", "CA", "Vous êtes désinscrit."), id="the override's word"),
        pytest.param("ARRET", "CA", ("ARRÊT", "fr", "CA", "Vous êtes désinscrit."), id="typed without the accent"),
        pytest.param("arret", "FR", None, id="another country"),
        pytest.param("arret", None, None, id="an unknown country"),
        pytest.param("stop", "CA", ("STOP", "fr", "CA", "Vous êtes désinscrit."), id="the override comes before Standard"),
        pytest.param("quit", "CA", ("QUIT", None, None, DEFAULT_STOP_REPLY), id="Standard after the override"),
        pytest.param("aide", "CA", ("AIDE", "fr", "CA", "Aide : 01 23 45 67 89"), id="help of the override"),
    ],
)
def test_the_first_list_that_has_the_word_decides(
    body: str, country: str | None, expected: tuple[str, str | None, str | None, str] | None
) -> None:
    found = recognise(body, policy=POLICY, country=country)
    assert expected == (found and (found.word, found.language, found.country, found.reply))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param("ARRET", ("ARRÊT", "fr", "Fini."), id="its own words"),
        pytest.param("QUIT", None, id="Standard's words are off"),
        pytest.param("BAJA", None, id="the languages of all countries are off"),
        pytest.param("STOP", ("STOP", "fr", "Fini."), id="STOP works, with the first language's reply"),
        pytest.param("START", ("START", None, DEFAULT_START_REPLY), id="START works, with Standard's reply"),
        pytest.param("HELP", ("HELP", None, DEFAULT_HELP_REPLY), id="HELP works, with Standard's reply"),
    ],
)
def test_a_replacing_override_is_alone_but_for_the_three_reserved_words(
    body: str, expected: tuple[str, str | None, str] | None
) -> None:
    only = WordSet(stop=WordList(keywords=("ARRÊT",), reply="Fini."))
    policy = replace(POLICY, countries={"FR": CountryOverride(replace=True, languages={"fr": only})})
    found = recognise(body, policy=policy, country="FR")
    assert expected == (found and (found.word, found.language, found.reply))


def test_a04_the_reserved_words_work_although_no_list_has_them() -> None:
    bare = replace(STANDARD, standard=WordSet(stop=WordList(keywords=("QUIT",), reply="Bye.")))
    for keyword, reply in (("STOP", "Bye."), ("START", DEFAULT_START_REPLY), ("HELP", DEFAULT_HELP_REPLY)):
        found = recognise(keyword, policy=bare, country=None)
        assert found is not None
        assert (keyword, reply) == (found.keyword, found.reply)


def test_a_list_without_a_reply_lends_the_one_of_standard() -> None:
    policy = replace(STANDARD, languages={"es": WordSet(stop=WordList(keywords=("BAJA",), reply=""))})
    found = recognise("baja", policy=policy, country=None)
    assert found is not None
    assert DEFAULT_STOP_REPLY == found.reply


def test_start_words_are_looked_up_before_stop_words() -> None:
    both = WordSet(stop=WordList(keywords=("PAUSE",), reply="a"), start=WordList(keywords=("PAUSE",), reply="b"))
    found = recognise("pause", policy=replace(STANDARD, languages={"fr": both}), country=None)
    assert found is not None
    assert Keyword.START == found.keyword


def test_words_with_spaces_act_in_natural_matching_only() -> None:
    spaced = replace(STANDARD, languages={"ar": WordSet(stop=WordList(keywords=("إلغاء الاشتراك",), reply="ok"))})
    assert recognise("الغاء  الاشتراك", policy=spaced, country=None) is None
    found = recognise("الغاء  الاشتراك", policy=replace(spaced, matching=Matching.NATURAL), country=None)
    assert found is not None
    assert ("إلغاء الاشتراك", "ar") == (found.word, found.language)


def test_look_alikes_reach_words_of_any_script() -> None:
    russian = replace(STANDARD, languages={"ru": WordSet(stop=WordList(keywords=("СТОП",), reply="ok"))})
    for body in ("СТОП", "CTOП"):
        found = recognise(body, policy=russian, country=None)
        assert found is not None
        assert "СТОП" == found.word


@pytest.mark.parametrize(
    ("word", "typed"),
    [
        pytest.param("İPTAL", "iptal", id="Turkish dotted capital"),
        pytest.param("ÇIKIŞ", "cikis", id="Turkish dotless i"),
        pytest.param("HỦY", "huy", id="Vietnamese"),
        pytest.param("HJÆLP", "hjaelp", id="Danish"),
        pytest.param("DÉSABONNER", "Desabonner", id="French"),
        pytest.param("ΔΙΑΚΟΠΗ", "διακοπή", id="Greek with an accent"),
        pytest.param("ΤΕΛΟΣ", "τελος", id="Greek final sigma"),
        pytest.param("إيقاف", "ايقاف", id="Arabic without hamza"),
        pytest.param("کمک", "كمك", id="Persian with Arabic letters"),
        pytest.param("הסר", "הָסֵר", id="Hebrew with points"),
        pytest.param("ПРИЁМ", "прием", id="Russian without dots"),
        pytest.param("OPT-OUT", "optout", id="a hyphen"),
        pytest.param("ストップ", "ｽﾄｯﾌﾟ", id="Japanese half width"),
    ],
)
def test_usual_ways_to_type_a_word_share_its_key(word: str, typed: str) -> None:
    assert key(word) == key(typed)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("йод", "иод", id="Cyrillic short i is a letter"),
        pytest.param("ї", "і", id="Ukrainian yi is a letter"),
        pytest.param("बंद", "बद", id="Devanagari anusvara"),
        pytest.param("หยุด", "หยด", id="Thai vowels"),
        pytest.param("ハ", "バ", id="Japanese voicing"),
        pytest.param("দাঁড়ি", "দাড়ি", id="Bengali chandrabindu"),
    ],
)
def test_marks_that_make_another_letter_stay(one: str, other: str) -> None:
    assert key(one) != key(other)


@given(st.text())
@example("\u0345α")
@example("!\u0301x")
def test_what_is_normalised_has_no_edges_and_nothing_invisible(body: str) -> None:
    plain = normalise(body)
    for end in plain[:1] + plain[-1:]:
        assert unicodedata.category(end)[0] not in "ZCPS"
        assert "Me" != unicodedata.category(end)
    assert not set(plain) & set("\u200b\u200d\u2060\ufeff\u00ad\ufe0f")


DECORATION = st.text(alphabet=" \n\t.,!?*'\"()[]“”…\u200b\ufeff\u200d😀🛑❤\ufe0f#-_~`^", max_size=8)


@given(
    word=st.sampled_from([*DEFAULT_STOP_WORDS, *DEFAULT_START_WORDS, *DEFAULT_HELP_WORDS]),
    before=DECORATION,
    after=DECORATION,
    upper=st.lists(st.booleans(), min_size=11, max_size=11),
    wide=st.booleans(),
)
def test_decoration_never_changes_what_a_word_means(word: str, before: str, after: str, upper: list[bool], wide: bool) -> None:
    typed = "".join(c.upper() if up else c.lower() for c, up in zip(word, upper, strict=False))
    if wide:
        typed = "".join(chr(ord(c) + 0xFEE0) for c in typed)
    plain = recognise(word, policy=STANDARD, country=None)
    assert plain == recognise(before + typed + after, policy=STANDARD, country=None)


@given(st.text())
def test_recognition_never_raises_and_a_second_word_never_acts(body: str) -> None:
    recognise(body, policy=POLICY, country="CA")
    assert recognise("stop x" + body + "y", policy=STANDARD, country=None) is None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("x" * 1_000_000, id="one long word"),
        pytest.param("!" * 1_000_000 + "STOP", id="one long edge"),
        pytest.param("a" + "\u0301\u0316" * 500_000, id="piled marks of two classes"),
        pytest.param("a" + ("\u0301\u0316" * 15 + "\u034f") * 32_000, id="piles joined by invisible characters"),
        pytest.param("\ufdfa" * 1_000_000, id="letters that expand eighteenfold"),
        pytest.param("\u200b" * 1_000_000 + "STOP", id="invisible characters"),
        pytest.param("ab-" * 333_333, id="hyphens"),
        pytest.param(" \t" * 500_000 + "x" + " \t" * 500_000, id="white space"),
    ],
)
def test_a_megabyte_of_hostile_text_is_read_in_linear_time(body: str) -> None:
    begun = time.perf_counter()
    recognise(body, policy=POLICY, country="CA")
    assert 2.0 > time.perf_counter() - begun  # quadratic work would take minutes
