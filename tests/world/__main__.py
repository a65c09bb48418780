"""`python -m tests.world --minutes 5 --seed 7`: a long run, its history in a file, the verdict on standard output."""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
from pathlib import Path

from tests.world import checker, history
from tests.world.planted import NAME, PLANTS, Planted
from tests.world.smpp import Plan, World


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.world", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--calm", action="store_true", help="no faults")
    parser.add_argument("--folder", type=Path, default=None, help="where the data and the history are kept")
    parser.add_argument("--check", type=Path, default=None, help="only check this history")
    parser.add_argument("--plant", choices=PLANTS, help="break this in the gateway: the verdict must find it")
    asked = parser.parse_args()
    if asked.check:
        return verdict(history.read(asked.check))
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(10**6)
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="stopwire-world-"))
    folder.mkdir(parents=True, exist_ok=True)
    print(f"seed {seed}, history {folder / 'history.jsonl'}")
    plan = Plan(seed=seed, seconds=asked.minutes * 60, faults=not asked.calm)
    with history.written(folder / "history.jsonl") as noted:
        gateway = None
        if asked.plant:
            os.environ[NAME] = asked.plant
            gateway = Planted(folder / "data")
        events = asyncio.run(World(folder, plan, noted, gateway=gateway).run())
    code = verdict(events)
    print(f"seed {seed}")
    return code


def verdict(events: list[history.Event]) -> int:
    found = checker.check(events)
    print(json.dumps(checker.figures(events), indent=2))
    for rule, violations in found.items():
        print(f"{rule}: {'kept' if not violations else f'{len(violations)} violations'}")
        for violation in violations[:20]:
            print(f"  {violation}")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
