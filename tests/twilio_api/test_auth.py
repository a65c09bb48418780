"""The door itself: who may come in, and how everything that cannot be answered is told."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.responses import Response
from starlette.routing import Router

from stopwire.flows import account as accounts
from stopwire.flows import own
from stopwire.flows.authenticate import Caller
from stopwire.ports.faults import StoreBroken, StoreBusy, StoreClosed, StoreFault, StoreFull, StoreSlow
from stopwire.ports.http import PrivateTargets
from stopwire.ports.world import Choices
from stopwire.twilio_api import calls
from stopwire.twilio_api.answers import no_content
from stopwire.twilio_api.auth import serves
from stopwire.twilio_api.calls import Call, Handler, Outermost, not_found, resource
from tests.gateway import Gateway

UNKNOWN = "AC" + "0" * 32


@pytest.fixture
def web(gateway: Gateway) -> Iterator[httpx.Client]:
    """A client that says nothing by itself."""
    with httpx.Client(base_url=gateway.url) as client:
        yield client


def told(answer: httpx.Response) -> tuple[int, int, str]:
    """Status, code and text of an error; its envelope has exactly four keys."""
    body: dict[str, Any] = answer.json()
    assert ["code", "message", "more_info", "status"] == list(body)
    assert f"https://www.twilio.com/docs/errors/{body['code']}" == body["more_info"]
    assert answer.status_code == body["status"]
    assert "application/json; charset=utf-8" == answer.headers["content-type"]
    return answer.status_code, body["code"], body["message"]


def messages_of(account: str) -> str:
    return f"/2010-04-01/Accounts/{account}/Messages.json"


def test_under_twilios_own_names_links_are_over_tls_where_the_way_was(gateway: Gateway) -> None:
    told = {"X-Forwarded-Proto": "https"}
    answer = gateway.http.get("/v1/Services", headers={"Host": "messaging.twilio.com", **told})
    assert answer.json()["meta"]["url"].startswith("https://messaging.twilio.com/v1/Services?")
    assert gateway.http.get("/v1/Services", headers=told).json()["meta"]["url"].startswith(gateway.url)


def test_who_says_nothing_is_asked_for_credentials(gateway: Gateway, web: httpx.Client) -> None:
    answer = web.get(messages_of(gateway.account_sid))
    assert (401, 20003, "Authentication Error - No credentials provided") == told(answer)
    assert 'Basic realm="Twilio API"' == answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("auth", "text"),
    [
        pytest.param((UNKNOWN, "x"), "Authentication Error - invalid username", id="unknown account"),
        pytest.param(("SK" + "0" * 32, "x"), "Authentication Error - invalid username", id="unknown key"),
        pytest.param((None, "wrong"), "Authenticate", id="wrong token"),
    ],
)
def test_bad_credentials(gateway: Gateway, web: httpx.Client, auth: tuple[str | None, str], text: str) -> None:
    user = auth[0] or gateway.account_sid
    answer = web.get("/v1/Services", auth=(user, auth[1]))
    assert (401, 20003, text) == told(answer)


@pytest.mark.parametrize(
    "header",
    ["Bearer abc", "Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Basic /////w==", "Basic \xff", "nothing"],
)
def test_credentials_that_cannot_be_read(web: httpx.Client, header: str) -> None:
    answer = web.get("/v1/Services", headers={b"Authorization": header.encode("latin-1")})
    assert (401, 20003, "Authenticate") == told(answer)


@pytest.mark.parametrize(
    "account",
    [pytest.param(UNKNOWN, id="unknown"), pytest.param("ACnonsense", id="malformed"), pytest.param("", id="none")],
)
def test_another_accounts_path_is_not_found(gateway: Gateway, account: str) -> None:
    path = messages_of(account)
    assert (404, 20404, f"The requested resource {path} was not found") == told(gateway.http.get(path))


def test_a_stranger_cannot_see_the_first_account(gateway: Gateway, web: httpx.Client) -> None:
    stranger = gateway.account()
    assert 404 == web.get(messages_of(gateway.account_sid), auth=stranger).status_code
    assert 404 == web.get(f"/v1/Services/{gateway.service}", auth=stranger).status_code


def test_a_suspended_account_may_do_nothing(gateway: Gateway, web: httpx.Client) -> None:
    sid, token = gateway.account()
    gateway.run(own.set_status(gateway.world, account=sid, status="suspended"))
    assert (403, 20005, "Account not active") == told(web.get(messages_of(sid), auth=(sid, token)))


def test_test_credentials_reach_two_resources_only(gateway: Gateway, web: httpx.Client) -> None:
    account = gateway.run(gateway.world.store.directory(gateway.account_sid)).account
    auth = (account.test_sid, account.test_token)
    refused = (403, 20008, "Resource not accessible with Test Account Credentials")
    assert refused == told(web.get(messages_of(account.test_sid), auth=auth))
    assert refused == told(web.get("/v1/Services", auth=auth))
    numbers = f"/2010-04-01/Accounts/{account.test_sid}/IncomingPhoneNumbers.json"
    assert 201 == web.post(numbers, auth=auth, data={"PhoneNumber": "+15005550006"}).status_code
    assert 404 == web.get(messages_of(account.sid), auth=auth).status_code


def test_a_key_may_use_everything_but_accounts_and_keys(gateway: Gateway, web: httpx.Client) -> None:
    sid = gateway.account_sid
    made = gateway.run(accounts.create_key(gateway.world, account=sid, friendly_name="robot"))
    assert made.key is not None
    auth = (made.key.sid, made.secret or "")
    assert 200 == web.get(messages_of(sid), auth=auth).status_code
    assert 200 == web.get("/v1/Services", auth=auth).status_code
    for path in ("/2010-04-01/Accounts.json", f"/2010-04-01/Accounts/{sid}.json", f"/2010-04-01/Accounts/{sid}/Keys.json"):
        assert (403, 20006, "Access Denied") == told(web.get(path, auth=auth))


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        pytest.param("/2010-04-01/Accounts/{AC}/messages.json", None, id="paths are case-sensitive"),
        pytest.param("/2010-04-01/Accounts/{AC}/Messages.csv", None, id="no csv"),
        pytest.param("/2010-04-01/Accounts/{AC}/Messages.xml", None, id="no xml"),
        pytest.param("/2010-04-01/Accounts/{AC}/Messages.json/", None, id="no redirect of a slash"),
        pytest.param("/v1/Nothing", "/Nothing", id="v1 leaves its version out"),
        pytest.param("/v1/Services/MGnone", "/Services/MGnone", id="an unknown service"),
        pytest.param("/v1/Services/MG%00", "/Services/MG\0", id="a NUL in the path"),
        pytest.param("/somewhere", None, id="elsewhere"),
    ],
)
def test_what_is_not_there(gateway: Gateway, path: str, shown: str | None) -> None:
    path = path.replace("{AC}", gateway.account_sid)
    answer = gateway.http.get(path)
    assert (404, 20404, f"The requested resource {shown or path} was not found") == told(answer)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "HEAD", "OPTIONS", "DELETE"])
def test_a_wrong_method_is_told_which_there_are(gateway: Gateway, method: str) -> None:
    answer = gateway.http.request(method, "/v1/Services")
    assert 405 == answer.status_code
    assert "GET, POST" == answer.headers["allow"]
    if method != "HEAD":
        assert (405, 20004, "Method not allowed") == told(answer)


def test_a_retired_resource_says_so(gateway: Gateway) -> None:
    answer = gateway.http.get(f"/2010-04-01/Accounts/{gateway.account_sid}/SMS/Messages.json")
    assert (410, 20410) == told(answer)[:2]


def test_every_answer_carries_twilios_headers(gateway: Gateway) -> None:
    for path in ("/v1/Services", "/nowhere"):
        headers = gateway.http.get(path).headers
        assert re.fullmatch(r"RQ[0-9a-f]{32}", headers["twilio-request-id"])
        assert re.fullmatch(r"\d+\.\d{3}", headers["twilio-request-duration"])
        assert "1" == headers["twilio-concurrent-requests"]


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        pytest.param(b"FriendlyName=%FF", FORM, 400, 20001, id="not UTF-8"),
        pytest.param(b"FriendlyName=%ED%A0%80", FORM, 400, 20001, id="half a surrogate pair"),
        pytest.param(b"FriendlyName=\xff\xfe", FORM, 400, 20001, id="raw bytes"),
        pytest.param(b"FriendlyName=a%00b", FORM, 400, 20001, id="a NUL"),
        pytest.param(b"a=1&" * 2000, FORM, 400, 20001, id="too many parameters"),
        pytest.param(b"FriendlyName=" + b"x" * 1_100_000, FORM, 413, 20413, id="too large"),
        pytest.param(b'{"FriendlyName": "x"}', "application/json", 400, 20001, id="JSON"),
        pytest.param(b"", FORM, 400, 20001, id="nothing"),
        pytest.param(b"&&==&=", FORM, 400, 20001, id="separators"),
    ],
)
def test_a_body_that_cannot_be_read(gateway: Gateway, content: bytes, kind: str, status: int, code: int) -> None:
    answer = gateway.http.post("/v1/Services", content=content, headers={"Content-Type": kind})
    assert (status, code) == told(answer)[:2]


def test_a_missing_parameter_is_named(gateway: Gateway) -> None:
    answer = gateway.http.post("/v1/Services", data={"Usecase": "poll"})
    assert (400, 20001, "Missing required parameter FriendlyName in the post body") == told(answer)


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        pytest.param("api.twilio.com", "/2010-04-01/Accounts/{AC}/Messages.json", 200, id="its own"),
        pytest.param("messaging.twilio.com", "/v1/Services", 200, id="messaging"),
        pytest.param("api.twilio.com", "/v1/Services", 404, id="another product's"),
        pytest.param("messaging.twilio.com", "/2010-04-01/Accounts/{AC}/Messages.json", 404, id="the other way"),
        pytest.param("accounts.twilio.com", "/v1/Services", 404, id="v1 of another product"),
        pytest.param("messaging.twilio.com:8443", "/v1/Services", 200, id="with a port"),
    ],
)
def test_a_host_name_of_twilios_means_its_product(gateway: Gateway, host: str, path: str, status: int) -> None:
    answer = gateway.http.get(path.replace("{AC}", gateway.account_sid), headers={"Host": host})
    assert status == answer.status_code
    if "Services" in path and status == 200:
        assert answer.json()["meta"]["url"].startswith(f"http://{host}/v1/Services?")


class OneAccountHouse:
    """A house where everybody is welcome and nothing is kept."""

    choices = Choices(public_url="http://gateway", private_webhooks=PrivateTargets.NONE)
    configuration = None

    async def __call__(self, flow: Any, *args: Any, **kwargs: Any) -> Any:
        return Caller(account=UNKNOWN, name=UNKNOWN)

    async def read(self, account: str, query: Any, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("nothing is kept here")


async def ask(handler: Handler, **settings: Any) -> httpx.Response:
    """What the door answers where `handler` serves the resource."""
    routes = resource(OneAccountHouse(), "/v1/Thing", get=handler, **settings)
    app = Outermost(Router(routes, default=not_found), serves)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway", auth=("AC", "x")) as client:
        return await client.get("/v1/Thing")


@pytest.mark.parametrize("fault", [StoreFull, StoreBusy, StoreClosed, StoreSlow, StoreBroken])
async def test_a_store_that_cannot_answer_is_a_503(fault: type[StoreFault]) -> None:
    async def broken(call: Call) -> Response:
        raise fault

    answer = await ask(broken)
    assert (503, 20503, "Service unavailable") == told(answer)
    assert "1" == answer.headers["retry-after"]
    assert answer.headers["twilio-request-id"].startswith("RQ")


async def test_a_bug_is_a_500_that_tells_nothing() -> None:
    async def broken(call: Call) -> Response:
        raise RuntimeError("secret")

    assert (500, 20500, "Internal Server Error") == told(await ask(broken))


async def test_too_many_at_once_are_turned_away_unprocessed(monkeypatch: pytest.MonkeyPatch) -> None:
    processed: list[Call] = []

    async def work(call: Call) -> Response:
        processed.append(call)
        return no_content()

    monkeypatch.setattr(calls, "CONCURRENT_MAX", 1)
    assert 204 == (await ask(work)).status_code
    monkeypatch.setattr(calls, "CONCURRENT_MAX", 0)
    assert (429, 20429, "Too Many Requests") == told(await ask(work))
    assert 1 == len(processed)
