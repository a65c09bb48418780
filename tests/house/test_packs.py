"""Each language pack keeps the rules of packs: words, sources, replies that fit, phrases that hold."""

import tomllib
from importlib.resources import files
from itertools import chain

import pytest

from stopwire import packs
from stopwire.core import natural
from stopwire.core.catalogue import TWILIO_LANGUAGES, language_tag
from stopwire.core.packs import Pack, Packs, Phrase, collect, fill
from stopwire.core.policy import REPLY_CHARS_MAX, WORD_CHARS_MAX, Keyword, Matching, OptOutPolicy, check, standard_policy
from stopwire.core.spelling import key

PACKS = packs.load()
EACH = pytest.mark.parametrize("pack", list(PACKS), ids=lambda pack: pack.language)
EACH_PHRASE = pytest.mark.parametrize(
    ("pack", "phrase"), [pytest.param(pack, phrase, id=phrase.id) for pack in PACKS for phrase in pack.phrases]
)

# In the catalogue, but nobody has reviewed words for them yet: the operator writes their own, English ones apply.
WITHOUT_WORDS = {"nr", "st", "ss", "tn", "ts", "ve", "xh", "zu"}

LONGEST = {"brand": "b" * 25, "programme": "p" * 25, "support": "s" * 30, "frequency": "f" * 30}


def test_every_catalogue_language_has_a_pack_or_is_known_to_have_none() -> None:
    assert set(TWILIO_LANGUAGES.values()) - set(PACKS.by_language) == WITHOUT_WORDS


def test_seven_languages_have_replies_of_their_own() -> None:
    assert ["de", "en", "es", "fr", "it", "nl", "pt"] == [pack.language for pack in PACKS if pack.replies]


@EACH
def test_a_pack_names_its_language(pack: Pack) -> None:
    assert pack.language == language_tag(pack.language)
    assert pack.catalogue_key is None or pack.language == TWILIO_LANGUAGES[pack.catalogue_key]
    assert pack.name
    assert pack.native_name
    assert pack.hazards


@EACH
def test_the_three_keywords_have_words(pack: Pack) -> None:
    for keyword in Keyword:
        assert pack.core(keyword), keyword


@EACH
def test_no_word_stands_for_two_keywords_or_stands_twice(pack: Pack) -> None:
    keys = [key(word.text) for word in pack.words]
    assert sorted(set(keys)) == sorted(keys)


@EACH
def test_words_are_short_and_have_a_source(pack: Pack) -> None:
    for word in pack.words:
        assert 0 < len(word.text) <= WORD_CHARS_MAX
        assert word.source
        assert key(word.text)


@EACH
def test_reserved_words_keep_their_meaning(pack: Pack) -> None:
    for word in pack.words:
        if word.text in list(Keyword):
            assert word.text == word.keyword


@EACH
def test_filled_replies_fit_and_leave_no_placeholder(pack: Pack) -> None:
    words = PACKS.word_set(pack.language, **LONGEST)
    for keyword in Keyword:
        listed = words.of(keyword)
        assert listed is not None
        assert 0 < len(listed.reply) <= REPLY_CHARS_MAX
        assert "{" not in listed.reply


@EACH
def test_a_pack_beside_standard_makes_a_policy_that_can_be_saved(pack: Pack) -> None:
    words = PACKS.word_set(pack.language, brand="Acme", support="+1 415 555 0100")
    start = standard_policy()
    policy = OptOutPolicy(standard=start.standard, languages={pack.language: words})
    assert [] == check(policy)
    assert [] == check(OptOutPolicy(standard=start.standard, languages={pack.language: words}, matching=Matching.NATURAL))


@EACH_PHRASE
def test_a_phrase_hears_its_own_examples_and_no_others(pack: Pack, phrase: Phrase) -> None:
    known = natural.spoken(PACKS, (pack.language,))

    def heard(body: str) -> bool:
        return phrase.id in [found.rule for found in natural.said(natural.clauses(body), rules=known.rules)]

    assert 3 <= min(len(phrase.yes), len(phrase.no))
    assert [] == [body for body in phrase.yes if not heard(body)]
    assert [] == [body for body in phrase.no if heard(body)]


def test_phrases_have_ids_of_their_own_that_begin_with_their_language() -> None:
    ids = [(pack.language, phrase.id) for pack in PACKS for phrase in pack.phrases]
    assert len(ids) == len({identifier for _, identifier in ids})
    assert all(identifier.startswith(f"{language}.") for language, identifier in ids)


def test_a_reply_advertises_a_documented_word_or_the_one_that_always_works() -> None:
    spanish, swedish = PACKS.word_set("es", brand="Acme"), PACKS.word_set("sv", brand="Acme")
    assert spanish.stop is not None
    assert "responda ALTA" in spanish.stop.reply
    assert "BAJA" in spanish.stop.keywords
    assert swedish.stop is not None
    assert "STOPP" in swedish.stop.keywords
    assert "Reply START" in swedish.stop.reply


def test_what_is_not_given_leaves_no_hole_in_a_reply() -> None:
    words = PACKS.word_set("en", brand="Acme")
    assert words.help is not None
    assert words.help.reply == "Acme. Message frequency varies. Msg & data rates may apply. To leave reply STOP."
    assert words.start is not None
    assert "subscribed to Acme again." in words.start.reply


def test_weak_words_and_words_of_two_never_enter_a_word_set() -> None:
    for pack in PACKS:
        words = PACKS.word_set(pack.language, brand="Acme")
        entered = set(chain.from_iterable(listed.keywords for keyword in Keyword if (listed := words.of(keyword))))
        assert not entered & {word.text for word in pack.words if word.weak or word.spaced}


def test_a_region_falls_back_to_its_language_and_an_unknown_language_is_told() -> None:
    assert PACKS.word_set("pt-BR", brand="Acme") == PACKS.word_set("pt", brand="Acme")
    with pytest.raises(KeyError, match="no language pack 'xh'"):
        PACKS.word_set("xh", brand="Acme")


def test_what_is_filled_in_is_never_filled_again() -> None:
    assert "{b} {c} {x" == fill("{a} {c} {x", {"a": "{b}", "b": "no"})


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        pytest.param("fr.toml", ("version", "edition"), "no field edition", id="an unknown field"),
        pytest.param("de.toml", ("", ""), "rename it to fr.toml", id="another language's file"),
        pytest.param("fr.toml", ("[words]", "[words"), "fr.toml", id="broken TOML"),
        pytest.param("fr.toml", ('native_name = "Français"', ""), "native_name", id="a missing field"),
    ],
)
def test_a_pack_that_cannot_be_read_is_told_where(name: str, change: tuple[str, str], words: str) -> None:
    text = files(packs).joinpath("fr.toml").read_text("utf-8")
    with pytest.raises(packs.BadPack, match=words):
        packs.read(name, text.replace(*change, 1))


def test_packs_are_plain_toml_and_read_once() -> None:
    assert packs.load() is PACKS
    assert isinstance(PACKS, Packs)
    assert ["fr"] == list(collect([PACKS.by_language["fr"]]).by_language)
    assert "fr" == tomllib.loads(files(packs).joinpath("fr.toml").read_text("utf-8"))["language"]
