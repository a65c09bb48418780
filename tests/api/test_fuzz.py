"""What the description forbids is refused: made-up requests that break a schema somewhere are never taken, nor any without credentials."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import negative_data_rejection

from stopwire.api.app import create
from stopwire.api.describe import operations
from stopwire.ports.http import PrivateTargets
from stopwire.ports.world import Choices
from tests.gateway import Gateway


class _NoHouse:
    choices = Choices(public_url="http://localhost", private_webhooks=PrivateTargets.NONE)


DOCUMENT = create(_NoHouse()).state.description.document  # needs no gateway


def _takes_any_text(parameter: dict[str, Any]) -> bool:
    return {"type": "string"} == {name: said for name, said in parameter["schema"].items() if name not in ("title", "description", "default")}


def _forbidding() -> dict[str, Any]:
    """The operations that can be asked wrongly, without their security: credentials are always given here."""
    document = deepcopy(DOCUMENT)
    for path, method, operation in list(operations(document)):
        operation.pop("security", None)
        texts = "text/csv" in operation.get("requestBody", {}).get("content", {})  # any text is one, on the wire
        if texts or not ("requestBody" in operation or any(not _takes_any_text(each) for each in operation.get("parameters", []))):
            del document["paths"][path][method]
    return document


schema = schemathesis.openapi.from_dict(_forbidding())
schema.config.generation.update(modes=[GenerationMode.NEGATIVE])
# 412: the version named is looked at before the body is.
schema.config.checks.negative_data_rejection.expected_statuses = ["400", "404", "409", "412", "413", "415", "422"]


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """One connection for all cases: to open one takes as long as most answers."""
    with requests.Session() as opened:
        yield opened


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_what_is_forbidden_is_refused(case: schemathesis.Case, gateway: Gateway, session: requests.Session) -> None:
    case.call_and_validate(
        base_url=gateway.url,
        session=session,
        auth=(gateway.account_sid, gateway.auth_token),
        checks=[not_a_server_error, negative_data_rejection],
    )


@pytest.mark.parametrize("credentials", [None, ("AC" + "0" * 32, "0" * 32), ("", "")], ids=["none", "made up", "empty"])
def test_nothing_is_told_to_nobody(gateway: Gateway, credentials: tuple[str, str] | None) -> None:
    """Whatever else is wrong with the request, and whether or not what it asks for is there."""
    with httpx.Client(base_url=gateway.url, auth=credentials) as stranger:
        for path, method, _ in operations(DOCUMENT):
            for body in ({}, {"json": {}}, {"content": b"\xff"}):
                answer = stranger.request(method.upper(), path.replace("{", "").replace("}", ""), **body)
                assert 401 == answer.status_code, f"{method} {path} {body}"
                assert 20003 == answer.json()["code"]
