"""`stopwire alerts`: what is wrong, who looks after it, and the rules by which it is told."""

from itertools import islice
from typing import Annotated, Any

import typer

from stopwire.cli.output import Exit, Failed
from stopwire.cli.talk import Talk, talking

app = typer.Typer(no_args_is_help=True, help="Alerts: what is wrong, with the figures that say so.")

AlertArgument = Annotated[str, typer.Argument(metavar="ID", help="AL…, or the name of a rule to mute all of it.")]
MORE = ("window_minutes", "at_least", "muted_until")  # of a rule, where it has them
UNITS = {"m": 1, "h": 60, "d": 24 * 60}


@app.command("list")
@talking
def list_alerts(
    talk: Talk,
    state: Annotated[str | None, typer.Option(help="firing, taken, muted or over; without it all.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only those of this rule.", metavar="RULE")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> None:
    """List alerts, the newest first."""
    found = list(islice(talk.client.alerts(state=state, kind=kind), limit))
    talk.answer(
        {"items": found},
        lambda: talk.table(
            ("id", "state", "rule", "since", "taken by", "says"),
            ((a["id"], a["state"], a["kind"], a["since"], a["taken_by"] or "", a["says"]) for a in found),
            empty="Nothing has fired. Rules and their figures: stopwire alerts rules",
        ),
    )


@app.command("take")
@talking
def take(talk: Talk, id: Annotated[str, typer.Argument(metavar="ID", help="AL…")]) -> None:
    """Say that you look after an alert."""
    found = talk.client.take_alert(id)
    talk.answer(found, lambda: talk.line(f"{found['id']} is yours: {found['says']} {found['cure']}"))


@app.command("mute")
@talking
def mute(
    talk: Talk,
    id: AlertArgument,
    time: Annotated[str, typer.Option("--for", help="How long: 30m, 4h, 7d; at most 30d. 0 ends the mute.", metavar="TIME")],
) -> None:
    """Hear nothing of an alert, or of a whole rule, for a time."""
    minutes = _minutes(time)
    found = talk.client.mute_alert(id, minutes) if id.startswith("AL") else talk.client.mute_alert_rule(id, minutes)
    name, until = found.get("id", found["kind"]), found["muted_until"]
    talk.answer(found, lambda: talk.line(f"{name} is muted until {until}." if until else f"{name} is not muted any more."))


def _minutes(time: str) -> int:
    number, unit = (time[:-1], time[-1]) if time[-1:] in UNITS else (time, "m")
    if not (number.isascii() and number.isdigit() and len(number) < 7):
        raise Failed(f"{time!r} is no time: write it like 30m, 4h or 7d.", Exit.USAGE)
    return int(number) * UNITS[unit]


@app.command("rules")
@talking
def rules(
    talk: Talk,
    kind: Annotated[str | None, typer.Argument(metavar="RULE", help="A rule to set; without it all are listed.")] = None,
    threshold: Annotated[float | None, typer.Option(help="From which figure on it fires.")] = None,
    window: Annotated[int | None, typer.Option(help="How far back is looked, in minutes.", metavar="MINUTES")] = None,
    at_least: Annotated[int | None, typer.Option(help="How much there must be before a share says anything.")] = None,
    on: Annotated[bool | None, typer.Option("--on/--off", help="Whether it fires at all.")] = None,
    default: Annotated[bool, typer.Option("--default", help="As it comes.")] = False,
) -> None:
    """List the rules, or set one: what is not said stays."""
    given = {"threshold": threshold, "window_minutes": window, "at_least": at_least, "on": on}
    given = {name: value for name, value in given.items() if value is not None}
    if (given or default) and kind is None:
        raise Failed("Say which rule to set: stopwire alerts rules RULE --threshold 5", Exit.USAGE)
    found = talk.client.alert_rules()
    if kind is not None:
        found = [each for each in found if each["kind"] == kind]
        if not found:
            raise Failed(f"There is no rule {kind!r}: stopwire alerts rules lists them.", Exit.USAGE)
    if given or default:
        assert kind is not None
        found = [talk.client.put_alert_rule(kind, {} if default else {**_own(found[0]), **given})]
    talk.answer(
        {"items": found},
        lambda: talk.table(
            ("rule", "on", "threshold", "counts", "window (min)", "at least", "muted until"),
            (
                (r["kind"], "yes" if r["on"] else "no", f"{r['threshold']:g}", r["counts"], *(r[name] or "" for name in MORE))
                for r in found
            ),
            empty="There are none.",
        ),
    )


def _own(rule: dict[str, Any]) -> dict[str, Any]:
    """What the rule says now, as it is put: figures at their default are left out, so that they follow it."""
    own = {"on": rule["on"]}
    for name, bounds in (("threshold", "threshold_bounds"), ("window_minutes", "window_bounds"), ("at_least", "at_least_bounds")):
        if rule[bounds] is not None and rule[name] != rule[bounds]["default"]:
            own[name] = rule[name]
    return own
