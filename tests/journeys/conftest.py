"""What journeys share: a customer's web server, and people who have never been heard of before."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.gateway import Gateway, Phone
from tests.webhook_server import WebhookServer

_numbers = itertools.count(2000)


@pytest.fixture(scope="module")
def web() -> Iterator[WebhookServer]:
    server = WebhookServer()
    yield server
    server.close()


@pytest.fixture
def person(gateway: Gateway) -> Phone:
    """A handset that nobody knows yet."""
    return gateway.phone(f"+1415555{next(_numbers)}")


@pytest.fixture
def people(gateway: Gateway) -> Callable[[], Phone]:
    """As many new handsets as are asked for."""
    return lambda: gateway.phone(f"+1415555{next(_numbers)}")
