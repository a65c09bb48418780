"""Who signs in: accounts, test credentials, keys; and who does not."""

from dataclasses import replace

import pytest

from stopwire.flows import account as accounts
from stopwire.flows import own
from stopwire.flows.authenticate import Caller, authenticate
from tests.gateway import Gateway


def sign_in(gateway: Gateway, username: str, password: str) -> Caller:
    return gateway.run(authenticate(gateway.world, username=username, password=password))


def test_an_account_signs_in_with_its_token(gateway: Gateway) -> None:
    sid = gateway.account_sid
    assert Caller(account=sid, name=sid) == sign_in(gateway, sid, gateway.auth_token)
    assert Caller(failure="password") == sign_in(gateway, sid, gateway.auth_token[:-1])


def test_test_credentials_sign_in_as_such(gateway: Gateway) -> None:
    account = gateway.run(gateway.world.store.directory(gateway.account_sid)).account
    caller = sign_in(gateway, account.test_sid, account.test_token)
    assert Caller(account=account.sid, name=account.test_sid, test=True) == caller
    assert Caller(failure="password") == sign_in(gateway, account.test_sid, account.auth_token)


def test_a_key_signs_in_until_it_is_deleted(gateway: Gateway) -> None:
    sid = gateway.account_sid
    made = gateway.run(accounts.create_key(gateway.world, account=sid, friendly_name="robot"))
    assert made.key is not None
    assert made.secret is not None
    key = made.key.sid
    caller = sign_in(gateway, key, made.secret)
    assert Caller(account=sid, name=sid, key=key) == caller
    assert key == caller.actor
    assert Caller(failure="password") == sign_in(gateway, key, "wrong")
    assert gateway.run(accounts.delete_key(gateway.world, account=sid, key=key))
    assert Caller(failure="username") == sign_in(gateway, key, made.secret)


@pytest.mark.parametrize("username", ["", "AC" + "0" * 32, "SK" + "0" * 32, "ann", "\ud800", "AC\0"], ids=repr)
def test_an_unknown_user_is_nobody(gateway: Gateway, username: str) -> None:
    assert Caller(failure="username") == sign_in(gateway, username, "secret")


def test_a_token_of_strange_characters_is_wrong(gateway: Gateway) -> None:
    assert Caller(failure="password") == sign_in(gateway, gateway.account_sid, "\ud800é\0")


def test_a_suspended_account_is_told_so(gateway: Gateway) -> None:
    sid, token = gateway.account()
    before = sign_in(gateway, sid, token)
    gateway.run(own.set_status(gateway.world, account=sid, status="suspended"))
    assert replace(before, status="suspended") == sign_in(gateway, sid, token)
