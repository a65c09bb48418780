"""A command starts fast: it loads only what it needs."""

import subprocess
import sys

import pytest

HEAVY = ("fastapi", "starlette", "sqlalchemy", "uvicorn", "alembic", "aiohttp", "phonenumbers")

LOADED = """
import sys
from stopwire.cli.main import app
try:
    app({words!r})
except SystemExit:
    pass
sys.stderr.write(" ".join(name for name in {heavy!r} if name in sys.modules))
"""


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["version"],
        ["send", "--help"],
        # A port where nothing listens: the client is loaded and used.
        ["send", "--url", "http://127.0.0.1:9", "--account", "AC", "--token", "t", "--from", "a", "--to", "b", "c", "--json"],
    ],
    ids=["help", "version", "help of send", "send"],
)
def test_no_server_and_no_store_is_loaded(words: list[str]) -> None:
    code = LOADED.format(words=words, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "" == done.stderr
    assert done.stdout
