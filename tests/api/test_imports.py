"""Block lists in and out as files."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.gateway import Gateway

ALONE = "+14155550122"


def send(gateway: Gateway, content: str | bytes, *, type_: str = "text/csv", **params: str) -> dict[str, object]:
    answer = gateway.http.post("/api/v1/blocks/import", content=content, params=params, headers={"Content-Type": type_})
    assert 201 == answer.status_code, answer.text
    return dict(answer.json())


def results(gateway: Gateway, done: dict[str, object]) -> list[tuple[int, str | None, str]]:
    rows = gateway.http.get(str(done["results_url"]), params={"limit": 10_000}).json()["items"]
    return [(row["row"], row["recipient"], row["state"]) for row in rows]


def blocks(gateway: Gateway, recipient: str) -> list[dict[str, str]]:
    return list(gateway.http.get("/api/v1/blocks", params={"recipient": recipient}).json()["items"])


def test_each_row_has_its_result(gateway: Gateway) -> None:
    file = (
        "\ufeffPhone, Scope ,reason,occurred_at,note\r\n"
        f"+14155556001,{ALONE},complaint,2020-01-01T00:00:00Z,\"by letter, \nlong ago\"\r\n"
        f"(415) 555-6002,{gateway.service},,,\r\n"
        "banana,,,,\r\n"
        f"+14155556001,{ALONE},,,\r\n"
        "\r\n"
        "+14155556003,MG00000000000000000000000000000000,,,\r\n"
        "+14155556004,,sometimes,,\r\n"
        "+14155556005,,,2999-01-01T00:00:00Z,\r\n"
        ",,,,\r\n"
        "+14155556006"
    )
    done = send(gateway, file)
    assert ("done", 8, 3, 1, 4) == tuple(done[name] for name in ("state", "rows", "taken", "skipped", "wrong"))
    assert [
        (1, "+14155556001", "taken"),
        (2, "+14155556002", "taken"),
        (3, "banana", "wrong"),
        (4, "+14155556001", "skipped"),
        (5, "+14155556003", "wrong"),
        (6, "+14155556004", "wrong"),
        (7, "+14155556005", "wrong"),
        (8, "+14155556006", "taken"),
    ] == results(gateway, done)
    (block,) = blocks(gateway, "+14155556001")
    expected = ("complaint", "2020-01-01T00:00:00Z", "by letter, \nlong ago", gateway.sender(ALONE))
    assert expected == tuple(block[name] for name in ("reason", "since", "note", "scope"))
    assert [("import", gateway.account_sid)] == [(b["reason"], b["scope"]) for b in blocks(gateway, "+14155556006")]


def test_a_file_may_be_sent_again(gateway: Gateway) -> None:
    file = "to\n+14155556010\n+14155556011\n"
    assert 2 == send(gateway, file)["taken"]
    again = send(gateway, file)
    assert ("done", 0, 2) == tuple(again[name] for name in ("state", "taken", "skipped"))


def test_lines_of_json_are_read(gateway: Gateway) -> None:
    lines = [{"recipient": "+14155556020", "note": "x"}, {"phone": 14155556021}, [1], {"recipient": "a\x00b"}]
    file = "\n".join(json.dumps(line) for line in lines) + "\n{\n"
    done = send(gateway, file, type_="application/x-ndjson", scope=ALONE, reason="consent")
    assert ["taken", "taken", "wrong", "wrong", "wrong"] == [state for _, _, state in results(gateway, done)]
    assert [("consent", gateway.sender(ALONE))] == [(b["reason"], b["scope"]) for b in blocks(gateway, "+14155556020")]


@pytest.mark.parametrize(
    "file",
    [
        pytest.param("", id="nothing"),
        pytest.param("recipient\n", id="a header alone"),
        pytest.param("recipient\nbanana\n", id="no good row"),
        pytest.param('recipient\n"+14155556030', id="a quote that does not end"),
        pytest.param("x" * 100_000, id="a line without an end"),
        pytest.param(b"recipient\n\xff\xfe\n", id="bytes that are no text"),
        pytest.param("name\nAnn\n", id="no column of numbers"),
    ],
)
def test_a_file_without_a_good_row_fails(gateway: Gateway, file: str | bytes) -> None:
    assert "failed" == send(gateway, file)["state"]


def test_a_file_of_another_kind_is_refused(gateway: Gateway) -> None:
    answer = gateway.http.post("/api/v1/blocks/import", content=b"{}", headers={"Content-Type": "application/json"})
    assert 415 == answer.status_code


def test_a_long_list_is_taken_in_pieces(gateway: Gateway) -> None:
    numbers = [f"+1415557{number:04}" for number in range(2500)]
    done = send(gateway, "recipient\n" + "\n".join(numbers), scope=ALONE)
    assert ("done", 2500, 2500) == tuple(done[name] for name in ("state", "rows", "taken"))
    assert gateway.http.get("/api/v1/ledger/verify").json()["ok"]


@pytest.mark.parametrize("format", ["csv", "ndjson"])
def test_what_was_exported_can_be_imported(gateway: Gateway, format: str) -> None:
    note = '=HYPERLINK("http://evil")'
    body = {"recipient": "+14155556040", "scope": ALONE, "note": note}
    gateway.http.post("/api/v1/blocks", json=body)
    file = gateway.http.get("/api/v1/blocks/export", params={"format": format})
    assert 200 == file.status_code
    if format == "csv":
        line = next(line for line in file.text.splitlines() if line.startswith("+14155556040"))
        assert ",\"'=HYPERLINK" in line
    gateway.http.request("DELETE", "/api/v1/blocks", json={"recipient": "+14155556040", "scope": ALONE})
    done = send(gateway, file.content, type_="text/csv" if format == "csv" else "application/x-ndjson")
    assert (1, 0) == (done["taken"], done["wrong"])
    assert [note] == [block["note"] for block in blocks(gateway, "+14155556040")]


def test_an_import_of_another_account_is_not_found(gateway: Gateway) -> None:
    done = send(gateway, "recipient\n+14155556050\n")
    stranger = gateway.account()
    assert 404 == gateway.http.get(f"/api/v1/imports/{done['id']}", auth=stranger).status_code
    assert [] == gateway.http.get("/api/v1/imports", auth=stranger).json()["items"]
    assert done == gateway.http.get(f"/api/v1/imports/{done['id']}").json()


def test_an_imported_block_ends_what_was_waiting(gateway: Gateway) -> None:
    client = gateway.client()
    later = datetime.now(UTC) + timedelta(hours=1)
    waiting = client.messages.create(
        to="+14155556060", messaging_service_sid=gateway.service, body="x", schedule_type="fixed", send_at=later
    )
    send(gateway, "recipient\n+14155556060\n")
    assert ("canceled", 21610) == (client.messages(waiting.sid).fetch().status, client.messages(waiting.sid).fetch().error_code)
