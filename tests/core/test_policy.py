"""The policy of a messaging service: its data form, its checks, its warnings, its differences."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.core.catalogue import COUNTRIES, LANGUAGES, TWILIO_LANGUAGES, language_tag
from stopwire.core.policy import (
    DEFAULT_HELP_REPLY,
    DEFAULT_STOP_REPLY,
    Change,
    CountryOverride,
    Keyword,
    Matching,
    OptOutPolicy,
    WordList,
    WordSet,
    check,
    differences,
    from_data,
    standard_policy,
    to_data,
    warnings,
)

STANDARD = standard_policy()


def listed(*words: str, reply: str = "Thank you.") -> WordList:
    return WordList(keywords=words, reply=reply)


def with_standard(**lists: WordList | None) -> OptOutPolicy:
    return replace(STANDARD, standard=replace(STANDARD.standard, **lists))  # type: ignore[arg-type]  # names checked by replace


def with_language(language: str = "fr", **lists: WordList | None) -> OptOutPolicy:
    return replace(STANDARD, languages={language: WordSet(**lists)})


def with_country(country: str = "MX", *, language: str = "es", alone: bool = False, **lists: WordList | None) -> OptOutPolicy:
    return replace(STANDARD, countries={country: CountryOverride(replace=alone, languages={language: WordSet(**lists)})})


def test_a_new_service_starts_switched_off_with_the_default_words_and_replies() -> None:
    assert not STANDARD.enabled
    assert Matching.EXACT == STANDARD.matching
    assert STANDARD.standard.stop is not None
    assert ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT") == STANDARD.standard.stop.keywords
    assert DEFAULT_STOP_REPLY == STANDARD.standard.stop.reply
    assert [] == check(STANDARD)


def test_the_opt_out_type_of_a_keyword_is_its_value() -> None:
    assert ["STOP", "START", "HELP"] == [str(keyword) for keyword in Keyword]


# Each row: the policy, the place that is wrong, words its sentence must hold.
ERRORS = [
    pytest.param(with_standard(stop=listed("QUIT")), "standard.stop.keywords", "add STOP", id="STOP removed"),
    pytest.param(with_standard(start=listed("UNSTOP")), "standard.start.keywords", "add START", id="START removed"),
    pytest.param(with_standard(help=None), "standard.help.keywords", "add HELP", id="HELP removed with its list"),
    pytest.param(with_language(stop=listed("ARRET", reply="")), "languages.fr.stop.reply", "empty", id="L01: an empty reply"),
    pytest.param(with_language(stop=listed("ARRET", reply=" \n")), "languages.fr.stop.reply", "empty", id="L01: a blank reply"),
    pytest.param(
        with_language(stop=listed("ARRET", reply="x" * 334)),
        "languages.fr.stop.reply",
        "Reply for STOP in French has 334 characters; at most 320 are allowed: shorten it by 14.",
        id="A16: a long reply",
    ),
    pytest.param(
        with_country(stop=listed("BAJA", reply="x" * 321)),
        "countries.MX.languages.es.stop.reply",
        "Spanish for MX",
        id="a long reply of a country",
    ),
    pytest.param(with_language(stop=listed("ARRET", "arret.")), "languages.fr.stop.keywords.1", "twice", id="a word twice in a list"),
    pytest.param(
        with_language(stop=listed("ARRET"), start=listed("ARRÊT")),
        "languages.fr.start.keywords.0",
        "STOP in French",
        id="a word of two types in one language",
    ),
    pytest.param(
        with_language(start=listed("QUIT")), "languages.fr.start.keywords.0", "STOP in Standard", id="a word Standard has otherwise"
    ),
    pytest.param(
        with_country(start=listed("Cancel")), "countries.MX.languages.es.start.keywords.0", "STOP in Standard", id="a country against Standard"
    ),
    pytest.param(
        with_country(alone=True, start=listed("stop")),
        "countries.MX.languages.es.start.keywords.0",
        "always means STOP",
        id="a reserved word of another type, alone",
    ),
    pytest.param(with_language(stop=listed("laissez moi")), "languages.fr.stop.keywords.0", "space", id="a space in exact matching"),
    pytest.param(with_language(stop=listed("x" * 35)), "languages.fr.stop.keywords.0", "at most 34", id="a long word"),
    pytest.param(with_language(stop=listed("🛑")), "languages.fr.stop.keywords.0", "no letters", id="a word of symbols"),
    pytest.param(with_language(stop=listed("")), "languages.fr.stop.keywords.0", "no letters", id="an empty word"),
    pytest.param(with_language("klingon", stop=listed("mev")), "languages.klingon", "BCP 47", id="an unknown language"),
    pytest.param(with_language("xx", stop=listed("mev")), "languages.xx", "BCP 47", id="an unknown code"),
    pytest.param(with_language("SPANISH", stop=listed("BAJA")), "languages.SPANISH", "written es", id="a name where a code belongs"),
    pytest.param(with_country("XX", stop=listed("BAJA")), "countries.XX", "ISO 3166", id="an unknown country"),
    pytest.param(with_country(language="qq", stop=listed("BAJA")), "countries.MX.languages.qq", "BCP 47", id="a country's unknown language"),
]


@pytest.mark.parametrize(("policy", "path", "words"), ERRORS)
def test_a_policy_that_cannot_be_saved_is_told_where_and_why(policy: OptOutPolicy, path: str, words: str) -> None:
    found = check(policy)
    assert [path] == [problem.path for problem in found]
    assert words in found[0].message


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(with_language(stop=listed("STOP", "ARRET")), id="a word in several lists for the same type"),
        pytest.param(with_language(stop=listed("ARRET", "ARRÊT")), id="a word with and without its accent"),
        pytest.param(with_standard(stop=listed("STOP")), id="A04: the other default words removed"),
        pytest.param(with_country(alone=True, start=listed("QUIT")), id="another type, but Standard is not seen there"),
        pytest.param(
            replace(
                STANDARD,
                countries={
                    "ES": CountryOverride(languages={"es": WordSet(start=listed("ALTA"))}),
                    "PT": CountryOverride(languages={"pt": WordSet(stop=listed("ALTA"))}),
                },
            ),
            id="a word of two types in two countries",
        ),
        pytest.param(
            replace(with_language(stop=listed("laissez moi")), matching=Matching.NATURAL), id="a space in natural matching"
        ),
        pytest.param(with_language(stop=listed("ARRET", reply="x" * 320)), id="A16: exactly 320 characters"),
        pytest.param(with_language(stop=listed("x" * 34)), id="exactly 34 characters"),
        pytest.param(with_language(), id="a language with nothing of its own"),
    ],
)
def test_a_policy_that_is_merely_unusual_can_be_saved(policy: OptOutPolicy) -> None:
    assert [] == check(policy)


def test_one_conflict_is_told_once_however_many_countries_see_it() -> None:
    overrides = {country: CountryOverride() for country in ("MX", "CA", "US")}
    policy = replace(with_language(start=listed("QUIT")), countries=overrides)
    assert 1 == len(check(policy))


# Each row: the policy, the place, words its warning must hold.
WARNINGS = [
    pytest.param(with_standard(stop=listed("STOP")), "standard.stop.keywords", "Without END", id="L10: a per-se word removed"),
    pytest.param(with_standard(start=listed("START")), "standard.start.keywords", "UNSTOP", id="UNSTOP removed"),
    pytest.param(with_language(stop=listed("NO")), "languages.fr.stop.keywords.0", "common answer", id="L13: a common answer"),
    pytest.param(with_language(stop=listed("1")), "languages.fr.stop.keywords.0", "common answer", id="L13: a digit"),
    pytest.param(with_language(stop=listed("T")), "languages.fr.stop.keywords.0", "common answer", id="L13: one letter"),
    pytest.param(with_language(stop=listed("HELPS")), "languages.fr.stop.keywords.0", "one slip", id="L13: one letter from HELP"),
    pytest.param(with_language(stop=listed("A", reply="See https://example.com/x")), "languages.fr.stop.reply", "example.com", id="A17: a link"),
    pytest.param(with_language(stop=listed("A", reply="See bit.ly/2x")), "languages.fr.stop.reply", "shortener", id="A17: a shared shortener"),
    pytest.param(with_language(stop=listed("A", reply="Visit shop.com.")), "languages.fr.stop.reply", "shop.com", id="A17: a bare name"),
    pytest.param(with_language(stop=listed("A", reply="Gone. 20% off next time")), "languages.fr.stop.reply", "offer", id="L04: an offer"),
    pytest.param(with_language(help=listed("AIDE", reply="Désolé")), "languages.fr.help.reply", "contact", id="L08: no contact"),
    pytest.param(with_language(stop=listed("A", reply="{brand}: fini")), "languages.fr.stop.reply", "{brand}", id="L18: a placeholder"),
    pytest.param(with_language(stop=listed("A", reply="Arrêt reçu")), "languages.fr.stop.reply", "UCS-2", id="L02: a letter outside GSM-7"),
    pytest.param(with_language(stop=listed("A", reply="x" * 161)), "languages.fr.stop.reply", "2 segments", id="L02: two segments"),
    pytest.param(
        with_country(alone=True, stop=listed("BAJA", reply="Adiós. UNSTOP")), "countries.MX.languages.es.stop.reply", "UNSTOP", id="L06: a dead word"
    ),
    pytest.param(with_language(stop=listed()), "languages.fr.stop.keywords", "no word", id="a list without words"),
    pytest.param(with_country("US", stop=listed("ALTO")), "matching", "reasonable wording", id="L12: exact matching in the US"),
]


@pytest.mark.parametrize(("policy", "path", "words"), WARNINGS)
def test_a_policy_that_may_be_saved_but_should_not_is_warned_about(policy: OptOutPolicy, path: str, words: str) -> None:
    assert [True] == [words in found.message for found in warnings(policy) if found.path == path and words in found.message]


def test_the_default_policy_is_warned_about_its_missing_contact_only() -> None:
    assert ["standard.help.reply"] == [found.path for found in warnings(STANDARD)]


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param("Write to help@example.com or call.", id="an address is a contact, not a link"),
        pytest.param("Bye.See you", id="a missing space"),
        pytest.param("Version 2.0 of St.John", id="dots in names"),
    ],
)
def test_a_dot_alone_makes_no_link(reply: str) -> None:
    assert [] == [found for found in warnings(with_language(stop=listed("ARRET", reply=reply))) if "link" in found.message]


def test_what_is_left_out_of_the_data_is_as_in_the_default_policy() -> None:
    assert (STANDARD, []) == from_data({})
    policy, problems = from_data({"enabled": True, "standard": {"stop": {"keywords": ["STOP"]}}, "version": 3})
    assert [] == problems
    assert policy is not None
    assert policy.enabled
    assert WordList(keywords=("STOP",), reply=DEFAULT_STOP_REPLY) == policy.standard.stop
    assert STANDARD.standard.help == policy.standard.help


def test_names_of_twilio_become_codes() -> None:
    spanish = {"stop": {"keywords": ["BAJA"], "reply": "Adios"}}
    overrides = {"mx": {"languages": {"ENGLISH": {}}}}
    policy, problems = from_data({"languages": {"SPANISH": spanish, "pt-br": {}}, "countries": overrides})
    assert [] == problems
    assert policy is not None
    assert ["es", "pt-BR"] == list(policy.languages)
    assert ["MX"] == list(policy.countries)
    assert ["en"] == list(policy.countries["MX"].languages)


@pytest.mark.parametrize(
    ("data", "paths"),
    [
        pytest.param([], [""], id="a list"),
        pytest.param("x", [""], id="a text"),
        pytest.param({"enable": True}, ["enable"], id="an unknown key"),
        pytest.param({"enabled": "yes"}, ["enabled"], id="a text for a flag"),
        pytest.param({"enabled": 1}, ["enabled"], id="a number for a flag"),
        pytest.param({"matching": "fuzzy"}, ["matching"], id="an unknown matching"),
        pytest.param({"matching": ["exact"]}, ["matching"], id="a list for a choice"),
        pytest.param({"help_when_blocked": "shout"}, ["help_when_blocked"], id="an unknown choice"),
        pytest.param({"standard": {"stop": ["STOP"]}}, ["standard.stop"], id="a list for a word list"),
        pytest.param({"standard": {"stop": {"keywords": "STOP"}}}, ["standard.stop.keywords"], id="a text for words"),
        pytest.param({"standard": {"stop": {"keywords": ["STOP", 1]}}}, ["standard.stop.keywords"], id="a number among words"),
        pytest.param({"standard": {"stop": {"reply": 1}}}, ["standard.stop.reply"], id="a number for a reply"),
        pytest.param({"standard": {"halt": {}}}, ["standard.halt"], id="an unknown keyword"),
        pytest.param({"languages": {"es": {}, "SPANISH": {}}}, ["languages.SPANISH"], id="a language twice"),
        pytest.param({"countries": {"mx": {}, "MX": {}}}, ["countries.MX"], id="a country twice"),
        pytest.param({"countries": {"MX": {"languages": {"es": {"stop": 5}}}}}, ["countries.MX.languages.es.stop"], id="deep down"),
        pytest.param({1: 2, "enabled": None}, [""], id="a number for a name"),
    ],
)
def test_data_of_another_shape_is_told_where(data: object, paths: list[str]) -> None:
    policy, problems = from_data(data)
    assert policy is None
    assert paths == [problem.path for problem in problems]


def test_the_catalogue_knows_the_41_names() -> None:
    assert 41 == len(TWILIO_LANGUAGES)
    assert all(language_tag(name) == code for name, code in TWILIO_LANGUAGES.items())
    assert set(TWILIO_LANGUAGES.values()) <= LANGUAGES
    assert {"US", "CA", "MX", "GB", "IN", "ZA"} <= COUNTRIES


LISTS = st.builds(WordList, keywords=st.lists(st.text(max_size=6), max_size=3).map(tuple), reply=st.text(max_size=9))
SETS = st.builds(WordSet, stop=st.none() | LISTS, start=st.none() | LISTS, help=st.none() | LISTS)
LANGUAGE_MAPS = st.dictionaries(st.sampled_from(["es", "fr", "pt-BR", "zh-Hant", "nonsense"]), SETS, max_size=3)
POLICIES = st.builds(
    OptOutPolicy,
    enabled=st.booleans(),
    matching=st.sampled_from(Matching),
    standard=st.builds(WordSet, stop=LISTS, start=LISTS, help=LISTS),
    languages=LANGUAGE_MAPS,
    countries=st.dictionaries(
        st.sampled_from(["MX", "CA", "??"]), st.builds(CountryOverride, replace=st.booleans(), languages=LANGUAGE_MAPS), max_size=2
    ),
    help_when_blocked=st.sampled_from(["reply", "silent", None]),
    opted_out_send=st.sampled_from(["reject", "accept_then_fail", None]),
)


@given(POLICIES)
def test_a_policy_survives_its_data_form(policy: OptOutPolicy) -> None:
    assert (policy, []) == from_data(json.loads(json.dumps(to_data(policy))))


@given(POLICIES)
def test_checks_and_warnings_never_raise_and_always_say_something(policy: OptOutPolicy) -> None:
    for problem in (*check(policy), *warnings(policy)):
        assert problem.path
        assert problem.message.endswith(".")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from(["enabled", "standard", "languages", "countries", "stop", "keywords", "reply", "es", "MX", "x"]), inner)))
def test_reading_strange_data_never_raises(data: object) -> None:
    policy, problems = from_data(data)
    assert (policy is None) == bool(problems)


@given(POLICIES, POLICIES)
def test_equal_policies_have_no_differences_and_others_do(one: OptOutPolicy, other: OptOutPolicy) -> None:
    assert [] == differences(one, one)
    if one != other:
        assert [] != differences(one, other)


def test_differences_name_the_place_and_both_values() -> None:
    new = replace(with_standard(help=listed("HELP", reply=DEFAULT_HELP_REPLY)), enabled=True, help_when_blocked="silent")
    new = replace(new, countries={"MX": CountryOverride(languages={"es": WordSet(stop=listed("BAJA", reply="Adios"))})})
    assert [
        Change(path="enabled", before=False, after=True),
        Change(path="standard.help.keywords", before=["HELP", "INFO"], after=["HELP"]),
        Change(path="countries.MX.replace", before=None, after=False),
        Change(path="countries.MX.languages.es.stop.keywords", before=None, after=["BAJA"]),
        Change(path="countries.MX.languages.es.stop.reply", before=None, after="Adios"),
        Change(path="help_when_blocked", before=None, after="silent"),
    ] == differences(STANDARD, new)
