"""`stopwire config`: the settings in force, where each came from, and whether they can be used."""

from pathlib import Path
from typing import Annotated

import typer

from stopwire.cli.talk import Talk, local

app = typer.Typer(no_args_is_help=True, help="Settings: what is in force, and where it came from.")

ConfigFile = Annotated[Path | None, typer.Option(help="Settings file, in place of the usual ones.", metavar="FILE")]
Demo = Annotated[bool | None, typer.Option("--demo", help="As `stopwire up --demo` would have them.")]


@app.command("show")
@local
def show(
    talk: Talk,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value came from.")] = False,
    demo: Demo = None,
    config: ConfigFile = None,
) -> None:
    """Show the settings in force. Secrets are masked."""
    from stopwire import config as settings

    loaded = settings.load({"data_dir": talk.asked.data_dir, "demo": demo, "config": config})
    rows = settings.show(loaded)
    for note in loaded.notes:
        talk.note(note)
    columns = ("setting", "value", "origin") if origin else ("setting", "value")
    talk.answer(
        {name: {"value": value, "origin": where} if origin else value for name, value, where in rows},
        lambda: talk.table(columns, (row[: len(columns)] for row in rows), empty=""),
    )


@app.command("check")
@local
def check(talk: Talk, demo: Demo = None, config: ConfigFile = None) -> None:
    """Check the settings; ends with 5 and a sentence for each fault."""
    from stopwire import config as settings

    loaded = settings.load({"data_dir": talk.asked.data_dir, "demo": demo, "config": config})
    for note in loaded.notes:
        talk.note(note)
    talk.answer({"ok": True, "notes": list(loaded.notes)}, lambda: talk.line("The settings can be used.", "green"))


@app.command("schema")
@local
def schema(talk: Talk) -> None:
    """List all settings: as a Markdown table, or with --json as a JSON Schema of stopwire.toml."""
    from stopwire import config as settings

    talk.answer(settings.Settings.model_json_schema(), lambda: typer.echo(settings.reference(), nl=False))
