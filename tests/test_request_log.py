"""The log of requests: what a program was refused stands there, whoever asked it and without what must not be kept."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from stopwire.ports.world import ApiRequest, RequestFilter
from stopwire.tail import ANSWERED_KEPT, REFUSED_KEPT, STRANGERS_KEPT, RecentRequests
from tests.gateway import Gateway, eventually

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ALL = RequestFilter()


class _Clock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return time.monotonic()


def _asked(**values: Any) -> ApiRequest:
    return ApiRequest(**{"account": "AC1", "door": "api", "method": "GET", "path": "/api/v1/blocks", "status": 200, "ms": 1, **values})


def _statuses(log: RecentRequests, wanted: RequestFilter = ALL, **place: int) -> list[int]:
    return [each.status for each in log.page("AC1", wanted, **{"limit": 100, "after": None, "before": None, **place})]


@pytest.fixture
def log() -> RecentRequests:
    return RecentRequests(_Clock())


def test_the_newest_come_first_from_all_shelves(log: RecentRequests) -> None:
    log.keep([(_asked(status=200), 3.0), (_asked(status=401, known=False), 2.0), (_asked(status=404), 1.0), (_asked(status=201), 0.0)], {})
    assert [201, 404, 401, 200] == _statuses(log)
    assert NOW - timedelta(seconds=3) == log.page("AC1", ALL, limit=9, after=None, before=None)[-1].at


def test_pages_meet_without_a_gap(log: RecentRequests) -> None:
    log.keep([(_asked(status=400 + number), 0.0) for number in range(6)], {})
    first = log.page("AC1", ALL, limit=2, after=None, before=None)
    second = log.page("AC1", ALL, limit=2, after=first[-1].id, before=None)
    assert [405, 404, 403, 402] == [each.status for each in (*first, *second)]
    assert first == log.page("AC1", ALL, limit=2, after=None, before=second[0].id)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param(RequestFilter(failed=True), [429, 400], id="refused"),
        pytest.param(RequestFilter(failed=False), [201, 200], id="went well"),
        pytest.param(RequestFilter(status=429), [429], id="a status"),
        pytest.param(RequestFilter(code=21610), [400], id="a code"),
        pytest.param(RequestFilter(method="POST"), [201, 400], id="a method"),
        pytest.param(RequestFilter(key="SK1"), [200], id="a key"),
        pytest.param(RequestFilter(path="MESSAGES"), [400], id="a part of the path, in any case"),
    ],
)
def test_a_filter_finds_what_it_names(log: RecentRequests, wanted: RequestFilter, expected: list[int]) -> None:
    rows = [
        _asked(status=400, code=21610, method="POST", path="/2010-04-01/Accounts/AC1/Messages.json"),
        _asked(status=200, key="SK1"),
        _asked(status=429),
        _asked(status=201, method="POST"),
        _asked(account="AC2", status=400, method="POST", code=21610, key="SK1"),
    ]
    log.keep([(row, 0.0) for row in rows], {})
    assert expected == _statuses(log, wanted)


def test_nothing_grows_without_end_and_no_flood_pushes_out_a_refusal(log: RecentRequests) -> None:
    log.keep([(_asked(status=418), 0.0)], {})
    log.keep([(_asked(status=401, known=False), 0.0)] * (REFUSED_KEPT * 2), {})
    log.keep([(_asked(), 0.0)] * (REFUSED_KEPT * 2), {})
    assert [418] == _statuses(log, RequestFilter(status=418))
    assert STRANGERS_KEPT + ANSWERED_KEPT + 1 == len(_statuses(log, limit=10**6))


# ── through the doors ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module", params=[0, 1], ids=["doors inside", "doors in a process of their own"])
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    opened = Gateway(Path(tmp_path_factory.mktemp("gateway")), workers=request.param)
    yield opened
    opened.close()


def _found(gateway: Gateway, **wanted: Any) -> Callable[[], list[dict[str, Any]]]:
    return lambda: gateway.http.get("/api/v1/requests", params=wanted).json()["items"]


def test_a_refused_send_is_told_with_its_code_and_without_the_number(gateway: Gateway) -> None:
    sent = gateway.http.post(
        f"/2010-04-01/Accounts/{gateway.account_sid}/Messages.json",
        data={"To": "+1415555", "From": "+14155559999", "Body": "a very private text"},
    )
    assert 400 == sent.status_code
    (row, *_) = eventually(_found(gateway, method="POST", status=400))
    assert ("POST", sent.json()["code"], True) == (row["method"], row["code"], row["signed_in"])
    assert sent.headers["twilio-request-id"] == row["request_id"]
    assert not [word for word in ("+14155559999", "private") if word in str(row)]


def test_a_number_in_a_path_is_masked(gateway: Gateway) -> None:
    gateway.http.get("/v2/PhoneNumbers/+14155550101?Fields=nonsense")
    (row, *_) = eventually(_found(gateway, path="PhoneNumbers"))
    assert "14155550101" not in row["path"]
    assert "?" not in row["path"]


def test_wrong_credentials_are_told_to_the_account_that_was_meant(gateway: Gateway) -> None:
    answer = httpx.get(f"{gateway.url}/api/v1/account", auth=(gateway.account_sid, "wrong"))
    assert 401 == answer.status_code
    (row, *_) = eventually(_found(gateway, status=401))
    assert (20003, False, answer.headers["request-id"]) == (row["code"], row["signed_in"], row["request_id"])


def test_another_account_sees_none_of_it(gateway: Gateway) -> None:
    assert 422 == gateway.http.get("/api/v1/blocks?limit=0").status_code
    assert eventually(_found(gateway, path="blocks", status=422))
    other = gateway.account("Other")
    assert [] == httpx.get(f"{gateway.url}/api/v1/requests", params={"failed": True}, auth=other).json()["items"]


def test_a_key_tells_when_it_was_last_used(gateway: Gateway) -> None:
    from stopwire.flows import account, requests

    made = gateway.run(account.create_key(gateway.world, account=gateway.account_sid, friendly_name="The shop"))
    assert made.key is not None
    assert made.secret is not None
    httpx.get(f"{gateway.url}/api/v1/account", auth=(made.key.sid, made.secret)).raise_for_status()
    sid = made.key.sid
    used = eventually(lambda: gateway.run(requests.used(gateway.world, keys=[sid])).keys)
    assert {sid} == set(used)
