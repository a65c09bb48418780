"""Kill -9 between each two steps of a journey, and start again: what was promised holds at every one of them.

Random kills find these places seldom; here each is a row. A claim and the mark that its bytes may leave are one commit, so
there is nothing to die in between.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from stopwire.testing.smsc import Accept, Action, Reports, Silence, Submission, When
from tests.gateway import eventually
from tests.webhook_server import WebhookServer
from tests.world import checker
from tests.world.history import History
from tests.world.mortal import POINT
from tests.world.proxy import FaultProxy
from tests.world.smpp import SENDER, Gateway, Plan, World, named

SECONDS = 15.0
LONE = "+14155550122"  # a sender of the demo, on the simulator
ON_SUBMIT = ("the carrier has it",)  # dies there: the message centre has the segment, and its answer finds nobody
CLAIM = "dispatch.claim:after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Where it dies, on whose way, and what must have come of it once it is up again."""

    name: str
    at: tuple[str, ...]
    act: str = "order"  # order | drain (an order that is under way when the gateway is asked to end) | STOP | START
    submits: int = 1  # what the carrier took
    status: str = "delivered"

    @property
    def sends(self) -> bool:
        return self.act in ("order", "drain")


OUTBOUND = (
    Point(name="before the acceptance is kept", at=("send.accept:before",)),
    Point(name="accepted, not answered", at=("send.accept:after",)),
    Point(name="accepted, not claimed", at=("send.accept:after", "dispatch.claim:before")),
    Point(name="claimed, not written", at=(CLAIM,), submits=0, status="sending"),
    Point(name="written, not answered", at=ON_SUBMIT),
    Point(name="answered, not settled", at=("dispatch.settled:before",)),
    Point(name="settled, nobody told", at=("dispatch.settled:after",)),
    Point(name="reported, not kept", at=("report.take:before",)),
    Point(name="reported, not acknowledged", at=("report.take:after",)),
    Point(name="asked to end, answered, not settled", at=("dispatch.settled:before",), act="drain"),
)
AGAIN = (  # where the connection may write again what has no answer
    Point(name="claimed, not written", at=(CLAIM,)),
    Point(name="written, not answered", at=ON_SUBMIT, submits=2),
)
INBOUND = (
    Point(name="heard, not kept", at=("receive.take:before",), act="STOP"),
    Point(name="kept, not acknowledged", at=("receive.take:after",), act="STOP"),
    Point(name="waited for what was under way, not acknowledged", at=("store.drained:after",), act="STOP"),
    Point(name="confirmation claimed, not written", at=("receive.take:after", CLAIM), act="STOP", submits=0),
    Point(name="confirmation written, not answered", at=ON_SUBMIT, act="STOP"),
    Point(name="confirmation answered, not settled", at=("dispatch.settled:before",), act="STOP"),
    Point(name="START kept, not acknowledged", at=("receive.take:after",), act="START"),
)


class Mortal(Gateway):
    """A gateway that can be told where to die."""

    MODULE = "tests.world.mortal"

    def die_at(self, *point: str) -> None:
        draft = self.data_dir.parent / f"{POINT}.new"
        draft.write_text(" ".join(point))
        draft.replace(self.data_dir.parent / POINT)

    def ask_to_end(self) -> None:
        assert self._process is not None
        self._process.terminate()

    def die(self) -> None:
        """At once, and without waiting for it."""
        self._signal(signal.SIGKILL)

    def reborn(self) -> None:
        """Returns when it has died, and answers again."""
        assert self._process is not None
        assert -signal.SIGKILL == self._process.wait(timeout=SECONDS)
        self.start()


class Rehearsal(World):
    """A calm world whose gateway dies where it is told to."""

    gateway: Mortal

    def __init__(self, folder: Path, *, retries: bool = False) -> None:
        super().__init__(folder, Plan(seed=7, seconds=0, faults=False), History(), gateway=Mortal(folder / "data"))
        self.people = []
        self.retries = retries
        self._dies_on_submit = False
        self._slow_seconds = 0.0
        self._told: set[str] = set()  # ids of submissions whose receipt was acknowledged

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        async with self.smsc, FaultProxy(self.smsc.host, self.smsc.port) as proxy:
            await loop.run_in_executor(None, self.gateway.start)
            try:
                await self._connect(proxy)
                if self.retries:
                    async with self._customer() as customer:
                        await customer.patch("/api/v1/carriers/world", json={"settings": {"ambiguous": "retry"}})
                    await self.smsc.bound_to(1, within_seconds=SECONDS)
                yield
                await self._heal()
            finally:
                await loop.run_in_executor(None, self.gateway.stop)
        self._read_deliveries()
        self._read_database()

    async def walk(self, point: Point) -> None:
        """Go the point's way; on it the gateway dies and comes back; go on until all is there that was promised."""
        person = f"+1415558{next(self._numbers):04}"
        self.people.append(person)
        if point.act == "START":
            await self._say(person, "STOP", 1)
        if "store.drained:after" in point.at:
            self._slow_seconds = 0.5  # something shall be under way when the STOP comes
            await self._order(person)
            await self.smsc.heard(len(self.smsc.submissions) + 1, within_seconds=SECONDS)
            self._slow_seconds = 0.0
        if point.at == ON_SUBMIT:
            self._dies_on_submit = True
        else:
            self.gateway.die_at(*point.at)
        if point.act == "drain":
            way = self._drain(person, point)
        else:
            way = self._send_one(person, point) if point.act == "order" else self._say(person, point.act, point.submits)
        async with asyncio.timeout(3 * SECONDS), asyncio.TaskGroup() as group:
            group.create_task(way)
            group.create_task(asyncio.to_thread(self.gateway.reborn))

    async def _send_one(self, person: str, point: Point) -> None:
        sid, body = await self._order(person)
        await self._taken(person, body, point.submits)
        await self._report(body)
        await self._is(sid, point.status)

    async def _drain(self, person: str, point: Point) -> None:
        self._slow_seconds = 0.5
        sid, body = await self._order(person)
        await self._taken(person, body, point.submits)
        self._slow_seconds = 0.0
        self.gateway.ask_to_end()
        await self._report(body)
        await self._is(sid, point.status)

    async def _say(self, person: str, word: str, submits: int) -> None:
        await self._bring(person, word)
        await self._taken(person, f"reply:{word}", submits)

    async def _order(self, person: str) -> tuple[str, str]:
        """Ask under one key until there is an answer: SID and body."""
        body = f"#{next(self._numbers)}#"
        self.history.note("producer", "send", person, "invoke", body=body)
        wanted = {"from": SENDER, "body": body, "recipients": [{"to": person}]}
        while True:
            try:
                async with self._customer() as customer:
                    answer = await customer.post("/api/v1/messages", json=wanted, headers={"Idempotency-Key": body})
                sid = str(answer.json()["items"][0]["sid"])
            except (httpx.TransportError, OSError):
                await asyncio.sleep(0.05)
                continue
            self.history.note("producer", "send", person, "ok", body=body, sid=sid)
            return sid, body

    async def _taken(self, person: str, body: str, count: int) -> None:
        while count > sum(e.op == "submit" and (e.key, e.value["body"]) == (person, body) for e in self.history.events):
            await asyncio.sleep(0.02)

    async def _report(self, body: str) -> None:
        """Bring the receipts of a text until they are acknowledged, as carriers do."""
        for submission in self.smsc.submissions:
            id, name = submission.message_id or "", named(submission.pdu)
            if name[0] != body or id in self._told:
                continue
            self._bodies.setdefault(id, name)
            while await self._brought(submission) != 0:
                await asyncio.sleep(0.05)
            self._told.add(id)

    async def _brought(self, submission: Submission) -> int | None:
        try:
            return await asyncio.wait_for(self.smsc.report(submission, Reports()), SECONDS)
        except LookupError:
            return None

    async def _is(self, sid: str, status: str) -> None:
        account, found = self.gateway.credentials["account_sid"], ""
        while found != status:
            try:
                async with self._customer() as customer:
                    found = (await customer.get(f"/2010-04-01/Accounts/{account}/Messages/{sid}.json")).json()["status"]
            except (httpx.TransportError, OSError):
                pass
            await asyncio.sleep(0.05)

    async def _waiting(self, _: httpx.AsyncClient) -> bool:
        """Each way was gone to its end: there is nothing to wait for."""
        return False

    def came_of(self, person: str, point: Point) -> tuple[int, str]:
        """How much the carrier took, and how the message ended."""
        wanted = "#" if point.sends else f"reply:{point.act}"
        taken = [e for e in self.history.events if e.op == "submit" and e.key == person and e.value["body"].startswith(wanted)]
        ends = [e.value["status"] for e in self.history.events if e.op == "final" and e.key == person]
        return len(taken), ends[0] if point.sends else ""

    def _mood(self) -> Action:
        if self._dies_on_submit:
            self._dies_on_submit = False
            self.gateway.die()
            return Silence(keep=True)
        return Accept(reports=Reports(when=When.NEVER), delay_seconds=self._slow_seconds)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("points", "retries"),
    [
        pytest.param(OUTBOUND, False, id="on the way out"),
        pytest.param(AGAIN, True, id="on the way out, where it may be written again"),
        pytest.param(INBOUND, False, id="on the way in"),
    ],
)
async def test_the_promises_hold_wherever_the_gateway_dies(tmp_path: Path, points: tuple[Point, ...], retries: bool) -> None:
    world = Rehearsal(tmp_path, retries=retries)
    async with world.running():
        for point in points:
            try:
                await world.walk(point)
            except TimeoutError:
                pytest.fail(f"{point.name}: it did not come to its end; the last that happened: {world.history.events[-5:]}")
    events = world.history.events
    assert {name: [] for name in checker.RULES} == checker.check(events)
    came = {point.name: world.came_of(person, point) for point, person in zip(points, world.people, strict=True)}
    assert {point.name: (point.submits, point.status if point.sends else "") for point in points} == came


# ── webhooks ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def web() -> Iterator[WebhookServer]:
    server = WebhookServer()
    yield server
    server.close()


@pytest.mark.slow
def test_a_customer_is_told_wherever_the_gateway_dies_and_knows_a_repeat_by_its_id(tmp_path: Path, web: WebhookServer) -> None:
    gateway = Mortal(tmp_path / "data")
    gateway.start()
    try:
        came = {point: _told_through(gateway, web, point, number) for number, point in enumerate(WEBHOOK)}
    finally:
        gateway.stop()
    assert WEBHOOK == came


WEBHOOK = {  # how often the one event reaches the customer
    "http.call:before": 1,
    "http.call:after": 2,
    "notify._settle:before": 2,
    "notify._settle:after": 1,
}


def _told_through(gateway: Mortal, web: WebhookServer, point: str, number: int) -> int:
    """Take back a scheduled message, which has one event and no other, and die at `point`; how often the event came."""
    path = f"/status/{number}"
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    with gateway.customer() as customer:
        service = next(each["sid"] for each in customer.get("/v1/Services").json()["services"])
        later = {"MessagingServiceSid": service, "ScheduleType": "fixed", "SendAt": tomorrow, "StatusCallback": web.url(path)}
        message = customer.order(from_="", to=f"+1415600{number:04}", body="Hello", **later)
        assert 201 == message.status_code, message.text
        gateway.die_at(point)
        with contextlib.suppress(httpx.TransportError):  # the webhook can be quicker than the answer, which then finds nobody
            customer.post(message.json()["uri"], data={"Status": "canceled"})
    gateway.reborn()
    web.wait(path, 1, MessageStatus="canceled")
    eventually(lambda: _settled(gateway, path), seconds=SECONDS)
    asked = web.of(path)
    assert 1 == len({(each.headers["i-twilio-idempotency-token"], *sorted(each.params.items())) for each in asked})
    return len(asked)


def _settled(gateway: Mortal, path: str) -> bool:
    with gateway.customer() as customer:
        found = customer.get("/api/v1/webhook-deliveries").json()["items"]
    return {"delivered"} == {each["state"] for each in found if each["url"].endswith(path)}


# ── imports ──────────────────────────────────────────────────────────────────────────────────────────────

ROWS = 1_200  # two pieces
IMPORT = {  # where it dies in an import: how many rows were kept by then
    "ingest._take:before": 0,
    "ingest._take:after": 1_000,
    "ingest._finish:before": ROWS,
}


@pytest.mark.slow
def test_a_list_is_taken_in_exactly_once_wherever_the_gateway_dies(tmp_path: Path) -> None:
    gateway = Mortal(tmp_path / "data")
    gateway.start()
    try:
        came = {point: _imported_through(gateway, point, number) for number, point in enumerate(IMPORT)}
        with gateway.customer(timeout=30) as customer:
            assert customer.get("/api/v1/ledger/verify").json()["ok"]
            blocks = customer.get("/api/v1/blocks/export").text.splitlines()
    finally:
        gateway.stop()
    assert IMPORT == came
    assert len(IMPORT) * ROWS == len({line.split(",")[0] for line in blocks[1:]})


def _imported_through(gateway: Mortal, point: str, number: int) -> int:
    """Bring a list, die at `point`, bring it again whole; how many of its rows were there by then."""
    file = "recipient\n" + "".join(f"+1415{number + 2}{row:06}\n" for row in range(ROWS))

    def bring() -> httpx.Response:
        with gateway.customer(timeout=30) as customer:
            return customer.post("/api/v1/blocks/import", content=file, headers={"Content-Type": "text/csv"})

    gateway.die_at(point)
    with pytest.raises(httpx.TransportError):
        bring()
    gateway.reborn()
    with gateway.customer() as customer:
        cut_off = customer.get("/api/v1/imports", params={"limit": 1}).json()["items"][0]
    assert ("failed", 1) == (cut_off["state"], cut_off["wrong"])
    done = bring().json()
    assert ("done", ROWS) == (done["state"], done["taken"] + done["skipped"])
    assert cut_off["taken"] == done["skipped"]
    return int(done["skipped"])
