"""Fuzz one parser with coverage as the guide: `python -m tests.fuzz.run pdu -runs=1000000 tests/fuzz/corpus/pdu`.

Needs `pip install atheris`, which the tests themselves do without. Other arguments are libFuzzer's.
"""

import importlib
import sys


def main() -> None:
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["stopwire"]):
        from tests.fuzz.harnesses import HARNESSES
    if len(sys.argv) < 2 or sys.argv[1] not in HARNESSES:
        raise SystemExit(f"Name a parser: {', '.join(HARNESSES)}.")
    harness = HARNESSES[sys.argv.pop(1)]
    atheris.Setup(sys.argv, harness)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
