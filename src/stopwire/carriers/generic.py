"""Any provider with a POST and a JSON or form body, described by settings instead of code.

A place is a JSON pointer (RFC 6901) when it begins with a slash, else the name of a field of a form or an object.
Templates are filled by plain substitution of {from}, {to} …, each value escaped for the kind of body.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

from stopwire.carriers.http import (
    Event,
    HttpCarrier,
    accepted,
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
    stale,
)
from stopwire.core.message import Status
from stopwire.core.outcomes import Cause, Outcome, Part
from stopwire.core.policy import Problem
from stopwire.ports.carrier import Field
from stopwire.ports.http import HttpAnswer, HttpRequest
from stopwire.ports.push import HttpPush, PushReply

KINDS = {"json": "application/json", "form": "application/x-www-form-urlencoded"}
PLACES = ("from", "to", "from_digits", "to_digits", "body", "id", "callback_url")
STATUS_FIELDS = {
    "sent_values": Status.SENT,
    "delivered_values": Status.DELIVERED,
    "failed_values": Status.UNDELIVERED,
}
_PLACE = re.compile(r"\{(" + "|".join(PLACES) + r")\}")
_HEADER = re.compile(r"[A-Za-z0-9-]+")


class Generic(HttpCarrier):
    """One connection to a provider that has no file of its own here."""

    TYPE = http_type(
        "generic",
        "Any provider with a POST, described by these settings.",
        Field(name="url", says="Where a message is handed over, by POST.", required=True),
        Field(name="body", says='The body, with {from}, {to}, {from_digits}, {to_digits}, {body}, {id}, {callback_url} in it.', required=True),
        Field(name="body_kind", says="json or form: how values in the body are escaped, and its content type.", default="json"),
        Field(name="headers", says="More headers, one a line: Name: value."),
        Field(name="authorization", says="The value of the Authorization header.", secret=True),
        Field(name="answer_id", says="Where the answer has the provider's id of the message."),
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
        Field(name="sent_values", says="Statuses that mean sent; commas between.", default="sent"),
        Field(name="delivered_values", says="Statuses that mean delivered.", default="delivered"),
        Field(name="failed_values", says="Statuses that mean not delivered.", default="failed,undelivered,rejected,expired"),
        Field(name="push_secret", says="Key of the HMAC-SHA256 over a push's body.", secret=True),
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
        headers = {"Content-Type": KINDS[self.settings["body_kind"]], **_headers(self.settings["headers"])}
        if authorization := self.secrets.get("authorization"):
            headers["Authorization"] = authorization
        return HttpRequest(method="POST", url=self.settings["url"], headers=headers, body=self._body(part).encode())

    def outcome(self, part: Part, answer: HttpAnswer) -> Outcome:
        told = _content(answer.body)
        if answer.status < 300:
            reference = _at(told, self.settings["answer_id"])
            return accepted(part, part.attempt if reference in (None, "") else reference)
        code = str(_at(told, self.settings["answer_error"]) or answer.status)
        return rejected(part, self._cause(code), code)

    def verify(self, push: HttpPush, *, at: datetime) -> str | None:
        if secret := self.secrets.get("push_secret"):
            return self._signature_problem(push, secret, at)
        if self.settings["push_user"]:
            return basic_problem(push, self.settings["push_user"], self.secrets.get("push_password", ""), what="push credentials")
        if str(self.settings["insecure_pushes"]).lower() == "true":
            return None
        return (
            "Nothing proves whose push this is: set push_secret, or push_user and push_password; "
            "or insecure_pushes, if only the provider can reach this address."
        )

    def events(self, push: HttpPush) -> Sequence[Event]:
        told = _content(push.body) if push.body.lstrip()[:1] in (b"{", b"[") else form_of(push)
        match push.target.partition("?")[0].rpartition("/")[2]:
            case "inbound":
                return [self._text(told)]
            case "status":
                return self._report(told)
        raise ValueError("a push to neither /inbound nor /status")

    def reply(self, push: HttpPush) -> PushReply:
        return PushReply(content_type="text/plain", body=str(self.settings["reply"]))

    @classmethod
    def problems(cls, settings: Mapping[str, Any]) -> list[Problem]:
        problems = common_problems(settings)
        kind = settings.get("body_kind", "json")
        if kind not in KINDS:
            problems.append(Problem(path="settings.body_kind", message=f"body_kind is json or form, not {kind!r}."))
        body = str(settings.get("body", ""))
        for name in ("{to", "{body}"):
            if name not in body:
                problems.append(Problem(path="settings.body", message=f"The body has no {name.rstrip('}')}}}: nobody would be told anything."))
        if kind == "json" and not _is_json(_PLACE.sub("1", body)):
            problems.append(Problem(path="settings.body", message='The body is not JSON: write {"to": "{to}", …}, places in quotes.'))
        if settings.get("signature_encoding", "hex") not in ("hex", "base64"):
            problems.append(Problem(path="settings.signature_encoding", message="signature_encoding is hex or base64."))
        try:
            _headers(settings.get("headers"))
        except ValueError as unfit:
            problems.append(Problem(path="settings.headers", message=str(unfit)))
        return problems

    def _body(self, part: Part) -> str:
        values = {
            "from": part.sender,
            "to": part.recipient,
            "from_digits": digits(part.sender),
            "to_digits": digits(part.recipient),
            "body": part.body,
            "id": part.attempt,
            "callback_url": self.push_url("status"),
        }
        escaped = quote_plus if self.settings["body_kind"] == "form" else _json_escaped
        return _PLACE.sub(lambda place: escaped(values[place[1]]), self.settings["body"])

    def _cause(self, code: str) -> Cause:
        return Cause.OPTED_OUT if code in _listed(self.settings["opted_out_codes"]) else Cause.OTHER

    def _signature_problem(self, push: HttpPush, secret: str, at: datetime) -> str | None:
        signed, stamp = push.body, None
        if header := self.settings["timestamp_header"]:
            stamp = push.headers.get(header.lower(), "")
            signed = stamp.encode() + b"." + push.body
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

    def _report(self, told: Any) -> list[Event]:
        reference, word = _at(told, self.settings["report_id"]), str(_at(told, self.settings["report_status"]))
        for name, status in STATUS_FIELDS.items():
            if word in _listed(self.settings[name]):
                failed = status is Status.UNDELIVERED
                cause = self._cause(str(_at(told, self.settings["report_error"]))) if failed else None
                return [self.report(reference, status, cause=cause)]
        return []


def _content(body: bytes) -> Any:
    """The value of a JSON body, None of any other."""
    try:
        return json_of(body)
    except ValueError:
        return None


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


def _json_escaped(text: str) -> str:
    """As it stands between the quotes of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
