"""Any provider with one HTTP request a message, described by settings instead of code.

A place is a JSON pointer (RFC 6901) when it begins with a slash, else the name of a field of a form or an object, or which
word of a plain text. Templates are filled by plain substitution of {from}, {to} …, each value escaped for where it stands.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, quote_plus

from stopwire.carriers.http import (
    Event,
    HttpCarrier,
    accepted,
    attempt_in,
    basic_problem,
    common_problems,
    digits,
    form_of,
    hmac_base64,
    hmac_hex,
    http_type,
    instant,
    json_of,
    rejected,
    same,
    shape_problems,
    stale,
    words_of,
)
from stopwire.core.message import Status
from stopwire.core.outcomes import Cause, Outcome, Part
from stopwire.core.policy import Problem
from stopwire.ports.carrier import Field
from stopwire.ports.http import HttpAnswer, HttpRequest
from stopwire.ports.push import HttpPush, PushReply

METHODS = ("POST", "GET", "PUT")
KINDS = {"json": "application/json", "form": "application/x-www-form-urlencoded", "xml": "text/xml; charset=utf-8"}
PLACES = ("from", "to", "from_digits", "to_digits", "body", "id", "callback_url", "secret")
STATUS_FIELDS = {
    "sent_values": Status.SENT,
    "delivered_values": Status.DELIVERED,
    "failed_values": Status.UNDELIVERED,
}
_PLACE = re.compile(r"\{(" + "|".join(PLACES) + r")\}")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
_HEADER = re.compile(r"[A-Za-z0-9-]+")
_WORDS = re.compile(r"[^\s:=,;|]+")  # of an answer in plain text, such as "ID: 12345"
_PRINTABLE = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")  # what a header value may hold as it is


class Generic(HttpCarrier):
    """One connection to a provider that has no file of its own here."""

    TYPE = http_type(
        "generic",
        "Any provider with an HTTP request for each message, described by these settings.",
        Field(name="url", says="Where a message is handed over.", required=True),
        Field(name="method", says="POST, PUT or GET. Whoever stands in between may repeat a GET: prefer the others.", default="POST"),
        Field(name="query", says="What comes behind the ? of the URL, with {to}, {body} … in it, as a form."),
        Field(name="body", says="The body, with {from}, {to}, {from_digits}, {to_digits}, {body}, {id}, {callback_url}, {secret} in it."),
        Field(name="body_kind", says="json, form or xml: how values in the body are escaped, and its content type.", default="json"),
        Field(name="headers", says="More headers, one a line: Name: value; with {id}, {secret} … in it."),
        Field(name="authorization", says="The value of the Authorization header.", secret=True),
        Field(name="secret", says="What {secret} stands for, where the provider wants a key elsewhere.", secret=True),
        Field(name="answer_id", says="Where the answer has the provider's id of the message; of a plain text, which word: 0 is the first."),
        Field(name="answer_status", says="Where the answer says whether it was taken, if its HTTP status does not."),
        Field(name="accepted_values", says="Words there that mean yes; commas between. Any other word is a refusal."),
        Field(name="answer_error", says="Where a refusal has its code."),
        Field(name="opted_out_codes", says="Codes that say that the person has opted out there; commas between."),
        Field(name="inbound_from", says="Where a push to /inbound has the person's number.", default="from"),
        Field(name="inbound_to", says="Where it has our number.", default="to"),
        Field(name="inbound_body", says="Where it has the text.", default="text"),
        Field(name="inbound_id", says="Where it has the provider's id of the text: repeats are recognised by it.", default="id"),
        Field(name="inbound_at", says="Where it has the time of the text, ISO 8601 with a zone."),
        Field(name="report_id", says="Where a push to /status has the id of the message.", default="id"),
        Field(name="report_status", says="Where it has the status.", default="status"),
        Field(name="report_error", says="Where it has the code of a failure."),
        Field(name="report_to", says="Where it has the person's number: a text whose answer never came is known by it."),
        Field(name="sent_values", says="Statuses that mean sent; commas between.", default="sent"),
        Field(name="delivered_values", says="Statuses that mean delivered.", default="delivered"),
        Field(name="failed_values", says="Statuses that mean not delivered.", default="failed,undelivered,rejected,expired"),
        Field(name="push_secret", says="Key of the HMAC-SHA256 over a push's body.", secret=True),
        Field(name="push_token", says="Instead of an HMAC: a word of yours that each push has in its field token, or in its query.", secret=True),
        Field(name="signature_header", says="The header that has it; sha256= before it is left out.", default="X-Signature"),
        Field(name="signature_encoding", says="hex or base64.", default="hex"),
        Field(name="timestamp_header", says="The header with Unix seconds, where TIME.BODY is signed instead of the body alone."),
        Field(name="push_user", says="Instead of an HMAC: user of the Basic credentials of pushes."),
        Field(name="push_password", says="Password of those credentials.", secret=True),
        Field(name="insecure_pushes", says="true: believe pushes that nothing proves. Anybody could send a STOP or a START.", default=False),
        Field(name="reply", says="What the provider wants to hear after a push.", default=""),
    )

    def request(self, part: Part) -> HttpRequest:
        if part.media:
            raise ValueError("This connection carries no pictures: send them through another one")
        values = self._values(part)
        headers = {name: _filled(text, values, _header_escaped) for name, text in _headers(self.settings["headers"]).items()}
        body = None
        if self.settings["body"]:
            body = _filled(self.settings["body"], values, ESCAPED[self.settings["body_kind"]]).encode()
            headers = {"Content-Type": KINDS[self.settings["body_kind"]], **headers}
        if authorization := self.secrets.get("authorization"):
            headers["Authorization"] = authorization
        return HttpRequest(method=self.settings["method"], url=self._url(values), headers=headers, body=body)

    def outcome(self, part: Part, answer: HttpAnswer) -> Outcome:
        told = _content(answer.body)
        accepts = _listed(self.settings["accepted_values"])
        said = _at(told, self.settings["answer_status"]) if accepts else None
        if answer.status < 300 and accepts and said is None:
            raise ValueError("an answer that does not say whether the message was taken")
        if answer.status < 300 and (not accepts or str(said) in accepts):
            reference = _at(told, self.settings["answer_id"])
            return accepted(part, part.attempt if reference in (None, "") else reference)
        code = str(_at(told, self.settings["answer_error"]) or (answer.status if said is None else said))
        return rejected(part, self._cause(code), code)

    def verify(self, push: HttpPush, *, at: datetime) -> str | None:
        if secret := self.secrets.get("push_secret"):
            return self._signature_problem(push, secret, at)
        if token := self.secrets.get("push_token"):
            given = _at(_told(push), "token") or parse_qs(push.query).get("token", [""])[0]
            return None if same(token, str(given)) else "The token of the push is not the push_token that is set here."
        if self.settings["push_user"]:
            return basic_problem(push, self.settings["push_user"], self.secrets.get("push_password", ""), what="push credentials")
        if str(self.settings["insecure_pushes"]).lower() == "true":
            return None
        return (
            "Nothing proves whose push this is: set push_secret, push_token, or push_user and push_password; "
            "or insecure_pushes, if only the provider can reach this address."
        )

    def events(self, push: HttpPush) -> Sequence[Event]:
        told = _told(push)
        named = attempt_in(push)
        match push.target.partition("?")[0].removesuffix(f"/{named}" if named else "").rpartition("/")[2]:
            case "inbound":
                return [self._text(told)]
            case "status":
                return self._report(told, named)
        raise ValueError("a push to neither /inbound nor /status")

    def reply(self, push: HttpPush) -> PushReply:
        return PushReply(content_type="text/plain", body=str(self.settings["reply"]))

    @classmethod
    def problems(cls, settings: Mapping[str, Any]) -> list[Problem]:
        if problems := shape_problems(settings):
            return problems
        problems, settings = common_problems(settings), words_of(settings)
        kind, method = settings.get("body_kind", "json"), settings.get("method", "POST")
        if kind not in KINDS:
            problems.append(Problem(path="settings.body_kind", message=f"body_kind is json, form or xml, not {kind!r}."))
        if method not in METHODS:
            problems.append(Problem(path="settings.method", message=f"method is {', '.join(METHODS)}, not {method!r}."))
        body, query = str(settings.get("body", "")), str(settings.get("query", ""))
        if method == "GET" and body:
            problems.append(Problem(path="settings.body", message="A GET has no body: write what is to be told into query."))
        for name in ("{to", "{body}"):
            if name not in body + query:
                at, where = ("query", "query") if method == "GET" else ("body", "body")
                problems.append(Problem(path=f"settings.{at}", message=f"The {where} has no {name.rstrip('}')}}}: nobody would be told anything."))
        if "?" in str(settings.get("url", "")) and query:
            problems.append(Problem(path="settings.query", message="The URL has a query already: write all of it into query."))
        if settings.get("accepted_values") and not settings.get("answer_status"):
            problems.append(Problem(path="settings.answer_status", message="accepted_values are looked for at answer_status: say where that is."))
        if kind == "json" and body and not _is_json(_PLACE.sub("1", body)):
            problems.append(Problem(path="settings.body", message='The body is not JSON: write {"to": "{to}", …}, places in quotes.'))
        if settings.get("signature_encoding", "hex") not in ("hex", "base64"):
            problems.append(Problem(path="settings.signature_encoding", message="signature_encoding is hex or base64."))
        try:
            _headers(settings.get("headers"))
        except ValueError as unfit:
            problems.append(Problem(path="settings.headers", message=str(unfit)))
        return problems

    def _url(self, values: Mapping[str, str]) -> str:
        url = str(self.settings["url"])
        return f"{url}?{_filled(self.settings['query'], values, quote_plus)}" if self.settings["query"] else url

    def _values(self, part: Part) -> Mapping[str, str]:
        return {
            "from": part.sender,
            "to": part.recipient,
            "from_digits": digits(part.sender),
            "to_digits": digits(part.recipient),
            "body": part.body,
            "id": part.attempt,
            "callback_url": self.push_url("status", part),
            "secret": self.secrets.get("secret", ""),
        }

    def _cause(self, code: str) -> Cause:
        return Cause.OPTED_OUT if code in _listed(self.settings["opted_out_codes"]) else Cause.OTHER

    def _signature_problem(self, push: HttpPush, secret: str, at: datetime) -> str | None:
        # What tells something is signed, wherever it stands: a signature over the empty body of a GET would fit them all.
        signed, stamp = push.body or push.query.encode("latin-1"), None
        if header := self.settings["timestamp_header"]:
            stamp = push.headers.get(header.lower(), "")
            signed = stamp.encode() + b"." + signed
        right = (hmac_base64 if self.settings["signature_encoding"] == "base64" else hmac_hex)(secret, signed)
        given = push.headers.get(self.settings["signature_header"].lower(), "").removeprefix("sha256=")
        if not same(right, given):
            return f"The signature in {self.settings['signature_header']} does not fit the push_secret that is set here."
        return None if stamp is None else stale(stamp, at)

    def _text(self, told: Any) -> Event:
        found = {name: _at(told, self.settings[f"inbound_{name}"]) for name in ("from", "to", "body", "id", "at")}
        return self.received(
            sender=found["to"],
            recipient=found["from"],
            body="" if found["body"] is None else found["body"],
            reference=found["id"] or None,
            sent_at=instant(found["at"]),
        )

    def _report(self, told: Any, attempt: str | None) -> list[Event]:
        reference, word = _at(told, self.settings["report_id"]), str(_at(told, self.settings["report_status"]))
        for name, status in STATUS_FIELDS.items():
            if word in _listed(self.settings[name]):
                failed = status is Status.UNDELIVERED
                cause = self._cause(str(_at(told, self.settings["report_error"]))) if failed else None
                theirs = _at(told, self.settings["report_to"])
                return [self.report(reference, status, cause=cause, recipient=theirs, attempt=attempt)]
        return []


def _content(body: bytes) -> Any:
    """The value of a JSON body, the fields of a form, or the words of a plain text."""
    try:
        return json_of(body)
    except ValueError:
        text = body.decode("utf-8", "replace")
    if "=" in text and not any(letter.isspace() for letter in text.strip()):
        return dict(parse_qsl(text.strip(), keep_blank_values=True))
    return _WORDS.findall(text)


def _told(push: HttpPush) -> Any:
    return _content(push.body) if push.body.lstrip()[:1] in (b"{", b"[") else form_of(push)


def _at(value: Any, place: str | None) -> Any:
    """What stands at `place` of a JSON value or a form, None where nothing does. RFC 6901."""
    if not place:
        return None
    steps = place[1:].split("/") if place.startswith("/") else [place]
    for step in steps:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _listed(text: str | None) -> list[str]:
    return [item.strip() for item in (text or "").split(",") if item.strip()]


def _headers(text: str | None) -> dict[str, str]:
    """`Name: value` lines. ValueError for what is none."""
    headers = {}
    for line in (text or "").splitlines():
        name, colon, value = line.partition(":")
        if line.strip() and (not colon or not _HEADER.fullmatch(name.strip())):
            raise ValueError(f"{line.strip()!r} is no header: write one a line, Name: value.")
        if line.strip():
            headers[name.strip()] = value.strip()
    return headers


def _filled(template: str, values: Mapping[str, str], escaped: Callable[[str], str]) -> str:
    return _PLACE.sub(lambda place: escaped(values[place[1]]), template)


def _json_escaped(text: str) -> str:
    """As it stands between the quotes of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _xml_escaped(text: str) -> str:
    """As it stands in an element or between the quotes of an attribute; what XML 1.0 cannot hold at all is left out."""
    return "".join(_ENTITIES.get(c, c) for c in text if (c >= " " or c in "\t\n\r") and c not in "\ufffe\uffff")


def _header_escaped(text: str) -> str:
    """As it stands in a header: percent-encoded where it is not printable ASCII, so that no value begins a header of its own."""
    return quote(text, safe=_PRINTABLE)


ESCAPED: Mapping[str, Callable[[str], str]] = {"json": _json_escaped, "form": quote_plus, "xml": _xml_escaped}


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
