"""Webhooks: the endpoints with their health, every delivery with its requests and answers, and delivering one again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.listing import Column, listing, table
from stopwire.console.render import N_, done, local, page, say
from stopwire.console.session import acts, form_of, house_of, shows, visitor_of
from stopwire.console.snippets import curl_of
from stopwire.core.jobs import Delivery, DeliveryAttempt
from stopwire.core.roles import Role
from stopwire.core.senders import Directory
from stopwire.flows import replay
from stopwire.ports.store import Cut, Services, Webhooks

PATH = "/console/webhooks"
LOOKED_AT = 300  # deliveries of which the health of the endpoints is told
STATES = ("pending", "sending", "delivered", "failed", "expired")
SINCE = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7)}
PARAMS_CHARS_MAX = 20_000
URL_CHARS_MAX = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A delivery with its last request."""

    delivery: Delivery
    last: DeliveryAttempt | None

    @property
    def status(self) -> int | None:
        response = self.last.response if self.last else None
        return int(response["status"]) if response else None

    @property
    def says(self) -> str:
        """The last answer, or why there was none."""
        if self.last is None:
            return ""
        return str(self.status) if self.status is not None else self.last.error or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    url: str
    used_by: tuple[str, ...]
    tries: int
    failing: int
    waiting: int
    last: Row | None
    state: str


COLUMNS: tuple[Column[Row], ...] = (
    Column(name="id", value=lambda row: row.delivery.id),
    Column(name="created_at", value=lambda row: row.delivery.created_at, title=N_("Time")),
    Column(name="event", value=lambda row: row.delivery.event, title=N_("Event"), priority=2),
    Column(name="state", value=lambda row: row.delivery.state, title=N_("State")),
    Column(name="answer", value=lambda row: row.says, title=N_("Last answer")),
    Column(name="ms", value=lambda row: row.last.ms if row.last else None, title=N_("ms"), figure=True, priority=3),
    Column(name="url", value=lambda row: row.delivery.url, title=N_("URL"), priority=2),
    Column(name="message", value=lambda row: row.delivery.message, title=N_("Message"), priority=3),
    Column(name="rounds", value=lambda row: row.delivery.rounds, title=N_("Tries"), figure=True, priority=3),
)


async def rows_of(request: Request, found: Sequence[Delivery]) -> list[Row]:
    made: Mapping[str, list[DeliveryAttempt]] = (
        await house_of(request).read(visitor_of(request).account, Webhooks.attempts, [each.id for each in found]) if found else {}
    )
    return [Row(delivery=each, last=made[each.id][-1] if made.get(each.id) else None) for each in found]


async def index(request: Request) -> Response:
    house, account, query = house_of(request), visitor_of(request).account, request.query_params
    state = query.get("state", "") if query.get("state") in STATES else None
    event = query.get("event", "") if query.get("event") in ("inbound", "status") else None
    message, url = query.get("message") or None, query.get("url") or None

    async def ask(cut: Cut) -> Sequence[Row]:
        return await rows_of(request, await house.read(account, Webhooks.page, cut, message, state, event, url))

    async def many(ids: list[str]) -> Sequence[Row]:
        found = [await house.read(account, Webhooks.get, id) for id in ids if id.startswith("WD")]
        return await rows_of(request, [each for each in found if each is not None])

    values: dict[str, Any] = {}
    if not request.url.path.endswith((".json", ".csv")) and "rows" not in query and "rows_after" not in query:
        directory = await house.read(account, Services.directory)
        newest = await rows_of(request, await house.read(account, Webhooks.page, Cut(limit=LOOKED_AT)))
        values["endpoints"] = _endpoints(directory, newest)
    return await listing(
        request,
        "webhooks.html",
        columns=COLUMNS,
        ask=ask,
        id_of=lambda row: row.delivery.id,
        many=many,
        topics="webhook.",
        states=STATES,
        state=state or "",
        event=event or "",
        url=url or "",
        **values,
    )


def _endpoints(directory: Directory, newest: Sequence[Row]) -> list[Endpoint]:
    """Every URL that is set or was called lately, without its query, the failing ones first."""
    users: dict[str, list[str]] = {}
    for service in directory.services.values():
        for url in (service.inbound_request_url, service.status_callback):
            if url:
                users.setdefault(_bare(url), []).append(service.friendly_name)
    for sender in directory.senders.values():
        if sender.webhook.url:
            users.setdefault(_bare(sender.webhook.url), []).append(sender.address)
    calls: dict[str, list[Row]] = {url: [] for url in users}
    for row in newest:
        calls.setdefault(_bare(row.delivery.url), []).append(row)
    found = [_endpoint(url, tuple(users.get(url, ())), rows) for url, rows in calls.items()]
    return sorted(found, key=lambda each: (each.state != "failing", each.url))


def _bare(url: str) -> str:
    return url.partition("#")[0].partition("?")[0]


def _endpoint(url: str, used_by: tuple[str, ...], rows: Sequence[Row]) -> Endpoint:
    failing = sum(1 for row in rows if row.delivery.state in ("failed", "expired"))
    waiting = sum(1 for row in rows if row.delivery.state == "pending")
    last = rows[0] if rows else None
    bad = last is not None and (last.delivery.state in ("failed", "expired") or (last.delivery.state == "pending" and last.delivery.rounds > 0))
    state = "failing" if bad else "ok" if last is not None and last.delivery.state == "delivered" else "none"
    return Endpoint(url=url, used_by=used_by, tries=len(rows), failing=failing, waiting=waiting, last=last, state=state)


# ── one delivery ─────────────────────────────────────────────────────────────────────────────────────────


async def show(request: Request) -> Response:
    return await _shown(request)


async def _shown(request: Request, status: int = 200, **values: Any) -> Response:
    house, account, id = house_of(request), visitor_of(request).account, request.path_params["id"]
    found = await house.read(account, Webhooks.get, id)
    if found is None:
        raise HTTPException(404)
    made = (await house.read(account, Webhooks.attempts, [id])).get(id, [])
    base = house.choices.public_url
    return page(
        request,
        "delivery.html",
        status=status,
        delivery=found,
        attempts=made[::-1],
        params=urlencode(found.params),
        people=("From", "To", "ChannelToAddress"),
        calls={
            "curl": curl_of("POST", f"{base}/api/v1/webhook-deliveries/{id}/replay", account),
            "CLI": f"stopwire webhook replay {id}",
        },
        **values,
    )


async def again(request: Request) -> Response:
    form, id = await form_of(request), request.path_params["id"]
    requeued = await house_of(request)(replay.replay, account=visitor_of(request).account, id=id)
    if requeued.delivery is None:
        raise HTTPException(404)
    told = N_("It is being delivered just now.") if requeued.under_way else N_("Delivered again: the same event under the same token.")
    return done(request, local(str(form.get("back") or f"{PATH}/deliveries/{id}")), say(request, told))


async def edit(request: Request) -> Response:
    """Deliver a changed copy; whatever it is answered, nothing is sent for it."""
    form, id = await form_of(request), request.path_params["id"]
    url, body = str(form.get("url", "")).strip()[:URL_CHARS_MAX], str(form.get("params", ""))[:PARAMS_CHARS_MAX]
    method = "GET" if form.get("method") == "GET" else "POST"
    params = dict(parse_qsl(body.replace("\n", "&").replace("\r", ""), keep_blank_values=True))
    if body.strip() and not params:
        return await _shown(request, 422, given=form, wrong={"params": say(request, N_("Write name=value pairs, joined by & or one a line."))})
    made = await house_of(request)(
        replay.edited, account=visitor_of(request).account, id=id, url=url, method=method, params=params
    )
    if made.problem is not None:
        return await _shown(request, 422, given=form, wrong={"url": made.problem})
    if made.delivery is None:
        raise HTTPException(404)
    request.state.detail = {"copy": made.delivery.id, "url": url}
    return done(request, f"{PATH}/deliveries/{made.delivery.id}", say(request, N_("Sent as a trial: what it answers is not carried out.")))


async def missed(request: Request) -> Response:
    form = await form_of(request)
    since = SINCE.get(str(form.get("since", "")))
    if since is None:
        raise HTTPException(422, "Since when? 1h, 1d or 7d.")
    now: datetime = visitor_of(request).now
    number = await house_of(request)(replay.missed, account=visitor_of(request).account, since=now - since)
    request.state.detail = {"number": number}
    return done(request, PATH, say(request, N_("Queued anew: %(number)s."), number=number))


routes = [
    *table(PATH, index),
    acts(PATH + "/replay", missed, role=Role.OPERATOR, act="webhook.replayed"),
    shows(PATH + "/deliveries/{id}", show),
    acts(PATH + "/deliveries/{id}/replay", again, role=Role.OPERATOR, act="webhook.replayed"),
    acts(PATH + "/deliveries/{id}/edit", edit, role=Role.ADMIN, act="webhook.tried"),
]
