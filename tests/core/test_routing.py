"""Which connection carries a message, while one of them is down."""

from dataclasses import replace
from typing import Any

import pytest

from stopwire.core.routing import FAILOVER, first_route, next_route, order_of
from stopwire.core.senders import Sender
from tests.core.samples import LONG


def speaking(*order: str) -> Sender:
    own, *more = order
    settings: dict[str, Any] = {FAILOVER: more} if more else {}
    return replace(LONG, connection=own, settings=settings)


@pytest.mark.parametrize(
    ("order", "usable", "expected"),
    [
        pytest.param(("own",), {"own"}, "own", id="its own"),
        pytest.param(("own",), {"other"}, "own", id="its own, though that is down: it has no other"),
        pytest.param(("own", "next"), {"own", "next"}, "own", id="its own before another"),
        pytest.param(("own", "next", "last"), {"next", "last"}, "next", id="the next while its own is down"),
        pytest.param(("own", "next", "last"), {"last"}, "last", id="the last while all others are"),
        pytest.param(("own", "next"), set(), "own", id="its own while nothing is up"),
    ],
)
def test_a_new_message_takes_the_first_connection_that_is_not_down(order: tuple[str, ...], usable: set[str], expected: str) -> None:
    assert expected == first_route(speaking(*order), usable=usable)


def test_an_order_has_each_connection_once() -> None:
    assert ("own", "next") == order_of(speaking("own", "next", "own"))


@pytest.mark.parametrize(
    ("up", "expected"),
    [
        pytest.param({"next", "last"}, "next", id="the next"),
        pytest.param({"failed", "last"}, "last", id="never the one that failed"),
        pytest.param({"elsewhere"}, None, id="none of the order is up"),
    ],
)
def test_what_waited_goes_to_the_next_that_is_up(up: set[str], expected: str | None) -> None:
    assert expected == next_route(("failed", "next", "last"), "failed", up=up)
