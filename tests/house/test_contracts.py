"""The must-break test: each import contract of pyproject.toml is seen to break, and seen to let pass what it should.

A contract never seen to break is not yet one. The rows are written into a copy of the tree and read from there by
import-linter's own scanner, once for all rows; each row is then judged alone.
"""

import os
import shutil
import subprocess
import sys
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import grimp
import pytest
from importlinter.api import read_configuration
from importlinter.contracts.acyclic_siblings import AcyclicSiblingsContract
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.independence import IndependenceContract
from importlinter.contracts.layers import LayersContract
from importlinter.domain.contract import Contract

from tests.house.contracts import OnlyFrom

ROOT = Path(__file__).parents[2]
CONFIGURATION = read_configuration(str(ROOT / "pyproject.toml"))
TYPES: dict[str, type[Contract]] = {
    "acyclic_siblings": AcyclicSiblingsContract,
    "forbidden": ForbiddenContract,
    "independence": IndependenceContract,
    "layers": LayersContract,
    "only_from": OnlyFrom,
}
CONTRACTS = {options["id"]: options for options in CONFIGURATION["contracts_options"]}

# contract, the module that sins, its sin
FORBIDDEN = [
    ("floors", "stopwire.core.optout", "import stopwire.ports.store"),
    ("floors", "stopwire.core.keywords", "from stopwire.log import get_logger"),
    ("floors", "stopwire.ports.store", "from stopwire.storage import tables"),
    ("floors", "stopwire.ports.house", "from stopwire.flows import send"),
    ("floors", "stopwire.flows.send", "from stopwire.storage import tables"),
    ("floors", "stopwire.flows.dispatch", "from stopwire.carriers import simulator"),
    ("floors", "stopwire.flows.notify", "from stopwire.net.http import HttpClient"),
    ("floors", "stopwire.flows.receive", "from stopwire.twilio_api import forms"),
    ("floors", "stopwire.storage.store", "from stopwire.flows import send"),
    ("floors", "stopwire.storage.store", "import stopwire.vault"),
    ("floors", "stopwire.carriers.simulator", "from stopwire.storage import store"),
    ("floors", "stopwire.carriers.http", "from stopwire.net import http"),
    ("floors", "stopwire.net.http", "import stopwire.config"),
    ("floors", "stopwire.packs", "from stopwire.flows import receive"),
    ("floors", "stopwire.api.messages", "from stopwire.twilio_api import forms"),
    ("floors", "stopwire.console.home", "from stopwire.api import schemas"),
    ("floors", "stopwire.workers.links", "import stopwire.wiring"),
    ("floors", "stopwire.twilio_api.messages", "from stopwire.workers import dispatcher"),
    ("floors", "stopwire.wiring", "import stopwire.serve"),
    ("floors", "stopwire.wiring", "from stopwire.doors import root_app"),
    ("floors", "stopwire.wiring", "from stopwire import demo"),
    ("floors", "stopwire.twilio_api.app", "from stopwire import doors"),
    ("floors", "stopwire.api.app", "from stopwire.admin import admin_app"),
    ("floors", "stopwire.doors", "from stopwire.admin import ACTIONS"),
    ("floors", "stopwire.doors", "from stopwire import demo"),
    ("floors", "stopwire.admin", "import stopwire.serve"),
    ("floors", "stopwire.demo", "from stopwire.cli import main"),
    ("floors", "stopwire.hatch", "from stopwire.flows import send"),
    ("floors", "stopwire.hatch", "from stopwire.tail import LiveTail"),
    ("floors", "stopwire.hatch", "from stopwire.doors import root_app"),
    ("floors", "stopwire.tail", "from stopwire.storage import store"),
    ("floors", "stopwire.flows.tail", "from stopwire.tail import LiveTail"),
    ("floors", "stopwire.ports.house", "from stopwire.hatch import LocalHouse"),
    ("floors", "stopwire.serve", "from stopwire.cli import main"),
    ("floors", "stopwire.testing.gateway", "from stopwire.cli import main"),
    ("floors", "stopwire.compat.sdk", "from stopwire.core import errors"),
    ("floors", "stopwire.client", "from stopwire.core import message"),
    ("floors", "stopwire.log", "import stopwire.metrics"),
    ("floors", "stopwire.log", "from stopwire.ports import store"),
    ("pure-core", "stopwire.core.consent", "import asyncio"),
    ("pure-core", "stopwire.core.consent", "import os.path"),
    ("pure-core", "stopwire.core.ledger", "import sqlite3"),
    ("pure-core", "stopwire.core.ledger", "import uuid"),
    ("pure-core", "stopwire.core.message", "import time"),
    ("pure-core", "stopwire.core.retry", "from random import uniform"),
    ("pure-core", "stopwire.core.segments", "import sys"),
    ("pure-core", "stopwire.core.signing", "import secrets"),
    ("pure-core", "stopwire.core.keywords", "import logging"),
    ("pure-core", "stopwire.core.packs", "import tomllib"),
    ("pure-core", "stopwire.core.packs", "from pathlib import Path"),
    ("pure-core", "stopwire.core.policy", "from pydantic import BaseModel"),
    ("pure-core", "stopwire.core.twiml", "from urllib.request import urlopen; import http.client"),
    ("pure-smpp", "stopwire.smpp.session", "import asyncio"),
    ("pure-smpp", "stopwire.smpp.session", "import time"),
    ("pure-smpp", "stopwire.smpp.pdu", "import socket"),
    ("who-speaks-smpp", "stopwire.core.routing", "from stopwire.smpp import receipt"),
    ("who-speaks-smpp", "stopwire.flows.report", "from stopwire.smpp import receipt"),
    ("who-speaks-smpp", "stopwire.workers.links", "from stopwire.smpp import pdu"),
    ("numbers-in-one-file", "stopwire.core.routing", "import phonenumbers"),
    ("numbers-in-one-file", "stopwire.api.messages", "from phonenumbers import parse"),
    ("xml-in-one-file", "stopwire.core.signing", "from defusedxml.ElementTree import fromstring"),
    ("xml-in-one-file", "stopwire.flows.notify", "from xml.etree import ElementTree"),
    ("quiet-flows", "stopwire.flows.send", "import time"),
    ("quiet-flows", "stopwire.flows.receive", "from uuid import uuid4"),
    ("quiet-flows", "stopwire.flows.dispatch", "import socket"),
    ("quiet-flows", "stopwire.flows.purge", "import os"),
    ("quiet-flows", "stopwire.ports.store", "from sqlalchemy import Connection"),
    ("quiet-flows", "stopwire.ports.http", "import aiohttp"),
    ("flows-apart", "stopwire.flows.notify", "from stopwire.flows import send"),
    ("flows-apart", "stopwire.flows.moves", "from stopwire.flows import receive"),
    ("flows-apart", "stopwire.flows.receive", "from stopwire.flows.amend import block"),
    ("carriers-apart", "stopwire.carriers.telnyx", "from stopwire.carriers import simulator"),
    ("carriers-apart", "stopwire.carriers.http", "from stopwire.carriers import telnyx"),
    ("sql-in-the-cellar", "stopwire.wiring", "from sqlalchemy import create_engine"),
    ("sql-in-the-cellar", "stopwire.cli.db", "import sqlite3"),
    ("sql-in-the-cellar", "stopwire.workers.janitor", "import psycopg"),
    ("sql-in-the-cellar", "stopwire.testing.gateway", "import alembic.command"),
    ("one-way-out", "stopwire.carriers.http", "import aiohttp"),
    ("one-way-out", "stopwire.workers.notifier", "import httpx"),
    ("one-way-out", "stopwire.doors", "import httpx"),
    ("one-way-out", "stopwire.console.webhooks", "import requests"),
    ("web-at-the-doors", "stopwire.wiring", "from starlette.applications import Starlette"),
    ("web-at-the-doors", "stopwire.storage.store", "from starlette.concurrency import run_in_threadpool"),
    ("web-at-the-doors", "stopwire.flows.send", "from fastapi import HTTPException"),
    ("web-at-the-doors", "stopwire.packs", "import jinja2"),
    ("web-at-the-doors", "stopwire.cli.main", "import uvicorn"),
    ("web-at-the-doors", "stopwire.hatch", "from starlette.requests import Request"),
    ("web-at-the-doors", "stopwire.demo", "from starlette.applications import Starlette"),
    ("one-fuse-box", "stopwire.api.blocks", "from stopwire.storage import store"),
    ("one-fuse-box", "stopwire.workers.dispatcher", "from stopwire.carriers import simulator"),
    ("one-fuse-box", "stopwire.workers.notifier", "from stopwire.net import http"),
    ("one-fuse-box", "stopwire.console.session", "import stopwire.vault"),
    ("one-fuse-box", "stopwire.twilio_api.services", "import stopwire.packs"),
    ("one-fuse-box", "stopwire.serve", "from stopwire.storage import store"),
    ("one-fuse-box", "stopwire.doors", "import stopwire.vault"),
    ("one-fuse-box", "stopwire.admin", "from stopwire.storage import backup"),
    ("one-fuse-box", "stopwire.demo", "from stopwire.carriers import simulator"),
    ("settings-are-arguments", "stopwire.api.app", "from stopwire.config import Settings"),
    ("settings-are-arguments", "stopwire.workers.runner", "import stopwire.config"),
    ("settings-are-arguments", "stopwire.doors", "from stopwire.config import Settings"),
    ("settings-are-arguments", "stopwire.admin", "from stopwire.config import Settings"),
    ("no-rings", "stopwire.core.message", "from stopwire.core import rings"),  # and back, in RING
]
RING = ("stopwire.core.rings", "from stopwire.core import message")

PERMITTED = [
    ("stopwire.core.address", "import phonenumbers"),
    ("stopwire.core.twiml", "from defusedxml.ElementTree import fromstring"),
    ("stopwire.core.signing", "import hashlib, hmac, base64"),
    ("stopwire.core.rings", "from urllib.parse import quote"),
    ("stopwire.flows.send", "from stopwire.core import optout"),
    ("stopwire.flows.send", "from stopwire.ports.store import Store"),
    ("stopwire.flows.send", "from stopwire.flows import moves"),
    ("stopwire.flows.send", "import stopwire.metrics"),
    ("stopwire.flows.receive", "from stopwire.log import get_logger"),
    ("stopwire.link", "from stopwire.smpp import receipt"),
    ("stopwire.link", "import asyncio, ssl"),
    ("stopwire.carriers.smpp", "from stopwire.smpp import receipt"),
    ("stopwire.carriers.smpp", "from stopwire.link import connect"),
    ("stopwire.smpp_server.server", "from stopwire.link import listen"),
    ("stopwire.storage.store", "from sqlalchemy import Connection"),
    ("stopwire.storage.sqlite", "import sqlite3"),
    ("stopwire.storage.store", "from stopwire.core import consent"),
    ("stopwire.carriers.telnyx", "from stopwire.carriers.http import HttpCarrier"),
    ("stopwire.carriers.telnyx", "from stopwire.core.outcomes import Accepted"),
    ("stopwire.net.http", "import aiohttp"),
    ("stopwire.client", "import httpx"),
    ("stopwire.twilio_api.messages", "from starlette.responses import JSONResponse"),
    ("stopwire.api.messages", "from stopwire.flows import send"),
    ("stopwire.console.home", "from stopwire.ports.house import House"),
    ("stopwire.workers.dispatcher", "from stopwire.flows import dispatch"),
    ("stopwire.wiring", "from stopwire.storage import store"),
    ("stopwire.wiring", "from stopwire.carriers import simulator"),
    ("stopwire.wiring", "import stopwire.config"),
    ("stopwire.wiring", "import time, uuid, random"),
    ("stopwire.doors", "from starlette.types import ASGIApp"),
    ("stopwire.doors", "from stopwire.twilio_api import app"),
    ("stopwire.admin", "import httpx"),
    ("stopwire.admin", "from stopwire.flows import own"),
    ("stopwire.demo", "from stopwire.flows import send"),
    ("stopwire.hatch", "from stopwire.ports import store"),
    ("stopwire.tail", "from stopwire.ports.world import Clock"),
    ("stopwire.wiring", "from stopwire.hatch import LocalHouse"),
    ("stopwire.serve", "from stopwire.hatch import Hatch"),
    ("stopwire.serve", "import uvicorn"),
    ("stopwire.serve", "import stopwire.wiring"),
    ("stopwire.cli.up", "import stopwire.serve"),
    ("stopwire.cli.up", "import stopwire.config"),
    ("stopwire.testing.gateway", "import stopwire.serve"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The graph of the house as it is, and of the house with every row written into it."""

    as_it_is: grimp.ImportGraph
    with_rows: grimp.ImportGraph

    def having(self, module: str, statement: str) -> grimp.ImportGraph:
        """The house as it is, and this one statement in it."""
        graph = deepcopy(self.as_it_is)
        seen = False
        for imported in self.with_rows.find_modules_directly_imported_by(module):
            for found in self.with_rows.get_import_details(importer=module, imported=imported):
                if found["line_contents"] != statement:
                    continue
                seen = True
                if imported not in graph.modules:
                    graph.add_module(imported, is_squashed=True)  # a library of which the house had nothing yet
                graph.add_import(**found)
        assert seen, f"The scanner did not see {statement!r} in {module}."
        return graph


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    source = tmp_path_factory.mktemp("house") / "src"
    shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
    rows = [(module, statement) for _, module, statement in FORBIDDEN] + PERMITTED + [RING]
    for module, statement in rows:
        place(source, module)
        for word in statement.split():
            if word.startswith("stopwire."):
                place(source, word)
        if statement.startswith("from stopwire."):
            place_child(source, *statement.removeprefix("from ").split(" import "))
    with pytest.MonkeyPatch.context() as patch:
        # The scanner looks the package up by name, and must find the copy.
        patch.delitem(sys.modules, "stopwire", raising=False)
        patch.syspath_prepend(source)
        as_it_is = graph_of()
        for module, statement in rows:
            with file_of(source, module).open("a") as file:
                file.write(f"\n{statement}\n")
        with_rows = graph_of()
    return Tree(as_it_is=as_it_is, with_rows=with_rows)


@pytest.mark.parametrize(("contract", "module", "statement"), FORBIDDEN, ids=[f"{m}: {s}" for _, m, s in FORBIDDEN])
def test_a_forbidden_import_breaks_its_contract(tree: Tree, contract: str, module: str, statement: str) -> None:
    graph = tree.having(module, statement)
    if contract == "no-rings":
        graph.add_import(importer=RING[0], imported=module)
    assert not kept(contract, graph)


@pytest.mark.parametrize(("module", "statement"), PERMITTED, ids=[f"{m}: {s}" for m, s in PERMITTED])
def test_a_permitted_import_breaks_no_contract(tree: Tree, module: str, statement: str) -> None:
    assert broken_in(tree.as_it_is) == broken_in(tree.having(module, statement))


def test_the_house_as_it_is_keeps_every_contract(tree: Tree) -> None:
    assert [] == broken_in(tree.as_it_is)


def test_every_contract_has_been_seen_to_break() -> None:
    assert set(CONTRACTS) == {contract for contract, _, _ in FORBIDDEN}


def test_a_new_room_needs_a_floor(tree: Tree) -> None:
    graph = deepcopy(tree.as_it_is)
    graph.add_module("stopwire.helpers")
    assert not kept("floors", graph)


def test_the_core_needs_nothing_but_the_standard_library_and_two_libraries(tree: Tree) -> None:
    needed = {
        imported.partition(".")[0]
        for module in tree.as_it_is.find_descendants("stopwire.core")
        for imported in tree.as_it_is.find_modules_directly_imported_by(module)
    }
    assert set() == needed - {"stopwire", "phonenumbers", "defusedxml"} - sys.stdlib_module_names


def test_the_command_itself_finds_a_forbidden_import(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests" / "house", tmp_path / "tests" / "house", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "src/stopwire/core/__init__.py").open("a") as file:
        file.write("\nimport time\n")
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "src"), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 1 == run.returncode
    assert "The core is pure BROKEN" in run.stdout
    assert "stopwire.core -> time" in run.stdout


def broken_in(graph: grimp.ImportGraph) -> list[str]:
    return [contract for contract in CONTRACTS if not kept(contract, graph)]


def kept(contract: str, graph: grimp.ImportGraph) -> bool:
    options = CONTRACTS[contract]
    made = TYPES[options["type"]](options["name"], CONFIGURATION["session_options"], options)
    return made.check(deepcopy(graph), verbose=False).kept


def graph_of() -> grimp.ImportGraph:
    return grimp.build_graph("stopwire", include_external_packages=True, cache_dir=None)


def file_of(source: Path, module: str) -> Path:
    stem = source.joinpath(*module.split("."))
    return stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")


def place(source: Path, module: str) -> None:
    """Make the module if the house does not have it (yet): a rule holds for rooms to come as well."""
    file = file_of(source, module)
    if not file.exists():
        file.touch()


def place_child(source: Path, parent: str, name: str) -> None:
    """`from package import name` speaks of a module of the package; `from module import name` does not."""
    if file_of(source, parent).name == "__init__.py":
        place(source, f"{parent}.{name}")
