"""The `stopwire` command: every noun under one name. `stopwire --help` ends with the exit codes.

Modules below import at their top only what is light; a server, a store or an HTTP client is loaded by the command
that needs it.
"""

import sys
from typing import Annotated

import typer

from stopwire import __version__
from stopwire.cli import (
    accounts,
    alerts,
    bench,
    binds,
    carriers,
    chaos,
    config,
    db,
    doctor,
    keys,
    ledger,
    messages,
    numbers,
    optouts,
    phone,
    policies,
    send,
    services,
    suggestions,
    up,
    webhooks,
)
from stopwire.cli.exec import exec_
from stopwire.cli.output import Exit
from stopwire.cli.talk import Talk, local

EPILOG = "Exit codes: " + " ".join(f"{code.value}: {code.meaning}" for code in Exit)

app = typer.Typer(
    name="stopwire",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,  # a traceback with locals would show secrets
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("up")(up.up)
app.command("send")(send.send)
app.command("phone")(phone.phone)
app.command("chaos")(chaos.chaos)
app.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})(exec_)
for noun, commands in (
    ("messages", messages.app),
    ("optout", optouts.app),
    ("policy", policies.app),
    ("service", services.app),
    ("number", numbers.app),
    ("account", accounts.app),
    ("key", keys.app),
    ("carrier", carriers.app),
    ("bind", binds.app),
    ("webhook", webhooks.app),
    ("ledger", ledger.app),
    ("suggestions", suggestions.app),
    ("alerts", alerts.app),
    ("db", db.app),
    ("config", config.app),
):
    app.add_typer(commands, name=noun)
app.command("doctor")(doctor.doctor)
app.command("bench")(bench.bench)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"stopwire {__version__}")
        raise typer.Exit


@app.callback()
def stopwire(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version of Stopwire, and end.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """A messaging gateway that honours STOP: Twilio's API in front, real carriers behind."""


@app.command("version")
@local
def version(talk: Talk) -> None:
    """Print the version of Stopwire; with --json that of the Python that runs it too."""
    python = ".".join(map(str, sys.version_info[:3]))
    talk.answer({"stopwire": __version__, "python": python}, lambda: talk.line(f"stopwire {__version__}"))


def main() -> None:
    """What the `stopwire` script calls."""
    app()
