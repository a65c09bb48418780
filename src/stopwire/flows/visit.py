"""Visiting the console: signing in and out, who is here, and what they may see. What they do is in the other flows.

A session is a random token in a cookie; only its digest is kept. Every sign-in, refused or not, is in the audit log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from stopwire.core.roles import Role
from stopwire.core.senders import Directory
from stopwire.ports.store import AuditRow, Cut, Session, Tx, User
from stopwire.ports.world import World

SESSION_LIFE = timedelta(days=14)
IDLE_LIFE = timedelta(days=3)  # unseen for so long, a session is over
SEEN_EVERY = timedelta(minutes=5)  # a visit is noted no oftener: a page that is only read writes nothing
REVEAL_LIFE = timedelta(minutes=10)
TRIES_WINDOW = timedelta(minutes=15)
TRIES_PER_NAME = 10
TRIES_PER_ADDRESS = 30
FAILED = "sign_in.failed"
BADGE_MAX = 100  # more open suggestions than this are not counted
AGENT_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The token of a new session; or why there is none: `link`, `password`, `tries`, `suspended`."""

    token: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who is looking, and what every page shows around itself."""

    session: str
    account: str
    account_name: str
    user: str | None
    name: str
    role: Role
    reveal: bool
    revealed: str | None = None  # the page whose numbers are shown whole, until then
    revealed_until: datetime | None = None
    now: datetime
    to_review: int = 0
    senders: tuple[str, ...] = ()  # our own addresses, which are nobody's secret
    last_event: int = 0  # of the live tail, before anything of the page was read: what comes later is told to it

    @property
    def actor(self) -> str:
        """How ledger, versions and audit log name them."""
        return f"console:{self.name}"


async def open_link(world: World, *, token: str, agent: str, address: str) -> SignedIn:
    """Use a one-time link. Who has one is the owner: it is only shown on the gateway's own machine."""
    fresh = world.ids.token() + world.ids.token()
    unit = partial(
        _open_link,
        digest=world.vault.digest(token),
        new=_new_session(world, fresh, account="", user=None, agent=agent, address=address),
        audit_id=world.ids.sid("AU"),
    )
    failure = await world.store.write(unit, account="")
    return SignedIn(failure=failure) if failure else SignedIn(token=fresh)


def _open_link(tx: Tx, *, digest: str, new: Session, audit_id: str) -> str:
    link, now = tx.people.find_session(digest), new.created_at
    if link is None or link.kind != "sign_in" or link.used_at is not None or link.expires_at <= now:
        return "link"
    own = tx.of(link.account)
    if own.services.directory().account.status != "active":
        return "suspended"
    own.people.save_session(replace(link, used_at=now))
    own.people.add_session(replace(new, account=link.account))
    own.audit.add([AuditRow(id=audit_id, account=link.account, at=now, actor="console:owner", act="sign_in", subject="link", address=new.address)])
    return ""


async def sign_in(world: World, *, name: str, password: str, agent: str, address: str) -> SignedIn:
    """Sign in by name and password. The unknown name takes as long as the wrong password, and is told the same."""
    now, name = world.clock.now(), name.strip()
    folded = name.casefold()[:64]
    since = now - TRIES_WINDOW

    def look(tx: Tx) -> tuple[User | None, bool]:
        tired = (
            tx.audit.tries(FAILED, since, subject=folded) >= TRIES_PER_NAME
            or tx.audit.tries(FAILED, since, address=address) >= TRIES_PER_ADDRESS
        )
        return (None if tired else tx.people.find_user(name)), tired

    user, tired = await world.store.read(look, account="")
    if tired:
        return SignedIn(failure="tries")
    right = await world.vault.verify_password(user.password if user else None, password)
    audit_id = world.ids.sid("AU")
    if user is None or not right:
        row = AuditRow(id=audit_id, account=user.account if user else "", at=now, actor="nobody", act=FAILED, subject=folded, address=address)
        await world.store.write(lambda tx: tx.audit.add([row]), account=row.account)
        return SignedIn(failure="password")
    token = world.ids.token() + world.ids.token()
    session = _new_session(world, token, account=user.account, user=user.sid, agent=agent, address=address)
    row = AuditRow(id=audit_id, account=user.account, at=now, actor=f"console:{user.name}", act="sign_in", subject="password", address=address)
    failure = await world.store.write(partial(_begin, session=session, row=row), account=user.account)
    return SignedIn(failure=failure) if failure else SignedIn(token=token)


def _begin(tx: Tx, *, session: Session, row: AuditRow) -> str:
    if tx.services.directory().account.status != "active":
        return "suspended"
    tx.people.add_session(session)
    tx.audit.add([row])
    return ""


def _new_session(world: World, token: str, *, account: str, user: str | None, agent: str, address: str) -> Session:
    now = world.clock.now()
    return Session(
        id=world.ids.sid("SE"),
        digest=world.vault.digest(token),
        account=account,
        kind="session",
        user=user,
        created_at=now,
        seen_at=now,
        expires_at=now + SESSION_LIFE,
        agent=agent[:AGENT_CHARS],
        address=address,
    )


async def visitor(world: World, *, token: str) -> Visitor | None:
    """Who this session's token stands for; None where it is over."""
    digest, now, last_event = world.vault.digest(token), world.clock.now(), world.tail.newest()
    found = await world.store.read(partial(_visitor, digest=digest, now=now), account="")
    if found is None:
        return None
    session, seen = found
    if now - session.seen_at >= SEEN_EVERY:
        await world.store.write(partial(_see, digest=digest, now=now), account=session.account)
    return replace(seen, last_event=last_event)


def _visitor(tx: Tx, *, digest: str, now: datetime) -> tuple[Session, Visitor] | None:
    session = tx.people.find_session(digest)
    if session is None or session.kind != "session" or session.expires_at <= now or now - session.seen_at > IDLE_LIFE:
        return None
    own = tx.of(session.account)
    directory: Directory = own.services.directory()
    user = own.people.user(session.user) if session.user else None
    if directory.account.status != "active" or (session.user and user is None):
        return None
    open_suggestions = own.suggestions.page(Cut(limit=BADGE_MAX), state="open")
    revealing = session.revealed_until is not None and session.revealed_until > now
    return session, Visitor(
        session=session.id,
        account=session.account,
        account_name=directory.account.friendly_name,
        user=user.sid if user else None,
        name=user.name if user else "owner",
        role=user.role if user else Role.OWNER,
        reveal=user.reveal if user else True,
        revealed=session.revealed if revealing else None,
        revealed_until=session.revealed_until if revealing else None,
        now=now,
        to_review=len(open_suggestions),
        senders=tuple(sender.address for sender in directory.senders.values()),
    )


def _see(tx: Tx, *, digest: str, now: datetime) -> None:
    if session := tx.people.find_session(digest):
        tx.people.save_session(replace(session, seen_at=now))


async def sign_out(world: World, *, account: str, session: str) -> None:
    await world.store.write(lambda tx: tx.people.end_session(session), account=account)


async def reveal(world: World, *, token: str, page: str, address: str) -> bool:
    """Show the numbers of one page whole for ten minutes, to those with the right; one audit row names the page."""
    unit = partial(
        _reveal, digest=world.vault.digest(token), page=page, now=world.clock.now(), audit_id=world.ids.sid("AU"), address=address
    )
    return await world.store.write(unit, account="")


def _reveal(tx: Tx, *, digest: str, page: str, now: datetime, audit_id: str, address: str) -> bool:
    found = _visitor(tx, digest=digest, now=now)
    if found is None or not found[1].reveal:
        return False
    session, who = found
    own = tx.of(session.account)
    own.people.save_session(replace(session, revealed=page, revealed_until=now + REVEAL_LIFE))
    row = AuditRow(id=audit_id, account=session.account, at=now, actor=who.actor, act="numbers.revealed", subject=page, address=address)
    own.audit.add([row])
    return True


async def note(
    world: World, *, account: str, actor: str, act: str, subject: str = "", address: str = "", detail: Mapping[str, Any] | None = None
) -> None:
    """One row of the audit log."""
    row = AuditRow(
        id=world.ids.sid("AU"), account=account, at=world.clock.now(), actor=actor, act=act, subject=subject, address=address, detail=detail or {}
    )
    await world.store.write(lambda tx: tx.audit.add([row]), account=account)
