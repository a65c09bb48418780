"""Signatures of webhooks: Twilio's `X-Twilio-Signature`, made and checked, and the Standard Webhooks headers.

Keys and times are arguments; where a key comes from and whether a timestamp is fresh is decided by callers.
Sources: twilio.com/docs/usage/webhooks/webhooks-security; the Standard Webhooks specification.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final, Literal
from urllib.parse import parse_qs, urlsplit, urlunsplit

Algorithm = Literal["HMAC_SHA1", "HMAC_SHA256"]
Params = Mapping[str, str | Sequence[str]]

SIGNATURE_HEADER: Final = "X-Twilio-Signature"
SETTINGS_HEADER: Final = "X-Twilio-Webhooks-Signature-Settings"
STANDARD_SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the form of a secret, not one

_DIGESTS: Final = {"HMAC_SHA1": hashlib.sha1, "HMAC_SHA256": hashlib.sha256}
_PORTS: Final = {"http": 80, "https": 443}


def twilio_signature(token: str, url: str, params: Params | None = None, *, algorithm: Algorithm = "HMAC_SHA1") -> str:
    """The `X-Twilio-Signature` of a request to `url`.

    `params` are the decoded form parameters of a POST; None for GET and JSON, where the URL says it all.
    """
    message = url.partition("#")[0] + _joined(params or {})
    digest = hmac.new(token.encode(), message.encode("utf-8", "surrogatepass"), _DIGESTS[algorithm]).digest()
    return base64.b64encode(digest).decode()


def body_sha256(body: bytes) -> str:
    """The value of `bodySHA256` for a JSON body: lower-case hexadecimal SHA-256 of the bytes as sent."""
    return hashlib.sha256(body).hexdigest()


def with_body_sha256(url: str, body: bytes) -> str:
    """`url` with `bodySHA256` appended to its query, as it is requested and signed when the body is JSON."""
    address, hash_sign, fragment = url.partition("#")
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}bodySHA256={body_sha256(body)}{hash_sign}{fragment}"


def valid(
    token: str,
    url: str,
    params: Params | None,
    signature: str,
    *,
    body: bytes | None = None,
    algorithm: Algorithm = "HMAC_SHA1",
) -> bool:
    """Whether `signature` is that of the request. Never raises; compares in constant time.

    The standard port may stand in the URL or not, since proxies add and drop it. With `body` (JSON) the URL
    must carry the hash of exactly these bytes.
    """
    try:
        given = signature.encode("ascii")
        urls = _port_spellings(url)
        hashes = None if body is None else parse_qs(urlsplit(url).query).get("bodySHA256", [])
    except ValueError:
        return False
    if body is not None and hashes != [body_sha256(body)]:
        return False
    right = [twilio_signature(token, spelling, params, algorithm=algorithm).encode() for spelling in urls]
    return any(hmac.compare_digest(given, one) for one in right)


def standard_headers(secrets: str | Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The Standard Webhooks headers; `timestamp` in Unix seconds. Several secrets while one is being replaced.

    ValueError when a secret is not `whsec_` and base64.
    """
    keys = [secrets] if isinstance(secrets, str) else secrets
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{_standard_signature(key, signed)}" for key in keys),
    }


def _joined(params: Params) -> str:
    pieces: list[str] = []
    for name in sorted(params):  # by code point
        value = params[name]
        values = (value,) if isinstance(value, str) else sorted(set(value))
        pieces.extend(name + one for one in values)
    return "".join(pieces)


def _port_spellings(url: str) -> tuple[str, ...]:
    """The URL as given, and with its standard port added or dropped."""
    parts = urlsplit(url)
    standard = _PORTS.get(parts.scheme)
    if standard is None or parts.port not in (None, standard):
        return (url,)
    bare = parts.netloc if parts.port is None else parts.netloc.rpartition(":")[0]
    other = f"{bare}:{standard}" if parts.port is None else bare
    return url, urlunsplit(parts._replace(netloc=other))


def _standard_signature(secret: str, signed: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(STANDARD_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError("The webhook secret cannot sign: it must be 'whsec_' followed by base64; make a new secret")
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
