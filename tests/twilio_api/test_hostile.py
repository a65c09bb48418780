"""Requests that no SDK writes: each gets an answer in Twilio's envelope, none of them a 5xx, and the gateway lives on."""

import base64
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.gateway import Gateway

FORM = "application/x-www-form-urlencoded"
MESSAGES = "/2010-04-01/Accounts/{AC}/Messages.json"
GOOD = "To=%2B14155550951&From=%2B14155550122&Body=hello"


@pytest.fixture(autouse=True)
def _the_gateway_lives_on(gateway: Gateway) -> Iterator[None]:
    yield
    assert 200 == gateway.http.get(MESSAGES.replace("{AC}", gateway.account_sid)).status_code


def envelope_of(answer: httpx.Response) -> dict[str, Any]:
    """The refusal, held to its shape."""
    told = answer.json()
    assert answer.headers["content-type"].startswith("application/json")
    assert {"code", "message", "more_info", "status"} <= set(told), told
    assert told["status"] == answer.status_code
    assert told["message"]
    return dict(told)


BODIES = {
    "a NUL in a body": (f"{GOOD}%00", 400),
    "a lone surrogate in UTF-8": (f"{GOOD}%ED%A0%80", 400),
    "half a pair of surrogates twice": (f"{GOOD}%ED%A0%BD%ED%A0%BD", 400),
    "bytes that are no UTF-8": (f"{GOOD}%FF%FE", 400),
    "an overlong slash": (f"{GOOD}%C0%AF", 400),
    "bytes that are no UTF-8, unescaped": (GOOD.encode() + b"\xff\xfe", 400),
    "a percent sign alone": (f"{GOOD}%", 201),
    "a percent sign before letters": (f"{GOOD}%zz", 201),
    "a NUL in a name": (f"{GOOD}&a%00b=1", 400),
    "ten thousand fields": ("&".join(f"F{n}=1" for n in range(10_000)), 400),
    "ten thousand times the same": ("&".join(["MediaUrl=https://example.com/a.png"] * 10_000), 400),
    "two megabytes": (f"{GOOD}{'x' * 2_000_000}", 413),
    "a name of one megabyte less a bit": (f"{'n' * 1_000_000}=1&{GOOD}", 201),
    "ampersands only": ("&" * 5000, 400),
    "equals signs only": ("=" * 5000, 400),
    "nothing": ("", 400),
    "the last of two counts": (f"From=%2B14155559999&{GOOD}", 201),
    "names in another case": ("to=%2B14155550951&from=%2B14155550122&body=hello", 400),
    "a body of many code points that are no characters": (f"{GOOD}{'%EF%BF%BF' * 100}", 201),
    "text that turns about": (f"{GOOD}{'%E2%80%AE' * 100}", 201),
    "a huge whole number": (f"{GOOD}&ValidityPeriod={'9' * 5000}", 400),
    "a negative one": (f"{GOOD}&ValidityPeriod=-1", 400),
    "a number in other digits": (f"{GOOD}&ValidityPeriod=%D9%A3%D9%A3", 400),
    "not a number": (f"{GOOD}&ValidityPeriod=NaN", 400),
    "a recipient of a hundred thousand digits": (f"To=%2B{'1' * 100_000}&From=%2B14155550122&Body=x", 400),
    "a recipient of spaces": ("To=++++&From=%2B14155550122&Body=x", 400),
    "a media URL of a hundred thousand characters": (f"{GOOD}&MediaUrl=https://example.com/{'a' * 100_000}", 400),
    "a callback that is no URL": (f"{GOOD}&StatusCallback=http://[", 400),
    "a callback to a port nobody has": (f"{GOOD}&StatusCallback=http://example.com:99999999/", 400),
    "a date beyond all years": (f"{GOOD}&SendAt=99999-99-99T99:99:99Z&ScheduleType=fixed", 400),
    "SQL": ("To=%2B14155550951&From='%3B+DROP+TABLE+messages%3B--&Body=x", 400),
}


@pytest.mark.parametrize(("body", "status"), BODIES.values(), ids=BODIES)
def test_a_form_is_read_or_refused(gateway: Gateway, body: str | bytes, status: int) -> None:
    path = MESSAGES.replace("{AC}", gateway.account_sid)
    answer = gateway.http.post(path, content=body, headers={"Content-Type": FORM})
    assert status == answer.status_code, answer.text[:500]
    if status != 201:
        envelope_of(answer)


QUERIES = {
    "a huge page size": "PageSize=" + "9" * 5000,
    "a page beyond the end": "Page=" + "9" * 30,
    "a negative page": "Page=-1",
    "a NUL": "To=%00",
    "bytes that are no UTF-8": "To=%FF",
    "a token of nonsense": "PageToken=%F0%9F%9A%80",
    "a token that is a SID of another kind": "PageToken=PAAC" + "0" * 32,
    "a date that is none": "DateSent=yesterday",
    "a date with a sign twice": "DateSent>>=2026-01-01",
    "a year of five digits": "DateSent=12026-01-01",
    "ten thousand fields": "&".join(f"F{n}=1" for n in range(1500)),
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_a_query_is_read_or_refused(gateway: Gateway, query: str) -> None:
    answer = gateway.http.get(f"{MESSAGES.replace('{AC}', gateway.account_sid)}?{query}")
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 400:
        envelope_of(answer)
    else:
        assert isinstance(answer.json()["messages"], list)


TYPES = ["application/json", "multipart/form-data; boundary=x", "text/plain", "text/xml; charset=utf-16", "", "/", "é", "a" * 3000]


@pytest.mark.parametrize("kind", TYPES, ids=[each[:40] or "none" for each in TYPES])
def test_another_content_type_is_refused(gateway: Gateway, kind: str) -> None:
    path = MESSAGES.replace("{AC}", gateway.account_sid)
    answer = gateway.http.post(path, content=b'{"To": "+14155550951"}', headers={b"Content-Type": kind.encode()})
    assert 400 == answer.status_code
    envelope_of(answer)


def test_a_form_may_name_its_charset(gateway: Gateway) -> None:
    path = MESSAGES.replace("{AC}", gateway.account_sid)
    answer = gateway.http.post(path, content=GOOD, headers={"Content-Type": f"{FORM}; charset=UTF-8"})
    assert 201 == answer.status_code


@pytest.mark.parametrize("method", ["PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "STOP"])
@pytest.mark.parametrize("path", [MESSAGES, "/2010-04-01/Accounts/{AC}/Messages/SM" + "0" * 32, "/v1/Services", "/nowhere"])
def test_another_method_is_refused(gateway: Gateway, method: str, path: str) -> None:
    answer = _raw(gateway, method, path.replace("{AC}", gateway.account_sid))
    assert answer.status_code in (400, 404, 405), answer.text
    if answer.status_code != 400 and method != "HEAD":  # what the parser of HTTP itself does not know is plain text
        envelope_of(answer)


PATHS = {
    "a very long one": "/2010-04-01/" + "a" * 50_000,
    "ten thousand slashes": "/" * 10_000,
    "upwards": "/2010-04-01/Accounts/{AC}/../../../etc/passwd",
    "upwards, escaped": "/2010-04-01/Accounts/{AC}/%2e%2e/%2e%2e/etc/passwd",
    "a NUL": "/2010-04-01/Accounts/{AC}/Messages/%00.json",
    "no UTF-8": "/2010-04-01/Accounts/{AC}/Messages/%FF%FE.json",
    "a lone surrogate": "/2010-04-01/Accounts/{AC}/Messages/%ED%A0%80.json",
    "a slash at the end": "/2010-04-01/Accounts/{AC}/Messages/",
    "two suffixes": "/2010-04-01/Accounts/{AC}/Messages.json.json",
    "another suffix": "/2010-04-01/Accounts/{AC}/Messages.xml",
    "a SID in capitals": "/2010-04-01/Accounts/{AC}/Messages/SM" + "A" * 32 + ".json",
    "a SID of another kind": "/2010-04-01/Accounts/{AC}/Messages/PN" + "0" * 32 + ".json",
    "another year": "/2008-08-01/Accounts/{AC}/Messages.json",
    "a line of its own": "/2010-04-01/Accounts/{AC}/Messages%0d%0aX-Injected:%201",
    "a question mark in it": "/2010-04-01/Accounts/{AC}/Messages%3FPageSize=1",
    "a fragment": "/2010-04-01/Accounts/{AC}/Messages/%23",
    "the whole URL": "http://example.com/2010-04-01/Accounts/{AC}/Nothing.json",
    "an asterisk": "*",
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_strange_path_is_not_found(gateway: Gateway, path: str) -> None:
    answer = _raw(gateway, "GET", path.replace("{AC}", gateway.account_sid))
    assert answer.status_code in (400, 404), answer.text
    assert "x-injected" not in answer.headers
    if answer.status_code == 404:
        envelope_of(answer)


CREDENTIALS = {
    "none": "",
    "no colon": "Basic QUM=",
    "no base64": "Basic ???",
    "no UTF-8": "Basic //79/A==",
    "a NUL": "Basic AAA6AAA=",
    "another scheme": "Bearer abc",
    "very long": "Basic " + "QUFB" * 4000,
    "Digest": 'Digest username="a", realm="b"',
    "nothing behind the scheme": "Basic",
}


@pytest.mark.parametrize("header", CREDENTIALS.values(), ids=CREDENTIALS)
def test_strange_credentials_are_none(gateway: Gateway, header: str) -> None:
    answer = httpx.get(
        gateway.url + MESSAGES.replace("{AC}", gateway.account_sid), headers={"Authorization": header} if header else {}
    )
    assert 401 == answer.status_code
    assert 20003 == envelope_of(answer)["code"]
    assert "www-authenticate" in answer.headers


def test_a_body_that_never_ends_is_cut_off(gateway: Gateway) -> None:
    def endless() -> Iterator[bytes]:
        yield GOOD.encode()
        for _ in range(64):
            yield b"x" * 65536

    path = MESSAGES.replace("{AC}", gateway.account_sid)
    answer = gateway.http.post(path, content=endless(), headers={"Content-Type": FORM})
    assert 413 == answer.status_code
    envelope_of(answer)


def test_a_client_that_hangs_up_in_the_middle_harms_nobody(gateway: Gateway) -> None:
    with _connection(gateway) as connection:
        head = f"POST {MESSAGES.replace('{AC}', gateway.account_sid)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\nTo="
        connection.sendall(head.encode())


NO_HTTP = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00",
    "half a line": b"GET\r\n\r\n",
    "another version": b"GET / HTTP/9.9\r\n\r\n",
    "nothing and a NUL": b"\r\n" * 50 + b"\x00",
    "a length that is none": b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
}


@pytest.mark.parametrize("head", NO_HTTP.values(), ids=NO_HTTP)
def test_what_is_no_http_is_hung_up_on(gateway: Gateway, head: bytes) -> None:
    with _connection(gateway) as connection:
        connection.sendall(head)
        connection.shutdown(socket.SHUT_WR)
        told = b"".join(iter(lambda: connection.recv(65536), b""))
    assert not told.startswith(b"HTTP/1.1 5")


def _connection(gateway: Gateway) -> socket.socket:
    place = urlsplit(gateway.url)
    return socket.create_connection((place.hostname, place.port), timeout=10)


def _raw(gateway: Gateway, method: str, target: str) -> httpx.Response:
    """An answer to a request whose target goes out as it stands."""
    credentials = base64.b64encode(f"{gateway.account_sid}:{gateway.auth_token}".encode()).decode()
    head = [f"{method} {target} HTTP/1.1", "Host: localhost", f"Authorization: Basic {credentials}"]
    with _connection(gateway) as connection:
        connection.sendall("\r\n".join([*head, "Connection: close", "", ""]).encode())
        told = b"".join(iter(lambda: connection.recv(65536), b""))
    top, _, body = told.partition(b"\r\n\r\n")
    lines = top.decode("latin-1").split("\r\n")
    headers = [tuple(line.split(": ", 1)) for line in lines[1:] if ": " in line]
    plain = [(name, value) for name, value in headers if name.lower() not in ("transfer-encoding", "content-length")]
    return httpx.Response(int(lines[0].split(" ")[1]), headers=plain, content=body)
