"""Senders and messaging services as values, the scopes a sender answers to, and which sender speaks.

`select` is the whole of sender selection; chance and turn arrive as arguments.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from stopwire.core.address import ChannelGroup, SenderKind, country_of, group_of, same_area, same_channel
from stopwire.core.policy import OptOutPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where and how the customer is called. An empty URL calls nobody."""

    url: str
    method: str = "POST"
    fallback_url: str = ""
    fallback_method: str = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """An address of the account: a number, short code, alphanumeric or channel sender."""

    sid: str
    account: str
    address: str
    kind: SenderKind
    country: str | None
    friendly_name: str
    service: str | None = None
    connection: str = "simulator"
    inherited: tuple[str, ...] = ()  # holders it answered to before, and keeps answering to
    webhook: Webhook = Webhook(url="")
    default_opt_out: bool | None = None  # None: as its kind has it
    mms: bool = True
    mps: float | None = None  # messages a second, None = unlimited
    settings: Mapping[str, Any] = field(default_factory=dict)  # stored, without effect
    created_at: datetime
    updated_at: datetime
    joined_at: datetime | None = None  # when it entered its service

    @property
    def group(self) -> ChannelGroup:
        return ChannelGroup.WHATSAPP if self.kind is SenderKind.WHATSAPP else ChannelGroup.TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A messaging service: senders that share a policy and an inbound setting."""

    sid: str
    account: str
    friendly_name: str
    inbound_request_url: str | None = None
    inbound_method: str = "POST"
    fallback_url: str | None = None
    fallback_method: str = "POST"
    status_callback: str | None = None
    sticky_sender: bool = True
    mms_converter: bool = True
    smart_encoding: bool = False
    area_code_geomatch: bool = False
    fallback_to_long_code: bool = False
    synchronous_validation: bool = False
    scan_message_content: str = "inherit"
    validity_period: int = 36000
    usecase: str = "undeclared"
    use_inbound_webhook_on_number: bool = True
    policy: OptOutPolicy
    policy_version: int = 1
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A customer's space. `settings` holds the account's own choices; see `AccountSettings`."""

    sid: str
    friendly_name: str
    auth_token: str  # the primary one, which signs webhooks
    secondary_token: str | None = None  # signs in just as well, and may become the primary one
    secondary_token_at: datetime | None = None  # when it was made
    status: str = "active"
    test_sid: str
    test_token: str
    ledger_key: str
    settings: "AccountSettings"
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """What an account may choose. A service may override the second and the third."""

    opt_out_scope: str = "holder"  # holder | account: whether a STOP holds for every sender of the account
    opted_out_send: str = "reject"  # reject | accept_then_fail
    help_when_blocked: str = "reply"  # reply | silent
    allow_private_webhooks: str | None = None  # none | loopback | all; None = as the gateway is set
    webhook_retries: str = "inbound"  # none | inbound | all: which webhooks are retried for three days
    media_auth: str = "none"  # none | basic
    ambiguous: str = "hold"  # hold | retry: what happens to a part whose answer never came
    countries: tuple[str, ...] | None = None  # those that may be written to, ISO alpha-2; None: all of them
    landlines: str = "accept"  # accept | refuse: what becomes of a text to a number that is surely a landline
    smpp_delivery: str = "auto"  # auto | on | off: whether messages are told to bound customers; auto: once one has bound
    smpp_bound: bool = False  # whether a receiver of the account has ever bound
    smpp_long: str = "udh"  # udh | payload: how a long text is handed to a bound customer
    smpp_tlvs: str = "standard"  # standard | vendor: whether our own TLVs are added for bound customers
    keep_bodies_days: int | None = None  # None: for good; the rules are in `core/retention.py`
    keep_messages_days: int | None = None
    keep_webhooks_days: int | None = None
    legal_hold: bool = False  # nothing is deleted, whatever the times above are and whoever asks


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """All that deciding about one sender needs: itself, its account, its service."""

    account: Account
    sender: Sender
    service: Service | None

    @property
    def scopes(self) -> tuple[str, ...]:
        return scopes_of(self.sender, self.service.sid if self.service else None, self.account.sid)

    @property
    def holder(self) -> str:
        """Where a STOP to this sender holds (semantics: the service, else the sender; B08: the account where it so chose)."""
        if self.account.settings.opt_out_scope == "account":
            return self.account.sid
        return self.service.sid if self.service else self.sender.sid


def scopes_of(sender: Sender, service: str | None, account: str) -> tuple[str, ...]:
    """Holders consulted for a send from `sender`, each once; a block in any of them refuses it."""
    own = (sender.sid, sender.service, service, *sender.inherited, account)
    return tuple(dict.fromkeys(holder for holder in own if holder))


def joined(sender: Sender, service: str, *, now: datetime) -> Sender:
    """`sender` as a member of `service`; where it was a member before, it keeps answering to that one too."""
    return replace(left(sender, now=now), service=service, joined_at=now, updated_at=now)


def left(sender: Sender, *, now: datetime) -> Sender:
    """`sender` out of its service. Who said STOP to the service said it to this sender: the scope stays with it."""
    if sender.service is None:
        return sender
    inherited = tuple(dict.fromkeys((*sender.inherited, sender.service)))
    return replace(sender, service=None, joined_at=None, inherited=inherited, updated_at=now)


DESTINATIONS = "destinations"  # key of `Sender.settings`: a SID by country, "" for all others; absent: everywhere
NAMELESS = frozenset({"US", "CA"})  # where networks take no names


def destinations(sender: Sender) -> dict[str, str]:
    """Where a name is used, by country (ISO alpha-2), each use with a SID of its own; "" is wherever none is named."""
    return dict(sender.settings.get(DESTINATIONS) or {"": sender.sid})


def speaks_in(sender: Sender, country: str | None) -> bool:
    """Whether a name is used in a country."""
    used = destinations(sender)
    return country not in NAMELESS and (country in used or "" in used)


def named_for(sender: Sender) -> list[str] | None:
    """The countries that a name is used in; None where it is used wherever none is named for, and for all other senders."""
    used = destinations(sender)
    return None if "" in used else sorted(used)


def used_in(sender: Sender, country: str, sid: str) -> Sender:
    """`sender` as it is used in one more country, under this SID."""
    return replace(sender, settings={**sender.settings, DESTINATIONS: {**destinations(sender), country: sid}})


def unused_in(sender: Sender, country: str) -> Sender | None:
    """`sender` as it is used in one country less; None where that was the last."""
    left = {code: sid for code, sid in destinations(sender).items() if code != country}
    return replace(sender, settings={**sender.settings, DESTINATIONS: left}) if left else None


def inbound_webhook(sender: Sender, service: Service | None) -> Webhook | None:
    """Where an inbound message goes. None: the service drops incoming messages. An empty URL: nobody asked to be told."""
    if service is None:
        return sender.webhook
    of_service = Webhook(
        url=service.inbound_request_url or "",
        method=service.inbound_method,
        fallback_url=service.fallback_url or "",
        fallback_method=service.fallback_method,
    )
    if service.use_inbound_webhook_on_number:
        is_channel = sender.kind in (SenderKind.WHATSAPP, SenderKind.RCS)
        return of_service if is_channel and not sender.webhook.url else sender.webhook
    return of_service if of_service.url else None


# Which type speaks first in a pool; toll-free before long code in Canada only.
_TYPE_ORDER = (SenderKind.RCS, SenderKind.SHORT_CODE, SenderKind.ALPHANUMERIC)


def candidates(
    pool: Sequence[Sender], recipient: str, *, service: Service, media: bool, sticky: str | None = None
) -> list[Sender]:
    """Senders of `pool` that may carry a message to `recipient`, the best class only, oldest member first.

    Channel, country, type and area code narrow in this order; what is left differs by turn alone. `sticky` is the
    SID of the sender that the person knows: while it serves their country, it is the only candidate.
    """
    able = _serving(pool, recipient, service=service, media=media)
    if known := [s for s in able if s.sid == sticky]:
        return known
    if group_of(recipient) is ChannelGroup.WHATSAPP:
        return able
    country = country_of(recipient)
    able = _best_type(able, country)
    if service.area_code_geomatch and country in ("US", "CA"):
        able = [s for s in able if same_area(s.address, recipient)] or able
    toll_free = [s for s in able if s.kind is SenderKind.TOLL_FREE]
    return [s for s in able if s.kind is not SenderKind.TOLL_FREE or s is toll_free[0]]


def _serving(pool: Sequence[Sender], recipient: str, *, service: Service, media: bool) -> list[Sender]:
    """Those on the recipient's channel, of their country, else of the US, else any."""
    able = [s for s in pool if same_channel(s.address, recipient) and (not media or s.mms or service.mms_converter)]
    if group_of(recipient) is ChannelGroup.WHATSAPP:
        return able
    country = country_of(recipient)
    able = [s for s in able if s.kind is not SenderKind.ALPHANUMERIC or speaks_in(s, country)]
    able = [s for s in able if s.kind is not SenderKind.SHORT_CODE or s.country == country]
    local = [s for s in able if s.country == country or s.kind in (SenderKind.RCS, SenderKind.ALPHANUMERIC)]
    american = [s for s in able if s.country == "US"]
    return local or american or able


def _best_type(able: list[Sender], country: str | None) -> list[Sender]:
    for kind in _TYPE_ORDER:
        if found := [s for s in able if s.kind is kind]:
            return [s for s in found if country in destinations(s)] or found
    if country == "CA" and (found := [s for s in able if s.kind is SenderKind.TOLL_FREE]):
        return found
    return able


def select(found: Sequence[Sender], turn: Callable[[], int]) -> Sender | None:
    """The sender whose turn it is. Nobody's turn is used up where there is no choice, so that shares stay even."""
    if len(found) < 2:
        return found[0] if found else None
    return found[turn() % len(found)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """An account's configuration as one value: who it is, its senders, its services. Consent is not in it."""

    account: Account
    senders: Mapping[str, Sender]  # by SID
    services: Mapping[str, Service]

    def sender_at(self, address: str) -> Sender | None:
        return next((s for s in self.senders.values() if s.address == address), None)

    def pool(self, service: str) -> list[Sender]:
        """The senders of a service, in the order they joined."""
        members = [s for s in self.senders.values() if s.service == service]
        return sorted(members, key=lambda s: (s.joined_at or s.created_at, s.sid))

    def home(self, sender: Sender) -> Home:
        return Home(account=self.account, sender=sender, service=self.services.get(sender.service or ""))
