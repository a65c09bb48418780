"""Back up the store: a verified copy, and a row of the audit log that says so.

The copy stands on the gateway's own machine. To take it elsewhere is the operator's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stopwire.ports.faults import CopyRefused
from stopwire.ports.store import AuditRow
from stopwire.ports.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """The file that was written and checked; or the problem, and nothing was kept."""

    path: str = ""
    problem: str = ""


async def back_up(world: World, *, target: str, actor: str) -> Mapping[str, Any]:
    """A copy in the new file `target`; a bare name stands in the data folder. Raises CopyRefused."""
    made = await world.store.backup(target)
    row = AuditRow(
        id=world.ids.sid("AU"),
        account="",  # it holds every account
        at=world.clock.now(),
        actor=actor,
        act="backup.verified",
        subject=made["name"],
        detail={"path": made["path"], "size_bytes": made["size_bytes"], "rows": sum(made["rows"].values())},
    )
    await world.store.write(lambda tx: tx.audit.add([row]), account="")
    return made


async def back_up_here(world: World, *, actor: str) -> BackedUp:
    """A copy in the data folder, named after the time."""
    try:
        made = await back_up(world, target=f"stopwire-{world.clock.now():%Y%m%dT%H%M%S}.db", actor=actor)
    except CopyRefused as refused:
        return BackedUp(problem=str(refused))
    return BackedUp(path=str(made["path"]))
