"""Taking the demo away: what goes, and what must not."""

from pathlib import Path
from typing import Any

import pytest

from stopwire import demo
from stopwire.flows import retire
from tests.gateway import Gateway, eventually


@pytest.fixture
def played(fresh_gateway: Gateway) -> Gateway:
    """A demo that somebody has played with."""
    ann = fresh_gateway.phone("+14155550101")
    ann.text("stop", to="+14155550100")
    ann.wait()
    fresh_gateway.phone("+14155550102").text("please take me off", to="+14155550122")
    fresh_gateway.phone("+14155550103").text("STOP", to="+18885550100")
    return fresh_gateway


def items(gateway: Gateway, path: str) -> list[dict[str, Any]]:
    return list(gateway.http.get(f"/api/v1/{path}").raise_for_status().json()["items"])


def test_nothing_of_the_demo_is_left_but_its_ledger(played: Gateway) -> None:
    events = len(items(played, "consent-events"))
    gone = played.run(retire.retire_demo(played.world, account=played.account_sid, actor="console:Ana"))
    assert (len(demo.SENDERS), 1, 2) == (gone.senders, gone.services, gone.blocks)
    for path in ("senders", "blocks", "simulator/phones", "refusals", "suggestions", "webhook-deliveries"):
        assert [] == items(played, path), path
    told = items(played, "consent-events")
    assert events + 2 == len(told)
    assert {("lift", "console:Ana", retire.NOTE)} == {(e["act"], e["actor"], e["note"]) for e in told[:2]}
    assert played.http.get("/api/v1/ledger/verify").json()["ok"]


def test_it_does_not_come_back_at_the_next_start(played: Gateway) -> None:
    played.run(retire.retire_demo(played.world, account=played.account_sid, actor="console:Ana"))
    played.run(demo.seed(played.world, account=played.account_sid))
    assert [] == items(played, "senders")


def test_what_a_carrier_serves_stays_with_all_that_is_its(played: Gateway, tmp_path: Path) -> None:
    settings = {"host": "127.0.0.1", "port": 9, "system_id": "a", "password": "b"}
    own = {"name": "own", "type": "smpp", "settings": settings, "senders": ["+14155550177"]}
    played.http.post("/api/v1/carriers", json=own).raise_for_status()
    played.http.post("/api/v1/blocks", json={"recipient": "+14155550109", "scope": "+14155550177"}).raise_for_status()
    played.client().messages.create(from_="+14155550177", to="+14155550110", body="Hello")
    played.run(retire.retire_demo(played.world, account=played.account_sid, actor="console:Ana"))
    assert ["+14155550177"] == [sender["address"] for sender in items(played, "senders")]
    assert ["+14155550109"] == [block["recipient"] for block in items(played, "blocks")]
    assert ["Hello"] == [message.body for message in played.client().messages.list()]


def test_another_account_is_not_touched(played: Gateway) -> None:
    sid, token = played.account()
    bought = played.client(sid, token).incoming_phone_numbers.create(area_code="212")
    played.run(retire.retire_demo(played.world, account=played.account_sid, actor="console:Ana"))
    assert [bought.sid] == [number.sid for number in played.client(sid, token).incoming_phone_numbers.list()]


def test_done_twice_it_does_nothing_more(played: Gateway) -> None:
    eventually(lambda: played.run(retire.retire_demo(played.world, account=played.account_sid, actor="console:Ana")).senders)
    assert retire.Retired() == played.run(retire.retire_demo(played.world, account=played.account_sid, actor="console:Ana"))
