"""Whatever a stranger sends, the API answers as its description says, and never by a fault of its own."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from stopwire.api.app import create
from stopwire.ports.http import PrivateTargets
from stopwire.ports.world import Choices
from tests.gateway import Gateway


class _NoHouse:
    choices = Choices(public_url="http://localhost", private_webhooks=PrivateTargets.NONE)


# The description needs no gateway; the tail is left out, since it does not end.
schema = schemathesis.openapi.from_dict(create(_NoHouse()).state.description.document).exclude(path="/api/v1/events")


@schemathesis.serializer("application/x-ndjson", "application/toml", "text/csv")
def _as_it_is(ctx: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """One connection for all cases: to open one takes as long as most answers."""
    with requests.Session() as opened:
        yield opened


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_input_is_a_fault(case: schemathesis.Case, gateway: Gateway, session: requests.Session) -> None:
    case.call_and_validate(
        base_url=gateway.url,
        session=session,
        auth=(gateway.account_sid, gateway.auth_token),
        checks=[not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance],
    )
