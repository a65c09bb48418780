"""The vault's key is rotated: every secret is sealed anew, none is lost, and a half of it does no harm."""

from dataclasses import replace
from functools import partial

import pytest

from stopwire.core.connections import Sealed
from stopwire.flows import connect, rotate
from tests.gateway import Gateway

SETTINGS = {"host": "127.0.0.1", "port": 9, "system_id": "stopwire", "password": "canary"}


@pytest.fixture
def sealed(fresh_gateway: Gateway) -> Sealed:
    wanted = connect.Wanted(settings=SETTINGS, paused=True)
    done = fresh_gateway.run(connect.declare(fresh_gateway.world, account=fresh_gateway.account_sid, name="quay", type="smpp", wanted=wanted))
    assert not done.problems
    return kept(fresh_gateway)


def kept(gateway: Gateway) -> Sealed:
    (found,) = gateway.run(gateway.world.store.read(lambda tx: tx.connections.every(), account=""))
    return found


def password(gateway: Gateway) -> str:
    found = kept(gateway)
    return gateway.world.vault.open_sealed(found.secrets["password"], purpose=f"{found.connection.sid}:password")


def test_secrets_are_sealed_with_the_new_key_and_links_go_on(fresh_gateway: Gateway, sealed: Sealed) -> None:
    vault = fresh_gateway.world.vault
    link = vault.seal("a link that is out there", purpose="link")
    done = fresh_gateway.run(rotate.rotate(fresh_gateway.world, actor="test"))
    assert (1, ()) == (done.resealed, done.unreadable)
    assert ("canary", True) == (password(fresh_gateway), vault.is_current(kept(fresh_gateway).secrets["password"]))
    assert sealed.connection == kept(fresh_gateway).connection, "it is not opened anew"
    assert "a link that is out there" == vault.open_sealed(link, purpose="link")


def test_a_connection_that_was_changed_meanwhile_is_left_to_its_change(fresh_gateway: Gateway, sealed: Sealed) -> None:
    world = fresh_gateway.world
    secrets = {"password": world.vault.seal("old", purpose="old")}
    unit = partial(rotate.reseal, was=replace(sealed, secrets={"password": "of before"}), secrets=secrets)
    assert not fresh_gateway.run(world.store.write(unit, account=fresh_gateway.account_sid))
    assert "canary" == password(fresh_gateway)


def test_a_secret_that_no_key_opens_is_told_and_kept(fresh_gateway: Gateway, sealed: Sealed) -> None:
    world = fresh_gateway.world
    spoilt = replace(sealed, secrets={"password": "v1.00000000.AAAA"})
    fresh_gateway.run(world.store.write(lambda tx: tx.connections.save(spoilt), account=fresh_gateway.account_sid))
    done = fresh_gateway.run(rotate.rotate(world, actor="test"))
    assert (0, ("quay",)) == (done.resealed, done.unreadable)
    assert spoilt == kept(fresh_gateway)
