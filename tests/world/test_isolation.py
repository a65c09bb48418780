"""Accounts are strangers: whatever one asks with another's SIDs is answered as if they had been made up.

Every route of both APIs is asked, found by listing the routes themselves, so that a new one cannot be forgotten.
"""

import base64
import contextlib
import itertools
import re
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import quote

import httpx
import pytest
from fastapi.routing import APIRoute

from stopwire.api.app import PREFIX, ROOMS
from stopwire.core.alerts import Alert, Kind, State
from stopwire.core.senders import Webhook
from stopwire.ports.house import House
from stopwire.twilio_api import app as twilio_app
from stopwire.twilio_api import registrations
from tests import arrange
from tests.gateway import Gateway, eventually
from tests.webhook_server import WebhookServer

ALONE, MEMBER = "+14155550122", "+14155550100"
ANN, BEN, CID = "+14155550901", "+14155550902", "+14155550903"
SECRET = "the owner's secret"  # in every text of the owner
KEY = {"Idempotency-Key": "an application's first"}
METHODS = ("GET", "POST", "DELETE", "PUT", "PATCH")
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 40).decode()


@dataclass
class Owner:
    """What the first account has: for each kind of thing the SIDs or names that a stranger might have come by."""

    account: str
    things: dict[str, list[str]] = field(default_factory=dict)

    @property
    def sids(self) -> list[str]:
        return [sid for kind, sids in self.things.items() if kind != "address" for sid in sids]


@dataclass
class Stranger:
    """Another account, with a service and a number of its own."""

    account: str
    http: httpx.Client
    service: str = ""
    number: str = ""


@pytest.fixture(scope="module")
def web() -> Iterator[WebhookServer]:
    server = WebhookServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def owner(gateway: Gateway, web: WebhookServer) -> Owner:
    """The first account, with something of every kind."""
    http, client, service = gateway.http, gateway.client(), gateway.service
    arrange.policy(gateway, service)
    client.messaging.v1.services(service).short_codes.create(short_code_sid=gateway.sender("72345"))
    arrange.sender(gateway, ALONE, webhook=Webhook(url=web.url("/owner")))
    ann, ben, cid = gateway.phone(ANN), gateway.phone(BEN), gateway.phone(CID)

    orders = f"/2010-04-01/Accounts/{gateway.account_sid}/Messages.json"
    order = {"From": ALONE, "To": ANN, "Body": SECRET, "MediaUrl": "https://example.com/a.png"}
    sent = client.messages(http.post(orders, data=order, headers=KEY).json()["sid"]).fetch()
    client.messages(sent.sid).feedback.create(outcome="confirmed")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    scheduled = client.messages.create(messaging_service_sid=service, to=CID, body=SECRET, schedule_type="fixed", send_at=tomorrow)
    picture = {"content_type": "image/png", "base64": PIXEL}
    heard = ann.text(SECRET, to=ALONE, media=[picture])["message_sid"]
    ben.text("STOP", to=ALONE)
    refused = http.post(orders, data={"From": ALONE, "To": BEN, "Body": SECRET})
    assert 21610 == refused.json()["code"]
    cid.text("please stop texting me", to=MEMBER)
    key = client.new_keys.create(friendly_name=SECRET)
    client.accounts.v1.safelist.create(phone_number=CID)
    block = http.post("/api/v1/blocks", json={"recipient": CID, "scope": "+18885550100", "note": SECRET})
    assert 201 == block.status_code
    imported = http.post("/api/v1/blocks/import?scope=72345", content=f"recipient\n{CID}\n", headers={"Content-Type": "text/csv"})
    assert (201, "done") == (imported.status_code, imported.json()["state"])
    eventually(lambda: client.messages(sent.sid).fetch().status == "delivered")
    web.wait("/owner", 2)
    eventually(lambda: all(each["state"] == "delivered" for each in _items(http, "webhook-deliveries")))

    alert = Alert(
        id=f"AL{secrets.token_hex(16)}", account=gateway.account_sid, kind=Kind.WEBHOOK_AGE, subject="", state=State.FIRING,
        since=datetime.now(UTC), figures={"waiting": 1, "minutes": 20, "note": SECRET},
    )  # fmt: skip
    gateway.run(gateway.world.store.write(lambda tx: tx.alerts.add(alert), account=gateway.account_sid))

    media = client.messages(heard).media.list()
    arrange.settings(gateway, media_auth="basic")  # else whoever has a link may see the picture
    return Owner(
        account=gateway.account_sid,
        things={
            "account": [gateway.account_sid],
            "service": [service],
            "sender": [gateway.sender(each) for each in (ALONE, MEMBER, "72345", "whatsapp:+14155550190")],
            "message": [sent.sid, heard, scheduled.sid],
            "media": [each.sid for each in media],
            "key": [key.sid],
            "event": [each["id"] for each in _items(http, "consent-events")],
            "refusal": [each["id"] for each in _items(http, "refusals")],
            "suggestion": [each["id"] for each in _items(http, "suggestions")],
            "delivery": [each["id"] for each in _items(http, "webhook-deliveries")],
            "import": [imported.json()["id"]],
            "alert": [alert.id],
            "address": [ANN, BEN, CID],
        },
    )


def _items(http: httpx.Client, path: str) -> list[dict[str, Any]]:
    answer = http.get(f"/api/v1/{path}")
    assert 200 == answer.status_code, answer.text
    return list(answer.json()["items"])


@pytest.fixture(scope="module")
def stranger(gateway: Gateway, owner: Owner) -> Iterator[Stranger]:
    sid, token = gateway.account("Stranger")
    client = gateway.client(sid, token)
    service = client.messaging.v1.services.create(friendly_name="Mine").sid
    number = client.incoming_phone_numbers.create(area_code="212").sid
    with httpx.Client(base_url=gateway.url, auth=(sid, token), timeout=10) as http:
        yield Stranger(account=sid, http=http, service=service, number=number)


@pytest.fixture(autouse=True)
def _nothing_of_the_owner_changes(gateway: Gateway, owner: Owner, stranger: Stranger) -> Iterator[None]:
    before = _rows(gateway, owner.account)
    yield
    assert before == _rows(gateway, owner.account)


def _rows(gateway: Gateway, account: str) -> dict[str, list[Any]]:
    """Every row of the account in every table, straight from the file."""
    (path,) = gateway.settings.data_dir.glob("*.db")
    found = {}
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            columns = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
            if key := next((name for name in ("account", "sid") if name in columns), None):
                found[table] = sorted(db.execute(f"SELECT * FROM {table} WHERE {key} = ?", (account,)).fetchall(), key=repr)
    assert len(found["messages"]) >= 4
    return found


# ── SIDs in paths ────────────────────────────────────────────────────────────────────────────────────────

TWILIO = sorted({route.path for route in cast(Any, twilio_app.create(cast(House, None))).app.routes})
NATIVE = sorted({f"{PREFIX}{cast(APIRoute, route).path}" for room in ROOMS for route in room.routes})
# Not the owner's: what any account may ask of any number, and connections that all accounts share.
PUBLIC = {"country", "number", "version", "name", "kind"}
REGISTERED_ELSEWHERE = {route.path for route in registrations.routes(cast(House, None))}  # nobody has any of it here
PLACES = [path for path in TWILIO + NATIVE if set(re.findall(r"{(\w+)}", path)) - PUBLIC and path not in REGISTERED_ELSEWHERE]
FORMS = [{"FriendlyName": "stolen", "SmsUrl": "https://example.com/thief", "Body": "", "Outcome": "unconfirmed"}, {"Status": "canceled"}]
BODY = {"friendly_name": "stolen", "to": "+12125550100", "body": "STOP", "version": 1, "enabled": True, "note": "stolen"}


@pytest.mark.parametrize("place", PLACES)
def test_what_is_anothers_is_not_there(owner: Owner, stranger: Stranger, place: str) -> None:
    """Each answer is the one that a made-up SID gets: same status, same words."""
    asked = 0
    for path, made_up, known in _paths(owner, stranger, place):
        for method, body in itertools.product(METHODS, _bodies(place)):
            if method in ("GET", "DELETE") and body is not _bodies(place)[0]:
                continue
            real = _shown(stranger.http.request(method, path, **body), known)
            assert _shown(stranger.http.request(method, made_up, **body), known) == real, f"{method} {path}"
            if not place.startswith(f"{PREFIX}/simulator") and "recipient" not in place:
                assert 400 <= real[0] < 500, f"{method} {path}"
            asked += 1
    assert asked


def _bodies(place: str) -> list[dict[str, Any]]:
    return [{"json": BODY}, {"json": {}}, {}] if place.startswith(PREFIX) else [{"data": form} for form in FORMS]


def _paths(owner: Owner, stranger: Stranger, place: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """The place with things of the owner in it, with made-up ones instead, and what to call each in an answer."""
    own = {"account": stranger.account, "service": stranger.service, "sender": stranger.number}
    public = {"country": "US", "number": ALONE, "version": "1", "name": "simulator", "kind": "link_down"}
    things = {
        **owner.things,
        **dict.fromkeys(("sid", "id"), owner.sids),
        **dict.fromkeys(("address", "recipient"), owner.things["address"]),
    }
    names = re.findall(r"{(\w+)}", place)
    choices = [[public[n]] if n in public else [*things[n], *([own[n]] if n in own else [])] for n in names]
    for values in itertools.product(*choices):
        foreign = [value for value in values if value not in own.values() and value not in public.values()]
        if foreign:
            known = {value: _like(value) for value in foreign}
            yield (
                place.format(**dict(zip(names, values, strict=True))),
                place.format(**{name: known.get(value, value) for name, value in zip(names, values, strict=True)}),
                {each: f"<{number}>" for number, pair in enumerate(known.items()) for each in pair},
            )


def _like(value: str) -> str:
    """Something of the same kind that nobody has."""
    return f"+1415555{secrets.randbelow(1000) + 8000}" if value.startswith("+") else value[:2] + secrets.token_hex(16)


def _shown(answer: httpx.Response, known: dict[str, str]) -> tuple[int, str | None, str]:
    text = answer.text
    for value, name in known.items():
        text = text.replace(value, name)
    text = re.sub(r'"(as_of|checked_at|at)":"[^"]*"', r'"\1":"<time>"', text)
    return answer.status_code, answer.headers.get("content-type"), text


# Where the owner has nothing either: no letters as a sender, no country with such numbers.
EMPTY = {f"/v1/Services/{{service}}/{kind}/{{sender}}" for kind in ("AlphaSenders", "DestinationAlphaSenders")} | {
    f"/2010-04-01/Accounts/{{account}}/AvailablePhoneNumbers/{{country}}/{kind}"
    for kind in ("Mobile", "Mobile.json", "National", "National.json")
}


@pytest.mark.parametrize("place", [place for place in PLACES if place not in EMPTY])
def test_the_owner_finds_what_the_stranger_does_not(gateway: Gateway, owner: Owner, stranger: Stranger, place: str) -> None:
    """The proof above is none where the paths are wrong for their owner too."""
    answers = {gateway.http.get(path, params={"from": 1, "to": 1}).status_code for path, _, _ in _paths(owner, stranger, place)}
    assert answers & {200, 405, 410}


# ── lists. Before what follows: a stranger's own log may tell what the stranger named ────────────────────


FOR_ALL = {f"{PREFIX}/events", *REGISTERED_ELSEWHERE}
LISTS = [path for path in TWILIO + NATIVE if not set(re.findall(r"{(\w+)}", path)) - {"account"} and path not in FOR_ALL]


@pytest.mark.parametrize("place", LISTS)
def test_no_list_shows_anything_of_anothers(gateway: Gateway, owner: Owner, stranger: Stranger, place: str) -> None:
    path = place.format(account=stranger.account)
    for params in ({}, {"limit": "1000", "PageSize": "1000"}, {"PhoneNumber": "0", "by": "service", "Date": "2026-01-01"}):
        text = stranger.http.get(path, params=params).text
        hidden = [*owner.sids, *owner.things["address"], SECRET, gateway.auth_token]
        if place == f"{PREFIX}/requests":  # of their own, which name what they asked for
            items = stranger.http.get(path, params={"limit": "1000"}).json()["items"]
            assert all(gateway.account_sid not in each["path"] or each["status"] >= 400 for each in items)
            hidden = [SECRET, gateway.auth_token]
        assert [] == [each for each in hidden if each in text]


# ── SIDs and addresses in what is sent ───────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request of the stranger's that names something of the owner's: `{…}` in its parts."""

    method: str = "POST"
    path: str
    form: dict[str, str] | None = None
    json: dict[str, Any] | None = None
    params: dict[str, str] | None = None
    names: str  # the kind of thing; each of the owner's is tried


MESSAGES = "/2010-04-01/Accounts/{own}/Messages.json"
CONSENT = '{{"contact_id": "+12125550100", "correlation_id": "00000000000000000000000000000001", "sender_id": "{thing}", '
CONSENT += '"status": "opt-in", "source": "website"}}'
NAMING = {
    "send from its sender": Ask(path=MESSAGES, form={"To": "+12125550100", "From": "{thing}", "Body": "x"}, names="number"),
    "send through its service": Ask(path=MESSAGES, form={"To": "+12125550100", "MessagingServiceSid": "{thing}", "Body": "x"}, names="service"),
    "list by its people": Ask(method="GET", path=MESSAGES, params={"To": "{thing}"}, names="address"),
    "list by its senders": Ask(method="GET", path=MESSAGES, params={"From": "{thing}"}, names="number"),
    "list behind its message": Ask(method="GET", path=MESSAGES, params={"PageToken": "PA{thing}"}, names="message"),
    "take its number into a service": Ask(path="/v1/Services/{service}/PhoneNumbers", form={"PhoneNumberSid": "{thing}"}, names="sender"),
    "take its short code": Ask(path="/v1/Services/{service}/ShortCodes", form={"ShortCodeSid": "{thing}"}, names="sender"),
    "take its channel": Ask(path="/v1/Services/{service}/ChannelSenders", form={"Sid": "{thing}"}, names="sender"),
    "consent for its service": Ask(path="/v1/Consents/Bulk", form={"Items": CONSENT}, names="service"),
    "consent for its number": Ask(path="/v1/Consents/Bulk", form={"Items": CONSENT}, names="number"),
    "its safe number": Ask(method="GET", path="/v1/SafeList/Numbers", params={"PhoneNumber": "{thing}"}, names="address"),
    "forget its safe number": Ask(method="DELETE", path="/v1/SafeList/Numbers", params={"PhoneNumber": "{thing}"}, names="address"),
    "give my number to it": Ask(
        path="/2010-04-01/Accounts/{own}/IncomingPhoneNumbers/{number}.json", form={"AccountSid": "{thing}"}, names="account"
    ),
    "block in its service": Ask(path="/api/v1/blocks", json={"recipient": "+12125550100", "scope": "{thing}"}, names="service"),
    "block in its sender": Ask(path="/api/v1/blocks", json={"recipient": "+12125550100", "scope": "{thing}"}, names="sender"),
    "block by its number": Ask(path="/api/v1/blocks", json={"recipient": "+12125550100", "scope": "{thing}"}, names="number"),
    "block in its account": Ask(path="/api/v1/blocks", json={"recipient": "+12125550100", "scope": "{thing}"}, names="account"),
    "lift in its number": Ask(method="DELETE", path="/api/v1/blocks", json={"recipient": BEN, "scope": "{thing}"}, names="number"),
    "lift for its people": Ask(method="DELETE", path="/api/v1/blocks", json={"recipient": "{thing}", "scope": "{own}"}, names="address"),
    "check its service": Ask(path="/api/v1/blocks/check", json={"items": [{"service": "{thing}", "to": BEN}]}, names="service"),
    "check its number": Ask(path="/api/v1/blocks/check", json={"items": [{"from": "{thing}", "to": BEN}]}, names="number"),
    "check its people": Ask(path="/api/v1/blocks/check", json={"items": [{"service": "{service}", "to": "{thing}"}]}, names="address"),
    "blocks of its service": Ask(method="GET", path="/api/v1/blocks", params={"scope": "{thing}"}, names="service"),
    "blocks of its people": Ask(method="GET", path="/api/v1/blocks", params={"recipient": "{thing}"}, names="address"),
    "import into its number": Ask(path="/api/v1/blocks/import", params={"scope": "{thing}"}, names="number"),
    "many through its service": Ask(
        path="/api/v1/messages", json={"service": "{thing}", "body": "x", "recipients": [{"to": "+12125550100"}]}, names="service"
    ),
    "many from its number": Ask(
        path="/api/v1/messages", json={"from": "{thing}", "body": "x", "recipients": [{"to": "+12125550100"}]}, names="number"
    ),
    "messages of its people": Ask(method="GET", path="/api/v1/messages", params={"recipient": "{thing}"}, names="address"),
    "messages of its service": Ask(method="GET", path="/api/v1/messages", params={"service": "{thing}"}, names="service"),
    "messages of its number": Ask(method="GET", path="/api/v1/messages", params={"sender": "{thing}"}, names="number"),
    "messages behind its own": Ask(method="GET", path="/api/v1/messages", params={"cursor": "{thing}"}, names="message"),
    "refusals of its people": Ask(method="GET", path="/api/v1/refusals", params={"recipient": "{thing}"}, names="address"),
    "ledger of its people": Ask(method="GET", path="/api/v1/consent-events", params={"recipient": "{thing}"}, names="address"),
    "ledger of its message": Ask(method="GET", path="/api/v1/consent-events", params={"message": "{thing}"}, names="message"),
    "suggestions of its people": Ask(method="GET", path="/api/v1/suggestions", params={"recipient": "{thing}"}, names="address"),
    "deliveries of its message": Ask(method="GET", path="/api/v1/webhook-deliveries", params={"message": "{thing}"}, names="message"),
    "senders of its service": Ask(method="GET", path="/api/v1/senders", params={"service": "{thing}"}, names="service"),
    "text to its number": Ask(
        path="/api/v1/simulator/phones/+12125550100/messages", json={"to": "{thing}", "body": "STOP"}, names="number"
    ),
    "try its number": Ask(path="/api/v1/services/{service}/opt-out/test", json={"body": "STOP", "to": "{thing}"}, names="number"),
    "try as its people": Ask(path="/api/v1/services/{service}/opt-out/test", json={"body": "STOP", "from": "{thing}"}, names="address"),
}


@pytest.mark.parametrize("ask", NAMING.values(), ids=NAMING)
def test_what_is_anothers_cannot_be_named(owner: Owner, stranger: Stranger, ask: Ask) -> None:
    numbers = [ALONE, MEMBER, "whatsapp:+14155550190"]
    for thing in numbers if ask.names == "number" else owner.things[ask.names]:
        made_up = _like(thing.removeprefix("whatsapp:"))
        made_up = f"whatsapp:{made_up}" if thing.startswith("whatsapp:") else made_up
        known = {spelled: "<thing>" for each in (thing, made_up) for spelled in (each, quote(each, safe=""))}
        assert _said(stranger, ask, made_up, known) == _said(stranger, ask, thing, known), thing


def _said(stranger: Stranger, ask: Ask, thing: str, known: dict[str, str]) -> tuple[int, str | None, str]:
    values = {"thing": thing, "own": stranger.account, "service": stranger.service, "number": stranger.number}

    def filled(part: Any) -> Any:
        match part:
            case str():
                return part.format(**values)
            case dict():
                return {name: filled(value) for name, value in part.items()}
            case list():
                return [filled(value) for value in part]
        return part

    answer = stranger.http.request(
        ask.method, filled(ask.path), data=filled(ask.form), json=filled(ask.json), params=filled(ask.params)
    )
    assert answer.status_code < 500
    status, kind, text = _shown(answer, known)
    return status, kind, re.sub(r"[A-Z]{2}[0-9a-f]{32}", "<sid>", text)


# ── streams, keys ───────────────────────────────────────────────────────────────────────────────────────


def test_the_live_tail_tells_nobody_of_anothers_messages(gateway: Gateway, owner: Owner, stranger: Stranger) -> None:
    after = gateway.world.tail.newest()
    with stranger.http.stream("GET", "/api/v1/events", headers={"Last-Event-ID": "0"}) as events:
        own = stranger.http.post(
            "/api/v1/simulator/phones/+12125550188/messages", json={"to": _number_of(stranger), "body": "a sign"}
        )
        assert 201 == own.status_code, own.text
        seen = ""
        for line in events.iter_lines():
            if '"handset"' not in line:  # of a phone that the stranger named, in the stranger's own world
                seen += line
            if own.json()["message_sid"] in line:
                break
    assert gateway.world.tail.newest() > after
    assert [] == [each for each in [*owner.sids, *owner.things["address"], SECRET] if each in seen]


def _number_of(stranger: Stranger) -> str:
    path = f"/2010-04-01/Accounts/{stranger.account}/IncomingPhoneNumbers/{stranger.number}.json"
    return str(stranger.http.get(path).json()["phone_number"])


def test_a_key_of_one_account_opens_no_other(gateway: Gateway, owner: Owner, stranger: Stranger) -> None:
    key = gateway.client().new_keys.create(friendly_name="owner's")
    with httpx.Client(base_url=gateway.url, auth=(key.sid, key.secret)) as http:
        assert 404 == http.get(f"/2010-04-01/Accounts/{stranger.account}/Messages.json").status_code
        assert 200 == http.get(f"/2010-04-01/Accounts/{gateway.account_sid}/Messages.json").status_code
    gateway.client().keys(key.sid).delete()


def test_the_same_idempotency_key_is_two_keys_in_two_accounts(owner: Owner, gateway: Gateway, stranger: Stranger) -> None:
    path, form = f"/2010-04-01/Accounts/{stranger.account}/Messages.json", {"To": "+12125550177", "From": _number_of(stranger), "Body": "x"}
    own, again = (stranger.http.post(path, data=form, headers=KEY) for _ in range(2))
    assert [201, 201] == [own.status_code, again.status_code]
    assert own.json()["sid"] == again.json()["sid"]
    assert own.json()["sid"] not in owner.sids
