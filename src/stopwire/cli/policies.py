"""`stopwire policy`: the opt-out policy of a messaging service, its history, and what it would do."""

import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from stopwire.cli.output import Exit, Failed
from stopwire.cli.services import ServiceArgument, service_sid
from stopwire.cli.talk import Talk, talking

app = typer.Typer(no_args_is_help=True, help="Policies: which words stop, start and help, and what is answered.")

PolicyFile = Annotated[Path, typer.Argument(metavar="FILE", help="TOML or JSON; `-` is standard input.", allow_dash=True)]
KEYWORDS = ("stop", "start", "help")


@app.command("show")
@talking
def show(
    talk: Talk,
    service: ServiceArgument,
    version: Annotated[int | None, typer.Option(help="That version, in place of the one in force.")] = None,
) -> None:
    """Show the policy in force."""
    sid = service_sid(talk, service)
    found = talk.client.policy(sid) if version is None else talk.client.policy_version(sid, version)
    talk.answer(found, lambda: _show(talk, found))


def _show(talk: Talk, answer: dict[str, Any]) -> None:
    policy = answer.get("policy", answer)
    talk.facts(
        {
            "version": answer.get("version"),
            "advanced opt-out": "on" if policy.get("enabled") else "off: default words and replies",
            "matching": policy.get("matching"),
            "help when blocked": policy.get("help_when_blocked"),
            "opted-out send": policy.get("opted_out_send"),
        }
    )
    talk.table(("where", "type", "words", "reply"), _rows(policy), empty="")


def _rows(policy: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    places = [("standard", policy["standard"])]
    places += [(language, words) for language, words in (policy.get("languages") or {}).items()]
    for country, override in (policy.get("countries") or {}).items():
        mark = " (replaces)" if override.get("replace") else ""
        places += [(f"{country} {lang}{mark}", words) for lang, words in (override.get("languages") or {}).items()]
    for where, words in places:
        for keyword in KEYWORDS:
            if listed := words.get(keyword):
                yield where, keyword.upper(), " ".join(listed["keywords"]), listed["reply"]


@app.command("set")
@talking
def set_policy(
    talk: Talk,
    service: ServiceArgument,
    file: PolicyFile,
    if_version: Annotated[int | None, typer.Option(help="Only if this version is in force still.")] = None,
) -> None:
    """Replace the policy by a file. What is wrong in it is told with its place and cure; then nothing changes."""
    sid = service_sid(talk, service)
    saved = talk.client.put_policy(sid, _read(file), if_version=if_version)
    talk.answer(saved, lambda: _saved(talk, saved))


def _saved(talk: Talk, saved: dict[str, Any]) -> None:
    talk.line(f"Version {saved.get('version')} is in force.", "green")
    for warning in saved.get("warnings") or ():
        talk.note(f"  {warning['path']}: {warning['message']}")


@app.command("diff")
@talking
def diff(
    talk: Talk,
    service: ServiceArgument,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Compare the policy in force with this file.")] = None,
    old: Annotated[int | None, typer.Option("--from", help="A version.  [default: the one before --to]")] = None,
    new: Annotated[int | None, typer.Option("--to", help="A version.  [default: the one in force]")] = None,
) -> None:
    """Show what differs between two versions, or between the policy in force and a file."""
    sid = service_sid(talk, service)
    if file is not None:
        told = _against_file(talk.client.policy(sid), _read(file))
    else:
        newest = new or int(talk.client.policy(sid)["version"])
        if old is None and newest < 2:
            raise Failed("There is one version only, and nothing to compare it with.", Exit.NO)
        told = talk.client.policy_difference(sid, old=old or newest - 1, new=newest)
    changes = told.get("changes", told.get("items", []))
    talk.answer(
        told,
        lambda: talk.table(
            ("place", "before", "after"),
            ((c["path"], c.get("before"), c.get("after")) for c in changes),
            empty="Nothing differs.",
        ),
    )


def _against_file(answer: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    from stopwire.core.policy import differences, from_data

    told = answer.get("policy", answer)
    names = ("enabled", "matching", "standard", "languages", "countries", "help_when_blocked", "opted_out_send")
    now, _ = from_data({name: told[name] for name in names if told.get(name) is not None})
    then, problems = from_data(wanted)
    if now is None or then is None:
        raise Failed("\n".join(f"{p.path}: {p.message}" for p in problems) or "The policy cannot be read.", Exit.NO)
    return {"changes": [{"path": c.path, "before": c.before, "after": c.after} for c in differences(now, then)]}


@app.command("export")
@talking
def export(
    talk: Talk,
    service: ServiceArgument,
    format: Annotated[str, typer.Option(help="toml or json.")] = "toml",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.", dir_okay=False)] = None,
) -> None:
    """Print the policy as one file, to be kept, compared and imported."""
    text = talk.client.export_policy(service_sid(talk, service), "json" if talk.as_json and not output else format)
    if output is None:
        typer.echo(text, nl=not text.endswith("\n"))
        return
    output.write_text(text, encoding="utf-8")
    talk.answer({"path": str(output)}, lambda: talk.line(f"The policy is in {output}."))


@app.command("import")
@talking
def import_policy(talk: Talk, service: ServiceArgument, file: PolicyFile) -> None:
    """Bring a policy back from a file that `export` wrote."""
    content, format = _content(file)
    saved = talk.client.import_policy(service_sid(talk, service), content, format)
    talk.answer(saved, lambda: _saved(talk, saved))


@app.command("test")
@talking
def preview(
    talk: Talk,
    service: ServiceArgument,
    text: Annotated[str, typer.Argument(help="What a person might write.")],
    from_: Annotated[str | None, typer.Option("--from", help="The person; their number tells the country.")] = None,
    to: Annotated[str | None, typer.Option(help="The sender they write to.")] = None,
) -> None:
    """Say what a text would do. Nothing changes."""
    told = talk.client.test_policy(service_sid(talk, service), text, from_=from_, to=to)

    def human() -> None:
        names = ("type", "matched", "matched_by", "rule", "language", "country", "effect", "reply", "normalised")
        talk.facts({name: told.get(name) for name in names if told.get(name) is not None})
        if told.get("suggestion"):
            talk.line("It looks like an opt-out, and would wait for review.", "yellow")

    talk.answer(told, human)


@app.command("history")
@talking
def history(talk: Talk, service: ServiceArgument) -> None:
    """List the versions of a policy."""
    found = list(talk.client.policy_versions(service_sid(talk, service)))
    talk.answer(
        {"items": found},
        lambda: talk.table(
            ("version", "at", "by", "note"),
            ((v["version"], v.get("created_at"), v.get("actor"), v.get("note")) for v in found),
            empty="",
        ),
    )


@app.command("rollback")
@talking
def rollback(talk: Talk, service: ServiceArgument, version: Annotated[int, typer.Argument(help="The version to bring back.")]) -> None:
    """Bring an old version back, as a new one."""
    saved = talk.client.rollback_policy(service_sid(talk, service), version)
    talk.answer(saved, lambda: _saved(talk, saved))


def _content(file: Path) -> tuple[bytes, str]:
    """The bytes of a file, and whether they are TOML or JSON."""
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise Failed(f"{file} cannot be read: {error.strerror}.", Exit.USAGE) from None
    return content, "json" if content.lstrip()[:1] == b"{" else "toml"


def _read(file: Path) -> dict[str, Any]:
    content, format = _content(file)
    try:
        read = json.loads(content) if format == "json" else tomllib.loads(content.decode("utf-8"))
    except ValueError as error:  # of JSON, TOML and UTF-8 alike
        raise Failed(f"{file} is not {format.upper()}: {error}.", Exit.USAGE) from None
    return dict(read)
