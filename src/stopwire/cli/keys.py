"""`stopwire key`: API keys of the account."""

from typing import Annotated

import typer

from stopwire.cli.talk import Talk, talking

app = typer.Typer(no_args_is_help=True, help="API keys: credentials of their own for each program.")


@app.command("list")
@talking
def list_keys(talk: Talk) -> None:
    """List the keys; their secrets are not kept."""
    found = list(talk.client.keys())
    talk.answer(
        {"items": found},
        lambda: talk.table(
            ("sid", "name", "created"),
            ((key["sid"], key["friendly_name"], key["date_created"]) for key in found),
            empty="There is no key: make one with `stopwire key create NAME`.",
        ),
    )


@app.command("create")
@talking
def create(talk: Talk, name: Annotated[str, typer.Argument(help="What it is for.")] = "") -> None:
    """Make a key. Its secret is shown this once."""
    made = talk.client.create_key(name)
    talk.answer(made, lambda: talk.facts({name: made[name] for name in ("sid", "secret", "friendly_name")}))


@app.command("delete")
@talking
def delete(talk: Talk, sid: Annotated[str, typer.Argument(metavar="SID", help="SK…")]) -> None:
    """Delete a key: whoever uses it is shut out at once."""
    talk.client.delete_key(sid)
    talk.answer({"sid": sid, "deleted": True}, lambda: talk.line(f"{sid} is deleted."))
