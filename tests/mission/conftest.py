"""What the tests of the mission share: an account and a web server of its owner's."""

from collections.abc import Iterator

import pytest

from tests.gateway import Gateway
from tests.mission.town import Town
from tests.webhook_server import WebhookServer


@pytest.fixture(scope="module")
def web() -> Iterator[WebhookServer]:
    server = WebhookServer()
    yield server
    server.close()


@pytest.fixture
def town(gateway: Gateway, web: WebhookServer) -> Iterator[Town]:
    town = Town(gateway, web)
    yield town
    town.close()


@pytest.fixture
def other_town(gateway: Gateway, web: WebhookServer) -> Iterator[Town]:
    """An account of somebody else."""
    town = Town(gateway, web, *gateway.account())
    yield town
    town.close()
