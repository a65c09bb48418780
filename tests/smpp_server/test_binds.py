"""Who is bound, as an operator sees it: name, way, address, counts; and a bind that is ended."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from stopwire import link as links
from stopwire.core.bound import short_password, system_id
from stopwire.smpp.pdu import BindTransmitter
from stopwire.smpp_server import peers
from tests.gateway import Gateway, eventually
from tests.smpp_server.conftest import Application

Binder = Callable[..., Application]
BINDS = "/api/v1/smpp-binds"


@pytest.fixture(autouse=True)
def nobody_is_left(gateway: Gateway) -> None:
    eventually(lambda: not binds(gateway))


def binds(gateway: Gateway) -> list[dict[str, Any]]:
    return list(gateway.http.get(BINDS).json()["items"])


def counts(found: dict[str, Any]) -> tuple[int, int, int]:
    return found["submitted"], found["declined"], found["told"]


def test_each_bind_is_listed_with_who_it_is_and_what_went_over_it(gateway: Gateway, bind: Binder) -> None:
    application, ann = bind(how="transceiver"), gateway.phone("+14155554001")
    bind(how="transmitter")
    transmitter, first = binds(gateway)
    assert ("transmitter", "transceiver") == (transmitter["how"], first["how"])
    assert (system_id(gateway.account_sid), None, 10) == (first["system_id"], first["key"], first["window"])
    assert first["address"].startswith("127.0.0.1:")
    assert (0, 0, 0) == counts(first)
    application.submit(b"Hello", to=ann.address)
    application.submit(b"Hello", to="nobody")
    ann.text("Hello yourself", to="+14155550122")
    application.hear()
    eventually(lambda: counts(binds(gateway)[1]) == (1, 1, 1))
    assert (0, 0, 0) == counts(binds(gateway)[0])


async def test_a_bind_of_a_key_names_the_key(gateway: Gateway) -> None:
    path = f"/2010-04-01/Accounts/{gateway.account_sid}/Keys.json"
    made = (await asyncio.to_thread(gateway.http.post, path, data={"FriendlyName": "till"})).json()
    pdu = BindTransmitter(system_id=system_id(made["sid"]), password=made["secret"])  # smpplib has no room for so long a one
    link = await links.connect("127.0.0.1", gateway.smpp_port or 0, bind=pdu)
    (found,) = await asyncio.to_thread(binds, gateway)
    await link.unbind(within_seconds=5)
    assert (system_id(made["sid"]), made["sid"]) == (found["system_id"], found["key"])


async def test_either_token_binds_and_a_bind_outlives_its_token(gateway: Gateway) -> None:
    sid, token = gateway.account()

    async def enters(token: str) -> links.Link | None:
        try:
            pdu = BindTransmitter(system_id=system_id(sid), password=token)
            return await links.connect("127.0.0.1", gateway.smpp_port or 0, bind=pdu)
        except links.LinkError:
            return None

    first = await enters(token)
    second_token = gateway.client(sid, token).accounts.v1.secondary_auth_token().create().secondary_auth_token or ""
    there = [first, await enters(second_token), await enters(short_password(second_token))]
    gateway.client(sid, token).accounts.v1.auth_token_promotion().update()
    assert [None, None] == [await enters(token), await enters(short_password(token))]
    there.append(await enters(second_token))
    for link in there:
        assert link is not None
        assert link.bound
        await link.unbind(within_seconds=5)
    shown = httpx.get(f"{gateway.url}/api/v1/account", auth=(sid, second_token)).json()
    assert shown["auth_token_used_at"], "binds are uses too"


def test_a_bind_that_is_ended_is_gone_and_its_application_may_come_back(
    gateway: Gateway, bind: Binder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "UNBIND_SECONDS", 0.5)  # smpplib goes without an answer
    application = bind()
    (found,) = binds(gateway)
    answer = gateway.http.delete(f"{BINDS}/{found['id']}")
    assert (200, found["id"]) == (answer.status_code, answer.json()["id"])
    application._thread.join(timeout=5)
    assert not application._thread.is_alive(), "the application was told nothing"
    assert [] == binds(gateway)
    assert 404 == gateway.http.delete(f"{BINDS}/{found['id']}").status_code
    bind()
    assert found["id"] != binds(gateway)[0]["id"]


def test_another_account_sees_and_ends_nothing(gateway: Gateway, bind: Binder) -> None:
    bind()
    (found,) = binds(gateway)
    with httpx.Client(base_url=gateway.url, auth=gateway.account()) as stranger:
        assert [] == stranger.get(BINDS).json()["items"]
        assert 404 == stranger.delete(f"{BINDS}/{found['id']}").status_code
    assert [found["id"]] == [each["id"] for each in binds(gateway)]


def test_the_metrics_count_binds_and_what_was_answered(gateway: Gateway, bind: Binder) -> None:
    def figure(name: str) -> float:
        lines = [line for line in gateway.http.get("/metrics").text.splitlines() if line.startswith(name)]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    refused = 'stopwire_smpp_requests_total{command="submit_sm",status="esme_rinvdstadr"}'
    before = figure(refused)
    application = bind(how="transmitter")
    assert 1 == figure('stopwire_smpp_binds{how="transmitter"}')
    application.submit(b"Hello", to="nobody")
    assert before + 1 == figure(refused)
    application.leave()
    eventually(lambda: figure("stopwire_smpp_binds") == 0)


def test_a_door_process_shows_them_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "UNBIND_SECONDS", 0.5)
    gateway = Gateway(tmp_path, smpp_port=0, workers=1)
    try:
        application = Application(gateway, system=system_id(gateway.account_sid), password=short_password(gateway.auth_token))
        (found,) = binds(gateway)
        assert 200 == gateway.http.delete(f"{BINDS}/{found['id']}").status_code
        application.leave()
    finally:
        gateway.close()
