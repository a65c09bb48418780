"""The gateway's only HTTP client: every URL that a stranger may have written is called from here.

Each address of a name is checked and the checked one is connected; nothing is followed, retried or kept but the
connection. What went wrong is sorted into the kinds of `HttpFailure`; what to do about it is the caller's.
"""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, AbstractStreamWriter, ResolveResult
from aiohttp.connector import Connection
from yarl import URL

from stopwire.net.ssrf import UnusableUrl, allowed_ip, is_localhost, refusal, target
from stopwire.ports.http import FailureKind, HttpAnswer, HttpFailure, HttpRequest, PrivateTargets

Lookup = Callable[[str], Awaitable[Sequence[str]]]  # a name → its addresses; raises OSError

LOOKUP_THREADS = 16  # a name server that hangs holds one each; the connect timeout frees the caller meanwhile
ADDRESS_SECONDS = 10  # how long checked addresses serve new connections
IDLE_SECONDS = 4.0  # below the 5 s after which many servers hang up: a request must not race with that
DROPPED_HEADERS = ("Content-Type", "User-Agent")  # the caller writes these or they are not sent


class HttpClient:
    """`Http` over aiohttp. One pool of connections for each answer to "may private addresses be called?"."""

    def __init__(self, *, lookup: Lookup | None = None, cafile: str | None = None) -> None:
        self._lookup = lookup or system_lookup()
        self._cafile = cafile
        self._sessions: dict[PrivateTargets, aiohttp.ClientSession] = {}
        self._contexts: dict[tuple[bool, bool], ssl.SSLContext] = {}
        self._closed = False

    async def call(self, request: HttpRequest, *, private: PrivateTargets) -> HttpAnswer:
        """Make one request and follow nothing. Raises `HttpFailure`; an HTTP error status is an answer."""
        watch = _Watch()
        if self._closed:
            raise watch.failure("closed", "The gateway is stopping.")
        if any(sign in part for pair in request.headers.items() for part in pair for sign in "\r\n\0"):
            raise watch.failure("protocol", "A header of the request holds a line break.")
        try:
            url = target(request.url)
        except UnusableUrl as error:
            raise watch.failure("refused_address", str(error)) from None
        if reason := refusal(request.url, private=private):
            raise watch.failure("refused_address", reason)
        _write_by.set(request.write_by)
        with _sorted(watch, url):
            async with asyncio.timeout(request.total_timeout) as watch.deadline:
                return await self._answer(request, url, self._session(private), watch)

    def refusal(self, url: str, *, private: PrivateTargets) -> str | None:
        """Why `url` may not be called, as far as its text tells; None where it may."""
        return refusal(url, private=private)

    async def close(self) -> None:
        """Let go of the connections. Calls under way end as `closed`."""
        self._closed = True
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    async def _answer(
        self, request: HttpRequest, url: URL, session: aiohttp.ClientSession, watch: "_Watch"
    ) -> HttpAnswer:
        response = await session.request(
            request.method,
            url,
            data=request.body,
            headers=request.headers,
            allow_redirects=False,
            skip_auto_headers=DROPPED_HEADERS,
            ssl=self._context(request) if url.scheme == "https" else True,
            timeout=aiohttp.ClientTimeout(
                total=None,  # ours, above, so that its kind is known
                connect=request.connect_timeout,
                sock_read=request.read_timeout,
                ceil_threshold=3600,  # no rounding up to whole seconds
            ),
        )
        watch.answered = True
        try:
            body, truncated = await _read(response, request.bytes_max)
        finally:
            response.close()  # a connection with something left to read is not used again; one read to its end is
        headers: dict[str, str] = {}
        for name, value in response.headers.items():
            name = name.lower()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return HttpAnswer(status=response.status, headers=headers, body=body, ms=watch.ms(), truncated=truncated)

    def _session(self, private: PrivateTargets) -> aiohttp.ClientSession:
        session = self._sessions.get(private)
        if session is None:
            connector = aiohttp.TCPConnector(
                resolver=_CheckedResolver(self._lookup, private),
                socket_factory=_checked_socket(private),
                ttl_dns_cache=ADDRESS_SECONDS,
                keepalive_timeout=IDLE_SECONDS,
                limit=0,  # the callers bound themselves, by endpoint
            )
            session = aiohttp.ClientSession(
                connector=connector,
                request_class=_PunctualRequest,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
            session._retry_connection = False  # aiohttp repeats a GET by itself; whether one is repeated is the caller's
            self._sessions[private] = session
        return session

    def _context(self, request: HttpRequest) -> ssl.SSLContext:
        key = (request.verify_tls, request.sni)
        if key not in self._contexts:
            context = _NamelessContext(ssl.PROTOCOL_TLS_CLIENT) if not request.sni else ssl.create_default_context()
            if not request.sni:
                context.check_hostname = False  # OpenSSL checks only a name it was told to send; `_Nameless` does it
                context.load_default_certs()
            if self._cafile:
                context.load_verify_locations(self._cafile)
            if not request.verify_tls:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            self._contexts[key] = context
        return self._contexts[key]


def system_lookup() -> Lookup:
    """The operating system's resolver, in threads of its own so that a hanging name server holds nobody else."""
    threads = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="lookup")

    async def lookup(name: str) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(threads, lambda: socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))
        return [str(address[0]) for *_, address in found]

    return lookup


_write_by: ContextVar[float] = ContextVar("write_by")  # of the request under way in this task


class _TooLate(aiohttp.ClientError):
    """The time came in which no byte of the request may leave any more."""


class _PunctualRequest(aiohttp.ClientRequest):
    """Compares the clock and writes in one step of the event loop: a process that slept in between writes nothing."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Without a body, headers leave here; with one, they wait and leave together with it in `write_bytes`.

        What took too long was most likely the connection: it is kept, and the next request finds it open.
        """
        if time.monotonic() > _write_by.get():
            conn.release()
            raise _TooLate
        return await super().send(conn)

    async def write_bytes(
        self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
    ) -> None:
        if time.monotonic() > _write_by.get():
            if conn.protocol is not None:
                conn.protocol.set_exception(_TooLate())
            conn.close()
            return
        await super().write_bytes(writer, conn, content_length)


class _RefusedAddress(OSError):
    """An address we do not call. It travels through aiohttp as an OSError does."""


class _CheckedResolver(AbstractResolver):
    """Resolves once and checks *every* address: one that is not allowed spoils the name."""

    def __init__(self, lookup: Lookup, private: PrivateTargets) -> None:
        self._lookup = lookup
        self._private = private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        # RFC 6761 §6.3: loopback names are ours to answer, whatever a name server says.
        found = ["127.0.0.1", "::1"] if is_localhost(host) else await self._lookup(host)
        if not found:
            raise OSError(None, "no address")
        if not all(allowed_ip(ip, self._private) for ip in found):
            # Which address it was is inner detail: a stranger's URL must not map our network.
            raise _RefusedAddress(None, f"{host} leads to an address that is not public")
        return [
            ResolveResult(
                hostname=host,
                host=ip,
                port=port,
                family=socket.AF_INET6 if ":" in ip else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for ip in dict.fromkeys(found)
        ]

    async def close(self) -> None:
        """Nothing to let go of."""


def _checked_socket(private: PrivateTargets) -> Callable[[Any], socket.socket]:
    """The last look, at the very address that is connected: literals in a URL never see a resolver."""

    def make(address: tuple[int, int, int, str, tuple[Any, ...]]) -> socket.socket:
        family, kind, protocol, _, (ip, *_) = address
        if not allowed_ip(str(ip), private):
            raise _RefusedAddress(None, "the address is not public")
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    return make


class _Nameless(ssl.SSLObject):
    """A handshake that sends no server name, and checks the certificate's all the same."""

    expected: str | None = None

    def do_handshake(self) -> None:
        super().do_handshake()
        if self.context.verify_mode is ssl.CERT_NONE or self.expected is None:
            return
        certificate = self.getpeercert() or {}
        alternatives: Any = certificate.get("subjectAltName", ())  # pairs of kind and value
        names = [value.lower() for _, value in alternatives]
        wanted = self.expected.lower()
        wildcard = f"*.{wanted.partition('.')[2]}"
        if wanted not in names and wildcard not in names:
            raise ssl.SSLCertVerificationError(f"Hostname mismatch, certificate is not valid for {self.expected!r}")


class _NamelessContext(ssl.SSLContext):
    sslobject_class = _Nameless

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        made = super().wrap_bio(incoming, outgoing, server_side, None, session)
        if isinstance(made, _Nameless) and isinstance(server_hostname, str):
            made.expected = server_hostname
        return made


class _Watch:
    """One call's clock and progress."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self.answered = False
        self.deadline: asyncio.Timeout | None = None

    def ms(self) -> int:
        return round((self._loop.time() - self._started) * 1000)

    def failure(self, kind: FailureKind, text: str) -> HttpFailure:
        return HttpFailure(kind, text, ms=self.ms(), answered=self.answered)


async def _read(response: aiohttp.ClientResponse, bytes_max: int) -> tuple[bytes, bool]:
    """The body up to `bytes_max`, and whether there was more. aiohttp decompresses piece by piece, as we read."""
    body = bytearray()
    while piece := await response.content.readany():
        body += piece
        if len(body) > bytes_max:
            return bytes(body[:bytes_max]), True
    return bytes(body), False


@contextlib.contextmanager
def _sorted(watch: _Watch, url: URL) -> Iterator[None]:
    """Turn what aiohttp raises into an `HttpFailure`. Order matters: its classes inherit from each other."""
    host = url.host
    try:
        yield
    except _TooLate as error:
        raise watch.failure("late", f"The request to {host} was not written in time, and was not sent.") from error
    except aiohttp.ConnectionTimeoutError as error:
        raise watch.failure("connect_timeout", f"{host} did not accept a connection in time.") from error
    except aiohttp.ServerTimeoutError as error:
        raise watch.failure("read_timeout", f"{host} stayed silent for too long.") from error
    except TimeoutError as error:
        if watch.deadline is not None and watch.deadline.expired():
            raise watch.failure("total_timeout", f"{host} did not finish its answer in time.") from error
        raise watch.failure("read_timeout", f"{host} stayed silent for too long.") from error
    except aiohttp.ClientConnectorCertificateError as error:
        cause = getattr(error.certificate_error, "verify_message", "") or str(error.certificate_error)
        raise watch.failure("tls", f"The certificate of {host} does not hold: {cause}.") from error
    except aiohttp.ClientSSLError as error:
        cause = getattr(error.os_error, "reason", None) or "no reason given"
        raise watch.failure("tls", f"No TLS handshake with {host}: {cause}.") from error
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, _RefusedAddress):
            raise watch.failure("refused_address", f"{error.os_error.strerror}.") from error
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            raise watch.failure("dns", f"The name {host} has no address.") from error
        cause = (error.os_error.strerror or "no reason given").lower()
        raise watch.failure("connect", f"No connection to {host}: {cause}.") from error
    except (aiohttp.ClientConnectionError, ConnectionError) as error:
        # Some bytes of a status line or header came before the end: aiohttp hands them over as the message.
        watch.answered |= not isinstance(getattr(error, "message", ""), str)
        raise watch.failure("closed", f"{host} closed the connection before its answer was complete.") from error
    except aiohttp.ClientPayloadError as error:
        if isinstance(error.__cause__, aiohttp.http_exceptions.ContentEncodingError):
            raise watch.failure("protocol", f"The answer of {host} cannot be decompressed.") from error
        raise watch.failure("closed", f"{host} closed the connection before its answer was complete.") from error
    except (aiohttp.ClientResponseError, aiohttp.InvalidURL) as error:
        watch.answered |= isinstance(error, aiohttp.ClientResponseError)
        raise watch.failure("protocol", f"What {host} answered is not HTTP.") from error
