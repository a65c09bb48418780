"""`stopwire suggestions`: what looked like an opt-out and waits for a person's judgement."""

from itertools import islice
from typing import Annotated

import typer

from stopwire.cli.talk import Talk, talking

app = typer.Typer(no_args_is_help=True, help="Suggestions: what looked like an opt-out, for you to judge.")

SuggestionArgument = Annotated[str, typer.Argument(metavar="ID", help="SG…")]
Note = Annotated[str | None, typer.Option(help="Why, for whoever reads the ledger.")]


@app.command("list")
@talking
def list_suggestions(
    talk: Talk,
    state: Annotated[str, typer.Option(help="open, confirmed, dismissed, expired, or all.")] = "open",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
) -> None:
    """List suggestions, those that wait first."""
    found = list(islice(talk.client.suggestions(state=None if state == "all" else state), limit))
    talk.answer(
        {"items": found},
        lambda: talk.table(
            ("id", "state", "recipient", "proposes", "confidence", "due", "text"),
            ((s["id"], s["state"], s["recipient"], s["proposes"], f"{s['confidence']:.0%}", s["due_at"], s["body"]) for s in found),
            empty="Nothing waits for you.",
        ),
    )


@app.command("confirm")
@talking
def confirm(talk: Talk, id: SuggestionArgument, note: Note = None) -> None:
    """Yes, they opted out: block them."""
    found = talk.client.confirm_suggestion(id, note=note)
    talk.answer(found, lambda: talk.line(f"{found['recipient']} is blocked in {found['scope']}."))


@app.command("dismiss")
@talking
def dismiss(talk: Talk, id: SuggestionArgument, note: Note = None) -> None:
    """No, they meant something else."""
    found = talk.client.dismiss_suggestion(id, note=note)
    talk.answer(found, lambda: talk.line(f"{found['id']} is dismissed; nothing changed for {found['recipient']}."))
