"""Sentences are English strings that can be told anew, whole, in another language."""

from datetime import UTC, datetime

import pytest

from stopwire.core.sentences import Sentence, in_a_row, word
from stopwire.ports.values import to_plain

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
SPANISH = {"It was %(what)s on %(time)s.": "El %(time)s fue %(what)s.", "wrong number": "número erróneo", "It holds.": "Vale."}


def in_spanish(sentence: Sentence) -> str:
    return sentence.told(lambda text: SPANISH.get(text, text), lambda at: f"{at:%H} h")


@pytest.mark.parametrize(
    ("sentence", "english", "spanish"),
    [
        pytest.param(Sentence("It holds."), "It holds.", "Vale.", id="without values"),
        pytest.param(
            Sentence("It was %(what)s on %(time)s.", what=word("wrong_number"), time=AT),
            "It was wrong number on 2026-01-01 12:00:00 UTC.", "El 12 h fue número erróneo.", id="values in another order, a word among them",
        ),
        pytest.param(in_a_row([Sentence("It holds."), Sentence("It holds.")]), "It holds. It holds.", "Vale. Vale.", id="several in a row"),
        pytest.param(
            Sentence("It was %(what)s on %(time)s.").of(what="9 %(s", time="–"),
            "It was 9 %(s on –.", "El – fue 9 %(s.", id="a value is never a template",
        ),
        pytest.param(Sentence("100 % sure"), "100 % sure", "100 % sure", id="a per cent sign alone"),
    ],
)  # fmt: skip
def test_a_sentence_is_english_and_can_be_told_anew(sentence: Sentence, english: str, spanish: str) -> None:
    assert (english, spanish) == (sentence, in_spanish(sentence))


def test_a_sentence_becomes_plain_data_in_english() -> None:
    plain = to_plain({"why": [Sentence("Error %(code)s: %(cause)s", code=1, cause=Sentence("It holds."))]})
    assert {"why": ["Error 1: It holds."]} == plain
    assert str is type(plain["why"][0])
