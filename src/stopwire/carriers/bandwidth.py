"""Bandwidth Messaging v2 as a carrier: JSON over HTTPS, pushes with Basic credentials of our choice.

Sources: dev.bandwidth.com/docs/messaging/createMessage; …/webhooks; …/errors.
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
    basic,
    basic_problem,
    http_type,
    instant,
    json_of,
    json_request,
    rejected,
)
from stopwire.core.message import Status
from stopwire.core.outcomes import Cause, Outcome, Part
from stopwire.ports.carrier import Field
from stopwire.ports.http import HttpAnswer, HttpRequest
from stopwire.ports.push import HttpPush

CAUSES = {
    4775: Cause.OPTED_OUT,  # destination-rejected-due-to-user-opt-out
    4303: Cause.UNKNOWN_HANDSET,
    4404: Cause.UNKNOWN_HANDSET,
    4406: Cause.UNKNOWN_HANDSET,
    4470: Cause.FILTERED,
    4482: Cause.BLOCKED,  # rejected-to-number-in-blacklist: whose list it is, is not said
    4700: Cause.LANDLINE,
    4701: Cause.UNREACHABLE,
    4702: Cause.UNREACHABLE,
    4720: Cause.UNKNOWN_HANDSET,
    4721: Cause.UNKNOWN_HANDSET,
    4730: Cause.UNREACHABLE,
    4750: Cause.BLOCKED,
    4753: Cause.BLOCKED,
    4770: Cause.FILTERED,
    4771: Cause.FILTERED,
    4772: Cause.BLOCKED,
    4790: Cause.BLOCKED,
    4791: Cause.BLOCKED,
}
STATUSES = {
    "message-sent": Status.SENT,
    "message-delivered": Status.DELIVERED,
    "message-read": Status.READ,
    "message-failed": Status.UNDELIVERED,
}  # message-sending says no more than the answer did


class Bandwidth(HttpCarrier):
    """One account at Bandwidth. On local numbers keywords are ours."""

    TYPE = http_type(
        "bandwidth",
        "Bandwidth Messaging v2.",
        Field(name="account_id", says="The account's number.", required=True),
        Field(name="application_id", says="The messaging application that the numbers belong to.", required=True),
        Field(name="username", says="The API user.", required=True),
        Field(name="password", says="The API user's password.", required=True, secret=True),
        Field(name="callback_user", says="User of the callback credentials of that application.", required=True),
        Field(name="callback_password", says="Password of the callback credentials.", required=True, secret=True),
        Field(name="base_url", says="Where the API is.", default="https://messaging.bandwidth.com"),
        called="events",
    )

    def request(self, part: Part) -> HttpRequest:
        fields = {
            "applicationId": self.settings["application_id"],
            "from": part.sender,
            "to": [part.recipient],
            "text": part.body,
            "media": list(part.media) or None,
            "tag": part.attempt,
        }
        return json_request(self.url_of(f"/api/v2/users/{self.settings['account_id']}/messages"), fields, self._credentials)

    def outcome(self, part: Part, answer: HttpAnswer) -> Outcome:
        told = json_of(answer.body)
        if answer.status < 300:
            return accepted(part, told["id"])
        return rejected(part, Cause.OTHER, f"{told.get('type', answer.status)} {told.get('description', '')}")

    def verify(self, push: HttpPush, *, at: datetime) -> str | None:
        user, password = self.settings["callback_user"] or "", self.secrets.get("callback_password", "")
        return basic_problem(push, user, password, what="callback credentials")

    def events(self, push: HttpPush) -> Sequence[Event]:
        return [event for told in json_of(push.body) for event in self._event(told)]

    def _event(self, told: Mapping[str, Any]) -> list[Event]:
        message = told["message"]
        if told["type"] == "message-received":
            return [self._text(told, message)]
        status = STATUSES.get(told["type"])
        if status is None:
            return []
        cause = CAUSES.get(int(told.get("errorCode") or 0), Cause.OTHER) if status is Status.UNDELIVERED else None
        told_of = {"at": instant(told.get("time")), "sender": message.get("from"), "recipient": told.get("to"), "attempt": message.get("tag")}
        return [self.report(message["id"], status, cause=cause, **told_of)]

    def _text(self, told: Mapping[str, Any], message: Mapping[str, Any]) -> Event:
        heard = self.received(
            sender=told.get("to") or message["owner"],
            recipient=message["from"],
            body=message.get("text") or "",
            reference=message["id"],
            sent_at=instant(message.get("time")),
        )
        links = tuple(MediaLink(url=url, headers=self._credentials) for url in message.get("media") or ())
        return WithMedia(received=heard, links=links) if links else heard

    @property
    def _credentials(self) -> dict[str, str]:
        return basic(self.settings["username"], self.secrets["password"])
