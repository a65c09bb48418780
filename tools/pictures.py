"""Take the pictures of the console in docs/images/ anew: `python tools/pictures.py`.

It starts a demo gateway in an empty folder, plays a morning of texts, and photographs its pages in Chromium. The
pictures change with every run, for they show times and ids; take new ones when a page has changed.
"""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
WIDTH = 1240
BYTES_MAX = 150_000
START_SECONDS = 30.0

SERVICE = "Cafe Sol"
POLICY: dict[str, Any] = {
    "enabled": True,
    "matching": "natural",
    "standard": {
        "stop": {"reply": "Cafe Sol: you are unsubscribed and will get no more messages. Reply START to come back."},
        "start": {"reply": "Cafe Sol: welcome back. Reply HELP for help, STOP to unsubscribe."},
        "help": {"reply": "Cafe Sol: news of your table. Write to hello@example.com. Reply STOP to unsubscribe."},
    },
    "languages": {
        "es": {
            "stop": {"keywords": ["BAJA", "CANCELAR"], "reply": "Cafe Sol: no le escribiremos mas. Responda START para volver."},
            "help": {"keywords": ["AYUDA"], "reply": "Cafe Sol: escriba a hola@example.com. Responda STOP para no recibir mas."},
        }
    },
    "countries": {
        "MX": {
            "languages": {
                "es": {"stop": {"keywords": ["ALTO"], "reply": "Cafe Sol Mexico: no le escribiremos mas. Responda START para volver."}}
            }
        }
    },
}
# who, what they are told, what they say then
MORNING = (
    ("+14155550102", "Your table for two is ready.", "Thank you!"),
    ("+14155550103", "Fresh croissants until noon.", "please take me off your list"),
    ("+14155550105", "Fresh croissants until noon.", "STPO"),
    ("+525512345678", "Su mesa está lista.", "¡Alto!"),
    ("+14155550106", "Your table for six is ready.", "HELP"),
    ("+14155550107", "Fresh croissants until noon.", "stop"),
    ("+14155550107", "Open on Sunday, too.", None),
    ("+14155550108", "Fresh croissants until noon.", "See you on Sunday"),
)


class Gateway:
    """A demo gateway, spoken to as an application does."""

    def __init__(self, told: dict[str, str]) -> None:
        self.sid, self.console = told["account_sid"], told["console_url"]
        self.http = httpx.Client(base_url=told["api_base"], auth=(told["account_sid"], told["auth_token"]), timeout=30)

    def service(self) -> str:
        """A messaging service with a policy of its own; its SID."""
        found = self.http.post("/v1/Services", data={"FriendlyName": SERVICE}).json()
        numbers = self.http.get(f"/2010-04-01/Accounts/{self.sid}/IncomingPhoneNumbers.json").json()["incoming_phone_numbers"]
        for number in numbers:
            if number["phone_number"] in ("+14155550122", "+525555550100"):
                self.http.post(f"/v1/Services/{found['sid']}/PhoneNumbers", data={"PhoneNumberSid": number["sid"]}).raise_for_status()
        self.http.put(f"/api/v1/services/{found['sid']}/opt-out", json=POLICY).raise_for_status()
        return str(found["sid"])

    def send(self, to: str, body: str, service: str) -> None:
        self.http.post(
            f"/2010-04-01/Accounts/{self.sid}/Messages.json", data={"MessagingServiceSid": service, "To": to, "Body": body}
        )

    def text(self, person: str, body: str) -> str:
        """The person answers the last sender that wrote to them; the SID of the text."""
        phone = f"/api/v1/simulator/phones/{quote(person)}/messages"
        until = time.monotonic() + 10
        while not (items := [item for item in self.http.get(phone).json()["items"] if item["direction"] == "in"]):
            assert time.monotonic() < until, f"{person} got no text"
            time.sleep(0.05)
        answer = self.http.post(phone, json={"to": items[-1]["peer"], "body": body})
        return str(answer.raise_for_status().json()["message_sid"])


@contextmanager
def demo(folder: Path) -> Iterator[Gateway]:
    command = [sys.executable, "-m", "stopwire", "up", "--demo", "--quiet", "--port", "0", "--data-dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    credentials = folder / "credentials.json"
    until = time.monotonic() + START_SECONDS
    try:
        while not credentials.exists():
            assert process.poll() is None and time.monotonic() < until, "the gateway did not start"
            time.sleep(0.05)
        gateway = Gateway(json.loads(credentials.read_text()))
        while gateway.http.get("/readyz").status_code != 200:
            time.sleep(0.05)
        yield gateway
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=START_SECONDS)


def keep(page: Page, name: str, *, height: int) -> None:
    """The top of the page as a picture."""
    page.set_viewport_size({"width": WIDTH, "height": height})
    page.evaluate("() => { document.activeElement.blur(); window.scrollTo(0, 0) }")
    page.mouse.move(WIDTH - 1, height - 1)
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    size = path.stat().st_size
    assert size <= BYTES_MAX, f"{path} has {size} bytes, and may have {BYTES_MAX}"
    print(f"{path.relative_to(IMAGES.parents[1])}: {size} bytes")


def play(page: Page, gateway: Gateway) -> None:
    """Ann is written to, says STOP, and an application that goes on is refused."""
    page.goto("/console/simulator?phone=%2B14155550101")
    application, trace = page.get_by_role("region", name="As your application"), page.get_by_role("region", name="Trace")
    ann = page.locator(".handset").first
    application.get_by_label("From").select_option("+14155550100")
    application.get_by_label("Text").fill("Sale ends tonight. Reply STOP to end")
    application.get_by_role("button", name="Send").click()
    ann.get_by_role("log").get_by_text("Sale ends tonight").wait_for()
    ann.get_by_label("Text", exact=True).fill("Stop!")
    ann.get_by_role("button", name="Send", exact=True).click()
    ann.get_by_role("log").get_by_text("automatic reply").wait_for()
    trace.get_by_text("handed to simulator").wait_for()
    page.wait_for_timeout(1500)  # for the report of the reply


def main() -> int:
    assert CHROMIUM, "the pictures need Chromium: on Debian, apt-get install chromium"
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, demo(Path(folder)) as gateway, sync_playwright() as playwright:
        service = gateway.service()
        for person, told, says in MORNING:
            gateway.send(person, told, service)
            if says:
                gateway.text(person, says)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--headless", "--no-sandbox", "--disable-gpu"])
        page = browser.new_context(
            base_url=str(gateway.http.base_url),
            viewport={"width": WIDTH, "height": 900},
            color_scheme="light",
            timezone_id="Europe/Madrid",
            locale="en-US",
        ).new_page()
        page.goto(gateway.console)
        play(page, gateway)
        keep(page, "simulator", height=900)
        page.get_by_role("region", name="Trace").get_by_role("link", name="Explain").click()
        page.get_by_role("heading", name="Timeline").wait_for()
        keep(page, "message", height=900)
        page.goto("/console/")
        page.get_by_role("heading", name="Live").wait_for()
        keep(page, "home", height=900)
        page.goto(f"/console/services/{service}/opt-out")
        keep(page, "opt-out", height=900)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
