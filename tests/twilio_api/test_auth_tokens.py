"""Rotating the auth token over the official SDK: a second one, its promotion, and who is shut out when."""

import contextlib
import json
import stat
from datetime import datetime
from typing import Any

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException

from stopwire.flows import account as accounts
from stopwire.ports.store import Audit, Cut
from tests.gateway import Gateway, eventually
from tests.webhook_server import WebhookServer

SECONDARY, PROMOTE = "/v1/AuthTokens/Secondary", "/v1/AuthTokens/Promote"


@pytest.fixture
def web(gateway: Gateway) -> httpx.Client:
    """A client without credentials of its own, on the account of a stranger to the others."""
    return httpx.Client(base_url=gateway.url, timeout=10)


def enters(web: httpx.Client, sid: str, token: str) -> bool:
    """Whether the token opens both APIs; it opens both or neither."""
    answers = {web.get(path, auth=(sid, token)).status_code for path in ("/v1/Services", "/api/v1/account")}
    assert answers in ({200}, {401}), answers
    return answers == {200}


def test_a_second_token_opens_everything_that_the_first_does(gateway: Gateway, web: httpx.Client) -> None:
    sid, token = gateway.account()
    made = gateway.client(sid, token).accounts.v1.secondary_auth_token().create()
    second = str(made.secondary_auth_token)
    assert (sid, 32, True) == (made.account_sid, len(second), second.isalnum())
    assert f"{gateway.url}{SECONDARY}" == made.url
    assert isinstance(made.date_created, datetime)
    assert made.date_created == made.date_updated
    assert second != token
    assert [True, True] == [enters(web, sid, token), enters(web, sid, second)]
    assert token == gateway.client(sid, second).api.v2010.accounts(sid).fetch().auth_token


def test_a_promoted_token_is_the_only_one(gateway: Gateway, web: httpx.Client) -> None:
    sid, token = gateway.account()
    made = gateway.client(sid, token).accounts.v1.secondary_auth_token().create()
    second = str(made.secondary_auth_token)
    assert enters(web, sid, token)  # a door that remembers it must forget it
    promoted = gateway.client(sid, second).accounts.v1.auth_token_promotion().update()
    assert (sid, second, made.date_created) == (promoted.account_sid, promoted.auth_token, promoted.date_created)
    assert f"{gateway.url}{PROMOTE}" == promoted.url
    assert [False, True] == [enters(web, sid, token), enters(web, sid, second)]
    assert second == gateway.client(sid, second).api.v2010.accounts(sid).fetch().auth_token
    third = gateway.client(sid, second).accounts.v1.secondary_auth_token().create()
    assert third.secondary_auth_token not in (token, second)


def test_a_deleted_token_opens_nothing(gateway: Gateway, web: httpx.Client) -> None:
    sid, token = gateway.account()
    second = str(gateway.client(sid, token).accounts.v1.secondary_auth_token().create().secondary_auth_token)
    assert enters(web, sid, second)
    assert gateway.client(sid, token).accounts.v1.secondary_auth_token().delete()
    assert [True, False] == [enters(web, sid, token), enters(web, sid, second)]


def test_what_cannot_be_done_is_refused_with_twilios_codes(gateway: Gateway) -> None:
    sid, token = gateway.account()
    v1 = gateway.client(sid, token).accounts.v1

    def refused(act: Any) -> tuple[int, int, str]:
        with pytest.raises(TwilioRestException) as raised:
            act()
        return raised.value.status, raised.value.code, raised.value.msg.removeprefix("Unable to create record: ")

    for act, path in ((v1.auth_token_promotion().update, PROMOTE), (v1.secondary_auth_token().delete, SECONDARY)):
        status, code, says = refused(act)
        assert (404, 20404) == (status, code)
        assert f"The requested resource {path.removeprefix('/v1')} was not found" in says
    v1.secondary_auth_token().create()
    assert (409, 20409) == refused(v1.secondary_auth_token().create)[:2]


@pytest.mark.parametrize("path", [SECONDARY, PROMOTE])
def test_neither_keys_nor_test_credentials_touch_tokens(gateway: Gateway, web: httpx.Client, path: str) -> None:
    made = gateway.run(accounts.create_key(gateway.world, account=gateway.account_sid, friendly_name="robot"))
    assert made.key is not None
    refusal = web.post(path, auth=(made.key.sid, made.secret or ""))
    assert (403, 20006) == (refusal.status_code, refusal.json()["code"])
    account = gateway.run(gateway.world.store.directory(gateway.account_sid)).account
    refusal = web.post(path, auth=(account.test_sid, account.test_token))
    assert (403, 20008) == (refusal.status_code, refusal.json()["code"])


def test_twilios_host_name_leads_to_them(gateway: Gateway, web: httpx.Client) -> None:
    sid, token = gateway.account()
    host = {"Host": "accounts.twilio.com"}
    assert 201 == web.post(SECONDARY, auth=(sid, token), headers=host).status_code
    assert 404 == web.post(SECONDARY, auth=(sid, token), headers={"Host": "api.twilio.com"}).status_code
    assert 204 == web.delete(SECONDARY, auth=(sid, token), headers=host).status_code


def test_each_change_is_in_the_audit_log(gateway: Gateway) -> None:
    sid, token = gateway.account()
    v1 = gateway.client(sid, token).accounts.v1
    v1.secondary_auth_token().create()
    v1.secondary_auth_token().delete()
    second = str(v1.secondary_auth_token().create().secondary_auth_token)
    v1.auth_token_promotion().update()
    rows = gateway.run(gateway.house.read(sid, Audit.page, Cut()))
    assert ["token.made", "token.removed", "token.made", "token.promoted"] == [row.act for row in reversed(rows)]
    assert {sid} == {row.actor for row in rows}
    assert not any(secret in str(row) for row in rows for secret in (token, second))


def test_it_is_told_when_each_was_last_used(gateway: Gateway) -> None:
    from stopwire.flows.auth_token import Tokens, tokens

    def standing() -> Tokens:
        return gateway.run(tokens(gateway.world, account=sid))

    sid, token = gateway.account()
    assert (None, None, None) == (standing().primary_used_at, standing().secondary_at, standing().secondary_used_at)
    second = str(gateway.client(sid, token).accounts.v1.secondary_auth_token().create().secondary_auth_token)
    eventually(lambda: standing().primary_used_at)
    assert standing().secondary_at is not None
    assert standing().secondary_used_at is None
    gateway.client(sid, second).messaging.v1.services.list()
    used_at = eventually(lambda: standing().secondary_used_at)
    gateway.run(_promoted(gateway, sid))
    assert (used_at, None, None) == (standing().primary_used_at, standing().secondary_at, standing().secondary_used_at)


async def _promoted(gateway: Gateway, sid: str) -> None:
    from stopwire.flows import auth_token

    await auth_token.promote(gateway.world, account=sid, actor="test")


def test_the_first_accounts_file_of_credentials_follows(fresh_gateway: Gateway) -> None:
    gateway, path = fresh_gateway, fresh_gateway.settings.data_dir / "credentials.json"
    before = json.loads(path.read_text())
    stranger = gateway.client(*gateway.account())
    stranger.accounts.v1.secondary_auth_token().create()
    stranger.accounts.v1.auth_token_promotion().update()
    assert before == json.loads(path.read_text())
    second = gateway.client().accounts.v1.secondary_auth_token().create().secondary_auth_token
    assert before == json.loads(path.read_text())
    gateway.client().accounts.v1.auth_token_promotion().update()
    assert {**before, "auth_token": second} == json.loads(path.read_text())
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def test_webhooks_are_signed_with_the_primary_token_of_the_moment(fresh_gateway: Gateway) -> None:
    gateway, first = fresh_gateway, fresh_gateway.auth_token
    with contextlib.closing(WebhookServer()) as server:

        def signers(signs_in: str, *tokens: str) -> list[bool]:
            """Which of the tokens signed the webhook that comes of a message sent with `signs_in`."""
            path = f"/status/{len(server.asked)}"
            gateway.client(token=signs_in).messages.create(
                from_="+14155550122", to="+14155550101", body="Hello", status_callback=server.url(path)
            )
            asked = server.one(path)
            return [asked.signed_with(token) for token in tokens]

        second = str(gateway.client().accounts.v1.secondary_auth_token().create().secondary_auth_token)
        assert [True, False] == signers(first, first, second)
        assert [True, False] == signers(second, first, second)
        gateway.client().accounts.v1.auth_token_promotion().update()
        assert [False, True] == signers(second, first, second)
