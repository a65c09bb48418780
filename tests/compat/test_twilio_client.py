"""The shim that points the official SDK at a gateway."""

import ast
import inspect
import json
import sys
from pathlib import Path

import pytest

from stopwire import compat

SID = "AC" + "1" * 32


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "ACCOUNT_SID", "AUTH_TOKEN"):
        monkeypatch.delenv(f"STOPWIRE_{name}", raising=False)


def test_every_product_speaks_to_the_gateway() -> None:
    client = compat.twilio_client(SID, "token", base_url="http://gw.test:1/")
    assert {"http://gw.test:1"} == {product.base_url for product in (client.api, client.messaging, client.accounts, client.lookups)}


def test_region_and_edge_do_not_bend_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_REGION", "au1")
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    client = compat.twilio_client(SID, "token", base_url="http://gw.example.com")
    assert "http://gw.example.com/x" == client.get_hostname("http://gw.example.com/x")


def test_the_environment_serves_where_nothing_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOPWIRE_URL", "http://env.test")
    monkeypatch.setenv("STOPWIRE_ACCOUNT_SID", SID)
    monkeypatch.setenv("STOPWIRE_AUTH_TOKEN", "token")
    client = compat.twilio_client()
    assert ("http://env.test", (SID, "token")) == (client.api.base_url, client.auth)


def test_a_key_signs_in_for_its_account() -> None:
    client = compat.twilio_client(SID, username="SK1", password="secret")
    assert (("SK1", "secret"), SID) == (client.auth, client.account_sid)


def test_without_credentials_it_says_what_is_missing() -> None:
    with pytest.raises(ValueError, match="STOPWIRE_AUTH_TOKEN"):
        compat.twilio_client()


def test_the_credentials_file_is_enough(tmp_path: Path) -> None:
    told = {"account_sid": SID, "auth_token": "token", "api_base": "http://file.test", "console_url": ""}
    (tmp_path / "credentials.json").write_text(json.dumps(told))
    assert "http://file.test" == compat.from_credentials(tmp_path / "credentials.json").api.base_url


def test_the_shim_imports_nothing_but_the_standard_library_and_the_sdk() -> None:
    imported = set()
    for node in ast.walk(ast.parse(inspect.getsource(compat))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert {"twilio"} == imported - set(sys.stdlib_module_names)
