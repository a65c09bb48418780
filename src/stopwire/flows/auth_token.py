"""The account's auth token, changed without an outage: a second one beside it, made the first, or taken away.

Both sign in everywhere; webhooks are signed with the first alone. Each change is a row of the audit log in the same commit.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from stopwire.core.errors import Refused, refuse
from stopwire.core.senders import Account
from stopwire.flows.moves import token_mark
from stopwire.log import get_logger
from stopwire.ports.store import AuditRow, Tx
from stopwire.ports.world import World

log = get_logger(__name__)

_THERE_ALREADY = "This account has a secondary auth token already: promote it, or delete it first."


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenChanged:
    """The account as it now is; without one there was no second token. `made_at`: when the token in question was made."""

    account: Account | None = None
    made_at: datetime | None = None
    refused: Refused | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The tokens of an account: when each was used, if it was since `since`, the start of the gateway."""

    primary_used_at: datetime | None
    secondary_at: datetime | None  # when it was made; None: there is none
    secondary_used_at: datetime | None
    since: datetime


async def tokens(world: World, *, account: str) -> Tokens:
    """Which there are, and whether anybody still uses them."""
    found = (await world.store.directory(account)).account
    primary, secondary = token_mark(world, found.auth_token), token_mark(world, found.secondary_token or "")
    used = world.requests.used([primary, secondary])
    return Tokens(
        primary_used_at=used.get(primary),
        secondary_at=found.secondary_token_at,
        secondary_used_at=used.get(secondary),
        since=world.requests.since,
    )


async def create_secondary(world: World, *, account: str, actor: str, address: str = "") -> TokenChanged:
    """A second token beside the first. Refused where there is one."""
    audit = _row(world, account, actor, address, "token.made")
    return await world.store.write(partial(_create, token=world.ids.token(), audit=audit), account=account)


async def promote(world: World, *, account: str, actor: str, address: str = "") -> TokenChanged:
    """Make the second token the first: the one that was it opens nothing from now on."""
    done = await world.store.write(partial(_promote, audit=_row(world, account, actor, address, "token.promoted")), account=account)
    if done.account is not None:
        log.info("account.token_promoted", account=account)
        world.credentials.renew(account, done.account.auth_token)
    return done


async def delete_secondary(world: World, *, account: str, actor: str, address: str = "") -> TokenChanged:
    """Take the second token away: it opens nothing from now on."""
    audit = _row(world, account, actor, address, "token.removed")
    return await world.store.write(partial(_delete, audit=audit), account=account)


def _create(tx: Tx, *, token: str, audit: AuditRow) -> TokenChanged:
    account = tx.services.directory().account
    if account.secondary_token is not None:
        return TokenChanged(refused=replace(refuse(20409), message=_THERE_ALREADY))
    return _changed(tx, account, audit, secondary_token=token, secondary_token_at=audit.at)


def _promote(tx: Tx, *, audit: AuditRow) -> TokenChanged:
    account = tx.services.directory().account
    if account.secondary_token is None:
        return TokenChanged()
    return _changed(tx, account, audit, auth_token=account.secondary_token, secondary_token=None, secondary_token_at=None)


def _delete(tx: Tx, *, audit: AuditRow) -> TokenChanged:
    account = tx.services.directory().account
    if account.secondary_token is None:
        return TokenChanged()
    return _changed(tx, account, audit, secondary_token=None, secondary_token_at=None)


def _changed(tx: Tx, account: Account, audit: AuditRow, **changes: Any) -> TokenChanged:
    changed = replace(account, **changes, updated_at=audit.at)
    tx.accounts.save(changed)
    tx.audit.add([audit])
    tx.tell("account.changed")
    return TokenChanged(account=changed, made_at=account.secondary_token_at or changed.secondary_token_at)


def _row(world: World, account: str, actor: str, address: str, act: str) -> AuditRow:
    return AuditRow(
        id=world.ids.sid("AU"), account=account, at=world.clock.now(), actor=actor, act=act, subject=account, address=address
    )
