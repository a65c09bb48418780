"""A gateway that customers bind to, and an application on a stack of another house (smpplib) that does."""

import contextlib
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import smpplib.client
import smpplib.consts
import smpplib.exceptions

from stopwire.core.bound import short_password, system_id
from stopwire.smpp_server import server
from tests.gateway import Gateway


class Application:
    """A customer's program: binds, submits, and keeps what it is told."""

    def __init__(self, gateway: Gateway, *, system: str, password: str, how: str = "transceiver", **more: Any) -> None:
        assert gateway.smpp_port is not None
        self.client = smpplib.client.Client(
            "127.0.0.1", gateway.smpp_port, timeout=10, allow_unknown_opt_params=True, **more
        )
        self.told: queue.Queue[Any] = queue.Queue()
        self.answers: queue.Queue[Any] = queue.Queue()
        self.deliver_status = smpplib.consts.SMPP_ESME_ROK
        self.client.set_message_received_handler(self._hear)
        self.client.set_message_sent_handler(lambda pdu, **_: self.answers.put(pdu))
        self.client.set_error_pdu_handler(lambda pdu: None)  # a submit that failed is an answer too
        self.client.connect()
        self.bound = getattr(self.client, f"bind_{how}")(system_id=system, password=password)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _hear(self, pdu: Any) -> int:
        self.told.put(pdu)
        return self.deliver_status

    def _listen(self) -> None:
        try:
            self.client.listen()
        except (smpplib.exceptions.ConnectionError, OSError, AttributeError):
            return

    def submit(self, text: bytes, *, to: str, sender: str = "14155550122", **more: Any) -> Any:
        """Submit, and the answer to it."""
        values = {
            "source_addr_ton": 1,
            "source_addr_npi": 1,
            "source_addr": sender,
            "dest_addr_ton": 1,
            "dest_addr_npi": 1,
            "destination_addr": to.lstrip("+"),
            "short_message": text,
            **more,
        }
        self.client.send_message(**values)
        return self.answers.get(timeout=10)

    def hear(self) -> Any:
        return self.told.get(timeout=10)

    def leave(self) -> None:
        with contextlib.suppress(OSError):
            self.client._socket.shutdown(socket.SHUT_RDWR)
        self.client._socket.close()
        self._thread.join(timeout=5)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "LOOK_SECONDS", 0.1)
        running = Gateway(tmp_path_factory.mktemp("gateway"), smpp_port=0)
        yield running
        running.close()


@pytest.fixture
def bind(gateway: Gateway) -> Iterator[Callable[..., Application]]:
    """Bind an application as the gateway's first account, or as another."""
    there: list[Application] = []

    def bind(account: str = "", token: str = "", **more: Any) -> Application:
        account, token = account or gateway.account_sid, token or gateway.auth_token
        given = {"system": system_id(account), "password": short_password(token), **more}
        there.append(Application(gateway, **given))
        return there[-1]

    yield bind
    for application in there:
        application.leave()
