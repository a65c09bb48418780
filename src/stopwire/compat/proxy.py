"""A proxy on this machine that leads Twilio's host names to a gateway, for programs that are not to be changed.

It ends TLS for those names with certificates of an authority that lives as long as the proxy does; everything else it lets
through untouched. It imports nothing of Stopwire. Nothing that passes is kept or logged.
"""

import asyncio
import contextlib
import datetime
import json
import logging
import os
import signal
import ssl
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

log = logging.getLogger(__name__)
HOSTS = ("api.twilio.com", "messaging.twilio.com", "accounts.twilio.com", "lookups.twilio.com")  # what a gateway answers for
DOMAIN = ".twilio.com"
HERE = "localhost,127.0.0.1,::1"
VALID_FOR = datetime.timedelta(days=365)  # a program may run long; the key is gone when it ends
HEAD_BYTES_MAX = 65_536
CHUNK_BYTES = 65_536
CONNECT_SECONDS = 20.0
OVER_TLS = b"X-Forwarded-Proto: https"  # so that links in answers lead back here
OF_THE_HOP = (b"connection", b"proxy-connection", b"proxy-authorization", b"keep-alive")
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")


class Authority:
    """A certificate authority for one run. Its key never leaves the process; `pem` is what has to be trusted."""

    def __init__(self, *, now: datetime.datetime) -> None:
        self._now = now
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Stopwire exec, this run only")])
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        self._certificate = (
            _certificate(name, name, self._key.public_key(), now)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = self._certificate.public_bytes(serialization.Encoding.PEM)

    def context(self) -> ssl.SSLContext:
        """What a server presents that is taken for Twilio's hosts."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOSTS[0])])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            _certificate(name, self._certificate.subject, key.public_key(), self._now)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        with tempfile.TemporaryDirectory() as folder:  # the ssl module reads files only; this one is nobody else's
            path = Path(folder, "host.pem")
            path.touch(mode=0o600)
            secret = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
            context.load_cert_chain(path)
        return context


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + VALID_FOR)
    )


class Proxy:
    """Listens on loopback. `note` is told in a sentence what was not let through."""

    def __init__(self, gateway: str, authority: Authority, note: Callable[[str], None]) -> None:
        address = urlsplit(gateway)
        self._secure = address.scheme == "https"
        self._gateway = (address.hostname or "127.0.0.1", address.port or (443 if self._secure else 80))
        self._context, self._note = authority.context(), note
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Answers the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD_BYTES_MAX)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        except (asyncio.LimitOverrunError, ValueError):
            self._note("A program sent this proxy what is no HTTP request.")
        except (OSError, asyncio.IncompleteReadError) as fault:
            log.debug("one side is gone, and the other is let go of: %s", fault)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        if method == "CONNECT":
            await self._tunnel(target, reader, writer)
            return
        address = urlsplit(target)
        host = (address.hostname or "").lower()
        if host in HOSTS:
            await self._to_gateway(_origin_form(head), reader, writer)
        elif _is_twilio(host):
            writer.write(self._refusal(host))
        elif address.scheme == "http" and host:
            await self._pass_on((host, address.port or 80), _origin_form(head), reader, writer)
        else:
            writer.write(_said(400, "This is a proxy: ask it for an http:// address, or CONNECT."))

    async def _tunnel(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = target.rpartition(":")
        host = host.strip("[]").lower()
        if host in HOSTS:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            try:
                await writer.start_tls(self._context)
            except OSError:  # ssl.SSLError is one
                self._note(f"The program broke off TLS with {host}. Does it trust the certificates that {_CA_VARIABLES[1]} names?")
                return
            await self._to_gateway(_closing(await reader.readuntil(b"\r\n\r\n"), OVER_TLS), reader, writer)
        elif _is_twilio(host):
            writer.write(self._refusal(host))
        else:
            await self._pass_on((host, int(port)), b"", reader, writer)

    def _refusal(self, host: str) -> bytes:
        says = f"{host} was not asked: a gateway has no such product, and nothing goes to Twilio itself from here."
        self._note(says)
        return _said(403, says)

    async def _to_gateway(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                there, towards = await asyncio.open_connection(*self._gateway, ssl=self._secure or None)
        except (OSError, TimeoutError):
            says = "The gateway does not answer. Is it still running?"
            self._note(says)
            writer.write(_said(503, says))
            return
        towards.write(head)
        await _join(reader, writer, there, towards)

    async def _pass_on(
        self, address: tuple[str, int], head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                there, towards = await asyncio.open_connection(*address)
        except (OSError, TimeoutError):
            writer.write(_said(502, f"{address[0]} does not answer."))
            return
        if head:
            towards.write(head)
        else:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await _join(reader, writer, there, towards)


async def _join(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, there: asyncio.StreamReader, towards: asyncio.StreamWriter
) -> None:
    """Carry octets both ways until the far side has said everything."""
    out = asyncio.create_task(_pump(reader, towards))
    try:
        await _pump(there, writer)
    finally:
        out.cancel()
        await asyncio.gather(out, return_exceptions=True)
        towards.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while chunk := await source.read(CHUNK_BYTES):
        sink.write(chunk)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()


def _is_twilio(host: str) -> bool:
    return f".{host}".endswith(DOMAIN)


def _origin_form(head: bytes) -> bytes:
    """A request for a proxy as the server itself wants it."""
    line, rest = head.split(b"\r\n", 1)
    method, target, version = line.split(b" ", 2)
    address = urlsplit(target)
    path = (address.path or b"/") + (b"?" + address.query if address.query else b"")
    return _closing(b" ".join((method, path, version)) + b"\r\n" + rest)


def _closing(head: bytes, *more: bytes) -> bytes:
    """One request a connection: so nothing but its head has to be understood."""
    line, *headers = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    kept = [header for header in headers if header.partition(b":")[0].strip().lower() not in OF_THE_HOP]
    return b"\r\n".join((line, *kept, *more, b"Connection: close", b"", b""))


def _said(status: int, says: str) -> bytes:
    """An answer of our own, in the shape that Twilio's clients read."""
    body = json.dumps({"code": 20404 if status == 403 else 20503, "message": says, "more_info": "", "status": status}).encode()
    head = f"HTTP/1.1 {status} Stopwire\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


def bundle(authority: Authority, environ: Mapping[str, str]) -> bytes:
    """Certificates to trust: those that the program would trust without us, and the authority's."""
    named = (environ[name] for name in _CA_VARIABLES if Path(environ.get(name, "")).is_file())
    try:
        import certifi

        usual: str | None = certifi.where()
    except ImportError:
        usual = ssl.get_default_verify_paths().cafile
    path = next(named, usual)
    known = Path(path).read_bytes() if path else b""
    return known.rstrip() + b"\n" + authority.pem


def environment(environ: Mapping[str, str], *, port: int, trusted: Path, account_sid: str, auth_token: str) -> dict[str, str]:
    """The environment of a program that is to speak to the gateway without knowing it."""
    bent = ("TWILIO_REGION", "TWILIO_EDGE")  # they put labels into the host names, which lead elsewhere then
    kept = {name: value for name, value in environ.items() if name not in bent}
    proxy = f"http://127.0.0.1:{port}"
    direct = ",".join(filter(None, (HERE, environ.get("NO_PROXY") or environ.get("no_proxy")))).replace(",*", "")
    proxies = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), proxy)
    trust = dict.fromkeys((*_CA_VARIABLES, "NODE_EXTRA_CA_CERTS"), str(trusted))
    mine = {"TWILIO_ACCOUNT_SID": account_sid, "TWILIO_AUTH_TOKEN": auth_token, "NO_PROXY": direct, "no_proxy": direct}
    return {**kept, **proxies, **trust, **mine}


async def run(
    command: list[str],
    *,
    gateway: str,
    account_sid: str,
    auth_token: str,
    note: Callable[[str], None],
    now: datetime.datetime,
    environ: Mapping[str, str] = os.environ,
) -> int:
    """Run a program whose calls to Twilio reach the gateway; its exit code, 128 and more where a signal ended it.

    OSError where it cannot be started.
    """
    authority = Authority(now=now)
    proxy = Proxy(gateway, authority, note)
    port = await proxy.start()
    with tempfile.TemporaryDirectory(prefix="stopwire-exec-") as folder:
        trusted = Path(folder, "ca.pem")
        trusted.write_bytes(bundle(authority, environ))
        given = environment(environ, port=port, trusted=trusted, account_sid=account_sid, auth_token=auth_token)
        told_to_end = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, lambda: None)  # the terminal tells the program too: it decides
        loop.add_signal_handler(signal.SIGTERM, told_to_end.set)
        try:
            process = await asyncio.create_subprocess_exec(*command, env=given)
            passing_on = asyncio.create_task(_terminate(process, told_to_end))
            code = await process.wait()
            passing_on.cancel()
        finally:
            await proxy.stop()
    return code if code >= 0 else 128 - code


async def _terminate(process: asyncio.subprocess.Process, told_to_end: asyncio.Event) -> None:
    await told_to_end.wait()
    process.terminate()
