"""Vonage's Messages API as a carrier: JSON over HTTPS, pushes with a signed JWT that names the body's hash.

Sources: developer.vonage.com/en/api/messages; …/en/getting-started/concepts/webhooks (signed webhooks);
…/en/api-errors/messages; …/en/opt-out-assist/guides/messaging-opted-out-numbers.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from stopwire.carriers.http import (
    Event,
    HttpCarrier,
    MediaLink,
    WithMedia,
    accepted,
    basic,
    deferred,
    digits,
    http_type,
    instant,
    json_of,
    json_request,
    rejected,
    same,
    stale,
)
from stopwire.core.address import number_of
from stopwire.core.message import Status
from stopwire.core.outcomes import Cause, Outcome, Part
from stopwire.ports.carrier import Field
from stopwire.ports.http import HttpAnswer, HttpRequest
from stopwire.ports.push import HttpPush

STATUSES = {
    "submitted": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.READ,
    "rejected": Status.UNDELIVERED,
    "undeliverable": Status.UNDELIVERED,
}
CAUSES = {
    1240: Cause.OPTED_OUT,  # "Illegal Number": the person has sent a STOP
    1050: Cause.BLOCKED,
    1160: Cause.BLOCKED,
    1170: Cause.UNKNOWN_HANDSET,
    1180: Cause.UNREACHABLE,
    1190: Cause.UNKNOWN_HANDSET,
    1210: Cause.FILTERED,
    1220: Cause.UNREACHABLE,
    1250: Cause.UNREACHABLE,
    1260: Cause.UNREACHABLE,
    1280: Cause.BLOCKED,
}
THROTTLED = {1000, 1241}
PICTURES = ("image", "video", "audio", "file", "vcard", "sticker")


class Vonage(HttpCarrier):
    """One account at Vonage."""

    TYPE = http_type(
        "vonage",
        "Vonage Messages API (formerly Nexmo).",
        Field(name="api_key", says="The account's API key.", required=True),
        Field(name="api_secret", says="The account's API secret.", required=True, secret=True),
        Field(name="signature_secret", says="The account's signature secret: it proves whose pushes they are.", required=True, secret=True),
        Field(name="base_url", says="Where the API is.", default="https://api.nexmo.com"),
    )

    def request(self, part: Part) -> HttpRequest:
        whatsapp = part.sender.startswith("whatsapp:")
        fields: dict[str, Any] = {
            "from": digits(number_of(part.sender)),
            "to": digits(number_of(part.recipient)),
            "channel": "whatsapp" if whatsapp else "mms" if part.media else "sms",
            "client_ref": part.attempt,
            "webhook_url": self.push_url("status"),
            "webhook_version": "v1",
        }
        if not part.media:
            fields |= {"message_type": "text", "text": part.body}
        elif len(part.media) == 1:
            picture = {"url": part.media[0]} | ({"caption": part.body} if part.body else {})
            fields |= {"message_type": "image", "image": picture}
        else:
            raise ValueError("Vonage takes one picture a message: send the others one by one")
        return json_request(self.url_of("/v1/messages"), fields, basic(self.settings["api_key"], self.secrets["api_secret"]))

    def outcome(self, part: Part, answer: HttpAnswer) -> Outcome:
        told = json_of(answer.body)
        if answer.status < 300:
            return accepted(part, told["message_uuid"])
        code = _code(told)
        detail = f"{code or told.get('title', answer.status)} {told.get('detail', '')}"
        return deferred(part, detail) if code in THROTTLED else rejected(part, CAUSES.get(code, Cause.OTHER), detail)

    def verify(self, push: HttpPush, *, at: datetime) -> str | None:
        secret = self.secrets.get("signature_secret", "")
        if not secret:
            return "There is no signature secret: without it nobody can tell whose push this is."
        claims = _claims(push.headers.get("authorization", ""), secret)
        if claims is None:
            return "The token does not fit the signature secret that is set here: copy it from the Vonage dashboard."
        if not same(hashlib.sha256(push.body).hexdigest(), str(claims.get("payload_hash", ""))):
            return "The token was signed for another body."
        return stale(str(claims.get("iat", "")), at)

    def events(self, push: HttpPush) -> Sequence[Event]:
        told = json_of(push.body)
        reference = told["message_uuid"]
        if "status" in told:
            status = STATUSES.get(told["status"])
            cause = CAUSES.get(_code(told.get("error") or {}), Cause.OTHER) if status is Status.UNDELIVERED else None
            if status is None:
                return []
            ours, theirs = (_address(told, name) for name in ("from", "to"))
            at = instant(told.get("timestamp"))
            attempt = told.get("client_ref")
            return [self.report(reference, status, cause=cause, at=at, sender=ours, recipient=theirs, attempt=attempt)]
        prefix = "whatsapp:+" if told["channel"] == "whatsapp" else ""
        pictures = [told[kind] for kind in PICTURES if isinstance(told.get(kind), dict)]
        captions = [one["caption"] for one in pictures if one.get("caption")]
        heard = self.received(
            sender=prefix + told["to"],
            recipient=prefix + told["from"],
            body=told.get("text") or "\n".join(captions),
            reference=reference,
            sent_at=instant(told.get("timestamp")),
        )
        links = tuple(MediaLink(url=one["url"]) for one in pictures if one.get("url"))
        return [WithMedia(received=heard, links=links) if links else heard]


def _code(error: Mapping[str, Any]) -> int:
    """The number of an error: its title, or the end of its type. 0 where there is none."""
    for text in (str(error.get("title", "")), str(error.get("type", "")).rpartition("#")[2]):
        if text.isdigit():
            return int(text)
    return 0


def _address(told: Mapping[str, Any], name: str) -> object:
    """An address of a status, on the channel that it is of."""
    bare = told.get(name)
    return f"whatsapp:+{bare.removeprefix('+')}" if told.get("channel") == "whatsapp" and isinstance(bare, str) else bare


def _claims(authorization: str, secret: str) -> Mapping[str, Any] | None:
    """The claims of a JWT signed with HS256 and `secret` (RFC 7515), None where it is not. No other algorithm is taken."""
    scheme, _, token = authorization.partition(" ")
    signed, _, signature = token.strip().rpartition(".")
    right = hmac.new(secret.encode(), signed.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()
    try:
        if scheme.lower() != "bearer" or not hmac.compare_digest(right, _unpadded(signature)):
            return None  # not a letter of it is read
        header, claims = (json.loads(_unpadded(piece)) for piece in signed.split("."))
    except (ValueError, binascii.Error):
        return None
    fits = isinstance(header, dict) and header.get("alg") == "HS256" and isinstance(claims, dict)
    return claims if fits else None


def _unpadded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
