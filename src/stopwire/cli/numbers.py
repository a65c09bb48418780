"""`stopwire number`: the senders of the account, and numbers to be had."""

from typing import Annotated, Any

import typer

from stopwire.cli.output import Exit, Failed
from stopwire.cli.services import SenderArgument, find_sender
from stopwire.cli.talk import Talk, talking

app = typer.Typer(no_args_is_help=True, help="Numbers and other senders.")

KINDS = {"local": "Local", "toll-free": "TollFree", "mobile": "Mobile", "national": "National"}
SmsUrl = Annotated[str | None, typer.Option(help="Where inbound messages are posted; an empty one calls nobody.")]


@app.command("list")
@talking
def list_numbers(talk: Talk) -> None:
    """List all senders of the account: numbers, short codes, WhatsApp senders, names."""
    found = list(talk.client.senders())
    talk.answer(
        {"items": found},
        lambda: talk.table(
            ("sid", "address", "kind", "country", "service", "inbound url"),
            ((s["sid"], s["address"], s["kind"], s["country"], s["service"], s.get("sms_url")) for s in found),
            empty="There is no sender yet: `stopwire number available US` shows numbers to buy.",
        ),
    )


@app.command("available")
@talking
def available(
    talk: Talk,
    country: Annotated[str, typer.Argument(help="ISO 3166 code, as US.")] = "US",
    type: Annotated[str, typer.Option(help="local, toll-free, mobile or national.")] = "local",
    area_code: Annotated[str | None, typer.Option(help="Only of this area.")] = None,
    contains: Annotated[str | None, typer.Option(help="Only with these digits; * stands for any.")] = None,
) -> None:
    """List numbers that can be bought."""
    if type not in KINDS:
        raise Failed(f"There is no type {type!r}: it is one of {', '.join(KINDS)}.", Exit.USAGE)
    found = talk.client.available_numbers(country.upper(), KINDS[type], area_code=area_code, contains=contains)
    talk.answer(
        {"items": found},
        lambda: talk.table(
            ("number", "name", "region"),
            ((n["phone_number"], n.get("friendly_name"), n.get("region")) for n in found),
            empty="No such number can be had.",
        ),
    )


@app.command("buy")
@talking
def buy(
    talk: Talk,
    number: Annotated[str | None, typer.Argument(help="The number; else give --area-code.")] = None,
    area_code: Annotated[str | None, typer.Option(help="Any number of this area.")] = None,
    sms_url: SmsUrl = None,
) -> None:
    """Take a number into the account."""
    if not number and not area_code:
        raise Failed("Which one? Give a number, or --area-code.", Exit.USAGE)
    fields = {"SmsUrl": sms_url} if sms_url is not None else {}
    made = talk.client.buy_number(number=number, area_code=area_code, **fields)
    talk.answer(made, lambda: talk.line(f"{made['sid']} {made['phone_number']}"))


@app.command("release")
@talking
def release(talk: Talk, number: SenderArgument) -> None:
    """Give a number back. Who opted out of it stays opted out, also if it is bought again."""
    found = find_sender(talk, number)
    talk.client.release_number(found["sid"])
    talk.answer({**found, "released": True}, lambda: talk.line(f"{found['address']} is given back."))


@app.command("set")
@talking
def set_number(
    talk: Talk,
    number: SenderArgument,
    sms_url: SmsUrl = None,
    sms_method: Annotated[str | None, typer.Option(help="POST or GET.")] = None,
    fallback_url: Annotated[str | None, typer.Option(help="Called where the first URL fails.")] = None,
    default_opt_out: Annotated[bool | None, typer.Option(help="Whether the default words work where no policy does.")] = None,
    mps: Annotated[float | None, typer.Option(min=0, help="Most messages a second; 0 is no limit.")] = None,
) -> None:
    """Change a sender: its own webhook, its default opt-out, its speed."""
    fields: dict[str, Any] = {
        "sms_url": sms_url,
        "sms_method": sms_method,
        "sms_fallback_url": fallback_url,
        "default_opt_out": default_opt_out,
    }
    fields = {name: value for name, value in fields.items() if value is not None}
    if mps is not None:
        fields["mps"] = mps or None
    if not fields:
        raise Failed("Nothing was named to change: see `stopwire number set --help`.", Exit.USAGE)
    found = find_sender(talk, number)
    changed = talk.client.update_sender(found["sid"], **fields)
    talk.answer(changed, lambda: talk.facts(changed))
