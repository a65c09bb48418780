"""Who binds by SMPP: an account by either of its tokens or an API key under its short name; who is bound; and to show one of them out.

Every road compares in constant time, the unknown name's too.
"""

import hmac
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from stopwire.core import bound
from stopwire.core.senders import Account, AccountSettings
from stopwire.flows.moves import token_mark
from stopwire.ports.store import Tx
from stopwire.ports.world import World

_NOBODY = "0" * 32  # what the password of an unknown name is compared with


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """Who has bound. With `failure` (`system_id`: unknown, `password`: wrong, `suspended`) it is nobody."""

    account: str = ""
    key: str | None = None  # the API key that was used
    failure: str | None = None


async def bind(world: World, *, system_id: str, password: str) -> Bound:
    """The account behind a bind."""
    prefix = bound.sid_prefix(system_id) or ""
    if prefix.startswith("SK"):
        return await _by_key(world, prefix, password)
    accounts = await world.store.read(lambda tx: tx.accounts.every(), account="") if prefix else []
    named = [account for account in accounts if _begins(account.sid, prefix)]
    found = next((account for account in named if _is_of(account, password)), None)
    if not named:
        _fits(_NOBODY, password)
        _fits(_NOBODY, password)
        return Bound(failure="system_id")
    if found is None:
        return Bound(failure="password")
    return _used(world, _standing(found), token_mark(world, _token_of(found, password)))


async def receiving(world: World, *, account: str) -> int:
    """A receiver of `account` is bound: tell it what waits, and from now on what comes. How much waits."""
    return await world.store.write(partial(_receiving, now=world.clock.now()), account=account)


async def stands(world: World, *, account: str, key: str | None) -> AccountSettings | None:
    """What the account of a bound customer has chosen. None: it may stay no longer, its account or its key has ended."""
    try:
        found = (await world.store.directory(account)).account
    except LookupError:
        return None
    if found.status != "active":
        return None
    if key is not None and await world.store.read(lambda tx: tx.accounts.key(key), account=account) is None:
        return None
    return found.settings


async def live(world: World, *, account: str) -> list[bound.LiveBind]:
    """Who of the account is bound now, the newest first."""
    return list(world.peers.bound(account))


async def unbind(world: World, *, account: str, id: str) -> bound.LiveBind | None:
    """End one bind: what is in work is finished first. It may bind again; only its key or its account can forbid that."""
    return await world.peers.unbind(account, id)


async def _by_key(world: World, prefix: str, secret: str) -> Bound:
    keys = await world.store.read(lambda tx: tx.accounts.keys_named(prefix), account="")
    found = next((key for key in keys if world.vault.matches(secret, key.secret_digest)), None)
    if not keys:
        world.vault.matches(secret, _NOBODY)
        return Bound(failure="system_id")
    if found is None:
        return Bound(failure="password")
    account = await world.store.read(lambda tx: tx.accounts.find(found.account), account=found.account)
    if account is None:
        return Bound(failure="system_id")
    return _used(world, replace(_standing(account), key=found.sid), found.sid)


def _used(world: World, who: Bound, name: str) -> Bound:
    """Have it noted that this key or token was used just now."""
    if who.failure is None:
        world.requests.keep([], {name: 0.0})
    return who


def _receiving(tx: Tx, *, now: datetime) -> int:
    account = tx.services.directory().account
    if not account.settings.smpp_bound:
        tx.accounts.save(replace(account, settings=replace(account.settings, smpp_bound=True), updated_at=now))
    waiting = tx.webhooks.hurry(bound.target(account.sid), now)
    if waiting:
        tx.wake("notify")
    return waiting


def _standing(account: Account) -> Bound:
    if account.status != "active":
        return Bound(failure="suspended")
    return Bound(account=account.sid)


def _is_of(account: Account, password: str) -> bool:
    primary = _fits(account.auth_token, password)
    return (_fits(account.secondary_token or _NOBODY, password) and account.secondary_token is not None) or primary


def _token_of(account: Account, password: str) -> str:
    """Which of its tokens this is, whole or cut short."""
    return account.auth_token if _fits(account.auth_token, password) else account.secondary_token or ""


def _fits(token: str, password: str) -> bool:
    whole = _same(token, password)
    return _same(bound.short_password(token), password) or whole


def _begins(sid: str, prefix: str) -> bool:
    return sid[:2] == prefix[:2] and sid[2:].lower().startswith(prefix[2:])


def _same(secret: str, given: str) -> bool:
    return hmac.compare_digest(secret.encode(), given.encode("utf-8", "surrogatepass"))
