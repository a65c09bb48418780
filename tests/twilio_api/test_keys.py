"""API keys and the account over the official SDK."""

from datetime import datetime

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.gateway import Gateway


def test_a_key_tells_its_secret_once(gateway: Gateway) -> None:
    client = gateway.client()
    made = client.new_keys.create(friendly_name="robot")
    assert str(made.secret).isalnum()
    assert isinstance(made.date_created, datetime)
    body = gateway.http.get(f"/2010-04-01/Accounts/{gateway.account_sid}/Keys/{made.sid}.json").json()
    assert ["sid", "friendly_name", "date_created", "date_updated"] == list(body)
    assert "renamed" == client.keys(str(made.sid)).update(friendly_name="renamed").friendly_name
    assert "renamed" in [each.friendly_name for each in client.keys.list()]
    assert client.keys(str(made.sid)).delete()
    with pytest.raises(TwilioRestException) as raised:
        client.keys(str(made.sid)).fetch()
    assert (404, 20404) == (raised.value.status, raised.value.code)


def test_a_key_works_until_it_is_deleted(gateway: Gateway) -> None:
    client = gateway.client()
    made = client.new_keys.create(friendly_name="robot")
    robot = gateway.client(str(made.sid), str(made.secret))
    assert robot.messaging.v1.services.list()
    client.keys(str(made.sid)).delete()
    with pytest.raises(TwilioRestException) as raised:
        robot.messaging.v1.services(gateway.service).fetch()
    assert (401, 20003) == (raised.value.status, raised.value.code)


def test_keys_are_listed_page_by_page(gateway: Gateway) -> None:
    client = gateway.client(*gateway.account())
    made = [str(client.new_keys.create(friendly_name=f"key {n}").sid) for n in range(5)]
    found = [str(each.sid) for each in client.keys.list(page_size=2)]
    assert sorted(made) == sorted(found)
    assert len(set(found)) == 5


def test_a_name_over_64_characters_is_refused(gateway: Gateway) -> None:
    with pytest.raises(TwilioRestException) as raised:
        gateway.client().new_keys.create(friendly_name="n" * 65)
    assert (400, 20002) == (raised.value.status, raised.value.code)


def test_an_account_sees_itself_and_nobody_else(gateway: Gateway) -> None:
    sid, token = gateway.account("Stranger")
    client = gateway.client(sid, token)
    account = client.api.v2010.accounts(sid).fetch()
    assert (sid, sid, token, "Stranger", "active", "Full") == (
        account.sid,
        account.owner_account_sid,
        account.auth_token,
        account.friendly_name,
        account.status,
        account.type,
    )
    assert isinstance(account.date_created, datetime)
    assert f"/2010-04-01/Accounts/{sid}/Messages.json" == (account.subresource_uris or {})["messages"]
    assert [sid] == [each.sid for each in client.api.v2010.accounts.list()]
    assert [] == client.api.v2010.accounts.list(friendly_name="Demo")
    with pytest.raises(TwilioRestException) as raised:
        client.api.v2010.accounts(gateway.account_sid).fetch()
    assert (404, 20404) == (raised.value.status, raised.value.code)


def test_accounts_are_not_made_here(gateway: Gateway) -> None:
    answer = gateway.http.post("/2010-04-01/Accounts.json", data={"FriendlyName": "x"})
    assert (405, 20004) == (answer.status_code, answer.json()["code"])
