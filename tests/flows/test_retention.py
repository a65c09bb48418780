"""What an account has kept long enough goes, in pieces; consent stays, and so does everything under a hold."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from stopwire.core.message import Direction, Status
from stopwire.flows import account as accounts
from stopwire.flows import erase, explain, prove, retention, retire
from stopwire.ports.store import Tx
from tests.gateway import Gateway, eventually
from tests.storage.values import message

ANN, OURS = "+14155550101", "+14155550100"


def keep(gateway: Gateway, **changes: Any) -> accounts.AccountChanged:
    return gateway.run(accounts.change_account(gateway.world, account=gateway.account_sid, changes=changes))


def sweep(gateway: Gateway, walks: retention.Walks | None = None) -> dict[str, int]:
    return gateway.run(retention.sweep(gateway.world, walks or retention.Walks()))


def lay(gateway: Gateway, *ages_days: float, **changes: Any) -> list[str]:
    """Messages of so many days ago; their SIDs."""
    account, now = gateway.account_sid, gateway.world.clock.now()

    def made(number: int, age: float) -> Any:
        at: datetime = now - timedelta(days=age)
        facts = {"sid": gateway.world.ids.sid("SM"), "account": account, "status": Status.DELIVERED, "body": f"text {number}"}
        return message(**{**facts, "created_at": at, "updated_at": at, **changes})

    laid = [made(number, age) for number, age in enumerate(ages_days)]
    gateway.run(gateway.world.store.write(lambda tx: tx.messages.add(laid), account=account))
    return [each.sid for each in laid]


def bodies(gateway: Gateway, sids: list[str]) -> list[str | None]:
    def ask(tx: Tx) -> list[str | None]:
        found = {each.sid: each.body for each in tx.messages.many(sids)}
        return [found.get(each) for each in sids]

    return gateway.run(gateway.world.store.read(ask, account=gateway.account_sid))


def test_by_default_nothing_goes(fresh_gateway: Gateway) -> None:
    laid = lay(fresh_gateway, 5_000)
    assert {} == sweep(fresh_gateway)
    assert ["text 0"] == bodies(fresh_gateway, laid)


def test_texts_go_when_they_are_old_and_messages_when_they_are_older(fresh_gateway: Gateway) -> None:
    laid = lay(fresh_gateway, 2_000, 400, 10)
    assert () == keep(fresh_gateway, keep_bodies_days=396, keep_messages_days=1_827).warnings
    assert {"texts": 2, "messages": 1} == sweep(fresh_gateway)
    assert [None, "", "text 2"] == bodies(fresh_gateway, laid)


def test_many_go_in_small_units_and_the_rest_in_the_next_sweep(fresh_gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "STRETCH", 30)
    monkeypatch.setattr(retention, "AT_ONCE", 10)
    monkeypatch.setattr(retention, "UNITS_MAX", 4)
    lay(fresh_gateway, *[400] * 100, 1)
    keep(fresh_gateway, keep_bodies_days=396)
    walks = retention.Walks()
    assert [{"texts": 60}, {"texts": 40}, {}] == [sweep(fresh_gateway, walks) for _ in range(3)]


def test_what_had_not_ended_is_found_by_the_next_walk(fresh_gateway: Gateway) -> None:
    (waiting,) = lay(fresh_gateway, 400, status=Status.SENDING)
    keep(fresh_gateway, keep_bodies_days=396)
    assert {} == sweep(fresh_gateway)
    ended = lambda tx: tx.messages.move([waiting], Status.DELIVERED, now=fresh_gateway.world.clock.now())  # noqa: E731 (a unit)
    fresh_gateway.run(fresh_gateway.world.store.write(ended, account=fresh_gateway.account_sid))
    assert {"texts": 1} == sweep(fresh_gateway)


def test_accounts_keep_for_themselves(fresh_gateway: Gateway) -> None:
    laid = lay(fresh_gateway, 400)
    other, _ = fresh_gateway.account()
    fresh_gateway.run(accounts.change_account(fresh_gateway.world, account=other, changes={"keep_bodies_days": 1}))
    assert {} == sweep(fresh_gateway)
    assert ["text 0"] == bodies(fresh_gateway, laid)


def test_under_a_hold_nothing_goes_whoever_asks(fresh_gateway: Gateway) -> None:
    laid = lay(fresh_gateway, 400, recipient=ANN, sender=OURS)
    keep(fresh_gateway, keep_bodies_days=30, legal_hold=True)
    assert {} == sweep(fresh_gateway)
    world, account = fresh_gateway.world, fresh_gateway.account_sid
    assert erase.Erased(held=True) == fresh_gateway.run(erase.erase(world, account=account, recipient=ANN))
    assert retire.Retired(held=True) == fresh_gateway.run(retire.retire_demo(world, account=account, actor="console:Ana"))
    client = fresh_gateway.client()
    for ask in (lambda: client.messages(laid[0]).delete(), lambda: client.messages(laid[0]).update(body="")):
        with pytest.raises(Exception, match="Action disabled for account"):
            ask()
    answer = fresh_gateway.http.post(f"/api/v1/recipients/%2B{ANN[1:]}/erase")
    assert (409, True) == (answer.status_code, "legal hold" in answer.json()["detail"])
    assert ["text 0"] == bodies(fresh_gateway, laid)
    keep(fresh_gateway, legal_hold=False)
    assert {"texts": 1} == sweep(fresh_gateway)


def test_what_is_explained_and_proved_afterwards_still_speaks(fresh_gateway: Gateway) -> None:
    gateway = fresh_gateway
    gateway.phone(ANN).text("Stop.", to=OURS)
    gateway.phone(ANN).wait(1)
    stop = next(each.sid for each in gateway.client().messages.list() if each.direction == "inbound")
    account, now = gateway.account_sid, gateway.world.clock.now()
    eventually(lambda: _went(gateway, stop, now))
    told = gateway.run(explain.explain(gateway.world, account=account, id=stop)).explanation
    assert told is not None
    assert "blocked" == told.verdict
    assert f"Its text was erased on {now:%Y-%m-%d}" in " ".join(told.why)
    proved = gateway.run(prove.evidence(gateway.world, account=account, recipient=ANN))
    assert ([("Stop.", "STOP")], True) == ([(each.event.text, each.event.word) for each in proved.events], proved.sealed)
    shown = gateway.http.get(f"/api/v1/evidence/%2B{ANN[1:]}").json()["messages"]
    assert [("", True)] == [(each["body"], each["body_erased_at"] is not None) for each in shown]
    gateway.run(gateway.world.store.write(lambda tx: tx.retention.forget("messages", [stop], now), account=account))
    proved = gateway.run(prove.evidence(gateway.world, account=account, recipient=ANN))
    assert (["Stop."], (), True) == ([each.event.text for each in proved.events], proved.messages, proved.sealed)
    assert gateway.run(prove.verify(gateway.world, account=account)).ok


def _went(gateway: Gateway, text: str, now: datetime) -> int:
    """Let the text go as a sweep would, once its webhook is told."""
    return gateway.run(gateway.world.store.write(lambda tx: tx.retention.forget("texts", [text], now), account=gateway.account_sid))


def test_a_redacted_message_says_when(fresh_gateway: Gateway) -> None:
    (laid,) = lay(fresh_gateway, 1, direction=Direction.API)
    fresh_gateway.client().messages(laid).update(body="")
    assert fresh_gateway.http.get(f"/api/v1/messages/{laid}").json()["body_erased_at"] is not None


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        pytest.param({"keep_bodies_days": 0}, "keep_bodies_days", id="no time at all"),
        pytest.param({"keep_messages_days": 7}, "keep_messages_days", id="too short"),
        pytest.param({"keep_webhooks_days": "30"}, "keep_webhooks_days", id="a text"),
        pytest.param({"legal_hold": "yes"}, "legal_hold", id="a hold that is neither on nor off"),
    ],
)
def test_what_cannot_be_kept_is_refused(gateway: Gateway, changes: dict[str, Any], path: str) -> None:
    assert [path] == [each.path for each in keep(gateway, **changes).problems]


def test_a_short_time_is_warned_of(fresh_gateway: Gateway) -> None:
    assert ["keep_bodies_days"] == [each.path for each in keep(fresh_gateway, keep_bodies_days=30).warnings]
