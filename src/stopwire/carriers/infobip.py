"""Infobip's SMS API as a carrier: JSON over HTTPS, pushes with Basic credentials of our choice.

Sources: infobip.com/docs/api/channels/sms (send, delivery reports, inbound); …/docs/essentials/api-essentials/
response-status-and-error-codes; …/docs/blocklist.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from stopwire.carriers.http import (
    Event,
    HttpCarrier,
    accepted,
    basic_problem,
    digits,
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

PENDING, UNDELIVERABLE, DELIVERED, EXPIRED, REJECTED = 1, 2, 3, 4, 5  # groups of statuses
STATUSES = {
    UNDELIVERABLE: Status.UNDELIVERED,
    DELIVERED: Status.DELIVERED,
    EXPIRED: Status.UNDELIVERED,
    REJECTED: Status.UNDELIVERED,
}
CAUSES = {  # of statuses, by their id
    14: Cause.OPTED_OUT,  # REJECTED_DESTINATION_BLOCKLISTED: the list of those who no longer want to be contacted
    4: Cause.BLOCKED,
    6: Cause.UNREACHABLE,
    8: Cause.UNKNOWN_HANDSET,
    9: Cause.UNREACHABLE,
    10: Cause.BLOCKED,  # REJECTED_DND: a register of the country, no word to us
    15: Cause.UNREACHABLE,
    20: Cause.FILTERED,
    52: Cause.UNKNOWN_HANDSET,
    87: Cause.FILTERED,
}
DUPLICATE = 23  # REJECTED_DUPLICATE_MESSAGE_ID
TO_OPERATOR = 2  # DELIVERED_TO_OPERATOR: not yet to the handset


class Infobip(HttpCarrier):
    """One account at Infobip."""

    TYPE = http_type(
        "infobip",
        "Infobip SMS.",
        Field(name="base_url", says="The account's own base URL, https://….api.infobip.com.", required=True),
        Field(name="api_key", says="The API key.", required=True, secret=True),
        Field(name="callback_user", says="The user of the Basic credentials that Infobip calls us with.", required=True),
        Field(name="callback_password", says="The password of those credentials.", required=True, secret=True),
    )

    def request(self, part: Part) -> HttpRequest:
        if part.media:
            raise ValueError("Infobip's SMS API carries no pictures: send them through another connection")
        message = {
            # A name that was used before is refused: a request that a proxy repeats does not become two texts.
            "destinations": [{"to": digits(part.recipient), "messageId": part.attempt}],
            "from": digits(part.sender),
            "text": part.body,
            "notifyUrl": self.push_url("status"),
            "notifyContentType": "application/json",
        }
        return json_request(self.url_of("/sms/2/text/advanced"), {"messages": [message]}, self._credentials)

    def outcome(self, part: Part, answer: HttpAnswer) -> Outcome:
        told = json_of(answer.body)
        if answer.status >= 300:
            fault = told["requestError"]["serviceException"]
            return rejected(part, Cause.OTHER, f"{fault.get('messageId', answer.status)} {fault.get('text', '')}")
        message = told["messages"][0]
        status = message["status"]
        if status["groupId"] in (PENDING, DELIVERED):
            return accepted(part, message["messageId"])
        if status["id"] == DUPLICATE:  # somebody in between repeated our request: it has the first, under this name
            return accepted(part, part.attempt)
        return rejected(part, CAUSES.get(status["id"], Cause.OTHER), f"{status['id']} {status.get('name', '')}")

    def verify(self, push: HttpPush, *, at: datetime) -> str | None:
        user, password = self.settings["callback_user"] or "", self.secrets.get("callback_password", "")
        return basic_problem(push, user, password, what="callback credentials")

    def events(self, push: HttpPush) -> Sequence[Event]:
        return [event for told in json_of(push.body)["results"] for event in self._event(told)]

    def probe(self) -> HttpRequest | None:
        return HttpRequest(method="GET", url=self.url_of("/account/1/balance"), headers=self._credentials)

    def _event(self, told: Mapping[str, Any]) -> list[Event]:
        if "status" not in told:
            heard = self.received(
                sender=told["to"],
                recipient=told["from"],
                body=told.get("text") or "",
                reference=told["messageId"],
                sent_at=instant(told.get("receivedAt")),
            )
            return [heard]
        status = STATUSES.get(told["status"]["groupId"])
        if status is None:
            return []
        if told["status"]["id"] == TO_OPERATOR:
            status = Status.SENT
        cause = CAUSES.get(told["status"]["id"], Cause.OTHER) if status is Status.UNDELIVERED else None
        at, named = instant(told.get("doneAt")), told["messageId"]  # as we named it
        return [self.report(named, status, cause=cause, at=at, sender=told.get("sender"), recipient=told.get("to"), attempt=named)]

    @property
    def _credentials(self) -> dict[str, str]:
        return {"Authorization": f"App {self.secrets['api_key']}"}
