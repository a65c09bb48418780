"""Settings: the account, the team and its sessions, backups, and the audit log. Health, and what is kept how long, are beside."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.listing import Column, listing, table
from stopwire.console.render import N_, done, page, say
from stopwire.console.session import acts, address_of, form_of, house_of, shows, visitor_of
from stopwire.core.policy import Problem
from stopwire.core.roles import Role
from stopwire.flows import account as accounts
from stopwire.flows import auth_token, backup, team
from stopwire.ports.store import Audit, AuditRow, Cut, People, Services, Session

TABS = (
    ("account", N_("Account")),
    ("team", N_("Team")),
    ("sessions", N_("Sessions")),
    ("preferences", N_("Preferences")),
    ("retention", N_("Retention")),
    ("backup", N_("Backup")),
    ("health", N_("Health")),
    ("audit", N_("Audit log")),
)

PROMOTED = "promote"  # typed to promote the secondary token: whoever uses the primary one is shut out

# What each setting of the account is called, and what its values mean.
SETTINGS: dict[str, tuple[str, dict[str, str]]] = {
    "opt_out_scope": (
        N_("What a STOP covers"),
        {
            "holder": N_("the sender, or the messaging service, that got it"),
            "account": N_("every sender of the account"),
        },
    ),
    "opted_out_send": (
        N_("A send to somebody who said STOP"),
        {"reject": N_("is refused with error 21610"), "accept_then_fail": N_("is accepted, and fails with error 21610")},
    ),
    "help_when_blocked": (
        N_("HELP from somebody who said STOP"),
        {"reply": N_("is answered"), "silent": N_("is not answered")},
    ),
    "webhook_retries": (
        N_("Webhooks that fail are tried again"),
        {"none": N_("never"), "inbound": N_("for messages that came in"), "all": N_("always, status callbacks too")},
    ),
    "media_auth": (
        N_("Fetching media asks for"),
        {"none": N_("nothing: the address is the secret"), "basic": N_("the account's credentials")},
    ),
    "ambiguous": (
        N_("A text whose carrier never answered"),
        {"hold": N_("is not sent again: it may have arrived"), "retry": N_("is sent again: it may arrive twice")},
    ),
    "landlines": (
        N_("A text to a number that is surely a landline"),
        {"accept": N_("is sent: some take texts"), "refuse": N_("is refused with error 21635, unless ForceDelivery is given")},
    ),
}


def _shown(request: Request, tab: str, status: int = 200, **values: object) -> Response:
    return page(request, f"settings_{tab}.html", status=status, tabs=TABS, tab=tab, **values)


def _sentences(problems: Sequence[Problem]) -> dict[str, str]:
    return {problem.path: problem.message for problem in problems}


# ── account ──────────────────────────────────────────────────────────────────────────────────────────────


async def show_account(request: Request) -> Response:
    return await _account(request)


async def _account(request: Request, status: int = 200, token: str = "", **values: object) -> Response:
    house, account = house_of(request), visitor_of(request).account
    directory = await house.read(account, Services.directory)
    given = {"secondary": "", "tokens": await house(auth_token.tokens, account=account), "promoted": PROMOTED, **values}
    settings = asdict(directory.account.settings)
    return _shown(request, "account", status, account=directory.account, settings=settings, choices=SETTINGS, token=token, **given)


async def change_account(request: Request) -> Response:
    form = await form_of(request)
    changes: dict[str, Any] = {name: str(form[name]) for name in ("friendly_name", *SETTINGS) if name in form}
    if "countries" in form:
        changes["countries"] = str(form["countries"]).replace(",", " ").split() or None
    changed = await house_of(request)(accounts.change_account, account=visitor_of(request).account, changes=changes)
    if changed.problems:
        return await _account(request, 422, given=form, wrong=_sentences(changed.problems))
    request.state.detail = changes
    return done(request, "/console/settings/account", say(request, N_("The account is changed.")))


async def show_token(request: Request) -> Response:
    """The auth token, once, to those who could change everything anyway; noted in the audit log."""
    directory = await house_of(request).read(visitor_of(request).account, Services.directory)
    return await _account(request, token=directory.account.auth_token)


async def make_secondary(request: Request) -> Response:
    """A second token. It stands on this one answer, and nowhere else ever."""
    visitor = visitor_of(request)
    made = await house_of(request)(
        auth_token.create_secondary, account=visitor.account, actor=visitor.actor, address=address_of(request)
    )
    if made.account is None:
        return await _account(request, 409)  # it is there already, as the page shows
    return await _account(request, secondary=made.account.secondary_token or "")


async def promote_secondary(request: Request) -> Response:
    form, visitor = await form_of(request), visitor_of(request)
    if str(form.get("word", "")).strip().casefold() != PROMOTED:
        sentence = say(request, N_("Type %(word)s: what signs in with the primary token stops working at once."), word=PROMOTED)
        return await _account(request, 422, wrong={"token": sentence})
    done_ = await house_of(request)(auth_token.promote, account=visitor.account, actor=visitor.actor, address=address_of(request))
    if done_.account is None:
        raise HTTPException(404)
    sentence = say(request, N_("The secondary token is the auth token now; the one before opens nothing any more."))
    return done(request, "/console/settings/account", sentence)


async def remove_secondary(request: Request) -> Response:
    visitor = visitor_of(request)
    removed = await house_of(request)(
        auth_token.delete_secondary, account=visitor.account, actor=visitor.actor, address=address_of(request)
    )
    if removed.account is None:
        raise HTTPException(404)
    return done(request, "/console/settings/account", say(request, N_("The secondary token is removed: it opens nothing any more.")))


# ── team ─────────────────────────────────────────────────────────────────────────────────────────────────


async def show_team(request: Request) -> Response:
    return await _team(request)


async def _team(request: Request, status: int = 200, **values: object) -> Response:
    users = await house_of(request).read(visitor_of(request).account, People.users)
    return _shown(request, "team", status, users=users, roles=[role.value for role in Role], **values)


async def add_user(request: Request) -> Response:
    form = await form_of(request)
    changed = await house_of(request)(
        team.add_user,
        account=visitor_of(request).account,
        name=str(form.get("name", "")),
        password=str(form.get("password", "")),
        role=_role(form.get("role")),
        reveal=form.get("reveal") == "on",
    )
    if changed.user is None:
        return await _team(request, 422, given=form, wrong=_sentences(changed.problems))
    request.state.subject = changed.user.sid
    request.state.detail = {"name": changed.user.name, "role": changed.user.role.value}
    return done(request, "/console/settings/team", say(request, N_("%(name)s can sign in now."), name=changed.user.name))


def _role(given: object) -> Role:
    try:
        return Role(str(given))
    except ValueError:
        raise HTTPException(422, "There is no such role.") from None


async def change_user(request: Request) -> Response:
    form, sid = await form_of(request), request.path_params["sid"]
    _not_oneself(request, sid)
    role, reveal = _role(form.get("role")), form.get("reveal") == "on"
    changed = await house_of(request)(team.change_user, account=visitor_of(request).account, user=sid, role=role, reveal=reveal)
    if changed.user is None:
        raise HTTPException(404)
    request.state.detail = {"role": role.value, "reveal": reveal}
    return done(request, "/console/settings/team", say(request, N_("%(name)s is changed."), name=changed.user.name))


async def remove_user(request: Request) -> Response:
    sid = request.path_params["sid"]
    _not_oneself(request, sid)
    if not await house_of(request)(team.remove_user, account=visitor_of(request).account, user=sid):
        raise HTTPException(404)
    return done(request, "/console/settings/team", say(request, N_("Removed; their sessions are over.")))


def _not_oneself(request: Request, sid: str) -> None:
    if visitor_of(request).user == sid:
        raise HTTPException(409, "This is you: somebody else has to change or remove you, so that nobody locks themselves out.")


async def set_password(request: Request) -> Response:
    """One's own, after saying the old one; or, as an owner, anybody's."""
    form, visitor = await form_of(request), visitor_of(request)
    sid = request.path_params.get("sid") or visitor.user
    if sid is None:
        raise HTTPException(409, "You came by a link and have no password: add yourself to the team first.")
    if sid == visitor.user and not await house_of(request)(
        team.is_password, account=visitor.account, user=sid, password=str(form.get("old", ""))
    ):
        return _preferences(request, 422, wrong={"old": say(request, N_("This is not your password."))})
    changed = await house_of(request)(
        team.set_password, account=visitor.account, user=sid, password=str(form.get("password", "")), session=visitor.session
    )
    if changed.problems and sid == visitor.user:
        return _preferences(request, 422, wrong=_sentences(changed.problems))
    if changed.user is None:
        return await _team(request, 422, wrong_password=(sid, changed.problems[0].message))
    request.state.subject = sid
    back = "/console/settings/preferences" if sid == visitor.user else "/console/settings/team"
    return done(request, back, say(request, N_("The password is set; other sessions are over.")))


# ── sessions ─────────────────────────────────────────────────────────────────────────────────────────────


async def show_sessions(request: Request) -> Response:
    return _shown(request, "sessions", sessions=await _sessions(request))


async def _sessions(request: Request) -> list[tuple[Session, str]]:
    """Sessions with whose they are: one's own, or for an admin everybody's."""
    visitor = visitor_of(request)
    house = house_of(request)
    found = await house.read(visitor.account, People.sessions, visitor.now)
    names = {user.sid: user.name for user in await house.read(visitor.account, People.users)}
    seen = [each for each in found if visitor.role.may(Role.ADMIN) or each.user == visitor.user]
    return [(each, names.get(each.user or "", "owner")) for each in seen]


async def end_session(request: Request) -> Response:
    sid = request.path_params["sid"]
    if sid not in {session.id for session, _ in await _sessions(request)}:
        raise HTTPException(404)
    await house_of(request)(team.end_session, account=visitor_of(request).account, session=sid)
    return done(request, "/console/settings/sessions", say(request, N_("The session is over.")))


# ── preferences, backup ──────────────────────────────────────────────────────────────────────────────────


async def show_preferences(request: Request) -> Response:
    return _preferences(request)


def _preferences(request: Request, status: int = 200, **values: object) -> Response:
    return _shown(request, "preferences", status, **values)


async def show_backup(request: Request) -> Response:
    return await _backups(request)


async def _backups(request: Request, status: int = 200, **values: object) -> Response:
    made = await house_of(request).read("", Audit.page, Cut(limit=10), "backup")
    return _shown(request, "backup", status, made=made, **values)


async def make_backup(request: Request) -> Response:
    backed = await house_of(request)(backup.back_up_here, actor=visitor_of(request).actor)
    if backed.problem:
        return await _backups(request, 409, problem=backed.problem)
    request.state.subject = backed.path
    return done(request, "/console/settings/backup", say(request, N_("The backup is written, and was read back: %(path)s"), path=backed.path))


# ── audit log ────────────────────────────────────────────────────────────────────────────────────────────

AUDIT_COLUMNS: tuple[Column[AuditRow], ...] = (
    Column(name="id", value=lambda row: row.id),
    Column(name="at", value=lambda row: row.at, title=N_("Time")),
    Column(name="actor", value=lambda row: row.actor, title=N_("Who")),
    Column(name="act", value=lambda row: row.act, title=N_("Did")),
    Column(name="subject", value=lambda row: row.subject, title=N_("To"), person=True),
    Column(name="address", value=lambda row: row.address, title=N_("From address"), priority=2),
    Column(name="detail", value=lambda row: dict(row.detail), title=N_("More"), priority=3),
)


async def show_audit(request: Request) -> Response:
    account, act = visitor_of(request).account, request.query_params.get("act") or None

    async def ask(cut: Cut) -> Sequence[AuditRow]:
        return await house_of(request).read(account, Audit.page, cut, act)

    return await listing(
        request, "settings_audit.html", columns=AUDIT_COLUMNS, ask=ask, id_of=lambda row: row.id, tabs=TABS, tab="audit", act=act or ""
    )


routes = [
    shows("/console/settings", show_account),
    shows("/console/settings/account", show_account),
    acts("/console/settings/account", change_account, role=Role.ADMIN, act="account.changed"),
    acts("/console/settings/account/token", show_token, role=Role.ADMIN, act="token.shown"),
    acts("/console/settings/account/token/secondary", make_secondary, role=Role.ADMIN, act=None),
    acts("/console/settings/account/token/promote", promote_secondary, role=Role.ADMIN, act=None),
    acts("/console/settings/account/token/remove", remove_secondary, role=Role.ADMIN, act=None),
    shows("/console/settings/team", show_team, role=Role.ADMIN),
    acts("/console/settings/team", add_user, role=Role.OWNER, act="user.added"),
    acts("/console/settings/team/{sid}", change_user, role=Role.OWNER, act="user.changed"),
    acts("/console/settings/team/{sid}/password", set_password, role=Role.OWNER, act="user.password"),
    acts("/console/settings/team/{sid}/remove", remove_user, role=Role.OWNER, act="user.removed"),
    acts("/console/settings/password", set_password, role=Role.VIEWER, act="user.password"),
    shows("/console/settings/sessions", show_sessions),
    acts("/console/settings/sessions/{sid}/end", end_session, role=Role.VIEWER, act="session.ended"),
    shows("/console/settings/preferences", show_preferences),
    shows("/console/settings/backup", show_backup, role=Role.ADMIN),
    acts("/console/settings/backup", make_backup, role=Role.ADMIN, act="copy.made"),
    *table("/console/settings/audit", show_audit, role=Role.ADMIN),
]
