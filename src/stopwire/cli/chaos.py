"""`stopwire chaos`: let the simulator's network go wrong for every handset of the account, or put it right."""

from typing import Annotated

import typer

from stopwire.cli.output import Exit, Failed
from stopwire.cli.talk import Talk, talking


@talking
def chaos(
    talk: Talk,
    delay: Annotated[float | None, typer.Option(help="Seconds that each text is late, either way.")] = None,
    loss: Annotated[float | None, typer.Option(help="Share of the texts, either way, that gets lost: 0 to 1.")] = None,
    twice: Annotated[float | None, typer.Option(help="Share of inbound texts and delivery reports that come twice.")] = None,
    lost_reports: Annotated[float | None, typer.Option(help="Share of the delivery reports that never come.")] = None,
    per_second: Annotated[int | None, typer.Option(help="Parts that the carrier takes in a second; it defers the others.")] = None,
    shuffled: Annotated[bool, typer.Option("--shuffled", help="Parts of long texts come the last one first.")] = False,
    down: Annotated[bool, typer.Option("--down", help="The message centre is dead.")] = False,
    silent: Annotated[bool, typer.Option("--silent", help="The carrier takes texts and says nothing.")] = False,
    off: Annotated[bool, typer.Option("--off", help="Let nothing go wrong any more.")] = False,
) -> None:
    """Let the simulator's network go wrong for every handset of the account; tell how it is, without an option.

    What is not named goes well. It is in memory only: after a restart nothing goes wrong.
    """
    shares = {"delay_seconds": delay, "loss": loss, "duplicates": twice, "lost_reports": lost_reports, "per_second": per_second}
    asked = {name: value for name, value in shares.items() if value is not None}
    asked |= {name: True for name, on in (("shuffled", shuffled), ("down", down), ("silent", silent)) if on}
    if off and asked:
        raise Failed("Either --off, or what goes wrong.", Exit.USAGE)
    now = talk.client.set_chaos(**asked) if off or asked else talk.client.chaos()

    def human() -> None:
        if not now["on"]:
            talk.line("Nothing goes wrong.")
        for name, value in now.items():
            if name != "on" and value:
                talk.line(f"{name.replace('_', ' ')}: {'yes' if value is True else f'{value:g}'}")

    talk.answer(now, human)
