"""Telnyx Messaging v2 as a carrier: JSON over HTTPS, pushes signed with Ed25519.

Sources: developers.telnyx.com/api/messaging/send-message; …/docs/messaging/messages/receiving-webhooks;
…/docs/messaging/messages/error-codes; …/docs/messaging/messages/advanced-opt-in-out.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from stopwire.carriers.http import (
    Event,
    HttpCarrier,
    MediaLink,
    WithMedia,
    accepted,
    attempt_in,
    bearer,
    common_problems,
    http_type,
    instant,
    json_of,
    json_request,
    rejected,
    stale,
)
from stopwire.core.message import Status
from stopwire.core.outcomes import Cause, Outcome, Part
from stopwire.core.policy import Problem
from stopwire.ports.carrier import Field
from stopwire.ports.http import HttpAnswer, HttpRequest
from stopwire.ports.push import HttpPush

STATUSES = {
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "delivery_failed": Status.UNDELIVERED,
    "sending_failed": Status.UNDELIVERED,
    "expired": Status.UNDELIVERED,
}  # queued and sending say no more than the answer did, delivery_unconfirmed says nothing
CAUSES = {
    "40300": Cause.OPTED_OUT,  # "Blocked due to STOP message"
    "40001": Cause.LANDLINE,
    "40002": Cause.FILTERED,
    "40003": Cause.FILTERED,
    "40004": Cause.BLOCKED,
    "40005": Cause.UNREACHABLE,
    "40006": Cause.UNREACHABLE,
    "40008": Cause.UNREACHABLE,
    "40310": Cause.UNKNOWN_HANDSET,
}


class Telnyx(HttpCarrier):
    """One account at Telnyx. Keywords are its own unless the messaging profile was told otherwise."""

    TYPE = http_type(
        "telnyx",
        "Telnyx Messaging v2.",
        Field(name="api_key", says="The API key, KEY….", required=True, secret=True),
        Field(name="public_key", says="The account's public key, in base64: it proves whose pushes they are.", required=True),
        Field(name="base_url", says="Where the API is.", default="https://api.telnyx.com"),
        called="events",
    )

    def request(self, part: Part) -> HttpRequest:
        fields = {
            "from": part.sender,
            "to": part.recipient,
            "text": part.body,
            "media_urls": list(part.media) or None,
            "webhook_url": self.push_url("events", part),
            "use_profile_webhooks": False,
        }
        return json_request(self.url_of("/v2/messages"), fields, bearer(self.secrets["api_key"]))

    def outcome(self, part: Part, answer: HttpAnswer) -> Outcome:
        told = json_of(answer.body)
        if answer.status < 300:
            return accepted(part, told["data"]["id"])
        code, detail = _error(told["errors"])
        return rejected(part, CAUSES.get(code, Cause.OTHER), detail)

    def verify(self, push: HttpPush, *, at: datetime) -> str | None:
        stamp = push.headers.get("telnyx-timestamp", "")
        if problem := stale(stamp, at):
            return problem
        try:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(self.settings.get("public_key") or "", validate=True))
            signature = base64.b64decode(push.headers.get("telnyx-signature-ed25519", ""), validate=True)
            key.verify(signature, stamp.encode() + b"|" + push.body)
        except (binascii.Error, ValueError, InvalidSignature):
            return "The signature does not fit the public key that is set here: copy the account's own from the portal."
        return None

    def events(self, push: HttpPush) -> Sequence[Event]:
        data = json_of(push.body)["data"]
        told = data["payload"]
        match data["event_type"]:
            case "message.received":
                return [self._text(told)]
            case "message.sent" | "message.finalized":
                status = STATUSES.get(told["to"][0]["status"])
                if status is None:
                    return []
                cause = CAUSES.get(_error(told["errors"])[0], Cause.OTHER) if told.get("errors") else None
                to, from_ = told["to"][0].get("phone_number"), (told.get("from") or {}).get("phone_number")
                at, named = instant(data.get("occurred_at")), attempt_in(push)
                return [self.report(told["id"], status, cause=cause, at=at, sender=from_, recipient=to, attempt=named)]
        return []

    def probe(self) -> HttpRequest | None:
        return HttpRequest(method="GET", url=self.url_of("/v2/balance"), headers=bearer(self.secrets["api_key"]))

    @classmethod
    def problems(cls, settings: Mapping[str, Any]) -> list[Problem]:
        problems = common_problems(settings)
        try:
            Ed25519PublicKey.from_public_bytes(base64.b64decode(str(settings.get("public_key") or ""), validate=True))
        except (binascii.Error, ValueError):
            told = "public_key must be 32 bytes in base64: copy it from the portal, under Keys & Credentials."
            problems.append(Problem(path="settings.public_key", message=told))
        return problems

    def _text(self, told: Mapping[str, Any]) -> Event:
        heard = self.received(
            sender=told["to"][0]["phone_number"],
            recipient=told["from"]["phone_number"],
            body=told.get("text") or "",
            reference=told["id"],
            sent_at=instant(told.get("received_at")),
            answered=bool(told.get("autoresponse_type")),  # Telnyx has sent its own reply
        )
        links = tuple(MediaLink(url=m["url"], content_type=m.get("content_type") or "") for m in told.get("media") or ())
        return WithMedia(received=heard, links=links) if links else heard


def _error(errors: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Code and words of the first error."""
    code = str(errors[0]["code"])
    return code, f"{code} {errors[0].get('title', '')}: {errors[0].get('detail', '')}"
