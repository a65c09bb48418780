"""`stopwire bind`: the applications that are bound by SMPP."""

from typing import Annotated

import typer

from stopwire.cli.talk import Talk, talking

app = typer.Typer(no_args_is_help=True, help="Applications that are bound by SMPP.")


@app.command("list")
@talking
def list_binds(talk: Talk) -> None:
    """List who is bound now, the newest first."""
    found = list(talk.client.smpp_binds())
    talk.answer(
        {"items": found},
        lambda: talk.table(
            ("id", "name", "how", "from", "since", "taken", "refused", "told"),
            (
                (b["id"], b["system_id"], b["how"], b["address"], b["since"], b["submitted"], b["declined"], b["told"])
                for b in found
            ),
            empty="Nobody is bound.",
        ),
    )


@app.command("end")
@talking
def end(talk: Talk, id: Annotated[str, typer.Argument(help="Id of the bind.", metavar="ID")]) -> None:
    """End a bind in order. The application may bind again: delete its API key to keep it out."""
    was = talk.client.unbind(id)
    talk.answer(was, lambda: talk.line(f"{was['system_id']} from {was['address']} is no longer bound."))
