"""Metrics: what is counted, and that no label tells of a person."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire import metrics


def value(sample: str) -> float:
    """The value of one line, such as `stopwire_stop_raced_total`; 0 where it is not there yet."""
    found = re.search(rf"^{re.escape(sample)} (\S+)$", metrics.render()[0].decode(), re.MULTILINE)
    return float(found[1]) if found else 0


@pytest.mark.parametrize(
    ("count", "sample", "more"),
    [
        (lambda: metrics.accepted(3), "stopwire_messages_accepted_total", 3),
        (lambda: metrics.refused(21610), 'stopwire_messages_refused_total{code="21610"}', 1),
        (
            lambda: metrics.dispatched("simulator", "accepted", 2),
            'stopwire_parts_dispatched_total{connection="simulator",outcome="accepted"}',
            2,
        ),
        (lambda: metrics.received("STOP"), 'stopwire_messages_received_total{keyword="stop"}', 1),
        (lambda: metrics.received(None), 'stopwire_messages_received_total{keyword="none"}', 1),
        (lambda: metrics.webhook("http_5xx"), 'stopwire_webhook_deliveries_total{outcome="http_5xx"}', 1),
        (lambda: metrics.stop_raced(), "stopwire_stop_raced_total", 1),
        (lambda: metrics.push_set_apart("no_sender"), 'stopwire_pushes_set_apart_total{why="no_sender"}', 1),
        (lambda: metrics.committed(0.003, 12), 'stopwire_store_commit_seconds_bucket{le="0.005"}', 1),
        (lambda: metrics.committed(0.003, 12), 'stopwire_store_batch_units_bucket{le="16.0"}', 1),
        (
            lambda: metrics.answered("twilio_api", "POST", 201, 0.01),
            'stopwire_http_requests_total{door="twilio_api",method="POST",status="201"}',
            1,
        ),
        (
            lambda: metrics.answered("api", "BREW", 405, 0.01),
            'stopwire_http_requests_total{door="api",method="other",status="405"}',
            1,
        ),
    ],
)
def test_what_happens_is_counted(count: Callable[[], None], sample: str, more: float) -> None:
    before = value(sample)
    count()
    assert before + more == value(sample)


def test_a_queue_tells_its_depth_now() -> None:
    metrics.waiting("dispatch", 7)
    metrics.waiting("dispatch", 4)
    assert 4 == value('stopwire_queue_depth{queue="dispatch"}')


def test_the_race_counter_is_there_from_the_start() -> None:
    assert b"stopwire_stop_raced_total" in metrics.render()[0]


@given(st.from_regex(r"\+?[1-9][0-9]{7,14}|(AC|MG)[0-9a-f]{32}", fullmatch=True))
def test_neither_a_number_nor_an_account_becomes_a_label(secret: str) -> None:
    metrics.dispatched(secret, secret)
    metrics.received(secret)
    metrics.webhook(secret)
    metrics.waiting(secret, 1)
    metrics.answered(secret, secret, 200, 0.1)
    assert secret not in metrics.render()[0].decode()


def test_the_page_is_prometheus_text() -> None:
    body, content_type = metrics.render()
    assert content_type.startswith("text/plain; version=0.0.4")
    assert body.startswith(b"# HELP stopwire_")


def test_connections_beyond_the_limit_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "CONNECTIONS_MAX", 0)
    monkeypatch.setattr(metrics, "_connections", set())
    metrics.dispatched("one-too-many", "accepted")
    assert b"one-too-many" not in metrics.render()[0]
