"""Looking whether anything is wrong, with a clock that goes forward: alerts fire, are answered, and end."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stopwire.core.alerts import Alert, Kind, State
from stopwire.core.connections import Connection, Sealed
from stopwire.core.consent import Act
from stopwire.core.message import Direction, Message, Status
from stopwire.flows import alerts, own, purge
from stopwire.flows.watch import Memory, look
from stopwire.metrics import render
from stopwire.ports.faults import StoreSlow
from stopwire.ports.store import Cut
from tests.flows.still import SERVICE_MEMBER, Still, still_house
from tests.storage.values import delivery, event, message, review

ANN = "+14155550101"


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[Still]:
    async with still_house(tmp_path) as house:
        yield house


class Watch:
    """Looks at a still house, a minute after another."""

    def __init__(self, still: Still) -> None:
        self.still, self.memory = still, Memory()

    async def after(self, minutes: float, *, thorough: bool = True) -> list[tuple[Kind, str, State]]:
        """Go forward and look; what stands then."""
        self.still.clock.moved += timedelta(minutes=minutes)
        await look(self.still.world, self.memory, thorough=thorough)
        return [(each.kind, each.subject, each.state) for each in await self.still.ask(lambda tx: tx.alerts.standing())]

    async def only(self) -> Alert:
        (alert,) = await self.still.ask(lambda tx: tx.alerts.page(Cut()))
        assert isinstance(alert, Alert)
        return alert


@pytest.fixture
def watch(still: Still) -> Watch:
    return Watch(still)


async def lay(still: Still, count: int, **changes: Any) -> list[Message]:
    """So many messages of now; `recipient` and others may be functions of their number."""
    now = still.clock.now()

    def one(number: int) -> Message:
        told = {name: value(number) if callable(value) else value for name, value in changes.items()}
        facts = {"sid": still.world.ids.sid("SM"), "account": still.account, "status": Status.DELIVERED, "direction": Direction.API}
        return message(**{**facts, "created_at": now, "updated_at": now, **told})

    laid = [one(number) for number in range(count)]
    await still.change(lambda tx: tx.messages.add(laid))
    return laid


async def opt_out(still: Still, count: int) -> None:
    now = still.clock.now()
    facts = [
        event(still.account, number=n, id=still.world.ids.sid("CE"), recipient=f"+1415555{n:04d}", act=Act.OPT_OUT, occurred_at=now, recorded_at=now)
        for n in range(count)
    ]
    await still.change(lambda tx: tx.consent.append(facts))


async def connect(still: Still, *, paused: bool = False) -> str:
    now = still.clock.now()
    made = Connection(sid="CN1", account=still.account, name="acme", type="smpp", paused=paused, created_at=now, updated_at=now)
    await still.change(lambda tx: tx.connections.add(Sealed(connection=made)))
    return made.sid


async def test_where_nothing_is_wrong_nothing_fires_and_nothing_is_written(still: Still, watch: Watch) -> None:
    await lay(still, 200)
    assert [] == await watch.after(1)


async def test_a_connection_that_is_down_fires_after_five_minutes_and_ends_when_it_was_up_for_five(still: Still, watch: Watch) -> None:
    sid = await connect(still)
    stands = [(Kind.LINK_DOWN, sid, State.FIRING)]
    assert [[], [], stands] == [await watch.after(minutes, thorough=False) for minutes in (0, 4, 1)]
    assert {"name": "acme", "minutes": 5} == (await watch.only()).figures
    await still.change(lambda tx: tx.connections.delete(sid))
    assert [stands, stands, []] == [await watch.after(minutes, thorough=False) for minutes in (1, 4, 1)]
    assert State.OVER is (await watch.only()).state


async def test_a_paused_connection_is_not_down(still: Still, watch: Watch) -> None:
    await connect(still, paused=True)
    assert [[], []] == [await watch.after(9, thorough=False) for _ in range(2)]


async def test_many_opt_outs_fire_by_what_was_delivered(still: Still, watch: Watch) -> None:
    await lay(still, 100)
    await opt_out(still, 1)
    assert [] == await watch.after(1)
    await opt_out(still, 4)
    assert [(Kind.OPT_OUT_RATE, "", State.FIRING)] == await watch.after(5)
    assert {"stops": 5, "delivered": 100, "rate": "5"} == (await watch.only()).figures
    assert [(Kind.OPT_OUT_RATE, "", State.FIRING)] == await watch.after(60)
    await watch.after(25 * 60)
    assert [] == await watch.after(5), "what was sent and stopped lies before the window"


async def test_many_failures_fire_and_a_stop_on_the_way_is_none(still: Still, watch: Watch) -> None:
    await lay(still, 60)
    await lay(still, 60, status=Status.FAILED, error_code=21610)
    assert [] == await watch.after(1)
    await lay(still, 30, status=Status.FAILED, error_code=30003)
    assert [(Kind.FAILURES, "", State.FIRING)] == await watch.after(1)
    assert {"failed": 30, "sent": 90, "rate": "33.3"} == (await watch.only()).figures


async def test_webhooks_that_wait_fire_by_the_age_of_the_oldest(still: Still, watch: Watch) -> None:
    now = still.clock.now()
    waiting = [delivery(still.account, number=n, state="pending", created_at=now) for n in range(3)]
    await still.change(lambda tx: tx.webhooks.add(waiting))
    assert [[], [(Kind.WEBHOOK_AGE, "", State.FIRING)]] == [await watch.after(minutes, thorough=False) for minutes in (14, 2)]
    assert {"waiting": 3, "minutes": 16} == (await watch.only()).figures


async def test_suggestions_past_their_date_fire(still: Still, watch: Watch) -> None:
    now = still.clock.now()
    await still.change(lambda tx: tx.suggestions.add([review(still.account, due_at=now + timedelta(days=1))]))
    assert [] == await watch.after(0, thorough=False)
    assert [(Kind.REVIEW_OVERDUE, "", State.FIRING)] == await watch.after(24 * 60 + 1, thorough=False)


def block(number: int) -> str:
    return f"+37060012{number:03d}"


async def test_many_texts_to_a_block_that_is_new_fire_and_go_on_as_long_as_it_lasts(still: Still, watch: Watch) -> None:
    await lay(still, 49, recipient=block)
    assert [] == await watch.after(1)
    await lay(still, 60, recipient=block)
    stands = [(Kind.PUMPING, "+37060012", State.FIRING)]
    assert stands == await watch.after(1)
    assert {"block": "+37060012", "numbers": 60, "texts": 109} == (await watch.only()).figures
    for _ in range(3):
        still.clock.moved += timedelta(hours=20)
        await lay(still, 60, recipient=block)
        assert stands == await watch.after(1), "what was sent since it fired does not make it known"


@pytest.mark.parametrize(
    "recipient",
    [
        pytest.param(lambda n: f"+3706001{n % 3}{n:03d}", id="over three blocks"),
        pytest.param(lambda n: ANN, id="one number"),
    ],
)
async def test_texts_that_are_spread_or_go_to_one_number_are_no_pumping(still: Still, watch: Watch, recipient: Any) -> None:
    await lay(still, 100, recipient=recipient)
    assert [] == await watch.after(1)


async def test_a_block_that_was_written_to_days_ago_is_not_new(still: Still, watch: Watch) -> None:
    await lay(still, 1, recipient=block)
    still.clock.moved += timedelta(days=2)
    await lay(still, 100, recipient=block)
    assert [] == await watch.after(1)


async def test_replies_that_answer_each_other_fire_and_name_nobody(still: Still, watch: Watch) -> None:
    await lay(still, 50, direction=Direction.REPLY, recipient=ANN, sender=SERVICE_MEMBER)
    assert [(Kind.LOOP, SERVICE_MEMBER, State.FIRING)] == await watch.after(1)
    assert {"sender": SERVICE_MEMBER, "replies": 50, "ending": "0101"} == (await watch.only()).figures
    await watch.after(15)
    assert [] == await watch.after(5)


async def test_a_quick_look_leaves_what_it_does_not_look_at_as_it_is(still: Still, watch: Watch) -> None:
    await lay(still, 50, direction=Direction.REPLY, recipient=ANN, sender=SERVICE_MEMBER)
    stands = await watch.after(1)
    assert [stands, stands] == [await watch.after(30, thorough=False) for _ in range(2)]


async def test_a_rule_that_was_changed_holds_from_the_next_look_on(still: Still, watch: Watch) -> None:
    await connect(still)
    whose = {"account": still.account, "kind": Kind.LINK_DOWN, "window_minutes": None, "at_least": None, "actor": "console:Ana"}
    await alerts.put_rule(still.world, on=True, threshold=30, **whose)
    assert [[], []] == [await watch.after(minutes, thorough=False) for minutes in (0, 29)]
    assert [State.FIRING] == [state for _, _, state in await watch.after(1, thorough=False)]
    off = await alerts.put_rule(still.world, on=False, threshold=None, **whose)
    assert off.rule is not None and not off.rule.rule.on
    assert State.OVER is (await watch.only()).state
    assert [] == await watch.after(60, thorough=False)
    back = await alerts.put_rule(still.world, on=True, threshold=None, **whose)
    assert back.rule is not None and None is back.rule.change
    assert [State.FIRING] == [state for _, _, state in await watch.after(1, thorough=False)]


async def test_who_takes_an_alert_is_kept_until_it_is_over(still: Still, watch: Watch) -> None:
    await connect(still)
    await watch.after(0)
    await watch.after(5)
    id = (await watch.only()).id
    taken = await alerts.take(still.world, account=still.account, id=id, actor="console:Ana")
    assert taken.alert is not None and (State.TAKEN, "console:Ana") == (taken.alert.state, taken.alert.taken_by)
    assert [State.TAKEN] == [state for _, _, state in await watch.after(1)]
    nobody = await alerts.take(still.world, account=still.account, id="AL0", actor="console:Ana")
    assert nobody.alert is None


async def test_a_mute_holds_until_its_end_and_then_it_is_heard_of_again(still: Still, watch: Watch) -> None:
    await connect(still)
    await watch.after(0)
    await watch.after(5)
    id = (await watch.only()).id
    muted = await alerts.mute(still.world, account=still.account, id=id, minutes=60, actor="console:Ana")
    assert muted.alert is not None and State.MUTED is muted.alert.state
    refused = await alerts.take(still.world, account=still.account, id=id, actor="console:Ana")
    assert ["This alert is muted: end the mute first."] == [each.message for each in refused.problems]
    states = [[state for _, _, state in await watch.after(minutes)] for minutes in (1, 58, 2)]
    assert [[State.MUTED], [State.MUTED], [State.FIRING]] == states
    assert id == (await watch.only()).id


@pytest.mark.parametrize(
    "minutes", [pytest.param(43_201, id="longer than thirty days"), pytest.param(-5, id="before now"), pytest.param(10**15, id="for ever")]
)
async def test_nothing_is_muted_without_an_end_that_is_near(still: Still, watch: Watch, minutes: int) -> None:
    await connect(still)
    await watch.after(0)
    await watch.after(5)
    refused = await alerts.mute(still.world, account=still.account, id=(await watch.only()).id, minutes=minutes, actor="a")
    assert ["minutes"] == [each.path for each in refused.problems]
    assert State.FIRING is (await watch.only()).state


async def test_a_kind_can_be_muted_before_anything_fires(still: Still, watch: Watch) -> None:
    sid = await connect(still)
    await alerts.mute_rule(still.world, account=still.account, kind=Kind.LINK_DOWN, minutes=30, actor="a")
    assert [[], []] == [await watch.after(minutes, thorough=False) for minutes in (0, 10)]
    await alerts.mute_rule(still.world, account=still.account, kind=Kind.LINK_DOWN, minutes=0, actor="a")
    assert [(Kind.LINK_DOWN, sid, State.FIRING)] == await watch.after(1, thorough=False)
    await alerts.mute_rule(still.world, account=still.account, kind=Kind.LINK_DOWN, minutes=30, actor="a")
    assert State.MUTED is (await watch.only()).state, "what stands is muted at once"


async def test_what_changes_is_told_on_the_tail_and_counted(still: Still, watch: Watch) -> None:
    await connect(still)
    since = still.world.tail.newest()
    await watch.after(0)
    await watch.after(5)
    assert b'stopwire_alerts_firing{rule="link_down"} 1.0' in render()[0]
    await still.change(lambda tx: tx.connections.delete("CN1"))
    await watch.after(1)
    await watch.after(5)
    told = await still.world.tail.wait(still.account, since, seconds=0, limit=100)
    assert ["alert.fired", "alert.over"] == [each.event for each in told if each.event.startswith("alert.")]
    assert b'stopwire_alerts_firing{rule="link_down"} 0.0' in render()[0]


async def test_accounts_are_measured_by_their_own_messages_only(still: Still, watch: Watch) -> None:
    other = await own.create_account(still.world, name="Theirs")
    await lay(still, 50, direction=Direction.REPLY, recipient=ANN, sender=SERVICE_MEMBER)
    await watch.after(1)
    assert [] == await still.world.store.read(lambda tx: tx.alerts.standing(), account=other.sid)


async def test_an_account_that_takes_too_long_keeps_no_other_from_being_looked_at(
    still: Still, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lay(still, 50, direction=Direction.REPLY, recipient=ANN, sender=SERVICE_MEMBER)
    stands = [(Kind.LOOP, SERVICE_MEMBER, State.FIRING)]
    assert stands == await watch.after(1)
    other = await own.create_account(still.world, name="Theirs")
    read = still.world.store.read

    async def slow(query: Any, *, account: str, **more: Any) -> Any:
        if account == still.account:
            raise StoreSlow
        return await read(query, account=account, **more)

    now = still.clock.now()
    link = Connection(sid="CN2", account=other.sid, name="theirs", type="smpp", created_at=now, updated_at=now)
    await still.world.store.write(lambda tx: tx.connections.add(Sealed(connection=link)), account=other.sid)
    with monkeypatch.context() as patched:
        patched.setattr(still.world.store, "read", slow)
        for _ in range(3):
            still.clock.moved += timedelta(minutes=20)
            await look(still.world, watch.memory, thorough=True)
    assert stands == [(each.kind, each.subject, each.state) for each in await still.ask(lambda tx: tx.alerts.standing())]
    assert ["CN2"] == [each.subject for each in await read(lambda tx: tx.alerts.standing(), account=other.sid)]


async def test_alerts_that_are_long_over_are_forgotten(still: Still, watch: Watch) -> None:
    await connect(still)
    await watch.after(0)
    await watch.after(5)
    await still.change(lambda tx: tx.connections.delete("CN1"))
    await watch.after(1)
    await watch.after(5)
    still.clock.moved += purge.ALERTS + timedelta(minutes=1)
    await purge.purge(still.world)
    assert [] == await still.ask(lambda tx: tx.alerts.page(Cut()))
