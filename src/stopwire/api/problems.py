"""Errors of the native API: one exception, one rendering (RFC 9457, `application/problem+json`).

What is wrong is said by whoever finds it; here it only gets its shape. No error shows what a stranger sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from stopwire.log import get_logger
from stopwire.ports.faults import StoreFault, StoreSlow

log = get_logger("api")

MEDIA_TYPE = "application/problem+json"
ERRORS_MAX = 100  # fields told of in one answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One field and what is wrong with it: `path` like `recipients.3.to`."""

    path: str
    message: str


class Problem(HTTPException):
    """An answer that is an error. Raised by doors only; flows answer values."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Wrong] = (),
        code: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers) if headers else None)
        self.errors = errors
        self.code = code  # of the public error dictionary, where there is one


def wrong(path: str, message: str) -> Problem:
    """422 for one field."""
    return Problem(422, message, errors=[Wrong(path=path, message=message)])


def unknown(path: str, message: str) -> Problem:
    """404 for a thing that a field of the request names."""
    return Problem(404, message, errors=[Wrong(path=path, message=message)])


def not_found(what: str) -> Problem:
    return Problem(404, f"There is no {what} in this account: check its id.")


def render(problem: HTTPException) -> Response:
    """`problem` as its JSON."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status_code).phrase,
        "status": problem.status_code,
        "detail": str(problem.detail),
    }
    if isinstance(problem, Problem):
        if problem.code is not None:
            body["type"] = f"https://www.twilio.com/docs/errors/{problem.code}"
            body["code"] = problem.code
        if problem.errors:
            body["errors"] = [{"path": e.path, "message": e.message} for e in problem.errors[:ERRORS_MAX]]
    return JSONResponse(body, problem.status_code, headers=problem.headers, media_type=MEDIA_TYPE)


async def on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404 and not isinstance(error, Problem):
        error = Problem(404, "There is nothing at this address: /api/v1/docs lists all there is.")
    elif error.status_code == 405 and not isinstance(error, Problem):
        allowed = (error.headers or {}).get("Allow", "")
        error = Problem(405, f"This address does not take {request.method}: use {allowed or 'another method'}.", headers=error.headers)
    return render(error)


async def on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = [_wrong(each) for each in error.errors()[:ERRORS_MAX]]
    if any(each.path == "" and each.message == _NO_BODY for each in found):
        return render(Problem(422, _NO_BODY, errors=found))
    first = found[0] if found else Wrong(path="", message="The request is not as it should be.")
    where = f"{first.path}: " if first.path else ""
    return render(Problem(422, f"{where}{first.message}", errors=found))


async def on_fault(request: Request, error: Exception) -> Response:
    """The store is full, busy, slow or broken: nothing was done, the caller may ask again."""
    assert isinstance(error, StoreFault)
    log.error("api.store_fault", path=request.url.path, fault=type(error).__name__)
    wait = "1" if isinstance(error, StoreSlow) else "2"
    return render(Problem(503, str(error), headers={"Retry-After": wait}))


async def on_bug(request: Request, error: Exception) -> Response:
    log.error("api.error", path=request.url.path, method=request.method, exc_info=error)
    return render(Problem(500, "Stopwire made a mistake here; its log has the details. Nothing is known to have changed."))


_NO_BODY = "A JSON body is needed here."


def _wrong(error: Mapping[str, object]) -> Wrong:
    loc = error.get("loc")
    parts = list(loc) if isinstance(loc, tuple) else []
    if parts and parts[0] in ("body", "query", "path", "header"):
        parts = parts[1:]
    if not parts and error.get("type") == "missing":
        return Wrong(path="", message=_NO_BODY)
    path = ".".join(str(part) for part in parts)
    return Wrong(path=_printable(path), message=_sentence(error))


def _sentence(error: Mapping[str, object]) -> str:
    if error.get("type") == "extra_forbidden":
        return "There is no such field here: check its spelling."
    if error.get("type") == "missing":
        return "This field is needed."
    message = str(error.get("msg", "This is not as it should be.")).removeprefix("Value error, ")
    return _printable(message if message.endswith((".", "!", "?")) else f"{message}.")


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()[:300]
