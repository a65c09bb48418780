"""`up` and `config`: options become settings, and faults become sentences."""

from pathlib import Path

import typer

from stopwire import __version__
from stopwire.cli.main import app
from stopwire.cli.output import Exit
from stopwire.cli.reference import _walk
from stopwire.cli.up import Role
from stopwire.config import UP_OPTIONS
from stopwire.config import Role as SettingRole
from tests.cli.conftest import Run


def test_up_has_the_options_that_the_settings_promise() -> None:
    up = dict(_walk("stopwire", typer.main.get_command(app)))["stopwire up"]
    assert UP_OPTIONS | {"config"} == {parameter.name for parameter in up.params} - {"help"}


def test_the_roles_are_those_of_the_settings() -> None:
    assert [role.value for role in SettingRole] == [role.value for role in Role]


def test_settings_that_cannot_be_used_end_with_5_before_anything_starts(run: Run, bare: Path) -> None:
    ran = run("up", "--port", "99999", "--database", "mysql://x", STOPWIRE_LOG_LEVEL="loud")
    assert Exit.CONFIG == ran.code
    assert ["port", "database", "log_level"] == [line.split(" ")[0] for line in ran.err.splitlines()]
    assert not (bare / "share").exists()


def test_an_unknown_option_is_a_fault_of_usage(run: Run) -> None:
    assert Exit.USAGE == run("up", "--prot", "1").code


def test_config_show_tells_where_a_value_came_from(run: Run) -> None:
    Path("stopwire.toml").write_text("log_level = 'debug'")
    ran = run("config", "show", "--origin", "--json", STOPWIRE_PORT="1234", STOPWIRE_DATA_DIR="/elsewhere")
    shown = ran.json
    assert {"value": "1234", "origin": "environment STOPWIRE_PORT"} == shown["port"]
    assert {"value": "debug", "origin": "file ./stopwire.toml"} == shown["log_level"]
    assert {"value": "/elsewhere", "origin": "environment STOPWIRE_DATA_DIR"} == shown["data_dir"]
    assert {"value": "127.0.0.1", "origin": "default"} == shown["host"]
    assert "environment STOPWIRE_PORT" in run("config", "show", "--origin", STOPWIRE_PORT="1234").out


def test_config_show_keeps_secrets(run: Run) -> None:
    for more in ([], ["--json"], ["--origin"]):
        ran = run("config", "show", *more, STOPWIRE_AUTH_TOKEN="canary-token")
        assert "canary" not in ran.out + ran.err


def test_config_check_tells_every_fault_and_every_note(run: Run) -> None:
    assert (0, {"ok": True, "notes": []}) == ((ran := run("config", "check", "--json")).code, ran.json)
    noted = run("config", "check", STOPWIRE_PROT="1")
    assert 0 == noted.code
    assert "did you mean STOPWIRE_PORT?" in noted.err
    wrong = run("config", "check", "--json", STOPWIRE_PORT="x", STOPWIRE_LOG_LEVEL="loud")
    assert Exit.CONFIG == wrong.code
    assert 2 == len(wrong.json["error"]["sentences"])


def test_config_schema_is_a_table_or_a_json_schema(run: Run) -> None:
    assert "| `port` |" in run("config", "schema").out
    assert "port" in run("config", "schema", "--json").json["properties"]


def test_version_tells_the_version(run: Run) -> None:
    assert __version__ == run("version", "--json").json["stopwire"]
    for asked in ("version", "--version"):
        assert f"stopwire {__version__}\n" == run(asked).out
