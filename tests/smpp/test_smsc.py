"""The scriptable message centre does as it is told: other tests lean on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from stopwire.link import Bind, Link, LinkError, Lost, Outcome, Response, connect
from stopwire.smpp import receipt
from stopwire.smpp.fields import EsmClass, MessageState, Status, Tag
from stopwire.smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DeliverSm,
    Pdu,
    QuerySm,
    QuerySmResp,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    Tlv,
    response_to,
    tlv,
)
from stopwire.smpp.session import Timers
from stopwire.testing.smsc import (
    QUEUE_FULL,
    THROTTLE,
    Accept,
    Action,
    Carry,
    Form,
    HangUp,
    Reject,
    Reports,
    Silence,
    Smsc,
    When,
    spell,
)

MESSAGE = SubmitSm(source_addr="14155550100", destination_addr="447700900123", registered_delivery=1, short_message=b"Hello")


class Esme:
    """An application that keeps what it hears, and the order of everything."""

    def __init__(self) -> None:
        self.heard: list[DeliverSm] = []
        self.late: list[Pdu] = []
        self.order: list[str] = []
        self.status: int = Status.ESME_ROK

    async def on_pdu(self, pdu: Pdu) -> Pdu:
        if isinstance(pdu, DeliverSm):
            self.heard.append(pdu)
            self.order.append("receipt" if pdu.esm_class & EsmClass.RECEIPT else "message")
        return response_to(pdu, self.status)

    async def send(self, link: Link, pdu: SubmitSm = MESSAGE) -> Outcome:
        outcome = await link.request(pdu)
        self.order.append("response")
        return outcome

    async def receipts(self, count: int) -> list[receipt.Receipt]:
        async with asyncio.timeout(5):
            while len(self.heard) < count:
                await asyncio.sleep(0)
        return [found for pdu in self.heard if (found := receipt.read(pdu)) is not None]


@asynccontextmanager
async def bound(smsc: Smsc, esme: Esme, *, bind: Bind | None = None) -> AsyncIterator[Link]:
    link = await connect(
        smsc.host,
        smsc.port,
        bind=bind or BindTransceiver(system_id="me", password="pw"),
        on_pdu=esme.on_pdu,
        timers=Timers(response_seconds=0.05, enquire_link_seconds=None),
        on_late=lambda _, response: esme.late.append(response),
    )
    try:
        yield link
    finally:
        link.close()
        await link.wait_closed()


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        pytest.param(Accept(), Response(SubmitSmResp(sequence=2, message_id="0000000001")), id="accept"),
        pytest.param(Accept(message_id="abc"), Response(SubmitSmResp(sequence=2, message_id="abc")), id="accept under an id"),
        pytest.param(THROTTLE, Response(SubmitSmResp(sequence=2, status=Status.ESME_RTHROTTLED)), id="throttle"),
        pytest.param(QUEUE_FULL, Response(SubmitSmResp(sequence=2, status=Status.ESME_RMSGQFUL)), id="queue full"),
        pytest.param(Reject(status=0x401), Response(SubmitSmResp(sequence=2, status=0x401)), id="a vendor's code"),
        pytest.param(Silence(), Lost("No answer to SUBMIT_SM in 0.05 s."), id="silence"),
        pytest.param(HangUp(), Lost("The peer closed the connection."), id="hang up"),
        pytest.param(Accept(answers=2), Response(SubmitSmResp(sequence=2, message_id="0000000001")), id="two answers"),
        pytest.param(Accept(sequence_off=5), Lost("No answer to SUBMIT_SM in 0.05 s."), id="an answer under a wrong number"),
    ],
)
async def test_a_message_gets_what_the_script_says(action: Action, expected: Outcome) -> None:
    esme = Esme()
    async with Smsc(reports=Reports(when=When.NEVER)) as smsc, bound(smsc, esme) as link:
        smsc.script(action)
        assert expected == await esme.send(link)
        (submission,) = await smsc.heard(1)
        assert (MESSAGE.short_message, "me", action) == (submission.octets, submission.system_id, submission.action)


async def test_after_its_script_it_chooses() -> None:
    esme = Esme()
    choose = {"1": Reject(status=Status.ESME_RINVDSTADR)}
    async with Smsc(choose=lambda pdu: choose.get(pdu.destination_addr, Accept())) as smsc, bound(smsc, esme) as link:
        outcomes = [await esme.send(link, SubmitSm(destination_addr=number)) for number in ("1", "2")]
    assert [Status.ESME_RINVDSTADR, Status.ESME_ROK] == [one.pdu.status for one in outcomes if isinstance(one, Response)]


async def test_a_delay_may_be_longer_than_patience() -> None:
    esme = Esme()
    async with Smsc(reports=Reports(when=When.NEVER)) as smsc, bound(smsc, esme) as link:
        smsc.script(Accept(delay_seconds=0.1))
        assert isinstance(await esme.send(link), Lost)
        async with asyncio.timeout(5):
            while not esme.late:
                await asyncio.sleep(0)
        assert [SubmitSmResp(sequence=2, message_id="0000000001")] == esme.late


@pytest.mark.parametrize(
    ("when", "order", "states"),
    [
        pytest.param(When.AFTER, ["response", "receipt"], [MessageState.DELIVERED], id="after the response"),
        pytest.param(When.BEFORE, ["receipt", "response"], [MessageState.DELIVERED], id="before it"),
        pytest.param(When.TWICE, ["response", "receipt", "receipt"], [MessageState.DELIVERED] * 2, id="twice"),
        pytest.param(
            When.REORDERED,
            ["response", "receipt", "receipt"],
            [MessageState.DELIVERED, MessageState.ENROUTE],
            id="in the wrong order",
        ),
    ],
)
async def test_a_receipt_comes_when_it_is_told_to(when: When, order: list[str], states: list[MessageState]) -> None:
    esme = Esme()
    async with Smsc(reports=Reports(when=when)) as smsc, bound(smsc, esme) as link:
        await esme.send(link)
        found = await esme.receipts(len(states))
        assert (order, states) == (esme.order, [one.state for one in found])
        assert {("0000000001",)} == {one.ids for one in found}


@pytest.mark.parametrize(
    ("registered_delivery", "state", "expected"),
    [
        pytest.param(0, MessageState.DELIVERED, 0, id="nobody asked"),
        pytest.param(1, MessageState.DELIVERED, 1, id="always"),
        pytest.param(2, MessageState.DELIVERED, 0, id="on failure only, and none"),
        pytest.param(2, MessageState.UNDELIVERABLE, 1, id="on failure only, and one"),
    ],
)
async def test_a_receipt_comes_only_if_asked_for(registered_delivery: int, state: MessageState, expected: int) -> None:
    esme = Esme()
    async with Smsc(reports=Reports(when=When.BEFORE, state=state)) as smsc, bound(smsc, esme) as link:
        await esme.send(link, SubmitSm(registered_delivery=registered_delivery))
        assert expected == len(esme.heard)


@pytest.mark.parametrize(
    ("carry", "with_text", "with_tlv"),
    [
        pytest.param(Carry.TEXT, True, False, id="text"),
        pytest.param(Carry.TLVS, False, True, id="TLVs"),
        pytest.param(Carry.BOTH, True, True, id="both"),
    ],
)
async def test_a_receipt_is_carried_as_it_is_told(carry: Carry, with_text: bool, with_tlv: bool) -> None:
    esme = Esme()
    async with Smsc() as smsc, bound(smsc, esme) as link:
        smsc.script(
            Accept(message_id="0a1b", reports=Reports(carry=carry, form=Form.DECIMAL, state=MessageState.EXPIRED, error="027"))
        )
        await esme.send(link, SubmitSm(registered_delivery=1, tlvs=(tlv(Tag.USER_MESSAGE_REFERENCE, 7),)))
        (found,) = await esme.receipts(1)
        (pdu,) = esme.heard
    assert (("2587",), MessageState.EXPIRED, "027" if with_text else "") == (found.ids, found.state, found.error)
    assert (with_text, with_tlv) == (bool(pdu.short_message), pdu.tlv(Tag.MESSAGE_STATE) is not None)
    assert b"\0\7" == pdu.tlv(Tag.USER_MESSAGE_REFERENCE)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        pytest.param(Form.AS_IS, "0000abc1", id="as it is"),
        pytest.param(Form.UPPER, "0000ABC1", id="capitals"),
        pytest.param(Form.DECIMAL, "43969", id="decimal"),
        pytest.param(Form.HEX, "0000abc1", id="no decimal to turn"),
        pytest.param(Form.WITHOUT_ZEROS, "abc1", id="without zeros"),
    ],
)
def test_an_id_is_spelt_in_its_form(form: Form, expected: str) -> None:
    assert expected == spell("0000abc1", form)


def test_a_decimal_id_turns_hexadecimal() -> None:
    assert "1f4" == spell("0000000500", Form.HEX)


async def test_a_message_comes_in_with_any_octets() -> None:
    esme = Esme()
    async with Smsc() as smsc, bound(smsc, esme):
        status = await smsc.deliver(b"\0\xff", data_coding=8, udh=b"\x05\0\3\x2a\2\1", tlvs=[Tlv(0x1400, b"x")])
        assert Status.ESME_ROK == status
        esme.status = Status.ESME_RMSGQFUL
        assert Status.ESME_RMSGQFUL == await smsc.deliver(b"STOP", source="1", destination="2")
        first, second = esme.heard
        assert (b"\x05\0\3\x2a\2\1\0\xff", 8, EsmClass.UDHI, (Tlv(0x1400, b"x"),)) == (
            first.short_message,
            first.data_coding,
            first.esm_class,
            first.tlvs,
        )
        assert ("1", "2") == (second.source_addr, second.destination_addr)
        assert [Status.ESME_ROK, Status.ESME_RMSGQFUL] == [delivery.status for delivery in smsc.deliveries]


async def test_a_message_for_nobody_is_an_error_of_the_test() -> None:
    async with Smsc() as smsc, bound(smsc, Esme(), bind=BindTransmitter(system_id="me")):
        with pytest.raises(LookupError, match="Nobody is bound who receives"):
            await smsc.deliver(b"STOP")


async def test_several_may_bind_and_no_more_than_allowed() -> None:
    async with Smsc(binds_max=2) as smsc, AsyncExitStack() as stack:
        await stack.enter_async_context(bound(smsc, Esme(), bind=BindTransmitter(system_id="me")))
        await stack.enter_async_context(bound(smsc, Esme(), bind=BindReceiver(system_id="me")))
        await smsc.bound_to(2)
        with pytest.raises(LinkError) as caught:
            await stack.enter_async_context(bound(smsc, Esme()))
        assert Status.ESME_RALYBND == caught.value.status


async def test_a_receipt_goes_to_whoever_receives() -> None:
    esme = Esme()
    async with Smsc() as smsc, AsyncExitStack() as stack:
        link = await stack.enter_async_context(bound(smsc, esme, bind=BindTransmitter(system_id="me")))
        await stack.enter_async_context(bound(smsc, esme, bind=BindReceiver(system_id="me")))
        await esme.send(link)
        assert MessageState.DELIVERED is (await esme.receipts(1))[0].state


@pytest.mark.parametrize(
    ("smsc", "status"),
    [
        pytest.param(Smsc(password="other"), Status.ESME_RINVPASWD, id="a wrong password"),
        pytest.param(Smsc(binds_max=0), Status.ESME_RALYBND, id="too many binds"),
    ],
)
async def test_a_bind_may_be_refused(smsc: Smsc, status: int) -> None:
    async with smsc:
        with pytest.raises(LinkError) as caught:
            async with bound(smsc, Esme()):
                pass
        assert status == caught.value.status


async def test_every_bind_may_be_refused() -> None:
    async with Smsc() as smsc:
        smsc.bind_status = Status.ESME_RBINDFAIL
        with pytest.raises(LinkError) as caught:
            async with bound(smsc, Esme()):
                pass
        assert Status.ESME_RBINDFAIL == caught.value.status
        assert [] == smsc.binds


async def test_its_rate_and_its_window_throttle() -> None:
    esme = Esme()
    async with Smsc(rate=5, reports=Reports(when=When.NEVER)) as smsc, bound(smsc, esme) as link:
        outcomes = await asyncio.gather(*(esme.send(link) for _ in range(8)))
        assert [Status.ESME_ROK] * 5 + [Status.ESME_RTHROTTLED] * 3 == [
            one.pdu.status for one in outcomes if isinstance(one, Response)
        ]
    async with Smsc(window=2, delay_seconds=0.01, reports=Reports(when=When.NEVER)) as smsc, bound(smsc, esme) as link:
        outcomes = [await promise for promise in link.start([MESSAGE] * 3)]
        assert [Status.ESME_ROK] * 2 + [Status.ESME_RTHROTTLED] == [
            one.pdu.status for one in outcomes if isinstance(one, Response)
        ]


async def test_a_restart_forgets_what_was_taken_and_keeps_its_port() -> None:
    esme = Esme()
    async with Smsc(reports=Reports(delay_seconds=3600)) as smsc:
        port = smsc.port
        async with bound(smsc, esme) as link:
            await esme.send(link)
            assert Response(QuerySmResp(sequence=3, message_id="0000000001", message_state=2)) == await link.request(
                QuerySm(message_id="0000000001")
            )
        await smsc.restart()
        assert port == smsc.port
        async with bound(smsc, esme) as link:
            assert Response(QuerySmResp(sequence=2, status=Status.ESME_RQUERYFAIL)) == await link.request(
                QuerySm(message_id="0000000001")
            )
        assert ([], 1) == (esme.heard, len(smsc.submissions))


async def test_silence_may_keep_the_message_and_report_it() -> None:
    esme = Esme()
    async with Smsc() as smsc, bound(smsc, esme) as link:
        smsc.script(Silence(keep=True))
        assert isinstance(await esme.send(link), Lost)
        assert ("0000000001",) == (await esme.receipts(1))[0].ids


async def test_a_receipt_may_be_sent_by_hand_after_a_new_bind() -> None:
    esme = Esme()
    async with Smsc() as smsc:
        async with bound(smsc, esme) as link:
            smsc.script(HangUp(keep=True))
            assert isinstance(await esme.send(link), Lost)
        async with bound(smsc, esme):
            assert Status.ESME_ROK == await smsc.report(smsc.submissions[0], Reports(state=MessageState.UNDELIVERABLE))
        assert MessageState.UNDELIVERABLE is (await esme.receipts(1))[-1].state


async def test_what_it_does_not_speak_it_declines_and_keeps() -> None:
    async with Smsc() as smsc, bound(smsc, Esme()) as link:
        multi = SubmitMulti(number_of_dests=1, rest=b"\2list\0")
        assert Response(SubmitMultiResp(sequence=2, status=Status.ESME_RINVCMDID)) == await link.request(multi)
        assert [2] == [pdu.sequence for pdu in smsc.other]


async def test_it_can_ask_its_peers_to_leave() -> None:
    async with Smsc() as smsc, bound(smsc, Esme()) as link:
        await smsc.unbind()
        await link.wait_closed()
        assert "The peer unbound." == link.reason
