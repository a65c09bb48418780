"""The documentation held to the code: paths, functions, links, generated pages, calls, commands, clauses."""

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import typer

from stopwire.carriers import Board, Supplies
from stopwire.config import Settings, load
from stopwire.core.keywords import recognise_default
from stopwire.core.policy import check, from_data

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "stopwire"
DOCS = ROOT / "docs"
TOP_PAGES = sorted(ROOT.glob("*.md"))
PAGES = [*TOP_PAGES, *sorted(DOCS.rglob("*.md"))]
CLAUSES = [f"A{n:02}" for n in range(1, 21)] + [f"B{n:02}" for n in range(1, 15)]

_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|`[^`]*`)*\]\(([^()\s]+)\)")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def generator() -> Any:
    spec = importlib.util.spec_from_file_location("tools_docs", ROOT / "tools" / "docs.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ── links ────────────────────────────────────────────────────────────────────────────────────────────────


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as Markdown builders make them."""
    headings = re.findall(r"^#{1,6}\s+(.+?)\s*$", prose(page), re.MULTILINE)
    slugs = (re.sub(r"[^\w\s-]", "", heading.lower()).strip() for heading in headings)
    return {re.sub(r"[\s-]+", "-", slug) for slug in slugs}


def broken(page: Path) -> Iterator[str]:
    for target in _LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists():
            yield f"{target}: there is no such file"
        elif DOCS in page.parents and DOCS not in there.parents:
            yield f"{target}: a page of docs/ links to pages of docs/ only, so that any builder can resolve it"
        elif anchor and anchor not in anchors(there):
            yield f"{target}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_resolves(page: Path) -> None:
    assert [] == list(broken(page))


def test_every_page_can_be_reached_from_the_index() -> None:
    seen, waiting = set[Path](), [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        targets = (target.partition("#")[0] for target in _LINK.findall(prose(page)) if not re.match(r"[a-z]+:", target))
        waiting += [there for target in targets if target and (there := (page.parent / target).resolve()).exists()]
    assert set() == set(DOCS.rglob("*.md")) - seen


_PICTURE = re.compile(r"!\[([^\]]*)\]\(([^()\s]+)\)")
PICTURE_BYTES_MAX = 150_000


def test_every_picture_is_shown_described_and_light() -> None:
    shown = {(page.parent / target).resolve(): text for page in PAGES for text, target in _PICTURE.findall(prose(page))}
    kept = set((DOCS / "images").iterdir())
    assert kept == set(shown)
    assert [] == [path.name for path, text in shown.items() if not text or path.stat().st_size > PICTURE_BYTES_MAX]


# ── ARCHITECTURE.md ──────────────────────────────────────────────────────────────────────────────────────


def codes(page: Path) -> list[str]:
    return list(dict.fromkeys(_CODE.findall(prose(page))))


def paths(page: Path) -> list[str]:
    looks_like_path = re.compile(r"[\w.-]+(/[\w.<>-]+)*(/|\.(py|md|toml))")
    return [code for code in codes(page) if looks_like_path.fullmatch(code) and "<" not in code]


def functions(page: Path) -> list[str]:
    return [code[:-2] for code in codes(page) if re.fullmatch(r"(\w+\.)?\w+\(\)", code)]


def defined() -> set[str]:
    """Every function as `name`, `module.name` and `Class.name`."""
    found: set[str] = set()
    for file in SOURCE.rglob("*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    found |= {name, f"{file.stem}.{name}"}
                case ast.ClassDef(name=owner, body=body):
                    found |= {f"{owner}.{n.name}" for n in body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
    return found


def test_every_path_named_in_the_architecture_exists() -> None:
    named = paths(ROOT / "ARCHITECTURE.md")
    assert len(named) > 40
    assert [] == [path for path in named if not (SOURCE / path).exists() and not (ROOT / path).exists()]


def test_every_function_named_in_the_architecture_exists() -> None:
    named = functions(ROOT / "ARCHITECTURE.md")
    assert len(named) > 25
    assert [] == sorted(set(named) - defined())


def test_every_room_of_the_house_stands_in_the_architecture() -> None:
    rooms = {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    drawing = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert set() == {room for room in rooms if not room.startswith("_") and not re.search(rf"\b{room}\b", drawing)}


# ── generated pages ──────────────────────────────────────────────────────────────────────────────────────


def test_generated_pages_are_fresh() -> None:
    made = generator().fresh()
    stale = [name_of(page) for page, text in made.items() if not page.exists() or page.read_text(encoding="utf-8") != text]
    assert [] == stale, "run: python tools/docs.py"


def test_the_generator_says_so_when_a_page_lacks_its_marks() -> None:
    with pytest.raises(ValueError, match="needs the marks"):
        generator().filled("# A page without marks", "handsets", "| a | b |")


# ── examples ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_examples_of_keywords_are_what_the_page_says() -> None:
    page = (DOCS / "reference" / "opt-out.md").read_text("utf-8")
    row = re.search(r"^\| a keyword \| not a keyword \|\n.*\n\| (.+) \| (.+) \|$", page, re.MULTILINE)
    assert row
    acting, ordinary = (_CODE.findall(cell) for cell in row.groups())
    assert [] == [body for body in acting if recognise_default(body, toll_free=False) is None]
    assert [] == [body for body in ordinary if recognise_default(body, toll_free=False) is not None]


# ── calls and commands ───────────────────────────────────────────────────────────────────────────────────


def calls() -> list[tuple[str, str]]:
    """Every `METHOD /path` that a page names."""
    found = {
        (method, path.partition("?")[0])
        for page in PAGES
        for method, path in re.findall(r"\b(GET|POST|PUT|PATCH|DELETE) (/(?:api/v1|2010-04-01|v1|v2)/[^\s`|)]+)", page.read_text("utf-8"))
    }
    return sorted(found)


def test_every_call_that_a_page_names_exists() -> None:
    tool = generator()
    known = {(method, path) for path, method, _ in tool.native_calls()}
    known |= {(method, path) for path, methods in tool.twilio_paths() for method in methods}
    shapes = {(method, re.sub(r"\{\w+\}", "*", path)) for method, path in known}
    named = {(method, re.sub(r"\{\w+\}", "*", path).removesuffix(".json")) for method, path in calls()}
    assert [] == sorted(named - shapes)


def commands(app: Any) -> set[str]:
    """Every command as people type it: `up`, `service list`."""
    group = cast(Any, typer.main.get_command(app))
    found: set[str] = set()
    for name, command in group.commands.items():
        inner = getattr(command, "commands", None)
        found |= {f"{name} {verb}" for verb in inner} | {name} if inner else {name}
    return found


def test_every_command_that_a_page_names_exists() -> None:
    from stopwire.cli.main import app

    known = commands(app)
    nouns = {command.split()[0] for command in known if " " in command}
    named: set[str] = set()
    for page in PAGES:
        if page.name == "CHANGELOG.md":
            continue
        for noun, verb in re.findall(r"(?:^|[`$(] ?)stopwire ([a-z-]+)(?: ([a-z-]+))?", page.read_text("utf-8"), re.MULTILINE):
            named.add(f"{noun} {verb}" if verb and noun in nouns else noun)
    assert [] == sorted(named - known)


def toml_blocks() -> list[tuple[str, str]]:
    """Page and text of every block fenced as TOML."""
    fenced = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [(name_of(page), block) for page in PAGES for block in fenced.findall(page.read_text("utf-8"))]


def is_settings(block: str) -> bool:
    """Whether it is (part of) `stopwire.toml`: it names a setting. Every other block is a policy; no name is in both."""
    return not Settings.model_fields.keys().isdisjoint(tomllib.loads(block))


POLICIES = [(page, block) for page, block in toml_blocks() if not is_settings(block)]
SETTINGS_FILES = [(page, block) for page, block in toml_blocks() if is_settings(block)]


@pytest.mark.parametrize(("page", "block"), POLICIES, ids=[page for page, _ in POLICIES])
def test_every_policy_that_a_page_shows_can_be_saved(page: str, block: str) -> None:
    policy, problems = from_data(tomllib.loads(block))
    assert policy is not None, problems
    assert [] == [*problems, *check(policy)]


@pytest.mark.parametrize(("page", "block"), SETTINGS_FILES, ids=[page for page, _ in SETTINGS_FILES])
def test_every_settings_file_that_a_page_shows_can_be_started_with(page: str, block: str, tmp_path: Path) -> None:
    for secret in re.findall(r'_file = "([^"]+)"', block):
        (tmp_path / secret).write_text("secret")
    (tmp_path / "stopwire.toml").write_text(block, encoding="utf-8")

    settings = load({}, environ={}, cwd=tmp_path).settings

    board = Board(cast(Supplies, None))  # asked for the kinds of carriers only
    assert [] == [problem for table in settings.carriers.values() for problem in board.problems(table.type, table.settings)]


def test_every_dependency_has_its_line_of_why() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    names = {re.split(r"[><=;\s]", wish)[0] for wish in wanted}
    told = set(re.findall(r"^\| `([\w-]+)` \|", (DOCS / "why.md").read_text("utf-8"), re.MULTILINE))
    assert names == told


# ── the mission ──────────────────────────────────────────────────────────────────────────────────────────


def clause_rows() -> dict[str, str]:
    """Clause → the names of its tests, as docs/mission.md has them."""
    rows = re.findall(r"^\| ([AB]\d\d) \|.*?\| ([^|]+) \|$", (DOCS / "mission.md").read_text("utf-8"), re.MULTILINE)
    return dict(rows)


def test_every_clause_stands_in_the_mission_once() -> None:
    assert sorted(CLAUSES) == sorted(clause_rows())


@pytest.mark.parametrize("clause", CLAUSES)
def test_every_clause_has_a_test_named_after_it(clause: str) -> None:
    named = _CODE.findall(clause_rows()[clause])
    assert named, "the row names no test"
    file, _, prefix = named[0].partition("::")
    tests = re.findall(r"^(?:async )?def (test_\w+)", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    assert f"test_{clause.lower()}_" == prefix.removesuffix("…")
    assert [name for name in tests if name.startswith(f"test_{clause.lower()}_")]


def test_the_generator_runs_as_a_command() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "tools" / "docs.py"), "--check"], capture_output=True, text=True, timeout=60)
    assert (0, "") == (done.returncode, done.stdout)
