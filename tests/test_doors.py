"""All doors behind one listener: which one answers, which names are answered to, and what probes and metrics say."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from stopwire import metrics
from stopwire.doors import root_app
from stopwire.flows import health
from stopwire.ports.http import PrivateTargets
from stopwire.ports.world import Choices
from tests.gateway import Gateway, eventually

ACCOUNT = "AC" + "0" * 32


class _House:
    """Nobody is at home: who is asked for credentials has reached a door."""

    choices = Choices(public_url="http://localhost", private_webhooks=PrivateTargets.NONE)
    state: dict[str, Any]

    def __init__(self, **state: Any) -> None:
        self.state = {"ok": True, **state}

    async def __call__(self, flow: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        match flow:
            case health.ready:
                return self.state
            case health.exposition:
                return metrics.render()[0].decode()
        from stopwire.flows.authenticate import Caller

        return Caller(failure="username")


def client(*hosts: str, house: Any = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(root_app(house or _House(), hosts)), base_url="http://localhost")


def _door_of(answer: httpx.Response) -> str:
    if "twilio-request-id" in answer.headers:
        return "twilio_api"
    kind = answer.headers["content-type"].partition(";")[0]
    return {"application/problem+json": "api", "text/html": "console"}.get(kind, kind)


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/2010-04-01/Accounts.json", "twilio_api"),
        ("/v1/Services", "twilio_api"),
        ("/v2/PhoneNumbers/+1", "twilio_api"),
        ("/nowhere", "twilio_api"),
        ("/api/v1/blocks", "api"),
        ("/api/nothing", "api"),
        ("/apiary", "twilio_api"),
        ("/livez", "text/plain"),
        ("/readyz", "application/json"),
    ],
)
async def test_a_path_leads_to_its_door(path: str, door: str) -> None:
    async with client() as http:
        assert door == _door_of(await http.get(path))


@pytest.mark.parametrize("path", ["/", "/console", "/console/anything"])
async def test_pages_are_the_consoles(path: str) -> None:
    async with client() as http:
        assert "twilio-request-id" not in (await http.get(path)).headers


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("api.twilio.com", "/2010-04-01/Accounts.json", 401),
        ("api.twilio.com:443", "/2010-04-01/Accounts.json", 401),
        ("API.Twilio.com", "/2010-04-01/Accounts.json", 401),
        ("api.sydney.au1.twilio.com", "/2010-04-01/Accounts.json", 401),
        ("messaging.twilio.com", "/v1/Services", 401),
        ("accounts.twilio.com", "/v1/Consents/Bulk", 401),
        ("lookups.twilio.com", "/v2/PhoneNumbers/+1", 401),
        ("messaging.twilio.com", "/2010-04-01/Accounts.json", 404),
        ("api.twilio.com", "/v1/Services", 404),
        ("api.twilio.com", "/api/v1/blocks", 404),
        ("api.twilio.com", "/console", 404),
        ("api.twilio.com", "/livez", 404),
    ],
)
async def test_twilios_host_names_show_their_product_and_nothing_else(host: str, path: str, status: int) -> None:
    async with client("127.0.0.1") as http:
        answer = await http.get(path, headers={"Host": host})
    assert (status, "twilio_api") == (answer.status_code, _door_of(answer))


@pytest.mark.parametrize(
    ("host", "hosts", "known"),
    [
        ("localhost", ("127.0.0.1",), True),
        ("localhost:7867", ("127.0.0.1",), True),
        ("127.0.0.1:7867", ("127.0.0.1",), True),
        ("[::1]:7867", ("127.0.0.1",), True),
        ("stopwire.localhost", ("127.0.0.1",), True),
        ("sms.example.com", ("127.0.0.1", "sms.example.com"), True),
        ("SMS.Example.com.:443", ("127.0.0.1", "sms.example.com"), True),
        ("evil.example", ("127.0.0.1",), False),
        ("localhost.evil.example", ("127.0.0.1",), False),
        ("127.0.0.1.evil.example", ("127.0.0.1",), False),
        ("api.twilio.com.evil.example", ("127.0.0.1",), False),
        ("twilio.com.evil.example", ("127.0.0.1",), False),
        ("apitwilio.com", ("127.0.0.1",), False),
        ("anything.example", (), True),
    ],
)
async def test_a_name_nobody_allowed_is_not_answered_to(host: str, hosts: tuple[str, ...], known: bool) -> None:
    """A page of a stranger whose name is turned to this machine gets nothing (DNS rebinding)."""
    async with client(*hosts) as http:
        for path in ("/livez", "/api/v1/blocks", "/2010-04-01/Accounts.json", "/console", "/metrics"):
            answer = await http.get(path, headers={"Host": host})
            assert known == (answer.status_code != 421), path
    if not known:
        assert "Add it with --hosts, or STOPWIRE_HOSTS." in answer.text


async def test_ready_says_why_not() -> None:
    async with client(house=_House(ok=False, notices=["the disk is full"])) as http:
        answer = await http.get("/readyz")
        assert (503, {"ok": False, "notices": ["the disk is full"]}) == (answer.status_code, answer.json())
        assert 200 == (await http.get("/livez")).status_code


async def test_requests_are_counted_by_door_method_and_status() -> None:
    async with client("127.0.0.1") as http:
        await http.get("/nowhere")
        await http.request("BREW", "/api/v1/blocks")
        await http.get("/", headers={"Host": "evil.example"})
        told = (await http.get("/metrics")).text
    for row in ('door="twilio_api",method="GET",status="404"', 'door="api",method="other"', 'door="none",method="GET",status="421"'):
        assert row in told
    assert "evil.example" not in told


def test_the_running_gateway_is_ready_and_measured(gateway: Gateway) -> None:
    gateway.phone("+14155550611").text("STOP", to="+14155550122")
    assert gateway.http.get("/readyz").json()["ok"] is True
    answer = httpx.get(f"{gateway.url}/metrics")
    assert "text/plain; version=0.0.4; charset=utf-8" == answer.headers["content-type"]
    assert 'stopwire_messages_received_total{keyword="stop"}' in answer.text
    # A door process tells of its answers a moment later.
    counted = 'stopwire_http_requests_total{door="api",method="POST",status="201"}'
    eventually(lambda: counted in httpx.get(f"{gateway.url}/metrics").text)


def test_another_name_than_the_listeners_is_refused_by_default(gateway: Gateway) -> None:
    assert 421 == httpx.get(f"{gateway.url}/livez", headers={"Host": "evil.example"}).status_code
