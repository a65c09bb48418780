"""The heart as tables: which handling, which row, which effect; and the one gate."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.core.address import SenderKind
from stopwire.core.consent import START_LIFTS, Act, Block, Reason
from stopwire.core.keywords import Match
from stopwire.core.message import Purpose
from stopwire.core.optout import (
    Answer,
    Handling,
    answer,
    covering,
    handling,
    may_send,
    network_answers,
    opted_out_send,
    read,
)
from stopwire.core.packs import Packs
from stopwire.core.policy import DEFAULT_HELP_REPLY, DEFAULT_START_REPLY, DEFAULT_STOP_REPLY, Keyword
from stopwire.core.senders import Home, Sender, Service, Webhook, scopes_of
from stopwire.packs import load
from tests.core.samples import AC, ADVANCED, ALPHA, LONG, MG, PERSON, RCS, SERVICE, SHORT, TOLL_FREE, WHATSAPP, block, home


@pytest.fixture(scope="module")
def packs() -> Packs:
    return load()


@pytest.mark.parametrize(
    ("sender", "advanced", "in_service", "alone"),
    [
        pytest.param(LONG, Handling.ADVANCED, Handling.DEFAULT, Handling.DEFAULT, id="long code"),
        pytest.param(TOLL_FREE, Handling.ADVANCED, Handling.DEFAULT, Handling.DEFAULT, id="toll-free"),
        pytest.param(SHORT, Handling.ADVANCED, Handling.NONE, Handling.NONE, id="short code"),
        pytest.param(WHATSAPP, Handling.ADVANCED, Handling.NONE, Handling.NONE, id="WhatsApp"),
        pytest.param(RCS, Handling.ADVANCED, Handling.DEFAULT, Handling.DEFAULT, id="RCS"),
        pytest.param(ALPHA, Handling.NONE, Handling.NONE, Handling.NONE, id="alphanumeric"),
    ],
)
def test_the_kind_of_sender_and_its_service_decide_the_handling(
    sender: Sender, advanced: Handling, in_service: Handling, alone: Handling
) -> None:
    assert (advanced, in_service, alone) == (
        handling(home(sender, ADVANCED)),
        handling(home(sender, SERVICE)),
        handling(home(sender)),
    )


@pytest.mark.parametrize(
    ("sender", "choice", "expected"),
    [
        pytest.param(SHORT, True, Handling.DEFAULT, id="a short code with its words on"),
        pytest.param(WHATSAPP, True, Handling.DEFAULT, id="WhatsApp with its words on"),
        pytest.param(LONG, False, Handling.NONE, id="a long code with its words off"),
        pytest.param(ALPHA, True, Handling.NONE, id="an alphanumeric sender hears nothing"),
    ],
)
def test_a_sender_may_switch_the_default_words(sender: Sender, choice: bool, expected: Handling) -> None:
    chosen = replace(sender, default_opt_out=choice)
    assert expected == handling(home(chosen))
    if sender is not ALPHA:
        assert Handling.ADVANCED == handling(home(chosen, ADVANCED))


@pytest.mark.parametrize(("service", "holder"), [(None, LONG.sid), (SERVICE, MG), (ADVANCED, MG)])
def test_a_stop_holds_for_the_service_else_for_the_sender(service: Service | None, holder: str) -> None:
    assert holder == home(LONG, service).holder


def test_an_account_may_choose_that_a_stop_holds_for_all_its_senders() -> None:
    assert AC == home(LONG, SERVICE, opt_out_scope="account").holder


CALLED = Webhook(url="https://app.example.com/sms")
HEARD = replace(LONG, webhook=CALLED)


def said(body: str, at: Home, blocks: list[Block], packs: Packs) -> Answer:
    return answer(read(body, PERSON, at, packs), blocks, at, body)


def acts(decided: Answer) -> list[tuple[Act, str, Reason | None]]:
    return [(change.act, change.holder, change.reason) for change in decided.changes]


LONG_ALONE, LONG_SERVICE, LONG_ADVANCED = home(LONG), home(LONG, SERVICE), home(LONG, ADVANCED)
TF_ALONE, TF_ADVANCED = home(TOLL_FREE), home(TOLL_FREE, ADVANCED)
SELF, TF = LONG.sid, TOLL_FREE.sid

# body, at home, blocks → row, acts, reply, webhook, OptOutType
TABLE: list[Any] = [
    pytest.param("STOP", LONG_ALONE, [], 1, [(Act.OPT_OUT, SELF, Reason.KEYWORD)], DEFAULT_STOP_REPLY, True, None,
                 id="row 1: alone"),
    pytest.param("stop", LONG_SERVICE, [], 1, [(Act.OPT_OUT, MG, Reason.KEYWORD)], DEFAULT_STOP_REPLY, True, None,
                 id="row 1: in a service"),
    pytest.param("Unsubscribe!", LONG_ADVANCED, [], 1, [(Act.OPT_OUT, MG, Reason.KEYWORD)], DEFAULT_STOP_REPLY, True, "STOP",
                 id="row 1: Advanced"),
    pytest.param("STOP", home(SHORT, ADVANCED), [], 1, [(Act.OPT_OUT, MG, Reason.KEYWORD)], DEFAULT_STOP_REPLY, True, "STOP",
                 id="row 1: short code, Advanced"),
    pytest.param("STOP", home(WHATSAPP, ADVANCED), [], 1, [(Act.OPT_OUT, MG, Reason.KEYWORD)], DEFAULT_STOP_REPLY, True,
                 "STOP", id="row 1: WhatsApp, Advanced"),
    pytest.param("CANCEL", TF_ALONE, [], 1, [(Act.OPT_OUT, TF, Reason.KEYWORD)], DEFAULT_STOP_REPLY, True, None,
                 id="row 1: on toll-free, a word that the network ignores"),
    pytest.param("STOP", LONG_SERVICE, [block(SELF)], 1, [(Act.OPT_OUT, MG, Reason.KEYWORD)], DEFAULT_STOP_REPLY, True, None,
                 id="row 1: blocked elsewhere is open here"),
    pytest.param("STOP", LONG_ALONE, [block(SELF)], 2, [(Act.REPEAT, SELF, None)], None, True, None, id="row 2: alone"),
    pytest.param("QUIT", LONG_ADVANCED, [block(MG, Reason.API)], 2, [(Act.REPEAT, MG, None)], None, True, "STOP",
                 id="row 2: blocked by somebody else"),
    pytest.param("START", LONG_ALONE, [block(SELF)], 3, [(Act.OPT_IN, SELF, Reason.KEYWORD)], DEFAULT_START_REPLY, True, None,
                 id="row 3: alone"),
    pytest.param("YES", LONG_ADVANCED, [block(MG, Reason.CONSENT)], 3, [(Act.OPT_IN, MG, Reason.CONSENT)],
                 DEFAULT_START_REPLY, True, "START", id="row 3: Advanced"),
    pytest.param("START", LONG_SERVICE, [block(MG), block(SELF, Reason.IMPORT)], 3,
                 [(Act.OPT_IN, MG, Reason.KEYWORD), (Act.OPT_IN, SELF, Reason.IMPORT)], DEFAULT_START_REPLY, True, None,
                 id="row 3: several scopes, one reply, a row each"),
    pytest.param("START", LONG_SERVICE, [block(MG), block(AC, Reason.OPERATOR)], 3,
                 [(Act.OPT_IN, MG, Reason.KEYWORD), (Act.LIFT_REFUSED, AC, Reason.OPERATOR)], None, True, None,
                 id="row 3: nobody is told that they are in while something still blocks"),
    pytest.param("START", LONG_ALONE, [block(SELF, Reason.COMPLAINT)], 4, [(Act.LIFT_REFUSED, SELF, Reason.COMPLAINT)], None,
                 True, None, id="row 4"),
    pytest.param("START", LONG_ADVANCED, [block(MG, Reason.OPERATOR)], 4, [(Act.LIFT_REFUSED, MG, Reason.OPERATOR)], None,
                 True, "START", id="row 4: Advanced"),
    pytest.param("UNSTOP", LONG_ALONE, [], 5, [(Act.NO_CHANGE, SELF, None)], None, True, None, id="row 5"),
    pytest.param("HELP", LONG_ALONE, [], 6, [(Act.HELP, SELF, None)], DEFAULT_HELP_REPLY, False, None,
                 id="row 6: default words keep it from the webhook"),
    pytest.param("INFO", LONG_ADVANCED, [], 6, [(Act.HELP, MG, None)], DEFAULT_HELP_REPLY, True, "HELP", id="row 6: Advanced"),
    pytest.param("HELP", LONG_ALONE, [block(SELF)], 6, [(Act.HELP, SELF, None)], DEFAULT_HELP_REPLY, False, None,
                 id="row 6: blocked, answered"),
    pytest.param("HELP", home(LONG, help_when_blocked="silent"), [block(SELF)], 6, [(Act.HELP, SELF, None)], None, False, None,
                 id="row 6: blocked, silent by setting"),
    pytest.param("HELP", TF_ALONE, [block(TF)], 6, [(Act.HELP, TF, None)], None, False, None,
                 id="row 6: the network would not carry it"),
    pytest.param("HELP", TF_ALONE, [], 6, [(Act.HELP, TF, None)], DEFAULT_HELP_REPLY, False, None, id="row 6: toll-free, open"),
    pytest.param("hello", LONG_ALONE, [block(SELF)], 7, [], None, True, None, id="row 7: an ordinary message"),
    pytest.param("STOP PLEASE", LONG_ADVANCED, [], 7, [], None, True, None, id="row 7: a second word"),
    pytest.param("STOP", home(SHORT), [], 7, [], None, True, None, id="row 7: a short code alone"),
    pytest.param("STOP", home(WHATSAPP, SERVICE), [], 7, [], None, True, None, id="row 7: WhatsApp without Advanced"),
    pytest.param("STOP", TF_ALONE, [], 8, [(Act.OPT_OUT, TF, Reason.KEYWORD)], None, True, None, id="row 8: default"),
    pytest.param("Stop.", TF_ADVANCED, [], 8, [(Act.OPT_OUT, MG, Reason.KEYWORD)], None, True, "STOP", id="row 8: Advanced"),
    pytest.param("UNSTOP", TF_ALONE, [block(TF)], 9, [(Act.OPT_IN, TF, Reason.KEYWORD)], None, True, None, id="row 9: default"),
    pytest.param("START", TF_ADVANCED, [block(MG)], 9, [(Act.OPT_IN, MG, Reason.KEYWORD)], DEFAULT_START_REPLY, True, "START",
                 id="row 9: Advanced"),
    pytest.param("YES", TF_ALONE, [block(TF)], 10, [], None, True, None, id="row 10: default"),
    pytest.param("YES", TF_ADVANCED, [block(MG)], 10, [], None, True, None, id="row 10: Advanced"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "at", "blocks", "row", "changes", "reply", "forward", "opt_out_type"), TABLE)
def test_each_row_of_the_table(
    packs: Packs,
    body: str,
    at: Home,
    blocks: list[Block],
    row: int,
    changes: list[tuple[Act, str, Reason | None]],
    reply: str | None,
    forward: bool,
    opt_out_type: str | None,
) -> None:
    decided = said(body, at, blocks, packs)
    assert (row, changes, reply, forward, opt_out_type, True) == (
        decided.row,
        acts(decided),
        decided.reply,
        decided.forward,
        decided.opt_out_type,
        decided.keep,
    )


DROPS = replace(SERVICE, use_inbound_webhook_on_number=False)


@pytest.mark.parametrize(
    ("body", "blocks", "row", "forward", "keep"),
    [
        pytest.param("STOP", [], 1, False, True, id="a STOP keeps its effect and is logged"),
        pytest.param("START", [block(MG)], 3, False, True, id="a START too"),
        pytest.param("HELP", [], 6, False, True, id="a HELP too"),
        pytest.param("hello", [], 7, False, False, id="an ordinary message is dropped"),
    ],
)
def test_dropping_incoming_messages_closes_the_webhook_only(
    packs: Packs, body: str, blocks: list[Block], row: int, forward: bool, keep: bool
) -> None:
    decided = said(body, home(HEARD, DROPS), blocks, packs)
    assert (row, forward, keep) == (decided.row, decided.forward, decided.keep)
    assert bool(decided.reply) == (body != "hello")


@pytest.mark.parametrize("reason", list(Reason))
def test_a_start_lifts_what_a_person_said_and_nothing_else(packs: Packs, reason: Reason) -> None:
    decided = said("START", LONG_ALONE, [block(SELF, reason)], packs)
    lifted = {Reason.KEYWORD, Reason.PHRASE, Reason.REVIEW, Reason.CONSENT, Reason.CARRIER, Reason.IMPORT}
    assert (3 if reason in lifted else 4) == decided.row
    assert (reason not in lifted) == decided.start_refused


@given(
    reasons=st.lists(st.sampled_from(list(Reason)), max_size=4),
    keyword=st.sampled_from(list(Keyword)),
    at=st.sampled_from([LONG_ALONE, LONG_SERVICE, LONG_ADVANCED, TF_ALONE, TF_ADVANCED]),
)
def test_only_a_start_opens_and_only_what_it_may(reasons: list[Reason], keyword: Keyword, at: Home) -> None:
    blocks = [block(holder, reason) for holder, reason in zip(at.scopes, reasons, strict=False)]
    decided = answer(Match(keyword=keyword, word=keyword.value, reply="text"), blocks, at)
    opened = [change for change in decided.changes if change.act in (Act.OPT_IN, Act.LIFT)]
    assert not opened or keyword is Keyword.START
    assert all(change.reason in START_LIFTS for change in opened)
    assert (keyword is Keyword.STOP and decided.row != 2) == any(change.act is Act.OPT_OUT for change in decided.changes)


def test_a_stop_leaves_the_holder_blocked_whatever_was_before() -> None:
    for blocks in ([], [block(SELF)], [block(AC, Reason.OPERATOR)]):
        decided = answer(Match(keyword=Keyword.STOP, word="STOP", reply="text"), blocks, LONG_ALONE)
        held = {b.holder for b in blocks} | {c.holder for c in decided.changes if c.act is Act.OPT_OUT}
        assert LONG_ALONE.holder in held


@pytest.mark.parametrize(
    ("word", "matched_by", "expected"),
    [
        pytest.param("STOP", "keyword", True, id="STOP"),
        pytest.param("unstop", "keyword", True, id="UNSTOP"),
        pytest.param("CANCEL", "keyword", False, id="a word it does not know"),
        pytest.param("STOP", "phrase", False, id="a sentence that means STOP"),
    ],
)
def test_the_toll_free_network_answers_its_own_words_only(word: str, matched_by: Any, expected: bool) -> None:
    match = Match(keyword=Keyword.STOP, word=word, matched_by=matched_by, reply="")
    assert expected == network_answers(SenderKind.TOLL_FREE, match)
    assert not network_answers(SenderKind.LONG_CODE, match)


@pytest.mark.parametrize(
    ("body", "blocks", "effect"),
    [
        pytest.param("STOP", [], "block", id="block"),
        pytest.param("STOP", [block(SELF)], "repeat", id="repeat"),
        pytest.param("START", [block(SELF)], "lift", id="lift"),
        pytest.param("START", [block(SELF, Reason.API)], "lift_refused", id="lift refused"),
        pytest.param("START", [], "none", id="nothing to lift"),
        pytest.param("hello", [], "none", id="an ordinary message"),
    ],
)
def test_the_effect_has_a_word(packs: Packs, body: str, blocks: list[Block], effect: str) -> None:
    assert effect == said(body, LONG_ALONE, blocks, packs).effect


OLD = "MG" + "8" * 32
MOVED = replace(LONG, service=MG, inherited=(OLD,))


@pytest.mark.parametrize(
    ("holder", "sender", "named", "blocked"),
    [
        pytest.param(LONG.sid, LONG, None, True, id="the sender itself"),
        pytest.param(TOLL_FREE.sid, LONG, None, False, id="another sender"),
        pytest.param(MG, LONG, None, False, id="a service it is not in"),
        pytest.param(MG, MOVED, None, True, id="its service"),
        pytest.param(MG, LONG, MG, True, id="the service that the send names"),
        pytest.param(OLD, MOVED, None, True, id="a service it was in"),
        pytest.param(AC, LONG, None, True, id="the account"),
    ],
)
def test_a_block_in_any_scope_of_the_sender_forbids(holder: str, sender: Sender, named: str | None, blocked: bool) -> None:
    found = may_send(scopes_of(sender, named, AC), [block(holder)], Purpose.MESSAGE)
    assert blocked == (found is not None)


def test_a_keyword_reply_passes_every_block() -> None:
    assert may_send([SELF, AC], [block(SELF), block(AC, Reason.OPERATOR)], Purpose.KEYWORD_REPLY) is None


def test_covering_keeps_the_blocks_of_the_scopes() -> None:
    assert [block(SELF)] == covering([SELF, AC], [block(SELF), block(MG)])


@pytest.mark.parametrize(
    ("service", "account", "expected"),
    [(None, "reject", "reject"), (None, "accept_then_fail", "accept_then_fail"), ("reject", "accept_then_fail", "reject")],
)
def test_the_choice_of_the_service_comes_before_the_accounts(service: str | None, account: str, expected: str) -> None:
    assert expected == opted_out_send(service, account)
