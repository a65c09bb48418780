"""What may be forgotten is, in pieces; what may not, stays."""

from datetime import timedelta

from stopwire.flows import purge
from stopwire.ports.store import Seen, Tx
from tests.gateway import Gateway


def test_a_sweep_forgets_old_bookkeeping_and_keeps_the_rest(fresh_gateway: Gateway) -> None:
    gateway, account = fresh_gateway, fresh_gateway.account_sid
    now = gateway.world.clock.now()
    old = now - timedelta(days=4)

    def fill(tx: Tx) -> None:
        tx.messages.keep("old", "f", {}, old)
        tx.messages.keep("new", "f", {}, now)
        for number in range(purge.AT_ONCE + 1):
            tx.inbound.remember("simulator", [Seen(reference=f"old-{number}", message=None, at=old)])
        tx.inbound.remember("simulator", [Seen(reference="new", message=None, at=now)])

    gateway.run(gateway.world.store.write(fill, account=account))
    assert 1 + purge.AT_ONCE + 1 == gateway.run(purge.purge(gateway.world))
    assert 0 == gateway.run(purge.purge(gateway.world))
    left = gateway.run(
        gateway.world.store.read(
            lambda tx: (tx.messages.kept("new", old), tx.messages.kept("old", old), tx.inbound.seen("simulator", ["new"])),
            account=account,
        )
    )
    assert left[0] is not None
    assert left[1] is None
    assert left[2]
