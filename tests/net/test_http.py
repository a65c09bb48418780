"""The HTTP client against real servers: good ones, slow ones, broken ones."""

import asyncio
import datetime
import gzip
import socket
import ssl
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from stopwire.net.http import HttpClient
from stopwire.ports.http import Http, HttpAnswer, HttpFailure, HttpRequest, PrivateTargets

LOOPBACK = PrivateTargets.LOOPBACK
NONE = PrivateTargets.NONE

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    client = HttpClient()
    yield client
    await client.close()


@pytest.fixture
async def never() -> AsyncIterator[asyncio.Event]:
    """What a server that hangs is waiting for, until the test is over."""
    event = asyncio.Event()
    yield event
    event.set()


@asynccontextmanager
async def site(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@asynccontextmanager
async def wire(talk: Talk, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that says exactly what a test wants it to say, bytes and all."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()


def says(*pieces: bytes, then: asyncio.Event | None = None) -> Talk:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if then is not None:
            await then.wait()

    return talk


async def get(client: Http, url: str, *, private: PrivateTargets = LOOPBACK, **more: object) -> HttpAnswer:
    return await client.call(HttpRequest(method="GET", url=url, **more), private=private)  # type: ignore[arg-type]


async def failure(client: Http, url: str, *, private: PrivateTargets = LOOPBACK, **more: object) -> HttpFailure:
    with pytest.raises(HttpFailure) as caught:
        await get(client, url, private=private, **more)
    assert caught.value.text.endswith(".")
    return caught.value


async def test_a_request_arrives_as_it_was_given(client: HttpClient) -> None:
    seen = {}

    async def handler(request: web.Request) -> web.Response:
        seen.update(path=request.raw_path, method=request.method, headers=dict(request.headers), body=await request.read())
        return web.Response(status=201, text="made", headers={"X-Answer": "yes"})

    async with site(handler) as url:
        request = HttpRequest(
            method="POST",
            url=f"{url.replace('//', '//me:it%40@')}/a%7Eb/%2F?x=%c3%bc#rc=2",
            headers={"User-Agent": "Stopwire/1", "Content-Type": "application/x-www-form-urlencoded"},
            body=b"Body=STOP",
        )
        answer = await client.call(request, private=LOOPBACK)
    assert (201, b"made", "yes", False) == (answer.status, answer.body, answer.headers["x-answer"], answer.truncated)
    assert answer.ms >= 0
    assert ("/a%7Eb/%2F?x=%c3%bc", "POST", b"Body=STOP") == (seen["path"], seen["method"], seen["body"])
    assert {
        "Host": url.removeprefix("http://"),
        "User-Agent": "Stopwire/1",
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": "9",
        "Accept": "*/*",
        "Accept-Encoding": seen["headers"]["Accept-Encoding"],
        "Authorization": "Basic bWU6aXRA",
    } == seen["headers"]


async def test_a_redirect_is_an_answer_and_cookies_are_forgotten(client: HttpClient) -> None:
    cookies = []

    async def handler(request: web.Request) -> web.Response:
        cookies.append(request.headers.get("Cookie"))
        return web.Response(status=302, headers={"Location": "http://169.254.169.254/", "Set-Cookie": "a=b"})

    async with site(handler) as url:
        for _ in range(2):
            answer = await get(client, url)
    assert (302, "http://169.254.169.254/") == (answer.status, answer.headers["location"])
    assert [None, None] == cookies


@pytest.mark.parametrize("status", [204, 304, 404, 500])
async def test_every_status_is_an_answer(client: HttpClient, status: int) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status)

    async with site(handler) as url:
        assert status == (await get(client, url)).status


async def test_repeated_headers_are_joined(client: HttpClient) -> None:
    async with wire(says(b"HTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\nContent-Length: 0\r\n\r\n")) as port:
        assert "1, 2" == (await get(client, f"http://127.0.0.1:{port}/")).headers["a"]


async def test_a_connection_is_used_again(client: HttpClient) -> None:
    peers = set()

    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response(text="x")

    async with site(handler) as url:
        for _ in range(3):
            await get(client, url)
    assert 1 == len(peers)


@pytest.mark.parametrize(("size", "truncated"), [(0, False), (10, False), (11, True), (3_000_000, True)])
async def test_a_body_is_read_up_to_its_limit(client: HttpClient, size: int, truncated: bool) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * size)

    async with site(handler) as url:
        answer = await get(client, url, bytes_max=10)
    assert (b"x" * min(size, 10), truncated) == (answer.body, answer.truncated)


async def test_an_endless_body_is_cut_at_its_limit(client: HttpClient) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 1000)

    async with site(handler) as url:
        answer = await get(client, url)
    assert (65_536, True) == (len(answer.body), answer.truncated)


async def test_a_compressed_body_is_opened(client: HttpClient) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b"<Response/>"), headers={"Content-Encoding": "gzip"})

    async with site(handler) as url:
        assert b"<Response/>" == (await get(client, url)).body


async def test_a_zip_bomb_costs_no_more_memory_than_its_limit(client: HttpClient) -> None:
    bomb = gzip.compress(bytes(200_000_000), compresslevel=9)

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async with site(handler) as url:
        tracemalloc.start()
        answer = await get(client, url)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert (65_536, True) == (len(answer.body), answer.truncated)
    assert peak < 10_000_000


@dataclass(frozen=True)
class Bad:
    """A server's bytes and what they are called; `held` keeps the connection open after them."""

    said: bytes
    kind: str
    answered: bool
    held: bool = False


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(Bad(b"", "closed", False), id="says nothing and hangs up"),
        pytest.param(Bad(b"", "read_timeout", False, held=True), id="says nothing"),
        pytest.param(Bad(b"SSH-2.0-OpenSSH_9.6\r\n", "protocol", True, held=True), id="another protocol"),
        pytest.param(Bad(b"\x00\xff" * 50, "protocol", True), id="garbage"),
        pytest.param(Bad(b"HTTP/1.1 abc\r\n\r\n", "protocol", True), id="a status that is no number"),
        pytest.param(Bad(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000, "protocol", True, held=True), id="an endless header"),
        pytest.param(Bad(HEAD[:30], "closed", True), id="hangs up within the headers"),
        pytest.param(Bad(HEAD + b"abc", "closed", True), id="hangs up within the body"),
        pytest.param(Bad(HEAD + b"abc", "read_timeout", True, held=True), id="falls silent within the body"),
        pytest.param(
            Bad(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "closed", True), id="hangs up within a chunk"
        ),
        pytest.param(
            Bad(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd", "protocol", True),
            id="not what gzip makes",
        ),
    ],
)
async def test_a_bad_answer_has_its_kind(client: HttpClient, never: asyncio.Event, bad: Bad) -> None:
    async with wire(says(bad.said, then=never if bad.held else None)) as port:
        failed = await failure(client, f"http://127.0.0.1:{port}/", read_timeout=0.15)
    assert (bad.kind, bad.answered) == (failed.kind, failed.answered)


async def test_a_body_that_drips_meets_the_total_timeout(client: HttpClient) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        for _ in range(100):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)  # the server's slowness is what is tested

    async with wire(talk) as port:
        failed = await failure(client, f"http://127.0.0.1:{port}/", total_timeout=0.2)
    assert ("total_timeout", True) == (failed.kind, failed.answered)
    assert 150 < failed.ms < 1500


async def test_a_port_nobody_listens_on_is_a_connect_failure(client: HttpClient) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        failed = await failure(client, f"http://127.0.0.1:{held.getsockname()[1]}/")
    assert ("connect", False) == (failed.kind, failed.answered)


async def test_a_name_server_that_hangs_is_a_connect_timeout(never: asyncio.Event) -> None:
    async def lookup(_: str) -> Sequence[str]:
        await never.wait()
        return ()

    client = HttpClient(lookup=lookup)
    failed = await failure(client, "http://hook.example.com/", connect_timeout=0.1)
    assert ("connect_timeout", False) == (failed.kind, failed.answered)
    never.set()
    await client.close()


async def test_a_name_without_address_is_a_dns_failure() -> None:
    async def lookup(_: str) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    client = HttpClient(lookup=lookup)
    failed = await failure(client, "http://hook.example.com/")
    assert ("dns", "The name hook.example.com has no address.") == (failed.kind, failed.text)
    await client.close()


@pytest.mark.parametrize(
    "found",
    [["127.0.0.1"], ["8.8.8.8", "10.0.0.5"], ["::ffff:127.0.0.1"], ["169.254.169.254"], ["fe80::1%2"], ["::1", "8.8.8.8"]],
    ids=" ".join,
)
async def test_one_private_address_spoils_a_name_and_is_not_told(found: list[str]) -> None:
    async def lookup(_: str) -> Sequence[str]:
        return found

    client = HttpClient(lookup=lookup)
    failed = await failure(client, "http://hook.example.com/", private=NONE)
    assert ("refused_address", False) == (failed.kind, failed.answered)
    assert "hook.example.com leads to an address that is not public." == failed.text
    await client.close()


async def test_a_name_that_changes_its_address_is_checked_again() -> None:
    """Rebinding: the name is public when it is set and loopback when it is called."""
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    asked = []

    async def lookup(name: str) -> Sequence[str]:
        asked.append(name)
        return next(answers)

    client = HttpClient(lookup=lookup)
    assert ["8.8.8.8"] == await lookup("hook.example.com")  # whoever looked first saw a public address
    failed = await failure(client, "http://hook.example.com/", private=NONE)
    assert ("refused_address", 2) == (failed.kind, len(asked))
    await client.close()


async def test_the_checked_address_is_the_one_connected_with_the_original_host() -> None:
    hosts = []

    async def handler(request: web.Request) -> web.Response:
        hosts.append(request.headers["Host"])
        return web.Response()

    async def lookup(_: str) -> Sequence[str]:
        return ["127.0.0.1"]

    client = HttpClient(lookup=lookup)
    async with site(handler) as url:
        port = url.rpartition(":")[2]
        await get(client, f"http://hook.example.com:{port}/", private=PrivateTargets.ALL)
        refused = await failure(client, f"http://hook.example.com:{port}/", private=NONE)
    # The pool of one policy never serves another.
    assert ([f"hook.example.com:{port}"], "refused_address") == (hosts, refused.kind)
    await client.close()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://[::1]:9/", "http://localhost:9/", "http://2130706433/", "ftp://a.b/"])
async def test_a_refused_url_is_never_connected(client: HttpClient, url: str) -> None:
    failed = await failure(client, url, private=NONE)
    assert ("refused_address", False) == (failed.kind, failed.answered)


async def test_localhost_is_loopback_whatever_a_name_server_says() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(text="home")

    async def lookup(_: str) -> Sequence[str]:
        raise AssertionError("asked")

    client = HttpClient(lookup=lookup)
    async with site(handler) as url:
        assert b"home" == (await get(client, url.replace("127.0.0.1", "app.localhost"))).body
    await client.close()


async def test_a_header_cannot_bring_another(client: HttpClient) -> None:
    failed = await failure(client, "http://127.0.0.1:9/", headers={"X-A": "b\r\nX-C: d"})
    assert "protocol" == failed.kind


async def test_the_environments_proxy_is_not_used(client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")

    async def handler(_: web.Request) -> web.Response:
        return web.Response(text="direct")

    async with site(handler) as url:
        assert b"direct" == (await get(client, url)).body


async def test_a_call_under_way_ends_as_closed_when_the_client_closes(client: HttpClient, never: asyncio.Event) -> None:
    arrived = asyncio.Event()

    async def talk(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        arrived.set()
        await never.wait()

    async with wire(talk) as port:
        calling = asyncio.create_task(failure(client, f"http://127.0.0.1:{port}/"))
        await arrived.wait()
        await client.close()
        assert "closed" == (await calling).kind
        assert "closed" == (await failure(client, f"http://127.0.0.1:{port}/")).kind


@dataclass(frozen=True)
class Authority:
    """A certificate for localhost, and the file that makes a client trust it."""

    server: ssl.SSLContext
    cafile: str


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder: Path = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.DNSName("*.app.localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert_file, key_file)
    return Authority(server, str(cert_file))


@pytest.mark.parametrize(
    ("host", "trusted", "verify", "sni", "expected"),
    [
        pytest.param("localhost", True, True, True, "sees localhost", id="a certificate that holds"),
        pytest.param("a.app.localhost", True, True, True, "sees a.app.localhost", id="a wildcard"),
        pytest.param("localhost", False, True, True, "tls", id="a certificate nobody vouches for"),
        pytest.param("b.localhost", True, True, True, "tls", id="a certificate of another name"),
        pytest.param("127.0.0.1", True, True, True, "tls", id="a certificate without this address"),
        pytest.param("b.localhost", False, False, True, "sees b.localhost", id="not verified"),
        pytest.param("localhost", True, True, False, "sees None", id="no SNI"),
        pytest.param("a.app.localhost", True, True, False, "sees None", id="no SNI, a wildcard"),
        pytest.param("b.localhost", True, True, False, "tls", id="no SNI, another name"),
        pytest.param("localhost", False, True, False, "tls", id="no SNI, nobody vouches"),
        pytest.param("b.localhost", False, False, False, "sees None", id="no SNI, not verified"),
    ],
)
async def test_certificates_are_checked(
    authority: Authority, host: str, trusted: bool, verify: bool, sni: bool, expected: str
) -> None:
    named: list[str | None] = []
    authority.server.sni_callback = lambda _, name, __: named.append(name)
    client = HttpClient(cafile=authority.cafile if trusted else None)
    talk = says(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    async with wire(talk, authority.server) as port:
        try:
            await get(client, f"https://{host}:{port}/", verify_tls=verify, sni=sni)
            outcome = f"sees {named[-1]}"
        except HttpFailure as failed:
            outcome = failed.kind
    assert expected == outcome
    await client.close()


async def test_a_server_without_tls_is_a_tls_failure(client: HttpClient) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response()

    async with site(handler) as url:
        assert "tls" == (await failure(client, url.replace("http:", "https:"))).kind


async def test_a_handshake_that_hangs_is_a_connect_timeout(client: HttpClient) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        failed = await failure(client, f"https://127.0.0.1:{deaf.getsockname()[1]}/", connect_timeout=0.1)
    assert ("connect_timeout", False) == (failed.kind, failed.answered)




@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", b"a text")], ids=["without a body", "with a body"])
async def test_no_byte_of_a_request_leaves_after_its_time(client: HttpClient, method: str, body: bytes | None) -> None:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    with pytest.raises(HttpFailure) as failed:
        await client.call(HttpRequest(method=method, url=url, body=body, write_by=time.monotonic() - 0.001), private=LOOPBACK)
    server.close()
    await server.wait_closed()
    assert ("late", False) == (failed.value.kind, failed.value.answered)
    assert b"" == b"".join(heard)


async def test_a_connection_that_took_too_long_serves_the_next_request(client: HttpClient) -> None:
    peers: set[str] = set()

    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(str(request.transport.get_extra_info("peername")))
        return web.Response()

    async with site(handler) as base:
        late = HttpRequest(method="POST", url=base, body=b"a text", write_by=time.monotonic() - 0.001)
        with pytest.raises(HttpFailure) as failed:
            await client.call(late, private=LOOPBACK)
        kept = {str(c.getsockname()) for c in _open_sockets(client)}
        await client.call(HttpRequest(method="POST", url=base, body=b"a text"), private=LOOPBACK)
    assert "late" == failed.value.kind
    assert kept == peers


def _open_sockets(client: HttpClient) -> list[socket.socket]:
    """The idle connections of the client's pool."""
    connector = client._sessions[LOOPBACK].connector
    assert connector is not None
    return [pair[0].transport.get_extra_info("socket") for waiting in connector._conns.values() for pair in waiting]  # type: ignore[union-attr]


async def test_a_process_that_sleeps_before_the_body_is_written_writes_nothing(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The headers wait for the body, and the clock is looked at in the step that writes both."""
    heard: list[bytes] = []
    ticks = iter([0.0])  # the first look is in time, every later one is not
    clock = SimpleNamespace(monotonic=lambda: next(ticks, 10.0))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    monkeypatch.setattr("stopwire.net.http.time", clock)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    with pytest.raises(HttpFailure) as failed:
        await client.call(HttpRequest(method="POST", url=url, body=b"a text", write_by=1.0), private=LOOPBACK)
    server.close()
    await server.wait_closed()
    assert "late" == failed.value.kind
    assert b"" == b"".join(heard)
