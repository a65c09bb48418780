"""Suggestions: what is shown to a person, why, and what is left in peace."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire import packs
from stopwire.core.policy import Keyword, OptOutPolicy, WordList, WordSet, standard_policy
from stopwire.core.suggestions import Suggestion, score

PACKS = packs.load()
STANDARD = standard_policy()
REMOVED = replace(STANDARD, standard=replace(STANDARD.standard, stop=WordList(keywords=("STOP",), reply="Bye.")))
SPANISH = replace(STANDARD, languages={"es": WordSet(stop=WordList(keywords=("BAJA",), reply="Adios."))})


def suggested(body: str, *, policy: OptOutPolicy | None = STANDARD, country: str | None = "US") -> Suggestion | None:
    return score(body, policy=policy, country=country, packs=PACKS)


STOP, START, HELP = Keyword.STOP, Keyword.START, Keyword.HELP

# text, what it proposes, reason, strength
PROPOSED = [
    ("STOP PLEASE", STOP, "near_keyword", "strong"),
    ("please stop", STOP, "near_keyword", "strong"),
    ("PLEASE CANCEL", STOP, "near_keyword", "strong"),
    ("stop all", STOP, "near_keyword", "strong"),
    ("Stop. Thank you", STOP, "near_keyword", "strong"),
    ("stop stop stop", STOP, "near_keyword", "strong"),
    ("opt out", STOP, "near_keyword", "strong"),
    ("OPT  OUT!", STOP, "near_keyword", "strong"),
    ("S T O P", STOP, "near_keyword", "strong"),
    ("S.T.O.P", STOP, "near_keyword", "strong"),
    ("Stooooop", STOP, "near_keyword", "strong"),
    ("quit, thanks", STOP, "near_keyword", "strong"),
    ("stop bitte", STOP, "near_keyword", "strong"),
    ("stop svp merci", STOP, "near_keyword", "strong"),
    ("un stop", START, "near_keyword", "strong"),
    ("start please", START, "near_keyword", "strong"),
    ("help please", HELP, "near_keyword", "strong"),
    ("REMOVE", STOP, "near_keyword", "weak"),
    ("unsub", STOP, "near_keyword", "strong"),
    ("STPO", STOP, "near_keyword", "weak"),
    ("sotp", STOP, "near_keyword", "weak"),
    ("stoip", STOP, "near_keyword", "weak"),
    ("unsubscibe", STOP, "near_keyword", "weak"),
    ("cancle", STOP, "near_keyword", "weak"),
    ("unstpo", START, "near_keyword", "weak"),
    ("STOP2", STOP, "near_keyword", "weak"),
    ("STOP 123", STOP, "near_keyword", "weak"),
    ("STOP!!! I don't care any more, really not at all", STOP, "near_keyword", "weak"),
    ("STOP\nJohn Smith", STOP, "near_keyword", "weak"),
    ("cancel my subscription", STOP, "near_keyword", "weak"),
    ("stop it", STOP, "near_keyword", "weak"),
    ("cancel this", STOP, "near_keyword", "weak"),
    ("🛑", STOP, "near_keyword", "weak"),
    ("✋✋", STOP, "near_keyword", "weak"),
    ("stop texting me", STOP, "phrase", "strong"),
    ("Please quit sending me these messages!!", STOP, "phrase", "strong"),
    ("unsubscribe me", STOP, "phrase", "strong"),
    ("take me off this list", STOP, "phrase", "strong"),
    ("do not contact me again", STOP, "phrase", "strong"),
    ("I revoke my consent", STOP, "phrase", "strong"),
    ("lose my number", STOP, "phrase", "strong"),
    ("leave me alone", STOP, "phrase", "strong"),
    ("no quiero recibir más mensajes", STOP, "phrase", "strong"),
    ("quiero darme de baja", STOP, "phrase", "strong"),
    ("I'd like to stop receiving texts", STOP, "phrase", "strong"),
    ("please take my name off", STOP, "phrase", "strong"),
    ("Arrêtez de m'envoyer des messages", STOP, "phrase", "strong"),
    ("Désinscrivez-moi !", STOP, "phrase", "strong"),
    ("Bitte keine Nachrichten mehr", STOP, "phrase", "strong"),
    ("Löschen Sie meine Nummer", STOP, "phrase", "strong"),
    ("Não quero mais receber mensagens", STOP, "phrase", "strong"),
    ("non voglio più messaggi", STOP, "phrase", "strong"),
    ("Ik wil geen berichten meer", STOP, "phrase", "strong"),
    ("falsche Nummer", STOP, "wrong_number", "strong"),
    ("This number no longer belongs to Ana", STOP, "wrong_number", "strong"),
    ("sign me back up", START, "phrase", "strong"),
    ("how do I unsubscribe?", STOP, "phrase", "weak"),
    ("do you have an opt-out form?", STOP, "phrase", "weak"),
    ("I am unsubscribing today", STOP, "phrase", "weak"),
    ("wrong number", STOP, "wrong_number", "strong"),
    ("Sorry, you have the wrong person", STOP, "wrong_number", "strong"),
    ("número equivocado", STOP, "wrong_number", "strong"),
    ("This is not Maria", STOP, "wrong_number", "weak"),
    ("BAJA", STOP, "other_language", "strong"),
    ("Arrêt", STOP, "other_language", "strong"),
    ("СТОП", STOP, "other_language", "strong"),
    ("退订", STOP, "other_language", "strong"),
    ("수신거부", STOP, "other_language", "strong"),
    ("إيقاف", STOP, "other_language", "strong"),
    ("बंद", STOP, "other_language", "strong"),
    ("abmelden", STOP, "other_language", "strong"),
    ("ΔΙΑΚΟΠΗ", STOP, "other_language", "strong"),
    ("basta", STOP, "other_language", "weak"),
    ("AYUDA", HELP, "other_language", "strong"),
    ("not interested", STOP, "soft", "weak"),
    ("No thanks!", STOP, "soft", "weak"),
    ("go away", STOP, "soft", "weak"),
    ("this is spam", STOP, "soft", "weak"),
    ("who gave you my number?", STOP, "soft", "weak"),
    ("no more", STOP, "soft", "weak"),
    ("you will hear from my lawyer", STOP, "soft", "weak"),
    ("I already told you people to stop", STOP, "soft", "weak"),
]

ORDINARY = [
    "stop by tomorrow?",
    "I'll stop by tomorrow",
    "bus stop",
    "the next stop",
    "is this the last stop",
    "unstoppable",
    "don't stop",
    "never stop",
    "please don't stop texting me",
    "YES",
    "yes please",
    "ok thanks",
    "OK",
    "no",
    "1",
    "C",
    "R",
    "N",
    "TC",
    "ja",
    "da",
    "si",
    "oui",
    "step",
    "shop",
    "store",
    "quiet",
    "cancer",
    "send",
    "weekend",
    "The weekend was great",
    "cancel my appointment",
    "cancel the visit on friday please",
    "can I opt out of the dental plan?",
    "don't unsubscribe me",
    "stop working at 5?",
    "see you at the stop sign",
    "I gave you the wrong number, it is 42",
    "what time do you open",
    "why did you stop texting me?",
    "I changed my mind, keep texting me",
    "I got your messages, thanks",
    "remove the onions please",
    "this is not working",
    "end of the month, I think",
    "cancel, no wait",
    "no hay más mensajes",
    "take me off the waitlist for Tuesday",
    "do not forget to text me",
    "quit smoking day 4!",
    "my scam detector",
    "arrêt de bus?",
    "n'arrêtez pas de m'écrire",
    "Warum kommen keine Nachrichten mehr",
    "não quero a camisa azul",
    "basta inviare il modulo",
    "stopp an der Ecke",
    "tak, dziękuję",
    "baja la talla a M",
    "no quiero la talla M",
    "my new number is 4155550100",
    "thank you",
    "👍",
    "❤️",
    "",
    "   ",
    "...",
    "HELP",
    "START",
    "para",
    "fine",
    "hola, gracias",
    "merci beaucoup",
]


@pytest.mark.parametrize(("body", "proposes", "reason", "strength"), PROPOSED, ids=[row[0] for row in PROPOSED])
def test_what_looks_like_a_keyword_is_proposed_with_its_reason(body: str, proposes: Keyword, reason: str, strength: str) -> None:
    found = suggested(body)
    assert found is not None
    assert (proposes, reason, strength) == (found.proposes, found.reason, found.strength)
    assert 0.0 < found.confidence <= 1.0
    assert found.evidence


@pytest.mark.parametrize("body", ORDINARY)
def test_an_ordinary_message_is_left_in_peace(body: str) -> None:
    assert suggested(body) is None


@pytest.mark.parametrize("word", ["END", "quit", "Cancel!", "unsubscribe", "REVOKE", "optout", "STOPALL"])
def test_a_removed_word_becomes_a_strong_suggestion(word: str) -> None:
    found = suggested(word, policy=REMOVED)
    assert found is not None
    assert (STOP, "removed_word", "strong") == (found.proposes, found.reason, found.strength)


def test_a_removed_yes_is_only_an_answer() -> None:
    start = WordList(keywords=("START",), reply="Hi.")
    bare = replace(STANDARD, standard=replace(STANDARD.standard, start=start))
    assert suggested("YES", policy=bare) is None
    found = suggested("UNSTOP", policy=bare)
    assert found is not None
    assert (START, "removed_word") == (found.proposes, found.reason)


def test_default_words_apply_where_there_is_no_policy() -> None:
    found = suggested("please stop", policy=None)
    assert found is not None
    assert "near_keyword" == found.reason


def test_a_language_in_force_is_no_other_language() -> None:
    found = suggested("baja por favor", policy=SPANISH, country="MX")
    assert found is not None
    assert ("near_keyword", "strong") == (found.reason, found.strength)


@pytest.mark.parametrize(("word", "home"), [("TD", "CN"), ("T", "CN"), ("TC", "VN")])
def test_short_words_are_suggestions_only_where_they_are_at_home(word: str, home: str) -> None:
    assert suggested(word, country="US") is None
    assert suggested(word, country=home) is not None


def test_a_stop_to_a_sender_without_keywords_is_not_lost() -> None:
    found = suggested("STOP", policy=None)
    assert found is not None
    assert (STOP, "near_keyword", "strong") == (found.proposes, found.reason, found.strength)


def test_the_same_message_is_always_scored_alike() -> None:
    assert suggested("stop texting me please") == suggested("stop texting me please")


@given(st.text())
def test_scoring_never_raises(body: str) -> None:
    suggested(body, policy=SPANISH, country="MX")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("stop sending me " * 100, id="half a phrase, often"),
        pytest.param("no quiero recibir de sus " * 64, id="half a Spanish phrase, often"),
        pytest.param("already told " * 125, id="half a complaint, often"),
        pytest.param("a" * 1_000_000, id="a megabyte of one word"),
        pytest.param("\ufdfa" * 1600, id="letters that expand"),
        pytest.param("don't remove me from the " * 64, id="negations"),
        pytest.param("Hello, I would like to know whether my order has left, thank you.", id="an ordinary message"),
    ],
)
def test_scoring_takes_milliseconds_at_worst(body: str) -> None:
    suggested(body)
    begun = time.perf_counter()
    suggested(body)
    assert 0.1 > time.perf_counter() - begun  # quadratic work would take seconds
