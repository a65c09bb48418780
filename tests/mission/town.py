"""An account as its owner uses it: the official SDK, the native API, handsets, and a web server. Nothing from inside."""

import itertools
from contextlib import suppress
from typing import Any

import httpx
from twilio.base.exceptions import TwilioRestException

from stopwire.flows import own
from tests.gateway import WAIT_SECONDS, Gateway, Phone, eventually
from tests.process import NO_TLS
from tests.webhook_server import WebhookServer

_people, _lines = itertools.count(3000), itertools.count(3000)


class Town:
    """One account and the people around it. Each test buys numbers of its own, so that none meets another's blocks."""

    def __init__(self, gateway: Gateway, web: WebhookServer, sid: str = "", token: str = "") -> None:
        self.gateway, self.web = gateway, web
        self.sid, self.token = sid or gateway.account_sid, token or gateway.auth_token
        self.client = gateway.client(self.sid, self.token)
        self.http = httpx.Client(base_url=gateway.url, auth=(self.sid, self.token), timeout=WAIT_SECONDS, verify=NO_TLS)
        self._undo: list[tuple[Any, str]] = []

    def close(self) -> None:
        for members, sid in self._undo:
            with suppress(TwilioRestException):
                members(sid).delete()
        self.http.close()

    def console(self) -> httpx.Client:
        """A browser of the owner's, signed in by the link that `stopwire account sign-in` prints."""
        token = self.gateway.run(own.sign_in(self.gateway.world, account=self.sid))
        browser = httpx.Client(base_url=self.gateway.url, headers={"Sec-Fetch-Site": "same-origin"}, timeout=WAIT_SECONDS, verify=NO_TLS)
        browser.get(f"/console/sign-in?token={token}")
        return browser

    # ── people ───────────────────────────────────────────────────────────────────────────────────────

    def person(self, *, prefix: str = "+1415555", channel: str = "") -> Phone:
        """A handset nobody knows. `prefix` decides the country."""
        return Phone(self, f"{channel}{prefix}{next(_people)}")  # type: ignore[arg-type]  # it needs no more than `http`

    # ── senders and services ─────────────────────────────────────────────────────────────────────────

    def number(self, *, webhook: str = "", toll_free: bool = False, service: str = "") -> str:
        """Buy a number; join it to `service`."""
        address = f"+1{'888' if toll_free else '415'}666{next(_lines)}"
        bought = self.client.incoming_phone_numbers.create(phone_number=address, sms_url=webhook)
        if service:
            self.client.messaging.v1.services(service).phone_numbers.create(phone_number_sid=bought.sid)
        return address

    def service(self, *, webhook: str = "", **policy: Any) -> str:
        """A messaging service. `policy` is put in force, with Advanced Opt-Out on."""
        more = {"inbound_request_url": webhook} if webhook else {}
        made = self.client.messaging.v1.services.create(friendly_name="Service", **more)
        if policy:
            self.policy(made.sid, **policy)
        return str(made.sid)

    def policy(self, service: str, **policy: Any) -> dict[str, Any]:
        """Put a policy in force; what is left out is as in a new service. The answer."""
        answer = self.put_policy(service, **policy)
        assert 200 == answer.status_code, answer.text
        return dict(answer.json())

    def put_policy(self, service: str, **policy: Any) -> httpx.Response:
        return self.http.put(f"/api/v1/services/{service}/opt-out", json={"enabled": True, **policy})

    def join_short_code(self, service: str) -> str:
        """The demo's short code, a member of `service` until the test is over."""
        (code,) = self.client.short_codes.list()
        self._join(self.client.messaging.v1.services(service).short_codes, code.sid, short_code_sid=code.sid)
        return str(code.short_code)

    def whatsapp(self) -> str:
        """SID of the demo's WhatsApp sender."""
        senders = self.http.get("/api/v1/senders").json()["items"]
        return str(next(s["sid"] for s in senders if s["kind"] == "whatsapp"))

    def join_whatsapp(self, service: str) -> str:
        """The demo's WhatsApp sender, a member of `service` until the test is over."""
        sid = self.whatsapp()
        demo = self.client.messaging.v1.services(self.gateway.service).channel_senders
        with suppress(TwilioRestException):
            demo(sid).delete()
        self._join(self.client.messaging.v1.services(service).channel_senders, sid, sid=sid)
        return "whatsapp:+14155550190"

    def _join(self, members: Any, member: str, **create: str) -> None:
        members.create(**create)
        self._undo.append((members, member))

    # ── sending ──────────────────────────────────────────────────────────────────────────────────────

    def send(self, to: Phone, sender: str, body: str = "Hello") -> Any:
        """Send from a number or a service (MG…), and wait until it has arrived."""
        origin = {"messaging_service_sid": sender} if sender.startswith("MG") else {"from_": sender}
        message = self.client.messages.create(to=to.address, body=body, **origin)
        return eventually(lambda: self._delivered(message.sid))

    def _delivered(self, sid: str) -> Any:
        message = self.client.messages(sid).fetch()
        return message if message.status == "delivered" else None

    def refusal(self, to: Phone, sender: str) -> tuple[int, int] | None:
        """HTTP status and code of the error that a send meets; None where it is taken."""
        try:
            self.send(to, sender)
        except TwilioRestException as error:
            return error.status, error.code
        return None

    # ── what came of it ──────────────────────────────────────────────────────────────────────────────

    def reply(self, person: Phone, body: str, *, to: str) -> str | None:
        """Text `body` and read the automatic reply to it, None where there is none."""
        sent = person.text(body, to=to)
        queued = self.reply_queued(sent["message_sid"])
        return None if queued is None else str(eventually(lambda: heard(person, queued)))

    def reply_queued(self, message: str) -> str | None:
        """SID of the automatic reply that was queued, in the same commit, for an inbound message."""
        explained = self.http.get(f"/api/v1/messages/{message}/explain")
        assert 200 == explained.status_code, explained.text
        return next((p["id"] for p in explained.json()["evidence"] if p["text"] == "The automatic reply."), None)


def heard(person: Phone, message: str) -> str | None:
    """Body of a message at its handset, None while it is not there."""
    return next((m["body"] for m in person.inbox if m["message_sid"] == message), None)


def replies(person: Phone) -> list[str]:
    """Bodies of the automatic replies a handset has got."""
    return [m["body"] for m in person.inbox if m["kind"] == "auto_reply"]


REFUSED = (400, 21610)
