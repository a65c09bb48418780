"""What the SDK for Python itself is proved with before a release: a few calls with an API key and numbers from the environment."""

import os

import pytest
from twilio.rest import Client

from tests.gateway import Gateway

TO = "+14155550320"


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Client:
    """Signed in with a key; account, key and numbers come the way the SDK's own programs get them."""
    key = gateway.client().new_keys.create(friendly_name="cluster")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWILIO_ACCOUNT_SID", gateway.account_sid)
        patch.setenv("TWILIO_API_KEY", key.sid)
        patch.setenv("TWILIO_API_SECRET", key.secret)
        client = Client(os.environ["TWILIO_API_KEY"], os.environ["TWILIO_API_SECRET"], os.environ["TWILIO_ACCOUNT_SID"])
    client.api.base_url = client.messaging.base_url = gateway.url
    return client


def test_a_text_is_sent(gateway: Gateway, client: Client) -> None:
    sent = client.messages.create(to=TO, from_="+14155550100", body="hello from the cluster")
    assert (TO, "+14155550100", "hello from the cluster") == (sent.to, sent.from_, sent.body)
    assert sent.sid.startswith("SM")
    assert sent.body == gateway.phone(TO).wait(1)[0]["body"]


def test_numbers_are_listed(client: Client) -> None:
    numbers = client.incoming_phone_numbers.list()
    assert len(numbers) >= 2
    assert all(number.sid.startswith("PN") and number.phone_number.startswith("+") for number in numbers)


def test_a_list_stops_at_its_limit(client: Client) -> None:
    assert 1 == len(client.incoming_phone_numbers.list(limit=1))


def test_toll_free_numbers_can_be_had(client: Client) -> None:
    found = client.available_phone_numbers("US").toll_free.list(limit=2)
    assert 2 == len(found)
    assert all(number.phone_number[:5] in ("+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888") for number in found)


def test_the_client_of_an_environment_needs_no_arguments(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", gateway.account_sid)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", gateway.auth_token)
    client = Client()
    client.api.base_url = gateway.url
    assert gateway.account_sid == client.api.v2010.accounts(gateway.account_sid).fetch().sid
