"""The API describes itself: a document for programs and a page for people."""

import re
import shlex
from typing import Any

import httpx
import jsonschema_rs
import pytest

from tests.gateway import Gateway


@pytest.fixture
def document(gateway: Gateway) -> dict[str, Any]:
    answer = httpx.get(f"{gateway.url}/api/v1/openapi.json")
    assert 200 == answer.status_code
    return dict(answer.json())


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for methods in document["paths"].values() for each in methods.values()]


def test_the_document_is_openapi_3_1_without_loose_ends(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    for place in re.findall(r'"\$ref": ?"#/([^"]+)"', str(document).replace("'", '"')):
        node: Any = document
        for part in place.split("/"):
            node = node[part]
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}), name


def test_every_operation_is_told_in_full(document: dict[str, Any]) -> None:
    ids = [each["operationId"] for each in operations(document)]
    assert len(ids) == len(set(ids))
    for each in operations(document):
        assert each["summary"] and each["security"] == [{"basic": []}], each["operationId"]
        assert {"401", "404", "422", "503"} <= set(each["responses"]), each["operationId"]
        assert not any("HTTPValidationError" in str(answer) for answer in each["responses"].values())


def test_every_problem_has_an_example(document: dict[str, Any]) -> None:
    for status, answer in document["components"]["responses"].items():
        example = answer["content"]["application/problem+json"]["example"]
        assert status == f"Problem{example['status']}"


def test_the_page_shows_every_operation_without_a_script(gateway: Gateway, document: dict[str, Any]) -> None:
    answer = httpx.get(f"{gateway.url}/api/v1/docs")
    assert (200, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    for each in operations(document):
        assert f'<article id="{each["operationId"]}">' in answer.text
    assert "<script" not in answer.text
    assert not re.findall(r'(?:src|href)="(?!/api/v1/|#)', answer.text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert 200 == httpx.get(f"{gateway.url}/api/v1/docs.css").status_code


def test_the_snippets_are_words_of_a_shell(gateway: Gateway) -> None:
    from html import unescape

    page = httpx.get(f"{gateway.url}/api/v1/docs").text
    snippets = [unescape(each) for each in re.findall(r"<pre><code>(curl [^<]*)</code>", page)]
    assert len(snippets) > 40
    for snippet in snippets:
        assert shlex.split(snippet)[-1].startswith("$API_BASE/api/v1/"), snippet


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v2", "/api/v1/blocks/"])
def test_an_address_where_nothing_is_answers_a_problem(gateway: Gateway, path: str) -> None:
    answer = gateway.http.get(path)
    assert (404, "application/problem+json") == (answer.status_code, answer.headers["content-type"])


def test_a_method_that_is_not_taken_answers_a_problem(gateway: Gateway) -> None:
    answer = gateway.http.put("/api/v1/blocks", json={})
    assert (405, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert "allow" in answer.headers


@pytest.mark.parametrize(
    ("content", "type_", "status"),
    [
        pytest.param(b"{", "application/json", 400, id="half a body"),
        pytest.param(b"", "application/json", 422, id="no body"),
        pytest.param(b"\xff", "application/json", 400, id="no text"),
        pytest.param(b"[" * 100_000, "application/json", 400, id="a deep body"),
        pytest.param(b'{"recipient": "\\ud800"}', "application/json", 400, id="half a character"),
        pytest.param(b'{"recipient": "\\u0000"}', "application/json", 422, id="a NUL"),
        pytest.param(b'{"recipient": 1' + b"0" * 5000 + b"}", "application/json", 400, id="a huge number"),
        pytest.param(b"recipient=x", "application/x-www-form-urlencoded", 415, id="a form"),
        pytest.param(b'"' + b"x" * (9 * 1024 * 1024) + b'"', "application/json", 413, id="a large body"),
    ],
)
def test_a_body_that_cannot_be_read_is_told(gateway: Gateway, content: bytes, type_: str, status: int) -> None:
    answer = gateway.http.post("/api/v1/blocks", content=content, headers={"Content-Type": type_})
    assert (status, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
