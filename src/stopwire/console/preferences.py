"""How a visitor wants pages (theme, language, keys, density), revealing numbers, and the segment meter."""

from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stopwire.console import words
from stopwire.console.render import DENSITY, KEYS, LANGUAGE, THEME, THEMES, ZONE, done, local, page, set_cookie
from stopwire.console.session import COOKIE, address_of, asks, form_of, house_of
from stopwire.flows import visit

_YEAR = 365 * 86_400
_ALLOWED = {
    "theme": (THEME, THEMES),
    "language": (LANGUAGE, tuple(words.LANGUAGES)),
    "keys": (KEYS, ("on", "off")),
    "density": (DENSITY, ("normal", "compact")),
}
_METER_CHARS_MAX = 20_000
LIMITS = (160, 320, 1600)


async def prefer(request: Request) -> Response:
    form = await form_of(request)
    answer = done(request, str(form.get("back", "/console/")))
    for field, (cookie, allowed) in _ALLOWED.items():
        value = str(form.get(field, ""))
        if value in allowed:
            set_cookie(request, answer, cookie, value, seconds=_YEAR)
    zone = str(form.get("zone", ""))
    if zone and len(zone) <= 64 and zone.isascii() and zone.replace("/", "").replace("_", "").replace("-", "").replace("+", "").isalnum():
        set_cookie(request, answer, ZONE, zone, seconds=_YEAR)
    return answer


async def reveal(request: Request) -> Response:
    """Show the numbers of one page for ten minutes. The flow itself writes the audit row, in the same transaction."""
    form = await form_of(request)
    back = local(str(form.get("back", "/console/")))
    shown = await house_of(request)(
        visit.reveal, token=request.cookies.get(COOKIE, ""), page=urlsplit(back).path, address=address_of(request)
    )
    if not shown:
        raise HTTPException(403, "Seeing whole numbers is a right of its own, and you do not have it: an owner can give it to you.")
    return done(request, back)


async def meter(request: Request) -> Response:
    """The meter of a text that is being written."""
    form = await form_of(request)
    limit = str(form.get("limit", "1600"))
    return page(
        request,
        "meter.html",
        text=str(form.get("text", ""))[:_METER_CHARS_MAX],
        limit=int(limit) if limit in map(str, LIMITS) else 1600,
    )


routes = [
    asks("/console/preferences", prefer),
    asks("/console/reveal", reveal),
    asks("/console/meter", meter),
]
