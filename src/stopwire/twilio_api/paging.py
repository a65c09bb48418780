"""Pages of lists, in both of Twilio's styles. Tokens name the item next to which a page stands.

`page = page_of(call)`, ask for `page.cut` (one item more than the page holds), answer `list_2010` or `list_v1`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from starlette.responses import Response

from stopwire.core.errors import refuse
from stopwire.ports.store import Cut
from stopwire.twilio_api.answers import Declined, answer
from stopwire.twilio_api.calls import Call

T = TypeVar("T")

SIZE_DEFAULT: Final = 50
SIZE_MAX: Final = 1000
OFFSET_MAX: Final = 10_000  # rows that a page number without a token may skip

_TOKEN = re.compile(r"P([AB])([A-Z]{2}[0-9a-zA-Z]{32})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which page was asked for. `cut` asks the store for one item more, which tells whether another page follows."""

    size: int
    number: int
    cut: Cut


def page_of(call: Call, *prefixes: str) -> Page:
    """The page `call` asks for. `prefixes` are those of the items' SIDs: another list's token is declined (21481)."""
    fields = call.fields
    size = _number(fields.get("PageSize"), SIZE_DEFAULT, least=1)
    if size > SIZE_MAX:
        raise Declined(refuse(20007))
    number = _number(fields.get("Page"), 0, least=0)
    offset = number * size
    token = fields.text("PageToken")
    if not token:
        if offset > OFFSET_MAX:
            raise Declined(refuse(21481))
        return Page(size=size, number=number, cut=Cut(limit=size + 1, offset=offset))
    match = _TOKEN.fullmatch(token)
    if match is None or (prefixes and match[2][:2] not in prefixes):
        raise Declined(refuse(21481))
    if match[1] == "A":
        return Page(size=size, number=number, cut=Cut(limit=size + 1, after=match[2], offset=min(offset, OFFSET_MAX)))
    return Page(size=size, number=number, cut=Cut(limit=size + 1, before=match[2]))


def pick(items: Sequence[T], cut: Cut, sid: Callable[[T], str]) -> list[T]:
    """The piece of an ordered list in memory that `cut` asks for, as a store would give it."""
    place = {sid(item): i for i, item in enumerate(items)}
    if cut.before is not None:
        end = place.get(cut.before, 0)
        return list(items[max(0, end - cut.limit) : end])
    start = place[cut.after] + 1 if cut.after in place else cut.offset
    return list(items[start : start + cut.limit])


def list_2010(
    call: Call, page: Page, items: Sequence[T], *, key: str, show: Callable[[T], Any], sid: Callable[[T], str]
) -> Response:
    """A page of the 2010 API: relative URIs, one collection key."""
    shown, next_query, previous_query = _sides(call, page, items, sid)
    start = page.number * page.size if shown else 0
    return answer(
        {
            "end": start + len(shown) - 1 if shown else 0,
            "first_page_uri": f"{call.url_path}?{_query(call, page, 0)}",
            "next_page_uri": next_query and f"{call.url_path}?{next_query}",
            "page": page.number,
            "page_size": page.size,
            "previous_page_uri": previous_query and f"{call.url_path}?{previous_query}",
            "start": start,
            "uri": f"{call.url_path}?{_here(call, page)}",
            key: [show(item) for item in shown],
        }
    )


def list_v1(
    call: Call, page: Page, items: Sequence[T], *, key: str, show: Callable[[T], Any], sid: Callable[[T], str]
) -> Response:
    """A page of v1: absolute URLs under the scheme and host that the client used."""
    shown, next_query, previous_query = _sides(call, page, items, sid)
    url = call.base + call.url_path
    meta = {
        "page": page.number,
        "page_size": page.size,
        "first_page_url": f"{url}?{_query(call, page, 0)}",
        "previous_page_url": previous_query and f"{url}?{previous_query}",
        "next_page_url": next_query and f"{url}?{next_query}",
        "key": key,
        "url": f"{url}?{_here(call, page)}",
    }
    return answer({"meta": meta, key: [show(item) for item in shown]})


def _sides(
    call: Call, page: Page, items: Sequence[T], sid: Callable[[T], str]
) -> tuple[list[T], str | None, str | None]:
    """The page's items, and the queries of its neighbours."""
    more = len(items) > page.size
    if page.cut.before is not None:
        shown = list(items[-page.size :])
        follows, precedes = True, more
    else:
        shown = list(items[: page.size])
        follows, precedes = more, page.number > 0 or page.cut.after is not None
    if not shown:
        return [], None, None
    next_query = _query(call, page, page.number + 1, f"PA{sid(shown[-1])}") if follows else None
    previous_query = _query(call, page, max(0, page.number - 1), f"PB{sid(shown[0])}") if precedes else None
    return shown, next_query, previous_query


def _here(call: Call, page: Page) -> str:
    return _query(call, page, page.number, call.fields.text("PageToken"))


def _query(call: Call, page: Page, number: int, token: str = "") -> str:
    filters = call.fields.without("PageSize", "Page", "PageToken")
    place = urlencode({"PageSize": page.size, "Page": number, **({"PageToken": token} if token else {})})
    return f"{filters}&{place}" if filters else place


def _number(text: str | None, default: int, *, least: int) -> int:
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= least):
        raise Declined(refuse(20001, case="page_size"))
    return int(text)
