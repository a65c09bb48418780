"""Erasing a person: no table still has their number or their words, and their block stands."""

import sqlite3
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stopwire.core.jobs import DeliveryAttempt
from stopwire.flows import erase
from stopwire.ports.store import Tx
from tests.gateway import Gateway, eventually
from tests.storage.values import delivery

ANN, BOB, OURS = "+14155550101", "+14155550102", "+14155550100"
SECRET = "my oak door"
KEEPERS = {"blocks", "audit"}  # who is blocked stays blocked; the audit log is never changed


@pytest.fixture
def known(fresh_gateway: Gateway) -> Gateway:
    """A person about whom everything is kept that can be, and another one."""
    service = fresh_gateway.service
    ann = fresh_gateway.phone(ANN)
    ann.text(f"hello, {SECRET}", to=OURS)
    fresh_gateway.phone(BOB).text("hello from Bob", to=OURS)
    client = fresh_gateway.client()
    sent = client.messages.create(from_=OURS, to=ANN, body=f"About {SECRET}")
    eventually(lambda: client.messages(sent.sid).fetch().status == "delivered")
    ann.text("stop", to=OURS)
    ann.wait(2)
    blocked = {"recipient": ANN, "scope": service, "reason": "complaint", "note": f"called about {SECRET}"}
    fresh_gateway.http.post("/api/v1/blocks", json=blocked).raise_for_status()
    with pytest.raises(Exception, match="unsubscribed"):
        client.messages.create(from_=OURS, to=ANN, body="again")
    csv = f"recipient,note\n{ANN},{SECRET}\n"
    fresh_gateway.http.post("/api/v1/blocks/import", content=csv, headers={"Content-Type": "text/csv"}).raise_for_status()
    return fresh_gateway


def _keep_a_webhook(gateway: Gateway, state: str) -> None:
    """One that was told of Ann's first text, as a customer's server took it."""
    text = next(each for each in gateway.client().messages.list() if each.from_ == ANN)
    account, now = gateway.account_sid, gateway.world.clock.now()
    params = {"From": ANN, "Body": SECRET}
    told = delivery(account, message=text.sid, params=params, state=state, due_at=now + timedelta(days=1))
    tried = DeliveryAttempt(delivery=told.id, at=now, ms=1, request={"params": params})

    def unit(tx: Tx) -> None:
        tx.webhooks.add([told])
        tx.webhooks.settle(told.id, state, rounds=1, due_at=told.due_at)
        tx.webhooks.add_attempts([tried])

    gateway.run(gateway.world.store.write(unit, account=account))


def test_a_webhook_that_was_told_goes(known: Gateway) -> None:
    _keep_a_webhook(known, "delivered")
    assert {"deliveries", "delivery_attempts"} <= tables_with(known, [SECRET])
    eventually(lambda: _whole(erased(known)))
    assert set() == tables_with(known, [SECRET])


def test_a_webhook_that_is_still_to_be_told_keeps_its_text_until_then(known: Gateway) -> None:
    _keep_a_webhook(known, "pending")
    assert 1 == eventually(lambda: done if (done := erased(known)).waiting == 1 else None).waiting


def tables_with(gateway: Gateway, words: Sequence[str]) -> set[str]:
    """The tables in which any cell of any row has one of the words."""
    path = next(Path(gateway.settings.data_dir).glob("*.db"))
    with sqlite3.connect(path) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {
            name
            for name in names
            for row in connection.execute(f"SELECT * FROM {name}")
            if any(word in str(cell) for cell in row for word in words)
        }


def erased(gateway: Gateway, person: str = ANN) -> erase.Erased:
    return gateway.run(erase.erase(gateway.world, account=gateway.account_sid, recipient=person))


def test_no_table_has_their_number_or_their_words(known: Gateway) -> None:
    assert tables_with(known, [ANN, SECRET]) > {"messages", "consent_people", "blocks", "refusals", "handset_messages", "import_rows"}
    done = eventually(lambda: _whole(erased(known)))
    assert 0 == done.waiting
    assert tables_with(known, [ANN, SECRET]) <= KEEPERS
    assert set() == tables_with(known, [SECRET])


def _whole(done: erase.Erased) -> erase.Erased | None:
    return done if done.waiting == 0 else None


def test_they_stay_blocked_and_the_chain_verifies(known: Gateway) -> None:
    before = len(_items(known, f"blocks?recipient=%2B{ANN[1:]}"))
    erased(known)
    assert before == len(_items(known, f"blocks?recipient=%2B{ANN[1:]}"))
    with pytest.raises(Exception, match="unsubscribed"):
        known.client().messages.create(from_=OURS, to=ANN, body="again")
    assert known.http.get("/api/v1/ledger/verify").json()["ok"]


def test_others_are_not_touched(known: Gateway) -> None:
    erased(known)
    assert ["hello from Bob"] == [each.body for each in known.client().messages.list() if each.from_ == BOB]


def test_another_account_keeps_what_it_knows(known: Gateway) -> None:
    sid, _ = known.account()
    done = known.run(erase.erase(known.world, account=sid, recipient=ANN))
    assert erase.Erased(messages=0, events=0, others=0, waiting=0) == done
    assert "messages" in tables_with(known, [SECRET])


def test_done_twice_it_finds_nothing_more(known: Gateway) -> None:
    eventually(lambda: _whole(erased(known)))
    assert erase.Erased(messages=0, events=0, others=0, waiting=0) == erased(known)


def test_a_scheduled_text_is_taken_back(known: Gateway) -> None:
    phone = "+14155550107"
    given = {"ScheduleType": "fixed", "SendAt": _in_an_hour(known), "MessagingServiceSid": known.service, "To": phone, "Body": SECRET}
    sent = known.http.post(f"/2010-04-01/Accounts/{known.account_sid}/Messages.json", data=given).raise_for_status().json()
    assert 0 == erased(known, phone).waiting
    assert "canceled" == known.client().messages(sent["sid"]).fetch().status
    assert set() == tables_with(known, [phone])


def test_by_the_api_it_is_noted_without_the_number(known: Gateway) -> None:
    told = known.http.post(f"/api/v1/recipients/{ANN}/erase").raise_for_status().json()
    assert {"messages", "events", "others", "waiting"} == told.keys()
    assert told["messages"] > 0
    assert "audit" in tables_with(known, ["recipient.erased"])
    assert "audit" not in tables_with(known, [ANN])


def _items(gateway: Gateway, path: str) -> list[dict[str, Any]]:
    return list(gateway.http.get(f"/api/v1/{path}").raise_for_status().json()["items"])


def _in_an_hour(gateway: Gateway) -> str:
    return (gateway.world.clock.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
