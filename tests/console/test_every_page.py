"""Every page in every theme, width and language: axe finds nothing, nothing is cut off, and what must turn with the direction does.

Two themes, three widths and four languages make 24 looks. Each page has two of them, so that it is seen in both themes, two
widths, one true and one pseudo-language; all pages together have all 24. `STOPWIRE_TEST_EVERY_LOOK=1` gives each page all 24, in some ten minutes.
"""

import calendar
import os
from collections.abc import Callable, Mapping
from itertools import product

import pytest
from playwright.sync_api import Page

from stopwire.console.words import MIRRORED, PSEUDO
from tests.console.conftest import Visit
from tests.console.inhabited import inhabit, shown_routes
from tests.gateway import Gateway

THEMES, WIDTHS, LANGUAGES = ("light", "dark"), (360, 768, 1440), ("en", "es", PSEUDO, MIRRORED)
LOOKS = list(product(THEMES, WIDTHS, LANGUAGES))
ALL = os.environ.get("STOPWIRE_TEST_EVERY_LOOK") == "1"


def looks_of(place: int) -> set[tuple[str, int, str]]:
    """The looks of the page at `place` in the list: both themes, two widths, a true language and a pseudo-language."""
    if ALL:
        return set(LOOKS)
    true, pseudo = LANGUAGES[place % 2], LANGUAGES[2 + place // 2 % 2]
    theme, width = place // 4, place // 8
    return {
        (THEMES[theme % 2], WIDTHS[width % 3], true),
        (THEMES[(theme + 1) % 2], WIDTHS[(width + 1) % 3], pseudo),
    }


def test_each_page_is_seen_in_each_theme_width_and_language_and_all_looks_are_had() -> None:
    taken = [looks_of(place) for place in range(len(shown_routes()))]
    for looks in taken:
        themes, widths, languages = (set(each) for each in zip(*looks, strict=True))
        assert (set(THEMES), 2) == (themes, len(widths))
        assert (1, 1) == (len(languages & set(LANGUAGES[:2])), len(languages & set(LANGUAGES[2:])))
    assert set(LOOKS) == set().union(*taken)


@pytest.fixture(scope="module")
def pages(gateway: Gateway) -> Mapping[str, str]:
    return inhabit(gateway)


# What makes a page wider than its window; what scrolls by itself does not.
TOO_WIDE = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return ["the page", ...[...document.querySelectorAll("body *")].filter(each => {
        const box = each.getBoundingClientRect();
        return box.width && (box.right > width + 1 || box.left < -1) && !each.closest(".table-frame, pre");
    }).slice(-2).map(each => each.outerHTML.slice(0, 150))];
}"""

# Arrows that do not turn, and what must not turn but does.
UNTURNED = """() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    for (let node = texts.nextNode(); node; node = texts.nextNode())
        if (/[←→]/.test(node.textContent) && !node.parentElement.closest(".arrow, bdi, code, kbd, pre, option"))
            found.push(node.parentElement.outerHTML.slice(0, 150));
    for (const each of document.querySelectorAll(".arrow"))
        if (each.offsetParent && !getComputedStyle(each).transform.startsWith("matrix(-1")) found.push(each.outerHTML);
    for (const each of document.querySelectorAll(".number bdi, .id bdi, pre, code"))
        if (getComputedStyle(each).direction !== "ltr") found.push(each.outerHTML.slice(0, 150));
    return found;
}"""

# Titles and labels that are the same in every language: nobody can have translated them.
UNTOLD = """() => [...document.querySelectorAll(
        "h1, h2, h3, th, dt, legend, label, summary, main .button, nav.tabs a, nav.side a, .pill:not([lang])")]
    .filter(each => !each.matches(".mono, .mono *"))
    .flatMap(each => [...each.childNodes].filter(node => node.nodeType === 3).map(node => node.textContent.trim()))
    .filter(text => /\\p{L}{3}/u.test(text) && !/[[\\]·]|\\d\\d:\\d\\d/.test(text) && text !== text.toUpperCase())"""
# … as are words in capitals (STOP, POST, JSON), and names; those of countries, languages and days come from the Unicode consortium's tables.
SAME_EVERYWHERE = {"Stopwire", "TwiML", "X-Twilio-Signature", "Node.js", "curl", "Python", "Java", "Ruby", "Mexico", "Spanish", *calendar.day_abbr}


@pytest.mark.slow
@pytest.mark.parametrize(("theme", "width", "language"), LOOKS)
def test_every_page_can_be_used_by_everybody(
    visits: Callable[..., Visit], accessible: Callable[[Page], None], pages: Mapping[str, str], theme: str, width: int, language: str
) -> None:
    visit = visits(color_scheme=theme, viewport={"width": width, "height": 800}).by_link()
    told = {"stopwire_lang": language, "stopwire_zone": "Europe%2FMadrid"}  # without a zone the first page is drawn twice
    visit.context.add_cookies([{"name": name, "value": value, "url": visit.gateway.url} for name, value in told.items()])
    for place, (route, path) in enumerate(pages.items()):
        if (theme, width, language) not in looks_of(place):
            continue
        page = visit.see(path)
        accessible(page)
        assert [] == page.evaluate(TOO_WIDE), route
        assert ("rtl" if language == MIRRORED else "ltr") == page.locator("html").get_attribute("dir")
        if language == MIRRORED:
            assert [] == page.evaluate(UNTURNED), route
        if language == PSEUDO:
            assert set() == set(page.evaluate(UNTOLD)) - SAME_EVERYWHERE, route
        visit.shoot(f"{route.strip('/').replace('/', '-')}-{theme}-{width}-{language}")
