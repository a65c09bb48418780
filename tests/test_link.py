"""A link over real sockets of this machine: what is asked, answered, timed, limited and ended."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
import uvloop

from stopwire import link as links
from stopwire.link import COMPLAINTS_MAX, Bind, Closing, Limits, Link, LinkError, Lost, NotSent, Response, connect, listen
from stopwire.smpp.fields import Status
from stopwire.smpp.pdu import (
    AlertNotification,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    GenericNack,
    Pdu,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    decode,
    encode,
    response_to,
)
from stopwire.smpp.session import Role, State, Timers
from tests.certificate import certificate

BIND = BindTransceiver(system_id="me", password="pw")
QUIET = Timers(enquire_link_seconds=None)
Answer = Callable[[Pdu], Awaitable[Pdu | None]]


class Centre:
    """The other end: answers binds, hands the rest to `answer`, keeps its links."""

    def __init__(self, answer: Answer | None = None, *, limits: Limits | None = None, timers: Timers | None = None) -> None:
        self.answer = answer
        self.limits = limits
        self.timers = timers or QUIET
        self.links: list[Link] = []
        self.asked: list[Pdu] = []

    async def on_pdu(self, pdu: Pdu) -> Pdu | None:
        if isinstance(pdu, Bind):
            return response_to(pdu)
        self.asked.append(pdu)
        return response_to(pdu) if self.answer is None else await self.answer(pdu)

    def make(self) -> Link:
        link = Link(Role.SMSC, on_pdu=self.on_pdu, limits=self.limits, timers=self.timers)
        self.links.append(link)
        return link


class Tick:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def served(centre: Centre) -> AsyncIterator[int]:
    server = await listen("127.0.0.1", 0, make=centre.make)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for link in centre.links:
            link.close()
            await link.wait_closed()


@pytest_asyncio.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with asyncio.timeout(20), AsyncExitStack() as stack:
        yield stack


async def linked(stack: AsyncExitStack, centre: Centre, *, bind: Bind = BIND, **options: object) -> Link:
    port = await stack.enter_async_context(served(centre))
    link = await connect("127.0.0.1", port, bind=bind, timers=options.pop("timers", QUIET), **options)  # type: ignore[arg-type]
    stack.push_async_callback(link.wait_closed)
    stack.callback(link.close)
    return link


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0)


async def test_a_message_is_answered(stack: AsyncExitStack) -> None:
    async def answer(pdu: Pdu) -> Pdu:
        return SubmitSmResp(message_id="abc")

    link = await linked(stack, Centre(answer))
    assert link.bound
    assert Response(SubmitSmResp(sequence=2, message_id="abc")) == await link.request(SubmitSm(destination_addr="1"))


async def test_messages_of_one_start_leave_together_and_each_has_its_outcome(stack: AsyncExitStack) -> None:
    centre = Centre()
    link = await linked(stack, centre, limits=Limits(window=3))
    promises = link.start([SubmitSm(destination_addr=str(number)) for number in range(4)])
    outcomes = [await promise for promise in promises]
    assert [Response, Response, Response, NotSent] == [type(outcome) for outcome in outcomes]
    assert NotSent("The window of 3 is full: wait for an answer before SUBMIT_SM.") == outcomes[3]
    assert ["0", "1", "2"] == [pdu.destination_addr for pdu in centre.asked if isinstance(pdu, SubmitSm)]


async def test_a_value_that_does_not_fit_is_told_from_a_message_that_has_to_wait(stack: AsyncExitStack) -> None:
    link = await linked(stack, Centre())
    poison, good = link.start([SubmitSm(source_addr="1" * 21), SubmitSm()])
    assert await poison == NotSent(
        "SUBMIT_SM has 21 characters in source_addr; at most 20 are allowed (SMPP 3.4 §5.2.8).", fault=Status.ESME_RINVSRCADR
    )
    assert Response(SubmitSmResp(sequence=2)) == await good


async def test_who_waits_for_room_is_served_in_turn(stack: AsyncExitStack) -> None:
    centre = Centre()
    link = await linked(stack, centre, limits=Limits(window=2))
    outcomes = await asyncio.gather(*(link.request(SubmitSm(destination_addr=str(number))) for number in range(50)))
    assert {Response} == {type(outcome) for outcome in outcomes}
    assert [str(number) for number in range(50)] == [pdu.destination_addr for pdu in centre.asked if isinstance(pdu, SubmitSm)]


async def test_answers_come_as_they_are_ready(stack: AsyncExitStack) -> None:
    gate = asyncio.Event()

    async def answer(pdu: Pdu) -> Pdu:
        if isinstance(pdu, SubmitSm) and pdu.destination_addr == "slow":
            await gate.wait()
        return response_to(pdu)

    link = await linked(stack, Centre(answer))
    slow, fast = link.start([SubmitSm(destination_addr="slow"), SubmitSm(destination_addr="fast")])
    await fast
    assert not slow.done()
    gate.set()
    assert Response(SubmitSmResp(sequence=2)) == await slow


async def test_requests_of_the_other_side_are_answered_too(stack: AsyncExitStack) -> None:
    heard: list[Pdu] = []

    async def on_pdu(pdu: Pdu) -> Pdu:
        heard.append(pdu)
        return DeliverSmResp(status=Status.ESME_RMSGQFUL)

    centre = Centre()
    await linked(stack, centre, on_pdu=on_pdu)
    outcome = await centre.links[0].request(DeliverSm(short_message=b"STOP"))
    assert Response(DeliverSmResp(sequence=1, status=Status.ESME_RMSGQFUL)) == outcome
    assert [DeliverSm(sequence=1, short_message=b"STOP")] == heard


async def test_an_alert_is_heard_and_not_answered(stack: AsyncExitStack) -> None:
    heard: list[Pdu] = []

    async def on_pdu(pdu: Pdu) -> None:
        heard.append(pdu)

    centre = Centre()
    await linked(stack, centre, on_pdu=on_pdu)
    centre.links[0].start([AlertNotification()])
    await until(lambda: len(heard) == 1)
    assert [AlertNotification(sequence=1)] == heard


async def test_a_handler_that_fails_tells_the_peer_to_come_again(stack: AsyncExitStack) -> None:
    async def answer(pdu: Pdu) -> Pdu:
        raise ZeroDivisionError

    link = await linked(stack, Centre(answer))
    assert Response(SubmitSmResp(sequence=2, status=Status.ESME_RSYSERR)) == await link.request(SubmitSm())
    assert link.bound


async def test_an_answer_of_the_wrong_kind_is_a_failure_of_the_handler(stack: AsyncExitStack) -> None:
    async def answer(pdu: Pdu) -> Pdu:
        return DeliverSmResp()

    link = await linked(stack, Centre(answer))
    assert Response(SubmitSmResp(sequence=2, status=Status.ESME_RSYSERR)) == await link.request(SubmitSm())


# --- the write deadline ---


async def test_nothing_is_written_after_its_deadline(stack: AsyncExitStack) -> None:
    clock, centre = Tick(), Centre()
    link = await linked(stack, centre, clock=clock)
    deadline = clock.now
    clock.now += 3
    assert NotSent("The deadline passed 3.000 s before the write.") == await link.request(SubmitSm(), deadline=deadline)
    assert Response(SubmitSmResp(sequence=2)) == await link.request(SubmitSm(), deadline=clock.now)
    assert 1 == len(centre.asked)


async def test_a_message_that_waits_for_room_past_its_deadline_is_not_written(stack: AsyncExitStack) -> None:
    gate = asyncio.Event()

    async def answer(pdu: Pdu) -> Pdu:
        await gate.wait()
        return response_to(pdu)

    clock, centre = Tick(), Centre(answer)
    link = await linked(stack, centre, clock=clock, limits=Limits(window=1))
    (first,) = link.start([SubmitSm()])
    second = asyncio.create_task(link.request(SubmitSm(), deadline=clock.now + 1))
    await until(lambda: len(centre.asked) == 1)
    clock.now += 2
    gate.set()
    assert isinstance(await first, Response)
    assert isinstance(await second, NotSent)
    assert 1 == len(centre.asked)


class Stuck(asyncio.Transport):
    """A transport whose peer takes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.held = b""
        self.reading = True
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.held += bytes(data)

    def get_write_buffer_size(self) -> int:
        return len(self.held)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


def on_stuck(role: Role = Role.ESME, **options: object) -> tuple[Link, Stuck]:
    """A link bound over a transport that holds what is written."""
    link, transport = Link(role, timers=QUIET, **options), Stuck()  # type: ignore[arg-type]
    link.connection_made(transport)
    link.start([BIND])
    transport.held = b""
    link.data_received(encode(response_to(BindTransceiver(sequence=1))))
    return link, transport


async def test_with_a_deadline_nothing_is_written_behind_what_has_not_left() -> None:
    link, transport = on_stuck()
    (first,) = link.start([SubmitSm()], deadline=link.clock() + 9)
    assert not first.done()
    assert not link.writable
    (second,) = link.start([SubmitSm()], deadline=link.clock() + 9)
    assert NotSent("What was written before has not left yet.") == await second
    assert 1 == transport.held.count(encode(SubmitSm(sequence=2)))
    transport.held = b""
    assert link.writable
    link.close()
    assert Lost("Closed by us.") == await first


async def test_a_peer_that_takes_nothing_is_read_no_more() -> None:
    link, transport = on_stuck()
    link.pause_writing()
    assert (0, False) == (link.room, transport.reading)
    assert [NotSent("The peer does not take what was written before.")] == [await one for one in link.start([SubmitSm()])]
    link.resume_writing()
    assert (10, True) == (link.room, transport.reading)
    link.close()


# --- limits ---


async def test_a_peer_that_asks_faster_than_we_answer_is_read_no_more() -> None:
    gate = asyncio.Event()
    at_once = 0
    most = 0

    async def on_pdu(pdu: Pdu) -> Pdu:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await gate.wait()
        at_once -= 1
        return response_to(pdu)

    link, transport = on_stuck(on_pdu=on_pdu, limits=Limits(asked_max=3))
    link.data_received(b"".join(encode(DeliverSm(sequence=number)) for number in range(1, 11)))
    await until(lambda: at_once == 3)
    assert (10, False) == (link.in_work, transport.reading)
    gate.set()
    await until(lambda: link.in_work == 0)
    assert (3, True) == (most, transport.reading)
    assert 10 == transport.held.count(b"\x80\x00\x00\x05")
    link.close()


async def test_as_much_in_work_as_allowed_stops_the_reading() -> None:
    gate = asyncio.Event()

    async def on_pdu(pdu: Pdu) -> Pdu:
        await gate.wait()
        return response_to(pdu)

    link, transport = on_stuck(on_pdu=on_pdu, limits=Limits(asked_max=2))
    link.data_received(encode(DeliverSm(sequence=1)))
    assert transport.reading
    link.data_received(encode(DeliverSm(sequence=2)))
    assert not transport.reading
    gate.set()
    await until(lambda: link.in_work == 0)
    assert transport.reading
    link.close()


async def test_many_octets_in_work_stop_the_reading_too() -> None:
    gate = asyncio.Event()

    async def on_pdu(pdu: Pdu) -> Pdu:
        await gate.wait()
        return response_to(pdu)

    link, transport = on_stuck(on_pdu=on_pdu, limits=Limits(asked_octets_max=1000))
    link.data_received(encode(DeliverSm(sequence=1)))
    assert transport.reading
    link.data_received(encode(DeliverSm(sequence=2)))
    assert not transport.reading
    gate.set()
    await until(lambda: link.in_work == 0)
    assert transport.reading
    link.close()


# --- time ---


async def test_no_answer_is_a_loss_and_a_late_one_is_told(stack: AsyncExitStack) -> None:
    late: list[tuple[Pdu, Pdu]] = []
    gate = asyncio.Event()

    async def answer(pdu: Pdu) -> Pdu:
        await gate.wait()
        return SubmitSmResp(message_id="late")

    clock = Tick()
    link = await linked(
        stack,
        Centre(answer),
        clock=clock,
        timers=Timers(response_seconds=0.01, enquire_link_seconds=None),
        on_late=lambda request, response: late.append((request, response)),
    )
    promises = link.start([SubmitSm()])
    clock.now += 0.01
    assert Lost("No answer to SUBMIT_SM in 0.01 s.") == await promises[0]
    gate.set()
    await until(lambda: bool(late))
    assert [(SubmitSm(), SubmitSmResp(sequence=2, message_id="late"))] == late


async def test_a_dead_peer_is_found_out_and_what_waits_is_lost() -> None:
    clock = Tick()
    link, transport = Link(Role.ESME, clock=clock, timers=Timers(response_seconds=0.02, enquire_link_seconds=0.01)), Stuck()
    link.connection_made(transport)
    link.start([BIND])
    link.data_received(encode(response_to(BindTransceiver(sequence=1))))
    transport.held = b""
    clock.now += 0.01
    await until(lambda: bool(transport.held))
    assert EnquireLink(sequence=2) == decode(transport.held)
    (promise,) = link.start([SubmitSm()])
    clock.now += 0.02
    await until(lambda: link.closing is not None)
    assert (Closing.BROKEN, "No answer to ENQUIRE_LINK in 0.02 s.") == (link.closing, link.reason)
    assert isinstance(await promise, Lost)


async def test_a_peer_that_does_not_bind_is_shown_out(stack: AsyncExitStack) -> None:
    centre = Centre(timers=Timers(bind_seconds=0.01))
    port = await stack.enter_async_context(served(centre))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert b"" == await reader.read()
    assert (Closing.BROKEN, "No bind in 0.01 s.") == (centre.links[0].closing, centre.links[0].reason)
    writer.close()


async def test_a_crowd_that_never_binds_is_shown_out_and_others_are_served(stack: AsyncExitStack) -> None:
    centre = Centre(timers=Timers(bind_seconds=1, enquire_link_seconds=None))
    port = await stack.enter_async_context(served(centre))
    crowd = [await asyncio.open_connection("127.0.0.1", port) for _ in range(200)]
    for _, writer in crowd:
        writer.write(encode(BIND)[:-1])
    link = await connect("127.0.0.1", port, bind=BIND, timers=QUIET)
    assert isinstance(await link.request(SubmitSm()), Response)
    assert [b""] * 200 == [await reader.read() for reader, _ in crowd]
    assert 1 == sum(one.open for one in centre.links)
    for _, writer in crowd:
        writer.close()
    await link.unbind()


# --- the end ---


async def test_unbind_waits_for_what_is_in_work(stack: AsyncExitStack) -> None:
    gate = asyncio.Event()

    async def answer(pdu: Pdu) -> Pdu:
        await gate.wait()
        return response_to(pdu)

    centre = Centre(answer)
    link = await linked(stack, centre)
    (promise,) = link.start([SubmitSm()])
    leaving = asyncio.create_task(link.unbind())
    await until(lambda: len(centre.asked) == 1)
    assert [NotSent("The link is about to be closed.")] == [await one for one in link.start([SubmitSm()])]
    gate.set()
    await leaving
    assert isinstance(await promise, Response)
    assert (Closing.UNBOUND, "Unbound.") == (link.closing, link.reason)
    await centre.links[0].wait_closed()
    assert (Closing.UNBOUND, "The peer unbound.") == (centre.links[0].closing, centre.links[0].reason)


async def test_a_peer_that_unbinds_gets_the_answers_it_waits_for_first() -> None:
    gate = asyncio.Event()

    async def on_pdu(pdu: Pdu) -> Pdu:
        await gate.wait()
        return response_to(pdu)

    link, transport = on_stuck(on_pdu=on_pdu)
    link.data_received(encode(DeliverSm(sequence=1)) + encode(Unbind(sequence=2)))
    await until(lambda: link.in_work == 1)
    assert (b"", True) == (transport.held, link.open)
    gate.set()
    await until(lambda: not link.open)
    assert encode(DeliverSmResp(sequence=1)) + encode(UnbindResp(sequence=2)) == transport.held
    assert "The peer unbound." == link.reason


async def test_a_peer_that_unbinds_is_heard_until_it_has_answered_what_was_out() -> None:
    link, transport = on_stuck()
    first, second = link.start([SubmitSm(), SubmitSm()])
    transport.held = b""
    link.data_received(encode(Unbind(sequence=1)))
    await until(lambda: bool(transport.held))
    assert (encode(UnbindResp(sequence=1)), True, False) == (transport.held, link.open, link.bound)
    assert isinstance((await link.request(SubmitSm())), NotSent)
    link.data_received(encode(SubmitSmResp(sequence=2, message_id="a")))
    assert link.open
    link.data_received(encode(SubmitSmResp(sequence=3, message_id="b")))
    assert [Response(SubmitSmResp(sequence=n, message_id=i)) for n, i in ((2, "a"), (3, "b"))] == [await first, await second]
    assert ("The peer unbound.", Closing.UNBOUND) == (link.reason, link.closing)


async def test_a_peer_that_unbinds_and_falls_silent_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "LINGER_SECONDS", 0.05)
    link, _ = on_stuck()
    (promise,) = link.start([SubmitSm()])
    link.data_received(encode(Unbind(sequence=1)))
    assert Lost("The peer unbound.") == await promise
    assert Closing.UNBOUND is link.closing


async def test_unbind_does_not_wait_for_ever(stack: AsyncExitStack) -> None:
    async def answer(pdu: Pdu) -> None:
        return None

    link = await linked(stack, Centre(answer))
    (promise,) = link.start([SubmitSm()])
    await link.unbind(within_seconds=0.01)
    assert Lost("Closed before the unbind was answered.") == await promise


async def test_a_cut_link_loses_what_was_out_and_sends_nothing_more(stack: AsyncExitStack) -> None:
    async def answer(pdu: Pdu) -> None:
        return None

    centre = Centre(answer)
    link = await linked(stack, centre)
    promises = link.start([SubmitSm() for _ in range(10)])
    await until(lambda: len(centre.asked) == 10)
    centre.links[0].close()
    assert [Lost("The peer closed the connection.")] * 10 == [await promise for promise in promises]
    assert Closing.PEER is link.closing
    assert NotSent("The peer closed the connection.") == await link.request(SubmitSm())


async def test_a_handler_finishes_though_its_link_has_gone(stack: AsyncExitStack) -> None:
    gate, done = asyncio.Event(), asyncio.Event()

    async def on_pdu(pdu: Pdu) -> Pdu:
        await gate.wait()
        done.set()
        return response_to(pdu)

    centre = Centre()
    link = await linked(stack, centre, on_pdu=on_pdu)
    centre.links[0].start([DeliverSm(short_message=b"STOP")])
    await until(lambda: link.in_work == 1)
    link.close()
    closed = asyncio.create_task(link.wait_closed())
    await centre.links[0].wait_closed()
    assert not closed.done()
    gate.set()
    await closed
    assert done.is_set()


@pytest.mark.parametrize("length", [0, 2, 15, 65537, 2**32 - 1])
async def test_a_length_that_cannot_be_ends_the_link_with_a_nack(stack: AsyncExitStack, length: int) -> None:
    centre = Centre()
    port = await stack.enter_async_context(served(centre))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(length.to_bytes(4, "big"))
    assert GenericNack(status=Status.ESME_RINVCMDLEN) == decode(await reader.read())
    writer.close()


async def test_strays_are_told_and_no_more(stack: AsyncExitStack) -> None:
    said: list[str] = []
    link, _ = on_stuck(on_odd=said.append)
    link.data_received(b"".join(encode(SubmitSmResp(sequence=99)) for _ in range(1000)))
    assert link.bound
    assert COMPLAINTS_MAX == len(said)
    assert said[0].startswith("SUBMIT_SM_RESP came under number 99, and nothing waits for it")
    assert said[-1].endswith("More of the kind on this link is told no more.")
    link.close()


# --- connecting ---


async def test_nobody_at_the_other_end_is_told_in_a_sentence() -> None:
    server = await listen("127.0.0.1", 0, make=Centre().make)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    with pytest.raises(LinkError, match=f"No connection to 127.0.0.1:{port}: "):
        await connect("127.0.0.1", port, bind=BIND)


async def test_a_name_that_can_be_no_host_is_told_in_a_sentence() -> None:
    with pytest.raises(LinkError, match=r"No connection to smsc\.\.example\.com:2775: .*label empty or too long"):
        await connect("smsc..example.com", 2775, bind=BIND)


async def test_a_refused_bind_is_told_with_its_status(stack: AsyncExitStack) -> None:
    class Strict(Centre):
        async def on_pdu(self, pdu: Pdu) -> Pdu | None:
            return response_to(pdu, Status.ESME_RINVPASWD)

    centre = Strict()
    port = await stack.enter_async_context(served(centre))
    with pytest.raises(LinkError) as caught:
        await connect("127.0.0.1", port, bind=BIND)
    assert f"127.0.0.1:{port} refused the bind of me: ESME_RINVPASWD: The password is wrong." == str(caught.value)
    assert Status.ESME_RINVPASWD == caught.value.status
    await centre.links[0].wait_closed()
    assert "The bind was refused." == centre.links[0].reason


async def test_a_bind_that_cannot_be_written_is_told(stack: AsyncExitStack) -> None:
    port = await stack.enter_async_context(served(Centre()))
    with pytest.raises(
        LinkError, match=r"cannot be written: BIND_TRANSCEIVER has 16 characters in system_id; at most 15 are allowed"
    ):
        await connect("127.0.0.1", port, bind=BindTransceiver(system_id="m" * 16))


async def test_a_bind_without_an_answer_is_told(stack: AsyncExitStack) -> None:
    class Mute(Centre):
        async def on_pdu(self, pdu: Pdu) -> Pdu | None:
            return None

    port = await stack.enter_async_context(served(Mute()))
    with pytest.raises(LinkError, match=r"did not answer the bind of me: No bind in 0\.01 s"):
        await connect("127.0.0.1", port, bind=BIND, timers=Timers(bind_seconds=0.01))


@pytest.mark.parametrize(
    ("bind", "state"),
    [
        pytest.param(BindTransmitter(system_id="me"), State.BOUND_TX, id="transmitter"),
        pytest.param(BindReceiver(system_id="me"), State.BOUND_RX, id="receiver"),
        pytest.param(BindTransceiver(system_id="me"), State.BOUND_TRX, id="transceiver"),
    ],
)
async def test_a_link_is_bound_as_it_asked(stack: AsyncExitStack, bind: Bind, state: State) -> None:
    link = await linked(stack, Centre(), bind=bind)
    assert state is link.session.state


def test_a_link_works_under_uvloop_as_well() -> None:
    async def work() -> None:
        async with asyncio.timeout(20), AsyncExitStack() as stack:
            centre = Centre()
            link = await linked(stack, centre)
            outcomes = await asyncio.gather(*(link.request(SubmitSm(), deadline=link.clock() + 9) for _ in range(50)))
            assert {Response} == {type(outcome) for outcome in outcomes}
            await link.unbind()
            assert Closing.UNBOUND is link.closing

    uvloop.run(work())


async def test_a_link_may_be_encrypted(stack: AsyncExitStack, tmp_path: Path) -> None:
    server_side, client_side = contexts(tmp_path)
    centre = Centre()
    server = await listen("127.0.0.1", 0, make=centre.make, tls=server_side)
    stack.callback(server.close)
    link = await connect("localhost", server.sockets[0].getsockname()[1], bind=BIND, tls=client_side, timers=QUIET)
    assert isinstance(await link.request(SubmitSm(), deadline=link.clock() + 9), Response)
    await link.unbind()
    assert Closing.UNBOUND is link.closing


async def test_a_certificate_nobody_vouches_for_is_no_connection(stack: AsyncExitStack, tmp_path: Path) -> None:
    server_side, _ = contexts(tmp_path)
    server = await listen("127.0.0.1", 0, make=Centre().make, tls=server_side)
    stack.callback(server.close)
    with pytest.raises(LinkError, match="certificate verify failed"):
        await connect("localhost", server.sockets[0].getsockname()[1], bind=BIND, tls=ssl.create_default_context())


def contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS for `localhost`: the server's side, and that of a client who trusts it."""
    pem = certificate(folder)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(pem)
    return server_side, ssl.create_default_context(cafile=str(pem))
