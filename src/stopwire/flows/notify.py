"""Tell the customer one event: post it, signed; read the answer's TwiML; try the fallback.

The TwiML's replies come back as orders: the worker sends them, under a key that makes a repeat harmless,
and only then is the delivery settled. Nothing here waits between rounds; `core/retry.py` has the schedule.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urldefrag, urlencode, urljoin, urlsplit

from stopwire.core import bound, loops, overrides, twiml
from stopwire.core.jobs import Delivery, DeliveryAttempt
from stopwire.core.orders import Order
from stopwire.core.overrides import Overrides
from stopwire.core.retry import webhook_delay
from stopwire.core.senders import Account
from stopwire.core.signing import twilio_signature
from stopwire.ports.http import FailureKind, HttpAnswer, HttpFailure, HttpRequest, PrivateTargets
from stopwire.ports.store import Tx
from stopwire.ports.world import World

HOPS_MAX = 5  # HTTP redirects followed for one document
DOCUMENTS_MAX = 10  # TwiML documents run for one inbound message
GONE = 410  # the customer's server asks us not to come again
BODY_SHOWN_MAX = 4096  # characters of an answer kept in the log

_CODES: Mapping[FailureKind, int] = {
    "dns": 11210,
    "refused_address": 11210,
    "connect": 11202,
    "connect_timeout": 11201,
    "tls": 11220,
    "read_timeout": 11200,
    "total_timeout": 11203,
    "protocol": 11206,
    "closed": 11205,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one round came to. `orders` are the replies that the customer's TwiML asks for."""

    delivered: bool
    gone: bool = False
    orders: tuple[Order, ...] = ()
    problems: tuple[twiml.Problem, ...] = ()
    attempts: tuple[DeliveryAttempt, ...] = ()  # requests that are not in the log yet


@dataclass(slots=True)
class _Round:
    """The running notes of one round of one delivery."""

    delivery: Delivery
    account: Account
    private: PrivateTargets
    attempts: list[DeliveryAttempt] = field(default_factory=list)
    last_code: int = 0
    problems: list[twiml.Problem] = field(default_factory=list)


async def notify(world: World, *, delivery: Delivery) -> Told:
    """One round: the URL, its quick retries, then the fallback.

    Each request of a round that asks for replies is in the log when this returns; of the others `settle` keeps it.
    """
    directory = await world.store.directory(delivery.account)
    if delivery.url.startswith(bound.SCHEME):
        return await _hand_over(world, delivery, directory.account)
    allowed = directory.account.settings.allow_private_webhooks
    private = PrivateTargets(allowed) if allowed else world.choices.private_webhooks
    round_ = _Round(delivery=delivery, account=directory.account, private=private)
    told = await _run(world, round_, delivery.url, delivery.method, dict(delivery.params))
    gone = told.gone  # of the URL itself: a fallback that is gone ends nothing
    if not told.delivered and delivery.fallback_url:
        params = dict(delivery.params) | {"ErrorCode": str(round_.last_code), "ErrorUrl": urldefrag(delivery.url).url}
        told = await _run(world, round_, delivery.fallback_url, delivery.fallback_method, params)
    attempts = round_.attempts
    if told.orders:  # the log comes before what follows from it
        await world.store.write(lambda tx: tx.webhooks.add_attempts(attempts), account=delivery.account)
        attempts = []
    return replace(
        told, gone=gone and not told.delivered, problems=tuple(round_.problems), attempts=tuple(attempts)
    )


async def _hand_over(world: World, delivery: Delivery, account: Account) -> Told:
    """One round with a bound customer in place of a URL. A refusal for good ends it, as a 410 does."""
    at = world.clock.now()
    reached = await world.peers.deliver(delivery, account.settings)
    attempt = DeliveryAttempt(
        delivery=delivery.id,
        at=at,
        ms=reached.ms,
        request={"method": delivery.method, "url": delivery.url, "headers": {}, "params": dict(delivery.params)},
        response=None if reached.status is None else {"status": reached.status, "headers": {}, "body": reached.says},
        error=None if reached.delivered else reached.says,
    )
    return Told(delivered=reached.delivered, gone=reached.final, attempts=(attempt,))


async def settle(world: World, *, delivery: Delivery, told: Told) -> None:
    """Close the round: delivered, given up, or due again by the schedule of the account. Keeps its requests."""
    await world.store.write(
        partial(_settle, delivery=delivery, told=told, world=world), account=delivery.account
    )


def _settle(tx: Tx, *, delivery: Delivery, told: Told, world: World) -> None:
    rounds = delivery.rounds + 1
    tx.webhooks.add_attempts(told.attempts)
    if told.delivered:
        tx.webhooks.settle(delivery.id, "delivered", rounds=rounds)
        if told.orders:
            tx.webhooks.first_answer(delivery.id)  # a replay, however late, does not send them again
        tx.tell("webhook.delivered", id=delivery.id, message=delivery.message)
        return
    choice = tx.services.directory().account.settings.webhook_retries
    scheduled = choice == "all" or (choice == "inbound" and delivery.event == "inbound")
    scheduled = scheduled or delivery.url.startswith(bound.SCHEME)  # who is not bound now binds again
    delay = webhook_delay(rounds, jitter=world.ids.jitter()) if scheduled and not told.gone else None
    if delay is None:
        state = "expired" if scheduled and not told.gone else "failed"
        tx.webhooks.settle(delivery.id, state, rounds=rounds)
    else:
        tx.webhooks.settle(delivery.id, "pending", rounds=rounds, due_at=world.clock.now() + delay)
        tx.wake("notify")
    tx.tell("webhook.failed", id=delivery.id, message=delivery.message, rounds=rounds)


async def _run(world: World, round_: _Round, url: str, method: str, params: dict[str, str]) -> Told:
    """Fetch a document and, for an inbound message, the documents that it redirects to."""
    orders: list[Order] = []
    for _ in range(DOCUMENTS_MAX):
        answer, final_url = await _fetch(world, round_, url, method, params)
        if answer is None:
            return Told(delivered=False, orders=tuple(orders))
        if not 200 <= answer.status < 300:
            round_.last_code = 11200
            return Told(delivered=False, gone=answer.status == GONE)
        if round_.delivery.event != "inbound":
            return Told(delivered=True)
        if answer.truncated:
            round_.last_code = 11750
            round_.problems.append(twiml.Problem(code=11750, text="the answer is larger than 64 kB"))
            return Told(delivered=False)
        reply = twiml.read(answer.headers.get("content-type", ""), answer.body, final_url)
        round_.problems.extend(reply.problems)
        if fatal := next((p.code for p in reply.problems if p.code in (12100, 12300, 11750)), None):
            round_.last_code = fatal
            return Told(delivered=False)
        orders += [_order(message, round_.delivery) for message in reply.messages]
        if reply.redirect is None:
            return Told(delivered=True, orders=tuple(orders[: twiml.MESSAGES_MAX]))
        url, method = reply.redirect.url, reply.redirect.method
    round_.problems.append(twiml.Problem(code=14106, text=f"more than {DOCUMENTS_MAX} documents for one message"))
    return Told(delivered=True, orders=tuple(orders[: twiml.MESSAGES_MAX]))


def _order(message: twiml.ReplyMessage, delivery: Delivery) -> Order:
    params = delivery.params
    callback = message.action or message.status_callback or ""
    return Order(
        to=message.to or params["From"],
        from_=message.sender or params["To"],
        service=params.get("MessagingServiceSid", "") if not message.sender else "",
        body=message.body,
        media=message.media,
        status_callback=callback,
        callback_method=message.method if message.action else "POST",
        reply_to=delivery.message,
    )


async def _fetch(
    world: World, round_: _Round, url: str, method: str, params: Mapping[str, str]
) -> tuple[HttpAnswer | None, str]:
    """One document, with the quick retries that the URL's fragment asks for. None where no answer came."""
    rules, malformed = overrides.read(urldefrag(url).fragment)
    if malformed:
        round_.problems.append(twiml.Problem(code=11243, text=malformed))
    target = urldefrag(url).url
    started = world.clock.monotonic()
    for attempt in range(rules.retries + 1):
        left = rules.total_seconds - (world.clock.monotonic() - started)
        if left <= 0:
            break
        answer, final_url, failure = await _follow(world, round_, target, method, params, rules, left)
        if not rules.again(status=answer.status if answer else None, failure=failure) or attempt == rules.retries:
            return answer, final_url
    return None, target


async def _follow(
    world: World,
    round_: _Round,
    url: str,
    method: str,
    params: Mapping[str, str],
    rules: Overrides,
    seconds: float,
) -> tuple[HttpAnswer | None, str, FailureKind | None]:
    """One request and the HTTP redirects that follow, each signed for its own URL; `seconds` for all of them."""
    started = world.clock.monotonic()
    for _ in range(HOPS_MAX + 1):
        left = max(seconds - (world.clock.monotonic() - started), 0.001)
        request = _request(round_, url, method, params, rules, left, world.choices.version)
        at = world.clock.now()
        try:
            answer = await world.http.call(request, private=round_.private)
        except HttpFailure as failure:
            round_.last_code = _CODES[failure.kind]
            _note(round_, request, at, failure.ms, None, failure.text)
            # An answer that broke off was still an answer: the customer's program has seen the request.
            return None, url, "protocol" if failure.answered else failure.kind
        _note(round_, request, at, answer.ms, answer, None)
        location = answer.headers.get("location")
        if answer.status not in (301, 302, 303, 307, 308) or not location:
            return answer, url, None
        url = urljoin(url, location)
        if answer.status == 303 or (answer.status in (301, 302) and method == "POST"):
            method = "GET"
    round_.last_code = 11215
    round_.problems.append(twiml.Problem(code=11215, text=f"more than {HOPS_MAX} redirects"))
    return None, url, "protocol"


def _request(
    round_: _Round,
    url: str,
    method: str,
    params: Mapping[str, str],
    rules: Overrides,
    seconds: float,
    version: str,
) -> HttpRequest:
    headers = {"User-Agent": f"Stopwire/{version}", "Accept": "*/*", "I-Twilio-Idempotency-Token": round_.delivery.token}
    if userinfo := _userinfo(url):
        headers["Authorization"] = "Basic " + base64.b64encode(userinfo.encode()).decode()
    if method == "GET":
        url = url + ("&" if urlsplit(url).query else "?") + urlencode(params)
        body, signed = None, {}
    else:
        body, signed = urlencode(params).encode(), dict(params)
        headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
    headers["X-Twilio-Signature"] = twilio_signature(round_.account.auth_token, url, signed)
    return HttpRequest(
        method=method,
        url=_without_userinfo(url),
        headers=headers,
        body=body,
        connect_timeout=rules.connect_seconds,
        read_timeout=rules.read_seconds,
        total_timeout=seconds,
        sni=rules.sni,
    )


def _userinfo(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.username or ''}:{parts.password or ''}" if parts.username or parts.password else ""


def _without_userinfo(url: str) -> str:
    """The URL to request: credentials travel as a header, though they are part of what is signed."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _note(round_: _Round, request: HttpRequest, at: Any, ms: int, answer: HttpAnswer | None, error: str | None) -> None:
    shown = {name: value for name, value in request.headers.items() if name != "Authorization"}
    body = dict(parse_qsl((request.body or b"").decode(), keep_blank_values=True))
    code = round_.last_code if error else (11200 if answer and not 200 <= answer.status < 300 else None)
    round_.attempts.append(
        DeliveryAttempt(
            delivery=round_.delivery.id,
            at=at,
            ms=ms,
            request={"method": request.method, "url": request.url, "headers": shown, "params": body},
            response=_shown(answer) if answer else None,
            error=error,
            code=code,
        )
    )


def _shown(answer: HttpAnswer) -> dict[str, Any]:
    body = answer.body.decode("utf-8", "replace")
    return {"status": answer.status, "headers": dict(answer.headers), "body": body[:BODY_SHOWN_MAX]}


async def replies_open(world: World, *, delivery: Delivery, orders: Sequence[Order]) -> list[Order]:
    """Those of a document's replies that the fence between two machines lets pass (error 14107 stops the others)."""
    if not orders:
        return []
    now, passed = world.clock.now(), []
    since, pairs = now - loops.RECENT_WINDOW, {(order.from_, order.to) for order in orders}
    sent = await world.store.read(
        lambda tx: {pair: tx.messages.replies_since(*pair, since) for pair in pairs}, account=delivery.account
    )
    for order in orders:
        recent = sent[order.from_, order.to]
        if loops.may_answer(kind=loops.TWIML, recent=recent, now=now):
            passed.append(order)
            recent.append(now)
    return passed
