"""The team of an account: who may use the console, as what, with which password."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from stopwire.core.policy import Problem
from stopwire.core.roles import Role
from stopwire.ports.store import Tx, User
from stopwire.ports.world import World

NAME_CHARS_MAX = 64
PASSWORD_CHARS_MIN = 12  # NIST SP 800-63B asks for 8 or more; length is all that is asked
PASSWORD_BYTES_MAX = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamChanged:
    """The person as they now are, or what is wrong; then nothing was changed."""

    user: User | None = None
    problems: tuple[Problem, ...] = ()


async def add_user(world: World, *, account: str, name: str, password: str, role: Role, reveal: bool) -> TeamChanged:
    name = " ".join(name.split())
    if problems := (*_name_problems(name), *_password_problems(password, name)):
        return TeamChanged(problems=problems)
    now = world.clock.now()
    user = User(
        sid=world.ids.sid("US"),
        account=account,
        name=name,
        password=await world.vault.hash_password(password),
        role=role,
        reveal=reveal,
        created_at=now,
        updated_at=now,
    )
    return await world.store.write(partial(_add, user=user), account=account)


def _add(tx: Tx, *, user: User) -> TeamChanged:
    if tx.people.find_user(user.name) is not None:
        return _wrong("name", "Somebody has this name already: choose another.")
    tx.people.add_user(user)
    return TeamChanged(user=user)


async def change_user(world: World, *, account: str, user: str, role: Role, reveal: bool) -> TeamChanged:
    """Another role, and whether they may see whole numbers. It holds from their next page on."""
    return await world.store.write(partial(_change, sid=user, role=role, reveal=reveal, now=world.clock.now()), account=account)


def _change(tx: Tx, *, sid: str, role: Role, reveal: bool, now: datetime) -> TeamChanged:
    user = tx.people.user(sid)
    if user is None:
        return _wrong("user", "This person is no longer in the team.")
    changed = replace(user, role=role, reveal=reveal, updated_at=now)
    tx.people.save_user(changed)
    return TeamChanged(user=changed)


async def is_password(world: World, *, account: str, user: str, password: str) -> bool:
    found = await world.store.read(lambda tx: tx.people.user(user), account=account)
    return await world.vault.verify_password(found.password if found else None, password)


async def set_password(world: World, *, account: str, user: str, password: str, session: str | None = None) -> TeamChanged:
    """A new password. Their other sessions end; `session` is the one that goes on."""
    found = await world.store.read(lambda tx: tx.people.user(user), account=account)
    if found is None:
        return _wrong("user", "This person is no longer in the team.")
    if problems := _password_problems(password, found.name):
        return TeamChanged(problems=problems)
    hashed = await world.vault.hash_password(password)
    unit = partial(_set_password, sid=user, hashed=hashed, session=session, now=world.clock.now())
    return await world.store.write(unit, account=account)


def _set_password(tx: Tx, *, sid: str, hashed: str, session: str | None, now: datetime) -> TeamChanged:
    user = tx.people.user(sid)
    if user is None:
        return _wrong("user", "This person is no longer in the team.")
    changed = replace(user, password=hashed, updated_at=now)
    tx.people.save_user(changed)
    tx.people.end_sessions_of(sid, session)
    return TeamChanged(user=changed)


async def remove_user(world: World, *, account: str, user: str) -> bool:
    """Whether there was such a person. Their sessions end at once; what they did stays in the logs."""
    return await world.store.write(lambda tx: tx.people.delete_user(user), account=account)


async def end_session(world: World, *, account: str, session: str) -> bool:
    return await world.store.write(lambda tx: tx.people.end_session(session), account=account)


def _name_problems(name: str) -> tuple[Problem, ...]:
    if not 0 < len(name) <= NAME_CHARS_MAX or not name.isprintable():
        return (Problem(path="name", message=f"A name has 1 to {NAME_CHARS_MAX} letters."),)
    return ()


def _password_problems(password: str, name: str) -> tuple[Problem, ...]:
    if len(password) < PASSWORD_CHARS_MIN:
        message = f"The password has {len(password)} characters; at least {PASSWORD_CHARS_MIN} are asked for."
    elif len(password.encode("utf-8", "surrogatepass")) > PASSWORD_BYTES_MAX:
        message = f"The password is longer than {PASSWORD_BYTES_MAX} bytes: choose a shorter one."
    elif name.casefold() and password.casefold().replace(name.casefold(), "").strip() == "":
        message = "The password is the name: choose another."
    elif len(set(password)) < 4:
        message = "The password is one character over and over: choose another."
    else:
        return ()
    return (Problem(path="password", message=message),)


def _wrong(path: str, message: str) -> TeamChanged:
    return TeamChanged(problems=(Problem(path=path, message=message),))
