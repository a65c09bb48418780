"""Developers: where the API is, the call in eight languages, API keys, and every error code with its cause and cure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.listing import Column, listing, table
from stopwire.console.render import N_, done, page, say, url_with
from stopwire.console.session import acts, form_of, house_of, shows, visitor_of
from stopwire.console.snippets import calls_of_send
from stopwire.core.errors import CATALOGUE, Entry, more_info
from stopwire.core.roles import Role
from stopwire.flows import account as accounts
from stopwire.flows import requests
from stopwire.ports.store import Accounts, Cut, EntryFilter, Key, Messages, Services

PATH = "/console/developers"
TABS = (("", N_("Start")), ("/keys", N_("API keys")), ("/requests", N_("Requests")), ("/errors", N_("Error codes")))
CONFIRMED = "revoke"  # typed to revoke a key: it cannot be undone
SEEN = 5  # messages shown with a code
FIELD_CHARS_MAX = 1600


def _shown(request: Request, template: str, tab: str, status: int = 200, **values: Any) -> Response:
    return page(request, template, status=status, tabs=TABS, tab=tab, **values)


async def show(request: Request) -> Response:
    """The call that sends a text, with this server's address, this account's SID and the values just typed."""
    house, account, query = house_of(request), visitor_of(request).account, request.query_params
    directory = await house.read(account, Services.directory)
    senders = sorted(directory.senders.values(), key=lambda sender: sender.created_at)
    services = sorted(directory.services.values(), key=lambda service: service.created_at)
    speakers = [*[(each.sid, each.friendly_name) for each in services], *[(each.address, each.address) for each in senders]]
    from_ = query.get("from", "")
    if from_ not in {each for each, _ in speakers}:
        from_ = speakers[0][0] if speakers else ""
    typed = {
        "to": query.get("to", "+14155550101")[:64],
        "from": from_,
        "body": query.get("body", "Sale ends tonight. Reply STOP to end")[:FIELD_CHARS_MAX],
    }
    calls = calls_of_send(
        base=house.choices.public_url,
        account=account,
        to=typed["to"],
        from_="" if from_.startswith("MG") else from_,
        service=from_ if from_.startswith("MG") else "",
        body=typed["body"],
    )
    language = query.get("lang", "")
    chosen = language if language in calls else "curl"
    tabs = [(each, url_with(request, lang=each)) for each in calls]
    return _shown(request, "developers.html", "", account=account, speakers=speakers, typed=typed, calls=calls, chosen=chosen, languages_of=tabs)


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────

KEY_COLUMNS: tuple[Column[Key], ...] = (
    Column(name="sid", value=lambda key: key.sid, title=N_("SID")),
    Column(name="friendly_name", value=lambda key: key.friendly_name, title=N_("Name")),
    Column(name="created_at", value=lambda key: key.created_at, title=N_("Made"), priority=2),
    Column(name="updated_at", value=lambda key: key.updated_at, title=N_("Change")),
)


async def show_keys(request: Request) -> Response:
    return await _keys(request)


async def _keys(request: Request, **values: Any) -> Response:
    account = visitor_of(request).account

    async def ask(cut: Cut) -> Sequence[Key]:
        return await house_of(request).read(account, Accounts.keys, cut)

    used: dict[str, datetime] = {}

    async def with_use(cut: Cut) -> Sequence[Key]:
        found = await ask(cut)
        used.update((await house_of(request)(requests.used, keys=[key.sid for key in found])).keys)
        return found

    used_at: Column[Key] = Column(name="last_used_at", value=lambda key: used.get(key.sid), title=N_("Last used"), priority=2)
    columns = (*KEY_COLUMNS[:-1], used_at, KEY_COLUMNS[-1])
    given: dict[str, Any] = {"made": None, "secret": "", "after": None, "confirmed": CONFIRMED, "wrong_key": "", "used": used, **values}
    return await listing(
        request, "developers_keys.html", columns=columns, ask=with_use, id_of=lambda key: key.sid, tabs=TABS, tab="/keys", **given
    )


async def make_key(request: Request) -> Response:
    """A new key. Its secret stands on this one answer, and nowhere else ever."""
    form = await form_of(request)
    name = str(form.get("friendly_name", "")).strip()
    made = await house_of(request)(accounts.create_key, account=visitor_of(request).account, friendly_name=name)
    if made.key is None:
        return await _keys(request, given=form, wrong={"friendly_name": say(request, N_("At most 64 characters fit a name."))})
    request.state.subject, request.state.detail = made.key.sid, {"name": name}
    return await _keys(request, made=made.key, secret=made.secret or "")


async def rename_key(request: Request) -> Response:
    form, sid = await form_of(request), request.path_params["sid"]
    renamed = await house_of(request)(
        accounts.rename_key, account=visitor_of(request).account, key=sid, friendly_name=str(form.get("friendly_name", "")).strip()
    )
    if renamed.refused is not None:
        return await _keys(request, wrong_key=sid, wrong={"key": say(request, N_("At most 64 characters fit a name."))})
    if renamed.key is None:
        raise HTTPException(404)
    return done(request, PATH + "/keys", say(request, N_("The key is renamed.")))


async def rotate_key(request: Request) -> Response:
    """A new key of the same name beside the old one, which works until it is revoked: no application has to stop in between."""
    house, account, sid = house_of(request), visitor_of(request).account, request.path_params["sid"]
    old = await house.read(account, Accounts.key, sid)
    if old is None:
        raise HTTPException(404)
    made = await house(accounts.create_key, account=account, friendly_name=old.friendly_name)
    if made.key is None:
        raise HTTPException(409, "The key could not be made again under its name: rename it first.")
    request.state.subject, request.state.detail = made.key.sid, {"after": sid}
    return await _keys(request, made=made.key, secret=made.secret or "", after=old)


async def revoke_key(request: Request) -> Response:
    form, sid = await form_of(request), request.path_params["sid"]
    if str(form.get("word", "")).strip().casefold() != CONFIRMED:
        sentence = say(request, N_("Type %(word)s: what uses this key stops working at once."), word=CONFIRMED)
        return await _keys(request, wrong_key=sid, wrong={"key": sentence})
    if not await house_of(request)(accounts.delete_key, account=visitor_of(request).account, key=sid):
        raise HTTPException(404)
    return done(request, PATH + "/keys", say(request, N_("The key is revoked: it opens nothing any more.")))


# ── error codes ──────────────────────────────────────────────────────────────────────────────────────────

ERROR_COLUMNS: tuple[Column[Entry], ...] = (
    Column(name="code", value=lambda entry: entry.code, title=N_("Code"), figure=True),
    Column(name="title", value=lambda entry: entry.title, title=N_("What it is called")),
    Column(name="status", value=lambda entry: entry.status, title=N_("HTTP"), figure=True, priority=2),
    Column(name="cause", value=lambda entry: entry.cause, title=N_("Cause"), priority=3),
    Column(name="cure", value=lambda entry: entry.cure),
)


async def show_errors(request: Request) -> Response:
    wanted = request.query_params.get("find", "").strip().casefold()[:100]
    found = [entry for entry in CATALOGUE.values() if wanted in f"{entry.code} {entry.title} {entry.cause} {entry.cure}".casefold()]
    found.sort(key=lambda entry: entry.code)

    async def ask(cut: Cut) -> Sequence[Entry]:
        named = cut.after or cut.before or ""
        place = next((number for number, entry in enumerate(found) if str(entry.code) == named), None)
        if cut.after:
            return found[place + 1 :][: cut.limit] if place is not None else []
        if cut.before:
            return found[max(0, (place or 0) - cut.limit) : place or 0]
        return found[: cut.limit]

    return await listing(
        request, "developers_errors.html", columns=ERROR_COLUMNS, ask=ask, id_of=lambda entry: str(entry.code), size=len(CATALOGUE), tabs=TABS,
        tab="/errors", wanted=wanted,
    )  # fmt: skip


async def show_error(request: Request) -> Response:
    given = request.path_params["code"]
    code = int(given) if given.isascii() and given.isdigit() and len(given) < 9 else 0
    entry = CATALOGUE.get(code)
    if entry is None:
        raise HTTPException(404)
    seen = await house_of(request).read(visitor_of(request).account, Messages.entries, EntryFilter(code=code), Cut(limit=SEEN))
    return _shown(request, "developers_error.html", "/errors", entry=entry, seen=seen, dictionary=more_info(code))


routes = [
    shows(PATH, show),
    *table(PATH + "/keys", show_keys),
    acts(PATH + "/keys", make_key, role=Role.ADMIN, act="key.made"),
    acts(PATH + "/keys/{sid}", rename_key, role=Role.ADMIN, act="key.renamed"),
    acts(PATH + "/keys/{sid}/rotate", rotate_key, role=Role.ADMIN, act="key.rotated"),
    acts(PATH + "/keys/{sid}/revoke", revoke_key, role=Role.ADMIN, act="key.revoked"),
    *table(PATH + "/errors", show_errors),
    shows(PATH + "/errors/{code}", show_error),
]
