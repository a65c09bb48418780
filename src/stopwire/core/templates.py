"""Templates of a batch: `{{name}}` filled from one recipient's variables. What is filled in is never looked at again."""

import re
from collections.abc import Mapping

_PLACE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*\}\}")


def names(template: str) -> tuple[str, ...]:
    """The variables that `template` asks for, each once, in order."""
    return tuple(dict.fromkeys(_PLACE.findall(template)))


def fill(template: str, variables: Mapping[str, str]) -> str:
    """`template` with every variable put in. KeyError where one is missing: ask `names` first."""
    return _PLACE.sub(lambda place: variables[place[1]], template)
