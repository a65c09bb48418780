"""Change messaging services: their settings, their members, their opt-out policy.

No change here makes a person reachable who said STOP: a sender that leaves a service keeps answering to it.
Switching Advanced Opt-Out off needs nothing of the kind, since the service stays the holder of its blocks.
"""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import partial
from typing import Any

from stopwire.core import policy as policies
from stopwire.core.address import SenderKind, kind_of, parse_sender
from stopwire.core.errors import Refused, refuse
from stopwire.core.policy import Problem, standard_policy
from stopwire.core.senders import DESTINATIONS, Directory, Sender, Service, destinations, joined, left, unused_in, used_in
from stopwire.core.webhooks import callback_problem, method_problem, url_problem
from stopwire.ports.http import Http, PrivateTargets
from stopwire.ports.store import Haste, Tx
from stopwire.ports.world import Ids, World

NAME_CHARS_MAX = 64
MEMBERS_MAX = 400  # senders of one service, as in Twilio's number pool
VALIDITY_SECONDS_MAX = 36000
USECASES = ("notifications", "marketing", "verification", "discussion", "poll", "undeclared")
SCANS = ("inherit", "enable", "disable")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceChange:
    """Settings of a messaging service to set. None: leave as it is. An empty URL clears it."""

    friendly_name: str | None = None
    inbound_request_url: str | None = None
    inbound_method: str | None = None
    fallback_url: str | None = None
    fallback_method: str | None = None
    status_callback: str | None = None
    sticky_sender: bool | None = None
    mms_converter: bool | None = None
    smart_encoding: bool | None = None
    area_code_geomatch: bool | None = None
    fallback_to_long_code: bool | None = None
    synchronous_validation: bool | None = None
    scan_message_content: str | None = None
    validity_period: int | None = None
    usecase: str | None = None
    use_inbound_webhook_on_number: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceChanged:
    """The service as it now is, or why not. Neither: the account has no such service."""

    service: Service | None = None
    refused: Refused | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChanged:
    """The sender as it now is, or why not. Neither: the account has no such service or sender."""

    sender: Sender | None = None
    refused: Refused | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySaved:
    """The service with its new policy and what a careful operator would change, or why nothing was saved.

    `stale`: somebody saved another version meanwhile. Without service, problems and `stale`: there is no such service
    or version.
    """

    service: Service | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    stale: bool = False


async def create_service(world: World, *, account: str, change: ServiceChange, actor: str, like: str | None = None) -> ServiceChanged:
    """A new messaging service, with the standard policy switched off; or `like` another: its settings and policy, not its senders."""
    unit = partial(
        _create,
        change=change,
        like=like,
        actor=actor,
        now=world.clock.now(),
        ids=world.ids,
        http=world.http,
        private=world.choices.private_webhooks,
    )
    return await world.store.write(unit, account=account)


def _create(
    tx: Tx, *, change: ServiceChange, like: str | None, actor: str, now: datetime, ids: Ids, http: Http, private: PrivateTargets
) -> ServiceChanged:
    if not change.friendly_name:
        return ServiceChanged(refused=refuse(20001, name="FriendlyName"))
    directory = tx.services.directory()
    if refused := _problem(change, directory, http, private):
        return ServiceChanged(refused=refused)
    model = directory.services.get(like or "")
    if like and model is None:
        return ServiceChanged()
    on_number = change.use_inbound_webhook_on_number
    if on_number is None:
        as_model = model is not None and (change.inbound_request_url or None) == model.inbound_request_url
        on_number = model.use_inbound_webhook_on_number if model and as_model else not change.inbound_request_url
    new = Service(
        sid=ids.sid("MG"),
        account=tx.account,
        friendly_name=change.friendly_name,
        policy=standard_policy(),
        created_at=now,
        updated_at=now,
    )
    if model is not None:
        new = replace(model, sid=new.sid, friendly_name=new.friendly_name, policy_version=1, created_at=now, updated_at=now)
    service = _changed(new, replace(change, use_inbound_webhook_on_number=on_number), now)
    tx.services.add_service(service, actor=actor)
    tx.tell("service.created", sid=service.sid)
    return ServiceChanged(service=service)


async def update_service(world: World, *, account: str, service: str, change: ServiceChange) -> ServiceChanged:
    """Set what `change` gives."""
    unit = partial(
        _update,
        sid=service,
        change=change,
        now=world.clock.now(),
        http=world.http,
        private=world.choices.private_webhooks,
    )
    return await world.store.write(unit, account=account)


def _update(
    tx: Tx, *, sid: str, change: ServiceChange, now: datetime, http: Http, private: PrivateTargets
) -> ServiceChanged:
    directory = tx.services.directory()
    service = directory.services.get(sid)
    if service is None:
        return ServiceChanged()
    if change.friendly_name == "":
        return ServiceChanged(refused=refuse(20001, name="FriendlyName"))
    if refused := _problem(change, directory, http, private):
        return ServiceChanged(refused=refused)
    changed = _changed(service, change, now)
    tx.services.save_service(changed)
    tx.tell("service.changed", sid=sid)
    return ServiceChanged(service=changed)


async def delete_service(world: World, *, account: str, service: str) -> ServiceChanged:
    """The service goes for good; its senders become free and keep answering to its blocks."""
    return await world.store.write(partial(_delete, sid=service, now=world.clock.now()), account=account)


def _delete(tx: Tx, *, sid: str, now: datetime) -> ServiceChanged:
    directory = tx.services.directory()
    service = directory.services.get(sid)
    if service is None:
        return ServiceChanged()
    for sender in directory.pool(sid):
        _release(tx, sender, now)
    tx.services.delete_service(sid)
    tx.tell("service.deleted", sid=sid)
    return ServiceChanged(service=service)


async def join(
    world: World, *, account: str, service: str, sender: str, kinds: tuple[SenderKind, ...] = (), move: bool = False
) -> MemberChanged:
    """Make a sender a member of a service. `kinds`: only these are found. `move`: out of another service if need be."""
    unit = partial(_join, service=service, sid=sender, kinds=kinds, move=move, now=world.clock.now())
    return await world.store.write(unit, account=account)


def _join(tx: Tx, *, service: str, sid: str, kinds: tuple[SenderKind, ...], move: bool, now: datetime) -> MemberChanged:
    directory = tx.services.directory()
    sender = directory.senders.get(sid)
    if service not in directory.services or sender is None or (kinds and sender.kind not in kinds):
        return MemberChanged()
    if refused := _no_member(directory, service, sender, move=move):
        return MemberChanged(refused=refused)
    changed = joined(sender, service, now=now)
    if sender.service:
        tx.services.unstick(sender.sid)
    tx.services.save_sender(changed)
    tx.tell("service.joined", sid=service, sender=sid)
    return MemberChanged(sender=changed)


async def leave(
    world: World, *, account: str, service: str, sender: str, kinds: tuple[SenderKind, ...] = ()
) -> MemberChanged:
    """Take a sender out of a service. The number stays with the account; a name, which lives in its service, does not."""
    unit = partial(_leave, service=service, sid=sender, kinds=kinds, now=world.clock.now())
    return await world.store.write(unit, account=account)


def _leave(tx: Tx, *, service: str, sid: str, kinds: tuple[SenderKind, ...], now: datetime) -> MemberChanged:
    sender = tx.services.directory().senders.get(sid)
    if sender is None or sender.service != service or (kinds and sender.kind not in kinds):
        return MemberChanged()
    changed = _release(tx, sender, now)
    tx.tell("service.left", sid=service, sender=sid)
    return MemberChanged(sender=changed)


async def add_alpha(world: World, *, account: str, service: str, name: str, country: str = "") -> MemberChanged:
    """Add an alphanumeric sender to a service: for one country, or for all that no other is named for."""
    unit = partial(_add_alpha, service=service, name=name, country=country, now=world.clock.now(), ids=world.ids)
    return await world.store.write(unit, account=account)


def _add_alpha(tx: Tx, *, service: str, name: str, country: str, now: datetime, ids: Ids) -> MemberChanged:
    directory = tx.services.directory()
    if service not in directory.services:
        return MemberChanged()
    if not name:
        return MemberChanged(refused=refuse(21708))
    address = parse_sender(name)
    if address is None or kind_of(address) is not SenderKind.ALPHANUMERIC:
        return MemberChanged(refused=refuse(21709))
    known = directory.sender_at(address)
    sender = known or Sender(
        sid=ids.sid("AI"),
        account=tx.account,
        address=address,
        kind=SenderKind.ALPHANUMERIC,
        country=None,
        friendly_name=address,
        mms=False,
        inherited=tx.services.holders_before(address),
        created_at=now,
        updated_at=now,
    )
    if sender.service == service and country not in destinations(sender):  # one name, so that one block holds for it
        member = replace(used_in(sender, country, ids.sid("AI")), updated_at=now)
        tx.services.save_sender(member)
        tx.tell("service.changed", sid=service)
        return MemberChanged(sender=member)
    if refused := _no_member(directory, service, sender, move=False):
        return MemberChanged(refused=refused)
    settings = {name: value for name, value in sender.settings.items() if name != DESTINATIONS}
    if country:
        settings[DESTINATIONS] = {country: sender.sid}
    member = joined(replace(sender, settings=settings), service, now=now)
    if known:
        tx.services.save_sender(member)
    else:
        tx.services.add_sender(member)
    tx.tell("service.joined", sid=service, sender=member.sid)
    return MemberChanged(sender=member)


async def drop_alpha(world: World, *, account: str, service: str, sid: str) -> MemberChanged:
    """Use a name no longer where this SID says. A name that is used nowhere any more leaves the service for good."""
    return await world.store.write(partial(_drop_alpha, service=service, sid=sid, now=world.clock.now()), account=account)


def _drop_alpha(tx: Tx, *, service: str, sid: str, now: datetime) -> MemberChanged:
    names = [sender for sender in tx.services.directory().pool(service) if sender.kind is SenderKind.ALPHANUMERIC]
    found = next(((s, country) for s in names for country, of_use in destinations(s).items() if of_use == sid), None)
    if found is None:
        return MemberChanged()
    sender, country = found
    rest = unused_in(sender, country)
    if rest is None:
        changed = _release(tx, sender, now)
        tx.tell("service.left", sid=service, sender=sender.sid)
        return MemberChanged(sender=changed)
    tx.services.unstick(sender.sid)
    tx.services.save_sender(replace(rest, updated_at=now))
    tx.tell("service.changed", sid=service)
    return MemberChanged(sender=rest)


async def put_policy(
    world: World,
    *,
    account: str,
    service: str,
    policy: Any,
    actor: str,
    expected: int | None = None,
    note: str | None = None,
) -> PolicySaved:
    """Put a policy (as JSON data) in force, as a new version. `expected`: only where this version is the newest."""
    read, problems = policies.from_data(policy)
    if read is not None:
        problems = policies.check(read)
    if read is None or problems:
        return PolicySaved(problems=tuple(problems))
    unit = partial(_put, sid=service, policy=read, actor=actor, expected=expected, note=note, now=world.clock.now())
    return await world.store.write(unit, account=account, haste=Haste.URGENT)


async def rollback(
    world: World,
    *,
    account: str,
    service: str,
    version: int,
    actor: str,
    expected: int | None = None,
    note: str | None = None,
) -> PolicySaved:
    """Put an old version of the policy in force again, as a new version."""
    unit = partial(
        _roll_back, sid=service, version=version, actor=actor, expected=expected, note=note, now=world.clock.now()
    )
    return await world.store.write(unit, account=account, haste=Haste.URGENT)


def _roll_back(
    tx: Tx, *, sid: str, version: int, actor: str, expected: int | None, note: str | None, now: datetime
) -> PolicySaved:
    old = tx.services.policy(sid, version)
    if old is None:
        return PolicySaved()
    if problems := policies.check(old.policy):  # what was allowed once may not be any more
        return PolicySaved(problems=tuple(problems))
    told = note or f"Back to version {version}."
    return _put(tx, sid=sid, policy=old.policy, actor=actor, expected=expected, note=told, now=now)


def _put(
    tx: Tx,
    *,
    sid: str,
    policy: policies.OptOutPolicy,
    actor: str,
    expected: int | None,
    note: str | None,
    now: datetime,
) -> PolicySaved:
    service = tx.services.directory().services.get(sid)
    if service is None:
        return PolicySaved()
    if expected is not None and expected != service.policy_version:
        return PolicySaved(service=service, stale=True)
    changed = replace(service, policy=policy, policy_version=service.policy_version + 1, updated_at=now)
    tx.services.add_policy(changed, actor=actor, note=note)
    tx.tell("policy.saved", sid=sid, version=changed.policy_version)
    return PolicySaved(service=changed, warnings=tuple(policies.warnings(policy)))


def _no_member(directory: Directory, service: str, sender: Sender, *, move: bool) -> Refused | None:
    """Why `sender` may not join `service`."""
    if sender.service == service:
        return refuse(21710)
    if sender.service and not move:
        return refuse(21712)
    return refuse(21714) if len(directory.pool(service)) >= MEMBERS_MAX else None


def _release(tx: Tx, sender: Sender, now: datetime) -> Sender:
    """`sender` out of its service, and who knew it forgotten; a name goes altogether."""
    freed = left(sender, now=now)
    tx.services.unstick(sender.sid)
    if sender.kind is SenderKind.ALPHANUMERIC:
        tx.services.delete_sender(sender.sid)
    else:
        tx.services.save_sender(freed)
    return freed


def _problem(change: ServiceChange, directory: Directory, http: Http, private: PrivateTargets) -> Refused | None:
    """The first setting that cannot be."""
    reach = PrivateTargets(directory.account.settings.allow_private_webhooks or private)
    objection = partial(http.refusal, private=reach)
    if change.friendly_name and len(change.friendly_name) > NAME_CHARS_MAX:
        return refuse(20002)
    refused = (
        url_problem(change.inbound_request_url, objection)
        or url_problem(change.fallback_url, objection)
        or callback_problem(change.status_callback, objection)
        or method_problem(change.inbound_method)
        or method_problem(change.fallback_method)
    )
    if refused:
        return refused
    if change.validity_period is not None and not 1 <= change.validity_period <= VALIDITY_SECONDS_MAX:
        return refuse(21624)
    if change.usecase is not None and change.usecase not in USECASES:
        return refuse(21713)
    if change.scan_message_content is not None and change.scan_message_content not in SCANS:
        return refuse(20422)
    return None


_CLEARED_BY_EMPTY = ("inbound_request_url", "fallback_url", "status_callback")


def _changed(service: Service, change: ServiceChange, now: datetime) -> Service:
    given = {field.name: getattr(change, field.name) for field in fields(change)}
    values: dict[str, Any] = {
        name: (value or None) if name in _CLEARED_BY_EMPTY else value for name, value in given.items() if value is not None
    }
    return replace(service, **values, updated_at=now)
