"""What a rehearsed network does wrong: chaos for all handsets of an account, reception for one of them.

Values and sums only: the simulator obeys them, the doors set and show them. Real carriers know neither.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

from stopwire.core.connections import LinkState, LinkStatus
from stopwire.core.policy import Problem

DELAY_SECONDS_MAX = 86_400.0  # a day: what is later than that is not late, it is lost
PER_SECOND_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """How the network reaches one handset. `loss` and `duplicates` are shares of its texts, from 0 to 1.

    Not `on`: texts to it wait in the message centre, and nothing is reported of them until it is switched on.
    """

    on: bool = True
    delay_seconds: float = 0.0  # on its way, in either direction
    loss: float = 0.0  # of texts in either direction
    duplicates: float = 0.0  # of what we are told: texts from it and delivery reports come twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Chaos:
    """What goes wrong for every handset of an account. The usual value is calm: nothing does."""

    delay_seconds: float = 0.0
    loss: float = 0.0
    duplicates: float = 0.0
    lost_reports: float = 0.0  # share of delivery reports that never come
    shuffled: bool = False  # the parts of a long text arrive the last one first
    down: bool = False  # the message centre is dead: nothing leaves and nothing arrives until it lives again
    per_second: int = 0  # parts that the carrier takes in a second, the others are deferred; 0: as many as come
    silent: bool = False  # the carrier takes texts and says nothing; when it speaks again, the answers come late


USUAL = Reception()
CALM = Chaos()


def met(reception: Reception, chaos: Chaos) -> Reception:
    """What a text of this handset meets: its own reception, and the chaos around it."""
    return replace(
        reception,
        delay_seconds=reception.delay_seconds + chaos.delay_seconds,
        loss=_either(reception.loss, chaos.loss),
        duplicates=_either(reception.duplicates, chaos.duplicates),
    )


def problems(value: Reception | Chaos) -> list[Problem]:
    """What is wrong with it, by field."""
    found = []
    for name in ("loss", "duplicates", "lost_reports"):
        if not 0 <= getattr(value, name, 0) <= 1:
            found.append(Problem(path=name, message="A share is from 0 (none) to 1 (all of them)."))
    if not 0 <= value.delay_seconds <= DELAY_SECONDS_MAX:
        found.append(Problem(path="delay_seconds", message=f"A text is late by 0 to {DELAY_SECONDS_MAX:g} seconds."))
    if not 0 <= getattr(value, "per_second", 0) <= PER_SECOND_MAX:
        found.append(Problem(path="per_second", message=f"The carrier takes 1 to {PER_SECOND_MAX} parts a second; 0 is no limit."))
    return found


def link_of(chaos: Chaos) -> LinkState:
    """How the simulator's connection is for an account, as a carrier would tell it."""
    if chaos.down:
        return LinkState(status=LinkStatus.DOWN, says="Chaos: the message centre is dead. What is sent waits until it lives again.")
    if chaos.silent:
        says = "Chaos: the carrier takes texts and says nothing. Nobody knows what became of them until it speaks again."
        return LinkState(status=LinkStatus.DOWN, says=says)
    says = "The simulator is part of this process; no text leaves this machine."
    if chaos.per_second:
        says = f"Chaos: at most {chaos.per_second} messages a second. {says}"
    return LinkState(status=LinkStatus.UP, says=says)


def unusual(value: Reception | Chaos) -> dict[str, Any]:
    """The fields that are not as usual, by name."""
    usual = type(value)()
    return {f.name: getattr(value, f.name) for f in fields(value) if getattr(value, f.name) != getattr(usual, f.name)}


def _either(one: float, other: float) -> float:
    return 1 - (1 - one) * (1 - other)
