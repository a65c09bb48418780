"""Plivo's Message API as a carrier: JSON out, forms in, signed with the auth token.

Sources: plivo.com/docs/messaging/api/message; …/messaging/xml/request; …/messaging/concepts/signature-validation
(V2, what messaging pushes carry); …/voice/concepts/signature-validation (V3); …/messaging/troubleshooting/error-codes.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

from stopwire.carriers.http import (
    Event,
    HttpCarrier,
    MediaLink,
    WithMedia,
    accepted,
    attempt_in,
    basic,
    form_of,
    hmac_base64,
    http_type,
    json_of,
    json_request,
    rejected,
    same,
)
from stopwire.core.connections import Sealed
from stopwire.core.message import Status
from stopwire.core.outcomes import Cause, Outcome, Part
from stopwire.ports.carrier import Field, Tools
from stopwire.ports.http import HttpAnswer, HttpRequest
from stopwire.ports.push import HttpPush, PushReply

NONCES_MAX = 10_000  # of the newest pushes: a V2 signature covers its nonce, not the body
STATUSES = {
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.READ,
    "undelivered": Status.UNDELIVERED,
    "failed": Status.UNDELIVERED,
    "rejected": Status.UNDELIVERED,
}  # queued says no more than the answer did
CAUSES = {
    "200": Cause.OPTED_OUT,  # "Source number blocked by STOP from destination number"
    "30": Cause.FILTERED,
    "50": Cause.UNKNOWN_HANDSET,
    "70": Cause.UNREACHABLE,
    "80": Cause.UNREACHABLE,
    "90": Cause.UNREACHABLE,
    "100": Cause.BLOCKED,
}


class Plivo(HttpCarrier):
    """One account at Plivo. It answers the usual keywords itself unless it was told otherwise."""

    TYPE = http_type(
        "plivo",
        "Plivo Messaging.",
        Field(name="auth_id", says="The account's auth ID.", required=True),
        Field(name="auth_token", says="The account's auth token; it signs pushes too.", required=True, secret=True),
        Field(name="base_url", says="Where the API is.", default="https://api.plivo.com"),
    )

    def __init__(self, sealed: Sealed, secrets: Mapping[str, str], tools: Tools) -> None:
        super().__init__(sealed, secrets, tools)
        self._nonces: OrderedDict[str, str] = OrderedDict()  # what each vouched for

    def request(self, part: Part) -> HttpRequest:
        fields = {
            "src": part.sender,
            "dst": part.recipient,
            "text": part.body,
            "type": "mms" if part.media else "sms",
            "media_urls": list(part.media) or None,
            "url": self.push_url("status", part),
            "method": "POST",
        }
        return json_request(self.url_of(f"{self._account}/Message/"), fields, self._credentials)

    def outcome(self, part: Part, answer: HttpAnswer) -> Outcome:
        told = json_of(answer.body)
        if answer.status < 300:
            return accepted(part, told["message_uuid"][0])
        return rejected(part, Cause.OTHER, f"{answer.status} {told.get('error', '')}")

    def verify(self, push: HttpPush, *, at: datetime) -> str | None:
        token = self.secrets.get("auth_token", "")
        if not token:
            return "There is no auth token: without it nobody can tell whose push this is."
        url = self.tools.public_url + push.target
        if "x-plivo-signature-v3" in push.headers:
            nonce = push.headers.get("x-plivo-signature-v3-nonce", "")
            right = hmac_base64(token, f"{_signed_v3(url, push)}.{nonce}".encode())
            if any(same(right, given.strip()) for given in push.headers["x-plivo-signature-v3"].split(",")):
                return None
            return f"The signature does not fit: check the auth token, and that Plivo calls {url.partition('?')[0]}."
        nonce = push.headers.get("x-plivo-signature-v2-nonce", "")
        right = hmac_base64(token, f"{url.partition('?')[0]}{nonce}".encode())
        given = [push.headers.get(name, "") for name in ("x-plivo-signature-v2", "x-plivo-signature-ma-v2")]
        if not nonce or not any(same(right, one) for one in given):
            return f"The signature does not fit: check the auth token, and that Plivo calls {url.partition('?')[0]}."
        return self._used_before(nonce, push)

    def events(self, push: HttpPush) -> Sequence[Event]:
        told = form_of(push)
        if "Status" in told:
            status = STATUSES.get(told["Status"])
            cause = CAUSES.get(told.get("ErrorCode", ""), Cause.OTHER) if status is Status.UNDELIVERED else None
            # A long text is reported by its pieces; the first name is that of the whole.
            reference = told.get("ParentMessageUUID") or told["MessageUUID"]
            ours, theirs, named = told.get("From"), told.get("To"), attempt_in(push)
            return [self.report(reference, status, cause=cause, sender=ours, recipient=theirs, attempt=named)] if status else []
        heard = self.received(
            sender=told["To"], recipient=told["From"], body=told.get("Text") or told.get("Body", ""), reference=told["MessageUUID"]
        )
        links = tuple(MediaLink(url=told[name]) for name in sorted(told) if name.removeprefix("Media").isdigit() and told[name])
        return [WithMedia(received=heard, links=links) if links else heard]

    def reply(self, push: HttpPush) -> PushReply:
        return PushReply(content_type="text/xml", body="<Response></Response>")

    def probe(self) -> HttpRequest | None:
        return HttpRequest(method="GET", url=self.url_of(f"{self._account}/"), headers=self._credentials)

    def _used_before(self, nonce: str, push: HttpPush) -> str | None:
        """A nonce vouches for the first push that it comes with, and for repeats of it to the byte."""
        seen = self._nonces
        print_ = sha256(push.target.encode() + b"\0" + push.body).hexdigest()
        if seen.setdefault(nonce, print_) != print_:
            return "The nonce was used before, with other words: somebody has copied a signature."
        while len(seen) > NONCES_MAX:
            seen.popitem(last=False)
        return None

    @property
    def _account(self) -> str:
        return f"/v1/Account/{self.settings['auth_id']}"

    @property
    def _credentials(self) -> dict[str, str]:
        return basic(self.settings["auth_id"], self.secrets["auth_token"])


def _signed_v3(url: str, push: HttpPush) -> str:
    """URL with its query sorted; of a POST, then the fields of the form, names and values without a sign between."""
    parts = urlsplit(url)
    base = f"{parts.scheme}://{parts.netloc}{parts.path}"
    query = "&".join(f"{name}={value}" for name, value in _sorted(parts.query))
    form = "".join(name + value for name, value in _sorted(push.body.decode())) if push.method == "POST" else ""
    joint = "." if query and form else ""
    return f"{base}?{query}{joint}{form}" if query or form else base


def _sorted(text: str) -> list[tuple[str, str]]:
    """Fields by name, those of one name by value."""
    fields = parse_qs(text, keep_blank_values=True)
    return [(name, value) for name in sorted(fields) for value in sorted(fields[name])]
