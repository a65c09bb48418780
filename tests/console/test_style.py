"""The one style sheet and the one script: small, in tokens, and legible in both themes."""

import re
from pathlib import Path

import pytest

from stopwire import console
from stopwire.console.render import FAMILIES

STATIC = Path(console.__file__).parent / "static"
CSS, JS = (STATIC / "console.css").read_text(), (STATIC / "console.js").read_text()
TOKENS = CSS.partition("/* Text */")[0]


def tokens(theme: str) -> dict[str, str]:
    found = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{3,6}), (#[0-9a-f]{3,6})\);", TOKENS)
    return {name: light if theme == "light" else dark for name, light, dark in found}


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


FAMILY_NAMES = ("good", "move", "stop", "wait", "bad", "idle")
PAIRS = [(family, f"{family}-t", 5.4, 7.0) for family in FAMILY_NAMES]
PAIRS += [(text, ground, 4.5, 4.5) for text in ("text", "text-2", "accent") for ground in ("bg", "surface", "sunken")]
PAIRS += [("on-accent", "accent", 4.5, 4.5), ("edge", "surface", 3.0, 3.0), ("edge", "bg", 3.0, 3.0), ("text", "ours", 4.5, 4.5)]
PAIRS += [(family, ground, 4.5, 4.5) for family in FAMILY_NAMES for ground in ("bg", "surface")]
PAIRS += [("text", "h3", 4.5, 4.5), ("on-h5", "h5", 4.5, 4.5), ("h-on", "h6", 4.5, 4.5), ("h-on", "h7", 4.5, 4.5)]


@pytest.mark.parametrize(("front", "back", "light", "dark"), PAIRS)
def test_every_pair_of_colours_can_be_read(front: str, back: str, light: float, dark: float) -> None:
    for theme, least in (("light", light), ("dark", dark)):
        found = tokens(theme)
        assert contrast(found[front], found[back]) >= least, f"{front} on {back}, {theme}"


def test_no_colour_stands_outside_the_tokens() -> None:
    rest = CSS.partition("/* Text */")[2]
    assert [] == re.findall(r"[:\s](#[0-9a-f]{3,8}|rgb[^;]*|hsl[^;]*)(?=[;\s}])", rest)


def test_only_logical_properties_are_used() -> None:
    found = re.findall(r"[\s{;](margin-left|margin-right|padding-left|padding-right|left|right|text-align: (?:left|right)|float)\s*:", CSS)
    assert [] == found


def test_the_files_keep_their_size() -> None:
    assert len(CSS.encode()) <= 40_000
    assert len(JS.encode()) <= 20_000


def test_the_script_parses_only_what_the_server_made() -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|setAttribute\(\"on", JS)
    assert 1 == JS.count("createPolicy(")


def test_every_state_has_a_glyph_and_no_two_families_share_one() -> None:
    owners: dict[str, set[str]] = {}
    for family, glyph in FAMILIES.values():
        owners.setdefault(glyph, set()).add(family)
    assert {} == {glyph: families for glyph, families in owners.items() if len(families) > 1}
