"""A house with something on every page: what tests over all pages walk through, one address for each route that shows one."""

from collections.abc import Mapping

from starlette.routing import Route

from stopwire.console.analytics import PLOTS
from stopwire.console.app import ROOMS
from stopwire.core.alerts import Alert, Kind, State
from tests.gateway import Gateway, eventually

PERSON, STOPPED, ERASED = "+14155557001", "+14155557003", "+14155557004"
LONE, POOLED = "+14155550122", "+14155550100"
NO_PAGES = {  # routes that show no page: a stream, a picture, a file, a redirect to a page that is here
    "/console/sign-in", "/console/events", "/console/settings", "/console/messages/{sid}.json", "/console/messages/{sid}/raw",
    "/console/messages/{sid}/test.py", "/console/inspector/{account}", "/console/services/{service}/opt-out/export.{ending}",
    "/console/services/{service}/opt-out/draft", "/console/services/{service}/opt-out/import",
    "/console/services/{service}/opt-out/keep-exact", "/console/services/{service}/opt-out/publish", "/console/review/{id}",
}  # fmt: skip


def shown_routes() -> list[str]:
    """The path of every route that shows a page. Its twins end in .json and .csv, and are none."""
    routes = [route for room in ROOMS for route in room.routes if isinstance(route, Route) and "GET" in (route.methods or ())]
    return [r.path for r in routes if r.path not in NO_PAGES and not r.path.endswith((".json", ".csv", ".svg"))]


def tables() -> list[str]:
    """The path of every route whose page is a table with twins."""
    paths = {route.path for room in ROOMS for route in room.routes if isinstance(route, Route)}
    return [path for path in shown_routes() if f"{path}.json" in paths and f"{path}.csv" in paths]


def fire(gateway: Gateway) -> None:
    """Let an alert fire."""
    account, now = gateway.account_sid, gateway.world.clock.now()
    alert = Alert(
        id=gateway.world.ids.sid("AL"), account=account, kind=Kind.OPT_OUT_RATE, subject="", state=State.FIRING, since=now,
        figures={"stops": 42, "delivered": 1200, "rate": "3.5"},
    )  # fmt: skip
    gateway.run(gateway.world.store.write(lambda tx: tx.alerts.add(alert), account=account))


def inhabit(gateway: Gateway) -> Mapping[str, str]:
    """Let things happen; the address of each route's page."""
    api, client = gateway.http, gateway.client()
    assert 404 == api.get("/api/v1/senders/nobody").status_code  # stands among the requests that were refused
    hook = f"{gateway.url}/console/inspector/{gateway.account_sid}"
    assert 200 == api.patch(f"/api/v1/senders/{gateway.sender(LONE)}", json={"sms_url": hook}).status_code
    sent = client.messages.create(to=PERSON, from_=LONE, body="Sale ends tonight. Reply STOP to end")
    client.messages.create(to=ERASED, from_=LONE, body="You will be forgotten")
    for body in ("hello", "please stop texting me"):
        gateway.phone(PERSON).text(body, to=LONE)
    gateway.phone(STOPPED).text("stop", to=POOLED)
    api.post("/api/v1/messages", json={"service": gateway.service, "body": "Sale", "recipients": [{"to": STOPPED}, {"to": PERSON}]})
    policy = api.get(f"/api/v1/services/{gateway.service}/opt-out").json()
    spanish = {"stop": {"keywords": ["ALTO", "BAJA"], "reply": "No recibirá más mensajes. Responda START para volver."}}
    saved = api.put(f"/api/v1/services/{gateway.service}/opt-out", json={**policy, "countries": {"MX": {"languages": {"es": spanish}}}})
    assert 200 == saved.status_code, saved.text
    made = api.post("/api/v1/blocks/import", content="recipient\n+14155557002\nnobody\n", headers={"Content-Type": "text/csv"}).json()
    block = api.get("/api/v1/blocks", params={"recipient": STOPPED}).json()["items"][0]
    client.new_keys.create(friendly_name="nightly")
    told = eventually(lambda: api.get("/api/v1/webhook-deliveries", params={"state": "delivered"}).json()["items"])
    event = api.get("/api/v1/consent-events", params={"recipient": STOPPED}).json()["items"][0]
    fire(gateway)
    carrier = api.get("/api/v1/carriers").json()["items"][0]["name"]
    one = f"/console/services/{gateway.service}"
    values = {
        "/console/messages/{sid}": sent.sid, "/console/webhooks/deliveries/{id}": told[0]["id"], "/console/developers/errors/{code}": 21610,
        "/console/imports/{id}": made["id"], "/console/senders/{sid}": gateway.sender(LONE), "/console/carriers/{name}": carrier,
        "/console/ledger/{id}": event["id"], "/console/analytics/{plot}": next(iter(PLOTS)),
        "/console/analytics/week/{hour}": 0,
    }  # fmt: skip
    questions = {
        "/console/search": "?q=7001", "/console/blocks/lift": f"?id={block['id']}",
        "/console/simulator": f"?phone=%2B{PERSON[1:]}&phone=%2B525555550101",
        "/console/services/{service}/opt-out/versions": "?from=1&to=2",
    }  # fmt: skip
    pages = {}
    for route in shown_routes():
        path = route.replace("/console/services/{service}", one).replace("{address}", PERSON)
        path = path.replace("{sender}", LONE).replace("{recipient}", PERSON)
        if "{" in path:
            known = next((each for each in values if route == each or route.startswith(f"{each}/")), None)
            assert known is not None, f"{route}: say in inhabit() of which thing it is"
            path = path[: path.index("{")] + str(values[known]) + path[path.index("}") + 1 :]
        pages[route] = path + questions.get(route, "")
    return pages
