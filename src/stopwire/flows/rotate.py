"""Rotate the vault's key: a new one seals from now on, and what is kept is sealed anew, connection by connection.

It may end anywhere. The former keys stay in their file, so that what is not sealed anew yet still opens, and with it backups and
the opt-out links that are out there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from stopwire.core.connections import Sealed, seal_purpose
from stopwire.log import get_logger
from stopwire.ports.faults import SealFault
from stopwire.ports.store import AuditRow, Tx
from stopwire.ports.world import Vault, World

log = get_logger(__name__)

ROUNDS = 3  # a connection that is changed between being read and being kept is read again


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """The name of the key that seals now, how many secrets it sealed anew, and which connections have one that no key opens."""

    key: str
    resealed: int
    unreadable: tuple[str, ...] = ()


async def rotate(world: World, *, actor: str) -> Rotated:
    """A new key, and every connection's secrets sealed with it. Pushes that wait for a better secret keep their old seal."""
    key = await world.vault.renew()
    resealed, unreadable = 0, dict[str, None]()
    for _ in range(ROUNDS):
        kept = await world.store.read(lambda tx: tx.connections.every(), account="")
        stale = [each for each in kept if not all(map(world.vault.is_current, each.secrets.values()))]
        if not [each for each in stale if each.connection.name not in unreadable]:
            break
        for sealed in stale:
            try:
                secrets = _sealed_anew(world.vault, sealed)
            except SealFault as fault:
                log.error("vault.unreadable", connection=sealed.connection.sid, error=str(fault))
                unreadable[sealed.connection.name] = None
                continue
            unit = partial(reseal, was=sealed, secrets=secrets)
            if await world.store.write(unit, account=sealed.connection.account):
                resealed += len(secrets)
    done = Rotated(key=key, resealed=resealed, unreadable=tuple(unreadable))
    await world.store.write(partial(_note, row=_row(world, done, actor)), account="")
    return done


def reseal(tx: Tx, *, was: Sealed, secrets: Mapping[str, str]) -> bool:
    """Keep the new seals, unless the connection was changed since it was read. Whether they are kept."""
    if tx.connections.find(was.connection.sid) != was:
        return False
    tx.connections.save(replace(was, secrets=secrets))  # its version stays: nothing has to be opened anew
    return True


def _sealed_anew(vault: Vault, sealed: Sealed) -> dict[str, str]:
    anew = {}
    for name, text in sealed.secrets.items():
        purpose = seal_purpose(sealed.connection.sid, name)
        anew[name] = vault.seal(vault.open_sealed(text, purpose=purpose), purpose=purpose)
    return anew


def _note(tx: Tx, *, row: AuditRow) -> None:
    tx.audit.add([row])


def _row(world: World, done: Rotated, actor: str) -> AuditRow:
    detail = {"key": done.key, "resealed": done.resealed, "unreadable": list(done.unreadable)}
    # Of no account: the key is the whole gateway's.
    return AuditRow(id=world.ids.sid("AU"), account="", at=world.clock.now(), actor=actor, act="vault.rotated", detail=detail)
