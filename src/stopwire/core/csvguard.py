"""Cells of a CSV file that a spreadsheet would run as a formula: disarmed on the way out, restored on the way in.

A number in E.164 begins with a plus and is left as it is: it is what the file is for.
"""

import re

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def guard(cell: str) -> str:
    """`cell` as it may stand in a file that somebody opens in a spreadsheet."""
    return f"'{cell}" if _is_formula(cell) else cell


def unguard(cell: str) -> str:
    """What `guard` made `cell` of. An apostrophe before anything else is the writer's own and stays."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell[1:]) else cell


def _is_formula(cell: str) -> bool:
    # A guarded cell is guarded again, so that reading takes off exactly what writing put on.
    return (cell.startswith(_STARTS) and _E164.fullmatch(cell) is None) or (cell.startswith("'") and _is_formula(cell[1:]))
