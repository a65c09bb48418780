"""The account's own settings, and its senders."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field

from stopwire.api import shapes
from stopwire.api.door import CarefulRoute, Cursor, In, Limit, Out, TheCaller, TheHouse, actor
from stopwire.api.problems import Problem, Wrong, not_found
from stopwire.api.shapes import Page, Sender, WrongField
from stopwire.core import retention
from stopwire.core.address import SenderKind
from stopwire.core.bound import system_id
from stopwire.core.errors import Refused
from stopwire.core.senders import Account as CoreAccount
from stopwire.core.senders import Directory
from stopwire.flows import account as accounts
from stopwire.flows import auth_token, numbers, visit
from stopwire.flows.tail import now
from stopwire.ports.house import House
from stopwire.ports.store import Services

router = APIRouter(route_class=CarefulRoute)

Name = Annotated[str, Path(max_length=64)]


class Account(Out):
    """What an account is and has chosen. `allow_private_webhooks` null: as the gateway is set."""

    sid: str
    friendly_name: str
    status: str = Field(examples=["active"])
    opt_out_scope: str = Field(examples=["holder"])
    opted_out_send: str = Field(examples=["reject"])
    help_when_blocked: str = Field(examples=["reply"])
    allow_private_webhooks: str | None
    webhook_retries: str = Field(examples=["inbound"])
    media_auth: str = Field(examples=["none"])
    ambiguous: str = Field(examples=["hold"])
    countries: list[str] | None = Field(examples=[["CA", "US"]], description="Countries that may be written to; null: all.")
    landlines: str = Field(examples=["accept"], description="What becomes of a text to a number that is surely a landline.")
    smpp_system_id: str = Field(examples=["sw0123456789ab"], description="The name it binds with by SMPP.")
    smpp_delivery: str = Field(examples=["auto"], description="Whether messages are told to bound receivers; `auto`: once one was.")
    smpp_long: str = Field(examples=["udh"], description="How a long text reaches a bound receiver.")
    smpp_tlvs: str = Field(examples=["standard"], description="`vendor`: with TLVs of this gateway's own.")
    keep_bodies_days: int | None = Field(description="How many days texts are kept; null: for good.")
    keep_messages_days: int | None = Field(description="How many days messages and refused sends are kept; null: for good.")
    keep_webhooks_days: int | None = Field(description="How many days webhook deliveries are kept; null: for good.")
    legal_hold: bool = Field(description="Nothing is deleted while it is on, whatever is set and whoever asks.")
    warnings: list[WrongField] = Field(description="Times that are shorter than advised, and why.")
    auth_token_used_at: datetime | None = Field(description="When somebody last signed in with it; null: not since the start.")
    secondary_token_at: datetime | None = Field(description="When the secondary auth token was made; null: there is none.")
    secondary_token_used_at: datetime | None = Field(description="When somebody last signed in with it; null: not since the start.")
    created_at: datetime
    updated_at: datetime


class AccountChange(In):
    """What to change; what is left out stays."""

    friendly_name: str | None = Field(None, min_length=1, max_length=64)
    opt_out_scope: Literal["holder", "account"] | None = None
    opted_out_send: Literal["reject", "accept_then_fail"] | None = None
    help_when_blocked: Literal["reply", "silent"] | None = None
    allow_private_webhooks: Literal["none", "loopback", "all"] | None = None
    webhook_retries: Literal["none", "inbound", "all"] | None = None
    media_auth: Literal["none", "basic"] | None = None
    ambiguous: Literal["hold", "retry"] | None = None
    countries: list[str] | None = Field(None, max_length=300, description="ISO 3166 codes; a send elsewhere is refused with 21408.")
    landlines: Literal["accept", "refuse"] | None = Field(None, description="`refuse`: with 21635, unless ForceDelivery is given.")
    smpp_delivery: Literal["auto", "on", "off"] | None = None
    smpp_long: Literal["udh", "payload"] | None = None
    smpp_tlvs: Literal["standard", "vendor"] | None = None
    keep_bodies_days: int | None = Field(None, description="What is older goes within the hour and does not come back; null: for good.")
    keep_messages_days: int | None = None
    keep_webhooks_days: int | None = None
    legal_hold: bool | None = None


@router.get("/account", tags=["Account"], summary="The account and its settings")
async def account(house: TheHouse, who: TheCaller) -> Account:
    directory = await _directory(house, who.account)
    return _account(directory.account, await house(auth_token.tokens, account=who.account))


@router.patch("/account", tags=["Account"], summary="Change settings of the account")
async def change_account(change: AccountChange, house: TheHouse, who: TheCaller) -> Account:
    changes = {name: getattr(change, name) for name in change.model_fields_set}
    done = await house(accounts.change_account, account=who.account, changes=changes)
    if done.problems or done.account is None:
        errors = [Wrong(path=each.path, message=each.message) for each in done.problems]
        raise Problem(422, errors[0].message if errors else "This cannot be set.", errors=errors)
    if kept := {name: value for name, value in changes.items() if name in (*retention.RULES, "legal_hold")}:
        await house(visit.note, account=who.account, actor=actor(who), act="retention.changed", detail=kept)
    return _account(done.account, await house(auth_token.tokens, account=who.account))


def _account(value: CoreAccount, tokens: auth_token.Tokens) -> Account:
    settings = value.settings
    return Account(
        sid=value.sid,
        friendly_name=value.friendly_name,
        status=value.status,
        opt_out_scope=settings.opt_out_scope,
        opted_out_send=settings.opted_out_send,
        help_when_blocked=settings.help_when_blocked,
        allow_private_webhooks=settings.allow_private_webhooks,
        webhook_retries=settings.webhook_retries,
        media_auth=settings.media_auth,
        ambiguous=settings.ambiguous,
        countries=None if settings.countries is None else list(settings.countries),
        landlines=settings.landlines,
        smpp_system_id=system_id(value.sid),
        smpp_delivery=settings.smpp_delivery,
        smpp_long=settings.smpp_long,
        smpp_tlvs=settings.smpp_tlvs,
        keep_bodies_days=settings.keep_bodies_days,
        keep_messages_days=settings.keep_messages_days,
        keep_webhooks_days=settings.keep_webhooks_days,
        legal_hold=settings.legal_hold,
        warnings=[WrongField(path=each.path, message=each.message) for each in retention.warnings(settings)],
        auth_token_used_at=tokens.primary_used_at,
        secondary_token_at=tokens.secondary_at,
        secondary_token_used_at=tokens.secondary_used_at,
        created_at=value.created_at,
        updated_at=value.updated_at,
    )


async def _directory(house: House, sid: str) -> Directory:
    directory: Directory = await house.read(sid, Services.directory)
    return directory


class SenderChange(In):
    """What to change; what is left out stays. An empty URL calls nobody; null for `default_opt_out` or `mps`: the default."""

    friendly_name: str | None = Field(None, max_length=64)
    sms_url: str | None = Field(None, max_length=4000)
    sms_method: Literal["GET", "POST"] | None = None
    sms_fallback_url: str | None = Field(None, max_length=4000)
    sms_fallback_method: Literal["GET", "POST"] | None = None
    default_opt_out: bool | None = None
    mps: float | None = Field(None, gt=0, le=numbers.MPS_MAX, description="Messages a second.")


@router.get("/senders", tags=["Senders"], summary="The senders of the account")
async def senders(
    house: TheHouse,
    who: TheCaller,
    service: Annotated[str | None, Query(max_length=64)] = None,
    kind: Annotated[SenderKind | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Sender]:
    as_of = await house(now)
    directory = await _directory(house, who.account)
    found = sorted(directory.senders.values(), key=lambda each: (each.created_at, each.sid))
    found = [each for each in found if (service is None or each.service == service) and (kind is None or each.kind is kind)]
    if cursor is not None:
        place = next((number for number, each in enumerate(found) if each.sid == cursor), len(found))
        found = found[place + 1 :]
    items = found[:limit]
    return Page(
        items=[shapes.sender(each) for each in items], next=items[-1].sid if len(found) > limit else None, as_of=as_of
    )


@router.get("/senders/{sid}", tags=["Senders"], summary="One sender")
async def sender(sid: Name, house: TheHouse, who: TheCaller) -> Sender:
    found = (await _directory(house, who.account)).senders.get(sid)
    if found is None:
        raise not_found("sender of this SID")
    return shapes.sender(found)


@router.patch("/senders/{sid}", tags=["Senders"], summary="Change a sender's own webhook, default words or speed")
async def change_sender(sid: Name, change: SenderChange, house: TheHouse, who: TheCaller) -> Sender:
    given = {name: getattr(change, name) for name in change.model_fields_set}
    reset = tuple(name for name in ("default_opt_out", "mps") if name in given and given[name] is None)
    wanted = numbers.SenderChange(**{name: value for name, value in given.items() if value is not None}, reset=reset)
    done = await house(numbers.update_sender, account=who.account, sender=sid, change=wanted)
    if done.refused is not None:
        raise _refused(done.refused)
    if done.sender is None:
        raise not_found("sender of this SID")
    return shapes.sender(done.sender)


def _refused(refused: Refused) -> Problem:
    return Problem(422, refused.message, code=refused.code)
