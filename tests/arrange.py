"""How a test arranges an account: senders, services, policies and settings, put straight into the store."""

from dataclasses import replace
from typing import Any

from stopwire.core import policy as policies
from stopwire.core.address import SenderKind, country_of
from stopwire.core.senders import Account, Sender, Service, joined, left
from stopwire.ports.store import Tx
from tests.gateway import Gateway

PREFIX = {SenderKind.SHORT_CODE: "SC", SenderKind.WHATSAPP: "XE", SenderKind.ALPHANUMERIC: "AI"}


def sender(gateway: Gateway, address: str, **changes: Any) -> Sender:
    """Change a sender."""

    def unit(tx: Tx) -> Sender:
        found = tx.services.directory().sender_at(address)
        assert found is not None, address
        changed = replace(found, **changes)
        tx.services.save_sender(changed)
        return changed

    return gateway.run(gateway.world.store.write(unit, account=gateway.account_sid))


def new_sender(gateway: Gateway, address: str, kind: SenderKind, *, service: str | None = None, **more: Any) -> Sender:
    now = gateway.world.clock.now()
    made = Sender(
        sid=gateway.world.ids.sid(PREFIX.get(kind, "PN")),
        account=gateway.account_sid,
        address=address,
        kind=kind,
        country=country_of(address) or "US",
        friendly_name=address,
        created_at=now,
        updated_at=now,
        **more,
    )
    made = joined(made, service, now=now) if service else made
    gateway.run(gateway.world.store.write(lambda tx: tx.services.add_sender(made), account=gateway.account_sid))
    return made


def leave(gateway: Gateway, address: str) -> None:
    """Take a sender out of its service."""

    def unit(tx: Tx) -> None:
        found = tx.services.directory().sender_at(address)
        assert found is not None, address
        tx.services.save_sender(left(found, now=gateway.world.clock.now()))

    gateway.run(gateway.world.store.write(unit, account=gateway.account_sid))


def new_service(gateway: Gateway, name: str, **more: Any) -> str:
    now = gateway.world.clock.now()
    made = Service(
        sid=gateway.world.ids.sid("MG"),
        account=gateway.account_sid,
        friendly_name=name,
        policy=policies.standard_policy(),
        created_at=now,
        updated_at=now,
        **more,
    )
    gateway.run(gateway.world.store.write(lambda tx: tx.services.add_service(made, actor="test"), account=made.account))
    return made.sid


def service(gateway: Gateway, sid: str, **changes: Any) -> None:
    """Change a service."""

    def unit(tx: Tx) -> None:
        tx.services.save_service(replace(tx.services.directory().services[sid], **changes))

    gateway.run(gateway.world.store.write(unit, account=gateway.account_sid))


def policy(gateway: Gateway, sid: str, **data: Any) -> None:
    """Put a policy in force: the standard one with `data` over it. `enabled` unless said otherwise."""
    read, problems = policies.from_data({"enabled": True, **data})
    assert read is not None, problems
    assert [] == policies.check(read)
    new = read

    def unit(tx: Tx) -> None:
        old = tx.services.directory().services[sid]
        tx.services.add_policy(
            replace(old, policy=new, policy_version=old.policy_version + 1), actor="test", note=None
        )

    gateway.run(gateway.world.store.write(unit, account=gateway.account_sid))


def settings(gateway: Gateway, **changes: Any) -> None:
    """Change the account's settings."""

    def unit(tx: Tx) -> None:
        old: Account = tx.services.directory().account
        tx.accounts.save(replace(old, settings=replace(old.settings, **changes)))

    gateway.run(gateway.world.store.write(unit, account=gateway.account_sid))
