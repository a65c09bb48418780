"""A table and its twins: one list of columns makes the page, its `.json`, its `.csv`, and the rows that arrive live.

`table(path, handler)` makes the three routes; the handler ends with `return await listing(request, …)`.
The rows of `blocks.html` are drawn by `blocks.rows.html`, in the page and wherever else a row is asked for.
"""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from stopwire.console.render import HEADERS, page, page_key, teller
from stopwire.console.session import Handler, shows, visitor_of
from stopwire.core.csvguard import guard
from stopwire.core.roles import Role
from stopwire.ports.store import Cut
from stopwire.ports.values import to_plain

T = TypeVar("T")
ROWS = 50
LIVE_ROWS = 100
JSON_ROWS = 1000
JSON_ROWS_MAX = 10_000
CSV_ROWS = 1000  # read at a time
_PLACE = ("after", "before", "rows_after", "rows", "raw", "limit", "cursor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Generic[T]):
    """One column: `name` in the twins, `title` above it in the page (empty: only in the twins).

    `value` gives plain values. `person`: an address of a person, masked until revealed. `priority` 2 and 3 leave first
    where the screen is narrow. `sort`: the value of `?sort=` that orders by it.
    """

    name: str
    value: Callable[[T], Any]
    title: str = ""
    person: bool = False
    figure: bool = False
    priority: int = 1
    sort: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a table in a page is drawn from."""

    columns: Sequence[Column[Any]]
    rows: Sequence[Any]
    as_of: datetime
    template: str  # draws the rows
    newer: str | None = None  # addresses of the pages beside this one
    older: str | None = None
    further: str | None = None  # goes on with a search that ended before its end
    json: str = ""
    csv: str = ""
    first: bool = True  # nothing is newer than its first row: it may grow while it is looked at
    topics: str = ""

    @property
    def titled(self) -> list[Column[Any]]:
        return [column for column in self.columns if column.title]


def table(path: str, handler: Handler, *, role: Role = Role.VIEWER) -> list[Route]:
    """The routes of a page with a table: itself and its twins. Twins stand first, since `{sid}` would take their ending."""
    return [shows(path.rstrip("/") + ending, handler, role=role) for ending in (".json", ".csv")] + [shows(path, handler, role=role)]


async def listing(
    request: Request,
    template: str,
    *,
    columns: Sequence[Column[T]],
    ask: Callable[[Cut], Awaitable[Sequence[T]]],
    id_of: Callable[[T], str],
    many: Callable[[list[str]], Awaitable[Sequence[T]]] | None = None,
    topics: str = "",
    size: int = ROWS,
    stopped: Callable[[], str | None] = lambda: None,
    **values: Any,
) -> Response:
    """The page, a twin, or single rows of a list that `ask` cuts pieces of (the newest first).

    `many` finds rows by their ids, for those that changed while they were shown. `topics`: beginnings of the names of
    live events after which to look again. `stopped`: the id of the item up to which the last `ask` looked, where it gave up
    before it had found enough. `values` go to the template beside `listing`.
    """
    path, query = request.url.path, request.query_params
    if path.endswith(".json"):
        return await _json(request, columns, ask, id_of)
    if path.endswith(".csv"):
        return _csv(request, columns, ask, id_of)
    rows_template = template.removesuffix(".html") + ".rows.html"
    if "rows_after" in query or "rows" in query:
        if "rows" in query:
            ids = [sid for sid in query["rows"].split(",") if sid][:LIVE_ROWS]
            rows = await many(ids) if many else []
        else:
            rows = await ask(Cut(limit=LIVE_ROWS, before=query["rows_after"]) if query["rows_after"] else Cut(limit=LIVE_ROWS))
        return page(request, rows_template, listing=_made(request, columns, rows, rows_template, topics), **values)
    after, before = query.get("after"), query.get("before")
    found = list(await ask(Cut(limit=size + 1, after=after, before=before)))
    backwards = before is not None and after is None
    more = len(found) > size
    rows = (found[1:] if backwards else found[:size]) if more else found
    base = _kept(request)
    newer_there = more if backwards else after is not None
    older_there = bool(rows) if backwards else more
    seen_to = None if more else stopped()
    shown = Listing(
        columns=columns,
        rows=rows,
        as_of=visitor_of(request).now,
        template=rows_template,
        newer=_address(request, base, "before", id_of(rows[0])) if newer_there and rows else None,
        further=_address(request, base, "before" if backwards else "after", seen_to) if seen_to else None,
        older=_address(request, base, "after", id_of(rows[-1])) if older_there and rows else None,
        json=_twin(request, base, ".json"),
        csv=_twin(request, base, ".csv"),
        first=not newer_there,
        topics=topics,
    )
    return page(request, template, listing=shown, **values)


def listed(request: Request, rows_template: str, *, columns: Sequence[Column[T]], rows: Sequence[T], topics: str = "") -> Listing:
    """A short table within a page of another kind; it has no twins of its own."""
    return _made(request, columns, rows, rows_template, topics)


def _made(request: Request, columns: Sequence[Column[T]], rows: Sequence[T], template: str, topics: str) -> Listing:
    return Listing(columns=columns, rows=rows, as_of=visitor_of(request).now, template=template, topics=topics)


def _kept(request: Request) -> list[tuple[str, str]]:
    return [(k, v) for k, v in request.query_params.multi_items() if k not in _PLACE]


def _address(request: Request, base: list[tuple[str, str]], name: str, value: str) -> str:
    return f"{page_key(request)}?{urlencode([*base, (name, value)])}"


def _twin(request: Request, base: list[tuple[str, str]], ending: str) -> str:
    return page_key(request).rstrip("/") + ending + (f"?{urlencode(base)}" if base else "")


# ── twins ────────────────────────────────────────────────────────────────────────────────────────────────


def _plain(request: Request, columns: Sequence[Column[T]]) -> Callable[[T], dict[str, Any]]:
    tell = teller(request)

    def plain(item: T) -> dict[str, Any]:
        values = {}
        for column in columns:
            value = column.value(item)
            values[column.name] = tell.number(value) if column.person and isinstance(value, str) else _told(value)
        return values

    def _told(value: Any) -> Any:
        return tell.iso(value) if isinstance(value, datetime) else to_plain(value)

    return plain


async def _json(
    request: Request, columns: Sequence[Column[T]], ask: Callable[[Cut], Awaitable[Sequence[T]]], id_of: Callable[[T], str]
) -> Response:
    given = request.query_params.get("limit", "")
    limit = max(1, min(int(given), JSON_ROWS_MAX)) if given.isascii() and given.isdigit() and len(given) < 9 else JSON_ROWS
    found = await ask(Cut(limit=limit + 1, after=request.query_params.get("cursor") or None))
    rows, plain = found[:limit], _plain(request, columns)
    following = id_of(rows[-1]) if len(found) > limit else None
    answer = {"items": [plain(row) for row in rows], "next": following, "as_of": teller(request).iso(visitor_of(request).now)}
    return JSONResponse(answer, headers=HEADERS)


def _csv(
    request: Request, columns: Sequence[Column[T]], ask: Callable[[Cut], Awaitable[Sequence[T]]], id_of: Callable[[T], str]
) -> Response:
    raw, plain = request.query_params.get("raw") == "1", _plain(request, columns)

    async def lines() -> AsyncIterator[str]:
        yield _line([column.name for column in columns])
        after: str | None = None
        while True:
            rows = await ask(Cut(limit=CSV_ROWS, after=after))
            if rows:
                yield "".join(_line([_cell(value, raw) for value in plain(row).values()]) for row in rows)
            if len(rows) < CSV_ROWS:
                return
            after = id_of(rows[-1])

    name = page_key(request).rstrip("/").rsplit("/", 1)[-1] or "console"
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{_file_name(name)}.csv"'}
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)


def _file_name(text: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in text)[:60]


def _cell(value: Any, raw: bool) -> str:
    if value is None:
        return ""
    text = value.value if isinstance(value, Enum) else str(value)
    return text if raw else guard(str(text))


def _line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()
