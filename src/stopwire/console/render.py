"""Pages from templates: what every template may use, the headers of every answer, and what is shown after an act.

`page(request, "blocks.html", rows=…)` is all a page needs. Autoescape is forced, and no text is ever marked as safe.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from stopwire.console import words
from stopwire.console.session import TOKEN_FIELD, form_token, house_of, is_piece, signature
from stopwire.console.static import Static
from stopwire.console.text import Piece, pieces
from stopwire.core.address import country_of, mask
from stopwire.core.errors import CATALOGUE
from stopwire.core.roles import Role
from stopwire.core.segments import Segments, count
from stopwire.core.sentences import Sentence
from stopwire.flows.visit import Visitor

TEMPLATES = Path(__file__).parent / "templates"
TOAST = "stopwire_toast"
ZONE, THEME, LANGUAGE, KEYS, DENSITY = "stopwire_zone", "stopwire_theme", "stopwire_lang", "stopwire_keys", "stopwire_density"
THEMES = ("auto", "light", "dark")
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types stopwire"
)
NOBODYS_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # before sign-in no page tells a time
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def N_(sentence: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return sentence


# Each state's family (its colour) and glyph: colour never speaks alone.
FAMILIES: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("delivered", "read", "received", "up", "verified", "done", "active", "confirmed", "ok", "on", "over"), ("good", "✓")),
    **dict.fromkeys(("START", "opt_in", "lift"), ("good", "▶")),
    **dict.fromkeys(("accepted", "queued", "sending", "sent", "pending", "running", "written", "connecting"), ("move", "●")),
    **dict.fromkeys(("HELP", "help"), ("move", "?")),
    **dict.fromkeys(("STOP", "keyword", "phrase", "review", "opt_out", "stopped"), ("stop", "■")),
    **dict.fromkeys(("blocked", "refused", "canceled", "block"), ("stop", "⊘")),
    **dict.fromkeys(("operator", "api", "complaint", "wrong_number", "reassigned", "consent"), ("stop", "◆")),
    **dict.fromkeys(("import", "carrier"), ("stop", "⇣")),
    **dict.fromkeys(("scheduled", "held", "unknown", "open", "draining", "taken"), ("wait", "◷")),
    **dict.fromkeys(("warning", "raced", "strong"), ("wait", "▲")),
    **dict.fromkeys(("failed", "undelivered", "rejected", "down", "broken", "failing", "suspended", "firing"), ("bad", "✕")),
    **dict.fromkeys(("off", "paused", "muted", "expired", "none", "dismissed", "message", "repeat", "no_change", "lift_refused"), ("idle", "○")),
}

# What chips and roles say, for the catalogues: they are asked for by their state.
_WORDS = (
    N_("delivered"), N_("read"), N_("received"), N_("up"), N_("verified"), N_("done"), N_("active"), N_("confirmed"), N_("ok"), N_("on"),
    N_("accepted"), N_("queued"), N_("sending"), N_("sent"), N_("pending"), N_("running"), N_("written"), N_("connecting"),
    N_("keyword"), N_("phrase"), N_("review"), N_("opt out"), N_("opt in"), N_("lift"), N_("help"), N_("stopped"), N_("blocked"), N_("refused"),
    N_("canceled"), N_("block"), N_("operator"), N_("api"), N_("complaint"), N_("wrong number"), N_("reassigned"), N_("consent"), N_("import"),
    N_("carrier"), N_("scheduled"), N_("held"), N_("unknown"), N_("open"), N_("draining"), N_("warning"), N_("raced"), N_("strong"), N_("failed"),
    N_("undelivered"), N_("rejected"), N_("down"), N_("broken"), N_("failing"), N_("suspended"), N_("off"), N_("paused"), N_("expired"),
    N_("deferred"), N_("released"), N_("inbound"), N_("status"), N_("firing"), N_("taken"), N_("muted"), N_("over"),
    N_("none"), N_("dismissed"), N_("message"), N_("repeat"), N_("no change"), N_("lift refused"), N_("viewer"), N_("admin"), N_("owner"),
)  # fmt: skip
PLACES = {  # where an id leads, by its beginning
    "SM": "/console/messages/", "MM": "/console/messages/", "RF": "/console/messages/", "MG": "/console/services/",
    "PN": "/console/senders/", "SC": "/console/senders/", "AI": "/console/senders/", "XE": "/console/senders/",
    "CE": "/console/ledger/", "WD": "/console/webhooks/deliveries/", "AL": "/console/alerts#", "IM": "/console/imports/", "SG": "/console/review/",
    "SK": "/console/developers/keys#", "CN": "/console/carriers/", "US": "/console/settings/team#", "AC": "/console/settings/account#",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An entry of the navigation."""

    key: str  # the letter after g that leads there; empty: none
    title: str  # a sentence of the catalogue
    href: str
    icon: str
    below: str = ""  # the place it stands under


NAVIGATION = (
    Place(key="h", title=N_("Home"), href="/console/", icon="home"),
    Place(key="s", title=N_("Simulator"), href="/console/simulator", icon="phone"),
    Place(key="m", title=N_("Messages"), href="/console/messages", icon="messages"),
    Place(key="o", title=N_("Messaging Services"), href="/console/services", icon="services"),
    Place(key="b", title=N_("Block list"), href="/console/blocks", icon="blocks"),
    Place(key="r", title=N_("Review"), href="/console/review", icon="review"),
    Place(key="l", title=N_("Ledger"), href="/console/ledger", icon="ledger"),
    Place(key="n", title=N_("Senders"), href="/console/senders", icon="senders"),
    Place(key="c", title=N_("Carriers"), href="/console/carriers", icon="carriers"),
    Place(key="w", title=N_("Webhooks"), href="/console/webhooks", icon="webhooks"),
    Place(key="a", title=N_("Analytics"), href="/console/analytics", icon="analytics"),
    Place(key="d", title=N_("Developers"), href="/console/developers", icon="developers"),
    Place(key="t", title=N_("Settings"), href="/console/settings/account", icon="settings"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefs:
    """How a visitor wants pages; from cookies, which anybody may set as they like."""

    language: str
    zone: str
    zone_known: bool
    theme: str
    keys: bool
    compact: bool


def prefs_of(request: Request) -> Prefs:
    cookies = request.cookies
    zone = cookies.get(ZONE, "").replace("%2F", "/")
    known = _zone(zone) is not None
    return Prefs(
        language=words.chosen(cookies.get(LANGUAGE, ""), request.headers.get("accept-language", "")),
        zone=zone if known else "UTC",
        zone_known=known,
        theme=cookies[THEME] if cookies.get(THEME) in THEMES else "auto",
        keys=cookies.get(KEYS) != "off",
        compact=cookies.get(DENSITY) == "compact",
    )


@cache
def _zone(name: str) -> ZoneInfo | None:
    if not name or len(name) > 64 or not all(c.isalnum() or c in "/_+-" for c in name) or name[0] in "/+-":
        return None
    try:
        return ZoneInfo(name)
    except (OSError, ValueError):
        return None


class Teller:
    """How values are told to this visitor: times in their zone, numbers masked or whole, states as chips."""

    def __init__(self, visitor: Visitor | None, prefs: Prefs, *, page: str, now: datetime) -> None:
        self.visitor, self.prefs, self.now = visitor, prefs, now
        self.reveals = visitor is not None and visitor.revealed == page
        self._zone = _zone(prefs.zone) or UTC
        self._locale = words.locale_of(prefs.language)
        self._own = frozenset(visitor.senders) if visitor else frozenset()

    @property
    def zone(self) -> tzinfo:
        return self._zone

    def clock(self, at: datetime) -> str:
        """`14:02:09`, with the date where it is not today."""
        local, today = at.astimezone(self._zone), self.now.astimezone(self._zone).date()
        if local.date() == today:
            return local.strftime("%H:%M:%S")
        pattern = "d MMM HH:mm:ss" if local.year == today.year else "d MMM yyyy HH:mm"
        return str(format_datetime(local, pattern, locale=self._locale))

    def moment(self, at: datetime) -> str:
        """Day and time, for sentences: `25 Nov 2026, 14:02:09`."""
        return str(format_datetime(at.astimezone(self._zone), "d MMM yyyy, HH:mm:ss", locale=self._locale))

    def precise(self, at: datetime) -> str:
        """To the millisecond, for timelines."""
        return at.astimezone(self._zone).strftime("%H:%M:%S.%f")[:-3]

    def day(self, at: datetime) -> str:
        return str(format_datetime(at.astimezone(self._zone), "d MMM yyyy", locale=self._locale))

    def iso(self, at: datetime) -> str:
        return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def utc(self, at: datetime) -> str:
        return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

    def ago(self, at: datetime) -> str:
        """`2 minutes ago`."""
        return str(format_timedelta(at - self.now, add_direction=True, locale=self._locale))

    def lasting(self, span: timedelta) -> str:
        return str(format_timedelta(span, locale=self._locale))

    def milliseconds(self, span: timedelta) -> str:
        """`2,093 ms`: for bars of time."""
        return f"{self.figure(round(span / timedelta(milliseconds=1)))} ms"

    def figure(self, number: float) -> str:
        return str(format_decimal(number, locale=self._locale))

    def number(self, address: str | None, *, whole: bool = False) -> str:
        """A phone number as this visitor may see it: our own whole, a person's masked until revealed."""
        if not address:
            return ""
        return address if whole or self.reveals or address in self._own else mask(address)

    def is_masked(self, address: str | None, *, whole: bool = False) -> bool:
        return bool(address) and self.number(address, whole=whole) != address

    def country(self, address: str) -> str:
        return country_of(address) or ""

    def pieces(self, body: str) -> list[Piece]:
        return pieces(body)

    def segments(self, body: str) -> Segments:
        return count(body)

    def family(self, state: str, code: int | None = None) -> tuple[str, str]:
        """Family and glyph of a state; 21610 is the product at work and no fault."""
        if code == 21610:
            return "stop", "⊘"
        return FAMILIES.get(state, ("idle", "○"))

    def place(self, sid: str) -> str:
        """Where an id leads."""
        base = PLACES.get(sid[:2])
        return f"{base}{quote(sid, safe='')}" if base else f"/console/search?q={quote(sid, safe='')}"

    def error(self, code: int | None) -> str:
        """The title of an error code."""
        entry = CATALOGUE.get(code) if code else None
        return entry.title if entry else ""


@cache
def _environment(language: str) -> Environment:
    extensions: list[str | type[Extension]] = ["jinja2.ext.i18n", "jinja2.ext.loopcontrols"]
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=extensions,
    )
    del environment.filters["safe"]  # a template that would mark text as safe does not compile
    environment.filters["path"] = lambda text: quote(str(text), safe="")
    words.install(environment, language)
    return environment


def page_key(request: Request) -> str:
    """The page a request belongs to: its twins belong to it too."""
    path = request.url.path
    for ending in (".json", ".csv"):
        path = path.removesuffix(ending)
    return path


def teller(request: Request) -> Teller:
    """How to tell values to whoever asks."""
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    now = visitor.now if visitor else NOBODYS_TIME
    return Teller(visitor, prefs_of(request), page=page_key(request), now=now)


def say(request: Request, sentence: str, **values: object) -> str:
    """`sentence` in the visitor's language, with its named values filled in."""
    told = words.translations(prefs_of(request).language).gettext(sentence)
    return told % values if values else told


def retell(request: Request, sentence: Sentence) -> str:
    """A sentence of the core in the visitor's language, its times in their zone."""
    return sentence.told(words.translations(prefs_of(request).language).gettext, teller(request).moment)


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """The page that `template` makes of `values`. Behind it stand `visitor`, `prefs`, `tell`, `ui` (the macros) and more."""
    html = render(request, template, **values)
    answer = HTMLResponse(html, status, headers=HEADERS)
    if TOAST in request.cookies and not is_piece(request):
        answer.delete_cookie(TOAST, path="/console")
    return answer


def render(request: Request, template: str, **values: Any) -> str:
    context = {**_context(request), **values}
    environment = _environment(context["prefs"].language)
    macros = environment.get_template("ui.html").make_module(context)
    return environment.get_template(template).render(context, ui=macros)


def _context(request: Request) -> dict[str, Any]:
    choices, static = house_of(request).choices, request.app.state.static
    tell = teller(request)
    assert isinstance(static, Static)
    return {
        "visitor": tell.visitor,
        "prefs": tell.prefs,
        "tell": tell,
        "now": tell.now,
        "may": lambda role: tell.visitor is not None and tell.visitor.role.may(Role(role)),
        "navigation": NAVIGATION,
        "here": page_key(request),
        "query": request.query_params,
        "url_with": lambda **changes: url_with(request, **changes),
        "static": static.url,
        "demo": choices.demo,
        "version": choices.version,
        "base": choices.public_url,
        "languages": words.LANGUAGES,
        "language_tag": words.tag(tell.prefs.language),
        "direction": words.direction(tell.prefs.language),
        "token_field": TOKEN_FIELD,
        "form_token": form_token(request),
        "toast": _toast(request),
        "given": {},  # what a form was sent with, when it comes back
        "wrong": {},  # field → sentence
    }


def url_with(request: Request, **changes: str | int | None) -> str:
    """This page's address with other parameters; None takes one out. The place in a list is never kept."""
    kept = [(k, v) for k, v in request.query_params.multi_items() if k not in {*changes, "after", "before", "rows_after", "rows"}]
    added = [(k, str(v)) for k, v in changes.items() if v is not None]
    query = urlencode([*kept, *added])
    return page_key(request) + (f"?{query}" if query else "")


# ── after an act ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """The form that takes an act back."""

    action: str
    fields: Mapping[str, str]
    label: str = N_("Undo")


def done(request: Request, to: str, sentence: str = "", *, undo: Undo | None = None) -> Response:
    """Go to `to`, and say there what was done. `to` is a path of this console."""
    answer = RedirectResponse(local(to), 303, headers=HEADERS)
    if sentence:
        told = {"text": sentence, "undo": {"action": undo.action, "fields": dict(undo.fields), "label": undo.label} if undo else None}
        text = base64.urlsafe_b64encode(json.dumps(told).encode()).decode()
        set_cookie(request, answer, TOAST, f"{text}.{signature(request, text)}", seconds=60, path="/console", hidden=True)
    return answer


def _toast(request: Request) -> dict[str, Any] | None:
    text, _, signed = request.cookies.get(TOAST, "").strip('"').rpartition(".")
    if not text or signed != signature(request, text):
        return None
    told: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text))
    return told


def local(to: str) -> str:
    """`to` if it is a path of this console, else its first page: nobody is sent elsewhere."""
    # A browser reads "/console\\evil" and "/console//…" as this host still; "//host" and "https:" never pass.
    return to if to.startswith("/console") and to[8:9] in ("", "/", "?") and "\\" not in to and "\n" not in to and "\r" not in to else "/console/"


def set_cookie(
    request: Request, answer: Response, name: str, value: str, *, seconds: int, path: str = "/", hidden: bool = False
) -> None:
    answer.set_cookie(
        name, value, max_age=seconds, path=path, secure=request.url.scheme == "https", httponly=hidden, samesite="lax"
    )
