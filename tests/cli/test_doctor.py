"""The doctor: each finding by its own, and the whole visit."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stopwire.cli import doctor
from stopwire.cli.doctor import State
from stopwire.cli.output import Exit
from tests.cli.conftest import Run
from tests.gateway import Gateway


@pytest.mark.parametrize(("version", "expected"), [((3, 10), State.FAIL), ((3, 11), State.OK), ((4, 0), State.OK)], ids=str)
def test_python_is_new_enough(version: tuple[int, ...], expected: State) -> None:
    assert expected == doctor._python(version).state


def test_a_folder_that_others_may_read_is_warned_of_with_its_cure(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    found = doctor._private(tmp_path, "data folder", 0o700)
    assert (State.WARN, f"chmod 700 {tmp_path}") == (found.state, found.cure)
    tmp_path.chmod(0o700)
    assert State.OK == doctor._private(tmp_path, "data folder", 0o700).state


@pytest.mark.parametrize(("floor", "expected"), [(0, State.OK), (1 << 40, State.FAIL)], ids=["room", "none"])
def test_room_is_measured_against_the_floor(tmp_path: Path, floor: int, expected: State) -> None:
    found = doctor._room(tmp_path, floor)
    assert expected == (found.state if floor else State.OK)


def test_a_port_in_use_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert State.WARN == doctor._port("127.0.0.1", port).state
    assert State.OK == doctor._port("127.0.0.1", port).state


@pytest.mark.parametrize(("seconds", "expected"), [(0, State.OK), (5, State.OK), (6, State.WARN), (-3600, State.WARN)])
def test_two_clocks_are_compared(seconds: int, expected: State) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert expected == doctor._skew(now, now + timedelta(seconds=seconds)).state


def test_a_clock_that_went_back_is_told(tmp_path: Path) -> None:
    (tmp_path / "stopwire.db").touch()
    written = datetime.fromtimestamp((tmp_path / "stopwire.db").stat().st_mtime, UTC)
    assert State.FAIL == doctor._clock(datetime(1970, 1, 1, tzinfo=UTC), tmp_path).state
    assert State.WARN == doctor._clock(written - timedelta(hours=1), tmp_path).state
    assert State.OK == doctor._clock(written, tmp_path).state


def test_a_healthy_gateway_passes(run: Run, gateway: Gateway) -> None:
    ran = run(
        "doctor", "--json", "--url", gateway.url, "--account", gateway.account_sid, "--token", gateway.auth_token,
        "--data-dir", gateway.settings.data_dir,
    )  # fmt: skip
    assert 0 == ran.code, ran.out
    states = {finding["what"]: finding["state"] for finding in ran.json["findings"]}
    assert {"ok"} == {states[what] for what in ("Python", "settings", "gateway", "account", "clocks", "clock")}


def test_a_wrong_token_fails(run: Run, gateway: Gateway) -> None:
    ran = run("doctor", "--json", "--url", gateway.url, "--account", gateway.account_sid, "--token", "wrong")
    assert (Exit.NO, False) == (ran.code, ran.json["ok"])
    assert ["account"] == [finding["what"] for finding in ran.json["findings"] if finding["state"] == "fail"]


def test_a_machine_without_a_gateway_is_no_failure(run: Run) -> None:
    ran = run("doctor")
    assert 0 == ran.code, ran.out
    assert "stopwire up --demo" in ran.out


def test_settings_that_cannot_be_used_fail_with_their_sentence(run: Run) -> None:
    ran = run("doctor", "--json", STOPWIRE_PORT="x")
    assert Exit.NO == ran.code
    assert any("port = x" in finding["told"] for finding in ran.json["findings"])
