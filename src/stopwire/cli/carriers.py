"""`stopwire carrier`: connections to carriers. A secret comes from a file or the environment, never from the command line."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from stopwire.cli.output import Exit, Failed
from stopwire.cli.talk import Talk, talking

app = typer.Typer(no_args_is_help=True, help="Connections to carriers.")

NAME = Annotated[str, typer.Argument(help="Name of the connection.", metavar="NAME")]
Host = Annotated[str | None, typer.Option(help="Host of the carrier.")]
Port = Annotated[int | None, typer.Option(help="Its port.", min=1, max=65_535)]
SystemId = Annotated[str | None, typer.Option(help="Name to bind with (SMPP).")]
PasswordFile = Annotated[Path | None, typer.Option(help="File that holds the password; - reads it from standard input.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="A setting of its type, as window=20; may be repeated.", metavar="NAME=VALUE")]
SecretFile = Annotated[
    list[str] | None, typer.Option(help="A secret of its type, from a file; may be repeated.", metavar="NAME=FILE")
]
SecretEnv = Annotated[
    list[str] | None, typer.Option(help="A secret of its type, from the environment; may be repeated.", metavar="NAME=VARIABLE")
]
Senders = Annotated[
    list[str] | None, typer.Option("--sender", help="A number that speaks through it; may be repeated.", metavar="NUMBER")
]
OptOutBy = Annotated[
    str | None, typer.Option(help="Who answers STOP: `us`, or the `carrier` itself, and then we stay silent.", metavar="us|carrier")
]
Failover = Annotated[
    list[str] | None, typer.Option(help="A connection its senders use while it is down; may be repeated.", metavar="NAME")
]


@app.command("list")
@talking
def list_carriers(talk: Talk) -> None:
    """List the connections, and how each is."""
    found = list(talk.client.carriers())
    talk.answer(
        {"items": found},
        lambda: talk.table(
            ("name", "type", "state", "senders", "what it says"),
            ((c["name"], c["type"], c["link"]["status"], len(c["senders"]), c["link"]["says"]) for c in found),
            empty="There is no connection.",
        ),
    )


@app.command("types")
@talking
def list_types(talk: Talk) -> None:
    """List the kinds of carriers and the settings of each."""
    found = list(talk.client.carrier_types())
    rows = [(kind["type"], f["name"], _nature(f), f["default"], f["says"]) for kind in found for f in kind["fields"]]
    talk.answer(
        {"items": found},
        lambda: talk.table(("type", "setting", "", "default", "meaning"), rows, empty="There is none."),
    )


@app.command("get")
@talking
def get(talk: Talk, name: NAME) -> None:
    """Show one connection."""
    found = talk.client.carrier(name)
    talk.answer(found, lambda: talk.facts(_facts(found)))


@app.command("add")
@talking
def add(
    talk: Talk,
    name: NAME,
    type: Annotated[str, typer.Option(help="Kind of carrier; see `stopwire carrier types`.")] = "smpp",
    host: Host = None,
    port: Port = None,
    system_id: SystemId = None,
    password_file: PasswordFile = None,
    set_: Set = None,
    secret_file: SecretFile = None,
    secret_env: SecretEnv = None,
    sender: Senders = None,
    failover: Failover = None,
    opt_out_by: OptOutBy = None,
    paused: Annotated[bool, typer.Option("--paused", help="Do not open it yet.")] = False,
) -> None:
    """Add a connection and put senders on it. It is opened at once."""
    settings = _settings(talk, type, host, port, system_id, password_file, set_, secret_file, secret_env)
    more = {} if opt_out_by is None else {"opt_out_by": opt_out_by}
    made = talk.client.add_carrier(name, type, settings, senders=sender or [], failover=failover, paused=paused, **more)
    talk.answer(made, lambda: talk.facts(_facts(made)))


@app.command("set")
@talking
def change(
    talk: Talk,
    name: NAME,
    host: Host = None,
    port: Port = None,
    system_id: SystemId = None,
    password_file: PasswordFile = None,
    set_: Set = None,
    secret_file: SecretFile = None,
    secret_env: SecretEnv = None,
    sender: Senders = None,
    failover: Failover = None,
    opt_out_by: OptOutBy = None,
) -> None:
    """Change settings, or put senders on it. `--set NAME=` takes a setting out."""
    kind = talk.client.carrier(name)["type"] if set_ else ""
    settings = _settings(talk, kind, host, port, system_id, password_file, set_, secret_file, secret_env)
    changes: dict[str, Any] = {"settings": settings, "senders": sender or []}
    if failover is not None:
        changes["failover"] = failover
    if opt_out_by is not None:
        changes["opt_out_by"] = opt_out_by
    made = talk.client.change_carrier(name, **changes)
    talk.answer(made, lambda: talk.facts(_facts(made)))


@app.command("test")
@talking
def test(talk: Talk, name: NAME) -> None:
    """Try a connection. Ends with 1 where it does not work."""
    found = talk.client.test_carrier(name)
    talk.answer(found, lambda: talk.line(found["detail"], "green" if found["ok"] else "red"))
    if not found["ok"]:
        raise typer.Exit(Exit.NO)


@app.command("pause")
@talking
def pause(talk: Talk, name: NAME) -> None:
    """Close a connection. Its messages wait, or leave by another where their sender has one."""
    found = talk.client.pause_carrier(name)
    talk.answer(found, lambda: talk.line(f"{name} is paused."))


@app.command("resume")
@talking
def resume(talk: Talk, name: NAME) -> None:
    """Open a paused connection."""
    found = talk.client.resume_carrier(name)
    talk.answer(found, lambda: talk.line(f"{name} is resumed."))


@app.command("remove")
@talking
def remove(talk: Talk, name: NAME) -> None:
    """Remove a connection that no sender speaks through."""
    found = talk.client.remove_carrier(name)
    talk.answer({**found, "removed": True}, lambda: talk.line(f"{name} is removed."))


@app.command("log")
@talking
def show_log(talk: Talk, name: NAME) -> None:
    """Show the last events of a connection: bound, unbound, throttled, refused."""
    found = list(talk.client.carrier_log(name))
    talk.answer(
        {"items": found},
        lambda: talk.table(
            ("at", "event", "what it says"), ((e["at"], e["event"], e["says"]) for e in found), empty="Nothing has happened yet."
        ),
    )


def _settings(
    talk: Talk,
    kind: str,
    host: str | None,
    port: int | None,
    system_id: str | None,
    password_file: Path | None,
    set_: list[str] | None,
    secret_file: list[str] | None,
    secret_env: list[str] | None,
) -> dict[str, Any]:
    given: dict[str, Any] = {"host": host, "port": port, "system_id": system_id}
    settings = {name: value for name, value in given.items() if value is not None}
    pairs = [*map(_pair, set_ or [])]
    plain = _plain_fields(talk, kind) if pairs else frozenset()
    for name, text in pairs:
        settings[name] = _value(text, plain=name in plain)
    for name, path in map(_pair, secret_file or []):
        settings[name] = _content(Path(path))
    for name, variable in map(_pair, secret_env or []):
        if variable not in os.environ:
            raise Failed(f"There is no variable {variable} in the environment.", Exit.USAGE)
        settings[name] = os.environ[variable]
    if password_file is not None:
        settings["password"] = _content(password_file)
    return settings


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise Failed(f"{text!r} is no setting: write it as NAME=VALUE.", Exit.USAGE)
    return name.strip().replace("-", "_"), value


def _plain_fields(talk: Talk, kind: str) -> frozenset[str]:
    """Settings of a kind that are text, such as a code, or the body of a request: whatever they look like, they stay text."""
    fields = [field for each in talk.client.carrier_types() if each["type"] == kind for field in each["fields"]]
    return frozenset(field["name"] for field in fields if isinstance(field["default"], (str, type(None))))


def _value(text: str, *, plain: bool) -> Any:
    """JSON where it is some, as 20, true or {"0x400": "opted_out"}; of text, a string in quotes only. Nothing takes the setting out."""
    import json

    if text == "":
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return text if plain and not isinstance(value, str) else value


def _content(path: Path) -> str:
    try:
        text = typer.get_text_stream("stdin").read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except OSError as error:
        raise Failed(f"{path} cannot be read: {error.strerror}.", Exit.USAGE) from None
    return text.rstrip("\r\n")


def _nature(field: dict[str, Any]) -> str:
    return ", ".join(word for word in ("required", "secret") if field[word])


def _facts(carrier: dict[str, Any]) -> dict[str, Any]:
    names = ("sid", "name", "type", "paused", "senders", "settings", "secrets", "opt_out_by", "origin")
    called = {"provider calls": carrier["push_url"]} if carrier["push_url"] else {}
    return {**{name: carrier[name] for name in names}, **called, "state": carrier["link"]["status"], "says": carrier["link"]["says"]}
