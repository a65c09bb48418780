"""`stopwire optout`: who may not be written to, by whose doing, and since when."""

import sys
import time
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from stopwire.cli.output import Exit, Failed
from stopwire.cli.services import service_sid
from stopwire.cli.talk import Talk, talking

app = typer.Typer(no_args_is_help=True, help="Opt-outs: who may not be written to, and why.")

LOOK_SECONDS = 0.3
CONTENT_TYPES = {".csv": "text/csv", ".ndjson": "application/x-ndjson", ".jsonl": "application/x-ndjson"}

Recipient = Annotated[str, typer.Argument(metavar="RECIPIENT", help="+14155550101, whatsapp:+14155550101")]
Scope = Annotated[str, typer.Option(help="Where it holds: a service (MG…), a sender (+1415…, PN…) or the account (AC…).")]
Note = Annotated[str | None, typer.Option(help="Why, for whoever reads the ledger.")]


@app.command("check")
@talking
def check(
    talk: Talk,
    recipients: Annotated[list[str], typer.Argument(metavar="RECIPIENT…", help="Whom you want to write to.")],
    from_: Annotated[str | None, typer.Option("--from", help="The sender that would write.")] = None,
    service: Annotated[str | None, typer.Option(help="The messaging service that would write.")] = None,
) -> None:
    """Ask whether somebody may be written to. Ends with 0 for yes, with 1 where one of them is blocked.

    Without --from and --service: whether they are blocked anywhere in the account.
    """
    if from_ or service:
        who = {"from": from_} if from_ else {"service": service_sid(talk, service or "")}
        answers = talk.client.check_blocks([{**who, "to": to} for to in recipients])
    else:
        answers = [_anywhere(talk, to) for to in recipients]
    items = [{"to": to, **answer} for to, answer in zip(recipients, answers, strict=True)]
    talk.answer(
        {"items": items},
        lambda: talk.table(
            ("recipient", "may be written to", "because", "since", "scope"),
            (_checked(item) for item in items),
            empty="",
        ),
    )
    if any(item.get("error") for item in items) or any(item["blocked"] for item in items):
        raise typer.Exit(Exit.NO)


def _anywhere(talk: Talk, recipient: str) -> dict[str, Any]:
    found = next(talk.client.blocks(recipient=recipient, limit=1), None)
    return {"blocked": found is not None, "because": found, "error": None}


def _checked(item: dict[str, Any]) -> tuple[Any, ...]:
    because = item.get("because") or {}
    if error := item.get("error"):
        return (item["to"], "?", error.get("message") if isinstance(error, dict) else error, "", "")
    return (item["to"], not item["blocked"], because.get("reason"), because.get("since"), because.get("scope"))


@app.command("list")
@talking
def list_blocks(
    talk: Talk,
    recipient: Annotated[str | None, typer.Option(help="Only of this person.")] = None,
    scope: Annotated[str | None, typer.Option(help="Only in this scope.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only for this reason: keyword, operator, import …")] = None,
    since: Annotated[str | None, typer.Option(help="Only since then, as 2030-01-31T12:00:00Z.", metavar="TIME")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
) -> None:
    """List who is blocked."""
    blocks = talk.client.blocks(recipient=recipient, scope=scope, reason=reason, since=since, limit=min(limit, 1000))
    found = list(islice(blocks, limit))
    talk.answer(
        {"items": found},
        lambda: talk.table(
            ("recipient", "scope", "reason", "since", "actor", "note"),
            ((b["recipient"], b["scope"], b["reason"], b["since"], b["actor"], b.get("note")) for b in found),
            empty="Nobody is blocked.",
        ),
    )


@app.command("add")
@talking
def add(
    talk: Talk,
    recipient: Recipient,
    scope: Scope,
    reason: Annotated[str, typer.Option(help="api, operator, consent, complaint or wrong_number.")] = "operator",
    note: Note = None,
) -> None:
    """Block somebody in a scope."""
    made = talk.client.block(recipient, scope=scope, reason=reason, note=note)
    talk.answer(made, lambda: talk.line(f"{made['recipient']} is blocked in {made['scope']} ({made['reason']})."))


@app.command("lift")
@talking
def lift(talk: Talk, recipient: Recipient, scope: Scope, note: Note = None) -> None:
    """Lift a block. Do it only with the person's word for it; the ledger keeps who did."""
    lifted = talk.client.lift(recipient, scope=scope, note=note)
    talk.answer(lifted, lambda: talk.line(f"{lifted['recipient']} is no longer blocked in {lifted['scope']}."))


@app.command("history")
@talking
def history(talk: Talk, recipient: Recipient) -> None:
    """Show all that the ledger knows of a person."""
    found = list(talk.client.consent_events(recipient=recipient))
    talk.answer({"items": found}, lambda: show_events(talk, found, empty=f"The ledger has nothing of {recipient}."))


@app.command("erase")
@talking
def erase(
    talk: Talk,
    recipient: Recipient,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: it is the right number.")] = False,
) -> None:
    """Erase a person: their words, their number in messages and in the ledger, notes about them. Their blocks stay.

    It does not come back. Asks for the last four digits of the number first.
    """
    if not yes:
        _ask_digits(recipient)
    erased = talk.client.erase(recipient)

    def human() -> None:
        talk.line(f"Erased, as far as it has ended: {erased['messages']} messages, {erased['events']} rows of the ledger. Blocks stay.")
        if erased["waiting"]:
            talk.note(f"{erased['waiting']} texts or suggestions have not ended yet and can still be read: erase again then.")

    talk.answer(erased, human)


def _ask_digits(recipient: str) -> None:
    if not sys.stdin.isatty():
        raise Failed("Erasing cannot be undone, and nobody is here to be asked: add --yes if it is the right number.", Exit.USAGE)
    sys.stderr.write("Their words and their number go, and do not come back; blocks stay. Type the last four digits of the number: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != recipient.strip()[-4:]:
        raise Failed("These are not its last four digits: nothing was erased.", Exit.USAGE)


def show_events(talk: Talk, events: list[dict[str, Any]], *, empty: str) -> None:
    """Rows of the ledger as a table."""
    talk.table(
        ("seq", "at", "recipient", "act", "reason", "scope", "by", "text", "note"),
        ((e["seq"], e["occurred_at"], e["recipient"], e["act"], e["reason"], e["scope"], e["actor"], e["text"], e["note"]) for e in events),
        empty=empty,
    )


@app.command("import")
@talking
def import_blocks(
    talk: Talk,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV or NDJSON.")],
    scope: Annotated[str | None, typer.Option(help="Scope of the rows that name none.")] = None,
    reason: Annotated[str | None, typer.Option(help="Reason of the rows that name none.  [default: import]")] = None,
) -> None:
    """Block everybody in a file: CSV with a header that has `recipient` (or `phone`, `to`), or NDJSON.

    Other columns: scope, reason, occurred_at, note. The same file may be given again: nothing happens twice.
    Ends with 1 where a row was wrong.
    """
    kind = CONTENT_TYPES.get(file.suffix.lower(), "text/csv")
    with file.open("rb") as rows:
        state = talk.client.import_blocks(rows, content_type=kind, scope=scope, reason=reason)
    state = _followed(talk, state)
    wrong = _wrong_rows(talk, state) if state.get("wrong") else []

    def human() -> None:
        talk.facts({name: state.get(name) for name in ("id", "state", "rows", "taken", "skipped", "wrong")})
        if wrong:
            rows = ((row["row"], row.get("recipient"), row.get("error")) for row in wrong)
            talk.table(("row", "recipient", "error"), rows, empty="")

    talk.answer({**state, "wrong_rows": wrong}, human)
    if state["state"] == "failed" or state.get("wrong"):
        raise typer.Exit(Exit.NO)


def _followed(talk: Talk, state: dict[str, Any]) -> dict[str, Any]:
    """The import once it is over; on a terminal with a line that counts."""
    live = sys.stderr.isatty() and not talk.as_json
    while state["state"] in ("queued", "running"):
        if live:
            sys.stderr.write(f"\r{state.get('rows', 0):,} rows")
            sys.stderr.flush()
        time.sleep(LOOK_SECONDS)
        state = talk.client.import_state(state["id"])
    if live:
        sys.stderr.write("\r\x1b[K")
    return state


def _wrong_rows(talk: Talk, state: dict[str, Any], most: int = 100) -> list[dict[str, Any]]:
    if not state.get("results_url"):
        return []
    return list(islice((r for r in talk.client.import_rows(state["results_url"]) if r["state"] == "wrong"), most))


@app.command("export")
@talking
def export(
    talk: Talk,
    format: Annotated[str, typer.Option(help="csv or ndjson.")] = "csv",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.", dir_okay=False)] = None,
) -> None:
    """Write the block list to standard output or a file."""
    if output is None:
        if talk.as_json:
            raise Failed("An export is not one JSON document: give --output FILE with --json.", Exit.USAGE)
        for chunk in talk.client.export_blocks(format):
            sys.stdout.buffer.write(chunk)
        sys.stdout.flush()
        return
    size = 0
    draft = output.with_name(f"{output.name}.part")
    with draft.open("wb") as file:
        for chunk in talk.client.export_blocks(format):
            size += file.write(chunk)
    draft.replace(output)  # never half a list under the name that was asked for
    talk.answer({"path": str(output), "bytes": size}, lambda: talk.line(f"{size:,} bytes are in {output}."))
