"""`stopwire messages`: what was sent and received, and why it went as it did."""

import contextlib
from collections.abc import Iterable
from itertools import islice
from typing import Annotated, Any

import typer

from stopwire.cli.output import print_json, shown
from stopwire.cli.talk import Talk, talking

app = typer.Typer(no_args_is_help=True, help="Messages: what was sent and received, and why it went as it did.")

MessageArgument = Annotated[str, typer.Argument(metavar="SID", help="SM… or MM…")]


@app.command("list")
@talking
def list_messages(
    talk: Talk,
    to: Annotated[str | None, typer.Option(help="Only those to this address.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="Only those from this address.")] = None,
    day: Annotated[str | None, typer.Option(help="Only those of this day, as 2030-01-31; UTC.", metavar="DATE")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="The sends that were refused, in place of messages.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> None:
    """List messages, the newest first."""
    if refused:
        _refusals(talk, limit)
        return
    found = list(islice(talk.client.messages(to=to, from_=from_, day=day, page_size=min(limit, 1000)), limit))
    talk.answer(
        {"items": found},
        lambda: talk.table(
            ("sid", "at", "from", "to", "status", "error", "text"),
            ((m["sid"], _time(m), m.get("from"), m["to"], m["status"], m.get("error_code"), _short(m.get("body"))) for m in found),
            empty="There is no such message.",
        ),
    )


def _refusals(talk: Talk, limit: int) -> None:
    found = list(islice(talk.client.refusals(), limit))
    talk.answer(
        {"items": found},
        lambda: talk.table(
            ("id", "at", "from", "to", "code", "because"),
            ((r["id"], r["at"], r.get("from") or r.get("service"), r.get("to"), r["code"], r.get("message")) for r in found),
            empty="No send was refused.",
        ),
    )


@app.command("get")
@talking
def get(talk: Talk, sid: MessageArgument) -> None:
    """Show one message."""
    found = talk.client.message(sid)
    talk.answer(found, lambda: talk.facts({n: v for n, v in found.items() if n not in ("subresource_uris", "uri")}))


@app.command("cancel")
@talking
def cancel(talk: Talk, sid: MessageArgument) -> None:
    """Take back a scheduled message."""
    found = talk.client.cancel(sid)
    talk.answer(found, lambda: talk.line(f"{found['sid']} {found['status']}"))


@app.command("explain")
@talking
def explain(talk: Talk, sid: Annotated[str, typer.Argument(metavar="SID", help="SM…, MM…, or RF… of a refusal.")]) -> None:
    """Say in words why a message was sent, refused or answered as it was."""
    told = talk.client.explain(sid)

    def human() -> None:
        talk.line(shown(told["verdict"]), "bold")
        for title, name in (("Why", "why"), ("Evidence", "evidence"), ("Looked at", "checked"), ("What next", "next")):
            _section(talk, title, told.get(name) or ())

    talk.answer(told, human)


def _section(talk: Talk, title: str, lines: Iterable[Any]) -> None:
    listed = [shown(line) for line in lines]
    if listed:
        talk.line(f"\n{title}", "bold")
        for line in listed:
            talk.line(f"  · {line}")


@app.command("tail")
@talking
def tail(
    talk: Talk,
    after: Annotated[str | None, typer.Option(help="Resume behind this event.", metavar="ID")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many events.")] = None,
) -> None:
    """Show events as they happen, until Ctrl-C. With --json, one document a line."""
    with contextlib.suppress(KeyboardInterrupt):
        for event in islice(talk.client.events(after=after), count):
            if talk.as_json:
                print_json({"id": event.id, "event": event.event, **event.data}, indent=None)
            else:
                facts = {name: value for name, value in event.data.items() if name not in ("id", "event", "at")}
                talk.line(f"{event.data.get('at', '')}  {event.data.get('event', event.event)}  {shown(facts)}")


def _time(message: dict[str, Any]) -> str:
    return str(message.get("date_sent") or message.get("date_created") or "").removesuffix(" +0000")


def _short(text: str | None, most: int = 60) -> str:
    text = " ".join((text or "").split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
