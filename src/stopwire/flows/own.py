"""The operator's own acts: make accounts, list them, suspend them, hand out a sign-in link. No customer can call these."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from stopwire.core.senders import Account, AccountSettings
from stopwire.ports.store import Session, Tx
from stopwire.ports.world import World

SIGN_IN_LIFE = timedelta(minutes=15)


class SidTaken(ValueError):
    """An account with this SID exists already: leave the SID out, or use that account."""


async def create_account(
    world: World,
    *,
    name: str,
    sid: str | None = None,
    token: str | None = None,
    opt_out_scope: str = "holder",
    media_auth: str = "none",
) -> Account:
    """A new account, a stranger to all others, with live and test credentials. Raises SidTaken."""
    now, ids = world.clock.now(), world.ids
    account = Account(
        sid=sid or ids.sid("AC"),
        friendly_name=name,
        auth_token=token or ids.token(),
        test_sid=ids.sid("AC"),
        test_token=ids.token(),
        ledger_key=ids.token() + ids.token(),
        settings=AccountSettings(opt_out_scope=opt_out_scope, media_auth=media_auth),
        created_at=now,
        updated_at=now,
    )
    await world.store.write(partial(_add, account=account), account=account.sid)
    return account


def _add(tx: Tx, *, account: Account) -> None:
    if tx.accounts.find(account.sid) is not None:
        raise SidTaken(f"An account {account.sid} exists already: leave the SID out, or use that account.")
    tx.accounts.add(account)


async def accounts(world: World) -> list[Account]:
    """All accounts, oldest first."""
    return await world.store.read(lambda tx: tx.accounts.every(), account="")


async def set_status(world: World, *, account: str, status: str) -> Account:
    """Suspend (`suspended`) or open (`active`) an account. Raises LookupError where there is none."""
    return await world.store.write(
        partial(_set_status, sid=account, status=status, now=world.clock.now()), account=account
    )


def _set_status(tx: Tx, *, sid: str, status: str, now: datetime) -> Account:
    account = tx.accounts.find(sid)
    if account is None:
        raise LookupError(f"There is no account {sid}.")
    changed = replace(account, status=status, updated_at=now)
    tx.accounts.save(changed)
    return changed


async def sign_in(world: World, *, account: str) -> str:
    """A one-time token for the console, good for 15 minutes. Only its digest is kept."""
    token, now = world.ids.token(), world.clock.now()
    link = Session(
        id=world.ids.sid("SE"),
        digest=world.vault.digest(token),
        account=account,
        kind="sign_in",
        created_at=now,
        seen_at=now,
        expires_at=now + SIGN_IN_LIFE,
    )
    await world.store.write(lambda tx: tx.people.add_session(link), account=account)
    return token


async def has_team(world: World, *, account: str) -> bool:
    """Whether anybody can sign in by name and password."""
    return await world.store.read(lambda tx: bool(tx.people.users()), account=account)
