"""Media: properties through the SDK, bytes as a browser gets them."""

import base64
from dataclasses import replace

import httpx
import pytest

from stopwire.ports.store import Tx
from tests.gateway import Gateway

ALONE = "+14155550122"
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def received(gateway: Gateway, address: str, content_type: str, data: bytes) -> tuple[str, str]:
    """SIDs of a message that a handset sent with one medium, and of the medium."""
    media = [{"content_type": content_type, "base64": base64.b64encode(data).decode()}]
    message = gateway.phone(address).text("look", to=ALONE, media=media)["message_sid"]
    return message, gateway.client().messages(message).media.list()[0].sid


def content(gateway: Gateway, message: str, medium: str, auth: tuple[str, str] | None = None) -> httpx.Response:
    path = f"/2010-04-01/Accounts/{gateway.account_sid}/Messages/{message}/Media/{medium}"
    return httpx.get(gateway.url + path, auth=auth)


def test_an_inbound_picture_is_listed_and_served_as_it_came(gateway: Gateway) -> None:
    message, medium = received(gateway, "+14155550721", "image/png", PIXEL)
    shown = gateway.client().messages(message).media(medium).fetch()
    assert ("image/png", message, gateway.account_sid) == (shown.content_type, shown.parent_sid, shown.account_sid)
    assert "1" == gateway.client().messages(message).fetch().num_media
    answer = content(gateway, message, medium)
    assert (200, PIXEL, "image/png", "nosniff", "inline") == (
        answer.status_code,
        answer.content,
        answer.headers["content-type"],
        answer.headers["x-content-type-options"],
        answer.headers["content-disposition"],
    )


@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", "application/pdf"])
def test_what_a_browser_could_run_is_handed_over_as_a_file(gateway: Gateway, content_type: str) -> None:
    answer = content(gateway, *received(gateway, "+14155550722", content_type, b"<script>alert(1)</script>"))
    assert ("attachment", "nosniff") == (answer.headers["content-disposition"], answer.headers["x-content-type-options"])
    assert "sandbox" in answer.headers["content-security-policy"]


def test_outbound_media_lead_to_where_the_application_keeps_them(gateway: Gateway) -> None:
    url = "https://pictures.example.com/cat.jpg"
    made = gateway.client().messages.create(to="+14155550723", from_=ALONE, body="cat", media_url=[url])
    assert made.sid.startswith("MM")
    medium = gateway.client().messages(made.sid).media.list()[0]
    assert "image/jpeg" == medium.content_type
    answer = content(gateway, made.sid, medium.sid)
    assert (307, url) == (answer.status_code, answer.headers["location"])


def test_a_deleted_medium_is_gone_and_its_message_stays(gateway: Gateway) -> None:
    message, medium = received(gateway, "+14155550724", "image/png", PIXEL)
    client = gateway.client()
    assert client.messages(message).media(medium).delete()
    assert [] == client.messages(message).media.list()
    assert 404 == content(gateway, message, medium).status_code
    assert "look" == client.messages(message).fetch().body


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        pytest.param({"DateCreated>": "2020-01-01"}, True, id="after a day long ago"),
        pytest.param({"DateCreated<": "2020-01-01"}, False, id="before it"),
    ],
)
def test_media_are_narrowed_by_date(gateway: Gateway, filters: dict[str, str], found: bool) -> None:
    message, medium = received(gateway, "+14155550725", "image/png", PIXEL)
    path = f"/2010-04-01/Accounts/{gateway.account_sid}/Messages/{message}/Media.json"
    listed = gateway.http.get(path, params=filters).json()["media_list"]
    assert found == (medium in [each["sid"] for each in listed])


def test_another_account_has_no_media_of_ours(gateway: Gateway) -> None:
    message, medium = received(gateway, "+14155550726", "image/png", PIXEL)
    sid, token = gateway.account()
    path = f"/2010-04-01/Accounts/{sid}/Messages/{message}/Media"
    for url in (f"{path}/{medium}", f"{path}/{medium}.json", f"{path}.json"):
        assert 404 == httpx.get(gateway.url + url, auth=(sid, token)).status_code


def test_an_account_can_ask_for_credentials(fresh_gateway: Gateway) -> None:
    gateway = fresh_gateway
    message, medium = received(gateway, "+14155550727", "image/png", PIXEL)

    def closed(tx: Tx) -> None:
        account = tx.services.directory().account
        tx.accounts.save(replace(account, settings=replace(account.settings, media_auth="basic")))

    gateway.run(gateway.world.store.write(closed, account=gateway.account_sid))
    refused = content(gateway, message, medium)
    assert (401, 20003) == (refused.status_code, refused.json()["code"])
    assert 401 == content(gateway, message, medium, (gateway.account_sid, "wrong")).status_code
    assert 404 == content(gateway, message, medium, gateway.account()).status_code
    assert PIXEL == content(gateway, message, medium, (gateway.account_sid, gateway.auth_token)).content
