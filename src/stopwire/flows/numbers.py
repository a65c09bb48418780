"""Get phone numbers, set their webhooks, give them back.

An address has one owner. Who gets an address again that was theirs inherits the blocks of its past.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from stopwire.core import inventory, magic
from stopwire.core.address import SenderKind, kind_of, parse_recipient, parse_sender
from stopwire.core.errors import Refused, refuse
from stopwire.core.inventory import NumberType
from stopwire.core.senders import Directory, Sender, Webhook
from stopwire.core.webhooks import method_problem, url_problem
from stopwire.flows.moves import default_name, new_sender
from stopwire.ports.http import Http, PrivateTargets
from stopwire.ports.store import Tx
from stopwire.ports.world import Ids, World

NAME_CHARS_MAX = 64
MPS_MAX = 1000.0
_AT_ONCE = 100  # offered numbers whose owners are asked for together


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderChange:
    """Settings of a sender to set. None: leave as it is. An empty URL or name clears it; `reset` names go back to their default."""

    friendly_name: str | None = None
    sms_url: str | None = None
    sms_method: str | None = None
    sms_fallback_url: str | None = None
    sms_fallback_method: str | None = None
    default_opt_out: bool | None = None
    mps: float | None = None
    reset: tuple[str, ...] = ()  # of `default_opt_out` and `mps`
    settings: Mapping[str, str] = field(default_factory=dict)  # kept, without effect


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderChanged:
    """The sender as it now is (or was, where it has gone), or why not. Neither: the account has no such sender."""

    sender: Sender | None = None
    refused: Refused | None = None


async def available(
    world: World,
    *,
    account: str,
    country: str,
    type: NumberType,
    area_code: str = "",
    contains: str = "",
    limit: int = 50,
) -> list[str]:
    """Numbers of the inventory that nobody has."""

    def free(tx: Tx) -> list[str]:
        offered = inventory.offered(country, type, area=area_code, contains=contains)
        return list(islice(_free(tx, offered), limit))

    return await world.store.read(free, account=account)


async def buy(
    world: World,
    *,
    account: str,
    number: str = "",
    area_code: str = "",
    change: SenderChange | None = None,
    connection: str = "simulator",
) -> SenderChanged:
    """Get a phone number: this one, or the first free one of a North American area code."""
    unit = partial(
        _buy,
        number=number,
        area_code=area_code,
        change=change or SenderChange(),
        connection=connection,
        now=world.clock.now(),
        ids=world.ids,
        http=world.http,
        private=world.choices.private_webhooks,
    )
    return await world.store.write(unit, account=account)


def _buy(
    tx: Tx,
    *,
    number: str,
    area_code: str,
    change: SenderChange,
    connection: str,
    now: datetime,
    ids: Ids,
    http: Http,
    private: PrivateTargets,
) -> SenderChanged:
    if not number and not area_code:
        return SenderChanged(refused=refuse(20001, name="PhoneNumber"))
    found = _wanted(tx, number, area_code)
    if isinstance(found, Refused):
        return SenderChanged(refused=found)
    return _add(tx, found, change, connection=connection, now=now, ids=ids, http=http, private=private)


def _wanted(tx: Tx, number: str, area_code: str) -> str | Refused:
    """The number that is asked for, if it can be had."""
    if number:
        address = parse_recipient(number)
        if address is None or not address.startswith("+"):
            return refuse(21421)
        return refuse(21422) if tx.services.account_of(address) else address
    for country in ("US", "CA"):
        offered = inventory.offered(country, NumberType.LOCAL, area=area_code) if area_code.isdigit() else iter(())
        if (free := next(_free(tx, offered), None)) is not None:
            return free
    return refuse(21452)


async def add_sender(
    world: World, *, account: str, address: str, change: SenderChange | None = None, connection: str = "simulator"
) -> SenderChanged:
    """Add a sender of any kind that a connection serves: a number, short code, name, WhatsApp or RCS address."""
    unit = partial(
        _add_any,
        text=address,
        change=change or SenderChange(),
        connection=connection,
        now=world.clock.now(),
        ids=world.ids,
        http=world.http,
        private=world.choices.private_webhooks,
    )
    return await world.store.write(unit, account=account)


def _add_any(
    tx: Tx,
    *,
    text: str,
    change: SenderChange,
    connection: str,
    now: datetime,
    ids: Ids,
    http: Http,
    private: PrivateTargets,
) -> SenderChanged:
    address = parse_sender(text)
    if address is None:
        return SenderChanged(refused=refuse(21421))
    is_name = kind_of(address) is SenderKind.ALPHANUMERIC  # many may sign with the same name
    if tx.services.directory().sender_at(address) or (not is_name and tx.services.account_of(address)):
        return SenderChanged(refused=refuse(21422))
    return _add(tx, address, change, connection=connection, now=now, ids=ids, http=http, private=private)


async def rehearse_purchase(
    world: World, *, account: str, number: str, area_code: str, change: SenderChange
) -> SenderChanged:
    """Answer a purchase made with test credentials: the magic numbers decide, nothing is kept."""
    if not number and not area_code:
        return SenderChanged(refused=refuse(20001, name="PhoneNumber"))
    directory, now = await world.store.directory(account), world.clock.now()
    refused = magic.of_purchase(number=number, area_code=area_code)
    refused = refused or _problem(change, directory, world.http, world.choices.private_webhooks)
    if refused:
        return SenderChanged(refused=refused)
    sender = new_sender(magic.FROM_VALID, account, "simulator", (), now, world.ids)
    return SenderChanged(sender=_changed(sender, change, now))


async def update_sender(world: World, *, account: str, sender: str, change: SenderChange) -> SenderChanged:
    """Set what `change` gives."""
    unit = partial(
        _update,
        sid=sender,
        change=change,
        now=world.clock.now(),
        http=world.http,
        private=world.choices.private_webhooks,
    )
    return await world.store.write(unit, account=account)


def _update(
    tx: Tx, *, sid: str, change: SenderChange, now: datetime, http: Http, private: PrivateTargets
) -> SenderChanged:
    directory = tx.services.directory()
    sender = directory.senders.get(sid)
    if sender is None:
        return SenderChanged()
    if refused := _problem(change, directory, http, private):
        return SenderChanged(refused=refused)
    changed = _changed(sender, change, now)
    if change.sms_fallback_url and not changed.webhook.url:
        return SenderChanged(refused=refuse(21406))
    tx.services.save_sender(changed)
    tx.tell("sender.changed", sid=sid)
    return SenderChanged(sender=changed)


async def release(world: World, *, account: str, sender: str) -> SenderChanged:
    """Give a sender back. It leaves its service; its blocks stay, and wait for its address."""
    return await world.store.write(partial(_release, sid=sender), account=account)


def _release(tx: Tx, *, sid: str) -> SenderChanged:
    sender = tx.services.directory().senders.get(sid)
    if sender is None:
        return SenderChanged()
    tx.services.unstick(sid)
    tx.services.delete_sender(sid)
    tx.tell("sender.released", sid=sid)
    return SenderChanged(sender=sender)


def _free(tx: Tx, offered: Iterator[str]) -> Iterator[str]:
    """Those of `offered` that nobody has."""
    while some := list(islice(offered, _AT_ONCE)):
        taken = tx.services.taken(some)
        yield from (number for number in some if number not in taken)


def _add(
    tx: Tx,
    address: str,
    change: SenderChange,
    *,
    connection: str,
    now: datetime,
    ids: Ids,
    http: Http,
    private: PrivateTargets,
) -> SenderChanged:
    if refused := _problem(change, tx.services.directory(), http, private):
        return SenderChanged(refused=refused)
    if change.sms_fallback_url and not change.sms_url:
        return SenderChanged(refused=refuse(21406))
    new = new_sender(address, tx.account, connection, tx.services.holders_before(address), now, ids)
    sender = _changed(new, change, now)
    tx.services.add_sender(sender)
    tx.tell("sender.added", sid=sender.sid)
    return SenderChanged(sender=sender)


def _problem(change: SenderChange, directory: Directory, http: Http, private: PrivateTargets) -> Refused | None:
    if change.friendly_name and len(change.friendly_name) > NAME_CHARS_MAX:
        return refuse(20002)
    reach = PrivateTargets(directory.account.settings.allow_private_webhooks or private)
    objection = partial(http.refusal, private=reach)
    refused = (
        url_problem(change.sms_url, objection)
        or url_problem(change.sms_fallback_url, objection)
        or method_problem(change.sms_method)
        or method_problem(change.sms_fallback_method)
    )
    if refused:
        return refused
    if change.mps is not None and not 0 < change.mps <= MPS_MAX:
        return refuse(20001, case="range", name="mps")
    return None


def _changed(sender: Sender, change: SenderChange, now: datetime) -> Sender:
    hook = sender.webhook
    webhook = Webhook(
        url=hook.url if change.sms_url is None else change.sms_url,
        method=change.sms_method or hook.method,
        fallback_url=hook.fallback_url if change.sms_fallback_url is None else change.sms_fallback_url,
        fallback_method=change.sms_fallback_method or hook.fallback_method,
    )
    values: dict[str, Any] = {name: None for name in change.reset if name in ("default_opt_out", "mps")}
    if change.friendly_name is not None:
        values["friendly_name"] = change.friendly_name or default_name(sender.address)
    if change.default_opt_out is not None:
        values["default_opt_out"] = change.default_opt_out
    if change.mps is not None:
        values["mps"] = change.mps
    if change.settings:
        values["settings"] = {**sender.settings, **change.settings}
    return replace(sender, webhook=webhook, updated_at=now, **values)
