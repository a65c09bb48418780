"""A real gateway for tests: its own process parts in a thread, a temporary store, the simulator, a real port."""

import time
from collections.abc import Callable, Coroutine
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from twilio.rest import Client

from stopwire import config
from stopwire.testing.threaded import Threaded
from tests.empty_store import lay_in
from tests.process import NO_TLS

T = TypeVar("T")
WAIT_SECONDS = 10.0


class Gateway:
    """A running gateway with the demo's senders. `workers` = 1 puts the doors into a process of their own."""

    def __init__(self, data_dir: Path, *, workers: int = 0, **flags: Any) -> None:
        flags = {"data_dir": str(data_dir), "port": 0, "demo": True, "quiet": True, "workers": workers, **flags}
        self.settings = config.load(flags, environ={}, cwd=data_dir).settings
        lay_in(self.settings.data_dir)
        self._threaded = Threaded(self.settings)
        self._opened = self._threaded.gateway
        self.url, self.smpp_port = self._opened.base, self._opened.smpp_port
        self.account_sid, self.auth_token = self._opened.account_sid, self._opened.auth_token
        self.world, self.house = self._opened.wired.world, self._opened.wired.house
        self.http = httpx.Client(base_url=self.url, auth=(self.account_sid, self.auth_token), timeout=WAIT_SECONDS, verify=NO_TLS)

    def close(self) -> None:
        self.http.close()
        self._threaded.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the gateway's loop."""
        return self._threaded.call(work)

    def client(self, account: str | None = None, token: str | None = None) -> Client:
        """The official Twilio SDK, pointed here."""
        client = Client(account or self.account_sid, token or self.auth_token)
        client.api.base_url = client.messaging.base_url = self.url
        client.accounts.base_url = client.lookups.base_url = self.url
        return client

    def account(self, name: str = "Another") -> tuple[str, str]:
        """SID and token of a new account, a stranger to the first."""
        from stopwire.flows import own

        made = self.run(own.create_account(self.world, name=name))
        return made.sid, made.auth_token

    def phone(self, address: str) -> "Phone":
        return Phone(self, address)

    @cached_property
    def service(self) -> str:
        """SID of the demo's messaging service, whatever it is called later."""
        directory = self.run(self.world.store.directory(self.account_sid))
        return next(s.sid for s in directory.services.values() if s.friendly_name == "Demo")

    def sender(self, address: str) -> str:
        """SID of one of the account's senders."""
        found = self.run(self.world.store.directory(self.account_sid)).sender_at(address)
        assert found is not None, address
        return found.sid


class Phone:
    """A simulated handset."""

    def __init__(self, gateway: Gateway, address: str) -> None:
        self.gateway, self.address = gateway, address
        self._path = f"/api/v1/simulator/phones/{quote(address, safe='')}/messages"

    def text(self, body: str, *, to: str, **more: Any) -> dict[str, Any]:
        answer = self.gateway.http.post(self._path, json={"to": to, "body": body, **more})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def messages(self) -> list[dict[str, Any]]:
        answer = self.gateway.http.get(self._path, params={"limit": 1000})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    @property
    def inbox(self) -> list[dict[str, Any]]:
        return [m for m in self.messages() if m["direction"] == "in"]

    def wait(self, count: int = 1, *, kind: str | None = None) -> list[dict[str, Any]]:
        """The received messages (of `kind`), once there are `count` of them."""

        def enough() -> list[dict[str, Any]] | None:
            found = [m for m in self.inbox if kind in (None, m["kind"])]
            return found if len(found) >= count else None

        return eventually(enough)


def eventually(ask: Callable[[], T | None], *, seconds: float = WAIT_SECONDS) -> T:
    """What `ask` answers, once it is true. Fails after `seconds`."""
    ends_at = time.monotonic() + seconds
    while True:
        if found := ask():
            return found
        assert time.monotonic() < ends_at, f"it did not come within {seconds} s"
        time.sleep(0.02)
