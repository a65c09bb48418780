"""The lock files: complete, hashed, in agreement, and silent about where anybody's packages come from."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ["requirements.lock", "requirements-test.lock"]


def pinned(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;]+)", (ROOT / lock).read_text(), re.MULTILINE))


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower() for requirement in requirements}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_registry_and_no_folder_of_a_machine(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert [] == [line for line in text.splitlines() if "://" in line or line.startswith(("-", "/")) or " /" in line]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_its_hashes(lock: str) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", (ROOT / lock).read_text().strip())
    assert [] == [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry]
    assert len(entries) == len(pinned(lock))


def test_what_the_gateway_needs_is_pinned_and_what_builds_it_too() -> None:
    needed = names(PROJECT["project"]["dependencies"]) | names(PROJECT["build-system"]["requires"])
    assert set() == needed - set(pinned("requirements.lock"))


def test_what_the_tests_need_is_pinned() -> None:
    assert set() == names(PROJECT["dependency-groups"]["test"]) - set(pinned("requirements-test.lock"))


def test_the_tests_run_on_the_versions_that_the_gateway_runs_on() -> None:
    assert pinned("requirements.lock").items() <= pinned("requirements-test.lock").items()


def test_the_node_lock_has_hashes_and_names_no_registry() -> None:
    packages = json.loads((ROOT / "tests/interop/node/package-lock.json").read_text())["packages"]
    installed = {name: package for name, package in packages.items() if name}
    assert [] == [name for name, package in installed.items() if "integrity" not in package or "resolved" in package]
