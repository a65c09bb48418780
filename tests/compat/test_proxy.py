"""The proxy of `stopwire exec`: what reaches the gateway, what passes untouched, what is refused; and what a program is given."""

import ast
import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from stopwire.compat import proxy
from stopwire.compat.proxy import Authority, Proxy, bundle, environment

NOW = datetime.now(UTC)  # TLS itself asks the clock


class Server:
    """A plain HTTP server that remembers heads and bodies, and answers what was asked of it."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.port = 0

    async def start(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length")), 0)
        self.heard.append(head + (await reader.readexactly(length)).decode())
        body = b"x" * 300_000
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()


class Town:
    """A gateway, another server, the proxy before both, and a client that goes by it and trusts its authority."""

    def __init__(self) -> None:
        self.gateway, self.other, self.notes = Server(), Server(), list[str]()
        self.authority = Authority(now=NOW)
        self.port = 0

    async def start(self, gateway: str = "") -> None:
        await self.gateway.start()
        await self.other.start()
        self.proxy = Proxy(gateway or f"http://127.0.0.1:{self.gateway.port}", self.authority, self.notes.append)
        self.port = await self.proxy.start()
        trusting = ssl.create_default_context(cadata=self.authority.pem.decode())
        self.client = httpx.AsyncClient(proxy=f"http://127.0.0.1:{self.port}", verify=trusting, trust_env=False)

    async def stop(self) -> None:
        await self.client.aclose()
        await self.proxy.stop()


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    made = Town()
    await made.start()
    yield made
    await made.stop()


async def test_a_program_that_does_not_trust_us_is_spoken_of(town: Town) -> None:
    async with httpx.AsyncClient(proxy=f"http://127.0.0.1:{town.port}", verify=ssl.create_default_context(), trust_env=False) as wary:
        with pytest.raises(httpx.ConnectError):
            await wary.get("https://api.twilio.com/")
    async with asyncio.timeout(5):
        while not town.notes:
            await asyncio.sleep(0.01)
    assert "broke off TLS with api.twilio.com. Does it trust the certificates that SSL_CERT_FILE names?" in town.notes[0]


@pytest.mark.parametrize("url", [f"https://{host}/2010-04-01/x?a=1" for host in proxy.HOSTS])
async def test_twilios_hosts_are_answered_by_the_gateway(town: Town, url: str) -> None:
    answer = await town.client.post(url, data={"Body": "é" * 1000}, headers={"Authorization": "Basic eA=="})
    assert (200, 300_000) == (answer.status_code, len(answer.content))
    (heard,) = town.gateway.heard
    head = heard.lower()
    assert heard.startswith("POST /2010-04-01/x?a=1 HTTP/1.1\r\n")
    told = (f"host: {url.split('/')[2]}", "authorization: basic ea==", "connection: close", "x-forwarded-proto: https")
    assert [True] * 4 == [line in head for line in told]
    assert heard.endswith("Body=" + "%C3%A9" * 1000)


async def test_a_link_without_tls_reaches_the_gateway_too(town: Town) -> None:
    assert 200 == (await town.client.get("http://messaging.twilio.com/v1/Services?Page=1")).status_code
    assert town.gateway.heard[0].startswith("GET /v1/Services?Page=1 HTTP/1.1\r\n")


async def test_other_servers_are_asked_as_ever(town: Town) -> None:
    assert 200 == (await town.client.get(f"http://127.0.0.1:{town.other.port}")).status_code
    assert town.other.heard[0].startswith("GET / HTTP/1.1\r\n")
    reader, writer = await asyncio.open_connection("127.0.0.1", town.port)
    writer.write(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n" % town.other.port)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    writer.write(b"GET /through HTTP/1.1\r\nHost: whoever\r\n\r\n")
    assert len(await reader.read(-1)) > 300_000
    assert town.other.heard[1] == "GET /through HTTP/1.1\r\nHost: whoever\r\n\r\n"
    writer.close()
    assert ([], []) == (town.gateway.heard, town.notes)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_other_products_of_twilios_are_refused_and_it_is_said(town: Town, scheme: str) -> None:
    if scheme == "https":
        with pytest.raises(httpx.ProxyError, match="403"):
            await town.client.get("https://verify.twilio.com/v2/Services")
    else:
        answer = await town.client.get("http://verify.twilio.com/v2/Services")
        assert (403, {"code", "message", "more_info", "status"}) == (answer.status_code, set(answer.json()))
    assert ["verify.twilio.com was not asked"] == [note.partition(":")[0] for note in town.notes]


async def test_a_gateway_that_is_gone_is_told_in_twilios_shape() -> None:
    town = Town()
    await town.start("http://127.0.0.1:9")
    answer = await town.client.get("https://api.twilio.com/x")
    assert (503, 20503) == (answer.status_code, answer.json()["code"])
    assert "Is it still running?" in town.notes[0]
    await town.stop()


ODD = [b"\x16\x03\x01", b"GET /\r\n\r\n", b"GET ftp://x/ HTTP/1.1\r\n\r\n", b"x" * 100_000, b"CONNECT a:b HTTP/1.1\r\n\r\n"]


@pytest.mark.parametrize("said", ODD)
async def test_what_is_no_request_ends_the_connection_and_nothing_else(town: Town, said: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", town.port)
    writer.write(said)
    writer.write_eof()
    await reader.read(-1)
    writer.close()
    assert 200 == (await town.client.get("https://api.twilio.com/x")).status_code


GIVEN: dict[str, str] = {"PATH": "/bin", "TWILIO_REGION": "au1", "TWILIO_EDGE": "sydney", "TWILIO_ACCOUNT_SID": "theirs", "NO_PROXY": "db.internal,*"}


def test_a_program_is_given_the_account_the_proxy_and_whom_to_trust() -> None:
    made = environment(GIVEN, port=7, trusted=Path("/ca.pem"), account_sid="AC1", auth_token="t")
    assert ("/bin", "AC1", "t") == tuple(made[name] for name in ("PATH", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"))
    assert not {"TWILIO_REGION", "TWILIO_EDGE"} & made.keys()
    assert {"http://127.0.0.1:7"} == {made[name] for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")}
    assert {"/ca.pem"} == {made[name] for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")}
    assert "localhost,127.0.0.1,::1,db.internal" == made["NO_PROXY"] == made["no_proxy"]


def test_what_was_trusted_before_is_trusted_still(tmp_path: Path) -> None:
    authority, own = Authority(now=NOW), tmp_path / "own.pem"
    own.write_bytes(b"of the house")
    assert b"of the house\n" + authority.pem == bundle(authority, {"SSL_CERT_FILE": str(own)})
    usual = bundle(authority, {"SSL_CERT_FILE": "/nowhere"})
    assert (True, True) == (usual.count(b"BEGIN CERTIFICATE") > 10, usual.endswith(authority.pem))


def test_an_authority_is_of_one_run() -> None:
    assert Authority(now=NOW).pem != Authority(now=NOW).pem


def test_it_imports_nothing_of_stopwire() -> None:
    tree: Any = ast.parse(Path(proxy.__file__).read_text())
    named = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [module for module in named if module.startswith("stopwire")]
