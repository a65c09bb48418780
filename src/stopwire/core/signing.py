"""Signatures of webhooks: Twilio's `X-Twilio-Signature`, made and checked, and the Standard Webhooks headers.

Keys and times are arguments; where a key comes from and whether a timestamp is fresh is decided by callers.
Sources: twilio.com/docs/usage/webhooks/webhooks-security; the Standard Webhooks specification.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, Literal
from urllib.parse import parse_qs, parse_qsl, urlsplit, urlunsplit

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


class Mistake(StrEnum):
    """What somebody did who computed another signature than the right one, or what happened to the request on its way."""

    NONE = "none"  # the signature is right
    MISSING = "missing"
    SHAPE = "shape"  # no base64 of 20 octets: cut off, or another header
    SCHEME = "scheme"  # http for https, or the other way: a proxy ended TLS
    HOST = "host"  # another host name: a proxy rewrote it
    SLASH = "slash"
    QUERY = "query"  # the query was left out
    NO_PARAMS = "no_params"  # the form was left out
    ENCODED = "encoded"  # the values were not decoded
    BLANK = "blank"  # empty parameters were left out
    UNSORTED = "unsorted"
    STRIPPED = "stripped"  # white space around a value was taken off
    ALGORITHM = "algorithm"  # HMAC-SHA256 for HMAC-SHA1
    TOKEN = "token"  # noqa: S105  another token of the account: its secondary one, or that of its test credentials
    UNKNOWN = "unknown"


def mistake(token: str, url: str, form: str, signature: str, *, hosts: Sequence[str] = (), other_tokens: Sequence[str] = ()) -> Mistake:
    """Why `signature` is not that of a POST of `form` (encoded) to `url`: the first usual mistake that leads to just this one.

    `hosts`: what this gateway is called by; `other_tokens`: tokens that are easily taken for the right one.
    """
    params = dict(parse_qsl(form, keep_blank_values=True))
    if valid(token, url, params, signature):
        return Mistake.NONE
    if not signature:
        return Mistake.MISSING
    try:
        size = len(base64.b64decode(signature, validate=True))
    except (binascii.Error, ValueError):
        return Mistake.SHAPE
    if size == hashlib.sha256().digest_size and valid(token, url, params, signature, algorithm="HMAC_SHA256"):
        return Mistake.ALGORITHM
    if size != hashlib.sha1().digest_size:  # noqa: S324  as Twilio signs
        return Mistake.SHAPE
    for found, spelling in _other_urls(url, hosts):
        if valid(token, spelling, params, signature):
            return found
    raw = dict(pair.partition("=")[::2] for pair in form.split("&") if pair)
    stripped = {name: value.strip() for name, value in params.items()}
    full = {name: value for name, value in params.items() if value}
    for found, others in (
        (Mistake.NO_PARAMS, {}),
        (Mistake.ENCODED, raw),
        (Mistake.BLANK, full),
        (Mistake.STRIPPED, stripped),
    ):
        if others != params and valid(token, url, others, signature):
            return found
    if _is_unsorted(token, url, params, signature):
        return Mistake.UNSORTED
    return Mistake.TOKEN if any(valid(other, url, params, signature) for other in other_tokens) else Mistake.UNKNOWN


def _other_urls(url: str, hosts: Sequence[str]) -> list[tuple[Mistake, str]]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return []
    scheme = {"http": "https", "https": "http"}.get(parts.scheme, parts.scheme)
    path = parts.path.removesuffix("/") if parts.path.endswith("/") else f"{parts.path}/"
    found = [
        (Mistake.SCHEME, urlunsplit(parts._replace(scheme=scheme))),
        (Mistake.SLASH, urlunsplit(parts._replace(path=path))),
        (Mistake.QUERY, urlunsplit(parts._replace(query=""))),
    ]
    for host in hosts:
        found += [(Mistake.HOST, urlunsplit(parts._replace(netloc=host, scheme=each))) for each in ("https", "http")]
    return found


def _is_unsorted(token: str, url: str, params: Mapping[str, str], signature: str) -> bool:
    message = url.partition("#")[0] + "".join(name + value for name, value in params.items())
    digest = hmac.new(token.encode(), message.encode("utf-8", "surrogatepass"), hashlib.sha1).digest()
    return hmac.compare_digest(base64.b64encode(digest).decode(), signature)


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
