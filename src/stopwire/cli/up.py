"""`stopwire up`: start the gateway. Everything after reading the options is the gateway's own."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stopwire.cli.talk import telling


class Role(StrEnum):
    """What one process does. The same words as the setting `role`, here so that help needs no settings."""

    ALL = "all"
    API = "api"
    WORKER = "worker"


def up(
    demo: Annotated[bool | None, typer.Option("--demo", help="Start with a ready-made account, senders, handsets and traffic.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.  [default: 7867]")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the database, keys and credentials.", metavar="DIR")] = None,
    database: Annotated[str | None, typer.Option(help="URL of the store; SQLite in the data folder where none is given.", metavar="URL")] = None,
    smpp_host: Annotated[str | None, typer.Option(help="Address to wait for SMPP customers on.  [default: 127.0.0.1]")] = None,
    smpp_port: Annotated[int | None, typer.Option(help="Port for SMPP customers, usually 2775.  [default: none]")] = None,
    role: Annotated[Role | None, typer.Option(help="What this process does.  [default: all]")] = None,
    workers: Annotated[int | None, typer.Option(help="Door processes beside the core process.  [default: 0]")] = None,
    quiet: Annotated[bool | None, typer.Option("--quiet", help="No demo traffic, and only warnings on the terminal.")] = None,
    open: Annotated[bool | None, typer.Option("--open", help="Open the console in a browser.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file.  [default: stopwire.toml here, or in the data folder]")] = None,
) -> None:
    """Start the gateway: one process, SQLite, no configuration.

    Every option is also STOPWIRE_<NAME> in the environment and a key of stopwire.toml; `stopwire config show --origin`
    tells which one counts.
    """
    with telling(as_json=False):
        from stopwire import serve
        from stopwire.config import load

        loaded = load(
            {
                "demo": demo,
                "host": host,
                "port": port,
                "data_dir": data_dir,
                "database": database,
                "smpp_host": smpp_host,
                "smpp_port": smpp_port,
                "role": role and role.value,
                "workers": workers,
                "quiet": quiet,
                "open": open,
                "config": config,
            }
        )
        raise typer.Exit(serve.run(loaded))
