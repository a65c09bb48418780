"""Where the gateway is and who asks."""

import json
import socket
from pathlib import Path

import pytest

from stopwire.cli.access import Access, Asked, find
from stopwire.cli.output import Exit, Failed

SID = "AC" + "1" * 32
OTHER = "AC" + "2" * 32
ENVIRONMENT = {"STOPWIRE_URL": "http://env:1", "STOPWIRE_ACCOUNT_SID": OTHER, "STOPWIRE_AUTH_TOKEN": "env-token"}


def written(folder: Path, url: str = "http://file:3", token: str = "file-token") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    told = {"account_sid": SID, "auth_token": token, "api_base": url, "console_url": ""}
    (folder / "credentials.json").write_text(json.dumps(told))
    return folder


def told(access: Access) -> tuple[str, str, str]:
    return access.url, access.account_sid, access.auth_token


@pytest.fixture
def home(bare: Path) -> Path:
    return bare / "share" / "stopwire"


def test_flags_beat_the_environment_beats_the_file(home: Path, tmp_path: Path) -> None:
    folder = written(tmp_path / "named")
    flags = Asked(url="http://flag:2", account=SID, token="flag-token", data_dir=folder)
    assert ("http://flag:2", SID, "flag-token") == told(find(flags, ENVIRONMENT))
    assert ("http://env:1", OTHER, "env-token") == told(find(Asked(data_dir=folder), ENVIRONMENT))
    assert ("http://file:3", SID, "file-token") == told(find(Asked(data_dir=folder), {}))


def test_a_named_folder_beats_the_platforms(home: Path, tmp_path: Path) -> None:
    written(home, token="home")
    assert "named" == find(Asked(data_dir=written(tmp_path / "named", token="named")), {}).auth_token
    environ = {"STOPWIRE_DATA_DIR": str(written(tmp_path / "env", token="env"))}
    assert "env" == find(Asked(), environ).auth_token


def test_the_platforms_folder_beats_its_demo(home: Path) -> None:
    written(home / "demo", token="demo")
    assert "demo" == find(Asked(), {}).auth_token
    written(home, token="home")
    assert "home" == find(Asked(), {}).auth_token


def test_of_two_folders_the_one_whose_gateway_runs_is_taken(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(bare))  # a socket's path is short
    home = written(bare / "stopwire", token="home")
    demo = written(home / "demo", token="demo")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(demo / "admin.sock"))
        listener.listen()
        assert "demo" == find(Asked(), {}).auth_token
    assert "home" == find(Asked(), {}).auth_token  # the socket file is left behind, nobody answers


def test_a_token_goes_only_to_the_gateway_that_made_it(home: Path) -> None:
    written(home)
    with pytest.raises(Failed) as caught:
        find(Asked(url="http://elsewhere"), {})
    assert Exit.NOT_AUTHORISED == caught.value.exit
    assert "http://file:3" in caught.value.sentence
    assert "file-token" == find(Asked(url="http://file:3/"), {}).auth_token


def test_another_account_needs_a_token_of_its_own(home: Path) -> None:
    written(home)
    with pytest.raises(Failed) as caught:
        find(Asked(account=OTHER), {})
    assert (Exit.NOT_AUTHORISED, True) == (caught.value.exit, OTHER in caught.value.sentence)
    assert ("http://file:3", OTHER, "t") == told(find(Asked(account=OTHER, token="t"), {}))


def test_credentials_alone_mean_the_usual_address(home: Path) -> None:
    assert "http://127.0.0.1:7867" == find(Asked(account=SID, token="t"), {}).url


@pytest.mark.parametrize(
    ("asked", "exit", "words"),
    [
        pytest.param(Asked(), Exit.UNREACHABLE, "`stopwire up --demo`", id="nothing at all"),
        pytest.param(Asked(data_dir=Path("/none")), Exit.UNREACHABLE, "in /none", id="a folder without credentials"),
        pytest.param(Asked(url="http://x"), Exit.NOT_AUTHORISED, "STOPWIRE_AUTH_TOKEN", id="an address alone"),
    ],
)
def test_what_is_missing_is_told_with_its_cure(home: Path, asked: Asked, exit: Exit, words: str) -> None:
    with pytest.raises(Failed) as caught:
        find(asked, {})
    assert exit == caught.value.exit
    assert words in caught.value.sentence


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"account_sid": "x"}', "\x00"])
def test_a_broken_file_is_named(home: Path, content: str) -> None:
    written(home)
    (home / "credentials.json").write_text(content)
    with pytest.raises(Failed) as caught:
        find(Asked(), {})
    assert str(home / "credentials.json") in caught.value.sentence


def test_the_token_is_not_in_what_is_printed_of_it(home: Path) -> None:
    written(home, token="canary")
    assert "canary" not in repr(find(Asked(), {}))
