"""The SMPP carrier against a scripted message centre: what leaves, what is answered, what is heard."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.carriers import Board, load
from stopwire.carriers.smpp import Smpp, translate
from stopwire.carriers.smpp.pace import Pace
from stopwire.carriers.smpp.settings import Settings, problems, read
from stopwire.core import alphabets
from stopwire.core.connections import Connection, LinkStatus, Sealed
from stopwire.core.message import Status as MessageStatus
from stopwire.core.outcomes import Cause, DeliveryReport, Outcome, OutcomeKind, Part, Received
from stopwire.net.http import HttpClient
from stopwire.ports.carrier import Tools
from stopwire.ports.faults import StoreBusy
from stopwire.ports.http import PrivateTargets
from stopwire.smpp import udh
from stopwire.smpp.fields import EsmClass, MessageState, Npi, Status, Tag, Ton
from stopwire.smpp.pdu import BindReceiver, BindTransceiver, BindTransmitter, DeliverSm, Tlv, tlv, tlv_int
from stopwire.testing.smsc import Accept, HangUp, Reject, Reports, Silence, Smsc, When
from stopwire.wiring import RandomIds, SystemClock
from tests.certificate import certificate

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
OURS, ANN = "+14155550100", "+14155550101"
SETTINGS = Settings(host="127.0.0.1", system_id="me")
LONG = "0123456789" * 31  # 310 septets: three segments


class Ids(RandomIds):
    """No pause is longer than it must be."""

    def jitter(self) -> float:
        return 0.0


@dataclass
class Heard:
    """An inbox that remembers, or cannot keep anything."""

    texts: list[Received] = field(default_factory=list)
    reports: list[DeliveryReport] = field(default_factory=list)
    fault: Exception | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    told: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    async def received(self, heard: Received) -> str | None:
        await self.gate.wait()
        if self.fault:
            raise self.fault
        self.texts.append(heard)
        return "SM1"

    async def reported(self, reports: Sequence[DeliveryReport]) -> None:
        if self.fault:
            raise self.fault
        self.reports += reports

    def ready(self) -> None:
        self.told += 1


@dataclass
class Rig:
    smsc: Smsc
    inbox: Heard
    carriers: list[Smpp] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)

    async def carrier(self, **settings: Any) -> Smpp:
        """A carrier that is bound to the centre."""
        made = self.make(**settings)
        await made.start(self.inbox)
        await until(lambda: made.state().status is LinkStatus.UP)
        return made

    def make(self, **settings: Any) -> Smpp:
        plain = {"host": self.smsc.host, "port": self.smsc.port, "system_id": "me", **settings}
        tools = Tools(
            http=HttpClient(),
            clock=SystemClock(),
            ids=Ids(),
            private=PrivateTargets.NONE,
            public_url="http://localhost",
            tell=lambda event, says: self.lines.append((event, says)),
        )
        made = Smpp(sealed(plain), {"password": "pw"}, tools)
        self.carriers.append(made)
        return made


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with Smsc() as smsc:
        made = Rig(smsc=smsc, inbox=Heard())
        yield made
        await asyncio.gather(*(carrier.stop() for carrier in made.carriers))


def sealed(settings: dict[str, Any]) -> Sealed:
    return Sealed(
        connection=Connection(
            sid="CN1", account="AC1", name="main", type="smpp", settings=settings, created_at=NOW, updated_at=NOW
        )
    )


async def until(true: Any, *, seconds: float = 5.0) -> None:
    ends_at = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends_at, f"it did not come within {seconds} s"
        await asyncio.sleep(0.005)


def part(number: int = 1, **fields: Any) -> Part:
    plain = {"attempt": f"AT{number:032x}", "message": f"SM{number:032x}", "sender": OURS, "recipient": ANN, "body": "Hello"}
    return Part(**{**plain, "write_by": time.monotonic() + 5, **fields})


async def sent(carrier: Smpp, *parts: Part) -> list[Outcome]:
    outcomes: list[Outcome] = []
    await carrier.send(parts, outcomes.append)
    return outcomes


async def only(carrier: Smpp, one: Part) -> Outcome:
    (outcome,) = await sent(carrier, one)
    return outcome


# ── a part as PDUs ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "coding", "octets"),
    [
        pytest.param("Hi @ Ann", 0, b"Hi \x00 Ann", id="GSM-7, one septet an octet"),
        pytest.param("5 €", 0, b"5 \x1be", id="the extension table"),
        pytest.param("Grüße", 0, b"Gr\x7e\x1ee", id="letters with dots"),
        pytest.param("добро", 8, "добро".encode("utf-16-be"), id="what GSM-7 lacks"),
        pytest.param("👍", 8, "👍".encode("utf-16-be"), id="outside the basic plane"),
    ],
)
def test_a_text_is_written_in_the_alphabet_it_fits(body: str, coding: int, octets: bytes) -> None:
    (pdu,) = translate.submits(part(body=body), SETTINGS, now=NOW)
    assert (coding, octets) == (pdu.data_coding, pdu.short_message)


@pytest.mark.parametrize(
    ("body", "coding", "octets"),
    [
        pytest.param("Grüße @", 0, b"Gr\xfc\xdfe @", id="Latin-1"),
        pytest.param("5 €", 8, "5 €".encode("utf-16-be"), id="not in Latin-1"),
        pytest.param("[x]", 8, "[x]".encode("utf-16-be"), id="two septets on the air: the cut would be wrong"),
    ],
)
def test_a_carrier_may_mean_latin_1_by_its_default(body: str, coding: int, octets: bytes) -> None:
    (pdu,) = translate.submits(part(body=body), replace(SETTINGS, default_alphabet="latin1"), now=NOW)
    assert (coding, octets) == (pdu.data_coding, pdu.short_message)


@pytest.mark.parametrize(
    ("body", "octets"),
    [
        pytest.param("hellohello", "E8 32 9B FD 46 97 D9 EC 37", id="the example of TS 23.038"),
        pytest.param("STOP", "53 EA 13 0A", id="a word"),
        pytest.param("1234567", "31 D9 8C 56 B3 DD 1A", id="a septet left over is CR"),
    ],
)
def test_a_carrier_may_want_septets_packed(body: str, octets: str) -> None:
    (pdu,) = translate.submits(part(body=body), replace(SETTINGS, default_alphabet="gsm7_packed"), now=NOW)
    assert (0, bytes.fromhex(octets)) == (pdu.data_coding, pdu.short_message)


@pytest.mark.parametrize(
    ("octets", "body"),
    [
        pytest.param("53 EA 13 0A", "STOP", id="a word"),
        pytest.param("31 D9 8C 56 B3 DD 1A", "1234567", id="filled with CR"),
        pytest.param("31 D9 8C 56 B3 DD 00", "1234567", id="filled with nothing"),
        pytest.param("31 D9 8C 56 B3 DD 70", "12345678", id="full"),
    ],
)
async def test_a_carrier_may_bring_septets_packed(rig: Rig, octets: str, body: str) -> None:
    await rig.carrier(default_alphabet="gsm7_packed")
    assert 0 == await rig.smsc.deliver(bytes.fromhex(octets))
    assert [body] == [heard.body for heard in rig.inbox.texts]


@pytest.mark.parametrize("way", ["udh", "udh16", "sar", "payload"])
@given(body=st.text(st.sampled_from("ab1[€é? ")).filter(bool))
def test_packed_septets_are_whole_again_at_the_other_end(way: str, body: str) -> None:
    settings = replace(SETTINGS, default_alphabet="gsm7_packed", long_messages=way)
    parts = []
    for pdu in translate.submits(part(body=body * 20), settings, now=NOW):
        assert len(pdu.short_message) <= 140
        told = DeliverSm(esm_class=pdu.esm_class, short_message=pdu.short_message, tlvs=pdu.tlvs, data_coding=pdu.data_coding)
        heard = translate.heard(told, settings, "CN1")
        parts.append((heard.body, heard.octets, heard.alphabet))
    assert body * 20 == alphabets.join(parts)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("+14155550100", (Ton.INTERNATIONAL, Npi.ISDN, "14155550100"), id="a number, without its plus"),
        pytest.param("72345", (3, 1, "72345"), id="a short code, as the route wants it"),
        pytest.param("ACME", (Ton.ALPHANUMERIC, Npi.UNKNOWN, "ACME"), id="a name"),
    ],
)
def test_an_address_has_the_type_of_its_kind(address: str, expected: tuple[int, int, str]) -> None:
    settings = replace(SETTINGS, short_code_ton=3, short_code_npi=1)
    assert expected == translate.address(address, settings)


@pytest.mark.parametrize("way", ["udh", "udh16", "sar", "payload"])
@pytest.mark.parametrize("body", [pytest.param(LONG, id="GSM-7"), pytest.param("ж" * 150 + "👍" * 10, id="UCS-2")])
def test_a_long_text_is_whole_again_at_the_other_end(way: str, body: str) -> None:
    pdus = translate.submits(part(body=body), replace(SETTINGS, long_messages=way), now=NOW)
    assert (1 if way == "payload" else 3) == len(pdus)
    octets = {}
    for number, pdu in enumerate(pdus, start=1):
        delivered = DeliverSm(esm_class=pdu.esm_class, short_message=pdu.short_message, tlvs=pdu.tlvs, data_coding=pdu.data_coding)
        place, headed = udh.part_of(delivered)
        octets[place.part if place else number] = headed.octets
    whole = udh.join(octets, len(pdus)) or b""
    assert body == (translate.gsm7.decode(whole) if pdus[0].data_coding == 0 else whole.decode("utf-16-be"))


def test_a_message_says_how_long_it_is_good_and_that_a_receipt_is_wanted() -> None:
    one = part(expires_at=NOW + timedelta(days=1, hours=2, minutes=3, seconds=4))
    (pdu,) = translate.submits(one, SETTINGS, now=NOW)
    assert ("000001020304000R", 1) == (pdu.validity_period, pdu.registered_delivery)
    assert int(one.attempt[-4:], 16) == tlv_int(pdu, Tag.USER_MESSAGE_REFERENCE)


def test_a_carrier_that_takes_no_tlvs_gets_none() -> None:
    (pdu,) = translate.submits(part(), replace(SETTINGS, user_message_reference=False), now=NOW)
    assert () == pdu.tlvs


def test_media_become_links_in_the_text() -> None:
    (pdu,) = translate.submits(part(body="Look", media=("https://example.com/a.png",)), SETTINGS, now=NOW)
    assert b"Look\nhttps://example.com/a.png" == pdu.short_message


async def test_what_cannot_be_written_is_refused_for_good(rig: Rig) -> None:
    outcome = await only(await rig.carrier(), part(sender="+1" + "5" * 30))
    assert OutcomeKind.REJECTED is outcome.kind
    assert "at most 20" in (outcome.detail or "")


# ── settings ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        pytest.param({"port": 0}, "settings.port", id="no port"),
        pytest.param({"port": "x"}, "settings.port", id="no number"),
        pytest.param({"window": 1.5}, "settings.window", id="half a message"),
        pytest.param({"bind": "both"}, "settings.bind", id="an unknown role"),
        pytest.param({"tls": "perhaps"}, "settings.tls", id="neither yes nor no"),
        pytest.param({"system_id": "x" * 16}, "settings.system_id", id="too long"),
        pytest.param({"host": "a b"}, "settings.host", id="no host"),
        pytest.param({"host": "smsc..example.com"}, "settings.host", id="no host name"),
        pytest.param({"statuses": {"0x400": "stopped"}}, "settings.statuses.0x400", id="an unknown cause"),
        pytest.param({"errors": {"12": "x"}}, "settings.errors.12", id="no error code"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, Any], path: str) -> None:
    assert [path] == [problem.path for problem in problems(settings)]


def test_text_from_a_command_line_is_read_as_what_it_means() -> None:
    settings = read({"host": "h", "system_id": "s", "port": "2776", "tls": "true", "throughput": "7.5", "errors": {"012": "30005"}}, "p")
    assert (2776, True, 7.5, {"12": 30005}) == (settings.port, settings.tls, settings.throughput, settings.errors)


def test_the_board_knows_the_type_and_its_fields() -> None:
    assert Smpp is load("smpp")
    board = Board(None)  # type: ignore[arg-type]  # nothing is made with it
    assert ["settings.host", "settings.system_id"] == [p.path for p in board.problems("smpp", {"port": 2775})]
    assert ["settings.colour"] == [p.path for p in board.problems("smpp", {"host": "h", "system_id": "s", "colour": "red"})]
    assert ["type"] == [p.path for p in board.problems("pigeon", {})]


# ── binding ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("settings", "binds"),
    [
        pytest.param({"binds": 2}, [BindTransceiver, BindTransceiver], id="transceivers"),
        pytest.param({"bind": "transmitter+receiver"}, [BindReceiver, BindTransmitter], id="a pair"),
    ],
)
async def test_it_binds_as_often_and_in_the_role_it_is_told(rig: Rig, settings: dict[str, Any], binds: list[type]) -> None:
    await rig.carrier(**settings)
    await rig.smsc.bound_to(2)
    assert binds == sorted((type(bind) for bind in rig.smsc.binds), key=lambda kind: kind.__name__)


async def test_a_refused_bind_is_told_with_the_carriers_words(rig: Rig) -> None:
    rig.smsc.password = "another"
    carrier = rig.make()
    await carrier.start(rig.inbox)
    await until(lambda: carrier.state().status is LinkStatus.DOWN)
    assert "ESME_RINVPASWD" in carrier.state().says
    assert 0 == carrier.room()


async def test_a_lost_link_comes_back_by_itself(rig: Rig) -> None:
    carrier = await rig.carrier()
    rig.smsc.cut()
    await until(lambda: carrier.state().status is LinkStatus.DOWN)
    assert 0 == carrier.room()
    await until(lambda: carrier.state().status is LinkStatus.UP)
    assert ["bound", "unbound", "bound"] == [event for event, _ in rig.lines]
    assert carrier.room() > 0


async def test_a_connection_may_be_encrypted_and_says_whether_the_certificate_is_checked(tmp_path: Path) -> None:
    theirs, ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate(tmp_path)
    theirs.load_cert_chain(ours)
    async with Smsc(tls=theirs) as smsc:
        rig = Rig(smsc=smsc, inbox=Heard())
        checked = await rig.carrier(host="localhost", tls=True, tls_ca=str(ours))
        outcomes = await sent(checked, *(part(number) for number in range(20)))
        assert {OutcomeKind.ACCEPTED} == {outcome.kind for outcome in outcomes}
        assert "certificate" not in checked.state().says
        trusting = await rig.carrier(host="localhost", tls=True, tls_verify=False)
        assert "Anybody may be at the other end: its certificate is not checked." in trusting.state().says
        wary = rig.make(host="localhost", tls=True)
        await wary.start(rig.inbox)
        await until(lambda: wary.state().status is LinkStatus.DOWN)
        assert "certificate verify failed" in wary.state().says
        await asyncio.gather(*(carrier.stop() for carrier in rig.carriers))


async def test_a_bind_opens_room_and_says_so(rig: Rig) -> None:
    carrier = rig.make(window=7)
    await carrier.start(rig.inbox)
    assert 0 == carrier.room()
    await until(lambda: rig.inbox.told > 0)
    assert 7 + 7 == carrier.room(), "the window, and one more in wait"


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────


async def test_an_accepted_part_has_the_carriers_id(rig: Rig) -> None:
    rig.smsc.script(Accept(message_id="0e99-ff"))
    outcome = await only(await rig.carrier(), part())
    assert (OutcomeKind.ACCEPTED, "0e99-ff", ("0e99-ff",)) == (outcome.kind, outcome.reference, outcome.segments)


async def test_parts_leave_in_the_order_given(rig: Rig) -> None:
    carrier = await rig.carrier(window=2)
    await sent(carrier, *(part(number, body=str(number)) for number in range(1, 9)))
    assert [b"%d" % number for number in range(1, 9)] == [s.octets for s in rig.smsc.submissions]


async def test_senders_take_turns(rig: Rig) -> None:
    carrier = await rig.carrier(window=1)
    busy = [part(number, sender="+14155550111", recipient=f"+1415555{number:04}") for number in range(1, 7)]
    await sent(carrier, *busy, part(9, sender="+14155550122"))
    assert "14155550122" in [s.pdu.source_addr for s in rig.smsc.submissions[:3]]


@pytest.mark.parametrize(
    ("status", "kind", "cause"),
    [
        pytest.param(Status.ESME_RINVDSTADR, OutcomeKind.REJECTED, Cause.UNKNOWN_HANDSET, id="no such person"),
        pytest.param(Status.ESME_RX_R_APPN, OutcomeKind.REJECTED, Cause.BLOCKED, id="rejected by the application"),
        pytest.param(Status.ESME_RSUBMITFAIL, OutcomeKind.REJECTED, Cause.OTHER, id="failed"),
        pytest.param(Status.ESME_RSYSERR, OutcomeKind.DEFERRED, Cause.OTHER, id="a fault of theirs"),
        pytest.param(Status.ESME_RTHROTTLED, OutcomeKind.DEFERRED, Cause.THROTTLED, id="too fast"),
        pytest.param(Status.ESME_RMSGQFUL, OutcomeKind.DEFERRED, Cause.THROTTLED, id="queue full"),
        pytest.param(0x400, OutcomeKind.REJECTED, Cause.OPTED_OUT, id="a code of the route's own"),
        pytest.param(0x401, OutcomeKind.DEFERRED, Cause.OTHER, id="another, for now"),
        pytest.param(0x4FF, OutcomeKind.REJECTED, Cause.OTHER, id="one that nobody knows"),
    ],
)
async def test_a_refusal_is_named(rig: Rig, status: int, kind: OutcomeKind, cause: Cause) -> None:
    rig.smsc.script(Reject(status=status))
    carrier = await rig.carrier(statuses={"0x400": "opted_out", "1025": "temporary"})
    outcome = await only(carrier, part())
    assert (kind, cause) == (outcome.kind, outcome.cause)
    assert f"0x{status:02X}" in (outcome.detail or "")


async def test_no_answer_in_time_is_unknown_and_nothing_is_sent_again(rig: Rig) -> None:
    rig.smsc.script(Silence())
    carrier = await rig.carrier(response_timeout=0.1)
    assert OutcomeKind.UNKNOWN is (await only(carrier, part())).kind
    assert OutcomeKind.ACCEPTED is (await only(carrier, part(2))).kind
    assert 2 == len(rig.smsc.submissions)


async def test_what_has_no_answer_is_told_once_for_all_that_have_none(rig: Rig) -> None:
    carrier = await rig.carrier(response_timeout=0.2)
    rig.smsc.script(*[Silence()] * 3)
    await sent(carrier, part(1), part(2), part(3))
    (says,) = [says for event, says in rig.lines if event == "unanswered"]
    assert "No answer to SUBMIT_SM in 0.2 s. What was written may have left. Messages without an answer so far: 1." == says


@pytest.mark.parametrize(
    ("action", "number"),
    [pytest.param(Accept(answers=2), 2, id="twice"), pytest.param(Accept(sequence_off=7), 9, id="under a wrong number")],
)
async def test_an_answer_to_nothing_is_told_to_the_operator(rig: Rig, action: Accept, number: int) -> None:
    carrier = await rig.carrier(response_timeout=0.2)
    rig.smsc.script(action)
    await sent(carrier, part())
    await until(lambda: any(event == "odd" for event, _ in rig.lines))
    says = f"SUBMIT_SM_RESP came under number {number}, and nothing waits for it: a second answer, or one under a wrong number."
    assert says in [says for _, says in rig.lines]
    assert carrier.state().status is LinkStatus.UP


async def test_an_answer_that_comes_late_after_all_follows_the_unknown(rig: Rig) -> None:
    rig.smsc.script(Accept(delay_seconds=0.3))
    carrier = await rig.carrier(response_timeout=0.1)
    outcomes = await sent(carrier, part())
    assert [OutcomeKind.UNKNOWN] == [outcome.kind for outcome in outcomes]
    more: list[Outcome] = outcomes
    await until(lambda: len(more) == 2 or rig.lines[-1][0] == "unbound")
    assert [OutcomeKind.UNKNOWN, OutcomeKind.ACCEPTED] == [outcome.kind for outcome in more]


async def test_a_link_lost_with_messages_out_makes_each_of_them_unknown(rig: Rig) -> None:
    rig.smsc.script(Silence(), Silence(), HangUp())
    carrier = await rig.carrier(window=3)
    outcomes = await sent(carrier, part(1), part(2), part(3), part(4), part(5))
    kinds = {outcome.attempt[-1]: outcome.kind for outcome in outcomes}
    assert {"1": "unknown", "2": "unknown", "3": "unknown", "4": "released", "5": "released"} == kinds
    assert 3 == len(rig.smsc.submissions)


async def test_a_route_may_choose_to_try_what_is_unknown_again(rig: Rig) -> None:
    rig.smsc.script(HangUp())
    outcome = await only(await rig.carrier(ambiguous="retry"), part())
    assert (OutcomeKind.UNKNOWN, True) == (outcome.kind, outcome.again)


async def test_no_byte_leaves_after_its_time(rig: Rig) -> None:
    carrier = await rig.carrier()
    outcome = await only(carrier, part(write_by=time.monotonic() - 0.001))
    assert OutcomeKind.RELEASED is outcome.kind
    assert [] == rig.smsc.submissions


async def test_what_waits_behind_a_full_window_is_released_in_time(rig: Rig) -> None:
    rig.smsc.script(Silence())
    carrier = await rig.carrier(window=1, response_timeout=1)
    outcomes: list[Outcome] = []
    task = asyncio.create_task(carrier.send([part(1), part(2, write_by=time.monotonic() + 0.1)], outcomes.append))
    await until(lambda: bool(outcomes))
    assert [(OutcomeKind.RELEASED, "2")] == [(o.kind, o.attempt[-1]) for o in outcomes]
    await task


async def test_a_closing_carrier_releases_what_has_not_left(rig: Rig) -> None:
    rig.smsc.script(Accept(delay_seconds=0.2))
    carrier = await rig.carrier(window=1)
    outcomes: list[Outcome] = []
    task = asyncio.create_task(carrier.send([part(1), part(2)], outcomes.append))
    await rig.smsc.heard(1)
    await carrier.stop()
    await task
    assert {"1": OutcomeKind.ACCEPTED, "2": OutcomeKind.RELEASED} == {o.attempt[-1]: o.kind for o in outcomes}


# ── segments ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_long_message_has_an_id_for_each_segment(rig: Rig) -> None:
    rig.smsc.script(Accept(message_id="a"), Accept(message_id="b", delay_seconds=0.1), Accept(message_id="c"))
    outcome = await only(await rig.carrier(), part(body=LONG))
    assert (OutcomeKind.ACCEPTED, ("a", "b", "c")) == (outcome.kind, outcome.segments)


async def test_halt_keeps_further_segments_back(rig: Rig) -> None:
    rig.smsc.script(Accept(delay_seconds=0.1))
    carrier = await rig.carrier(window=1)
    one, outcomes = part(body=LONG), []
    task = asyncio.create_task(carrier.send([one], outcomes.append))
    await rig.smsc.heard(1)
    carrier.halt([one.attempt])
    await task
    assert [(OutcomeKind.HALTED, "1 of 3 segments left")] == [(o.kind, o.detail) for o in outcomes]
    assert 1 == len(rig.smsc.submissions)


async def test_halt_releases_what_has_not_begun(rig: Rig) -> None:
    rig.smsc.script(Accept(delay_seconds=0.1))
    carrier = await rig.carrier(window=1)
    outcomes: list[Outcome] = []
    task = asyncio.create_task(carrier.send([part(1), part(2)], outcomes.append))
    await rig.smsc.heard(1)
    carrier.halt([part(2).attempt])
    await task
    assert {"1": OutcomeKind.ACCEPTED, "2": OutcomeKind.RELEASED} == {o.attempt[-1]: o.kind for o in outcomes}


async def test_a_segment_refused_for_speed_is_given_again_but_no_other(rig: Rig) -> None:
    rig.smsc.script(Accept(), Reject(status=Status.ESME_RTHROTTLED))
    outcome = await only(await rig.carrier(window=1), part(body=LONG))
    assert (OutcomeKind.ACCEPTED, 3) == (outcome.kind, len(outcome.segments))
    numbers = [udh.concat(udh.behead(s.octets).elements) for s in rig.smsc.submissions]
    assert [1, 2, 3, 2] == [place.part for place in numbers if place] or [1, 2, 2, 3] == [place.part for place in numbers if place]


async def test_a_first_segment_refused_for_now_defers_the_whole(rig: Rig) -> None:
    rig.smsc.script(Reject(status=Status.ESME_RSYSERR))
    outcome = await only(await rig.carrier(window=1), part(body=LONG))
    assert OutcomeKind.DEFERRED is outcome.kind
    assert 1 == len(rig.smsc.submissions)


async def test_a_later_segment_refused_for_good_fails_the_whole(rig: Rig) -> None:
    rig.smsc.script(Accept(), Reject(status=Status.ESME_RSUBMITFAIL))
    outcome = await only(await rig.carrier(window=1), part(body=LONG))
    assert OutcomeKind.REJECTED is outcome.kind
    assert "segment 2 of 3" in (outcome.detail or "")


# ── pace ─────────────────────────────────────────────────────────────────────────────────────────────


def test_an_agreed_rate_is_kept() -> None:
    pace = Pace(10, now=0.0)
    left = [now / 100 for now in range(201) if pace.take(1, now=now / 100)]
    assert 20 <= len(left) <= 21
    assert all(later - earlier >= 0.09 for earlier, later in pairwise(left))


def test_refusals_for_speed_halve_the_rate_and_it_comes_back() -> None:
    pace = Pace(100, now=0.0)
    assert pace.refused(now=1.0)
    assert not pace.refused(now=1.5)  # of the same window
    assert 50 == pace.rate
    assert pace.refused(now=2.5)
    assert 25 < (pace.rate or 0) < 30
    pace.wait(now=4.0)
    assert 100 == (pace.wait(now=60.0), pace.rate)[1]


def test_a_route_without_a_rate_is_slowed_and_set_free_again() -> None:
    pace = Pace(None, now=0.0)
    for tick in range(200):
        pace.take(1, now=tick / 100)
    assert pace.refused(now=2.0)
    assert 45 < (pace.rate or 0) < 55
    pace.wait(now=30.0)
    assert pace.wait(now=60.0) == 0.0
    assert pace.rate is None


async def test_throttling_is_noted_and_slows_the_route(rig: Rig) -> None:
    rig.smsc.script(Reject(status=Status.ESME_RTHROTTLED))
    carrier = await rig.carrier(throughput=100)
    await only(carrier, part())
    assert "throttled" in [event for event, _ in rig.lines]
    assert carrier.state().figures["rate"] < 60


# ── inbound ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("octets", "coding", "body"),
    [
        pytest.param(b"STOP", 0, "STOP", id="the default alphabet"),
        pytest.param(b"5 \x1be \x00", 0, "5 € @", id="septets"),
        pytest.param(b"Caf\xe9", 0, "Café", id="octets that are no septets"),
        pytest.param(b"Caf\xe9", 3, "Café", id="Latin-1"),
        pytest.param(b"Ann~ [1]", 1, "Ann~ [1]", id="IA5"),
        pytest.param(b"5 \x1be f~r dich", 1, "5 € für dich", id="septets under the name of IA5"),
        pytest.param("стоп".encode("utf-16-be"), 8, "стоп", id="UCS-2"),
        pytest.param("стоп".encode("utf-16-be"), 0x18, "стоп", id="UCS-2 with a class"),
        pytest.param(b"\xd8\x3d", 8, "\ufffd", id="half a character"),
        pytest.param(b"\xff\xfe\x00", 4, "ÿþ\x00", id="no text at all"),
        pytest.param(b"STOP", 0xF1, "STOP", id="a class"),
        pytest.param(b"STOP", 0xC8, "STOP", id="a coding that nobody knows"),
    ],
)
async def test_a_text_is_read_by_its_coding(rig: Rig, octets: bytes, coding: int, body: str) -> None:
    await rig.carrier()
    assert 0 == await rig.smsc.deliver(octets, data_coding=coding, source="14155550101")
    (heard,) = rig.inbox.texts
    assert (OURS, ANN, body, octets) == (heard.sender, heard.recipient, heard.body, heard.octets)


@pytest.mark.parametrize(
    ("text", "ton", "country", "expected"),
    [
        pytest.param("14155550100", Ton.INTERNATIONAL, "", OURS, id="international"),
        pytest.param("+14155550100", Ton.UNKNOWN, "", OURS, id="with its plus"),
        pytest.param("0014155550100", Ton.UNKNOWN, "", OURS, id="with zeros before it"),
        pytest.param("4155550100", Ton.NATIONAL, "US", OURS, id="national"),
        pytest.param("72345", Ton.UNKNOWN, "", "72345", id="a short code"),
        pytest.param("72345", Ton.ABBREVIATED, "US", "72345", id="a short code, abbreviated"),
        pytest.param("ACME", Ton.ALPHANUMERIC, "", "ACME", id="a name"),
    ],
)
def test_our_address_is_known_however_it_is_written(text: str, ton: int, country: str, expected: str) -> None:
    assert expected == translate.ours(text, ton, replace(SETTINGS, country=country))


@pytest.mark.parametrize(
    ("header", "tlvs", "reference"),
    [
        pytest.param(b"\x05\x00\x03\x07\x02\x01", (), 7, id="8 bits"),
        pytest.param(b"\x06\x08\x04\x00\x07\x02\x01", (), 0x10007, id="16 bits"),
        pytest.param(b"", "sar", 0x20007, id="SAR"),
    ],
)
async def test_a_part_names_its_group(rig: Rig, header: bytes, tlvs: Any, reference: int) -> None:
    await rig.carrier()
    sar = udh.sar_tlvs(udh.Concat(reference=7, width=16, total=2, part=1)) if tlvs == "sar" else ()
    assert 0 == await rig.smsc.deliver(b"ST", udh=header, tlvs=sar)
    (heard,) = rig.inbox.texts
    assert (reference, 1, 2, b"ST") == (heard.part_reference, heard.part, heard.parts, heard.octets)


async def test_a_text_is_acknowledged_after_it_is_kept(rig: Rig) -> None:
    await rig.carrier()
    rig.inbox.gate.clear()
    deliveries = [asyncio.create_task(rig.smsc.deliver(b"STOP")) for _ in range(5)]
    await asyncio.sleep(0.05)
    assert [] == rig.smsc.deliveries
    rig.inbox.gate.set()
    assert [0] * 5 == await asyncio.gather(*deliveries)


async def test_what_cannot_be_kept_is_put_off(rig: Rig) -> None:
    await rig.carrier()
    rig.inbox.fault = StoreBusy()
    assert Status.ESME_RMSGQFUL == await rig.smsc.deliver(b"STOP")
    rig.inbox.fault = RuntimeError("a bug of ours")
    assert Status.ESME_RSYSERR == await rig.smsc.deliver(b"STOP")
    rig.inbox.fault = None
    assert 0 == await rig.smsc.deliver(b"STOP")


async def test_unknown_and_broken_tlvs_cost_nobody_his_stop(rig: Rig) -> None:
    await rig.carrier()
    assert 0 == await rig.smsc.deliver(b"STOP", tlvs=[Tlv(0x1400, b"vendor"), Tlv(0x3FFF, b"")])
    assert ["STOP"] == [heard.body for heard in rig.inbox.texts]


# ── receipts ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("state", "error", "expected"),
    [
        pytest.param(MessageState.DELIVERED, "000", (MessageStatus.DELIVERED, None), id="delivered"),
        pytest.param(MessageState.UNDELIVERABLE, "001", (MessageStatus.UNDELIVERED, 30008), id="undeliverable"),
        pytest.param(MessageState.UNDELIVERABLE, "012", (MessageStatus.UNDELIVERED, 30005), id="by the route's table"),
        pytest.param(MessageState.EXPIRED, "000", (MessageStatus.UNDELIVERED, 30003), id="expired"),
        pytest.param(MessageState.REJECTED, "000", (MessageStatus.UNDELIVERED, 30007), id="rejected"),
    ],
)
async def test_a_receipt_becomes_a_report(rig: Rig, state: MessageState, error: str, expected: tuple[Any, Any]) -> None:
    rig.smsc.script(Accept(message_id="00AB", reports=Reports(state=state, error=error)))
    carrier = await rig.carrier(errors={"12": 30005})
    one = part()
    await only(carrier, one)
    await until(lambda: bool(rig.inbox.reports))
    (report,) = rig.inbox.reports
    assert (*expected, "00AB", "ab") == (report.status, report.error_code, report.reference, report.forms[0])
    assert (OURS, ANN, int(one.attempt[-4:], 16)) == (report.sender, report.recipient, report.hint)


async def test_a_receipt_that_is_not_final_says_nothing(rig: Rig) -> None:
    carrier = await rig.carrier()
    rig.smsc.script(Accept(reports=Reports(when=When.REORDERED, state=MessageState.DELIVERED)))
    await only(carrier, part())
    await until(lambda: len(rig.smsc.deliveries) == 2)
    assert [MessageStatus.DELIVERED] == [report.status for report in rig.inbox.reports]
    assert [0, 0] == [delivery.status for delivery in rig.smsc.deliveries]


async def test_a_text_that_looks_like_a_receipt_is_a_text(rig: Rig) -> None:
    await rig.carrier()
    await rig.smsc.deliver(b"id:1 sub:001 dlvrd:001 submit date:2401011200 done date:2401011200 stat:DELIVRD err:000 text:")
    assert ([], 1) == (rig.inbox.reports, len(rig.inbox.texts))


async def test_a_receipt_that_cannot_be_kept_is_put_off(rig: Rig) -> None:
    await rig.carrier()
    rig.inbox.fault = StoreBusy()
    receipt = [tlv(Tag.RECEIPTED_MESSAGE_ID, "1"), tlv(Tag.MESSAGE_STATE, MessageState.DELIVERED)]
    assert Status.ESME_RMSGQFUL == await rig.smsc.deliver(esm_class=EsmClass.RECEIPT, tlvs=receipt)
