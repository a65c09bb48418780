"""`stopwire webhook`: what was posted to your application, what it answered, and once more."""

import json
from itertools import islice
from typing import Annotated, Any

import typer

from stopwire.cli.talk import Talk, talking

app = typer.Typer(no_args_is_help=True, help="Webhooks: what was posted to your application, and what it answered.")

DeliveryArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the delivery.")]


@app.command("deliveries")
@talking
def deliveries(
    talk: Talk,
    message: Annotated[str | None, typer.Option(help="Only of this message.", metavar="SID")] = None,
    state: Annotated[str | None, typer.Option(help="Only in this state: pending, delivered, failed …")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> None:
    """List deliveries, the newest first."""
    found = list(islice(talk.client.deliveries(message=message, state=state), limit))
    talk.answer(
        {"items": found},
        lambda: talk.table(
            ("id", "event", "message", "state", "tries", "answer", "url"),
            ((d["id"], d["event"], d["message_sid"], d["state"], len(d.get("attempts") or ()), _answer(d), d["url"]) for d in found),
            empty="Nothing was posted to anybody.",
        ),
    )


@app.command("show")
@talking
def show(talk: Talk, id: DeliveryArgument) -> None:
    """Show a delivery with every request and response."""
    found = talk.client.delivery(id)

    def human() -> None:
        talk.facts({name: value for name, value in found.items() if name != "attempts"})
        for number, attempt in enumerate(found.get("attempts") or (), start=1):
            talk.line(f"\nAttempt {number}, {attempt.get('at')}, {attempt.get('ms')} ms", "bold")
            talk.line(_exchange("request", attempt.get("request")))
            talk.line(_exchange("response", attempt.get("response") or attempt.get("error")))

    talk.answer(found, human)


@app.command("replay")
@talking
def replay(talk: Talk, id: DeliveryArgument) -> None:
    """Post a delivery once more, as it was."""
    found = talk.client.replay_delivery(id)
    talk.answer(found, lambda: talk.line(f"{found.get('id', id)} {found.get('state', '')}".rstrip()))


def _answer(delivery: dict[str, Any]) -> Any:
    attempts = delivery.get("attempts") or ()
    if not attempts:
        return None
    last = attempts[-1]
    return last.get("status") or (last.get("response") or {}).get("status") or last.get("error")


def _exchange(title: str, told: Any) -> str:
    return f"{title} {json.dumps(told, ensure_ascii=False, indent=2)}"
