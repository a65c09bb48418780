"""Natural matching: what acts beside the bare word, and what must not."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire import packs
from stopwire.core import natural
from stopwire.core.keywords import Match, key, recognise
from stopwire.core.policy import DEFAULT_STOP_REPLY, Keyword, Matching, WordList, WordSet, standard_policy

PACKS = packs.load()
EXACT = standard_policy()
NATURAL = replace(EXACT, matching=Matching.NATURAL)


def heard(body: str, *, country: str | None = "US", toll_free: bool = False) -> Match | None:
    return recognise(body, policy=NATURAL, country=country, packs=PACKS, toll_free=toll_free)


@pytest.mark.parametrize(
    ("body", "keyword", "rule"),
    [
        pytest.param("STOP PLEASE", Keyword.STOP, "keyword.courtesy", id="courtesy after it"),
        pytest.param("please, stop!", Keyword.STOP, "keyword.courtesy", id="courtesy before it"),
        pytest.param("Stop. Thank you", Keyword.STOP, "keyword.courtesy", id="a second sentence of thanks"),
        pytest.param("por favor, STOP", Keyword.STOP, "keyword.courtesy", id="courtesy in Spanish, spoken in the US"),
        pytest.param("Stop stop STOP", Keyword.STOP, "keyword.repeated", id="said again"),
        pytest.param("stop all", Keyword.STOP, "keyword.spaced", id="two words for STOPALL"),
        pytest.param("OPT OUT", Keyword.STOP, "keyword.spaced", id="two words for OPTOUT"),
        pytest.param("s t o p", Keyword.STOP, "keyword.spaced", id="spaced letters"),
        pytest.param("S.T.O.P.", Keyword.STOP, "keyword.spaced", id="dotted letters"),
        pytest.param("STOOOOPPPP", Keyword.STOP, "keyword.stretched", id="stretched letters"),
        pytest.param("plz stoppp", Keyword.STOP, "keyword.stretched", id="stretched, with courtesy"),
        pytest.param("🛑🛑", Keyword.STOP, "sign.stop", id="the sign alone"),
        pytest.param("un stop", Keyword.START, "keyword.spaced", id="UNSTOP is never a STOP"),
        pytest.param("start please", Keyword.START, "keyword.courtesy", id="START with courtesy"),
        pytest.param("help please", Keyword.HELP, "keyword.courtesy", id="HELP with courtesy"),
        pytest.param("Stop texting me!", Keyword.STOP, "en.stop-messaging", id="a phrase"),
        pytest.param("Hi there. Please take me off your list.", Keyword.STOP, "en.remove-me", id="a phrase in a clause"),
        pytest.param("I don’t want these messages anymore", Keyword.STOP, "en.do-not-want", id="a curly apostrophe"),
        pytest.param("Ya no me envíen más mensajes", Keyword.STOP, "es.do-not-contact", id="a phrase in Spanish"),
        pytest.param("help! stop texting me", Keyword.STOP, "en.stop-messaging", id="a wish to stop outweighs the rest"),
        pytest.param("please opt me back in", Keyword.START, "en.resubscribe", id="a wish to go on"),
    ],
)
def test_these_act_by_a_named_rule(body: str, keyword: Keyword, rule: str) -> None:
    found = heard(body)
    assert found is not None
    assert (keyword, "phrase", rule) == (found.keyword, found.matched_by, found.rule)
    assert found.reply


@pytest.mark.parametrize("body", ["STOP PLEASE", "please stop", "stop all", "Stop texting me!", "🛑", "s t o p", "un stop"])
def test_b05_the_same_texts_do_not_act_in_exact_matching(body: str) -> None:
    assert recognise(body, policy=EXACT, country="US", packs=PACKS) is None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("I will stop by tomorrow", id="stop by"),
        pytest.param("bus stop", id="a place"),
        pytest.param("unstoppable", id="inside a word"),
        pytest.param("don't stop", id="a negated verb"),
        pytest.param("please don't stop texting me", id="a negated phrase"),
        pytest.param("cancel my appointment", id="a verb with its own object"),
        pytest.param("cancel the visit on friday please", id="a visit, politely"),
        pytest.param("yes please", id="YES with courtesy answers a question"),
        pytest.param("ok thanks", id="courtesy alone"),
        pytest.param("please", id="one courtesy"),
        pytest.param("how do I unsubscribe?", id="a question about it"),
        pytest.param("if I opt out do I lose my points?", id="a condition"),
        pytest.param("why did you stop texting me?", id="a question about the past"),
        pytest.param("do you have an opt-out form?", id="a form of that name"),
        pytest.param("I told him to stop texting", id="told to somebody else"),
        pytest.param("stop sending invoices to my office", id="another object"),
        pytest.param("stop texting while driving", id="another meaning"),
        pytest.param("wrong number", id="a wrong number is for review"),
        pytest.param("the weekend was great", id="END inside a word"),
        pytest.param("✋", id="an unclear sign"),
        pytest.param("", id="nothing"),
        pytest.param("   ", id="spaces"),
    ],
)
def test_these_stay_ordinary_messages(body: str) -> None:
    assert heard(body) is None


def test_a_bare_word_is_still_matched_as_a_word() -> None:
    found = heard("Stop!")
    assert found is not None
    assert ("keyword", None) == (found.matched_by, found.rule)


def test_the_reply_is_that_of_the_phrase_language_where_the_policy_has_one() -> None:
    spanish = WordSet(stop=WordList(keywords=("BAJA",), reply="Hecho."))
    policy = replace(NATURAL, languages={"es": spanish})
    found = recognise("no quiero recibir mas mensajes", policy=policy, country="FR", packs=PACKS)
    assert found is not None
    assert ("es", "Hecho.") == (found.language, found.reply)
    found = recognise("no quiero recibir mas mensajes", policy=NATURAL, country="MX", packs=PACKS)
    assert found is not None
    assert ("es", DEFAULT_STOP_REPLY) == (found.language, found.reply)
    assert recognise("no quiero recibir mas mensajes", policy=NATURAL, country="FR", packs=PACKS) is None


def test_a_removed_word_does_not_act_with_courtesy_either() -> None:
    bare = replace(NATURAL, standard=replace(EXACT.standard, stop=WordList(keywords=("STOP",), reply="Bye.")))
    assert recognise("cancel please", policy=bare, country="US", packs=PACKS) is None


def test_without_packs_only_what_needs_no_language_acts() -> None:
    assert recognise("stop please", policy=NATURAL, country="US") is None
    assert recognise("stop stop", policy=NATURAL, country="US") is not None


def test_phrases_of_a_language_that_is_not_good_enough_yet_do_not_act() -> None:
    policy = replace(NATURAL, languages={"de": WordSet(stop=WordList(keywords=("STOPP",), reply="Ende."))})
    assert recognise("Bitte keine Nachrichten mehr", policy=policy, country="DE", packs=PACKS) is None
    found = recognise("Stopp bitte", policy=policy, country="DE", packs=PACKS)
    assert found is not None
    assert ("STOPP", "Ende.") == (found.word, found.reply)


def test_a_long_text_never_acts_by_a_phrase() -> None:
    assert heard("Dear customer, prices of today. " * 20 + "stop texting me") is None


@given(st.text())
def test_natural_matching_never_raises(body: str) -> None:
    heard(body)


@given(st.sampled_from(["stop texting me", "stop all please", "remove me from your list"]), st.sampled_from(" .!\n🙏"))
def test_decoration_does_not_silence_a_phrase(body: str, end: str) -> None:
    found = heard(body.upper() + end)
    assert found is not None
    assert Keyword.STOP == found.keyword


@pytest.mark.parametrize("body", ["stop sending me " * 30, "no quiero recibir de sus " * 19, "remove me from the " * 25, "a " * 240])
def test_phrases_are_read_fast(body: str) -> None:
    heard(body)
    begun = time.perf_counter()
    heard(body)
    assert 0.05 > time.perf_counter() - begun


@given(st.text("abXY12 -'`_.,!?\t\n()&/*\0éı’‑", max_size=25))
def test_a_clause_is_the_tokens_of_its_key_whichever_way_they_are_found(body: str) -> None:
    bare = natural._HYPHENS.sub(" ", natural._APOSTROPHES.sub("", body))
    expected = [" ".join(natural._tokens(key(part))) for part in natural._CLAUSE_ENDS.split(bare)]
    assert [clause for clause in expected if clause] == natural.clauses(body)
