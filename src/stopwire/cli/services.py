"""`stopwire service`: messaging services and their senders."""

import re
from typing import Annotated, Any

import typer

from stopwire.cli.output import Exit, Failed
from stopwire.cli.talk import Talk, talking

app = typer.Typer(no_args_is_help=True, help="Messaging services: senders that share a policy.")

SID = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}")
# The kind of a sender → its sub-resource of a service, and the field that names it there.
MEMBERS = {
    "long_code": ("PhoneNumbers", "PhoneNumberSid"),
    "toll_free": ("PhoneNumbers", "PhoneNumberSid"),
    "short_code": ("ShortCodes", "ShortCodeSid"),
    "alphanumeric": ("AlphaSenders", "AlphaSender"),
    "whatsapp": ("ChannelSenders", "Sid"),
    "rcs": ("ChannelSenders", "Sid"),
}

ServiceArgument = Annotated[str, typer.Argument(metavar="SERVICE", help="SID (MG…) or name of the messaging service.")]
SenderArgument = Annotated[str, typer.Argument(metavar="SENDER", help="Address (+1415…, 72345) or SID of the sender.")]


@app.command("list")
@talking
def list_services(talk: Talk) -> None:
    """List the messaging services."""
    found = list(talk.client.services())
    talk.answer(
        {"items": found},
        lambda: talk.table(
            ("sid", "name", "inbound url", "status callback"),
            ((s["sid"], s["friendly_name"], s.get("inbound_request_url"), s.get("status_callback")) for s in found),
            empty="There is no messaging service: make one with `stopwire service create NAME`.",
        ),
    )


@app.command("create")
@talking
def create(
    talk: Talk,
    name: Annotated[str, typer.Argument(help="Its name.")],
    inbound_url: Annotated[str | None, typer.Option(help="Where inbound messages are posted.")] = None,
    status_callback: Annotated[str | None, typer.Option(help="Where the progress of messages is posted.")] = None,
) -> None:
    """Make a messaging service."""
    fields = {"StatusCallback": status_callback} if status_callback else {}
    if inbound_url:
        fields |= {"InboundRequestUrl": inbound_url, "UseInboundWebhookOnNumber": "false"}
    made = talk.client.create_service(name, **fields)
    talk.answer(made, lambda: talk.line(f"{made['sid']} {made['friendly_name']}"))


@app.command("show")
@talking
def show(talk: Talk, service: ServiceArgument) -> None:
    """Show a service and its senders."""
    sid = service_sid(talk, service)
    found = talk.client.service(sid)
    members = [sender for sender in talk.client.senders() if sender.get("service") == sid]

    def human() -> None:
        talk.facts({name: value for name, value in found.items() if name not in ("links", "url")})
        talk.table(
            ("sid", "address", "kind", "country"),
            ((m["sid"], m["address"], m["kind"], m.get("country")) for m in members),
            empty="It has no sender: add one with `stopwire service add-sender`.",
        )

    talk.answer({**found, "senders": members}, human)


@app.command("delete")
@talking
def delete(talk: Talk, service: ServiceArgument) -> None:
    """Delete a service. Its senders stay, and so does every opt-out it recorded."""
    sid = service_sid(talk, service)
    talk.client.delete_service(sid)
    talk.answer({"sid": sid, "deleted": True}, lambda: talk.line(f"{sid} is deleted; its opt-outs keep holding."))


@app.command("add-sender")
@talking
def add_sender(talk: Talk, service: ServiceArgument, sender: SenderArgument) -> None:
    """Put a sender into a service. A new alphanumeric sender is made by naming it."""
    sid = service_sid(talk, service)
    found = find_sender(talk, sender, missing_ok=True)
    if found is None:
        if not re.search(r"[A-Za-z]", sender) or ":" in sender or SID.fullmatch(sender):
            raise no_such_sender(sender)
        found = {"address": sender, "kind": "alphanumeric"}
    members, field = MEMBERS[found["kind"]]
    value = found["address"] if field == "AlphaSender" else found["sid"]
    made = talk.client.add_member(sid, members, field, value)
    talk.answer(made, lambda: talk.line(f"{found['address']} now belongs to {sid}."))


@app.command("remove-sender")
@talking
def remove_sender(talk: Talk, service: ServiceArgument, sender: SenderArgument) -> None:
    """Take a sender out of a service. Who opted out of the service stays opted out of the sender."""
    sid = service_sid(talk, service)
    found = find_sender(talk, sender)
    talk.client.remove_member(sid, MEMBERS[found["kind"]][0], found["sid"])
    talk.answer(
        {"service": sid, "sender": found["sid"], "removed": True},
        lambda: talk.line(f"{found['address']} left {sid}; the opt-outs it answered to keep holding."),
    )


def service_sid(talk: Talk, service: str) -> str:
    """The SID of a service named by SID or by name."""
    if SID.fullmatch(service):
        return service
    found = [s["sid"] for s in talk.client.services() if s["friendly_name"].casefold() == service.casefold()]
    if len(found) == 1:
        return str(found[0])
    if found:
        raise Failed(f"{len(found)} services are named {service!r}: say which by its SID: {', '.join(found)}.", Exit.USAGE)
    raise Failed(f"There is no service {service!r}: `stopwire service list` shows them.", Exit.NO)


def find_sender(talk: Talk, sender: str, *, missing_ok: bool = False) -> Any:
    """The sender with this address or SID: `{sid, address, kind, …}`."""
    wanted = sender.strip()
    for found in talk.client.senders():
        if wanted in (found["sid"], found["address"]):
            return found
    if missing_ok:
        return None
    raise no_such_sender(sender)


def no_such_sender(sender: str) -> Failed:
    return Failed(f"There is no sender {sender!r} in this account: `stopwire number list` shows them.", Exit.NO)
