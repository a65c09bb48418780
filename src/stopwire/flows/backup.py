"""Back up the store: a verified copy, and a row of the audit log that says so.

The copy stands on the gateway's own machine. To take it elsewhere is the operator's.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stopwire.ports.faults import CopyRefused
from stopwire.ports.store import AuditRow
from stopwire.ports.world import World

FOLDER = "backups"  # in the data folder
ROOM = 2  # a copy is made only where this many of it would fit: a full disk takes no opt-out


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """The file that was written and checked; or the problem, and nothing was kept."""

    path: str = ""
    problem: str = ""


async def back_up(world: World, *, target: str, actor: str) -> Mapping[str, Any]:
    """A copy in the new file `target`. Raises CopyRefused."""
    made = await world.store.backup(target)
    row = AuditRow(
        id=world.ids.sid("AU"),
        account="",  # it holds every account
        at=world.clock.now(),
        actor=actor,
        act="backup.verified",
        subject=Path(target).name,
        detail={"path": made["path"], "size_bytes": made["size_bytes"], "rows": sum(made["rows"].values())},
    )
    await world.store.write(lambda tx: tx.audit.add([row]), account="")
    return made


async def back_up_here(world: World, *, actor: str) -> BackedUp:
    """A copy in the data folder, named after the time."""
    state = world.store.state()
    database, name = Path(str(state["path"])), f"stopwire-{world.clock.now():%Y%m%dT%H%M%S}.db"
    try:
        folder = await asyncio.to_thread(folder_for, database, int(state["free_bytes"]))
        made = await back_up(world, target=str(folder / name), actor=actor)
    except CopyRefused as refused:
        return BackedUp(problem=str(refused))
    return BackedUp(path=str(made["path"]))


def folder_for(database: Path, free_bytes: int) -> Path:
    """Where copies of `database` stand. Raises CopyRefused where a disk with `free_bytes` has no room for one."""
    size = sum(part.stat().st_size for part in (database, database.with_name(f"{database.name}-wal")) if part.exists())
    if free_bytes < ROOM * size:
        raise CopyRefused(
            f"The disk has {free_bytes:,} bytes free, and a copy needs {size:,} and as much again to stay safe: "
            "write it to another disk with `stopwire db backup`."
        )
    folder = database.with_name(FOLDER)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as fault:
        raise CopyRefused(f"The folder {folder} cannot be made: {fault.strerror}.") from fault
    return folder
