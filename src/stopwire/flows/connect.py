"""Connect to carriers: add connections, change, pause, try and remove them, and put senders on them.

Secrets are sealed before they are kept and never answered. What is running follows the table (`workers/runner.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from stopwire.core.address import SenderKind, kind_of, parse_sender
from stopwire.core.connections import SIMULATOR, Connection, LinkEvent, LinkState, LinkStatus, OptOutBy, Sealed, seal_purpose
from stopwire.core.policy import Problem
from stopwire.core.routing import FAILOVER, next_route, order_of
from stopwire.core.senders import Directory, Sender
from stopwire.flows.moves import new_sender
from stopwire.ports.carrier import CarrierType
from stopwire.ports.store import Tx
from stopwire.ports.world import Ids, World

NAME_CHARS_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One connection as its account sees it: how it is, its own senders, and which secrets it has (never which they are)."""

    connection: Connection
    state: LinkState
    senders: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    push_url: str | None = None  # what its provider is to call with texts, where it calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The connection as it now is, or why not. Neither: the account has no connection of this name."""

    seen: Seen | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of a connection. None: leave as it is. `settings` hold secrets too; a null takes a setting out."""

    name: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    senders: tuple[str, ...] = ()  # addresses to put on it
    failover: tuple[str, ...] | None = None  # names of connections its senders use while it is down, in order
    opt_out_by: OptOutBy | None = None
    paused: bool | None = None


async def types(world: World) -> list[CarrierType]:
    """The kinds of carriers that can be connected."""
    return world.carriers.types()


async def connections(world: World, *, account: str) -> list[Seen]:
    """The connections that an account can send through, the simulator first."""
    directory = await world.store.directory(account)
    found = await world.store.read(lambda tx: tx.connections.list(), account=account)
    return [_seen(world, directory, sealed) for sealed in (_simulator(directory), *found)]


async def connection(world: World, *, account: str, name: str) -> Seen | None:
    """One connection, by its name or SID."""
    return next((s for s in await connections(world, account=account) if name in (s.connection.name, s.connection.sid)), None)


async def log(world: World, *, account: str, name: str) -> list[LinkEvent] | None:
    """The last lines of a connection's log; None where there is no such connection."""
    found = await connection(world, account=account, name=name)
    return None if found is None else world.carriers.log(found.connection.sid)


async def test(world: World, *, account: str, name: str) -> LinkState | None:
    """Try a connection: how the live one is where it is up, else a new one opened beside it."""
    found = await connection(world, account=account, name=name)
    if found is None:
        return None
    if found.state.status is LinkStatus.UP:
        return found.state
    sealed = await world.store.read(lambda tx: tx.connections.find(found.connection.sid), account=account)
    return await world.carriers.test(sealed) if sealed is not None else found.state


async def add(world: World, *, account: str, type: str, wanted: Wanted, origin: str = "api") -> Changed:
    """Add a connection and put its senders on it. It is opened at once, unless it begins paused."""
    name = (wanted.name or "").strip()
    problems = [*_name_problems(name), *world.carriers.problems(type, wanted.settings)]
    if problems:
        return Changed(problems=tuple(problems))
    sid = world.ids.sid("CN")
    now = world.clock.now()
    plain, secrets = _split(world, sid, type, wanted.settings)
    new = Connection(
        sid=sid,
        account=account,
        name=name,
        type=type,
        settings=plain,
        opt_out_by=wanted.opt_out_by or OptOutBy.US,
        paused=bool(wanted.paused),
        origin=origin,
        created_at=now,
        updated_at=now,
    )
    sealed = Sealed(connection=new, secrets=secrets)
    unit = partial(_add, sealed=sealed, wanted=wanted, now=now, ids=world.ids)
    problems = await world.store.write(unit, account=account)
    return await _changed(world, account, sid, problems)


def _add(tx: Tx, *, sealed: Sealed, wanted: Wanted, now: datetime, ids: Ids) -> list[Problem]:
    name = sealed.connection.name
    if name == SIMULATOR or tx.connections.named(name) is not None:
        return [Problem(path="name", message=f"There is a connection {name!r} already: choose another name, or change that one.")]
    problems = _put_senders(tx, sealed.connection.sid, wanted, now, ids)
    if not problems:
        tx.connections.add(sealed)
        tx.tell("carrier.added", name=name, type=sealed.connection.type)
    return problems


async def change(world: World, *, account: str, name: str, wanted: Wanted, origin: str = "api") -> Changed:
    """Change what `wanted` gives. A live connection is opened anew where its settings changed."""
    sealed = await world.store.read(lambda tx: tx.connections.named(name), account=account)
    if sealed is None:
        return Changed(problems=_fixed(name))
    old = sealed.connection
    now = world.clock.now()
    merged = {**old.settings, **dict.fromkeys(sealed.secrets, "kept"), **wanted.settings}
    merged = {key: value for key, value in merged.items() if value is not None}
    problems = world.carriers.problems(old.type, merged)
    if wanted.name is not None and wanted.name != old.name:
        problems = [*_name_problems(wanted.name), *problems]
    if problems:
        return Changed(problems=tuple(problems))
    given = {key: value for key, value in wanted.settings.items() if value is not None}
    plain, secrets = _split(world, old.sid, old.type, given)
    gone = [key for key, value in wanted.settings.items() if value is None]
    new = replace(
        old,
        name=wanted.name or old.name,
        settings={key: value for key, value in {**old.settings, **plain}.items() if key not in gone},
        opt_out_by=wanted.opt_out_by or old.opt_out_by,
        paused=old.paused if wanted.paused is None else wanted.paused,
        origin=origin,
        updated_at=now,
    )
    kept = {key: value for key, value in {**sealed.secrets, **secrets}.items() if key not in gone}
    unit = partial(_change, was=sealed, new=Sealed(connection=new, secrets=kept), wanted=wanted, now=now, ids=world.ids)
    problems = await world.store.write(unit, account=account)
    return await _changed(world, account, old.sid, problems)


def _change(tx: Tx, *, was: Sealed, new: Sealed, wanted: Wanted, now: datetime, ids: Ids) -> list[Problem]:
    current = tx.connections.find(was.connection.sid)
    if current is None or current.connection.version != was.connection.version:
        return [Problem(path="name", message="Somebody changed this connection at the same moment: look at it, and try again.")]
    namesake = tx.connections.named(new.connection.name)
    if new.connection.name == SIMULATOR or (namesake is not None and namesake.connection.sid != new.connection.sid):
        return [Problem(path="name", message=f"There is a connection {new.connection.name!r} already.")]
    problems = _put_senders(tx, new.connection.sid, wanted, now, ids)
    if not problems:
        tx.connections.save(replace(new, connection=replace(new.connection, version=was.connection.version + 1)))
        tx.tell("carrier.changed", name=new.connection.name, paused=new.connection.paused)
    return problems


async def declare(world: World, *, account: str, name: str, type: str, wanted: Wanted) -> Changed:
    """Have a connection as the settings file has it: made where there is none, else changed where it differs."""
    sealed = await world.store.read(lambda tx: tx.connections.named(name), account=account)
    if sealed is None:
        return await add(world, account=account, type=type, wanted=replace(wanted, name=name), origin="file")
    if sealed.connection.type != type:
        message = f"The connection {name!r} is of type {sealed.connection.type}: remove it first, or choose another name."
        return Changed(problems=(Problem(path="type", message=message),))
    gone = {key: None for key in (*sealed.connection.settings, *sealed.secrets) if key not in wanted.settings}
    wanted = replace(wanted, settings={**gone, **wanted.settings})
    return await change(world, account=account, name=name, wanted=wanted, origin="file")


async def pause(world: World, *, account: str, name: str) -> Changed:
    """Close a connection and hand it nothing; what waits keeps waiting, or goes where its sender may go else."""
    return await change(world, account=account, name=name, wanted=Wanted(paused=True))


async def resume(world: World, *, account: str, name: str) -> Changed:
    return await change(world, account=account, name=name, wanted=Wanted(paused=False))


async def remove(world: World, *, account: str, name: str) -> Changed:
    """Remove a connection that no sender speaks through. Answers it as it was."""
    found = await connection(world, account=account, name=name)
    if found is None or found.connection.sid == SIMULATOR:
        return Changed(problems=_fixed(name))
    problems = await world.store.write(partial(_remove, sid=found.connection.sid), account=account)
    return Changed(problems=tuple(problems)) if problems else Changed(seen=found)


def _remove(tx: Tx, *, sid: str) -> list[Problem]:
    speaking = [s.address for s in tx.services.directory().senders.values() if s.connection == sid]
    if speaking:
        told = ", ".join(speaking[:5]) + (" …" if len(speaking) > 5 else "")
        return [Problem(path="senders", message=f"{told} still speak through it: put them on another connection first.")]
    found = tx.connections.find(sid)
    if found is not None:
        tx.connections.delete(sid)
        tx.tell("carrier.removed", name=found.connection.name)
    return []


async def reroute(world: World, *, down: str) -> int:
    """Move what waits for a connection that is down to the next one that is up. Nothing that may have left is moved."""
    up = world.carriers.up()
    return await world.store.write(partial(_reroute, down=down, up=up, now=world.clock.now()), account="")


def _reroute(tx: Tx, *, down: str, up: frozenset[str], now: datetime) -> int:
    moved = 0
    for account, sid in tx.jobs.waiting_senders(down):
        of = tx.of(account)
        sender = of.services.directory().senders.get(sid)
        if sender is None or down not in (order := order_of(sender)):
            continue
        other = next_route(order, down, up=up)
        if other is not None:
            # What is not due yet stays: nobody knows how the connections will be then.
            moved += of.jobs.reroute(sid, connection=other, now=now)
    if moved:
        tx.wake("dispatch")
    return moved


def _put_senders(tx: Tx, sid: str, wanted: Wanted, now: datetime, ids: Ids) -> list[Problem]:
    """Put senders on the connection, making those that the account has not. Nothing is done where one has a problem."""
    directory = tx.services.directory()
    failover, problems = _failover(tx, wanted, sid)
    addresses: list[str] = []
    for number, text in enumerate(wanted.senders):
        address = parse_sender(text)
        if address is None:
            problems.append(Problem(path=f"senders.{number}", message=f"{text!r} is no sender: write a number like +14155550100."))
        elif directory.sender_at(address) is None and kind_of(address) is not SenderKind.ALPHANUMERIC and tx.services.account_of(address):
            problems.append(Problem(path=f"senders.{number}", message=f"{text} belongs to somebody else."))
        else:
            addresses.append(address)
    if problems:
        return problems
    for address in dict.fromkeys(addresses):
        sender = directory.sender_at(address)
        if sender is None:
            made = new_sender(address, tx.account, sid, tx.services.holders_before(address), now, ids)
            tx.services.add_sender(replace(made, settings=_with_failover(made, failover)))
            continue
        tx.services.save_sender(replace(sender, connection=sid, settings=_with_failover(sender, failover), updated_at=now))
        tx.jobs.reroute(sender.sid, connection=sid)
    if failover is not None:
        for sender in directory.senders.values():
            if sender.connection == sid and sender.address not in addresses:
                tx.services.save_sender(replace(sender, settings=_with_failover(sender, failover), updated_at=now))
    return []


def _failover(tx: Tx, wanted: Wanted, sid: str) -> tuple[list[str] | None, list[Problem]]:
    if wanted.failover is None:
        return None, []
    sids, problems = [], []
    for number, name in enumerate(wanted.failover):
        found = SIMULATOR if name == SIMULATOR else None
        if found is None and (named := tx.connections.named(name)) is not None:
            found = named.connection.sid
        if found is None or found == sid:
            problems.append(Problem(path=f"failover.{number}", message=f"There is no other connection {name!r}."))
        else:
            sids.append(found)
    return sids, problems


def _with_failover(sender: Sender, failover: list[str] | None) -> dict[str, Any]:
    return dict(sender.settings) if failover is None else {**sender.settings, FAILOVER: failover}


def _split(
    world: World, sid: str, type_: str, settings: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """What may be shown, and the secrets, each sealed for its place."""
    secret = {f.name for kind in world.carriers.types() if kind.name == type_ for f in kind.fields if f.secret}
    plain = {name: value for name, value in settings.items() if name not in secret and value is not None}
    sealed = {
        name: world.vault.seal(str(value), purpose=seal_purpose(sid, name))
        for name, value in settings.items()
        if name in secret and value is not None
    }
    return plain, sealed


def _name_problems(name: str) -> list[Problem]:
    if not name or len(name) > NAME_CHARS_MAX:
        return [Problem(path="name", message=f"A connection needs a name of 1 to {NAME_CHARS_MAX} characters.")]
    if not all(letter.isalnum() or letter in "._-" for letter in name):
        return [Problem(path="name", message="A name has letters, digits, '.', '_' and '-' only: it stands in addresses.")]
    return []


def _fixed(name: str) -> tuple[Problem, ...]:
    if name == SIMULATOR:
        return (Problem(path="name", message="The simulator is a part of Stopwire: it cannot be changed or removed."),)
    return ()


async def _changed(world: World, account: str, sid: str, problems: list[Problem]) -> Changed:
    if problems:
        return Changed(problems=tuple(problems))
    return Changed(seen=await connection(world, account=account, name=sid))


def _simulator(directory: Directory) -> Sealed:
    account = directory.account
    return Sealed(
        connection=Connection(
            sid=SIMULATOR,
            account=account.sid,
            name=SIMULATOR,
            type=SIMULATOR,
            created_at=account.created_at,
            updated_at=account.created_at,
        )
    )


def _seen(world: World, directory: Directory, sealed: Sealed) -> Seen:
    own = sealed.connection
    carrier = world.carriers.get(own.sid)
    if own.paused:
        state = LinkState(status=LinkStatus.PAUSED, says="It is paused: resume it to send through it.")
    elif own.sid == SIMULATOR:
        state = world.phones.link(own.account)
    elif carrier is None:
        state = LinkState(status=LinkStatus.DOWN, says="It is not open: see its log.")
    else:
        state = carrier.state()
    return Seen(
        connection=own,
        state=state,
        senders=tuple(s.address for s in directory.senders.values() if s.connection == own.sid),
        secrets=tuple(sealed.secrets),
        push_url=_push_url(world, own),
    )


def _push_url(world: World, own: Connection) -> str | None:
    called = next((kind.called for kind in world.carriers.types() if kind.name == own.type), "")
    return f"{world.choices.public_url}/carriers/{own.sid}/{called}" if called else None
