"""One round of telling the customer, and when the next one is due."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stopwire.core import loops
from stopwire.core.jobs import Delivery
from stopwire.core.message import Direction
from stopwire.core.orders import Order
from stopwire.core.retry import WEBHOOK_DELAYS
from stopwire.core.rounds import Call, Told, round_of
from stopwire.core.senders import Webhook
from stopwire.flows import account as accounts
from stopwire.flows import notify
from stopwire.flows.tell import tell
from stopwire.ports.store import Cut
from tests.flows.still import ALONE, SERVICE_MEMBER, Still, still_house
from tests.webhook_server import Reply, WebhookServer, redirect, twiml

ANN = "+14155550101"
FAILED, DONE = Told(delivered=False), Told(delivered=True)


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[Still]:
    async with still_house(tmp_path) as house:
        yield house


@pytest.fixture(scope="module")
def web() -> Iterator[WebhookServer]:
    server = WebhookServer()
    yield server
    server.close()


async def inbound(still: Still, url: str = "https://example.com/in", **more: str) -> Delivery:
    """A webhook that waits for an inbound message."""

    def listen(tx: Any) -> None:
        sender = tx.services.directory().sender_at(ALONE)
        tx.services.save_sender(replace(sender, webhook=Webhook(url=url, **more)))

    await still.change(listen)
    taken = await still.text("hi", person=ANN, to=ALONE)
    (delivery,) = await still.ask(lambda tx: tx.webhooks.page(Cut(), message=taken.message))
    assert isinstance(delivery, Delivery)
    return delivery


async def status(still: Still) -> Delivery:
    """A status callback that waits."""
    message = await still.one(to=ANN, from_=ALONE, status_callback="https://example.com/status")
    await still.settle(await still.claim())
    (delivery,) = await still.ask(lambda tx: tx.webhooks.page(Cut(), message=message.sid))
    assert isinstance(delivery, Delivery)
    return delivery


async def told_by(still: Still, delivery: Delivery) -> Told:
    """One round of `delivery`."""
    return await tell(still.world, call=Call(delivery=delivery, auth_token="secret", private="loopback"))


async def after(still: Still, delivery: Delivery, told: Told) -> Delivery:
    """The delivery as it is after one more round that came to `told`."""
    await notify.settle(still.world, rounds=[round_of(delivery, told)])
    found = await still.ask(lambda tx: tx.webhooks.get(delivery.id))
    assert isinstance(found, Delivery)
    return found


async def choose(still: Still, retries: str) -> None:
    await accounts.change_account(still.world, account=still.account, changes={"webhook_retries": retries})


# ── when the next round is due ───────────────────────────────────────────────────────────────────────


async def test_a_delivered_webhook_is_done(still: Still) -> None:
    settled = await after(still, await inbound(still), DONE)
    assert ("delivered", 1) == (settled.state, settled.rounds)


async def test_an_inbound_webhook_is_tried_for_three_days_and_then_expires(still: Still) -> None:
    delivery = await inbound(still)
    for rounds, delay in enumerate(WEBHOOK_DELAYS, start=1):
        before = still.world.clock.now()
        delivery = await after(still, delivery, FAILED)
        assert ("pending", rounds) == (delivery.state, delivery.rounds)
        assert delay <= delivery.due_at - before <= delay * 1.1 + timedelta(seconds=1)
    delivery = await after(still, delivery, FAILED)
    assert ("expired", len(WEBHOOK_DELAYS) + 1) == (delivery.state, delivery.rounds)


RETRIES = [
    # choice, event, state after the first failure
    pytest.param("inbound", inbound, "pending", id="inbound: inbound"),
    pytest.param("inbound", status, "failed", id="inbound: status"),
    pytest.param("all", inbound, "pending", id="all: inbound"),
    pytest.param("all", status, "pending", id="all: status"),
    pytest.param("none", inbound, "failed", id="none: inbound"),
    pytest.param("none", status, "failed", id="none: status"),
]


@pytest.mark.parametrize(("choice", "event", "state"), RETRIES)
async def test_the_account_chooses_which_webhooks_are_tried_for_days(still: Still, choice: str, event: Any, state: str) -> None:
    await choose(still, choice)
    assert state == (await after(still, await event(still), FAILED)).state


async def test_a_server_that_answers_gone_is_not_asked_again(still: Still, web: WebhookServer) -> None:
    delivery = await inbound(still, web.on("/gone", Reply(status=410)))
    told = await told_by(still, delivery)
    assert (False, True) == (told.delivered, told.gone)
    assert "failed" == (await after(still, delivery, told)).state


GONE_OR_NOT = [
    # the URL, its fallback, delivered, gone
    pytest.param(410, 204, True, False, id="the URL is gone, its fallback takes the message"),
    pytest.param(410, 500, False, True, id="the URL is gone, its fallback fails"),
    pytest.param(500, 410, False, False, id="the fallback is gone, the URL may come back"),
]


@pytest.mark.parametrize(("url", "fallback", "delivered", "gone"), GONE_OR_NOT)
async def test_the_fallback_is_asked_whatever_the_url_answered(
    still: Still, web: WebhookServer, url: int, fallback: int, delivered: bool, gone: bool
) -> None:
    web.on("/url", Reply(status=url))
    delivery = await inbound(still, web.url("/url"), fallback_url=web.on("/url-fallback", Reply(status=fallback)))
    told = await told_by(still, delivery)
    assert (delivered, gone) == (told.delivered, told.gone)
    assert "11200" == web.one("/url-fallback", MessageSid=delivery.message).params["ErrorCode"]


# ── one round ────────────────────────────────────────────────────────────────────────────────────────


async def test_the_replies_come_back_as_orders(still: Still, web: WebhookServer) -> None:
    url = web.on("/orders", twiml("<Message action='/done' method='GET'>One</Message><Message>Two</Message>"))
    delivery = await inbound(still, url)
    told = await told_by(still, delivery)
    one, two = told.orders
    assert (ANN, ALONE, "One", web.url("/done"), "GET") == (one.to, one.from_, one.body, one.status_callback, one.callback_method)
    assert (ANN, ALONE, "Two", "") == (two.to, two.from_, two.body, two.status_callback)
    assert {delivery.message} == {one.reply_to, two.reply_to}


async def test_each_request_is_kept_with_what_came_back(still: Still, web: WebhookServer) -> None:
    web.on("/hop", redirect("/end", 307))
    web.on("/end", Reply(status=500, body=b"oops", content_type="text/plain"))
    delivery = await inbound(still, web.url("/hop"), fallback_url="http://user:secret@127.0.0.1:9/")
    told = await told_by(still, delivery)
    await notify.settle(still.world, rounds=[round_of(delivery, told)])
    made = (await still.ask(lambda tx: tx.webhooks.attempts([delivery.id])))[delivery.id]
    assert [307, 500, None, None] == [a.response["status"] if a.response else None for a in made]
    assert ["oops"] == [a.response["body"] for a in made if a.response and a.response["body"]]
    assert [None, 11202, 11202] == [made[0].error, made[2].code, made[3].code]
    assert delivery.params["Body"] == made[0].request["params"]["Body"]
    assert not [a for a in made if "secret" in str(a.request)]


async def test_a_callback_is_delivered_whatever_its_answer_says(still: Still, web: WebhookServer) -> None:
    delivery = await status(still)
    url = web.on("/callback", Reply(body=b"{not twiml", content_type="application/json"))
    told = await told_by(still, replace(delivery, url=url))
    assert (True, ()) == (told.delivered, told.orders)


@pytest.mark.parametrize("choice", ["reject", "accept_then_fail"])
async def test_a_reply_after_stop_tells_its_action_once(still: Still, choice: str) -> None:
    await accounts.change_account(still.world, account=still.account, changes={"opted_out_send": choice})
    await still.text("STOP", person=ANN, to=SERVICE_MEMBER)
    order = Order(
        to=ANN, from_=SERVICE_MEMBER, service=still.service, body="Sorry", status_callback="https://example.com/action"
    )
    await still.send(order, direction=Direction.REPLY)
    told = [d for d in await still.ask(lambda tx: tx.webhooks.page(Cut())) if d.event == "status"]
    assert [("https://example.com/action", "failed", "21610")] == [
        (d.url, d.params["MessageStatus"], d.params["ErrorCode"]) for d in told
    ]


# ── the fence between two machines ───────────────────────────────────────────────────────────────────


async def test_the_fifteenth_reply_to_a_pair_is_the_last_for_half_a_minute(still: Still) -> None:
    delivery = await inbound(still)
    orders = [Order(to=ANN, from_=ALONE, body=str(number)) for number in range(20)]
    passed = await notify.replies_open(still.world, delivery=delivery, orders=orders)
    assert orders[: loops.TWIML_FENCE.count] == passed


async def test_replies_to_somebody_else_are_counted_apart(still: Still) -> None:
    delivery = await inbound(still)
    orders = [Order(to=f"+1415555{number:04}", from_=ALONE, body="x") for number in range(2000, 2010)]
    orders += [Order(to=ANN, from_=sender, body="x") for sender in (ALONE, "+14155550100") for _ in range(15)]
    assert orders == await notify.replies_open(still.world, delivery=delivery, orders=orders)
