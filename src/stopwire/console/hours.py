"""Analytics › one hour of the week: the opt-outs behind a cell of the heat map, each with its text and the one before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.analytics import span_of
from stopwire.console.listing import Column, listing, table
from stopwire.console.render import N_
from stopwire.console.rhythms import day_name
from stopwire.console.session import house_of, visitor_of
from stopwire.console.short_lists import piece
from stopwire.core.address import time_zones
from stopwire.core.consent import Act, SealedEvent
from stopwire.core.localtime import HOURS_OF_WEEK, local_hour_of_week
from stopwire.ports.store import Consent, Cut, Messages

LOOKED_AT = 10_000  # the newest opt-outs of the span; a cell that counts more shows these
PREFIX_CHARS = 5  # of a number: its country, and in North America its area code
HOUR = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """One person's opt-out. `before`: the last text that we had sent them, and its words, where they are kept."""

    event: SealedEvent
    before: str | None
    before_body: str | None = None


COLUMNS: tuple[Column[OptOut], ...] = (
    Column(name="id", value=lambda each: each.event.event.id),
    Column(name="at", value=lambda each: each.event.event.recorded_at, title=N_("Time")),
    Column(name="recipient", value=lambda each: each.event.event.recipient, title=N_("Person"), person=True),
    Column(name="word", value=lambda each: each.event.event.word, title=N_("Word")),
    Column(name="text", value=lambda each: each.event.event.text, title=N_("Text"), priority=2),
    Column(name="message", value=lambda each: each.event.event.message),
    Column(name="before", value=lambda each: each.before),
    Column(name="before_text", value=lambda each: each.before_body, title=N_("Last text before it"), priority=2),
)


async def index(request: Request) -> Response:
    place = request.path_params["hour"]
    if not (place.isascii() and place.isdigit() and len(place) < 4 and int(place) < HOURS_OF_WEEK):
        raise HTTPException(404)
    hour, span, house, account = int(place), await span_of(request), house_of(request), visitor_of(request).account
    found: list[SealedEvent] = await house.read(
        account, Consent.events, Cut(limit=LOOKED_AT), acts=(Act.OPT_OUT,), holder=span.service, since=span.since
    )
    mine = in_hour(found, hour)

    async def ask(cut: Cut) -> Sequence[OptOut]:
        shown = piece(mine, cut, lambda each: each.event.id)
        sids = list(dict.fromkeys(each.event.previous for each in shown if each.event.previous))
        texts = {each.sid: each.body for each in await house.read(account, Messages.many, sids)} if sids else {}
        return [OptOut(event=each, before=each.event.previous, before_body=texts.get(each.event.previous or "")) for each in shown]

    name = f"{day_name(request, hour // 24)} {hour % 24:02}:00"
    return await listing(
        request, "analytics_hour.html", columns=COLUMNS, ask=ask, id_of=lambda each: each.event.event.id, name=name, number=len(mine), span=span,
        cut_short=len(found) == LOOKED_AT,
    )  # fmt: skip


def in_hour(found: Sequence[SealedEvent], hour: int) -> list[SealedEvent]:
    """Those in this hour of the week where the person is. As in the heat map, one number speaks for all of its prefix."""
    zones: dict[str, str | None] = {}
    mine = []
    for sealed in found:
        number = sealed.event.recipient.removeprefix("whatsapp:")
        prefix = number[:PREFIX_CHARS]
        if prefix not in zones:
            zones[prefix] = next(iter(time_zones(number)), None)
        if local_hour_of_week((sealed.event.recorded_at - EPOCH) // HOUR, zones[prefix]) == hour:
            mine.append(sealed)
    return mine


routes = table("/console/analytics/week/{hour}", index)
