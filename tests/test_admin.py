"""The operator's socket: what the command line on the same machine asks of a running gateway."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from stopwire.admin import ACTIONS, NotRunning, call
from tests.gateway import Gateway


@pytest.fixture
def folder(gateway: Gateway) -> Path:
    return gateway.settings.data_dir


def test_the_socket_is_its_owners_alone(folder: Path) -> None:
    assert 0o600 == stat.S_IMODE((folder / "admin.sock").stat().st_mode)


def test_an_account_is_made_listed_and_usable_at_once(gateway: Gateway, folder: Path) -> None:
    made = call(folder, "create_account", name="Second")
    listed = call(folder, "list_accounts")["accounts"]
    assert {"account_sid": made["account_sid"], "name": "Second", "status": "active"} in listed
    assert gateway.account_sid == listed[0]["account_sid"]
    assert "auth_token" not in str(listed)
    client = gateway.client(made["account_sid"], made["auth_token"])
    assert "Second" == client.api.v2010.accounts(made["account_sid"]).fetch().friendly_name


def test_each_sign_in_link_is_new(gateway: Gateway, folder: Path) -> None:
    links = {call(folder, "sign_in")["console_url"] for _ in range(3)}
    assert 3 == len(links)
    assert all(link.startswith(f"{gateway.url}/console/sign-in?token=") for link in links)


def test_a_backup_is_a_database_of_its_own(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    call(folder, "backup", target=str(target))
    with closing(sqlite3.connect(target)) as copy:
        assert ("ok",) == copy.execute("PRAGMA integrity_check").fetchone()
        assert copy.execute("SELECT count(*) FROM accounts").fetchone()[0] >= 1


def test_a_backup_over_a_file_is_refused_with_a_sentence(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("keep me")
    with pytest.raises(ValueError, match="precious"):
        call(folder, "backup", target=str(target))
    assert "keep me" == target.read_text()


def test_a_check_goes_through_the_ledger_of_every_account(gateway: Gateway, folder: Path) -> None:
    gateway.phone("+14155550621").text("STOP", to="+14155550122")
    told = call(folder, "check")
    assert told["ok"] is True
    assert told["ledgers"][gateway.account_sid]["events"] >= 1
    assert set(told["ledgers"]) == {each["account_sid"] for each in call(folder, "list_accounts")["accounts"]}


def test_an_unknown_action_is_told_so(folder: Path) -> None:
    with pytest.raises(ValueError, match="There is no action explode"):
        call(folder, "explode")


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("values", [{"nonsense": 1}, {"account": "AC" + "0" * 32, "more": []}], ids=["unknown", "unknown and more"])
def test_values_that_an_action_does_not_take_are_refused(folder: Path, action: str, values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="does not take these values"):
        call(folder, action, **values)


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'"text"'], ids=["half", "a list", "no UTF-8", "a text"])
def test_a_body_that_is_no_object_is_refused(folder: Path, body: bytes) -> None:
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(folder / "admin.sock"))) as client:
        answer = client.post("http://admin/list_accounts", content=body)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]


def test_no_gateway_no_answer(tmp_path: Path) -> None:
    with pytest.raises(NotRunning):
        call(tmp_path, "check")
    (tmp_path / "admin.sock").touch()  # left behind by a crash
    with pytest.raises(NotRunning):
        call(tmp_path, "check")


def test_the_socket_shows_nothing_of_itself_on_the_network(gateway: Gateway) -> None:
    for action in ACTIONS:
        assert 404 == gateway.http.post(f"/{action}").status_code
