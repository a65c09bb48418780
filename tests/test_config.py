"""Settings: precedence, origins, and errors that are sentences."""

from pathlib import Path

import pytest

from stopwire.config import ConfigError, Loaded, Role, Settings, load, reference, show
from stopwire.ports.http import PrivateTargets


@pytest.fixture
def cwd(tmp_path: Path) -> Path:
    folder = tmp_path / "cwd"
    folder.mkdir()
    return folder


def read(cwd: Path, flags: dict[str, object] | None = None, **environ: str) -> Loaded:
    variables = {f"STOPWIRE_{name.upper()}": value for name, value in environ.items()}
    variables.setdefault("STOPWIRE_DATA_DIR", str(cwd.parent / "data"))
    return load(flags or {}, environ=variables, cwd=cwd)


def faults(cwd: Path, flags: dict[str, object] | None = None, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(cwd, flags, **environ)
    return caught.value.sentences


@pytest.mark.parametrize(
    ("flag", "variable", "line", "expected", "origin"),
    [
        pytest.param(None, "", "", 7867, "default", id="nothing set"),
        pytest.param(None, "", "port = 1", 1, "file ./stopwire.toml", id="the file over the default"),
        pytest.param(None, "2", "port = 1", 2, "environment STOPWIRE_PORT", id="the environment over the file"),
        pytest.param(3, "2", "port = 1", 3, "flag", id="the flag over all"),
    ],
)
def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(
    cwd: Path, flag: int | None, variable: str, line: str, expected: int, origin: str
) -> None:
    (cwd / "stopwire.toml").write_text(line)
    loaded = read(cwd, {"port": flag}, port=variable)
    assert (expected, origin) == (loaded.settings.port, loaded.origins["port"])


def test_every_setting_has_an_origin(cwd: Path) -> None:
    assert set(Settings.model_fields) == set(read(cwd).origins)


def test_the_file_of_the_data_folder_serves_where_the_working_directory_has_none(cwd: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "stopwire.toml").write_text("port = 5")
    loaded = read(cwd)
    assert (5, f"file {data / 'stopwire.toml'}") == (loaded.settings.port, loaded.origins["port"])
    (cwd / "stopwire.toml").write_text("quiet = true")
    assert 7867 == read(cwd).settings.port  # one file, not two merged


def test_a_named_file_is_the_only_one_read(cwd: Path, tmp_path: Path) -> None:
    (cwd / "stopwire.toml").write_text("port = 5")
    other = tmp_path / "other.toml"
    other.write_text('log_level = "debug"')
    by_flag, by_environment = read(cwd, {"config": other}), read(cwd, config=str(other))
    assert ("debug", 7867) == (by_flag.settings.log_level, by_flag.settings.port)
    assert by_flag.settings == by_environment.settings


def test_demo_has_a_folder_of_its_own_and_may_call_loopback(cwd: Path) -> None:
    plain = load({}, environ={}, cwd=cwd).settings
    demo = load({"demo": True}, environ={}, cwd=cwd).settings
    assert (plain.data_dir / "demo", PrivateTargets.LOOPBACK) == (demo.data_dir, demo.allow_private_webhooks)
    assert PrivateTargets.NONE == plain.allow_private_webhooks


def test_what_is_set_by_hand_beats_what_demo_brings(cwd: Path, tmp_path: Path) -> None:
    settings = read(cwd, {"demo": True}, allow_private_webhooks="none").settings
    assert (tmp_path / "data", PrivateTargets.NONE) == (settings.data_dir, settings.allow_private_webhooks)


def test_the_environments_text_becomes_the_settings_type(cwd: Path) -> None:
    settings = read(
        cwd, demo="yes", workers="2", role="api", hosts="a.example, b.example", stop_wait_seconds="3"
    ).settings
    assert (True, 2, Role.API, ("a.example", "b.example"), 3.0) == (
        settings.demo,
        settings.workers,
        settings.role,
        settings.hosts,
        settings.stop_wait_seconds,
    )


def test_the_store_is_sqlite_in_the_data_folder_unless_told(cwd: Path, tmp_path: Path) -> None:
    assert f"sqlite:///{tmp_path / 'data' / 'stopwire.db'}" == read(cwd).settings.database_url
    assert "postgresql://db/x" == read(cwd, database="postgresql://db/x").settings.database_url


def test_an_unknown_key_of_the_file_is_an_error_that_names_the_nearest(cwd: Path) -> None:
    (cwd / "stopwire.toml").write_text("prot = 1\nzzz = 2")
    assert [
        "There is no setting 'prot' (file ./stopwire.toml): did you mean port?",
        "There is no setting 'zzz' (file ./stopwire.toml): see the reference of settings.",
    ] == faults(cwd)


def test_a_misspelt_variable_is_noted_not_refused(cwd: Path) -> None:
    assert ("The environment variable STOPWIRE_PROT is ignored: did you mean STOPWIRE_PORT?",) == read(
        cwd, prot="1"
    ).notes


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "99999"),
        ("port", "abc"),
        ("host", ""),
        ("host", "http://x"),
        ("role", "boss"),
        ("workers", "-1"),
        ("database", "mysql://x"),
        ("public_url", "sms.example.com"),
        ("public_url", "https://sms.example.com/?a=b"),
        ("account_sid", "AC1"),
        ("auth_token", "short"),
        ("auth_token", "with a space in it"),
        ("forwarded_allow", "10.0.0.0/99"),
        ("stop_wait_seconds", "21"),
        ("stop_wait_seconds", "nan"),
        ("allow_private_webhooks", "yes"),
        ("log_format", "xml"),
    ],
)
def test_a_bad_value_is_told_with_its_name_and_origin(cwd: Path, name: str, value: str) -> None:
    (sentence,) = faults(cwd, {name: value})
    assert sentence.startswith(f"{name} = ")
    assert "(flag)" in sentence
    assert sentence.endswith(".")


def test_all_faults_are_told_at_once(cwd: Path) -> None:
    assert ["port", "log_level"] == [sentence.split(" ")[0] for sentence in faults(cwd, port="x", log_level="loud")]


def test_a_stop_waits_longer_than_a_frozen_write_can_last(cwd: Path) -> None:
    assert [
        "stop_wait_seconds is 1.4, but write_deadline_seconds is 1: raise stop_wait_seconds to 1.5 or more."
    ] == faults(cwd, stop_wait_seconds="1.4")
    assert 1.5 == read(cwd, stop_wait_seconds="1.5").settings.stop_wait_seconds


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe"], ids=["not TOML", "not UTF-8"])
def test_a_broken_file_is_an_error_that_names_it(cwd: Path, content: bytes) -> None:
    (cwd / "stopwire.toml").write_bytes(content)
    assert faults(cwd)[0].startswith("./stopwire.toml is not ")


def test_a_named_file_that_is_absent_is_an_error(cwd: Path) -> None:
    assert faults(cwd, {"config": "none.toml"})[0].startswith("none.toml cannot be read")


def test_no_secret_is_shown(cwd: Path) -> None:
    loaded = read(cwd, auth_token="canary-token", database="postgresql://me:canary-pass@db/x")
    shown = f"{loaded!r} {loaded.settings} {show(loaded)}"
    assert "canary" not in shown
    assert ("database", "postgresql://me:••••@db/x", "environment STOPWIRE_DATABASE") in show(loaded)
    assert "canary" not in " ".join(faults(cwd, auth_token="canary token", database="x://me:canary@db"))


def test_the_reference_tells_of_every_setting() -> None:
    for name, field in Settings.model_fields.items():
        assert f"| `{name}` |" in reference()
        assert field.description and field.description in reference()
