"""Logs: whatever goes in, one line comes out, without a whole number, a body or a secret."""

import io
import json
import logging
import re
from collections.abc import Iterator
from enum import StrEnum

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from stopwire import log
from stopwire.log import Format, configure, get_logger, masked


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    root = logging.getLogger()
    for handler in [each for each in root.handlers if type(each).__module__ == log.__name__]:
        root.removeHandler(handler)
    root.setLevel(logging.WARNING)
    structlog.contextvars.clear_contextvars()
    configure()


def written(event: str = "message.refused", *, format: Format = "json", **values: object) -> str:
    stream = io.StringIO()
    configure(level="debug", format=format, stream=stream)
    get_logger("flows.send").info(event, **values)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+14155550123", "+1415•••0123"),
        ("to +14155550123, again", "to +1415•••0123, again"),
        ("whatsapp:+4915123456789", "whatsapp:+4915•••6789"),
        ("%2B14155550123", "+1415•••0123"),
        ("+1 (415) 555-0123", "+1415•••0123"),
        ("+1-415-555-0123", "+1415•••0123"),
        ("＋１４１５５５５０１２３", "+１４１５•••０１２３"),
        ("+1415\u200b5550123", "+1415•••0123"),
        ("14155550123", "1415•••0123"),
        ("+2901234", "+•••1234"),
        ("+29012345", "+2•••2345"),
        ("+1234567890123456789", "+1234•••6789"),
        ("a+14155550123b", "a+1415•••0123b"),
        ("+14155550123+14155550124", "+1415•••0123+1415•••0124"),
        ("SM" + "0123456789" * 3 + "01", "SM" + "0123456789" * 3 + "01"),
        ("2025-11-25T07:08:09+00:00", "2025-11-25T07:08:09+00:00"),
        ("21610", "21610"),
        ("+123456", "+123456"),
    ],
)
def test_a_number_is_masked_and_other_figures_are_left(text: str, expected: str) -> None:
    assert expected == masked(text)


def test_the_other_end_of_a_connection_is_no_number_of_a_person() -> None:
    assert "203.0.113.45:51234" == json.loads(written("smpp.bind_refused", remote="203.0.113.45:51234"))["remote"]


def test_an_event_is_one_json_object_with_its_words_first() -> None:
    event = json.loads(written(sid="SM1", code=21610, to="+14155550123"))
    assert ["at", "level", "event", "logger", "sid", "code", "to"] == list(event)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", event.pop("at"))
    assert {
        "level": "info",
        "event": "message.refused",
        "logger": "flows.send",
        "sid": "SM1",
        "code": 21610,
        "to": "+1415•••0123",
    } == event


class Keyword(StrEnum):
    STOP = "STOP"


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        pytest.param("body", "canary", "<6 characters>", id="a body"),
        pytest.param("reply_text", "canary", "<6 characters>", id="a text by its ending"),
        pytest.param("raw", b"canary", "<6 bytes>", id="raw bytes"),
        pytest.param("note", b"canary", "<6 bytes>", id="bytes anywhere"),
        pytest.param("variables", {"name": "canary"}, "<1 items>", id="variables"),
        pytest.param("auth_token", "canary", "••••", id="a token"),
        pytest.param("Authorization", "canary", "••••", id="a header"),
        pytest.param("password", "", "", id="no password"),
        pytest.param("headers", {"Cookie": "canary", "A": "b"}, {"Cookie": "••••", "A": "b"}, id="within a mapping"),
        pytest.param("orders", [{"body": "canary"}], [{"body": "<6 characters>"}], id="within a list"),
        pytest.param("url", "https://me:canary@a.b/c", "https://••••@a.b/c", id="credentials in a URL"),
        pytest.param("line", "Authorization: Basic Y2FuYXJ5", "Authorization: Basic ••••", id="credentials in a text"),
        pytest.param("to", 14155550123, "1415•••0123", id="a number as an integer"),
        pytest.param("sender", "MG0123456789abcdef", "MG0123456789abcdef", id="a SID where a number may be"),
        pytest.param("recipients", ["+14155550123"], ["+1415•••0123"], id="a list of numbers"),
        pytest.param("seen", {"+14155550123": 1}, {"+1415•••0123": 1}, id="a number as a key"),
        pytest.param("keyword", Keyword.STOP, "STOP", id="an enum"),
        pytest.param("ratio", float("nan"), "nan", id="not a number"),
        pytest.param("many", 10**30, "<a number of many digits>", id="a huge integer"),
        pytest.param("long", "x" * 5000, "x" * 2000 + "…", id="a long text"),
    ],
)
def test_a_value_is_shown_as_far_as_it_may_be(key: str, value: object, expected: object) -> None:
    assert expected == json.loads(written(**{key: value}))[key]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=10,
)
wild = st.text(st.characters())  # surrogates and controls among them
names = st.from_regex(r"[a-z_]{1,8}", fullmatch=True).filter(lambda name: name not in ("event", "level", "self", "at"))


@given(wild, st.dictionaries(names, values | wild))
def test_whatever_goes_in_one_json_object_a_line_comes_out(event: str, more: dict[str, object]) -> None:
    line = written(event, **more)
    assert [line[:-1]] == line.splitlines()
    assert isinstance(json.loads(line), dict)


numbers = st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True)


@given(numbers, wild, wild, names, st.sampled_from(["json", "text"]))
def test_no_whole_number_comes_out(number: str, before: str, after: str, key: str, format: Format) -> None:
    text = f"{before}{number}{after}"
    line = written(text, format=format, **{key: [text, {text: text}]}, error=ValueError(text))
    assert number not in line
    assert not re.search(r"\+\d{8,}", line)


def test_an_exception_shows_where_and_not_with_which_values() -> None:
    stream = io.StringIO()
    configure(format="json", stream=stream)
    try:
        secret = "canary"
        raise ValueError(f"no route to +14155550123 of {len(secret)}")
    except ValueError:
        get_logger("x").exception("dispatch.failed")
    event = json.loads(stream.getvalue())
    assert "ValueError: no route to +1415•••0123 of 6" == event["trace"][-1]
    assert "test_log.py" in stream.getvalue()


class Rude:
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_a_value_that_cannot_be_shown_does_not_stop_the_event() -> None:
    assert "<Rude without a text>" == json.loads(written(value=Rude()))["value"]


@pytest.mark.parametrize(
    "attack",
    ['x\n{"level": "error"}', "\x1b]0;owned\x07", "a\r\nb", "\x9b31m", "\u2028x", "\u202egnp.exe", "\x00"],
)
@pytest.mark.parametrize("format", ["json", "text"])
def test_a_strangers_text_neither_begins_a_line_nor_steers_a_terminal(attack: str, format: Format) -> None:
    line = written(attack, format=format, **{"a": attack, attack: "b"})
    assert [line[:-1]] == line.splitlines()
    assert line[:-1].isprintable()


def test_text_is_for_people() -> None:
    line = written(format="text", sid="SM1", note="two words", to="+14155550123")
    assert line[9:] == "info    message.refused sid=SM1 note=\"two words\" to=+1415•••0123 [flows.send]\n"


def test_a_trace_in_text_is_set_apart_line_by_line() -> None:
    stream = io.StringIO()
    configure(format="text", stream=stream)
    get_logger("x").error("a.b", exc_info=ValueError("one\ntwo\x1b"))
    assert ["    | ValueError: one", "    | two\\x1b"] == stream.getvalue().splitlines()[1:]


def test_below_the_level_nothing_is_written() -> None:
    stream = io.StringIO()
    configure(level="warning", format="json", stream=stream)
    get_logger("x").info("a.b")
    assert "" == stream.getvalue()
    get_logger("x").warning("a.b")
    assert "a.b" in stream.getvalue()


def test_the_words_of_libraries_are_redacted_too() -> None:
    stream = io.StringIO()
    configure(format="json", stream=stream)
    logging.getLogger("aiohttp.client").info("unheard")
    logging.getLogger("aiohttp.client").warning("lost %s", "+14155550123")
    (line,) = stream.getvalue().splitlines()
    event = json.loads(line)
    assert ("library.log", "aiohttp.client", "lost +1415•••0123", "warning") == (
        event["event"],
        event["logger"],
        event["message"],
        event["level"],
    )


def test_what_is_bound_to_a_request_is_in_its_events() -> None:
    structlog.contextvars.bind_contextvars(request="RQ1")
    assert "RQ1" == json.loads(written())["request"]


def test_a_reader_that_has_gone_stops_nothing() -> None:
    stream = io.StringIO()
    configure(format="json", stream=stream)
    stream.close()
    get_logger("x").info("a.b")
