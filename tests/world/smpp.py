"""A run of the world over SMPP: producers, persons who say STOP and START, a moody carrier, faults; and its history.

The gateway is a process of its own that is killed, frozen and cut off; everything else lives in this process and
shares one clock. A run follows from its seed as far as processes and networks allow.
"""

import asyncio
import contextlib
import itertools
import math
import os
import random
import re
import signal
import sqlite3
import time
from collections import defaultdict, deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from stopwire.core import gsm7
from stopwire.core.bound import system_id
from stopwire.link import Link, LinkError, Response, connect
from stopwire.smpp import udh
from stopwire.smpp.fields import EsmClass, MessageState, Npi, Status, Tag, Ton
from stopwire.smpp.pdu import BindTransmitter, SubmitSm, SubmitSmResp, tlv
from stopwire.smpp.session import Timers
from stopwire.testing.smsc import Accept, Action, Form, HangUp, Reject, Reports, Silence, Smsc, When, spell
from tests.process import Process, free_port
from tests.world.history import Event, History
from tests.world.proxy import FaultProxy

SENDER = "+14155559001"
PEOPLE = 10
FAITHFUL = 2  # persons who never say STOP: what is written to them twice has no STOP to end it before …
TO_FAITHFUL = 0.1  # … but they are few, or what waits for them would never come to its end
PRODUCERS = 3
HEAL_SECONDS = 40.0
TOKEN = re.compile(r"#(\d+)#")
CONFIRMATIONS = {"unsubscribed": "STOP", "re-subscribed": "START"}
RESPONSE_SECONDS = 1.5
WRONG_NUMBER = 100_000  # beyond every number of a link here, so that it answers nothing
STATES = {b"DELIVRD": "DELIVERED", b"UNDELIV": "UNDELIVERABLE"}  # others are not final
# So often a person writes at most: after 30 automatic texts in 30 s the gateway takes them for a machine and falls silent (core/loops.py).
TEXTS_MAX, TEXTS_WINDOW_SECONDS = 28, 31.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run is made of."""

    seed: int
    seconds: float
    faults: bool = True
    kills: bool = True
    window: int = 3  # so small that parts wait for room in it, and a STOP comes while they do
    pause_seconds: float = 0.02  # between two messages of a producer


class Gateway(Process):
    """The gateway, which may also freeze."""

    LOADED_BEFORE = True

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.smpp_port = free_port()
        self.options = ("--smpp-port", str(self.smpp_port))

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, number)


class World:
    def __init__(self, folder: Path, plan: Plan, history: History, *, gateway: Gateway | None = None) -> None:
        self.plan, self.history = plan, history
        self.chance = random.Random(plan.seed)
        self.gateway = gateway or Gateway(folder / "data")
        self.smsc = Smsc(choose=self._choose)
        self.people = [f"+1415557{number:04}" for number in range(PEOPLE)]
        self.faithful = [f"+1415558{number:04}" for number in range(FAITHFUL)]
        self._numbers = itertools.count(1)
        self._ending = asyncio.Event()
        self._calm = not plan.faults
        self.retries = False  # whether the connection may write again what has no answer
        self._bodies: dict[str, tuple[str, int]] = {}  # body and segment of each id that the carrier gave

    async def run(self) -> list[Event]:
        loop = asyncio.get_running_loop()
        async with self.smsc, FaultProxy(self.smsc.host, self.smsc.port) as proxy:
            await loop.run_in_executor(None, self.gateway.start)
            await self._connect(proxy)
            tasks = [loop.create_task(self._produce(f"producer{n}")) for n in range(PRODUCERS)]
            tasks.append(loop.create_task(self._apply("application")))
            tasks += [loop.create_task(self._live(person)) for person in self.people]
            nemesis = loop.create_task(self._nemesis(proxy))
            await asyncio.sleep(self.plan.seconds)
            self._ending.set()
            await nemesis
            self._calm = True
            proxy.flow()
            proxy.taking, proxy.delay_seconds = True, 0.0
            await asyncio.gather(*tasks)
            await self._heal()
            await loop.run_in_executor(None, self.gateway.stop)
        self._read_deliveries()
        self._read_database()
        return self.history.events

    async def _connect(self, proxy: FaultProxy) -> None:
        settings = {
            "host": "127.0.0.1",
            "port": proxy.port,
            "system_id": "world",
            "window": self.plan.window,
            "response_timeout": RESPONSE_SECONDS,
            "enquire_link": 2,
        }
        async with self._customer() as customer:
            answer = await customer.post(
                "/api/v1/carriers", json={"name": "world", "type": "smpp", "settings": settings, "senders": [SENDER]}
            )
            assert answer.status_code == 201, answer.text
        await self.smsc.bound_to(1, within_seconds=10)

    def _customer(self) -> httpx.AsyncClient:
        known = self.gateway.credentials
        return httpx.AsyncClient(
            base_url=self.gateway.url, auth=(known["account_sid"], known["auth_token"]), timeout=httpx.Timeout(8.0)
        )

    # ── producers and persons ────────────────────────────────────────────────────────────────────────

    async def _produce(self, process: str) -> None:
        account = self.gateway.credentials["account_sid"]
        while not self._ending.is_set():
            with contextlib.suppress(httpx.TransportError, OSError):
                async with self._customer() as customer:
                    while not self._ending.is_set():
                        await self._send(process, customer, account)
                        await asyncio.sleep(self.plan.pause_seconds * 2 * self.chance.random())
            await asyncio.sleep(0.05)

    def _somebody(self) -> str:
        return self.chance.choice(self.faithful if self.chance.random() < TO_FAITHFUL else self.people)

    async def _send(self, process: str, customer: httpx.AsyncClient, account: str) -> None:
        person, body = self._somebody(), f"#{next(self._numbers)}#"
        text = body if self.chance.random() < 0.9 else body * (400 // len(body))
        note = self.history.note
        note(process, "send", person, "invoke", body=body)
        try:
            answer = await customer.post(
                f"/2010-04-01/Accounts/{account}/Messages.json", data={"From": SENDER, "To": person, "Body": text}
            )
        except (httpx.TransportError, OSError):
            note(process, "send", person, "info", body=body)
            raise
        if answer.status_code == 201:
            note(process, "send", person, "ok", body=body, sid=answer.json()["sid"])
        elif answer.status_code == 400:
            note(process, "send", person, "fail", body=body, code=answer.json()["code"])
        else:
            note(process, "send", person, "info", body=body, status=answer.status_code)
            await asyncio.sleep(0.1)

    async def _apply(self, process: str) -> None:
        """What a producer does, by the other door: an application that binds, submits, and binds again when it must."""
        account, token = self.gateway.credentials["account_sid"], self.gateway.credentials["auth_token"]
        bind, timers = BindTransmitter(system_id=system_id(account), password=token), Timers(response_seconds=8)
        while not self._ending.is_set():
            with contextlib.suppress(LinkError):
                link = await connect("127.0.0.1", self.gateway.smpp_port, bind=bind, timers=timers)
                while link.bound and not self._ending.is_set():
                    await self._submit(process, link)
                    await asyncio.sleep(self.plan.pause_seconds * 2 * self.chance.random())
                link.close()
                await link.wait_closed()
            await asyncio.sleep(0.05)

    async def _submit(self, process: str, link: Link) -> None:
        person, body = self._somebody(), f"#{next(self._numbers)}#"
        text = gsm7.encode(body if self.chance.random() < 0.9 else body * (400 // len(body)))
        pdu = SubmitSm(
            source_addr_ton=Ton.INTERNATIONAL,
            source_addr_npi=Npi.ISDN,
            source_addr=SENDER[1:],
            dest_addr_ton=Ton.INTERNATIONAL,
            dest_addr_npi=Npi.ISDN,
            destination_addr=person[1:],
            tlvs=(tlv(Tag.MESSAGE_PAYLOAD, text),),
        )
        note = self.history.note
        note(process, "send", person, "invoke", body=body)
        outcome = await link.request(pdu)
        match outcome:
            case Response(SubmitSmResp(status=Status.ESME_ROK, message_id=sid)):
                note(process, "send", person, "ok", body=body, sid=sid)
            case Response(SubmitSmResp(status=Status.ESME_RSUBMITFAIL)):
                note(process, "send", person, "fail", body=body, code=21610)
            case Response(answer):
                note(process, "send", person, "info", body=body, status=answer.status)
            case _:
                note(process, "send", person, "info", body=body)

    async def _live(self, person: str) -> None:
        """A person says STOP and START in turn; a text that was not acknowledged is brought again, as carriers do."""
        acknowledged = deque([-math.inf] * TEXTS_MAX, maxlen=TEXTS_MAX)
        while not self._ending.is_set():
            for word in ("STOP", "START"):
                await asyncio.sleep(self.chance.uniform(0.2, 1.5))
                await self._rest(acknowledged[0] + TEXTS_WINDOW_SECONDS - time.monotonic())
                if self._ending.is_set() and word == "STOP":
                    return
                await self._bring(person, word)
                acknowledged.append(time.monotonic())

    async def _rest(self, seconds: float) -> None:
        """Sleep so long, or until the run comes to its end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._ending.wait()

    async def _bring(self, person: str, word: str) -> None:
        note = self.history.note
        while True:
            try:
                note(person, "mo", person, "invoke", body=word)
                status = await asyncio.wait_for(
                    self.smsc.deliver(word.encode(), source=person[1:], destination=SENDER[1:]), timeout=30
                )
            except (LookupError, TimeoutError):
                note(person, "mo", person, "info", body=word)
                await asyncio.sleep(0.1)
                continue
            if status == Status.ESME_ROK:
                note(person, "mo", person, "ok", body=word)
                return
            note(person, "mo", person, "info", body=word, status=status)
            await asyncio.sleep(0.1)

    # ── the carrier ──────────────────────────────────────────────────────────────────────────────────

    def _choose(self, pdu: SubmitSm) -> Action:
        action = self._mood()
        body, segment = named(pdu)
        person = f"+{pdu.destination_addr}"
        told = body.partition("reply:")[2]
        match action:
            case Accept():
                did, id = "accepted", f"{self.chance.getrandbits(40):x}"
                form = action.reports.form if action.reports else Form.AS_IS
                self._bodies[spell(id, form)] = (body, segment)
                action = replace(action, message_id=id)
            case Silence() | HangUp():
                did = "silent"
            case _:
                did = "rejected"
        more: dict[str, Any] = {"exempt": True, "word": told} if told else {}
        self.history.note("smsc", "submit", person, "ok", body=body, segment=segment, did=did, **more)
        return action

    def _mood(self) -> Action:
        if self._calm:
            return Accept(reports=Reports())
        roll = self.chance.random()
        if roll < 0.02:
            return Reject(status=Status.ESME_RTHROTTLED)
        if roll < 0.03:
            return Reject(status=Status.ESME_RSYSERR)
        if roll < 0.06:
            return Silence()
        if roll < 0.07:
            return HangUp(keep=True)
        reports = Reports(
            state=MessageState.DELIVERED if self.chance.random() < 0.95 else MessageState.UNDELIVERABLE,
            when=self.chance.choice((When.AFTER, When.AFTER, When.BEFORE, When.TWICE, When.REORDERED)),
            form=self.chance.choice((Form.AS_IS, Form.AS_IS, Form.UPPER, Form.DECIMAL)),
            delay_seconds=self.chance.choice((0, 0, 0, 0.3, 1.5)),
        )
        delay = self.chance.choice((0, 0, 0.01, 0.1, 0.4))
        if roll < 0.08:  # under a wrong number: as good as no answer, but the receipt may come
            return Accept(reports=reports, delay_seconds=delay, sequence_off=WRONG_NUMBER)
        return Accept(reports=reports, delay_seconds=delay, answers=2 if roll < 0.14 else 1)

    # ── faults ───────────────────────────────────────────────────────────────────────────────────────

    async def _nemesis(self, proxy: FaultProxy) -> None:
        if not self.plan.faults:
            return
        loop = asyncio.get_running_loop()
        acts = ["cut", "cut", "stall", "delay", "refuse", "freeze"] + ["kill"] * (3 if self.plan.kills else 0)
        while not self._ending.is_set():
            await asyncio.sleep(self.chance.uniform(0.4, 2.0))
            act = self.chance.choice(acts)
            seconds = self.chance.uniform(0.1, 3.0)
            self.history.note("nemesis", "nemesis", "", "invoke", did=act, seconds=round(seconds, 2))
            match act:
                case "cut":
                    proxy.cut()
                case "stall":
                    proxy.stall()
                    await asyncio.sleep(seconds)
                    proxy.flow()
                case "delay":
                    proxy.delay_seconds = 0.05
                    await asyncio.sleep(seconds)
                    proxy.delay_seconds = 0.0
                case "refuse":
                    proxy.taking = False
                    proxy.cut()
                    await asyncio.sleep(min(seconds, 1.0))
                    proxy.taking = True
                case "freeze":
                    self.gateway.freeze()
                    await asyncio.sleep(seconds)
                    self.gateway.thaw()
                case "kill":
                    await loop.run_in_executor(None, self._kill)
            self.history.note("nemesis", "nemesis", "", "ok", did=f"{act} ended")

    def _kill(self) -> None:
        self.gateway.kill()
        self.gateway.start()

    # ── afterwards ───────────────────────────────────────────────────────────────────────────────────

    async def _heal(self) -> None:
        """Wait until nothing is under way any more, then ask what became of everything."""
        sids = {e.value["sid"]: e for e in self.history.events if e.op == "send" and e.kind == "ok"}
        account = self.gateway.credentials["account_sid"]
        ends_at = time.monotonic() + HEAL_SECONDS
        async with self._customer() as customer:
            while time.monotonic() < ends_at and await self._waiting(customer):
                await asyncio.sleep(0.3)
            for sid, event in sids.items():
                answer = await customer.get(f"/2010-04-01/Accounts/{account}/Messages/{sid}.json")
                if answer.status_code == 200:
                    self._finals[sid] = {"sid": sid, "body": event.value["body"], **_status(answer.json()), "person": event.key}
            for person in self.people:
                found = await self._inbound(customer, account, person)
                self.history.note("reader", "listed", person, "ok", count=found)

    async def _waiting(self, customer: httpx.AsyncClient) -> bool:
        """Whether the gateway still has work: a job that is neither held nor in its end."""
        figures = (await customer.get("/api/v1/carriers/world")).json()["link"]["figures"]
        recent = [e for e in self.history.events[-200:] if e.op == "submit" and e.t > time.monotonic() - 3.0]
        return bool(recent) or figures["waiting"] > 0 or figures["queued"] > 0

    async def _inbound(self, customer: httpx.AsyncClient, account: str, person: str) -> int:
        count, url = 0, f"/2010-04-01/Accounts/{account}/Messages.json?From={person.replace('+', '%2B')}&PageSize=1000"
        while url:
            page = (await customer.get(url)).json()
            count += len(page["messages"])
            url = page["next_page_uri"]
        return count

    def _read_deliveries(self) -> None:
        """The receipts that the gateway acknowledged."""
        for delivery in self.smsc.deliveries:
            if not delivery.pdu.esm_class & EsmClass.RECEIPT:
                continue
            found = re.search(rb"id:(\S+) .*stat:(\S+)", delivery.pdu.short_message)
            if found is None or found[1].decode() not in self._bodies or found[2] not in STATES:
                continue
            body, segment = self._bodies[found[1].decode()]
            state = STATES[found[2]]
            kind = "ok" if delivery.status == 0 else "info"
            self.history.note("smsc", "receipt", body, kind, body=body, segment=segment, state=state)

    def _read_database(self) -> None:
        """Attempts are in no answer of the API: they are read where they are kept, once nobody writes any more."""
        attempts: dict[str, list[tuple[str, int]]] = defaultdict(list)
        words: dict[str, tuple[str, str]] = {}
        with contextlib.closing(sqlite3.connect(self.gateway.data_dir / "stopwire.db")) as database:
            for message, state, raced in database.execute("SELECT message, state, raced FROM attempts ORDER BY at"):
                attempts[message].append((state, raced))
            for message, keyword, recipient in database.execute("SELECT message, keyword, recipient FROM replies"):
                words[message] = keyword, recipient
        for sid, final in self._finals.items():
            states = attempts.get(sid, [])
            raced = any(flag for _, flag in states)
            more = {"retried": [s for s, _ in states].count("unknown")} if self.retries else {}
            attempts_of = [s for s, _ in states]
            self.history.note("reader", "final", final.pop("person"), "ok", **final, attempts=attempts_of, raced=raced, **more)
        for sid, (word, person) in words.items():
            states = attempts.get(sid, [])
            self.history.note("reader", "reply", person, "ok", word=word, attempts=[state for state, _ in states])

    @property
    def _finals(self) -> dict[str, dict[str, Any]]:
        return self.__dict__.setdefault("_ends", {})


def _status(message: dict[str, Any]) -> dict[str, Any]:
    return {"status": message["status"], "code": message["error_code"], "segments": int(message["num_segments"])}


def named(pdu: SubmitSm) -> tuple[str, int]:
    """The number by which a text is known here, or which confirmation it is; and which segment of it."""
    segment, text = _text(pdu)
    told = next((word for phrase, word in CONFIRMATIONS.items() if phrase in text), None)
    found = TOKEN.search(text)
    return f"reply:{told}" if told else f"#{found[1]}#" if found else text, segment


def _text(pdu: SubmitSm) -> tuple[int, str]:
    """Number and text of a segment."""
    headed = udh.behead(pdu.short_message) if pdu.esm_class & EsmClass.UDHI else udh.Headed((), pdu.short_message)
    place = udh.concat(headed.elements)
    text = gsm7.decode(headed.octets) if pdu.data_coding == 0 else headed.octets.decode("utf-16-be")
    return (place.part if place else 1), text
