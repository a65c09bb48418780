"""The engine that HTTP carriers share: what failures mean, what leaves when, what stays out of logs."""

import asyncio
import math
from collections.abc import Sequence

import pytest

from stopwire.carriers.http import common_problems, instant, number, retry_after, stale
from stopwire.carriers.twilio import Twilio
from stopwire.core.connections import LinkStatus
from stopwire.core.outcomes import Cause, InboundMedia, Outcome, OutcomeKind, Part
from stopwire.ports.http import FailureKind, HttpAnswer, HttpFailure, HttpRequest
from tests.carriers.rows import NOW, OURS, STAMP, Clock, Network, answer, connected, form_push, part

SETTINGS = {"account_sid": "AC" + "1" * 32}
SECRETS = {"auth_token": "t" * 32}
TAKEN = {"sid": "SMup"}


def twilio(*answers: HttpAnswer | HttpFailure, **more: object) -> tuple[Twilio, Network]:
    network = Network(*answers)
    settings = SETTINGS | {k: v for k, v in more.items() if k not in ("clock", "told")}
    given = {k: v for k, v in more.items() if k in ("clock", "told")}
    return connected(Twilio, settings, SECRETS, network=network, **given), network  # type: ignore[arg-type]


async def sent(carrier: Twilio, *parts: Part) -> list[Outcome]:
    outcomes: list[Outcome] = []
    await carrier.send(parts or (part(),), outcomes.append)
    return outcomes


def failure(kind: FailureKind) -> HttpFailure:
    return HttpFailure(kind, "said so", ms=1)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("late", OutcomeKind.RELEASED),
        ("dns", OutcomeKind.RELEASED),
        ("refused_address", OutcomeKind.RELEASED),
        ("connect", OutcomeKind.RELEASED),
        ("connect_timeout", OutcomeKind.RELEASED),
        ("tls", OutcomeKind.RELEASED),
        ("read_timeout", OutcomeKind.UNKNOWN),
        ("total_timeout", OutcomeKind.UNKNOWN),
        ("protocol", OutcomeKind.UNKNOWN),
        ("closed", OutcomeKind.UNKNOWN),
    ],
)
async def test_a_failure_before_the_first_byte_releases_and_a_later_one_is_unknown(kind: FailureKind, expected: OutcomeKind) -> None:
    carrier, _ = twilio(failure(kind))
    assert [expected] == [outcome.kind for outcome in await sent(carrier)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(answer(429), OutcomeKind.DEFERRED, id="too many"),
        pytest.param(answer(503), OutcomeKind.DEFERRED, id="not now"),
        pytest.param(answer(500), OutcomeKind.UNKNOWN, id="it broke: the text may have left"),
        pytest.param(answer(504), OutcomeKind.UNKNOWN, id="a proxy gave up"),
        pytest.param(answer(401), OutcomeKind.DEFERRED, id="our credentials are wrong: no message is lost for it"),
        pytest.param(answer(302), OutcomeKind.DEFERRED, id="the URL is wrong"),
        pytest.param(answer(201, b"<html>"), OutcomeKind.UNKNOWN, id="a yes in no words of theirs"),
        pytest.param(answer(400, b"<html>"), OutcomeKind.REJECTED, id="a no in no words of theirs"),
        pytest.param(answer(400, [1]), OutcomeKind.REJECTED, id="a no of another shape"),
    ],
)
async def test_a_status_means_the_same_for_every_provider(said: HttpAnswer, expected: OutcomeKind) -> None:
    carrier, _ = twilio(said)
    assert [expected] == [outcome.kind for outcome in await sent(carrier)]


async def test_what_the_provider_asks_us_to_wait_is_told() -> None:
    carrier, _ = twilio(answer(429, retry_after="7"))
    assert [7.0] == [outcome.retry_after_seconds for outcome in await sent(carrier)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12", 12.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        ("999999999", 86_400.0),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(value: str, expected: float | None) -> None:
    assert expected == retry_after(answer(429, retry_after=value), NOW)


async def test_a_part_past_its_write_deadline_is_released_without_a_request() -> None:
    carrier, network = twilio()
    assert [OutcomeKind.RELEASED] == [outcome.kind for outcome in await sent(carrier, part(write_by=999.0))]
    assert [] == network.requests


async def test_the_write_deadline_travels_with_the_request() -> None:
    carrier, network = twilio(answer(201, TAKEN), answer(201, TAKEN))
    await sent(carrier, part(write_by=1001.0))
    await sent(carrier, part())
    assert [1001.0, math.inf] == [request.write_by for request in network.requests]


async def test_parts_to_one_recipient_leave_in_their_order() -> None:
    carrier, network = twilio(answer(201, TAKEN), answer(201, TAKEN), answer(201, TAKEN))
    await sent(carrier, *(part(attempt=f"AT{n}", body=f"{n}") for n in range(3)))
    bodies = [b"Body=%d&" % n in (request.body or b"") for n, request in enumerate(network.requests)]
    assert [True, True, True] == bodies


async def test_what_waits_behind_another_is_released_by_a_halt() -> None:
    carrier, network = twilio(answer(201, TAKEN))
    network.on_call = lambda: carrier.halt(["AT1", "AT2"])
    outcomes = await sent(carrier, part(), part(attempt="AT2"))
    assert [OutcomeKind.ACCEPTED, OutcomeKind.RELEASED] == [outcome.kind for outcome in outcomes]
    assert 1 == len(network.requests)


async def test_a_provider_that_is_down_is_tried_with_one_part_at_a_time() -> None:
    clock = Clock()
    told: list[tuple[str, str]] = []
    carrier, _ = twilio(failure("connect"), failure("connect"), answer(201, TAKEN), clock=clock, told=told)
    assert (16, LinkStatus.UP) == (carrier.room(), carrier.state().status)
    await sent(carrier)
    assert (0, LinkStatus.DOWN, "said so") == (carrier.room(), carrier.state().status, carrier.state().says)
    clock.seconds += 1
    assert 1 == carrier.room()
    await sent(carrier)
    clock.seconds += 1
    assert 0 == carrier.room()  # the second rest is longer
    clock.seconds += 1
    await sent(carrier)
    assert (16, LinkStatus.UP) == (carrier.room(), carrier.state().status)
    assert [("down", "said so"), ("up", "The provider answers again.")] == told


async def test_an_account_without_credit_is_down_with_a_sentence_and_fails_no_text() -> None:
    carrier, _ = twilio(answer(402, {"code": 20100, "message": "Insufficient funds"}))
    assert [OutcomeKind.DEFERRED] == [outcome.kind for outcome in await sent(carrier)]
    says = "api.twilio.com says that the account has no credit. Top the account up there; what waits is sent then."
    assert (LinkStatus.DOWN, says) == (carrier.state().status, carrier.state().says)


async def test_a_handful_that_fails_together_counts_as_one_failure() -> None:
    clock = Clock()
    carrier, _ = twilio(*[failure("connect")] * 10, clock=clock)
    await sent(carrier, *(part(attempt=f"AT{n}", recipient=f"+1415555700{n}") for n in range(10)))
    clock.seconds += 1
    assert 1 == carrier.room()


async def test_no_more_is_handed_over_than_there_is_room_for() -> None:
    carrier, network = twilio(answer(201, TAKEN), concurrency=3)
    rooms: list[int] = []
    network.on_call = lambda: rooms.append(carrier.room())
    await sent(carrier)
    assert ([2], 3) == (rooms, carrier.room())


async def test_neither_secrets_nor_whole_numbers_stand_in_what_is_kept() -> None:
    words = f"The number {OURS} is not yours, {SECRETS['auth_token']}"
    carrier, _ = twilio(answer(400, {"code": 21606, "message": words}))
    assert ["21606 The number +1415555XXXX is not yours, •••"] == [outcome.detail for outcome in await sent(carrier)]


async def test_the_credentials_are_tried_when_the_connection_opens() -> None:
    carrier, network = twilio(answer(401))
    await carrier.start(NoInbox())
    assert LinkStatus.CONNECTING is carrier.state().status
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert LinkStatus.DOWN is carrier.state().status
    assert ["GET"] == [request.method for request in network.requests]
    await carrier.stop()


class NoInbox:
    async def received(self, heard: object) -> str | None:
        raise AssertionError("nothing is heard here")

    async def reported(self, reports: Sequence[object]) -> None:
        raise AssertionError("nothing is reported here")

    def ready(self) -> None:
        """Nobody hands anything over here."""


# ── media of inbound texts ───────────────────────────────────────────────────────────────────────────────

MMS = form_push(
    {
        "MessageSid": "MM1", "From": "+14155550199", "To": OURS, "Body": "STOP", "NumMedia": "1",
        "MediaUrl0": "https://api.twilio.com/media/1", "MediaContentType0": "image/png",
    }
)  # fmt: skip


async def test_a_medium_is_fetched_and_our_credentials_stay_with_the_first_host() -> None:
    carrier, network = twilio(answer(307, location="https://files.example.net/1"), answer(200, b"png"))
    heard = await carrier.hear(MMS)
    assert (InboundMedia(content_type="image/png", data=b"png"),) == heard.received[0].media
    assert [True, False] == ["Authorization" in request.headers for request in network.requests]


async def test_our_credentials_are_for_the_provider_wherever_its_media_are() -> None:
    carrier, network = twilio(answer(200, b"png"), base_url="https://acme.signalwire.com/api/laml")
    await carrier.hear(MMS)
    assert [False] == ["Authorization" in request.headers for request in network.requests]


@pytest.mark.parametrize("said", [failure("connect"), answer(404), HttpAnswer(status=200, headers={}, body=b"", ms=1, truncated=True)])
async def test_a_text_is_taken_without_its_picture_rather_than_not_at_all(said: HttpAnswer | HttpFailure) -> None:
    carrier, _ = twilio(said)
    heard = await carrier.hear(MMS)
    assert [("STOP", ())] == [(text.body, text.media) for text in heard.received]


async def test_a_push_of_an_undocumented_shape_is_no_text() -> None:
    carrier, _ = twilio()
    with pytest.raises(ValueError, match="undocumented shape"):
        await carrier.hear(form_push({"Body": "STOP"}))


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "expected"),
    [("14155550100", "+14155550100"), ("+14155550100", "+14155550100"), ("72345", "72345"), ("Acme", "Acme"), ("4915112345", "+4915112345")],
)
def test_numbers_come_with_or_without_their_plus(given: str, expected: str) -> None:
    assert expected == number(given)


def test_an_instant_without_a_zone_is_not_believed() -> None:
    assert NOW == instant("2026-03-01T12:00:00Z")
    assert None is instant("2026-03-01T12:00:00")
    assert None is instant(None)


@pytest.mark.parametrize(
    ("stamp", "fresh"),
    [(STAMP, True), (str(int(STAMP) - 299), True), (str(int(STAMP) - 301), False), (str(int(STAMP) + 301), False), ("", False), ("nan", False)],
)
def test_a_stamp_is_believed_for_five_minutes(stamp: str, fresh: bool) -> None:
    assert fresh == (stale(stamp, NOW) is None)


@pytest.mark.parametrize(
    ("settings", "paths"),
    [
        ({}, []),
        ({"concurrency": 10, "timeout_seconds": "20", "base_url": "https://api.example.com/x"}, []),
        ({"concurrency": 0}, ["settings.concurrency"]),
        ({"timeout_seconds": "long"}, ["settings.timeout_seconds"]),
        ({"base_url": "api.example.com"}, ["settings.base_url"]),
        ({"base_url": "https://user:word@api.example.com"}, ["settings.base_url"]),
        ({"url": "file:///etc/passwd"}, ["settings.url"]),
    ],
)
def test_what_is_wrong_with_the_settings_is_named(settings: dict[str, object], paths: list[str]) -> None:
    assert paths == [problem.path for problem in common_problems(settings)]


def test_the_cause_of_a_refusal_is_the_carriers_to_name() -> None:
    carrier, _ = twilio()
    told = carrier.outcome(part(), answer(400, {"code": 21610, "message": "no"}))
    assert (OutcomeKind.REJECTED, Cause.OPTED_OUT) == (told.kind, told.cause)


def test_a_request_is_a_post_with_a_body() -> None:
    carrier, _ = twilio()
    request: HttpRequest = carrier.request(part())
    assert "POST" == request.method
    assert request.body
