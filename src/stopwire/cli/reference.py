"""The reference of the command line as Markdown, read from the commands themselves."""

from collections.abc import Iterator
from typing import Any

import typer

from stopwire.cli.output import Exit

HEAD = """# Command line

<!-- Made from the commands by `python -m stopwire.cli.reference > docs/reference/cli.md`; edit them, not this file. -->

`stopwire` starts the gateway and asks it. With `--json` a command prints one JSON document and nothing else;
`messages tail` prints one a line, since it has no end.

## Where the gateway is, and who asks

Flags (`--url`, `--account`, `--token`) come before the environment (`STOPWIRE_URL`, `STOPWIRE_ACCOUNT_SID`,
`STOPWIRE_AUTH_TOKEN`), and that before `credentials.json` in the data folder: the one named by `--data-dir` or
`STOPWIRE_DATA_DIR`, else the platform's, else its sub-folder `demo`. Where both of these have credentials, the one
whose gateway runs is taken. A token is sent only to the gateway that made it.

## Exit codes

| code | meaning |
|---|---|
"""


def reference(app: typer.Typer) -> str:
    """All commands, options and exit codes."""
    codes = "".join(f"| {code.value} | {code.meaning} |\n" for code in Exit)
    commands = "\n".join(_command(name, command) for name, command in _walk("stopwire", typer.main.get_command(app)))
    return f"{HEAD}{codes}\n{commands}"


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its full name."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for word, below in command.commands.items():
        yield from _walk(f"{name} {word}", below)


def _command(name: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    usage = " ".join([name, *(_argument(a) for a in arguments), *(["[OPTIONS]"] if options else [])])
    lines = [f"## {name}", "", _paragraphs(command.help or ""), "", "```", usage, "```", ""]
    rows = [(f"`{_argument(a)}`", a.help or "") for a in arguments]
    rows += [(_option(o), _help(o)) for o in options]
    if rows:
        lines += ["| argument or option | meaning |", "|---|---|", *(f"| {a} | {_cell(b)} |" for a, b in rows), ""]
    return "\n".join(lines)


def _argument(argument: Any) -> str:
    shown = str(argument.metavar or argument.name.upper()).strip("[]")
    return shown if argument.required else f"[{shown}]"


def _option(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    return f"{names} (needed)" if option.required else names


def _help(option: Any) -> str:
    text = str(option.help or "")
    default = option.default
    if default in (None, "", False, ()) or callable(default) or option.is_flag:
        return text
    return f"{text} Default: {default}."


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    from stopwire.cli.main import app

    print(reference(app), end="")
