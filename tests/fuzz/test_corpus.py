"""The kept corpus, and mutants of it, through every parser that meets strangers' octets."""

import random
from pathlib import Path

import pytest

from tests.fuzz.harnesses import HARNESSES

CORPUS = Path(__file__).parent / "corpus"
MUTANTS = 2000


def kept(name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


def mutant(seeds: list[bytes], dice: random.Random) -> bytes:
    """One seed with a few octets changed, cut out, doubled, or with a piece of another put in."""
    data = bytearray(dice.choice(seeds))
    for _ in range(dice.randint(1, 4)):
        at, length = dice.randint(0, len(data)), dice.randint(0, 8)
        match dice.randrange(4):
            case 0:
                data[at : at + length] = dice.randbytes(length)
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = data[at : at + length]
            case _:
                other = dice.choice(seeds)
                start = dice.randint(0, len(other))
                data[at:at] = other[start : start + 4 * length]
    if len(data) >= 4 and dice.random() < 0.7:
        data[0:4] = len(data).to_bytes(4, "big")  # or few would come past the first check of a PDU
    return bytes(data)


@pytest.mark.parametrize("name", HARNESSES)
def test_what_was_found_once_is_never_found_again(name: str) -> None:
    seeds = kept(name)
    assert len(seeds) >= 5
    for seed in seeds:
        HARNESSES[name](seed)


@pytest.mark.parametrize("name", HARNESSES)
def test_mutants_of_the_corpus_find_nothing(name: str) -> None:
    seeds, dice = kept(name), random.Random(f"stopwire {name}")
    for _ in range(MUTANTS):
        data = mutant(seeds, dice)
        try:
            HARNESSES[name](data)
        except Exception as error:
            pytest.fail(f"{name} fails on {data.hex()}: {error!r}. Keep it in tests/fuzz/corpus/{name}/ and mend the parser.")


def test_nothing_is_kept_for_nobody() -> None:
    assert sorted(HARNESSES) == sorted(path.name for path in CORPUS.iterdir())
