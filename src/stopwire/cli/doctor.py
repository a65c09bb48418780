"""`stopwire doctor`: looks at this machine and this gateway, and says what to do about what it finds.

It changes nothing and opens no database.
"""

import os
import shutil
import socket
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from stopwire.cli import access
from stopwire.cli.output import Exit, Failed
from stopwire.cli.talk import Talk, talking

if TYPE_CHECKING:
    from stopwire.config import Settings

PYTHON_LEAST = (3, 11)
SKEW_SECONDS_MAX = 5.0
ROOM_MIB = 1024  # below this it is time to make room
BUILT = datetime(2025, 1, 1, tzinfo=UTC)  # no clock that is right shows an earlier day


class State(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor's: what was looked at, how it is, and the cure where it is not well."""

    what: str
    state: State
    told: str
    cure: str = ""


@talking
def doctor(talk: Talk) -> None:
    """Look at this machine and the gateway on it. Ends with 1 where something fails."""
    findings = list(_findings(talk))
    sick = any(finding.state is State.FAIL for finding in findings)
    talk.answer(
        {"ok": not sick, "findings": [asdict(finding) for finding in findings]},
        lambda: talk.table(("", "what", "found", "cure"), ((f.state.value, f.what, f.told, f.cure) for f in findings), empty=""),
    )
    if sick:
        raise typer.Exit(Exit.NO)


def _findings(talk: Talk) -> Iterator[Finding]:
    yield _python(sys.version_info[:2])
    yield from _sqlite()
    settings, found = _settings(talk)
    yield from found
    folder = access.data_folder(talk.asked) or (settings.data_dir if settings else access.usual_folders()[0])
    yield from _folder(folder, floor_mib=settings.free_space_floor_mib if settings else 0)
    local_runs = access.listens(folder / access.SOCKET)
    if settings and not local_runs:
        yield _port(settings.host, settings.port)
    yield from _gateway(talk)
    yield _clock(datetime.now(UTC), folder)  # noqa: TID251  # the clock itself is what is looked at


def _python(version: tuple[int, ...]) -> Finding:
    told = ".".join(map(str, version))
    if version < PYTHON_LEAST:
        return Finding(what="Python", state=State.FAIL, told=told, cure="Use Python 3.11 or newer.")
    return Finding(what="Python", state=State.OK, told=told)


def _sqlite() -> Iterator[Finding]:
    from stopwire.wiring import sqlite_version

    version, notices = sqlite_version()
    yield Finding(what="SQLite", state=State.OK, told=version)
    for notice in notices:
        yield Finding(what="SQLite", state=State.WARN, told=notice)


def _settings(talk: Talk) -> "tuple[Settings | None, list[Finding]]":
    from stopwire.config import ConfigError, load

    try:
        loaded = load({"data_dir": talk.asked.data_dir})
    except ConfigError as error:
        cure = "`stopwire config show --origin` tells where each value came from."
        return None, [Finding(what="settings", state=State.FAIL, told=s, cure=cure) for s in error.sentences]
    notes = [Finding(what="settings", state=State.WARN, told=note) for note in loaded.notes]
    return loaded.settings, notes or [Finding(what="settings", state=State.OK, told="can be used")]


def _folder(folder: Path, *, floor_mib: int) -> Iterator[Finding]:
    if not folder.exists():
        told = f"{folder} is not there yet; the first start makes it"
        yield Finding(what="data folder", state=State.OK, told=told)
        yield _room(_nearest(folder), floor_mib)
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        cure = f"Give this user the folder: chown -R {os.getuid()} {folder}"
        yield Finding(what="data folder", state=State.FAIL, told=f"{folder} cannot be written to", cure=cure)
    else:
        yield _private(folder, "data folder", 0o700)
    credentials = folder / access.CREDENTIALS
    if credentials.exists():
        yield _private(credentials, "credentials", 0o600)
    yield _room(folder, floor_mib)


def _private(path: Path, what: str, mode: int) -> Finding:
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        told = f"{path} is open to other users"
        return Finding(what=what, state=State.WARN, told=told, cure=f"chmod {mode:o} {path}")
    return Finding(what=what, state=State.OK, told=f"{path} is private")


def _room(folder: Path, floor_mib: int) -> Finding:
    free = shutil.disk_usage(folder).free // (1024 * 1024)
    told = f"{free:,} MiB free"
    if free < floor_mib:
        cure = f"Make room: below {floor_mib} MiB no outbound message is accepted."
        return Finding(what="disk", state=State.FAIL, told=told, cure=cure)
    if free < ROOM_MIB:
        return Finding(what="disk", state=State.WARN, told=told, cure="Make room before it runs out.")
    return Finding(what="disk", state=State.OK, told=told)


def _nearest(folder: Path) -> Path:
    return next(parent for parent in folder.parents if parent.exists())


def _port(host: str, port: int) -> Finding:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            cure = "Choose another with --port, or stop what uses it."
            told = f"{host}:{port} cannot be had: {error.strerror}"
            return Finding(what="port", state=State.WARN, told=told, cure=cure)
    return Finding(what="port", state=State.OK, told=f"{host}:{port} is free")


def _gateway(talk: Talk) -> Iterator[Finding]:
    from stopwire.client import ClientError, Unreachable

    try:
        client = talk.client
    except Failed as failed:
        yield Finding(what="gateway", state=State.WARN, told=failed.sentence)
        return
    try:
        state = client.ready()
        date = client.server_date()
    except Unreachable as error:
        cure = f"If it should run, {access.START_ONE}."
        yield Finding(what="gateway", state=State.WARN, told=str(error), cure=cure)
        return
    if state.get("ok"):
        yield Finding(what="gateway", state=State.OK, told=f"{client.url} is ready, version {state.get('version')}")
    else:
        told = str(state.get("reason") or f"{client.url} is not ready")
        yield Finding(what="gateway", state=State.FAIL, told=told, cure="See its log.")
    try:
        client.account()
        yield Finding(what="account", state=State.OK, told=f"{client.account_sid} signs in")
    except ClientError as error:
        cure = "Check --account and --token, or start the gateway again to have its credentials written anew."
        yield Finding(what="account", state=State.FAIL, told=str(error), cure=cure)
    if date:
        yield _skew(datetime.now(UTC), parsedate_to_datetime(date))  # noqa: TID251  # the clock is what is looked at


def _skew(ours: datetime, theirs: datetime) -> Finding:
    seconds = abs((ours - theirs).total_seconds())
    if seconds > SKEW_SECONDS_MAX:
        told = f"the gateway's clock and ours are {seconds:.0f} s apart"
        return Finding(what="clocks", state=State.WARN, told=told, cure="Keep both by NTP.")
    return Finding(what="clocks", state=State.OK, told="the gateway's clock agrees with ours")


def _clock(now: datetime, folder: Path) -> Finding:
    cure = "Set the clock and keep it by NTP: consent is proved by its times."
    if now < BUILT:
        return Finding(what="clock", state=State.FAIL, told=f"it shows {now:%Y-%m-%d}, long past", cure=cure)
    newest = max((file.stat().st_mtime for file in folder.glob("stopwire.db*")), default=0.0)
    if newest - now.timestamp() > SKEW_SECONDS_MAX:
        told = "the database was written later than now"
        return Finding(what="clock", state=State.WARN, told=told, cure=cure)
    return Finding(what="clock", state=State.OK, told=f"{now:%Y-%m-%d %H:%M:%S} UTC")
