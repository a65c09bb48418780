"""How quick the console is with a long past: when a page is first painted, what it weighs, and what a search takes.

`python bench/console.py` needs Chromium and the packages of the tests. It makes a store with a million messages and as
many blocks, starts a gateway on it, and looks at each page several times as a signed-in person with an empty cache.
"""

import argparse
import http.client
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import fill
from gateway import ACCOUNT, Stopwire, authorization, started
from parts import SENDER
from playwright.sync_api import Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PAINT_MS_MAX, SEARCH_MS_MAX, WEIGHT_KB_MAX = 300, 200, 100

PAGES = {
    "Home": "/console/",
    "Messages": "/console/messages",
    "Block list": "/console/blocks",
    "Review": "/console/review",
    "Analytics": "/console/analytics",
    "Services": "/console/services",
    "Ledger": "/console/ledger",
    "Carriers": "/console/carriers",
}


def main() -> None:
    options = _options()
    if not CHROMIUM:
        raise SystemExit("The pages are looked at in Chromium: on Debian, apt-get install chromium.")
    folder = options.folder or Path(tempfile.mkdtemp(prefix="stopwire-bench-", dir=options.disk))
    try:
        if not (folder / "data" / "stopwire.db").exists():
            make(folder, options.count, options.days)
        with started(folder, workers=0) as gateway, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            context = browser.new_context(base_url=f"http://127.0.0.1:{gateway.port}", viewport={"width": 1280, "height": 800})
            page = context.new_page()
            page.goto(_link(gateway))
            look(page, gateway, options.runs)
            browser.close()
    finally:
        if options.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


def make(folder: Path, count: int, days: int) -> None:
    """A store with `count` messages and as many blocks in `folder`, spread over the last `days`."""
    with started(folder, workers=0) as gateway:
        _form(gateway, "IncomingPhoneNumbers", {"PhoneNumber": SENDER})
        _form(gateway, "Messages", {"From": SENDER, "To": "+14155550117", "Body": "Your parcel is on its way."})
        time.sleep(1)
    for name, write in (("messages", fill.messages), ("blocks", fill.blocks)):
        began = time.monotonic()
        write(folder / "data", count, days=days)
        print(f"{count:,} {name} written in {time.monotonic() - began:.0f} s", flush=True)


def look(page: Page, gateway: Stopwire, runs: int) -> None:
    """Print a line a page and a line a search: the median of `runs`, beside its goal."""
    print(f"{'page':34} {'first paint':>12} {'answer':>10} {'weight':>9} {'requests':>9}")
    for name, path in PAGES.items():
        seen = [_visit(page, path) for _ in range(runs)]
        paint, answer = (statistics.median(each[what] for each in seen) for what in ("paint", "answer"))
        weight = max(each["bytes"] for each in seen) / 1000
        late = "" if paint < PAINT_MS_MAX and weight <= WEIGHT_KB_MAX else "  over its goal"
        print(f"{name:34} {paint:9.0f} ms {answer:7.0f} ms {weight:6.0f} kB {max(each['requests'] for each in seen):9}{late}", flush=True)
    cookie = "; ".join(f"{each['name']}={each['value']}" for each in page.context.cookies())
    for name, path in _searches(gateway).items():
        took = []
        for _ in range(runs):
            status, ms = _get(gateway, path, cookie)
            took.append(ms)
        middle = statistics.median(took)
        late = "" if middle < SEARCH_MS_MAX and status in (200, 303) else f"  over its goal, answered {status}"
        print(f"{name:34} {'':12} {middle:7.0f} ms{late}", flush=True)


def _searches(gateway: Stopwire) -> dict[str, str]:
    sid = gateway.call("GET", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?PageSize=1")["messages"][0]["sid"]
    number = next(fill.numbers(1))
    asked: dict[str, Callable[[], str]] = {
        "search: a SID": lambda: f"/console/search?q={sid}",
        "search: a whole number": lambda: f"/console/search?q={quote(number)}",
        "search: last digits": lambda: f"/console/search?q={number[-6:]}",
        "messages: a SID": lambda: f"/console/messages?q={sid}",
        "messages: to a whole number": lambda: _q(f"to:{number}"),
        "messages: last digits": lambda: _q(number[-6:]),
        "messages: a pattern": lambda: _q("to:+1628*"),
        "messages: text that is there": lambda: _q("parcel"),
        "messages: text that is rare": lambda: _q('"parcel 77 "'),
        "messages: text that is nowhere": lambda: _q("umbrella"),
        "messages: failed": lambda: _q("status:failed"),
        "messages: a code": lambda: _q("code:30003"),
        "messages: refused": lambda: _q("status:refused"),
        "messages: STOP": lambda: _q("keyword:STOP"),
        "messages: until 20 days ago": lambda: _q("until:20d"),
        "blocks: a whole number": lambda: f"/console/blocks?q={quote(number)}",
        "blocks: last digits": lambda: f"/console/blocks?q={number[-4:]}",
        "blocks: digits of nobody": lambda: "/console/blocks?q=0000000",
        "blocks: a reason": lambda: "/console/blocks?reason=keyword",
        "ledger: an act": lambda: "/console/ledger?act=opt_in",
    }
    return {name: path() for name, path in asked.items()}


def _q(query: str) -> str:
    return "/console/messages?" + urlencode({"q": query})


def _visit(page: Page, path: str) -> dict[str, float]:
    """One look with an empty cache."""
    tools = page.context.new_cdp_session(page)
    tools.send("Network.enable")
    tools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    seen = {"bytes": 0.0, "requests": 0}
    tools.on("Network.loadingFinished", lambda event: seen.update(bytes=seen["bytes"] + event["encodedDataLength"]))
    tools.on("Network.requestWillBeSent", lambda event: seen.update(requests=seen["requests"] + 1))
    answer = page.goto(path, wait_until="load")
    if answer is None or answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status if answer else 'nothing'}.")
    told = page.evaluate(
        """async () => {
            const until = performance.now() + 10000;
            let paint;
            while (!(paint = performance.getEntriesByName("first-contentful-paint")[0]) && performance.now() < until)
                await new Promise(wake => setTimeout(wake, 10));
            return {paint: paint.startTime, answer: performance.getEntriesByType("navigation")[0].responseEnd};
        }"""
    )
    tools.detach()
    return {**seen, **told}


def _get(gateway: Stopwire, path: str, cookie: str) -> tuple[int, float]:
    link = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
    began = time.monotonic()
    link.request("GET", path, headers={"Cookie": cookie})
    answer = link.getresponse()
    answer.read()
    took = (time.monotonic() - began) * 1000
    link.close()
    return answer.status, took


def _form(gateway: Stopwire, noun: str, fields: dict[str, str]) -> None:
    link = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    headers = {"Authorization": f"Basic {authorization()}", "Content-Type": "application/x-www-form-urlencoded"}
    link.request("POST", f"/2010-04-01/Accounts/{ACCOUNT}/{noun}.json", body=urlencode(fields), headers=headers)
    answer = link.getresponse()
    text = answer.read().decode()
    link.close()
    if answer.status != 201:
        raise RuntimeError(f"{noun} answered {answer.status}: {text[:500]}")


def _link(gateway: Stopwire) -> str:
    command = [sys.executable, "-m", "stopwire", "account", "sign-in", "--json", "--data-dir", str(gateway.data_dir)]
    told: dict[str, Any] = json.loads(subprocess.check_output(command))
    return str(told["console_url"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000, help="messages, and blocks")
    parser.add_argument("--days", type=int, default=28, help="that they are spread over")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--disk", default="/var/tmp", help="where the store is made, and removed at the end")
    parser.add_argument("--folder", type=Path, help="a folder whose store is kept, and used again when it is there")
    return parser.parse_args()


if __name__ == "__main__":
    main()
