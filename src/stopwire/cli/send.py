"""`stopwire send`: one message, and what became of it."""

import sys
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from stopwire.cli.output import Exit, Failed
from stopwire.cli.services import service_sid
from stopwire.cli.talk import Talk, talking

FINAL = {"delivered", "undelivered", "failed", "canceled", "read"}
LOOK_SECONDS = 0.2


@talking
def send(
    talk: Talk,
    to: Annotated[str, typer.Option(help="The person: +14155550101, whatsapp:+14155550101.")],
    text: Annotated[str | None, typer.Argument(metavar="{text}", help="The text; `-` reads it from standard input.")] = None,
    body: Annotated[str | None, typer.Option(help="The text, given by name.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="One of your senders.")] = None,
    service: Annotated[str | None, typer.Option(help="A messaging service, by SID or name; it picks the sender.")] = None,
    media: Annotated[list[str] | None, typer.Option(help="URL of a picture or file; may be repeated.")] = None,
    at: Annotated[datetime | None, typer.Option(help="Send then (needs --service), as 2030-01-31T12:00:00; UTC.", metavar="TIME")] = None,
    status_callback: Annotated[str | None, typer.Option(help="URL to be told how it goes.")] = None,
    idempotency_key: Annotated[str | None, typer.Option(help="Sent twice under one key, a message leaves once.")] = None,
    wait: Annotated[float, typer.Option(help="Follow the message for up to so many seconds.")] = 0.0,
) -> None:
    """Send one message.

    Ends with 1 when the gateway refuses it, for example since the person said STOP (error 21610).
    """
    if not from_ and not service:
        raise Failed("Nobody was named to send it: give --from NUMBER or --service MG.", Exit.USAGE)
    said = text if body is None else body
    if said is None and not media:
        raise Failed("There is nothing to send: give a text, or --media URL.", Exit.USAGE)
    sent = talk.client.send(
        to=to,
        body=sys.stdin.read() if said == "-" else said,
        from_=from_,
        service=service_sid(talk, service) if service else None,
        media=media or (),
        send_at=at.replace(tzinfo=UTC) if at else None,
        status_callback=status_callback,
        idempotency_key=idempotency_key,
    )
    until = time.monotonic() + wait
    while wait and sent["status"] not in FINAL and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        sent = talk.client.message(sent["sid"])
    talk.answer(sent, lambda: _show(talk, sent))
    if sent["status"] in ("failed", "undelivered"):
        raise typer.Exit(Exit.NO)


def _show(talk: Talk, sent: dict[str, Any]) -> None:
    who = sent.get("from") or f"service {sent.get('messaging_service_sid')}"
    error = f" (error {sent['error_code']}: {sent.get('error_message')})" if sent.get("error_code") else ""
    talk.line(f"{sent['sid']} {sent['status']}: {who} → {sent['to']}{error}")
