"""Who is calling: an account by one of its two tokens, its test credentials, or an API key.

Every road compares in constant time, and as often for the unknown user.
"""

import hmac
import re
from dataclasses import dataclass, field, replace

from stopwire.core.senders import Account
from stopwire.flows.moves import token_mark
from stopwire.ports.store import Key
from stopwire.ports.world import World

_SID = re.compile(r"(?:AC|SK)[0-9a-fA-F]{32}")
_NO_SID = "AC"
_NOBODY = "0" * 32  # what the secret of an unknown user is compared with


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who signed in. With `failure` (`username`: unknown, `password`: wrong secret) it is nobody."""

    account: str = ""
    name: str = ""  # the account SID the caller writes in paths: the test SID for test credentials
    key: str | None = None  # the API key that was used
    test: bool = False
    status: str = "active"
    failure: str | None = None
    mark: str = field(default="", compare=False)  # of the token that was used: see `moves.token_mark`

    @property
    def actor(self) -> str:
        """How the ledger and the history of a policy name this caller."""
        return self.key or self.account


async def authenticate(world: World, *, username: str, password: str) -> Caller:
    """The caller behind basic credentials."""
    if not _SID.fullmatch(username):
        username = _NO_SID  # what cannot be a SID takes the road of one that nobody has
    if username.startswith("SK"):
        return await _by_key(world, username, password)
    account = await _account(world, username)
    if account is not None:
        return _by_token(world, account, password)
    account = await world.store.read(lambda tx: tx.accounts.find_test(username), account=username)
    if account is not None:
        return _checked(account, account.test_token, password, test=True)
    _same(_NOBODY, password)
    _same(_NOBODY, password)
    return Caller(failure="username")


def _by_token(world: World, account: Account, password: str) -> Caller:
    primary = _checked(account, account.auth_token, password, test=False)
    secondary = _checked(account, account.secondary_token or _NOBODY, password, test=False)
    if primary.failure is not None and account.secondary_token is not None:
        primary = secondary
    return primary if primary.failure is not None else replace(primary, mark=token_mark(world, password))


async def _by_key(world: World, sid: str, secret: str) -> Caller:
    key: Key | None = await world.store.read(lambda tx: tx.accounts.find_key(sid), account=sid)
    matches = world.vault.matches(secret, key.secret_digest if key else _NOBODY)
    if key is None:
        return Caller(failure="username")
    if not matches:
        return Caller(failure="password")
    account = await _account(world, key.account)
    if account is None:
        return Caller(failure="username")
    return Caller(account=account.sid, name=account.sid, key=key.sid, status=account.status)


def _checked(account: Account, token: str, password: str, *, test: bool) -> Caller:
    if not _same(token, password):
        return Caller(failure="password")
    name = account.test_sid if test else account.sid
    return Caller(account=account.sid, name=name, test=test, status=account.status)


async def _account(world: World, sid: str) -> Account | None:
    """From the directory, which is kept in memory: this is on the road of every request."""
    try:
        return (await world.store.directory(sid)).account
    except LookupError:
        return None


def _same(secret: str, given: str) -> bool:
    return hmac.compare_digest(secret.encode(), given.encode("utf-8", "surrogatepass"))
