"""What an account changes about itself: its settings and its API keys."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from stopwire.core import countries, retention
from stopwire.core.countries import permitted, switched
from stopwire.core.errors import Refused, refuse
from stopwire.core.policy import Problem
from stopwire.core.senders import Account
from stopwire.ports.store import Key, Tx
from stopwire.ports.world import World

NAME_CHARS_MAX = 64
# What each setting may be; None: as the gateway is set.
CHOICES: Final[Mapping[str, tuple[str | None, ...]]] = {
    "opt_out_scope": ("holder", "account"),
    "opted_out_send": ("reject", "accept_then_fail"),
    "help_when_blocked": ("reply", "silent"),
    "allow_private_webhooks": (None, "none", "loopback", "all"),
    "webhook_retries": ("none", "inbound", "all"),
    "media_auth": ("none", "basic"),
    "ambiguous": ("hold", "retry"),
    "landlines": ("accept", "refuse"),
    "smpp_delivery": ("auto", "on", "off"),
    "smpp_long": ("udh", "payload"),
    "smpp_tlvs": ("standard", "vendor"),
}
SWITCHES: Final = ("legal_hold",)
LISTS: Final = ("countries",)
SETTINGS: Final = (*CHOICES, *LISTS, *retention.RULES, *SWITCHES)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanged:
    """The account as it now is and what a careful operator would change, or what is wrong; then nothing was changed."""

    account: Account | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChanged:
    """The key as it now is (or was), or why not. `secret` is told at its creation, and never again."""

    key: Key | None = None
    secret: str | None = None
    refused: Refused | None = None


async def change_account(world: World, *, account: str, changes: Mapping[str, Any]) -> AccountChanged:
    """Set `friendly_name` and settings by their names."""
    return await world.store.write(partial(_change, changes=changes, now=world.clock.now()), account=account)


def _change(tx: Tx, *, changes: Mapping[str, Any], now: datetime) -> AccountChanged:
    if problems := tuple(_problems(changes)):
        return AccountChanged(problems=problems)
    account = tx.services.directory().account
    changes = {name: permitted(value) if name in LISTS else value for name, value in changes.items()}
    settings = replace(account.settings, **{name: value for name, value in changes.items() if name in SETTINGS})
    name = changes.get("friendly_name", account.friendly_name)
    changed = replace(account, friendly_name=name, settings=settings, updated_at=now)
    tx.accounts.save(changed)
    tx.tell("account.changed")
    return AccountChanged(account=changed, warnings=tuple(retention.warnings(settings)))


async def permit(world: World, *, account: str, switches: Mapping[str, bool]) -> bool:
    """Switch countries on or off by their codes. False where none would be left; then nothing was changed."""
    return await world.store.write(partial(_permit, switches=switches, now=world.clock.now()), account=account)


def _permit(tx: Tx, *, switches: Mapping[str, bool], now: datetime) -> bool:
    account = tx.services.directory().account
    countries = account.settings.countries
    for country, on in switches.items():
        countries = switched(countries, country, on=on)
    if countries == ():
        return False
    if countries != account.settings.countries:
        tx.accounts.save(replace(account, settings=replace(account.settings, countries=countries), updated_at=now))
        tx.tell("account.changed")
    return True


def _problems(changes: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for name, value in changes.items():
        if name == "friendly_name":
            if not isinstance(value, str) or not 0 < len(value) <= NAME_CHARS_MAX:
                problems.append(Problem(path=name, message=f"The name is a text of 1 to {NAME_CHARS_MAX} characters."))
        elif name in retention.RULES:
            if problem := retention.problem(name, value):
                problems.append(problem)
        elif name in LISTS:
            if problem := countries.problem(value):
                problems.append(problem)
        elif name in SWITCHES:
            if not isinstance(value, bool):
                problems.append(Problem(path=name, message="The value is neither true nor false: use one of the two."))
        elif name not in CHOICES:
            known = ", ".join(("friendly_name", *SETTINGS))
            problems.append(Problem(path=name, message=f"There is no such setting. The settings are {known}."))
        elif value not in CHOICES[name]:
            allowed = ", ".join("null" if each is None else each for each in CHOICES[name])
            problems.append(Problem(path=name, message=f"The value is not one of those allowed: use one of {allowed}."))
    return problems


async def create_key(world: World, *, account: str, friendly_name: str) -> KeyChanged:
    """A new API key. Only the digest of its secret is kept."""
    if len(friendly_name) > NAME_CHARS_MAX:
        return KeyChanged(refused=refuse(20002))
    secret, now = world.ids.token(), world.clock.now()
    key = Key(
        sid=world.ids.sid("SK"),
        account=account,
        friendly_name=friendly_name,
        secret_digest=world.vault.digest(secret),
        created_at=now,
        updated_at=now,
    )
    await world.store.write(lambda tx: tx.accounts.add_key(key), account=account)
    return KeyChanged(key=key, secret=secret)


async def rename_key(world: World, *, account: str, key: str, friendly_name: str) -> KeyChanged:
    if len(friendly_name) > NAME_CHARS_MAX:
        return KeyChanged(refused=refuse(20002))
    return await world.store.write(partial(_rename, sid=key, name=friendly_name, now=world.clock.now()), account=account)


def _rename(tx: Tx, *, sid: str, name: str, now: datetime) -> KeyChanged:
    key = tx.accounts.key(sid)
    if key is None:
        return KeyChanged()
    renamed = replace(key, friendly_name=name, updated_at=now)
    tx.accounts.save_key(renamed)
    return KeyChanged(key=renamed)


async def delete_key(world: World, *, account: str, key: str) -> bool:
    """Whether there was such a key. It opens nothing from now on."""
    return await world.store.write(lambda tx: tx.accounts.delete_key(key), account=account)
