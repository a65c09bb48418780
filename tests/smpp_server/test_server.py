"""The SMPP door from outside, over real sockets: binds and their bounds, submits of every kind, events to receivers."""

import asyncio
import itertools
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stopwire import link as links
from stopwire.core import bound
from stopwire.flows import account as accounts
from stopwire.flows import own
from stopwire.link import Link, LinkError, Response
from stopwire.ports.faults import StoreBusy, StoreClosed, StoreFull
from stopwire.ports.store import Cut
from stopwire.smpp import receipt, udh
from stopwire.smpp.fields import EsmClass, MessageState, Status, Tag
from stopwire.smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    CancelSm,
    DataSm,
    DataSmResp,
    DeliverSm,
    EnquireLink,
    GenericNack,
    Pdu,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    SubmitMulti,
    SubmitSm,
    SubmitSmResp,
    Tlv,
    body,
    decode,
    encode,
    response_to,
    tlv_text,
)
from stopwire.smpp.session import Timers
from stopwire.smpp_server import server as doors
from stopwire.smpp_server import translate
from stopwire.smpp_server.peers import Switchboard
from tests.gateway import Gateway, Phone, eventually

_numbers = itertools.count(4000)
OURS = "14155550122"
HOW = {"transceiver": BindTransceiver, "receiver": BindReceiver, "transmitter": BindTransmitter}


@pytest.fixture
def person(gateway: Gateway) -> Phone:
    return gateway.phone(f"+1415555{next(_numbers)}")


class Customer:
    """An application of a customer's on our own link, which can be made to answer as a test wants."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[DeliverSm] = asyncio.Queue()
        self.statuses: list[int] = []  # of the next answers; then ESME_ROK
        self.link: Link

    async def asked(self, pdu: Pdu) -> Pdu:
        assert isinstance(pdu, DeliverSm)
        status = self.statuses.pop(0) if self.statuses else Status.ESME_ROK
        await self.told.put(pdu)
        return response_to(pdu, status)

    async def ask(self, pdu: Pdu) -> Pdu:
        outcome = await self.link.request(pdu)
        assert isinstance(outcome, Response), outcome
        return outcome.pdu

    async def submit(self, text: bytes, *, to: str, **more: Any) -> SubmitSmResp:
        values = {"source_addr": OURS, "source_addr_ton": 1, "dest_addr_ton": 1, "destination_addr": to.lstrip("+")}
        answer = await self.ask(SubmitSm(**{**values, "short_message": text, **more}))
        assert isinstance(answer, SubmitSmResp)
        return answer

    async def hear(self) -> DeliverSm:
        return await asyncio.wait_for(self.told.get(), 10)


Binder = Callable[..., Awaitable[Customer]]


@pytest.fixture
async def bind(gateway: Gateway) -> AsyncIterator[Binder]:
    there: list[Customer] = []

    async def bind(how: str = "transceiver", *, account: str = "", password: str = "", port: int = 0, **more: Any) -> Customer:
        customer = Customer()
        pdu = HOW[how](
            system_id=bound.system_id(account or gateway.account_sid), password=password or gateway.auth_token
        )
        customer.link = await links.connect(
            "127.0.0.1", port or gateway.smpp_port or 0, bind=pdu, on_pdu=customer.asked, **more
        )
        there.append(customer)
        return customer

    yield bind
    for customer in there:
        await customer.link.unbind(within_seconds=2)


async def off(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Blocking work of a test, beside its loop."""
    return await asyncio.to_thread(work, *args, **kwargs)


async def run(gateway: Gateway, work: Any) -> Any:
    return await off(gateway.run, work)


# ── binds ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", HOW)
async def test_an_account_binds_with_its_token_or_the_short_password(gateway: Gateway, bind: Binder, how: str) -> None:
    assert (await bind(how)).link.bound
    assert (await bind(how, password=bound.short_password(gateway.auth_token))).link.bound


async def test_an_api_key_binds_until_it_is_deleted(
    gateway: Gateway, bind: Binder, person: Phone
) -> None:
    made = await run(gateway, accounts.create_key(gateway.world, account=gateway.account_sid, friendly_name="esme"))
    customer = await bind(account=made.key.sid, password=made.secret)
    assert Status.ESME_ROK == (await customer.submit(b"Hi", to=person.address)).status
    await run(gateway, accounts.delete_key(gateway.world, account=gateway.account_sid, key=made.key.sid))
    await asyncio.wait_for(customer.link.wait_closed(), 10)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        pytest.param("", "wrong", id="a wrong password"),
        pytest.param("sw000000000000", "wrong", id="an unknown account"),
        pytest.param("sk000000000000", "wrong", id="an unknown key"),
        pytest.param("smppclient1", "password", id="a name of another kind"),
        pytest.param("sw%", "wrong", id="a pattern"),
    ],
)
async def test_who_cannot_say_who_he_is_learns_nothing(fresh: Gateway, name: str, password: str) -> None:
    pdu = BindTransceiver(system_id=name or bound.system_id(fresh.account_sid), password=password)
    with pytest.raises(LinkError) as refused:
        await links.connect("127.0.0.1", fresh.smpp_port or 0, bind=pdu)
    assert Status.ESME_RINVPASWD == refused.value.status


async def test_an_address_that_guesses_is_asked_no_more(fresh: Gateway, bind: Binder) -> None:
    for _ in range(doors.FAILURES_MAX):
        with pytest.raises(LinkError):
            await bind(account=fresh.account_sid, password="wrong", port=fresh.smpp_port)
    with pytest.raises(LinkError) as refused:
        await bind(account=fresh.account_sid, password=fresh.auth_token, port=fresh.smpp_port)
    assert Status.ESME_RBINDFAIL == refused.value.status


async def test_a_suspended_account_cannot_bind_and_does_not_stay(fresh: Gateway, bind: Binder) -> None:
    customer = await bind(account=fresh.account_sid, password=fresh.auth_token, port=fresh.smpp_port)
    await run(fresh, own.set_status(fresh.world, account=fresh.account_sid, status="suspended"))
    await asyncio.wait_for(customer.link.wait_closed(), 10)
    with pytest.raises(LinkError) as refused:
        await bind(account=fresh.account_sid, password=fresh.auth_token, port=fresh.smpp_port)
    assert Status.ESME_RBINDFAIL == refused.value.status


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    monkeypatch.setattr(doors, "LOOK_SECONDS", 0.1)
    running = Gateway(tmp_path, smpp_port=0)
    yield running
    running.close()


async def test_an_account_binds_so_often_and_no_more(local: "Local") -> None:
    for _ in range(local.server.bounds.binds_of_account_max):
        await local.bind()
    with pytest.raises(LinkError) as refused:
        await local.bind()
    assert Status.ESME_RBINDFAIL == refused.value.status
    await local.customers[0].link.unbind(within_seconds=2)
    await local.until(lambda: local.server.binds[local.account] < local.server.bounds.binds_of_account_max)
    await local.bind()


async def test_a_crowd_that_is_turned_away_is_told_in_two_lines(local: "Local", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "LOOK_SECONDS", 60)
    with structlog.testing.capture_logs() as lines:
        opening = (asyncio.open_connection("127.0.0.1", local.port) for _ in range(local.server.bounds.links_of_address_max + 20))
        streams = [await each for each in opening]
        for reader, _ in streams[-20:]:
            assert b"" == await asyncio.wait_for(reader.read(), 5)
        local.server._tell_turned_away()
        local.server._tell_turned_away()
    told = [line for line in lines if line["event"] == "smpp.turned_away"]
    assert ["127.0.0.1", "127.0.0.1"] == [line["remote"] for line in told]
    assert told[1]["connections"] >= 1
    for _, writer in streams:
        writer.close()


async def test_half_open_connections_are_few_and_end_by_themselves(local: "Local") -> None:
    streams = [await asyncio.open_connection("127.0.0.1", local.port) for _ in range(8)]
    assert b"" == await asyncio.wait_for(streams[-1][0].read(), 5)  # one too many of this address
    assert b"" == await asyncio.wait_for(streams[0][0].read(), 5)  # it never bound
    await local.until(lambda: not local.server._customers)
    for _, writer in streams:
        writer.close()


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="another protocol"),
        pytest.param(b"\x00\x00\x00\x02", id="a length of two"),
        pytest.param(b"\xff\xff\xff\xff\x00\x00\x00\x04", id="a length of four gigabytes"),
        pytest.param(b"\x00\x01\x00\x01\x00\x00\x00\x04", id="a length one over the most"),
    ],
)
async def test_what_is_no_pdu_ends_the_connection_and_nothing_else(local: "Local", octets: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", local.port)
    writer.write(octets)
    answer = await asyncio.wait_for(reader.read(), 5)
    assert (GenericNack, Status.ESME_RINVCMDLEN) == (type(decode(answer)), decode(answer).status)
    writer.close()
    assert (await local.bind()).link.bound


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        pytest.param(encode(SubmitSm(short_message=b"Hi"), sequence=9), Status.ESME_RINVBNDSTS, id="a submit before a bind"),
        pytest.param(bytes.fromhex("00000010 00000777 00000000 00000009"), Status.ESME_RINVCMDID, id="an unknown command"),
        pytest.param(
            bytes.fromhex("00000011 00000009 00000000 00000009 41"), Status.ESME_RINVCMDLEN, id="a bind cut short"
        ),
    ],
)
async def test_what_is_out_of_place_is_declined(local: "Local", octets: bytes, status: Status) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", local.port)
    writer.write(octets)
    answer = decode(await asyncio.wait_for(reader.readexactly(16), 5))
    assert (status, 9) == (answer.status, answer.sequence)
    writer.close()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commands=st.lists(st.tuples(st.integers(0, 0x110), st.binary(max_size=60)), max_size=5), tail=st.binary(max_size=20))
async def test_no_octets_of_a_bound_customer_break_the_door(
    local: "Local", commands: list[tuple[int, bytes]], tail: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", local.port)
    name = bound.system_id(local.account)
    writer.write(encode(BindTransmitter(system_id=name, password=local.gateway.auth_token), sequence=1))
    length = int.from_bytes(await asyncio.wait_for(reader.readexactly(4), 5), "big")
    bound_ = decode(length.to_bytes(4, "big") + await reader.readexactly(length - 4))
    assert Status.ESME_ROK == bound_.status
    for number, (command, octets) in enumerate(commands, start=2):
        header = (16 + len(octets), command, 0, number)
        writer.write(b"".join(each.to_bytes(4, "big") for each in header) + octets)
    writer.write(tail)
    writer.write_eof()
    await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await local.until(lambda: not local.server._customers)
    assert not local.server.binds


async def test_a_receiver_submits_nothing_and_a_transmitter_hears_nothing(gateway: Gateway, bind: Binder, person: Phone) -> None:
    receiver, transmitter = await bind("receiver"), await bind("transmitter")
    octets = encode(SubmitSm(short_message=b"Hi"), sequence=0x7000)
    receiver.link.write(octets)
    await off(person.text, "Hello", to="+14155550122")
    assert b"Hello" == (await receiver.hear()).short_message
    assert transmitter.told.empty()


# ── submits ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"short_message": b"\x00 \x1b\x65"}, "@ €", id="GSM 7-bit"),
        pytest.param({"short_message": b"caf\xe9", "data_coding": 3}, "café", id="Latin-1"),
        pytest.param({"short_message": "Ж😀".encode("utf-16-be"), "data_coding": 8}, "Ж😀", id="UCS-2"),
        pytest.param({"short_message": b"", "tlvs": (Tlv(Tag.MESSAGE_PAYLOAD, b"a" * 400),)}, "a" * 400, id="a payload"),
        pytest.param({"source_addr": "72345", "source_addr_ton": 3}, "Hi", id="from the short code"),
        pytest.param({"source_addr": "", "source_addr_ton": 0}, "Hi", id="from the only service"),
        pytest.param({"validity_period": "000003000000000R"}, "Hi", id="with a validity period"),
    ],
)
async def test_a_submit_reaches_the_handset(bind: Binder, person: Phone, values: dict[str, Any], expected: str) -> None:
    customer = await bind()
    answer = await customer.submit(to=person.address, **{"text": b"Hi", **values})
    assert (Status.ESME_ROK, 34) == (answer.status, len(answer.message_id))
    assert expected == (await off(person.wait))[0]["body"]


async def test_a_data_sm_is_a_submit_too(bind: Binder, person: Phone) -> None:
    customer = await bind()
    pdu = DataSm(
        source_addr=OURS, source_addr_ton=1, destination_addr=person.address[1:], dest_addr_ton=1,
        tlvs=(Tlv(Tag.MESSAGE_PAYLOAD, b"Hi"),),
    )  # fmt: skip
    answer = await customer.ask(pdu)
    assert (DataSmResp, Status.ESME_ROK) == (type(answer), answer.status)
    assert "Hi" == (await off(person.wait))[0]["body"]


@pytest.mark.parametrize(
    ("values", "status"),
    [
        pytest.param({"destination_addr": "12"}, Status.ESME_RINVDSTADR, id="nobody's number"),
        pytest.param({"source_addr": "14155559999"}, Status.ESME_RINVSRCADR, id="a sender of somebody else"),
        pytest.param({"short_message": b""}, Status.ESME_RINVMSGLEN, id="nothing to say"),
        pytest.param({"tlvs": (Tlv(Tag.MESSAGE_PAYLOAD, b"a" * 1601),), "short_message": b""}, Status.ESME_RINVMSGLEN, id="too much"),
        pytest.param({"schedule_delivery_time": "000000000100000R"}, Status.ESME_RINVSCHED, id="in a minute"),
        pytest.param({"source_addr": "72345", "source_addr_ton": 3, "schedule_delivery_time": "000001000000000R"},
                     Status.ESME_RINVSCHED, id="scheduled by a sender of no service"),
        pytest.param({"data_coding": 4}, Status.ESME_RSUBMITFAIL, id="octets"),
    ],
)  # fmt: skip
async def test_what_cannot_be_sent_is_declined(bind: Binder, person: Phone, values: dict[str, Any], status: Status) -> None:
    answer = await (await bind()).submit(to=person.address, **{"text": b"Hi", **values})
    assert (status, "") == (answer.status, answer.message_id)


async def test_broken_optional_parameters_are_declined(local: "Local") -> None:
    customer = await local.bind()
    octets = encode(SubmitSm(short_message=b"Hi"), sequence=0x7000) + b"\x04\x24\x00\x09Hi"
    customer.link.write(len(octets).to_bytes(4, "big") + octets[4:])
    # The link of a customer passes over an answer to nothing it asked: what matters is that it lives.
    answer = await customer.ask(QuerySm(message_id="SM1"))
    assert Status.ESME_RINVMSGID == answer.status


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 2, 1, 3, 1)], ids=["in order", "shuffled", "some twice"])
async def test_the_parts_of_a_long_text_become_one_message(bind: Binder, person: Phone, order: tuple[int, ...]) -> None:
    customer = await bind()
    text = "A long text with an emoji 😀 at its cut " * 4
    octets = text.encode("utf-16-be")
    cuts = [octets[start : start + 132 + 2] for start in range(0, len(octets), 134)]
    ids = set()
    for number in order:
        header = udh.header(udh.Concat(reference=len(order), width=8, total=len(cuts), part=number))
        answer = await customer.submit(header + cuts[number - 1], to=person.address, esm_class=0x40, data_coding=8)
        assert Status.ESME_ROK == answer.status
        ids.add(answer.message_id)
    if len(cuts) > len(set(order)):
        for number in range(len(set(order)) + 1, len(cuts) + 1):
            header = udh.header(udh.Concat(reference=len(order), width=8, total=len(cuts), part=number))
            ids.add((await customer.submit(header + cuts[number - 1], to=person.address, esm_class=0x40, data_coding=8)).message_id)
    assert text == (await off(person.wait))[0]["body"]
    assert 1 == len(ids)
    state = await customer.ask(QuerySm(message_id=ids.pop()))
    assert Status.ESME_ROK == state.status


async def test_parts_by_sar_are_joined_and_their_receipt_names_the_one_id(bind: Binder, person: Phone) -> None:
    customer = await bind()
    for number, text in ((1, b"Hello, "), (2, b"world")):
        place = udh.Concat(reference=300, width=16, total=2, part=number)
        answer = await customer.submit(text, to=person.address, tlvs=udh.sar_tlvs(place), registered_delivery=number == 1)
    assert "Hello, world" == (await off(person.wait))[0]["body"]
    found = receipt.read(await customer.hear())
    assert found and (answer.message_id, MessageState.DELIVERED) == (found.id, found.state)


async def test_an_opted_out_person_gets_no_part_either(bind: Binder, person: Phone) -> None:
    customer = await bind()
    await off(person.text, "STOP", to="+14155550122")
    statuses = []
    for number in (1, 2):
        place = udh.Concat(reference=8, width=16, total=2, part=number)
        statuses.append((await customer.submit(b"Hi", to=person.address, tlvs=udh.sar_tlvs(place))).status)
    assert [Status.ESME_ROK, Status.ESME_RSUBMITFAIL] == statuses


async def test_a_scheduled_message_is_queried_and_cancelled_once(bind: Binder, person: Phone) -> None:
    customer = await bind()
    answer = await customer.submit(
        b"Tomorrow", to=person.address, source_addr="14155550100", schedule_delivery_time="000001000000000R", registered_delivery=1
    )
    assert Status.ESME_ROK == answer.status
    state = await customer.ask(QuerySm(message_id=answer.message_id))
    assert isinstance(state, QuerySmResp)
    assert (MessageState.SCHEDULED, "") == (state.message_state, state.final_date)
    assert Status.ESME_ROK == (await customer.ask(CancelSm(message_id=answer.message_id))).status
    found = receipt.read(await customer.hear())
    assert found and (answer.message_id, MessageState.DELETED) == (found.id, found.state)
    assert Status.ESME_RCANCELFAIL == (await customer.ask(CancelSm(message_id=answer.message_id))).status
    state = await customer.ask(QuerySm(message_id=answer.message_id))
    assert isinstance(state, QuerySmResp)
    assert (MessageState.DELETED, 16) == (state.message_state, len(state.final_date))


@pytest.mark.parametrize(
    ("pdu", "status"),
    [
        pytest.param(SubmitMulti(number_of_dests=2), Status.ESME_RSUBMITFAIL, id="to many"),
        pytest.param(ReplaceSm(message_id="SM1"), Status.ESME_RREPLACEFAIL, id="replace"),
        pytest.param(QuerySm(message_id="SM1"), Status.ESME_RINVMSGID, id="query of nothing"),
        pytest.param(CancelSm(message_id="SM1"), Status.ESME_RINVMSGID, id="cancel of nothing"),
        pytest.param(CancelSm(), Status.ESME_RCANCELFAIL, id="cancel of everything"),
        pytest.param(EnquireLink(), Status.ESME_ROK, id="are you there"),
    ],
)
async def test_other_requests_are_answered(bind: Binder, pdu: Pdu, status: Status) -> None:
    answer = await (await bind()).ask(pdu)
    assert (type(response_to(pdu)), status) == (type(answer), answer.status)


async def test_a_flood_is_taken_as_it_can_be_and_answered_whole(bind: Binder, gateway: Gateway) -> None:
    customer = await bind("transmitter", limits=links.Limits(window=500))
    people = [f"+1415555{7000 + number}" for number in range(500)]
    answers = await asyncio.gather(*(customer.submit(b"Hi", to=person) for person in people))
    assert {Status.ESME_ROK} == {answer.status for answer in answers}
    assert 500 == len({answer.message_id for answer in answers})


async def test_another_account_sees_nothing_of_it(gateway: Gateway, bind: Binder, person: Phone) -> None:
    sid, token = await off(gateway.account)
    ours, other = await bind(), await bind(account=sid, password=token)
    answer = await ours.submit(b"Hi", to=person.address)
    assert Status.ESME_RINVMSGID == (await other.ask(QuerySm(message_id=answer.message_id))).status
    assert Status.ESME_RINVSRCADR == (await other.submit(b"Hi", to=person.address)).status
    await off(person.text, "Hello", to="+14155550122")
    await ours.hear()
    assert other.told.empty()


# ── events ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_came_while_nobody_was_bound_is_told_in_order_at_the_next_bind(gateway: Gateway, bind: Binder, person: Phone) -> None:
    first = await bind()
    await first.link.unbind(within_seconds=2)
    for number in range(5):
        await off(person.text, f"Text {number}", to="+14155550122")
    customer = await bind()
    heard = [(await customer.hear()).short_message.decode() for _ in range(5)]
    assert [f"Text {number}" for number in range(5)] == heard


async def test_a_receiver_that_cannot_now_hears_it_again(bind: Binder, person: Phone) -> None:
    customer = await bind()
    customer.statuses = [Status.ESME_RMSGQFUL]
    await off(person.text, "Hello", to="+14155550122")
    await off(person.text, "World", to="+14155550122")
    heard = [(await customer.hear()).short_message for _ in range(3)]
    assert [b"Hello", b"Hello", b"World"] == heard


async def test_a_receiver_that_never_will_is_asked_once(gateway: Gateway, bind: Binder, person: Phone) -> None:
    customer = await bind()
    customer.statuses = [Status.ESME_RX_R_APPN]
    await off(person.text, "Hello", to="+14155550122")
    await customer.hear()
    failed = await off(eventually, lambda: _deliveries(gateway, "failed"))
    assert failed[0].url == bound.target(gateway.account_sid)
    assert customer.told.empty()


async def test_two_receivers_take_turns(bind: Binder, person: Phone) -> None:
    one, other = await bind(), await bind("receiver")
    for number in range(6):
        await off(person.text, f"Text {number}", to="+14155550122")
    async with asyncio.timeout(10):
        while one.told.qsize() + other.told.qsize() < 6:
            await asyncio.sleep(0.01)
    assert (3, 3) == (one.told.qsize(), other.told.qsize())


async def test_a_long_text_comes_in_parts(bind: Binder, person: Phone) -> None:
    customer = await bind()
    await off(person.text, "a" * 300, to="+14155550122")
    parts = {}
    for _ in range(2):
        place, headed = udh.part_of(await customer.hear())
        assert place is not None
        parts[place.part] = headed.octets
    assert b"a" * 300 == udh.join(parts, 2)


async def test_an_account_chooses_how_it_is_told(gateway: Gateway, bind: Binder, person: Phone) -> None:
    customer = await bind()
    choose = gateway.http.patch
    changed = await off(choose, "/api/v1/account", json={"smpp_long": "payload", "smpp_tlvs": "vendor"})
    assert (200, bound.system_id(gateway.account_sid)) == (changed.status_code, changed.json()["smpp_system_id"])
    try:
        await off(person.text, "a" * 300, to="+14155550122")
        assert b"a" * 300 == body(await customer.hear())
        enabled = await off(gateway.http.get, f"/api/v1/services/{await off(lambda: gateway.service)}/opt-out")
        assert 200 == enabled.status_code
        await off(choose, "/api/v1/account", json={"smpp_delivery": "off"})
        await off(person.text, "Nobody hears", to="+14155550122")
        await off(choose, "/api/v1/account", json={"smpp_delivery": "on"})
        await off(person.text, "Somebody hears", to="+14155550122")
        heard = await customer.hear()
        assert b"Somebody hears" == heard.short_message
        assert (tlv_text(heard, translate.MESSAGE_SID) or "").startswith("SM")  # type: ignore[arg-type]
    finally:
        await off(choose, "/api/v1/account", json={"smpp_long": "udh", "smpp_tlvs": "standard", "smpp_delivery": "auto"})


async def test_with_advanced_opt_out_a_receiver_that_asked_learns_what_the_text_was(
    gateway: Gateway, bind: Binder, person: Phone
) -> None:
    customer = await bind()
    path = f"/api/v1/services/{await off(lambda: gateway.service)}/opt-out"
    await off(gateway.http.patch, "/api/v1/account", json={"smpp_tlvs": "vendor"})
    before = (await off(gateway.http.get, path)).json()
    saved = await off(gateway.http.put, path, json={**before, "enabled": True})
    assert 200 == saved.status_code, saved.text
    try:
        again = await bind()  # what errors say was asked at its bind
        await customer.link.unbind(within_seconds=2)
        await off(person.text, "stop", to="+14155550100")
        assert "STOP" == tlv_text(await again.hear(), translate.OPT_OUT_TYPE)  # type: ignore[arg-type]
        refused = await again.submit(b"Hi", to=person.address, source_addr="14155550100")
        assert Status.ESME_RSUBMITFAIL == refused.status
        assert (tlv_text(refused, Tag.ADDITIONAL_STATUS_INFO_TEXT) or "").startswith("21610 ")
    finally:
        await off(gateway.http.patch, "/api/v1/account", json={"smpp_tlvs": "standard"})
        await off(gateway.http.put, path, json=before)


async def test_receipts_come_as_they_were_asked_for(bind: Binder, person: Phone) -> None:
    customer = await bind()
    none = await customer.submit(b"No receipt", to=person.address, registered_delivery=0)
    failure = await customer.submit(b"Only a failure", to=person.address, registered_delivery=2)
    each = await customer.submit(b"Every step", to=person.address, registered_delivery=0x11)
    sent, delivered = await customer.hear(), await customer.hear()
    assert EsmClass.INTERMEDIATE_NOTIFICATION == sent.esm_class
    assert EsmClass.RECEIPT == delivered.esm_class
    assert {each.message_id} == {tlv_text(pdu, Tag.RECEIPTED_MESSAGE_ID) for pdu in (sent, delivered)}
    await off(person.wait, 3)
    assert customer.told.empty(), (none, failure)


def _deliveries(gateway: Gateway, state: str) -> Any:
    return gateway.run(
        gateway.world.store.read(lambda tx: tx.webhooks.page(Cut(), state=state), account=gateway.account_sid)
    )


# ── a door of its own, whose house can fail ──────────────────────────────────────────────────────────────


class Local:
    """The door in the test's own loop, on the house of a real gateway; `fault` is raised by every submit."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway, self.account = gateway, gateway.account_sid
        self.fault: Exception | None = None
        self.customers: list[Customer] = []
        bounds = doors.Bounds(
            links_of_address_max=7,
            binds_of_account_max=3,
            timers=Timers(response_seconds=2, enquire_link_seconds=5, bind_seconds=0.3),
        )
        self.server = doors.SmppServer(self, Switchboard(gateway.world.clock, gateway.world.ids), gateway.world.clock, bounds=bounds)  # type: ignore[arg-type]
        self.port = 0

    async def __call__(self, flow: Any, **values: Any) -> Any:
        if self.fault is not None and "orders" in values:
            raise self.fault
        return await run(self.gateway, flow(self.gateway.world, **values))

    async def read(self, account: str, query: Any, *args: Any) -> Any:
        return await run(self.gateway, self.gateway.house.read(account, query, *args))

    async def bind(self) -> Customer:
        customer = Customer()
        pdu = BindTransceiver(system_id=bound.system_id(self.account), password=self.gateway.auth_token)
        customer.link = await links.connect("127.0.0.1", self.port, bind=pdu, on_pdu=customer.asked)
        self.customers.append(customer)
        return customer

    async def until(self, ask: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not ask():
                await asyncio.sleep(0.01)


@pytest.fixture
async def local(gateway: Gateway) -> AsyncIterator[Local]:
    local = Local(gateway)
    local.port = await local.server.open("127.0.0.1", 0)
    yield local
    for customer in local.customers:
        customer.link.close()
    await local.server.close()


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        pytest.param(StoreBusy(), Status.ESME_RTHROTTLED, id="busy"),
        pytest.param(StoreFull(), Status.ESME_RMSGQFUL, id="full"),
        pytest.param(StoreClosed(), Status.ESME_RSYSERR, id="closed"),
        pytest.param(ZeroDivisionError(), Status.ESME_RSYSERR, id="a fault of ours"),
    ],
)
async def test_what_was_not_kept_is_not_acknowledged(local: Local, person: Phone, fault: Exception, status: Status) -> None:
    customer = await local.bind()
    local.fault = fault
    assert status == (await customer.submit(b"Hi", to=person.address)).status
    local.fault = None
    assert Status.ESME_ROK == (await customer.submit(b"Hi", to=person.address)).status


async def test_the_last_part_may_come_again_when_its_answer_was_lost(local: Local, person: Phone) -> None:
    customer = await local.bind()
    parts = [udh.sar_tlvs(udh.Concat(reference=9, width=16, total=2, part=number)) for number in (1, 2)]
    first = await customer.submit(b"Hello, ", to=person.address, tlvs=parts[0])
    local.fault = StoreBusy()
    assert Status.ESME_RTHROTTLED == (await customer.submit(b"world", to=person.address, tlvs=parts[1])).status
    local.fault = None
    again = await customer.submit(b"world", to=person.address, tlvs=parts[1])
    assert (Status.ESME_ROK, first.message_id) == (again.status, again.message_id)
    assert ["Hello, world"] == [message["body"] for message in await off(person.wait)]


async def test_a_door_that_closes_says_goodbye(gateway: Gateway) -> None:
    local = Local(gateway)
    local.port = await local.server.open("127.0.0.1", 0)
    customer = await local.bind()
    await local.server.close()
    await asyncio.wait_for(customer.link.wait_closed(), 5)
    assert links.Closing.UNBOUND is customer.link.closing
    with pytest.raises(LinkError):
        await local.bind()


async def test_with_a_certificate_the_port_speaks_tls_only(gateway: Gateway, tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    await off(subprocess.run, command, check=True, capture_output=True)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate, key)
    local = Local(gateway)
    local.port = await local.server.open("127.0.0.1", 0, tls=server)
    pdu = BindTransceiver(system_id=bound.system_id(local.account), password=gateway.auth_token)
    link = await links.connect("127.0.0.1", local.port, bind=pdu, tls=ssl.create_default_context(cafile=str(certificate)))
    assert link.bound
    await link.unbind(within_seconds=2)
    with pytest.raises(LinkError):
        await links.connect("127.0.0.1", local.port, bind=replace(pdu), limits=links.Limits(connect_seconds=2))
    await local.server.close()
