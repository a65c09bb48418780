"""Our client side of SMPP against a message centre on `smpp34`, an implementation in Rust that nobody here wrote."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import smpp34

from tests.gateway import Gateway, eventually

pytestmark = pytest.mark.slow
NUMBER, ANN = "+14155559001", "+14155550101"
RECEIPT = b"id:%s sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:"


class RustSmsc:
    """A message centre on the gateway's loop: it takes what comes, names it, and says what it is told to say."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.heard: list[smpp34.SubmitSmEvent] = []
        self.refusing: int | None = None
        self._esme: smpp34.Esme | None = None
        gateway.run(self._start())

    async def _start(self) -> None:
        self._server = smpp34.Server(host="127.0.0.1", port=self.port, system_id="rust")
        await self._server.start()
        self._task = asyncio.get_running_loop().create_task(self._serve())

    async def _serve(self) -> None:
        while True:
            match await self._server.next():
                case smpp34.Esme() as esme:
                    self._esme = esme
                case smpp34.SubmitSmEvent() as event if self.refusing is not None:
                    event.reject(self.refusing)
                case smpp34.SubmitSmEvent() as event:
                    self.heard.append(event)
                    event.accept(f"rust-{len(self.heard)}")

    def say(self, text: bytes, *, esm_class: int = 0) -> Any:
        """A `deliver_sm` from Ann to our number; the answer to it."""

        async def deliver() -> Any:
            assert self._esme is not None, "Nobody has bound"
            return await self._esme.deliver_sm(
                NUMBER[1:], text, source_addr=ANN[1:], source_addr_ton=1, dest_addr_ton=1, esm_class=esm_class
            )

        return self._gateway.run(deliver())

    def stop(self) -> None:
        async def ended() -> None:
            self._task.cancel()
            await self._server.stop()

        self._gateway.run(ended())


@pytest.fixture
def gateway(fresh_gateway: Gateway) -> Gateway:
    return fresh_gateway


@pytest.fixture
def centre(gateway: Gateway) -> Iterator[RustSmsc]:
    centre = RustSmsc(gateway)
    settings = {"host": "127.0.0.1", "port": centre.port, "system_id": "stopwire", "password": "s3cr3t"}
    asked = {"name": "rust", "type": "smpp", "settings": settings, "senders": [NUMBER]}
    gateway.http.post("/api/v1/carriers", json=asked).raise_for_status()
    eventually(lambda: gateway.http.get("/api/v1/carriers/rust").json()["up"])
    yield centre
    gateway.http.post("/api/v1/carriers/rust/pause").raise_for_status()
    centre.stop()


def status(gateway: Gateway, sid: str) -> tuple[str, int | None]:
    message = gateway.client().messages(sid).fetch()
    return message.status, message.error_code


def test_a_message_arrives_and_its_receipt_is_believed(gateway: Gateway, centre: RustSmsc) -> None:
    sent = gateway.client().messages.create(to=ANN, from_=NUMBER, body="Hello, it's us")
    eventually(lambda: len(centre.heard) == 1)
    (heard,) = centre.heard
    assert (b"Hello, it's us", NUMBER[1:], ANN[1:]) == (heard.short_message, heard.source_addr, heard.destination_addr)
    assert heard.registered_delivery & 1
    eventually(lambda: status(gateway, sent.sid) == ("sent", None))
    assert centre.say(RECEIPT % b"rust-1", esm_class=4).is_success
    eventually(lambda: status(gateway, sent.sid) == ("delivered", None))


def test_a_refusal_is_told(gateway: Gateway, centre: RustSmsc) -> None:
    centre.refusing = 0x0B  # ESME_RINVDSTADR
    sent = gateway.client().messages.create(to=ANN, from_=NUMBER, body="Hello")
    eventually(lambda: status(gateway, sent.sid)[0] == "failed")


def test_a_stop_blocks_and_its_confirmation_goes_out(gateway: Gateway, centre: RustSmsc) -> None:
    assert centre.say(b"STOP").is_success
    eventually(lambda: [b"unsubscribed" in each.short_message for each in centre.heard] == [True])
    refused = gateway.http.post(
        f"/2010-04-01/Accounts/{gateway.account_sid}/Messages.json", data={"To": ANN, "From": NUMBER, "Body": "Hello"}
    )
    assert (400, 21610) == (refused.status_code, refused.json()["code"])
    assert centre.say(b"START").is_success
    eventually(lambda: len(centre.heard) == 2)
    gateway.client().messages.create(to=ANN, from_=NUMBER, body="Hello again")
    eventually(lambda: centre.heard[-1].short_message == b"Hello again")
