"""Twilio's Programmable Messaging as a carrier, and SignalWire's by its base URL: forms over HTTPS.

Sources: twilio.com/docs/messaging/api/message-resource; twilio.com/docs/messaging/guides/webhook-request;
twilio.com/docs/usage/security#validating-requests; …/docs/usage/webhooks/webhook-shared-keys; developer.signalwire.com/compatibility-api.
"""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import parse_qs

from stopwire.carriers.http import (
    Event,
    HttpCarrier,
    MediaLink,
    WithMedia,
    accepted,
    attempt_in,
    basic,
    deferred,
    form_of,
    form_request,
    http_type,
    json_of,
    rejected,
)
from stopwire.core import signing
from stopwire.core.message import Status
from stopwire.core.outcomes import Cause, Outcome, Part
from stopwire.ports.carrier import Field
from stopwire.ports.http import HttpAnswer, HttpRequest
from stopwire.ports.push import HttpPush, PushReply

SIGNATURES = ("x-twilio-signature", "x-signalwire-signature")
STATUSES = {
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "undelivered": Status.UNDELIVERED,
    "failed": Status.UNDELIVERED,  # the message had left us: to our customer it was sent, and did not arrive
    "canceled": Status.UNDELIVERED,
    "read": Status.READ,
}  # accepted, queued and sending say no more than the answer did
CAUSES = {  # twilio.com/docs/api/errors
    21610: Cause.OPTED_OUT,
    21211: Cause.UNKNOWN_HANDSET,
    21612: Cause.UNREACHABLE,
    21614: Cause.LANDLINE,
    30003: Cause.UNREACHABLE,
    30004: Cause.BLOCKED,
    30005: Cause.UNKNOWN_HANDSET,
    30006: Cause.LANDLINE,
    30007: Cause.FILTERED,
}
THROTTLED = {14107, 20429, 30001}


class Twilio(HttpCarrier):
    """One account at Twilio, SignalWire or another gateway that speaks Twilio's API."""

    TYPE = http_type(
        "twilio",
        "Twilio Programmable Messaging; SignalWire by its base URL.",
        Field(name="account_sid", says="The account's SID; SignalWire: the project's id.", required=True),
        Field(name="auth_token", says="The account's auth token; SignalWire: the API token.", required=True, secret=True),
        Field(name="api_key_sid", says="An API key to send with instead; pushes are signed with the auth token all the same."),
        Field(name="api_key_secret", says="The secret of that API key.", secret=True),
        Field(
            name="signing_key",
            says="Key of pushes that are not signed with the auth token: SignalWire's signing key, or Twilio's SharedKey.",
            secret=True,
        ),
        Field(name="base_url", says="SignalWire: https://SPACE.signalwire.com/api/laml.", default="https://api.twilio.com"),
    )

    def request(self, part: Part) -> HttpRequest:
        fields = [("To", part.recipient), ("From", part.sender), ("Body", part.body)]
        fields += [("MediaUrl", url) for url in part.media]
        fields += [("StatusCallback", self.push_url("status", part))]
        return form_request(self.url_of(f"{self._account}/Messages.json"), fields, self._credentials)

    def outcome(self, part: Part, answer: HttpAnswer) -> Outcome:
        told = json_of(answer.body)
        if answer.status < 300:
            return accepted(part, told["sid"])
        code = int(told["code"])
        detail = f"{code} {told.get('message', '')}"
        return deferred(part, detail) if code in THROTTLED else rejected(part, CAUSES.get(code, Cause.OTHER), detail)

    def verify(self, push: HttpPush, *, at: datetime) -> str | None:
        url = self.tools.public_url + push.target
        form = parse_qs(push.body.decode(), keep_blank_values=True) if push.method == "POST" else None
        key = self.secrets.get("signing_key") or self.secrets.get("auth_token", "")
        if not key:
            return "There is no auth token: without it nobody can tell whose push this is."
        shared = push.headers.get(signing.SETTINGS_HEADER.lower(), "")
        if shared and not self.secrets.get("signing_key"):
            return "Twilio signs with a SharedKey of a webhook rule: set its secret as signing_key."
        algorithm: signing.Algorithm = "HMAC_SHA256" if _named(shared, "algorithm") == "HMAC_SHA256" else "HMAC_SHA1"
        if any(signing.valid(key, url, form, push.headers.get(name, ""), algorithm=algorithm) for name in SIGNATURES):
            return None
        return (
            "The signature does not fit: either the auth token here is not that account's, or the provider calls another "
            f"URL than {url.partition('?')[0]}: set public_url to the address it calls."
        )

    def events(self, push: HttpPush) -> Sequence[Event]:
        told = form_of(push)
        reference = told.get("MessageSid") or told["SmsSid"]
        if status := told.get("MessageStatus"):
            found = STATUSES.get(status)
            code = int(told["ErrorCode"]) if told.get("ErrorCode", "").isdigit() else None
            ours, theirs, named = told.get("From"), told.get("To"), attempt_in(push)
            return [self.report(reference, found, code=code or None, sender=ours, recipient=theirs, attempt=named)] if found else []
        heard = self.received(
            sender=told["To"],
            recipient=told["From"],
            body=told.get("Body", ""),
            reference=reference,
            answered="OptOutType" in told,  # Advanced Opt-Out is on there: Twilio has sent its own reply
        )
        count = int(told.get("NumMedia") or 0)
        links = tuple(
            MediaLink(url=told[f"MediaUrl{n}"], content_type=told.get(f"MediaContentType{n}", ""), headers=self._credentials)
            for n in range(count)
        )
        return [WithMedia(received=heard, links=links) if links else heard]

    def reply(self, push: HttpPush) -> PushReply:
        return PushReply(content_type="text/xml", body='<?xml version="1.0" encoding="UTF-8"?><Response/>')

    def probe(self) -> HttpRequest | None:
        return HttpRequest(method="GET", url=self.url_of(f"{self._account}.json"), headers=self._credentials)

    @property
    def _account(self) -> str:
        return f"/2010-04-01/Accounts/{self.settings['account_sid']}"

    @property
    def _credentials(self) -> dict[str, str]:
        if self.settings["api_key_sid"] and self.secrets.get("api_key_secret"):
            return basic(self.settings["api_key_sid"], self.secrets["api_key_secret"])
        return basic(self.settings["account_sid"], self.secrets["auth_token"])


def _named(settings: str, name: str) -> str:
    """A word of `key=…,algorithm=…`; empty where there is none."""
    pairs = (pair.partition("=") for pair in settings.split(","))
    return next((value.strip() for each, _, value in pairs if each.strip() == name), "")
