"""A customer's web server: real, on a port of its own. It records what it is asked and answers as it was told."""

import itertools
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from twilio.request_validator import RequestValidator

from tests.gateway import eventually


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it arrived. `params`: of the form, or of the query where the method is GET."""

    method: str
    path: str
    url: str
    headers: Mapping[str, str]  # names in lower case
    params: Mapping[str, str]

    def signed_with(self, token: str, *, url: str | None = None) -> bool:
        """Whether the official validator takes the signature, for the URL as it was called."""
        signature = self.headers["x-twilio-signature"]
        form = dict(self.params) if self.method == "POST" else {}
        return bool(RequestValidator(token).validate(url or self.url, form, signature))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to answer. `behave`: `answer`, or `hang` | `close` | `garbage` | `cut` (part of an answer, then the end)."""

    body: bytes = b""
    content_type: str | None = "text/xml"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    behave: str = "answer"


def twiml(inside: str) -> Reply:
    return Reply(body=f"<?xml version='1.0'?><Response>{inside}</Response>".encode())


def redirect(location: str, status: int = 302) -> Reply:
    return Reply(status=status, headers={"Location": location}, content_type=None)


class WebhookServer:
    """Paths nobody spoke of answer 204. A path with several replies gives each once, and then the last for good."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._replies: dict[str, Iterator[Reply]] = {}
        self._closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._handle(self)

            do_POST = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hung up while we made it wait is what some tests want."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Hang up on everybody who is made to wait."""
        self._closing.set()
        self._closing = threading.Event()

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def on(self, path: str, *replies: Reply) -> str:
        """Answer `path` so, from now on. Its URL."""
        self._replies[path] = itertools.chain(replies[:-1], itertools.repeat(replies[-1]))
        return self.url(path)

    def of(self, path: str, **params: str) -> list[Asked]:
        """What `path` was asked, of those requests that carry `params`."""
        return [a for a in list(self.asked) if a.path == path and params.items() <= dict(a.params).items()]

    def wait(self, path: str, count: int = 1, **params: str) -> list[Asked]:
        """`of`, once there are `count` of them."""

        def enough() -> list[Asked] | None:
            found = self.of(path, **params)
            return found if len(found) >= count else None

        return eventually(enough)

    def one(self, path: str, **params: str) -> Asked:
        """The first request, once it has come."""
        return self.wait(path, 1, **params)[0]

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        target = urlsplit(handler.path)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        body = handler.rfile.read(int(headers.get("content-length", "0")))
        text = body.decode() if handler.command == "POST" else target.query
        self.asked.append(
            Asked(
                method=handler.command,
                path=target.path,
                url=f"http://{headers['host']}{handler.path}",
                headers=headers,
                params=dict(parse_qsl(text, keep_blank_values=True)),
            )
        )
        reply = next(self._replies.get(target.path, iter(())), Reply(status=204, content_type=None))
        handler.close_connection = True
        match reply.behave:
            case "hang":
                self._closing.wait(60)
            case "close":
                pass
            case "garbage":
                handler.wfile.write(b"\x00\xff nonsense \r\n\r\n" * 4)
            case "cut":
                handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 1000\r\n\r\n<Response>")
            case _:
                self._answer(handler, reply)

    def _answer(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        handler.send_response(reply.status)
        if reply.content_type:
            handler.send_header("Content-Type", reply.content_type)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        if reply.status != 204:
            handler.send_header("Content-Length", str(len(reply.body)))
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(reply.body)


def only(found: Iterable[Asked]) -> Asked:
    """The one of `found`."""
    (asked,) = found
    return asked
