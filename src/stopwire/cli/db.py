"""`stopwire db`: the store of a data folder: its schema, its soundness, copies out and in, and the key of its secrets."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stopwire.cli.operator import admin, in_store
from stopwire.cli.output import Exit, Failed
from stopwire.cli.talk import Talk, local

if TYPE_CHECKING:
    from stopwire.flows.restore import Known

DATABASE = "stopwire.db"

app = typer.Typer(no_args_is_help=True, help="The store: schema, soundness, backups, the key of its secrets.")


@app.command("upgrade")
@local
def upgrade(talk: Talk) -> None:
    """Bring the schema up to this version. A start does the same; a copy from before is kept beside the database."""
    from stopwire.admin import NotRunning, call

    try:
        call(talk.data_dir, "list_accounts")
        state = "the running gateway has brought it up already"
    except NotRunning:
        in_store(talk.data_dir, _nothing)
        state = "up to date"
    told = {"data_dir": str(talk.data_dir), "state": state}
    talk.answer(told, lambda: talk.line(f"The schema in {talk.data_dir}: {state}."))


async def _nothing(world: Any) -> None:
    """Opening was all."""


@app.command("check")
@local
def check(talk: Talk) -> None:
    """Verify the ledger of every account, and look at the store. Ends with 1 where something is wrong."""
    told = admin(talk, "check")

    def human() -> None:
        talk.table(
            ("account", "ledger", "events", "first fault"),
            ((account, "ok" if row["ok"] else "fail", row["events"], row.get("first_fault")) for account, row in told["ledgers"].items()),
            empty="There is no account yet.",
        )
        for notice in told["store"].get("notices") or ():
            talk.note(notice)

    talk.answer(told, human)
    if not told["ok"]:
        raise typer.Exit(Exit.NO)


@app.command("backup")
@local
def backup(talk: Talk, target: Annotated[Path, typer.Argument(help="New file to write.", dir_okay=False)]) -> None:
    """Copy the database to a file, while the gateway works or not, and verify the copy."""
    told = admin(talk, "backup", target=str(target.expanduser().absolute()))
    talk.answer(told, lambda: talk.line(f"{told['path']} holds a verified copy of {told['size_bytes']:,} bytes."))


@app.command("rotate-key")
@local
def rotate_key(talk: Talk) -> None:
    """Seal the secrets of connections with a new key; the former stay in vault.key and open what they sealed.

    Keep vault.key anew afterwards. Ends with 1 where a secret could not be read.
    """
    told = admin(talk, "rotate_key")

    def human() -> None:
        talk.line(f"The key {told['key']} seals from now on; {told['resealed']} secrets were sealed anew. Keep vault.key anew.")
        for name in told["unreadable"]:
            talk.note(f"No key in vault.key opens a secret of the connection {name}: enter it again.")

    talk.answer(told, human)
    if told["unreadable"]:
        raise typer.Exit(Exit.NO)


@app.command("restore")
@local
def restore(
    talk: Talk,
    source: Annotated[Path, typer.Argument(help="A file that `db backup` wrote.", exists=True, dir_okay=False)],
    forget: Annotated[
        bool,
        typer.Option(
            "--forget-newer-opt-outs",
            help="Go on where the present database is too damaged to tell who opted out since the backup.",
        ),
    ] = False,
) -> None:
    """Put a backup in the place of the database; the gateway must be stopped. The replaced database is kept.

    Whoever is blocked now stays blocked, also where the backup does not know of it yet.
    """
    from stopwire.flows.restore import block_again
    from stopwire.wiring import restore as put_back

    known = _known(talk, forget=forget)
    talk.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The backup learns of the newer opt-outs aside, so that the database that appears knows of them from its first moment.
    with TemporaryDirectory(dir=talk.data_dir, prefix="restore-") as aside:
        put_back(source.absolute(), Path(aside))
        again = in_store(Path(aside), partial(block_again, known=known))
        replaced = put_back(Path(aside, DATABASE), talk.data_dir)
    told = {
        "data_dir": str(talk.data_dir),
        "replaced": str(replaced) if replaced else None,
        "blocks_kept": again,
    }

    def human() -> None:
        talk.line(f"{source} is the database of {talk.data_dir} now.", "green")
        if replaced:
            talk.line(f"The one before is kept as {replaced}.")
        talk.line(f"{again} blocks that the backup did not know were brought over.")

    talk.answer(told, human)


def _known(talk: Talk, *, forget: bool) -> "list[Known]":
    """Who is blocked now, read before the database is exchanged."""
    from stopwire.flows.restore import remember
    from stopwire.ports.faults import DatabaseDamaged, DatabaseTooNew, StoreBroken
    from stopwire.wiring import has_database

    if not has_database(talk.data_dir):
        return []
    try:
        return in_store(talk.data_dir, remember)
    except (DatabaseDamaged, DatabaseTooNew, StoreBroken) as fault:
        if forget:
            talk.note("Opt-outs that are newer than the backup could not be read, and are lost: honour them by hand.")
            return []
        raise Failed(
            f"{fault} Nothing was restored yet: the opt-outs since the backup cannot be read from it. "
            "To restore without them, give --forget-newer-opt-outs.",
            Exit.NO,
        ) from None
