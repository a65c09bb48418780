"""Small values for tests of the core: an account, its senders and services, a person and their blocks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from stopwire.core.address import ChannelGroup, SenderKind, country_of, group_of, kind_of
from stopwire.core.consent import Block, Reason
from stopwire.core.policy import standard_policy
from stopwire.core.senders import Account, AccountSettings, Directory, Home, Sender, Service

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PERSON = "+14155550101"
AC, MG = "AC" + "1" * 32, "MG" + "2" * 32

ACCOUNT = Account(
    sid=AC,
    friendly_name="Ours",
    auth_token="t",
    test_sid="AC" + "9" * 32,
    test_token="t",
    ledger_key="k",
    settings=AccountSettings(),
    created_at=NOW,
    updated_at=NOW,
)
SERVICE = Service(sid=MG, account=AC, friendly_name="News", policy=standard_policy(), created_at=NOW, updated_at=NOW)
ADVANCED = replace(SERVICE, policy=replace(standard_policy(), enabled=True))


def sender(address: str, *, joined: int = 0, service: str | None = None, **more: Any) -> Sender:
    """A sender whose SID tells its address; `joined` orders those of a pool."""
    at = NOW + timedelta(seconds=joined)
    facts: dict[str, Any] = {
        "sid": f"PN:{address}",
        "account": AC,
        "address": address,
        "kind": kind_of(address),
        "country": "US" if kind_of(address) is SenderKind.SHORT_CODE else country_of(address),
        "friendly_name": address,
        "service": service,
        "created_at": at,
        "updated_at": at,
        "joined_at": at if service else None,
    }
    return Sender(**{**facts, **more})


LONG = sender("+14155550100")
TOLL_FREE = sender("+18885550100")
SHORT = sender("72345")
ALPHA = sender("ACME")
WHATSAPP = sender("whatsapp:+14155550190")
RCS = sender("rcs:acme")


def member(of: Sender, service: Service = SERVICE) -> Sender:
    return replace(of, service=service.sid, joined_at=NOW)


def home(of: Sender, service: Service | None = None, **settings: Any) -> Home:
    """A sender at home: alone, or in `service`."""
    account = replace(ACCOUNT, settings=replace(ACCOUNT.settings, **settings))
    return Home(account=account, sender=member(of, service) if service else of, service=service)


def directory(*senders: Sender, services: tuple[Service, ...] = (SERVICE,)) -> Directory:
    return Directory(account=ACCOUNT, senders={s.sid: s for s in senders}, services={s.sid: s for s in services})


def block(holder: str, reason: Reason = Reason.KEYWORD, *, recipient: str = PERSON, group: ChannelGroup | None = None) -> Block:
    return Block(
        id=f"BL:{holder}",
        holder=holder,
        group=group or group_of(recipient),
        recipient=recipient,
        reason=reason,
        since=NOW,
        actor="recipient",
        event=f"CE:{holder}",
    )
