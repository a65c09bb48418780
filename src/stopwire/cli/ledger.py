"""`stopwire ledger`: the consent ledger, whether its chain holds, and what it proves of a person."""

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from stopwire.cli.optouts import Recipient, show_events
from stopwire.cli.output import Exit
from stopwire.cli.talk import Talk, talking

app = typer.Typer(no_args_is_help=True, help="The consent ledger: who said what and when, provably.")


@app.command("verify")
@talking
def verify(talk: Talk) -> None:
    """Recompute the chain of the ledger. Ends with 1 and the first bad row if it does not hold."""
    told = talk.client.verify_ledger()

    def human() -> None:
        if told["ok"]:
            talk.line(f"The ledger holds: {told['events']:,} events, head {told['head']}.", "green")
        else:
            talk.line(f"The ledger does not hold: {told['first_fault']}", "red")

    talk.answer(told, human)
    if not told["ok"]:
        raise typer.Exit(Exit.NO)


@app.command("history")
@talking
def history(
    talk: Talk,
    recipient: Annotated[str | None, typer.Option(help="Only of this person.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
) -> None:
    """List the rows of the ledger."""
    found = list(islice(talk.client.consent_events(recipient=recipient, limit=min(limit, 1000)), limit))
    talk.answer({"items": found}, lambda: show_events(talk, found, empty="The ledger is empty."))


@app.command("evidence")
@talking
def evidence(
    talk: Talk,
    recipient: Recipient,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.", dir_okay=False)] = None,
) -> None:
    """Gather what proves the standing of a person: events, texts, versions, the chain. Always JSON."""
    import json

    from stopwire.cli.output import print_json

    told = talk.client.evidence(recipient)
    if output is None:
        print_json(told)
        return
    output.write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    talk.answer({"path": str(output)}, lambda: talk.line(f"The evidence is in {output}."))
