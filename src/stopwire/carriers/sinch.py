"""Sinch's SMS REST API (XMS) as a carrier: JSON over HTTPS, pushes with an HMAC over body, nonce and time.

Sources: developers.sinch.com/docs/sms/api-reference/sms (batches, webhooks, delivery reports); …/docs/sms/smpp/error-codes
and …/10dlc-errors. The HMAC is set up for a service plan, or Basic credentials by the account manager.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from stopwire.carriers.http import (
    Event,
    HttpCarrier,
    MediaLink,
    WithMedia,
    accepted,
    basic_problem,
    bearer,
    digits,
    hmac_base64,
    http_type,
    instant,
    json_of,
    json_request,
    rejected,
    same,
    stale,
)
from stopwire.core.message import Status
from stopwire.core.outcomes import Cause, Outcome, Part
from stopwire.ports.carrier import Field
from stopwire.ports.http import HttpAnswer, HttpRequest
from stopwire.ports.push import HttpPush

SIGNATURE = "x-sinch-webhook-signature"
STATUSES = {
    "Dispatched": Status.SENT,
    "Delivered": Status.DELIVERED,
    "Aborted": Status.UNDELIVERED,
    "Cancelled": Status.UNDELIVERED,
    "Rejected": Status.UNDELIVERED,
    "Deleted": Status.UNDELIVERED,
    "Failed": Status.UNDELIVERED,
    "Expired": Status.UNDELIVERED,
}  # Queued says no more than the answer did, Unknown says nothing
CAUSES = {  # none of them says that the person opted out: 257 is a barring by the operator
    15: Cause.FILTERED,
    16: Cause.BLOCKED,
    60: Cause.BLOCKED,
    61: Cause.BLOCKED,
    62: Cause.FILTERED,
    100: Cause.UNKNOWN_HANDSET,
    150: Cause.UNKNOWN_HANDSET,
    151: Cause.BLOCKED,
    152: Cause.UNREACHABLE,
    153: Cause.UNREACHABLE,
    159: Cause.UNREACHABLE,
    201: Cause.UNREACHABLE,
    202: Cause.UNREACHABLE,
    **dict.fromkeys(range(250, 258), Cause.BLOCKED),  # personal service barring, by the person or the operator
    300: Cause.UNKNOWN_HANDSET,
    402: Cause.UNKNOWN_HANDSET,  # Unroutable
    406: Cause.UNREACHABLE,  # Expired
}


class Sinch(HttpCarrier):
    """One service plan at Sinch."""

    TYPE = http_type(
        "sinch",
        "Sinch SMS REST API (service plan).",
        Field(name="service_plan_id", says="The service plan's id.", required=True),
        Field(name="api_token", says="The service plan's API token.", required=True, secret=True),
        Field(name="callback_secret", says="The secret of signed callbacks (HMAC) of that plan.", secret=True),
        Field(name="callback_user", says="Where callbacks are not signed: the user of their Basic credentials."),
        Field(name="callback_password", says="The password of those credentials.", secret=True),
        Field(name="base_url", says="The API of the plan's region.", default="https://us.sms.api.sinch.com"),
        Field(name="opted_out_codes", says="Codes of reports that mean an opt-out, where Sinch has told you so; commas between."),
        called="events",
    )

    def request(self, part: Part) -> HttpRequest:
        fields: dict[str, Any] = {
            "from": digits(part.sender),
            "to": [digits(part.recipient)],
            "body": part.body,
            "delivery_report": "per_recipient",
            "callback_url": self.push_url("events"),
            "client_reference": part.attempt,
        }
        if len(part.media) == 1:
            fields |= {"type": "mt_media", "body": {"url": part.media[0], "message": part.body}}
        elif part.media:
            raise ValueError("Sinch takes one picture a message: send the others one by one")
        return json_request(self._plan("/batches"), fields, bearer(self.secrets["api_token"]))

    def outcome(self, part: Part, answer: HttpAnswer) -> Outcome:
        told = json_of(answer.body)
        if answer.status < 300:
            return accepted(part, told["id"])
        return rejected(part, Cause.OTHER, f"{told.get('code', answer.status)} {told.get('text', '')}")

    def verify(self, push: HttpPush, *, at: datetime) -> str | None:
        secret = self.secrets.get("callback_secret", "")
        if not secret:
            user, password = self.settings["callback_user"] or "", self.secrets.get("callback_password", "")
            return basic_problem(push, user, password, what="callback credentials (nor a callback secret)")
        nonce, stamp = push.headers.get(f"{SIGNATURE}-nonce", ""), push.headers.get(f"{SIGNATURE}-timestamp", "")
        right = hmac_base64(secret, push.body + f".{nonce}.{stamp}".encode())
        if not same(right, push.headers.get(SIGNATURE, "")):
            return "The signature does not fit the callback secret that is set here: make them the same at Sinch."
        return stale(stamp, at)

    def events(self, push: HttpPush) -> Sequence[Event]:
        told = json_of(push.body)
        match told["type"]:
            case "mo_text" | "mo_media":
                return [self._text(told)]
            case "recipient_delivery_report_sms" | "recipient_delivery_report_mms":
                return self._reports(told)
        return []

    def probe(self) -> HttpRequest | None:
        return HttpRequest(method="GET", url=self._plan("/batches?page_size=1"), headers=bearer(self.secrets["api_token"]))

    def _reports(self, told: Mapping[str, Any]) -> list[Event]:
        status = STATUSES.get(told["status"])
        if status is None:
            return []
        cause = self._cause(int(told.get("code") or 0)) if status is Status.UNDELIVERED else None
        at = instant(told.get("at"))
        theirs, attempt = told.get("recipient"), told.get("client_reference")
        return [self.report(told["batch_id"], status, cause=cause, at=at, recipient=theirs, attempt=attempt)]

    def _cause(self, code: int) -> Cause:
        agreed = {word.strip() for word in str(self.settings["opted_out_codes"] or "").split(",")}
        return Cause.OPTED_OUT if str(code) in agreed else CAUSES.get(code, Cause.OTHER)

    def _text(self, told: Mapping[str, Any]) -> Event:
        body = told.get("body") or ""
        pictures = body.get("media") or [] if isinstance(body, dict) else []
        heard = self.received(
            sender=told["to"],
            recipient=told["from"],
            body=body.get("message") or "" if isinstance(body, dict) else body,
            reference=told["id"],
            sent_at=instant(told.get("received_at")),
        )
        links = tuple(MediaLink(url=one["url"], content_type=one.get("content_type") or "") for one in pictures if one.get("url"))
        return WithMedia(received=heard, links=links) if links else heard

    def _plan(self, path: str) -> str:
        return self.url_of(f"/xms/v1/{self.settings['service_plan_id']}{path}")
