import pytest

from stopwire.flows.tally import tally
from stopwire.ports.store import Stats
from stopwire.storage import tallies
from tests.gateway import Gateway


def test_a_round_counts_what_is_full_and_the_figures_stay(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies.next_pieces, "__defaults__", (2,))  # instead of twenty thousand rows, and as many texts
    for number in range(5):
        gateway.phone(f"+1415555{1400 + number}").text("STOP" if number % 2 else "hello", to="+14155550100")
    since = gateway.world.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)

    def told() -> list[dict[str, object]]:
        return [
            {name: row[name] for name in ("key", "inbound", "opt_outs")}
            for row in gateway.run(gateway.house.read(gateway.account_sid, Stats.counts, "day", since))
        ]

    before = told()
    assert gateway.run(tally(gateway.world, pieces=3)) >= 3
    while gateway.run(tally(gateway.world, pieces=9)):
        pass
    assert before == told()
