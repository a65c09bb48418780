"""A customer's answer, well-meant or not."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stopwire.core import twiml
from stopwire.core.twiml import Redirect, Reply, ReplyMessage

URL = "https://app.example.com/hooks/sms?x=1"


def read(document: str, content_type: str = "text/xml") -> Reply:
    return twiml.read(content_type, document.encode(), URL)


def response(inside: str) -> Reply:
    return read(f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>')


def codes(reply: Reply) -> list[int]:
    return [problem.code for problem in reply.problems]


@pytest.mark.parametrize(
    ("inside", "messages"),
    [
        pytest.param("", (), id="no reply"),
        pytest.param("<Message>Hi</Message>", (ReplyMessage(body="Hi"),), id="text"),
        pytest.param("<Message>\n  Hi &amp; bye\n</Message>", (ReplyMessage(body="Hi & bye"),), id="indented"),
        pytest.param("<Sms>Hi</Sms>", (ReplyMessage(body="Hi"),), id="the old verb"),
        pytest.param("<Message><Body>Hi</Body></Message>", (ReplyMessage(body="Hi"),), id="body"),
        pytest.param("<Message><![CDATA[<3 & you]]></Message>", (ReplyMessage(body="<3 & you"),), id="CDATA"),
        pytest.param("<Message>a<!-- no -->b</Message>", (ReplyMessage(body="ab"),), id="comment"),
        pytest.param(
            "<Message>Look<Media>https://example.com/a.png</Media></Message>",
            (ReplyMessage(body="Look", media=("https://example.com/a.png",)),),
            id="text and media",
        ),
        pytest.param(
            "<Message><Media>/a.png</Media><Media>b.png</Media></Message>",
            (ReplyMessage(body="", media=("https://app.example.com/a.png", "https://app.example.com/hooks/b.png")),),
            id="media only, relative",
        ),
        pytest.param(
            '<Message to="+1 415 555 0101" from="72345" action="done?a=1" method="get" statusCallback="/s">Hi</Message>',
            (
                ReplyMessage(
                    body="Hi",
                    to="+14155550101",
                    sender="72345",
                    action="https://app.example.com/hooks/done?a=1",
                    method="GET",
                    status_callback="https://app.example.com/s",
                ),
            ),
            id="all attributes",
        ),
        pytest.param(
            "<Message>1</Message><Message>2</Message>", (ReplyMessage(body="1"), ReplyMessage(body="2")), id="two"
        ),
    ],
)
def test_messages_are_read(inside: str, messages: tuple[ReplyMessage, ...]) -> None:
    assert Reply(messages=messages) == response(inside)


@pytest.mark.parametrize(
    ("inside", "redirect"),
    [
        pytest.param("<Redirect>/next</Redirect>", Redirect(url="https://app.example.com/next"), id="relative"),
        pytest.param(
            '<Redirect method="GET">http://b.example/x</Redirect>', Redirect(url="http://b.example/x", method="GET"), id="GET"
        ),
        pytest.param("<Redirect/>", Redirect(url=URL), id="to itself"),
        pytest.param("<Redirect>/a</Redirect><Message>no</Message><Redirect>/b</Redirect><Dial/>",
                     Redirect(url="https://app.example.com/a"), id="later verbs are ignored"),
    ],
)  # fmt: skip
def test_a_redirect_ends_the_document(inside: str, redirect: Redirect) -> None:
    assert Reply(redirect=redirect) == response(inside)
    assert Reply(messages=(ReplyMessage(body="Hi"),), redirect=redirect) == response(f"<Message>Hi</Message>{inside}")


@pytest.mark.parametrize(
    ("inside", "expected", "left"),
    [
        pytest.param("<Dial>1</Dial><Message>Hi</Message>", [14110], 1, id="verb of another product"),
        pytest.param("<message>Hi</message>", [14110], 0, id="verbs have capitals"),
        pytest.param('<Message to="nobody">Hi</Message>', [14101], 0, id="bad to"),
        pytest.param('<Message from="">Hi</Message>', [14102], 0, id="bad from"),
        pytest.param("<Message> </Message>", [14103], 0, id="empty message"),
        pytest.param(f"<Message>{'a' * 1601}</Message>", [14103], 0, id="long message"),
        pytest.param('<Message method="PUT">Hi</Message>', [14104], 1, id="bad method"),
        pytest.param('<Message statusCallback="ftp://x/">Hi</Message>', [14105], 1, id="bad statusCallback"),
        pytest.param('<Message action="http://[">Hi</Message>', [12200], 1, id="bad action"),
        pytest.param("<Message>Hi<Media>file:///etc/passwd</Media></Message>", [12200], 1, id="bad media"),
        pytest.param("<Message>Hi<Blink/></Message>", [12200], 1, id="unknown noun"),
        pytest.param("<Redirect>mailto:a@example.com</Redirect><Message>Hi</Message>", [12200], 1, id="bad redirect"),
        pytest.param("Hi<Message>Hi</Message>", [12200], 1, id="text outside a verb"),
        pytest.param("<Message>Hi</Message>" * 12, [14109], 10, id="twelve messages"),
        pytest.param(f"<Message>{'<Media>/a</Media>' * 11}</Message>", [12200], 1, id="eleven media"),
        pytest.param("<Dial/>" * 100, [14110] * twiml.PROBLEMS_MAX, 0, id="a hundred strange verbs"),
    ],
)
def test_what_cannot_be_obeyed_is_noted_and_the_rest_is_done(inside: str, expected: list[int], left: int) -> None:
    reply = response(inside)
    assert expected == codes(reply)
    assert left == len(reply.messages)
    assert not reply.unusable


@pytest.mark.parametrize(
    ("content_type", "body", "messages"),
    [
        pytest.param("text/plain", b"Hi\n", ("Hi",), id="plain text"),
        pytest.param("text/plain; charset=iso-8859-1", b"caf\xe9", ("café",), id="plain text in Latin-1"),
        pytest.param("TEXT/PLAIN", b"<Response/>", ("<Response/>",), id="plain text that looks like XML"),
        pytest.param("application/xml", b"<Response><Message>Hi</Message></Response>", ("Hi",), id="application/xml"),
        pytest.param("text/html; charset=utf-8", b"<Response><Message>\xc3\xa9</Message></Response>", ("é",), id="HTML"),
        pytest.param("text/xml; charset=latin1", b"<Response><Message>\xe9</Message></Response>", ("é",), id="header"),
        pytest.param(
            "text/xml",
            b'<?xml version="1.0" encoding="iso-8859-1"?><Response><Message>\xe9</Message></Response>',
            ("é",),
            id="declaration",
        ),
        pytest.param(
            "text/xml; charset=utf-8",
            b'\n<?xml version="1.0" encoding="latin1"?><Response><Message>\xc3\xa9</Message></Response>',
            ("é",),
            id="the header wins, white space before the declaration",
        ),
        pytest.param("text/xml", b"\xef\xbb\xbf<Response><Message>Hi</Message></Response>", ("Hi",), id="BOM"),
        pytest.param(
            "text/xml", b'<Response xmlns="urn:x"><Message>Hi</Message></Response>', ("Hi",), id="a namespace does not matter"
        ),
        pytest.param("image/png", b"", (), id="empty body of any type"),
        pytest.param("", b" \n", (), id="empty body without a type"),
    ],
)
def test_the_content_type_says_how_to_read(content_type: str, body: bytes, messages: tuple[str, ...]) -> None:
    reply = twiml.read(content_type, body, URL)
    assert (messages, ()) == (tuple(message.body for message in reply.messages), reply.problems)


BOMB = '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><Response><Message>&b;</Message></Response>'
XXE = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><Response><Message>&x;</Message></Response>'


@pytest.mark.parametrize(
    ("content_type", "document", "code"),
    [
        pytest.param("application/json", "{}", 12300, id="JSON"),
        pytest.param("", "<Response/>", 12300, id="no type"),
        pytest.param("text/xml", "<Response>", 12100, id="not closed"),
        pytest.param("text/xml", "Hello", 12100, id="not XML"),
        pytest.param("text/xml", "<Reply/>", 12100, id="another root"),
        pytest.param("text/html", "<!DOCTYPE html><html></html>", 12100, id="a web page"),
        pytest.param("text/xml", BOMB, 12100, id="entity bomb"),
        pytest.param("text/xml", XXE, 12100, id="external entity"),
        pytest.param("text/xml", "<Response>" + "<a>" * 9000 + "</a>" * 9000 + "</Response>", 12100, id="too deep"),
        pytest.param("text/xml", "<Response>" + "<a/>" * 9000 + "</Response>", 12100, id="too many elements"),
        pytest.param("text/xml", '<?xml version="1.0" encoding="rot13"?><Response/>', 12100, id="strange encoding"),
        pytest.param("text/xml", "<Response>" + " " * 65536 + "</Response>", 11750, id="over 64 kB"),
        pytest.param("text/plain", "a" * 65537, 11750, id="plain text over 64 kB"),
    ],
)
def test_an_unusable_document_says_why(content_type: str, document: str, code: int) -> None:
    started = time.perf_counter()
    reply = read(document, content_type)
    assert ([code], (), None, True) == (codes(reply), reply.messages, reply.redirect, reply.unusable)
    assert time.perf_counter() - started < 1


def test_a_document_of_exactly_64_kb_is_read() -> None:
    document = "<Response><Message>Hi</Message>{}</Response>"
    full = document.format(" " * (64 * 1024 - len(document) + 2))
    assert (64 * 1024, ()) == (len(full), read(full).problems)


def test_bytes_outside_the_stated_character_set_are_a_parse_failure() -> None:
    assert [12100] == codes(twiml.read("text/plain; charset=utf-8", b"\xff", URL))
    assert [12100] == codes(twiml.read("text/xml; charset=utf-8", b"<Response>\xff</Response>", URL))


def test_problems_say_what_to_do() -> None:
    text = response("<Dial/>").problems[0].text
    assert "Invalid Verb for SMS Reply: <Dial> was skipped: use <Message> and <Redirect>" == text


PIECES = ["<Response>", "</Response>", "<Message>", "</Message>", "<Media>", "</Media>", "<Redirect>", "</Redirect>",
          "http://[", "<!DOCTYPE a [", "]>", "<?xml version='1.0' encoding='", "'?>", "utf-7", "&a;", "to='", "'", "<a:b ",
          "\x00", "é", "http://a:99999/", "{", "<Message to='{}' action='http://[::'>"]  # fmt: skip


@given(
    st.sampled_from(["text/xml", "text/plain", "text/html; charset=utf-16", "text/xml; charset=klingon", ""]) | st.text(max_size=20),
    st.binary(max_size=300) | st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=20).map(
        lambda pieces: "".join(pieces).encode("utf-8", "replace")
    ),
    st.sampled_from([URL, "", "http://[", "nonsense"]),
)  # fmt: skip
@example("text/xml", b"<Response><Redirect>//[</Redirect></Response>", URL)
@example("text/xml", b"<Response><Message action='http://a:0x/'>.</Message></Response>", URL)
def test_no_bytes_break_the_reader(content_type: str, body: bytes, document_url: str) -> None:
    reply = twiml.read(content_type, body, document_url)
    assert len(reply.messages) <= twiml.MESSAGES_MAX
    assert all(message.body or message.media for message in reply.messages)
