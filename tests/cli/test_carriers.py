"""`stopwire carrier`, asked of a running gateway, and `[carriers.NAME]` of the settings file."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stopwire import config
from stopwire.cli.output import Exit
from stopwire.smpp.fields import Status
from stopwire.testing.smsc import Smsc
from tests.cli.conftest import Ran, Run
from tests.gateway import Gateway, eventually

NUMBER = "+14155559001"


@pytest.fixture
def centre(fresh_gateway: Gateway) -> Iterator[Smsc]:
    async def made() -> Smsc:
        smsc = Smsc(password="s3cr3t")
        await smsc.start()
        return smsc

    smsc = fresh_gateway.run(made())
    yield smsc
    fresh_gateway.run(smsc.stop())


@pytest.fixture
def ask(run: Run, fresh_gateway: Gateway) -> Run:
    def asked(*words: object, stdin: str | None = None) -> Ran:
        gateway = fresh_gateway
        return run(
            *words,
            stdin=stdin,
            STOPWIRE_URL=gateway.url,
            STOPWIRE_ACCOUNT_SID=gateway.account_sid,
            STOPWIRE_AUTH_TOKEN=gateway.auth_token,
            LINK_PASSWORD="s3cr3t",
        )

    return asked


@pytest.fixture
def say(ask: Run) -> Callable[..., dict[str, object]]:
    def told(*words: object, stdin: str | None = None) -> dict[str, object]:
        ran = ask("carrier", *words, "--json", stdin=stdin)
        assert 0 == ran.code, ran.out + ran.err
        return dict(ran.json)

    return told


@pytest.mark.parametrize("secret", ["file", "stdin", "secret-file", "secret-env"])
def test_a_connection_is_added_with_its_secret_from_elsewhere(
    say: Callable[..., dict[str, object]], ask: Run, centre: Smsc, tmp_path: Path, secret: str
) -> None:
    file = tmp_path / "password"
    file.write_text("s3cr3t\n")
    ways = {
        "file": ("--password-file", file),
        "stdin": ("--password-file", "-"),
        "secret-file": ("--secret-file", f"password={file}"),
        "secret-env": ("--secret-env", "password=LINK_PASSWORD"),
    }
    words = ("add", "main", "--type", "smpp", "--host", centre.host, "--port", centre.port, "--system-id", "me")
    made = say(*words, *ways[secret], "--sender", NUMBER, "--set", "window=20", stdin="s3cr3t\n")
    assert ([NUMBER], ["password"]) == (made["senders"], made["secrets"])
    eventually(lambda: centre.bound == 1)
    assert 20 == say("get", "main")["settings"]["window"]  # type: ignore[index]
    assert say("test", "main")["ok"]
    assert "bound" in ask("carrier", "log", "main").out
    assert "main" in ask("carrier", "list").out


def test_a_connection_is_paused_resumed_changed_and_removed(say: Callable[..., dict[str, object]], ask: Run, centre: Smsc) -> None:
    words = ("--host", centre.host, "--port", centre.port, "--system-id", "me", "--secret-env", "password=LINK_PASSWORD")
    say("add", "main", *words, "--paused")
    assert 0 == centre.bound
    say("resume", "main")
    eventually(lambda: centre.bound == 1)
    say("set", "main", "--set", "binds=2")
    eventually(lambda: centre.bound == 2)
    say("pause", "main")
    eventually(lambda: centre.bound == 0)
    assert say("remove", "main")["removed"]
    assert Exit.OK != ask("carrier", "get", "main").code


def test_a_connection_that_does_not_work_ends_the_test_with_1(say: Callable[..., dict[str, object]], ask: Run, centre: Smsc) -> None:
    centre.bind_status = Status.ESME_RBINDFAIL
    say("add", "main", "--host", centre.host, "--port", centre.port, "--system-id", "me")
    ran = ask("carrier", "test", "main")
    assert Exit.NO == ran.code
    assert "ESME_RBINDFAIL" in ran.out


def test_a_wrong_setting_is_told(ask: Run) -> None:
    ran = ask("carrier", "add", "main", "--host", "h")
    assert Exit.OK != ran.code
    assert "system_id" in ran.err + ran.out
    assert Exit.USAGE == ask("carrier", "add", "main", "--set", "window").code


def test_a_setting_that_is_text_stays_text_whatever_it_looks_like(
    say: Callable[..., dict[str, object]], ask: Run, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("word-of-ours")
    template = '{"to": "{to}", "text": "{body}"}'
    texts = ("--set", f"body={template}", "--set", "opted_out_codes=77", "--set", "answer_error=/code", "--set", "concurrency=4")
    made = say("add", "local", "--type", "generic", "--set", "url=http://127.0.0.1:9/", *texts, "--secret-file", f"push_secret={secret}")
    assert {"body": template, "opted_out_codes": "77", "concurrency": 4}.items() <= made["settings"].items()  # type: ignore[attr-defined]
    assert "78" == say("set", "local", "--set", "opted_out_codes=78")["settings"]["opted_out_codes"]  # type: ignore[index]
    say("remove", "local")


def test_who_answers_a_stop_is_said_when_a_connection_is_added_and_changed(
    say: Callable[..., dict[str, object]], ask: Run, tmp_path: Path
) -> None:
    secret = tmp_path / "token"
    secret.write_text("t" * 32)
    words = ("--type", "plivo", "--set", "auth_id=MA1", "--secret-file", f"auth_token={secret}", "--paused")
    assert "carrier" == say("add", "theirs", *words, "--opt-out-by", "carrier")["opt_out_by"]
    assert "us" == say("set", "theirs", "--opt-out-by", "us")["opt_out_by"]
    assert Exit.OK != ask("carrier", "set", "theirs", "--opt-out-by", "nobody").code
    say("remove", "theirs")


def test_kinds_of_carriers_are_listed_with_their_settings(ask: Run) -> None:
    assert "enquire_link" in ask("carrier", "types").out


# ── the settings file ────────────────────────────────────────────────────────────────────────────────

FILE = """
[carriers.main]
type = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "me"
password_file = "link.password"
window = {window}
senders = ["+14155559001"]
"""


def test_the_file_declares_connections(tmp_path: Path) -> None:
    (tmp_path / "link.password").write_text("s3cr3t\n")
    for window in (5, 6):
        (tmp_path / "stopwire.toml").write_text(FILE.format(port=9, window=window))
        gateway = Gateway(tmp_path, config=str(tmp_path / "stopwire.toml"))
        try:
            seen = gateway.http.get("/api/v1/carriers/main").json()
            assert ("file", window, ["password"], [NUMBER]) == (
                seen["origin"],
                seen["settings"]["window"],
                seen["secrets"],
                seen["senders"],
            )
        finally:
            gateway.close()


def test_a_secret_of_the_file_is_in_no_listing(tmp_path: Path) -> None:
    (tmp_path / "link.password").write_text("s3cr3t\n")
    (tmp_path / "stopwire.toml").write_text(FILE.format(port=9, window=5))
    loaded = config.load({"data_dir": str(tmp_path)}, environ={}, cwd=tmp_path)
    assert "s3cr3t" == loaded.settings.carriers["main"].settings["password"]
    assert "s3cr3t" not in json.dumps(config.show(loaded))
    assert "s3cr3t" not in repr(loaded.settings)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        pytest.param('type = "smpp"\npassword_file = "gone"', "cannot be read", id="a file that is not there"),
        pytest.param('type = "smpp"\npassword_env = "GONE"', "no such variable", id="a variable that is not set"),
        pytest.param('host = "h"', "carriers", id="no type"),
    ],
)
def test_a_wrong_table_is_told(tmp_path: Path, lines: str, told: str) -> None:
    (tmp_path / "stopwire.toml").write_text(f"[carriers.main]\n{lines}\n")
    with pytest.raises(config.ConfigError, match=told):
        config.load({}, environ={}, cwd=tmp_path)
