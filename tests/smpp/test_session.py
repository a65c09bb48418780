"""A session, both sides of it: two are wired to each other, or one is told what a stranger might say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.smpp.fields import RESPONSE, SEQUENCE_MAX, Command, Status
from stopwire.smpp.pdu import (
    AlertNotification,
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Pdu,
    PduError,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    Tlv,
    Unbind,
    UnbindResp,
    decode,
    encode,
    response_to,
    type_of,
)
from stopwire.smpp.session import (
    BOUND,
    MAY_ASK,
    Answered,
    Asked,
    Broken,
    Event,
    Role,
    Session,
    SessionError,
    State,
    Stray,
    Timers,
    Unanswered,
    Unreadable,
    Write,
)
from tests.smpp.values import pdus

BINDS: dict[State, tuple[Pdu, Pdu]] = {
    State.BOUND_TX: (BindTransmitter(sequence=1, system_id="me"), BindTransmitterResp(sequence=1)),
    State.BOUND_RX: (BindReceiver(sequence=1, system_id="me"), BindReceiverResp(sequence=1)),
    State.BOUND_TRX: (BindTransceiver(sequence=1, system_id="me"), BindTransceiverResp(sequence=1)),
}


def bound(role: Role, state: State = State.BOUND_TRX, *, window: int = 10, timers: Timers | None = None) -> Session:
    """A session of `role` that came to `state` at the time 0."""
    session = Session(role, now=0, window=window, timers=timers)
    if state is State.OPEN:
        return session
    bind, answer = BINDS[state]
    if role is Role.ESME:
        session.request(bind, now=0)
        session.receive(encode(answer), now=0)
    else:
        session.receive(encode(bind), now=0)
        session.answer(bind, answer)
    assert state is session.state
    return session


def written(events: list[Event]) -> list[Pdu]:
    return [decode(event.octets) for event in events if isinstance(event, Write)]


def heard(session: Session, *values: Pdu, now: float = 0) -> list[Event]:
    return session.receive(b"".join(map(encode, values)), now=now)


STATES = [State.OPEN, State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX]


TX, RX, TRX = State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX

# §2.3, table 2-1, command by command as it is printed there: in which states, from the ESME and from the SMSC.
TABLE_2_1: dict[Command, tuple[set[State], set[State]]] = {
    Command.BIND_TRANSMITTER: ({State.OPEN}, set()),
    Command.BIND_RECEIVER: ({State.OPEN}, set()),
    Command.BIND_TRANSCEIVER: ({State.OPEN}, set()),
    Command.OUTBIND: (set(), {State.OPEN}),
    Command.UNBIND: ({TX, RX, TRX}, {TX, RX, TRX}),
    Command.SUBMIT_SM: ({TX, TRX}, set()),
    Command.SUBMIT_MULTI: ({TX, TRX}, set()),
    Command.DATA_SM: ({TX, TRX}, {RX, TRX}),
    Command.DELIVER_SM: (set(), {RX, TRX}),
    Command.QUERY_SM: ({TX, TRX}, set()),
    Command.CANCEL_SM: ({TX, TRX}, set()),
    Command.REPLACE_SM: ({TX, TRX}, set()),
    Command.ALERT_NOTIFICATION: (set(), {RX, TRX}),
    Command.ENQUIRE_LINK: ({State.OPEN, TX, RX, TRX}, {State.OPEN, TX, RX, TRX}),  # OPEN is ours: many stacks ask then
}


def test_the_table_by_states_says_what_the_specification_says_by_commands() -> None:
    for at, role in enumerate((Role.ESME, Role.SMSC)):
        for state in State:
            assert {command for command, states in TABLE_2_1.items() if state in states[at]} == MAY_ASK[state, role]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", STATES)
def test_a_side_may_make_the_requests_of_its_row_and_no_other(role: Role, state: State) -> None:
    for command, kind in type_of.items():
        if command & RESPONSE:
            continue
        session = bound(role, state)
        if command in MAY_ASK[state, role]:
            session.request(kind(), now=0)
        else:
            with pytest.raises(SessionError):
                session.request(kind(), now=0)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", STATES)
def test_a_request_outside_its_row_is_answered_with_an_error_of_the_bind(role: Role, state: State) -> None:
    for command, kind in type_of.items():
        if command & RESPONSE:
            continue
        session = bound(role, state)
        events = heard(session, kind(sequence=7))
        if command is Command.ENQUIRE_LINK:
            assert [EnquireLinkResp(sequence=7)] == written(events)
        elif command in MAY_ASK[state, role.peer]:
            assert [Asked(kind(sequence=7))] == events
        else:
            bind_again = state in BOUND and "BIND_" in kind.command.name
            status = Status.ESME_RALYBND if bind_again else Status.ESME_RINVBNDSTS
            answer = type_of.get(command | RESPONSE, GenericNack)
            assert [answer(sequence=7, status=status)] == written(events)


@pytest.mark.parametrize("state", sorted(BOUND, key=str))
def test_a_bind_leads_to_its_state_on_both_sides(state: State) -> None:
    esme, smsc = Session(Role.ESME, now=0), Session(Role.SMSC, now=0)
    (event,) = smsc.receive(esme.request(BINDS[state][0], now=0)[1], now=0)
    assert isinstance(event, Asked)
    assert (State.OPEN, State.OPEN) == (esme.state, smsc.state)
    esme.receive(smsc.answer(event.request, response_to(event.request)), now=0)
    assert (state, state) == (esme.state, smsc.state)


def test_a_refused_bind_leaves_the_session_open() -> None:
    esme, smsc = Session(Role.ESME, now=0), Session(Role.SMSC, now=0)
    bind = BindTransceiver(system_id="me")
    (asked,) = smsc.receive(esme.request(bind, now=0)[1], now=0)
    assert isinstance(asked, Asked)
    answer = smsc.answer(asked.request, BindTransceiverResp(status=Status.ESME_RINVPASWD))
    assert [Answered(1, bind, BindTransceiverResp(sequence=1, status=Status.ESME_RINVPASWD))] == esme.receive(answer, now=0)
    assert (State.OPEN, State.OPEN) == (esme.state, smsc.state)


def test_nothing_is_taken_while_a_bind_is_being_judged() -> None:
    smsc = Session(Role.SMSC, now=0)
    events = heard(smsc, BindTransceiver(sequence=1), BindTransceiver(sequence=2), SubmitSm(sequence=3))
    assert [
        BindTransceiverResp(sequence=2, status=Status.ESME_RALYBND),
        SubmitSmResp(sequence=3, status=Status.ESME_RINVBNDSTS),
    ] == written(events)


def test_a_message_right_behind_the_answer_to_the_bind_is_taken() -> None:
    esme = Session(Role.ESME, now=0)
    esme.request(BindTransceiver(), now=0)
    events = heard(esme, BindTransceiverResp(sequence=1), DeliverSm(sequence=1, short_message=b"STOP"))
    assert [Answered, Asked] == [type(event) for event in events]


def test_answers_are_matched_by_number_whatever_their_order() -> None:
    esme = bound(Role.ESME)
    first, second = SubmitSm(source_addr="1"), SubmitSm(source_addr="2")
    assert [2, 3] == [esme.request(one, now=0)[0] for one in (first, second)]
    late, early = SubmitSmResp(sequence=2, message_id="a"), SubmitSmResp(sequence=3, message_id="b")
    assert [Answered(3, second, early), Answered(2, first, late)] == heard(esme, early, late)
    assert (0, 10) == (esme.outstanding, esme.room)


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(SubmitSmResp(sequence=99), id="a number nobody used"),
        pytest.param(DeliverSmResp(sequence=2), id="the right number, another kind"),
        pytest.param(GenericNack(sequence=0, status=3), id="a nack without a number"),
    ],
)
def test_an_answer_to_nothing_is_an_event_and_nothing_more(response: Pdu) -> None:
    esme = bound(Role.ESME)
    esme.request(SubmitSm(), now=0)
    assert [Stray(response)] == heard(esme, response)
    assert (1, State.BOUND_TRX) == (esme.outstanding, esme.state)


def test_a_second_answer_is_a_stray() -> None:
    esme = bound(Role.ESME)
    esme.request(SubmitSm(), now=0)
    answer = SubmitSmResp(sequence=2, message_id="a")
    assert [Answered(2, SubmitSm(), answer), Stray(answer)] == heard(esme, answer, answer)


def test_a_nack_answers_the_request_of_its_number() -> None:
    esme = bound(Role.ESME)
    esme.request(SubmitSm(), now=0)
    nack = GenericNack(sequence=2, status=Status.ESME_RINVCMDLEN)
    assert [Answered(2, SubmitSm(), nack)] == heard(esme, nack)


def test_a_number_that_comes_twice_is_asked_twice() -> None:
    smsc = bound(Role.SMSC)
    assert [Asked(SubmitSm(sequence=5))] * 2 == heard(smsc, SubmitSm(sequence=5), SubmitSm(sequence=5))


def test_the_window_is_for_messages() -> None:
    esme = bound(Role.ESME, window=2)
    esme.request(SubmitSm(), now=0)
    esme.request(SubmitSm(), now=0)
    assert 0 == esme.room
    with pytest.raises(SessionError, match=r"The window of 2 is full: wait for an answer before SUBMIT_SM\."):
        esme.request(SubmitSm(), now=0)
    esme.request(EnquireLink(), now=0)
    heard(esme, SubmitSmResp(sequence=2))
    assert 1 == esme.room


def test_numbers_wrap_and_pass_over_those_still_out() -> None:
    esme = bound(Role.ESME)
    assert 2 == esme.request(SubmitSm(), now=0)[0]
    esme._sequence = SEQUENCE_MAX - 1
    assert [SEQUENCE_MAX, 1, 3] == [esme.request(SubmitSm(), now=0)[0] for _ in range(3)]


def test_a_request_that_cannot_be_written_changes_nothing() -> None:
    esme = bound(Role.ESME)
    with pytest.raises(PduError):
        esme.request(SubmitSm(source_addr="1" * 30), now=0)
    assert (0, 10, 2) == (esme.outstanding, esme.room, esme.request(SubmitSm(), now=0)[0])


def test_a_response_of_another_kind_is_the_drivers_fault() -> None:
    smsc = bound(Role.SMSC)
    with pytest.raises(SessionError, match=r"DELIVER_SM_RESP does not answer SUBMIT_SM\."):
        smsc.answer(SubmitSm(sequence=5), DeliverSmResp())


def test_submit_multi_can_be_declined_in_its_own_words() -> None:
    smsc = bound(Role.SMSC)
    (event,) = heard(smsc, SubmitMulti(sequence=9, number_of_dests=1, rest=b"\2list\0"))
    assert isinstance(event, Asked)
    answer = smsc.answer(event.request, SubmitMultiResp(status=Status.ESME_RINVCMDID))
    assert SubmitMultiResp(sequence=9, status=Status.ESME_RINVCMDID) == decode(answer)


def test_a_broken_tlv_is_refused_from_a_customer_and_taken_from_a_carrier() -> None:
    def spoilt(value: Pdu) -> bytes:
        data = encode(value) + b"\x04"
        return len(data).to_bytes(4, "big") + data[4:]

    kept = (Tlv(0x1400, b"x"),)
    assert [SubmitSmResp(sequence=5, status=Status.ESME_RINVOPTPARSTREAM)] == written(
        bound(Role.SMSC).receive(spoilt(SubmitSm(sequence=5, tlvs=kept)), now=0)
    )
    (event,) = bound(Role.ESME).receive(spoilt(DeliverSm(sequence=5, tlvs=kept)), now=0)
    assert [Asked(DeliverSm(sequence=5, tlvs=kept, broken_tlvs=True))] == [event]


def test_a_request_that_cannot_be_read_is_answered_with_its_fault_and_the_next_is_taken() -> None:
    smsc = bound(Role.SMSC)
    data = bytes.fromhex("00000017 00000004 00000000 0000002A") + b"toolong"
    events = smsc.receive(data + encode(SubmitSm(sequence=43)), now=0)
    assert [Unreadable, Write, Asked] == [type(event) for event in events]
    assert [SubmitSmResp(sequence=42, status=Status.ESME_RINVSERTYP)] == written(events)


def test_an_unknown_command_is_nacked_and_an_unknown_answer_is_not() -> None:
    smsc = bound(Role.SMSC)
    unknown = bytes.fromhex("00000010 00000FFF 00000000 0000002A")
    assert [GenericNack(sequence=42, status=Status.ESME_RINVCMDID)] == written(smsc.receive(unknown, now=0))
    assert [] == written(smsc.receive(bytes.fromhex("00000010 80000FFF 00000000 0000002A"), now=0))


@pytest.mark.parametrize("length", [0, 2, 15, 65537, 2**32 - 1])
def test_a_length_that_cannot_be_is_nacked_and_ends_the_session(length: int) -> None:
    smsc = bound(Role.SMSC)
    events = smsc.receive(encode(SubmitSm(sequence=1)) + length.to_bytes(4, "big"), now=0)
    assert [Asked, Unreadable, Write, Broken] == [type(event) for event in events]
    assert [GenericNack(status=Status.ESME_RINVCMDLEN)] == written(events)
    assert State.CLOSED is smsc.state
    assert [] == heard(smsc, SubmitSm(sequence=2))


# --- time ---


def test_an_answer_that_does_not_come_is_an_event_frees_its_slot_and_puts_the_link_in_doubt() -> None:
    esme = bound(Role.ESME, window=1)
    request = SubmitSm()
    esme.request(request, now=5)
    heard(esme, DeliverSm(sequence=1), now=34)
    assert 35 == esme.deadline()
    assert [] == esme.tick(now=34.9)
    events = esme.tick(now=35)
    assert [Unanswered(2, request)] == events[:1]
    assert [EnquireLink(sequence=3)] == written(events)
    assert 1 == esme.room


def test_an_answer_that_comes_late_is_known_for_what_it_is() -> None:
    esme = bound(Role.ESME)
    esme.request(SubmitSm(), now=0)
    esme.tick(now=30)
    answer = SubmitSmResp(sequence=2, message_id="a")
    assert [Answered(2, SubmitSm(), answer, late=True), Stray(answer)] == heard(esme, answer, answer, now=31)
    assert 10 == esme.room


def test_silence_is_probed_and_deadly_silence_ends_the_session() -> None:
    smsc = bound(Role.SMSC, timers=Timers(enquire_link_seconds=20, response_seconds=5))
    assert 20 == smsc.deadline()
    assert [EnquireLink(sequence=1)] == written(smsc.tick(now=20))
    assert 25 == smsc.deadline()
    assert [Unanswered(1, EnquireLink()), Broken("No answer to ENQUIRE_LINK in 5 s.")] == smsc.tick(now=25)
    assert (State.CLOSED, None) == (smsc.state, smsc.deadline())


def test_a_peer_that_speaks_is_not_probed() -> None:
    esme = bound(Role.ESME)
    heard(esme, DeliverSm(sequence=1), now=29)
    assert [] == esme.tick(now=30)
    assert 59 == esme.deadline()


def test_octets_that_never_make_a_pdu_are_silence() -> None:
    esme = bound(Role.ESME)
    esme.receive(encode(DeliverSm(sequence=1))[:-1], now=29)
    assert [EnquireLink(sequence=2)] == written(esme.tick(now=30))


def test_probing_may_be_switched_off() -> None:
    esme = bound(Role.ESME, timers=Timers(enquire_link_seconds=None))
    assert esme.deadline() is None
    assert [] == esme.tick(now=1e9)


@pytest.mark.parametrize("role", Role)
def test_a_session_without_a_bind_ends(role: Role) -> None:
    session = Session(role, now=0)
    assert 10 == session.deadline()
    assert [Broken("No bind in 10 s.")] == session.tick(now=10)


def test_enquire_link_in_an_unbound_session_does_not_keep_it_alive() -> None:
    smsc = Session(Role.SMSC, now=0)
    assert [EnquireLinkResp(sequence=1)] == written(heard(smsc, EnquireLink(sequence=1), now=9))
    assert [Broken("No bind in 10 s.")] == smsc.tick(now=10)


# --- the end ---


def test_unbind_ends_both_sides_and_what_is_open_is_still_answered() -> None:
    esme, smsc = bound(Role.ESME), bound(Role.SMSC)
    (submit,) = smsc.receive(esme.request(SubmitSm(), now=0)[1], now=0)
    (unbind,) = smsc.receive(esme.request(Unbind(), now=0)[1], now=0)
    assert isinstance(submit, Asked)
    assert isinstance(unbind, Asked)
    assert 0 == esme.room
    with pytest.raises(SessionError, match=r"SUBMIT_SM is not for the esme in a session that is unbinding\."):
        esme.request(SubmitSm(), now=0)
    with pytest.raises(SessionError, match=r"DELIVER_SM is not for the smsc in a session that is unbinding\."):
        smsc.request(DeliverSm(), now=0)
    answers = smsc.answer(submit.request, SubmitSmResp(message_id="a")) + smsc.answer(unbind.request, UnbindResp())
    assert [Answered, Answered] == [type(event) for event in esme.receive(answers, now=0)]
    assert (State.UNBOUND, State.UNBOUND) == (esme.state, smsc.state)


def test_an_unbind_without_an_answer_ends_the_session() -> None:
    esme = bound(Role.ESME)
    esme.request(Unbind(), now=0)
    assert [Unanswered(2, Unbind()), Broken("No answer to UNBIND in 30 s.")] == esme.tick(now=30)


def test_a_closed_session_does_nothing() -> None:
    esme = bound(Role.ESME)
    esme.close()
    assert ([], [], None, 0) == (heard(esme, DeliverSm(sequence=1)), esme.tick(now=99), esme.deadline(), esme.room)


def test_an_alert_expects_no_answer() -> None:
    smsc = bound(Role.SMSC)
    smsc.request(AlertNotification(), now=0)
    assert 0 == smsc.outstanding


# --- strangers ---


@given(st.sampled_from(Role), st.sampled_from(STATES), st.lists(st.binary(max_size=100), max_size=5))
def test_whatever_octets_come_a_session_does_not_raise(role: Role, state: State, chunks: list[bytes]) -> None:
    session = bound(role, state)
    for chunk in chunks:
        session.receive(chunk, now=1)
        session.tick(now=2)


@given(st.sampled_from(Role), st.sampled_from(STATES), st.lists(pdus, max_size=8), st.integers(0, 3))
def test_whatever_pdus_come_a_session_does_not_raise_and_its_window_stays_true(
    role: Role, state: State, values: list[Pdu], ours: int
) -> None:
    session = bound(role, state)
    message: Pdu = SubmitSm() if role is Role.ESME else DeliverSm()
    for _ in range(ours):
        if session.may_ask(message.command):
            session.request(message, now=0)
    for value in values:
        for event in heard(session, value, now=1):
            if isinstance(event, Asked) and event.request.command | RESPONSE in type_of:
                session.answer(event.request, response_to(event.request))
    assert 0 <= session.room <= 10
    session.tick(now=100)


@given(st.lists(st.sampled_from(["ask", "answer", "wait"]), max_size=60))
def test_every_request_ends_once_and_only_once(steps: list[str]) -> None:
    esme = bound(Role.ESME, window=5, timers=Timers(enquire_link_seconds=None))
    now, out, ended = 0.0, [], []
    for step in steps:
        if step == "ask" and esme.room:
            out.append(esme.request(SubmitSm(), now=now)[0])
        elif step == "answer" and out:
            ended += [
                event.sequence
                for event in heard(esme, SubmitSmResp(sequence=out[-1]), now=now)
                if isinstance(event, Answered) and not event.late
            ]
        elif step == "wait":
            now += 11
            events = esme.tick(now=now)
            ended += [event.sequence for event in events if isinstance(event, Unanswered) and isinstance(event.request, SubmitSm)]
            for write in written(events):
                heard(esme, EnquireLinkResp(sequence=write.sequence), now=now)
    assert len(ended) == len(set(ended))
    assert set(ended) <= set(out)
    assert len(out) - len(ended) == esme.outstanding
