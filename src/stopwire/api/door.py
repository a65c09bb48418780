"""What every route of the native API stands on: who is calling, the body read with care, pages, times.

Nothing is decided here. A body is parsed once, strictly, and refused where a database or a log would choke on it.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Depends, Query, Request, Security
from fastapi.responses import Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBasic
from pydantic import BaseModel, ConfigDict
from starlette.requests import HTTPConnection

from stopwire.api.problems import Problem, unknown, wrong
from stopwire.core.address import parse_recipient, parse_sender
from stopwire.core.orders import parse_instant
from stopwire.core.scopes import resolve_scope
from stopwire.core.senders import Directory
from stopwire.flows.authenticate import Caller, authenticate
from stopwire.flows.tail import now
from stopwire.ports.house import House
from stopwire.ports.store import Services

BODY_BYTES_MAX = 8 * 1024 * 1024  # ten thousand recipients with their variables, or one picture
LIMIT_MAX = 10_000
LIMIT_DEFAULT = 100
NUMBER_MAX = 2**31 - 1

T = TypeVar("T")
_JSON_LIKE = re.compile(r"application/[\w.-]+\+json")
_SID = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}")


class In(BaseModel):
    """A body that is asked for: types as they are, no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)


class Out(BaseModel):
    """An answer."""

    model_config = ConfigDict(populate_by_name=True, from_attributes=True, serialize_by_alias=True)


class CarefulRequest(Request):
    """A request whose body has a limit and is strict JSON, without characters that no database keeps."""

    _parsed: Any = None

    async def body(self) -> bytes:
        content = await self.raw()
        if content and not (self.content_type in ("", "application/json") or _JSON_LIKE.fullmatch(self.content_type)):
            raise Problem(415, "The body is read as JSON: send it with the header Content-Type: application/json.")
        return content

    @property
    def content_type(self) -> str:
        """The media type of the body, in lower case and without parameters; empty where none is said."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def raw(self) -> bytes:
        """The body as it came, whatever it is."""
        if not hasattr(self, "_body"):
            declared = self.headers.get("content-length", "")
            if declared.isascii() and declared.isdigit() and (len(declared) > 15 or int(declared) > BODY_BYTES_MAX):
                raise _too_large()
            pieces, size = [], 0
            async for piece in self.stream():
                size += len(piece)
                if size > BODY_BYTES_MAX:
                    raise _too_large()
                pieces.append(piece)
            self._body = b"".join(pieces)
        return self._body

    async def json(self) -> Any:
        if self._parsed is None:
            self._parsed = read_json(await self.body())
        return self._parsed


def _too_large() -> Problem:
    return Problem(413, f"The body is larger than {BODY_BYTES_MAX // 2**20} MiB: send it in several requests.")


def read_json(data: bytes) -> Any:
    """`data` as JSON. Raises Problem 400 where it is none, 422 where a text in it cannot be kept."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        said = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        raise Problem(400, f"The body is not JSON ({said}).") from None
    if path := unfit(value):
        raise wrong(path, "This text has a NUL or half a character (a lone surrogate): take it out.")
    return value


def unfit(value: object, path: str = "") -> str | None:
    """Where in `value` a text stands that cannot be kept; None where there is none. The path of the body itself is '.'."""
    match value:
        case str():
            return (path or ".") if "\x00" in value or not _is_whole(value) else None
        case dict():
            for name, inner in value.items():
                if not _is_whole(name) or "\x00" in name:
                    return path or "."
                if found := unfit(inner, f"{path}.{name}" if path else name):
                    return found
        case list():
            for number, inner in enumerate(value):
                if found := unfit(inner, f"{path}.{number}" if path else str(number)):
                    return found
    return None


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class CarefulRoute(APIRoute):
    """A route whose requests are read with care."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await inner(CarefulRequest(request.scope, request.receive))

        return handle


class _Basic(HTTPBasic):
    """Shows the scheme in the description of the API; who calls is found by `caller`."""

    async def __call__(self, request: HTTPConnection) -> None:
        return None


_shown = _Basic(auto_error=False, scheme_name="basic", description="Account SID and auth token, or an API key and its secret.")


def house_of(request: Request) -> House:
    house: House = request.app.state.house
    return house


async def caller(request: Request, _: Annotated[None, Security(_shown)]) -> Caller:
    """Whoever calls, proved; or Problem 401."""
    username, password = _credentials(request.headers.get("authorization", ""))
    found = await house_of(request)(authenticate, username=username, password=password)
    if found.failure is not None:
        detail = "Sign in with the account SID and its auth token, or with an API key and its secret."
        raise Problem(401, detail, code=20003, headers={"WWW-Authenticate": 'Basic realm="Stopwire", charset="UTF-8"'})
    request.scope["stopwire.caller"] = found
    if found.status != "active":
        raise Problem(403, f"This account is {found.status}: the operator of this gateway can activate it.", code=20005)
    if found.test:
        raise Problem(403, "Test credentials only rehearse sending in the Twilio API: use the account's live credentials here.")
    return found


def _credentials(header: str) -> tuple[str, str]:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        username, _, password = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        return "", ""
    return username, password


TheHouse = Annotated[House, Depends(house_of)]
TheCaller = Annotated[Caller, Depends(caller)]
Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="How many items at most.")]
Cursor = Annotated[str | None, Query(max_length=100, description="Where the page before ended: its `next`.")]


async def page(house: House, asked: Coroutine[Any, Any, Sequence[T]], limit: int, id_of: Callable[[T], str]) -> tuple[list[T], str | None, datetime]:
    """The items of a list, where it goes on, and the time. `asked` reads one item more than `limit`."""
    as_of = await house(now)
    found = await asked
    items = list(found[:limit])
    return items, (id_of(items[-1]) if len(found) > limit else None), as_of


def actor(who: Caller) -> str:
    """How a caller is named in the ledger and in versions."""
    return f"api:{who.actor}"


def person(text: str, path: str = "recipient") -> str:
    """The person's address that `text` is, or Problem 422. A `+` that a URL turned into a space is put back."""
    if text.startswith(" ") and text[1:2].isdigit():
        text = f"+{text[1:]}"
    text = text.replace("whatsapp: ", "whatsapp:+")
    found = parse_recipient(text)
    if found is None:
        raise wrong(path, "This is no phone number: write it like +14155550101 or whatsapp:+14155550101.")
    return found


def instant(text: str | None, path: str) -> datetime | None:
    """The time that `text` is, or Problem 422. A `+` that a URL turned into a space is put back."""
    if text is None:
        return None
    found = parse_instant(text.strip().replace(" ", "+") if "T" in text else text)
    if found is None or not datetime(1970, 1, 2, tzinfo=UTC) <= found <= datetime(9000, 1, 1, tzinfo=UTC):
        raise wrong(path, "This is no time: write it like 2026-01-31T12:00:00Z.")
    return found


async def holder(house: House, account: str, text: str, path: str = "scope") -> str:
    """The SID of the scope that `text` names, or Problem 404 or 422."""
    if text.startswith(" "):
        text = f"+{text[1:]}"
    directory: Directory = await house.read(account, Services.directory)
    found = resolve_scope(directory, text)
    if found is None:
        raise no_scope(text, path)
    return found


def no_scope(text: str, path: str = "scope") -> Problem:
    cure = "give the SID of a messaging service, of a sender or of the account, or the address of one of its senders."
    if parse_sender(text) is None and not _SID.fullmatch(text):
        return wrong(path, f"This names no scope: {cure}")
    return unknown(path, f"This account has no such scope: {cure}")


async def together(*asked: Coroutine[Any, Any, Any]) -> list[Any]:
    return list(await asyncio.gather(*asked))
