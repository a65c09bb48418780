"""`stopwire webhook`: what was posted to your application, what it answered, and once more."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, Any

import typer

from stopwire.cli.talk import Talk, talking

app = typer.Typer(no_args_is_help=True, help="Webhooks: what was posted to your application, and what it answered.")

DeliveryArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the delivery.")]


@app.command("list")
@talking
def list_webhooks(talk: Talk) -> None:
    """List the URLs that are called: of services and of senders. Where nothing stands, nobody is called."""
    found = [*_of_services(talk.client.services()), *_of_senders(talk.client.senders())]
    talk.answer(
        {"items": found},
        lambda: talk.table(
            ("owner", "name", "calls", "method", "url"),
            ((w["owner"], w["name"], w["calls"], w["method"], w["url"]) for w in found),
            empty="No webhook is set: `stopwire number set` gives a sender one.",
        ),
    )


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


def _of_services(services: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for each in services:
        owner = {"owner": each["sid"], "name": each["friendly_name"]}
        if not each["use_inbound_webhook_on_number"]:
            yield from _set(owner, "inbound", each["inbound_request_url"], each["inbound_method"])
            yield from _set(owner, "fallback", each["fallback_url"], each["fallback_method"])
        yield from _set(owner, "status", each["status_callback"], "POST")


def _of_senders(senders: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for each in senders:
        owner = {"owner": each["sid"], "name": each["address"]}
        yield from _set(owner, "inbound", each["sms_url"], each["sms_method"])
        yield from _set(owner, "fallback", each["sms_fallback_url"], each["sms_fallback_method"])


def _set(owner: dict[str, Any], calls: str, url: str | None, method: str) -> Iterator[dict[str, Any]]:
    if url:
        yield {**owner, "calls": calls, "method": method, "url": url}


def _answer(delivery: dict[str, Any]) -> Any:
    attempts = delivery.get("attempts") or ()
    if not attempts:
        return None
    last = attempts[-1]
    return last.get("status") or (last.get("response") or {}).get("status") or last.get("error")


def _exchange(title: str, told: Any) -> str:
    return f"{title} {json.dumps(told, ensure_ascii=False, indent=2)}"
