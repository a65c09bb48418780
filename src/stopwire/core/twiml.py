"""A customer's answer to an inbound message (TwiML or plain text) → what we shall do.

Strangers' bytes come in, values go out, nothing raises: what cannot be understood becomes a `Problem` for
the event log. Nothing is sent or fetched here, and whether a reply may go is asked elsewhere.
Source: twilio.com/docs/messaging/twiml
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element, ParseError, TreeBuilder  # only defusedxml's parser feeds it

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from stopwire.core.address import parse_recipient, parse_sender
from stopwire.core.errors import title
from stopwire.core.segments import BODY_UNITS_MAX, units_utf16

DOCUMENT_BYTES_MAX: Final = 64 * 1024  # Twilio's 11750
MESSAGES_MAX: Final = 10  # Twilio's 14109
MEDIA_MAX: Final = 10  # as for a message created over the API
URL_CHARS_MAX: Final = 4000  # as for StatusCallback over the API
PROBLEMS_MAX: Final = 50  # more would say nothing new

_DEPTH_MAX = 16  # three are needed; strangers' verbs may nest a little
_ELEMENTS_MAX = 2000
_XML_TYPES = frozenset({"text/xml", "application/xml", "text/html"})
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
# The character sets that applications send. A closed list, since decoders of exotic ones can be slow.
_CHARSETS = {
    "utf-8": "utf-8-sig",
    "utf8": "utf-8-sig",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "utf-16": "utf-16",
    "iso-8859-1": "cp1252",  # as browsers read it
    "latin1": "cp1252",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "cp1252",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyMessage:
    """One `<Message>`. Where `to` or `sender` is None, the inbound message is answered from where it came to."""

    body: str
    media: tuple[str, ...] = ()
    to: str | None = None
    sender: str | None = None
    action: str | None = None  # status callback of this reply, called with `method`
    method: str = "POST"
    status_callback: str | None = None  # the old attribute, always called with POST


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """Go on with the document at `url`, sending the original parameters."""

    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something in the answer that could not be obeyed, for the event log."""

    code: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What an answer asks for. No messages and no redirect is "no reply"."""

    messages: tuple[ReplyMessage, ...] = ()
    redirect: Redirect | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def unusable(self) -> bool:
        """Whether the document as a whole could not be read, so that the fallback URL is to be asked."""
        return any(problem.code in _UNUSABLE for problem in self.problems)


_UNUSABLE = frozenset({11750, 12100, 12300})


def read(content_type: str, body: bytes, document_url: str) -> Reply:
    """What the answer of `document_url` asks for. Never raises. An empty body is "no reply", whatever its type."""
    if len(body) > DOCUMENT_BYTES_MAX:
        return _failed(11750, f"{len(body)} bytes, at most {DOCUMENT_BYTES_MAX} are read: send a smaller document")
    if not body.strip():
        return Reply()
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "text/plain":
        return _plain_text(body, content_type)
    if media_type not in _XML_TYPES:
        return _failed(12300, f"{media_type[:100] or 'none'}: answer with Content-Type text/xml or text/plain")
    try:
        root = _parse(body, content_type)
    except (ParseError, DefusedXmlException, _TooMuch, ValueError, LookupError) as error:
        return _failed(12100, f"{_reason(error)}: correct the document")
    if _name(root) != "Response":
        return _failed(12100, f"the root is <{_name(root)}>: make it <Response>")
    return _Reader(document_url).read(root)


class _Reader:
    """Walks one document and notes its problems on the way."""

    def __init__(self, document_url: str) -> None:
        self._document_url = document_url
        self._problems: list[Problem] = []

    def read(self, root: Element) -> Reply:
        messages: list[ReplyMessage] = []
        redirect: Redirect | None = None
        if (root.text or "").strip() or any((verb.tail or "").strip() for verb in root):
            self._note(12200, "text directly in <Response> is not sent: put it into <Message>")
        dropped = 0
        for verb in root:
            match _name(verb):
                case "Message" | "Sms":
                    if len(messages) == MESSAGES_MAX:
                        dropped += 1
                    elif message := self._message(verb):
                        messages.append(message)
                case "Redirect":
                    redirect = self._redirect(verb)
                    if redirect is not None:
                        break  # verbs after it are never reached
                case other:
                    self._note(14110, f"<{other}> was skipped: use <Message> and <Redirect>")
        if dropped:
            self._note(14109, f"{dropped} messages were dropped: answer with at most {MESSAGES_MAX}")
        return Reply(messages=tuple(messages), redirect=redirect, problems=tuple(self._problems))

    def _message(self, verb: Element) -> ReplyMessage | None:
        to, sender = verb.get("to"), verb.get("from")
        if to is not None and (to := parse_recipient(to)) is None:
            self._note(14101, "the attribute 'to' is not an address: write it in E.164 form")
            return None
        if sender is not None and (sender := parse_sender(sender)) is None:
            self._note(14102, "the attribute 'from' is not a sender: name one of yours in E.164 form")
            return None
        body, media = self._content(verb)
        if not body and not media:
            self._note(14103, "the message has neither text nor media: add one, or leave it out")
            return None
        if units_utf16(body) > BODY_UNITS_MAX:
            self._note(14103, f"the text is longer than {BODY_UNITS_MAX} characters: shorten it")
            return None
        return ReplyMessage(
            body=body,
            media=media,
            to=to,
            sender=sender,
            action=self._attribute_url(verb, "action", code=12200),
            method=self._method(verb),
            status_callback=self._attribute_url(verb, "statusCallback", code=14105),
        )

    def _content(self, verb: Element) -> tuple[str, tuple[str, ...]]:
        bodies: list[str] = []
        media: list[str] = []
        dropped = 0
        for noun in verb:
            match _name(noun):
                case "Body":
                    bodies.append("".join(noun.itertext()).strip())
                case "Media":
                    url = self._url("".join(noun.itertext()))
                    if url is None:
                        self._note(12200, "a <Media> was skipped: give it an http or https URL")
                    elif len(media) == MEDIA_MAX:
                        dropped += 1
                    else:
                        media.append(url)
                case other:
                    self._note(12200, f"<{other}> in <{_name(verb)}> was skipped: use <Body> and <Media>")
        if dropped:
            self._note(12200, f"{dropped} media were dropped: at most {MEDIA_MAX} go with one message")
        text = "".join(_own_text(verb)).strip()
        return "\n".join(bodies) if bodies else text, tuple(media)

    def _redirect(self, verb: Element) -> Redirect | None:
        url = self._url("".join(verb.itertext()))
        if url is None:
            self._note(12200, "<Redirect> was skipped: give it an http or https URL")
            return None
        return Redirect(url=url, method=self._method(verb))

    def _method(self, verb: Element) -> str:
        method = verb.get("method", "POST").strip().upper()
        if method in ("GET", "POST"):
            return method
        self._note(14104, f"the method of <{_name(verb)}> is neither GET nor POST: POST was used")
        return "POST"

    def _attribute_url(self, verb: Element, attribute: str, *, code: int) -> str | None:
        text = verb.get(attribute, "").strip()
        if not text:
            return None
        url = self._url(text)
        if url is None:
            self._note(code, f"the attribute '{attribute}' was ignored: give it an http or https URL")
        return url

    def _url(self, text: str) -> str | None:
        """The absolute URL, resolved against the document's; None when it is not one that can be called."""
        try:
            url = urljoin(self._document_url, text.strip())
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            return None
        return url if usable and len(url) <= URL_CHARS_MAX and url.isprintable() and " " not in url else None

    def _note(self, code: int, detail: str) -> None:
        if len(self._problems) < PROBLEMS_MAX:
            self._problems.append(_problem(code, detail))


class _TooMuch(Exception):
    """The document is deeper, or has more elements, than any answer needs."""


class _BoundedBuilder(TreeBuilder):
    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._elements = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        self._elements += 1
        if self._depth > _DEPTH_MAX or self._elements > _ELEMENTS_MAX:
            raise _TooMuch(f"more than {_DEPTH_MAX} levels or {_ELEMENTS_MAX} elements")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def _parse(body: bytes, content_type: str) -> Element:
    charset = _charset(content_type)
    # The header wins over the document's own declaration; without a header the declaration is read.
    document = body if charset is None else body.decode(charset)
    parser = DefusedXMLParser(target=_BoundedBuilder(), forbid_dtd=True)
    parser.feed(document.strip())
    root = parser.close()
    if not isinstance(root, Element):
        raise ValueError("no root element")
    return root


def _plain_text(body: bytes, content_type: str) -> Reply:
    try:
        text = body.decode(_charset(content_type) or "utf-8-sig").strip()
    except ValueError as error:
        return _failed(12100, f"{_reason(error)}: send the text in the character set of its Content-Type")
    if units_utf16(text) > BODY_UNITS_MAX:
        return Reply(problems=(_problem(14103, f"the text is longer than {BODY_UNITS_MAX} characters: shorten it"),))
    return Reply(messages=(ReplyMessage(body=text),) if text else ())


def _charset(content_type: str) -> str | None:
    match = _CHARSET.search(content_type)
    return _CHARSETS.get(match[1].lower()) if match else None


def _own_text(verb: Element) -> Iterator[str]:
    yield verb.text or ""
    for noun in verb:
        yield noun.tail or ""


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2][:100]  # without a namespace, which some libraries add


def _reason(error: Exception) -> str:
    if isinstance(error, DefusedXmlException):
        return "a DTD or an entity declaration is not allowed"
    if isinstance(error, UnicodeError):
        return "the bytes are not in the stated character set"
    return str(error)[:200]


def _problem(code: int, detail: str) -> Problem:
    return Problem(code=code, text=f"{title(code)}: {detail}")


def _failed(code: int, detail: str) -> Reply:
    return Reply(problems=(_problem(code, detail),))
