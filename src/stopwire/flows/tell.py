"""One round of telling a customer one event: post it, signed; read the answer's TwiML; try the fallback.

The one flow that asks no store: it runs wherever the webhook engine does. The replies of a TwiML come back as orders.
Nothing here waits between rounds; `core/retry.py` has the schedule.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus, urldefrag, urljoin, urlsplit

from stopwire.core import overrides, twiml
from stopwire.core.jobs import Delivery, DeliveryAttempt
from stopwire.core.orders import Order
from stopwire.core.overrides import Overrides
from stopwire.core.rounds import Call, Told
from stopwire.core.signing import twilio_signature
from stopwire.ports.http import FailureKind, HttpAnswer, HttpFailure, HttpRequest, PrivateTargets
from stopwire.ports.world import Outside

HOPS_MAX = 5  # HTTP redirects followed for one document
DOCUMENTS_MAX = 10  # TwiML documents run for one inbound message
URLS_KEPT = 1024  # taken apart once: customers have few
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


@dataclass(slots=True)
class _Round:
    """The running notes of one round of one delivery."""

    call: Call
    attempts: list[DeliveryAttempt] = field(default_factory=list)
    last_code: int = 0
    problems: list[twiml.Problem] = field(default_factory=list)


async def tell(outside: Outside, *, call: Call) -> Told:
    """The URL, its quick retries, then the fallback."""
    delivery, round_ = call.delivery, _Round(call=call)
    told = await _run(outside, round_, delivery.url, delivery.method, dict(delivery.params))
    gone = told.gone  # of the URL itself: a fallback that is gone ends nothing
    if not told.delivered and delivery.fallback_url:
        params = dict(delivery.params) | {"ErrorCode": str(round_.last_code), "ErrorUrl": urldefrag(delivery.url).url}
        told = await _run(outside, round_, delivery.fallback_url, delivery.fallback_method, params)
    return replace(
        told, gone=gone and not told.delivered, problems=tuple(round_.problems), attempts=tuple(round_.attempts)
    )


async def _run(outside: Outside, round_: _Round, url: str, method: str, params: dict[str, str]) -> Told:
    """Fetch a document and, for an inbound message, the documents that it redirects to."""
    orders: list[Order] = []
    for _ in range(DOCUMENTS_MAX):
        answer, final_url = await _fetch(outside, round_, url, method, params)
        if answer is None:
            return Told(delivered=False, orders=tuple(orders))
        if not 200 <= answer.status < 300:
            round_.last_code = 11200
            return Told(delivered=False, gone=answer.status == GONE)
        if round_.call.delivery.event != "inbound":
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
        orders += [_order(message, round_.call.delivery) for message in reply.messages]
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
    outside: Outside, round_: _Round, url: str, method: str, params: Mapping[str, str]
) -> tuple[HttpAnswer | None, str]:
    """One document, with the quick retries that the URL's fragment asks for. None where no answer came."""
    rules, malformed = overrides.read(urldefrag(url).fragment)
    if malformed:
        round_.problems.append(twiml.Problem(code=11243, text=malformed))
    target = urldefrag(url).url
    started = outside.clock.monotonic()
    for attempt in range(rules.retries + 1):
        left = rules.total_seconds - (outside.clock.monotonic() - started)
        if left <= 0:
            break
        answer, final_url, failure = await _follow(outside, round_, target, method, params, rules, left)
        if not rules.again(status=answer.status if answer else None, failure=failure) or attempt == rules.retries:
            return answer, final_url
    return None, target


async def _follow(
    outside: Outside,
    round_: _Round,
    url: str,
    method: str,
    params: Mapping[str, str],
    rules: Overrides,
    seconds: float,
) -> tuple[HttpAnswer | None, str, FailureKind | None]:
    """One request and the HTTP redirects that follow, each signed for its own URL; `seconds` for all of them."""
    started = outside.clock.monotonic()
    for _ in range(HOPS_MAX + 1):
        left = max(seconds - (outside.clock.monotonic() - started), 0.001)
        request = _request(round_, url, method, params, rules, left, outside.choices.version)
        at = outside.clock.now()
        try:
            answer = await outside.http.call(request, private=PrivateTargets(round_.call.private))
        except HttpFailure as failure:
            round_.last_code = _CODES[failure.kind]
            _note(round_, request, params, at, failure.ms, None, failure.text)
            # An answer that broke off was still an answer: the customer's program has seen the request.
            return None, url, "protocol" if failure.answered else failure.kind
        _note(round_, request, params, at, answer.ms, answer, None)
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
    headers = {"User-Agent": f"Stopwire/{version}", "Accept": "*/*", "I-Twilio-Idempotency-Token": round_.call.delivery.token}
    if userinfo := _userinfo(url):
        headers["Authorization"] = "Basic " + base64.b64encode(userinfo.encode()).decode()
    if method == "GET":
        url = url + ("&" if urlsplit(url).query else "?") + _form(params)
        body, signed = None, {}
    else:
        body, signed = _form(params).encode(), dict(params)
        headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
    headers["X-Twilio-Signature"] = twilio_signature(round_.call.auth_token, url, signed)
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


def _form(params: Mapping[str, str]) -> str:
    """What `urllib.parse.urlencode` makes of them; most names and values need no quoting, and that is quickly seen."""
    return "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in params.items()])


def _quoted(text: str) -> str:
    return text if text.isalnum() and text.isascii() else quote_plus(text)


@lru_cache(maxsize=URLS_KEPT)
def _userinfo(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.username or ''}:{parts.password or ''}" if parts.username or parts.password else ""


@lru_cache(maxsize=URLS_KEPT)
def _without_userinfo(url: str) -> str:
    """The URL to request: credentials travel as a header, though they are part of what is signed."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _note(
    round_: _Round,
    request: HttpRequest,
    params: Mapping[str, str],
    at: datetime,
    ms: int,
    answer: HttpAnswer | None,
    error: str | None,
) -> None:
    shown = {name: value for name, value in request.headers.items() if name != "Authorization"}
    asked: dict[str, Any] = {"method": request.method, "url": request.url, "headers": shown}
    posted = {} if request.body is None else dict(params)
    if posted != round_.call.delivery.params:  # else they stand there, and need not be kept a second time
        asked["params"] = posted
    code = round_.last_code if error else (11200 if answer and not 200 <= answer.status < 300 else None)
    round_.attempts.append(
        DeliveryAttempt(
            delivery=round_.call.delivery.id,
            at=at,
            ms=ms,
            request=asked,
            response=_shown(answer) if answer else None,
            error=error,
            code=code,
        )
    )


def _shown(answer: HttpAnswer) -> dict[str, Any]:
    body = answer.body.decode("utf-8", "replace")
    return {"status": answer.status, "headers": dict(answer.headers), "body": body[:BODY_SHOWN_MAX]}
