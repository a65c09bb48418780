"""The demo account: its senders and service are there once, and its little play keeps to handsets of its own."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from stopwire import demo
from stopwire.core.address import SenderKind, parse_recipient, parse_sender
from tests.gateway import Gateway, eventually


def directory(gateway: Gateway) -> Any:
    return gateway.run(gateway.world.store.directory(gateway.account_sid))


def test_a_fresh_account_has_eight_senders_and_one_service(fresh_gateway: Gateway) -> None:
    found = directory(fresh_gateway)
    assert sorted(address for address, _, _ in demo.SENDERS) == sorted(each.address for each in found.senders.values())
    assert ["Demo"] == [each.friendly_name for each in found.services.values()]
    members = {each.address for each in found.senders.values() if each.service}
    assert {address for address, _, member in demo.SENDERS if member} == members


def test_every_sid_has_the_prefix_of_its_kind(gateway: Gateway) -> None:
    prefixes = {SenderKind.SHORT_CODE: "SC", SenderKind.WHATSAPP: "XE", SenderKind.ALPHANUMERIC: "AI"}
    for sender in directory(gateway).senders.values():
        assert prefixes.get(sender.kind, "PN") == sender.sid[:2], sender.address


def test_seeding_again_changes_nothing(fresh_gateway: Gateway) -> None:
    before = directory(fresh_gateway)
    fresh_gateway.run(demo.seed(fresh_gateway.world, account=fresh_gateway.account_sid))
    assert before == directory(fresh_gateway)


def test_what_a_newcomer_made_of_the_account_is_left_alone(fresh_gateway: Gateway) -> None:
    client = fresh_gateway.client()
    for service in client.messaging.v1.services.list():
        service.delete()
    for number in client.incoming_phone_numbers.list():
        number.delete()
    fresh_gateway.run(demo.seed(fresh_gateway.world, account=fresh_gateway.account_sid))
    assert {"72345", "whatsapp:+14155550190"} == {each.address for each in directory(fresh_gateway).senders.values()}


def test_addresses_of_the_play_are_real_and_apart_from_a_newcomers() -> None:
    for address, _, _ in demo.SENDERS:
        assert address == parse_sender(address)
    for handset, _, _ in demo.PLAY:
        assert handset == parse_recipient(handset)
        assert not handset.startswith("+1415555"), "those are the newcomer's"


def test_the_play_sends_and_answers(fresh_gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "TRAFFIC_SECONDS", 0.01)

    async def play() -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(demo.traffic(fresh_gateway.world, account=fresh_gateway.account_sid), 4)

    fresh_gateway.run(play())
    handset, told, says = demo.PLAY[0]
    seen = eventually(lambda: fresh_gateway.phone(handset).messages())
    assert told in [each["body"] for each in seen if each["direction"] == "in"]
    assert says in [each["body"] for each in seen if each["direction"] == "out"]


def test_without_its_service_the_play_ends(fresh_gateway: Gateway) -> None:
    fresh_gateway.client().messaging.v1.services(fresh_gateway.service).delete()
    fresh_gateway.run(demo.traffic(fresh_gateway.world, account=fresh_gateway.account_sid))
