"""The client of the gateway's API, on a transport that answers from a table."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from stopwire.client import Client, ClientError, Event, Unreachable

SID = "AC" + "1" * 32
URL = "http://gateway.test"


def client(answer: Callable[[httpx.Request], httpx.Response]) -> Client:
    return Client(URL, SID, "token", transport=httpx.MockTransport(answer))


def answering(*answers: Any, seen: list[httpx.Request] | None = None) -> Client:
    """A client whose requests are answered by these, in turn."""
    waiting = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        told = waiting.pop(0)
        return told if isinstance(told, httpx.Response) else httpx.Response(200, json=told)

    return client(answer)


def test_a_native_list_is_followed_by_its_cursor() -> None:
    seen: list[httpx.Request] = []
    asked = answering({"items": [{"id": "1"}], "next": "c1"}, {"items": [{"id": "2"}], "next": None}, seen=seen)
    assert ["1", "2"] == [block["id"] for block in asked.blocks(scope="MG1", limit=1)]
    assert ["limit=1&scope=MG1", "cursor=c1&limit=1&scope=MG1"] == ["&".join(sorted(str(request.url.query, "ascii").split("&"))) for request in seen]


@pytest.mark.parametrize(
    ("pages", "ask"),
    [
        pytest.param(
            [
                {"messages": [{"sid": "1"}], "next_page_uri": "/2010-04-01/next?PageToken=PA1"},
                {"messages": [{"sid": "2"}], "next_page_uri": None},
            ],
            lambda c: c.messages(),
            id="the style of 2010",
        ),
        pytest.param(
            [
                {"meta": {"key": "services", "next_page_url": f"{URL}/v1/next?PageToken=PA1"}, "services": [{"sid": "1"}]},
                {"meta": {"key": "services", "next_page_url": None}, "services": [{"sid": "2"}]},
            ],
            lambda c: c.services(),
            id="the style of v1",
        ),
    ],
)
def test_a_twilio_list_is_followed_in_both_styles(pages: list[Any], ask: Callable[[Client], Any]) -> None:
    seen: list[httpx.Request] = []
    assert ["1", "2"] == [item["sid"] for item in ask(answering(*pages, seen=seen))]
    assert "PageToken=PA1" == str(seen[1].url.query, "ascii")


def test_credentials_never_follow_a_link_to_another_host() -> None:
    seen: list[httpx.Request] = []
    meta = {"key": "services", "next_page_url": "https://evil.test/v1/Services?PageToken=PA1"}
    list(answering({"meta": meta, "services": []}, {"meta": {"key": "services"}, "services": []}, seen=seen).services())
    assert ["gateway.test", "gateway.test"] == [request.url.host for request in seen]


def test_a_conversation_is_read_to_its_end() -> None:
    seen: list[httpx.Request] = []
    asked = answering({"items": [{"id": "a"}], "next": "a"}, {"items": [{"id": "b"}], "next": None}, seen=seen)
    assert ["a", "b"] == [m["id"] for m in asked.conversation("whatsapp:+14155550101", after="z")]
    assert ["z", "a"] == [request.url.params["after"] for request in seen]
    assert b"/api/v1/simulator/phones/whatsapp%3A%2B14155550101/messages" in seen[0].url.raw_path


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        pytest.param(
            400,
            {"code": 21610, "message": "Attempt to send to unsubscribed recipient", "more_info": "…", "status": 400},
            (400, "Attempt to send to unsubscribed recipient", "", [], 21610),
            id="Twilio's envelope",
        ),
        pytest.param(
            422,
            {"type": "about:blank", "title": "Unprocessable", "status": 422, "detail": "No.", "errors": [{"path": "to", "message": "No."}]},
            (422, "Unprocessable", "No.", [{"path": "to", "message": "No."}], None),
            id="RFC 9457",
        ),
        pytest.param(
            404,
            {"type": "x", "title": "Not Found", "status": 404, "detail": "No.", "code": 20404},
            (404, "Not Found", "No.", [], 20404),
            id="RFC 9457 with a code",
        ),
        pytest.param(502, "<html>", (502, "Bad Gateway", '"<html>"', [], None), id="a proxy that stands between"),
    ],
)
def test_errors_of_either_api_become_one(status: int, body: Any, expected: tuple[Any, ...]) -> None:
    with pytest.raises(ClientError) as caught:
        answering(httpx.Response(status, json=body)).account()
    error = caught.value
    assert expected == (error.status, error.title, error.detail, error.errors, error.code)


def test_something_else_that_answers_is_no_gateway() -> None:
    with pytest.raises(ClientError) as caught:
        answering(httpx.Response(200, text="hello")).account()
    assert "not as a Stopwire gateway" in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), "nothing listens there"),
        (httpx.ReadTimeout("x"), "it took too long"),
        (httpx.ConnectTimeout("x"), "it does not take the connection"),
        (httpx.RemoteProtocolError("Server disconnected"), "Server disconnected"),
    ],
)
def test_no_answer_is_told_with_its_cause(fault: httpx.TransportError, cause: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise fault

    with pytest.raises(Unreachable) as caught:
        client(answer).account()
    assert (URL, cause) == (caught.value.url, caught.value.cause)


def test_events_are_read_as_they_are_sent() -> None:
    stream = (
        ': hello\n\nid: 7\nevent: message.sent\ndata: {"sid": "SM1",\ndata:  "to": "x"}\n\n: heartbeat\n\nid: 8\ndata: 3\n\ndata: {"cut": "off"}\n'
    )
    seen: list[httpx.Request] = []
    answer = httpx.Response(200, text=stream, headers={"Content-Type": "text/event-stream"})
    expected = [
        Event(id="7", event="message.sent", data={"sid": "SM1", "to": "x"}),
        Event(id="8", event="message", data={"value": 3}),
    ]
    assert expected == list(answering(answer, seen=seen).events(after="6"))
    assert "6" == seen[0].headers["Last-Event-ID"]


def test_an_error_of_a_stream_is_an_error_too() -> None:
    with pytest.raises(ClientError) as caught:
        list(answering(httpx.Response(401, json={"title": "Unauthorized", "detail": "No."})).export_blocks())
    assert 401 == caught.value.status


def test_only_what_was_given_is_sent() -> None:
    seen: list[httpx.Request] = []
    asked = answering({}, {}, {}, seen=seen)
    asked.send(to="+1", body="hi", from_="+2", media=["http://a", "http://b"])
    asked.block("+1", scope="MG1")
    asked.put_policy("MG1", {"enabled": True}, if_version=3)
    assert b"To=%2B1&Body=hi&From=%2B2&MediaUrl=http%3A%2F%2Fa&MediaUrl=http%3A%2F%2Fb" == seen[0].content
    assert {"recipient": "+1", "scope": "MG1", "reason": "api"} == json.loads(seen[1].content)
    assert "3" == seen[2].headers["If-Match"]
    assert all(request.headers["Authorization"].startswith("Basic ") for request in seen)
