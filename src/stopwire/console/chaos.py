"""What goes wrong in the simulator, for its page: in words, as a form, and as scenarios that are played with one click.

The network itself is the simulator's; nothing is late or lost here.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from stopwire.console.render import N_, say
from stopwire.core.chaos import CALM, Chaos, Reception
from stopwire.core.message import Direction
from stopwire.core.orders import Order
from stopwire.flows import rehearse, send
from stopwire.ports.house import House

DELAYS = (0.0, 2.0, 10.0, 60.0)  # seconds
SHARES = (0.0, 0.1, 0.5, 1.0)
RATES = (0, 1, 5, 20)  # a second
MOMENT_SECONDS = 0.4  # for the engines' turn, between the steps of a scenario
LONG = (
    "Hello, I ordered the blue one last week and the green one came today. Could you tell me whether I should send it back, "
    "or may I keep it at the price of the blue one? My order number is 1234567. It would be a birthday present for my sister."
)

Choice = tuple[str, str, bool]  # value, what is shown, whether it stands there now


def told(request: Request, value: Reception | Chaos) -> list[str]:
    """What goes wrong, one sentence each; none where all is as usual."""
    found = []
    if value.delay_seconds:
        found.append(say(request, N_("Texts arrive %(seconds)s s late."), seconds=f"{value.delay_seconds:g}"))
    if value.loss:
        found.append(say(request, N_("%(share)s of the texts get lost."), share=_share(value.loss)))
    if value.duplicates:
        found.append(say(request, N_("%(share)s of what we are told comes twice."), share=_share(value.duplicates)))
    if isinstance(value, Chaos):
        found += _told_of_all(request, value)
    return found


def _told_of_all(request: Request, chaos: Chaos) -> list[str]:
    found = []
    if chaos.lost_reports:
        found.append(say(request, N_("%(share)s of the delivery reports never come."), share=_share(chaos.lost_reports)))
    if chaos.per_second:
        found.append(say(request, N_("The carrier takes %(number)s a second and defers the others."), number=chaos.per_second))
    if chaos.shuffled:
        found.append(say(request, N_("Long texts arrive the last part first.")))
    if chaos.silent:
        found.append(say(request, N_("The carrier takes texts and says nothing.")))
    if chaos.down:
        found.append(say(request, N_("The message centre is dead: nothing leaves and nothing arrives.")))
    return found


def fields_of(request: Request, value: Reception | Chaos) -> list[tuple[str, str, list[Choice]]]:
    """The choices of a form: name, label, and what can be chosen."""
    found = [
        ("delay_seconds", say(request, N_("Late by")), _choices(DELAYS, value.delay_seconds, lambda s: f"{s:g} s")),
        ("loss", say(request, N_("Lost texts")), _choices(SHARES, value.loss, _share)),
        ("duplicates", say(request, N_("Told twice")), _choices(SHARES, value.duplicates, _share)),
    ]
    if isinstance(value, Chaos):
        found.append(("lost_reports", say(request, N_("Lost delivery reports")), _choices(SHARES, value.lost_reports, _share)))
        no_limit = say(request, N_("no limit"))
        rates = _choices(RATES, value.per_second, lambda n: f"{n:g}/s" if n else no_limit)
        found.append(("per_second", say(request, N_("Throttled to")), rates))
    return found


def checks_of(request: Request, chaos: Chaos) -> list[tuple[str, str, bool]]:
    """What is on or off: name, label, and whether it is on."""
    return [
        ("shuffled", say(request, N_("long texts in the wrong order")), chaos.shuffled),
        ("silent", say(request, N_("the carrier is silent")), chaos.silent),
        ("down", say(request, N_("the message centre is dead")), chaos.down),
    ]


def _choices(usual: Sequence[float], now: float, shown: Callable[[float], str]) -> list[Choice]:
    """The usual values, and the one that stands there if the API set another."""
    return [(f"{value:g}", shown(value), value == now) for value in sorted({*usual, now})]


def _share(share: float) -> str:
    return f"{share * 100:g} %"


def change_of(form: Mapping[str, Any]) -> rehearse.ReceptionChange:
    """What a handset's form asks for. What is no number becomes none that passes."""
    given = {name: _number(form[name]) for name in ("delay_seconds", "loss", "duplicates") if name in form}
    return rehearse.ReceptionChange(on={"on": True, "off": False}.get(str(form.get("switch", ""))), **given)


def chaos_of(form: Mapping[str, Any]) -> Chaos:
    rate = _number(form.get("per_second", "0"))
    return Chaos(
        delay_seconds=_number(form.get("delay_seconds", "0")),
        loss=_number(form.get("loss", "0")),
        duplicates=_number(form.get("duplicates", "0")),
        lost_reports=_number(form.get("lost_reports", "0")),
        per_second=int(rate) if math.isfinite(rate) else -1,
        shuffled=form.get("shuffled") == "on",
        silent=form.get("silent") == "on",
        down=form.get("down") == "on",
    )


def _number(given: object) -> float:
    try:
        return float(str(given))
    except ValueError:
        return math.nan


# ── scenarios ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """One performance: the person with this handset, and the sender they write to. Each step answers what its trace is of."""

    house: House
    account: str
    handset: str
    sender: str

    async def stir(self, chaos: Chaos) -> None:
        await self.house(rehearse.stir, account=self.account, chaos=chaos)

    async def tell(self, body: str) -> str:
        """The application sends. Who said STOP in an earlier performance comes back first, as a person would."""
        receipt = await self._told(body)
        if receipt.refused is not None and receipt.refused.code == 21610:
            await self.house(rehearse.text, account=self.account, handset=self.handset, to=self.sender, body="START")
            receipt = await self._told(body)
        return receipt.message.sid if receipt.message else receipt.refusal or ""

    async def _told(self, body: str) -> send.Receipt:
        order = Order(to=self.handset, from_=self.sender, body=body)
        sent = await self.house(send.send, account=self.account, orders=[order], direction=Direction.API)
        return sent.receipts[0]

    async def text(self, body: str) -> str:
        sent = await self.house(rehearse.text, account=self.account, handset=self.handset, to=self.sender, body=body)
        return sent.message_sid or ""

    async def moment(self) -> None:
        await asyncio.sleep(MOMENT_SECONDS)


async def _overtaken(play: Play) -> str:
    sid = await play.tell("Sale ends tonight. Reply STOP to end")
    await play.moment()
    await play.stir(Chaos(down=True))
    sid = await play.tell("The sale was prolonged. Reply STOP to end")
    await play.text("STOP")
    await play.moment()
    await play.stir(CALM)
    await play.moment()
    return sid


async def _silent(play: Play) -> str:
    await play.stir(Chaos(silent=True))
    sid = await play.tell("Your parcel comes today between 2 and 4.")
    await play.moment()
    await play.stir(CALM)
    await play.moment()
    return sid


async def _shuffled(play: Play) -> str:
    await play.stir(Chaos(shuffled=True))
    sid = await play.text(LONG)
    await play.stir(CALM)
    return sid


async def _twice(play: Play) -> str:
    await play.tell("Sale ends tonight. Reply STOP to end")
    await play.moment()
    await play.stir(Chaos(duplicates=1))
    sid = await play.text("STOP")
    await play.moment()
    await play.stir(CALM)
    return sid


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`says`: what is played. `shows`: what to look at afterwards."""

    title: str
    says: str
    shows: str
    play: Callable[[Play], Awaitable[str]]


SCENARIOS = {
    "stop-first": Scenario(
        title=N_("A STOP while a text waits"),
        says=N_("The message centre dies, a text waits for it, the person texts STOP, the centre lives again."),
        shows=N_("The STOP came first: the text that waited ended with 21610 and never left."),
        play=_overtaken,
    ),
    "late-answer": Scenario(
        title=N_("A silent carrier, then its late answer"),
        says=N_("The carrier takes a text and says nothing; its answer and its report come later."),
        shows=N_("Unknown was not taken for failed: the text was not sent again, and the late answer counted."),
        play=_silent,
    ),
    "wrong-order": Scenario(
        title=N_("A long text in the wrong order"),
        says=N_("The person writes a text of two parts, and the second arrives first."),
        shows=N_("The parts were joined in their order; your application hears of one text."),
        play=_shuffled,
    ),
    "stop-twice": Scenario(
        title=N_("A STOP that arrives twice"),
        says=N_("The network brings the person's STOP twice, under the same reference."),
        shows=N_("One consent event and one confirmation: a carrier may repeat itself."),
        play=_twice,
    ),
}
