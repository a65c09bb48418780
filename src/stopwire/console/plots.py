"""Charts as SVG, drawn by the server: columns over time, bars beside their names, and a funnel. Values in, text out.

A chart is shown by `<img>`, so it carries its own colours, one file a theme and width. Bars start at zero; every chart
stands beside its table.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

SIZES = {"narrow": (320, 220), "half": (552, 240), "wide": (1120, 280)}
BAR_HEIGHT = 26  # of one bar and its name
LETTER_WIDTH = 7  # of a letter of 12 pixels, on the safe side
PALE = ' opacity=".35"'
CSP = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
# Text, quiet text, rules, and the series in their order; as in the style sheet.
THEMES = {
    "light": ("#1b1b18", "#54544d", "#d8d8d0", ("#1d4fbf", "#a8500f", "#146c2e", "#7a2a8c", "#0e6b70", "#54544d")),
    "dark": ("#ecece6", "#b4b5ab", "#3a3b36", ("#8fb4ff", "#f5a86b", "#7fd695", "#dba3e8", "#6fd0d2", "#b4b5ab")),
}
FACES = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', Arial, sans-serif"
STOP = 3  # the series that has the colour of an opt-out


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One column or bar. `told`: its value in words; None as value where there is nothing to divide by.

    `faint`: it rests on too little; it is drawn pale, and the scale does not follow it.
    """

    name: str
    value: float | None
    told: str = ""
    detail: str = ""
    faint: bool = False
    series: int | None = None  # its colour, where it has one of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    theme: str = "light"
    size: str = "half"

    @property
    def width(self) -> int:
        return SIZES[self.size][0]

    @property
    def height(self) -> int:
        return SIZES[self.size][1]

    @property
    def narrow(self) -> bool:
        return self.size == "narrow"


def paper_of(asked: Mapping[str, str]) -> Paper:
    """The theme and the size that an address asks for, where there are such."""
    theme, size = asked.get("theme", ""), asked.get("size", "")
    return Paper(theme=theme if theme in THEMES else "light", size=size if size in SIZES else "half")


def columns(points: Sequence[Point], paper: Paper, *, series: int = STOP, line: tuple[float, str] | None = None) -> str:
    """Columns side by side, with ticks at round values; `line`: a value drawn across, and its name."""
    text, quiet, rule, colours = THEMES[paper.theme]
    left, right, top, bottom = 44, 8, 22, 28
    width, height = paper.width - left - right, paper.height - top - bottom
    ticks = ticks_to(max(_most(points), line[0] if line else 0))
    most = ticks[-1]
    drawn = []
    for tick in ticks:
        y = top + height - height * tick / most
        drawn.append(f'<path d="M{left} {y:.1f}H{paper.width - right}" stroke="{rule}"/>')
        drawn.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end" fill="{quiet}">{tick:g}</text>')
    step = width / max(1, len(points))
    bar = max(1.0, min(28.0, step * 0.72))
    named = max(1, -(-len(points) // (4 if paper.narrow else 8)))
    for place, point in enumerate(points):
        x = left + step * place + (step - bar) / 2
        tall = height * min(point.value or 0, most) / most
        if tall:
            drawn.append(
                f'<rect x="{x:.1f}" y="{top + height - tall:.1f}" width="{bar:.1f}" height="{tall:.1f}" rx="{min(2.0, bar / 4):.1f}" '
                f'fill="{colours[series]}"{PALE if point.faint else ""}><title>{escape(f"{point.name}: {point.told}")}</title></rect>'
            )
        if place % named == 0:
            drawn.append(f'<text x="{x + bar / 2:.1f}" y="{paper.height - 8}" text-anchor="middle" fill="{quiet}">{escape(point.name)}</text>')
    if line is not None:
        y = top + height - height * line[0] / most
        drawn.append(f'<path d="M{left} {y:.1f}H{paper.width - right}" stroke="{text}" stroke-dasharray="4 3"/>')
        drawn.append(f'<text x="{paper.width - right}" y="10" text-anchor="end" fill="{quiet}">– – {escape(line[1])}</text>')
    return _svg(paper, drawn, height=paper.height)


def bars(points: Sequence[Point], paper: Paper, *, series: int = STOP, names: int = 150) -> str:
    """Bars below one another, each with its name before it and its value at its end."""
    text, quiet, _, colours = THEMES[paper.theme]
    left = min(names, 110) if paper.narrow else names
    room = paper.width - left - (124 if paper.narrow else 150)
    most = _most(points) or 1
    drawn = []
    for place, point in enumerate(points):
        y, long = BAR_HEIGHT * place + 4, room * min(point.value or 0, most) / most
        fits = left // LETTER_WIDTH
        name = point.name if len(point.name) <= fits else point.name[: fits - 1] + "…"
        drawn.append(f'<text x="{left - 8}" y="{y + 14}" text-anchor="end" fill="{text}">{escape(name)}</text>')
        colour, pale = colours[series if point.series is None else point.series], PALE if point.faint else ""
        drawn.append(f'<rect x="{left}" y="{y}" width="{max(long, 1):.1f}" height="18" rx="2" fill="{colour}"{pale}/>')
        drawn.append(f'<text x="{left + max(long, 1) + 6:.1f}" y="{y + 14}" fill="{text}">{escape(point.told)}')
        if point.detail and not paper.narrow:
            drawn.append(f'<tspan fill="{quiet}"> {escape(point.detail)}</tspan>')
        drawn.append("</text>")
    return _svg(paper, drawn, height=BAR_HEIGHT * max(1, len(points)) + 4)


def _most(points: Sequence[Point]) -> float:
    """What the scale reaches to: the largest value that rests on enough, if any does."""
    sure = [point.value or 0 for point in points if not point.faint]
    return max(sure, default=0) or max((point.value or 0 for point in points), default=0)


def ticks_to(value: float) -> list[float]:
    """Round values from zero to at least `value`, three to six of them."""
    if value <= 0:
        return [0, 1]
    size = 10.0 ** math.floor(math.log10(value))
    step = next(size * part for part in (0.2, 0.25, 0.5, 1, 2, 2.5, 5) if size * part * 5 >= value)
    ticks, at = [0.0], 0.0
    while at < value:
        at += step
        ticks.append(round(at, 9))
    return ticks


def _svg(paper: Paper, drawn: Sequence[str], *, height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {paper.width} {height}" width="{paper.width}" height="{height}" '
        f'font-family="{escape(FACES)}" font-size="12" fill="none">{"".join(drawn)}</svg>'
    )
