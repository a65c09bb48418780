"""The palette and the search page: pages, acts, and what an id, a number, an error code or a word leads to.

A full number can be searched by those who may not see it; what is found shows it masked.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.render import N_, NAVIGATION, PLACES, page, say, teller
from stopwire.console.session import house_of, shows, visitor_of
from stopwire.core.address import parse_recipient
from stopwire.core.errors import CATALOGUE
from stopwire.core.roles import Role
from stopwire.ports.store import Services

ROWS_MAX = 12
_SID = re.compile(r"([A-Z]{2})[0-9a-f]{32}")
_DIGITS = re.compile(r"[0-9]{4,15}")
_QUERY_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One row: where it leads, what it is called, and a word beside it."""

    href: str
    title: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Act:
    title: str
    href: str
    role: Role


ACTS = (
    _Act(title=N_("Text something from a handset"), href="/console/simulator", role=Role.OPERATOR),
    _Act(title=N_("Block a number"), href="/console/blocks#add", role=Role.OPERATOR),
    _Act(title=N_("Would this be sent? Check a number"), href="/console/blocks#check", role=Role.VIEWER),
    _Act(title=N_("Import a block list"), href="/console/imports", role=Role.OPERATOR),
    _Act(title=N_("Create a messaging service"), href="/console/services/new", role=Role.ADMIN),
    _Act(title=N_("Connect a carrier"), href="/console/carriers/new", role=Role.ADMIN),
    _Act(title=N_("Add a person to the team"), href="/console/settings/team", role=Role.OWNER),
    _Act(title=N_("Make an API key"), href="/console/developers/keys", role=Role.ADMIN),
    _Act(title=N_("Look at alerts"), href="/console/alerts", role=Role.VIEWER),
    _Act(title=N_("Set when alerts fire"), href="/console/alerts/rules", role=Role.ADMIN),
    _Act(title=N_("Verify the ledger"), href="/console/ledger", role=Role.VIEWER),
    _Act(title=N_("Change theme or language"), href="/console/settings/preferences", role=Role.VIEWER),
)


async def search(request: Request) -> Response:
    query = request.query_params.get("q", "").strip()[:_QUERY_CHARS]
    found = await _found(request, query) if query else []
    places = [Found(href=place.href, title=say(request, place.title)) for place in NAVIGATION]
    role = visitor_of(request).role
    acts = [Found(href=act.href, title=say(request, act.title)) for act in ACTS if role.may(act.role)]
    groups = [
        (N_("Found"), found[:ROWS_MAX]),
        (N_("Go to"), [each for each in places if _fits(query, each.title)]),
        (N_("Do"), [each for each in acts if _fits(query, each.title)]),
        (N_("Search"), _in_texts(request, query)),
    ]
    left, shown = ROWS_MAX, []
    for title, rows in groups:
        if rows[:left]:
            shown.append((title, rows[:left]))
            left -= len(rows[:left])
    return page(request, "search.html", groups=shown, asked=query)


def _fits(query: str, title: str) -> bool:
    """Whether every word of the query begins a word of the title."""
    words = re.findall(r"\w+", title.casefold())
    return all(any(word.startswith(part) for word in words) for part in re.findall(r"\w+", query.casefold()))


def _in_texts(request: Request, query: str) -> list[Found]:
    if len(query) < 3 or _SID.fullmatch(query) or _DIGITS.fullmatch(query):
        return []
    wanted = quote('text:"{}"'.format(query.replace('"', " ")))
    return [Found(href=f"/console/messages?q={wanted}", title=f"“{query}”", note=say(request, N_("in the text of messages")))]


async def _found(request: Request, query: str) -> list[Found]:
    tell = teller(request)
    found: list[Found] = []
    if (sid := _SID.fullmatch(query)) and sid[1] in PLACES:
        found.append(Found(href=tell.place(query), title=query, note=say(request, _KINDS.get(sid[1], N_("open")))))
    if query.isascii() and query.isdigit() and (entry := CATALOGUE.get(int(query))):
        note = say(request, N_("error code"))
        found.append(Found(href=f"/console/developers/errors/{entry.code}", title=f"{entry.code} {entry.title}", note=note))
    digits = re.sub(r"[\s().-]", "", query).removeprefix("+")
    person = parse_recipient(query) or parse_recipient(f"+{digits}")
    if person is not None:
        found.append(Found(href=f"/console/recipients/{quote(person, safe='')}", title=tell.number(person), note=say(request, N_("person"))))
    if _DIGITS.fullmatch(digits):
        listed = tell.number(person) if person else f"…{digits}"
        found.append(Found(href=f"/console/messages?q={quote(f'person:*{digits}')}", title=listed, note=say(request, N_("messages of this number"))))
        found.append(Found(href=f"/console/blocks?q={quote(digits)}", title=listed, note=say(request, N_("blocks of this number"))))
    directory = await house_of(request).read(visitor_of(request).account, Services.directory)
    wanted = query.casefold()
    for service in directory.services.values():
        if wanted in service.friendly_name.casefold():
            found.append(Found(href=tell.place(service.sid), title=service.friendly_name, note=say(request, N_("messaging service"))))
    for sender in directory.senders.values():
        if wanted in sender.address.casefold() or wanted in sender.friendly_name.casefold():
            found.append(Found(href=tell.place(sender.sid), title=sender.address, note=say(request, N_("sender"))))
    return found


_KINDS = {
    "SM": N_("message"), "MM": N_("message"), "RF": N_("refused send"), "MG": N_("messaging service"), "PN": N_("sender"), "SC": N_("sender"),
    "AI": N_("sender"), "XE": N_("sender"), "CE": N_("consent event"), "WD": N_("webhook delivery"), "IM": N_("import"), "SG": N_("review"),
    "AL": N_("alert"),
}  # fmt: skip

routes = [shows("/console/search", search)]
