"""The rooms about services, blocks and review: light, and with hostile words. test_every_page.py looks at them in every way."""


import pytest

from tests.console.conftest import Visit
from tests.console.test_base import HOSTILE
from tests.gateway import Gateway

PERSON = "+14155557001"


@pytest.fixture(scope="module")
def paths(gateway: Gateway) -> list[str]:
    """The pages, with something on each."""
    gateway.client().messages.create(to=PERSON, from_="+14155550122", body="Sale ends tonight. Reply STOP to end")
    for body in ("hello", "please stop texting me", "stop"):
        gateway.phone(PERSON).text(body, to="+14155550122")
    policy = gateway.http.get(f"/api/v1/services/{gateway.service}/opt-out").json()
    spanish = {"stop": {"keywords": ["ALTO", "BAJA"], "reply": "No recibirá más mensajes. Responda START para volver."}}
    saved = gateway.http.put(f"/api/v1/services/{gateway.service}/opt-out", json={**policy, "countries": {"MX": {"languages": {"es": spanish}}}})
    assert 200 == saved.status_code, saved.text
    done = gateway.http.post(
        "/api/v1/blocks/import", content="recipient\n+14155557002\nnobody\n", headers={"Content-Type": "text/csv"}
    )
    block = gateway.http.get("/api/v1/blocks", params={"recipient": PERSON}).json()["items"][0]["id"]
    one = f"/console/services/{gateway.service}"
    return [
        "/console/services", "/console/services/new", one, f"{one}/settings", f"{one}/webhooks", f"{one}/sending",
        f"{one}?step=2", f"/console/services/new?from={gateway.service}", f"{one}/opt-out", f"{one}/opt-out/versions?from=1&to=2",
        "/console/blocks", "/console/blocks/new", f"/console/blocks/lift?id={block}", "/console/imports", "/console/imports/new",
        f"/console/imports/{done.json()['id']}", f"/console/recipients/{PERSON}", "/console/review", "/console/review?state=dismissed",
    ]  # fmt: skip


def test_every_page_is_light(visit: Visit, paths: list[str]) -> None:
    sizes = "performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource')).map(e => e.decodedBodySize)"
    for path in paths:
        assert sum(visit.see(path).evaluate(sizes)) < 150_000, path


def test_hostile_words_stay_words(visit: Visit, gateway: Gateway) -> None:
    visit.page.add_init_script("window.hurt = 0; window.alert = () => { window.hurt += 1 }")
    for place, body in enumerate(HOSTILE):
        person = f"+1415555{7100 + place}"
        gateway.phone(person).text(f"{body} stop texting me", to="+14155550122")
        gateway.http.post("/api/v1/blocks", json={"recipient": person, "scope": gateway.service, "note": body})
    made = gateway.client().messaging.v1.services.create(friendly_name="<img src=x onerror=alert(1)>")
    policy = gateway.http.get(f"/api/v1/services/{made.sid}/opt-out").json()
    policy["standard"]["help"]["reply"] = "</textarea><script>alert(1)</script>"
    policy["standard"]["stop"]["keywords"] += ["<B>X", "\"'><SVG/ONLOAD=ALERT(1)>"]
    assert 200 == gateway.http.put(f"/api/v1/services/{made.sid}/opt-out", json=policy).status_code
    one = f"/console/services/{made.sid}"
    pages = ["/console/services", "/console/blocks", "/console/review", "/console/recipients/%2B14155557100"]
    for path in (*pages, one, f"{one}/opt-out", f"{one}/opt-out/versions?from=1&to=2"):
        page = visit.see(path)
        assert 0 == page.evaluate("window.hurt")
        assert 0 == page.locator("main script, main img, main svg[onload]").count(), path
