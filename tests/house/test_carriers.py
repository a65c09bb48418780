"""A kind of carrier is three files: the carrier, its rows, its page. And each has said what an opt-out looks like there."""

from pathlib import Path

import pytest

from stopwire.carriers import load, names
from stopwire.carriers.http import HttpCarrier

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "how-to" / "carriers"
ROWS = ROOT / "tests" / "carriers"
KINDS = names()
OVER_HTTP = [name for name in KINDS if isinstance(found := load(name), type) and issubclass(found, HttpCarrier)]


def test_the_kinds_are_found_by_their_files() -> None:
    assert {"bandwidth", "generic", "infobip", "plivo", "sinch", "telnyx", "twilio", "vonage"} == set(OVER_HTTP)


@pytest.mark.parametrize("name", KINDS)
def test_every_carrier_has_its_rows_and_its_page(name: str) -> None:
    assert (ROWS / f"test_{name}.py").exists(), "a carrier comes with its rows"
    assert (PAGES / f"{name}.md").exists(), "a carrier comes with its page"


@pytest.mark.parametrize("name", OVER_HTTP)
def test_a_carriers_page_tells_every_setting(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert [] == [field.name for field in load(name).TYPE.fields if f"`{field.name}`" not in page]


@pytest.mark.parametrize("name", OVER_HTTP)
def test_a_carriers_page_and_the_connection_tell_the_provider_the_same_address(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert f"YOUR-PUBLIC-URL/carriers/CN…/{load(name).TYPE.called}`" in page


@pytest.mark.parametrize("name", OVER_HTTP)
def test_a_carriers_page_names_its_sources_and_who_answers_a_stop(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    wanted = ("https://", "opt") if name == "generic" else ("**Inbound", "**Proof.**", "**Who answers STOP.**", "**What becomes a block.**", "](https://")
    assert [] == [mark for mark in wanted if mark not in page]


@pytest.mark.parametrize("name", OVER_HTTP)
def test_a_carriers_rows_show_an_opt_out_told_late(name: str) -> None:
    rows = (ROWS / f"test_{name}.py").read_text(encoding="utf-8")
    assert 'id="opted out, told late"' in rows


@pytest.mark.parametrize("name", OVER_HTTP)
def test_what_looks_like_a_secret_is_one(name: str) -> None:
    suspects = ("token", "secret", "password", "api_key", "authorization", "signing_key")
    known = {("vonage", "api_key"), ("twilio", "api_key_sid")}  # names, not secrets
    open_ = [f.name for f in load(name).TYPE.fields if any(word in f.name for word in suspects) and not f.secret]
    assert [] == [field for field in open_ if (name, field) not in known]
