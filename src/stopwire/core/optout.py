"""The heart: what a text does (`answer`, ten rows) and what may be sent (`may_send`, one gate).

Pure decisions over values. Row numbers are those of docs/reference/opt-out.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from stopwire.core.address import SenderKind, country_of
from stopwire.core.consent import START_LIFTS, Act, Block, Reason
from stopwire.core.keywords import Match, only_on_phones, recognise, recognise_default
from stopwire.core.message import Purpose
from stopwire.core.packs import Packs
from stopwire.core.policy import Keyword
from stopwire.core.senders import Home, inbound_webhook


class Handling(StrEnum):
    ADVANCED = "advanced"  # the service's policy
    DEFAULT = "default"  # fixed English words and replies
    NONE = "none"  # every text is an ordinary message


def handling(home: Home) -> Handling:
    """Which handling applies to what this sender receives."""
    if home.sender.kind is SenderKind.ALPHANUMERIC:
        return Handling.NONE  # it cannot receive
    if home.service and home.service.policy.enabled:
        return Handling.ADVANCED
    if home.sender.default_opt_out is not None:
        return Handling.DEFAULT if home.sender.default_opt_out else Handling.NONE
    keywords_by_default = (SenderKind.LONG_CODE, SenderKind.TOLL_FREE, SenderKind.RCS)
    return Handling.DEFAULT if home.sender.kind in keywords_by_default else Handling.NONE


def read(body: str, recipient: str, home: Home, packs: Packs) -> Match | None:
    """The keyword that `body` is, under the handling of `home`. None for an ordinary message."""
    toll_free = home.sender.kind is SenderKind.TOLL_FREE
    match handling(home):
        case Handling.ADVANCED:
            assert home.service is not None
            country = country_of(recipient)
            return recognise(body, policy=home.service.policy, country=country, packs=packs, toll_free=toll_free)
        case Handling.DEFAULT:
            return recognise_default(body, toll_free=toll_free)
        case Handling.NONE:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row for the ledger: what happens, in whose scope, and to which reason."""

    act: Act
    holder: str
    reason: Reason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an inbound text does. `row` is the row of the table that decided."""

    row: int
    keyword: Keyword | None
    changes: tuple[Change, ...] = ()
    reply: str | None = None
    forward: bool = True  # the customer's webhook is called
    opt_out_type: str | None = None
    keep: bool = True  # kept as an inbound Message
    start_refused: bool = False  # a START met a block that only the operator may lift

    @property
    def effect(self) -> str:
        """block | repeat | lift | lift_refused | none: the word shown in previews and explanations."""
        names = {Act.OPT_OUT: "block", Act.REPEAT: "repeat", Act.OPT_IN: "lift", Act.LIFT_REFUSED: "lift_refused"}
        found = [names[c.act] for c in self.changes if c.act in names]
        return "lift" if "lift" in found else (found[0] if found else "none")


def answer(match: Match | None, blocks: Sequence[Block], home: Home, body: str = "") -> Answer:
    """The row of the table for `match`, given the recipient's `blocks` in the scopes of `home`. `body`: what they wrote."""
    if match is None:
        return _ordinary(home, body)
    match match.keyword:
        case Keyword.STOP:
            decided = _stop(match, blocks, home)
        case Keyword.START:
            decided = _start(match, blocks, home)
        case Keyword.HELP:
            decided = _help(match, blocks, home)
    return decided


def _ordinary(home: Home, body: str) -> Answer:
    dropped = inbound_webhook(home.sender, home.service) is None
    unknown_there = home.sender.kind is SenderKind.TOLL_FREE and only_on_phones(body)
    return Answer(row=10 if unknown_there else 7, keyword=None, forward=not dropped, keep=not dropped)


def _stop(match: Match, blocks: Sequence[Block], home: Home) -> Answer:
    if any(b.holder == home.holder for b in blocks):
        return _keyword(2, match, home, changes=(Change(act=Act.REPEAT, holder=home.holder, reason=None),))
    reason = Reason.PHRASE if match.matched_by == "phrase" else Reason.KEYWORD
    opt_out = (Change(act=Act.OPT_OUT, holder=home.holder, reason=reason),)
    if network_answers(home.sender.kind, match):
        return _keyword(8, match, home, changes=opt_out)
    return _keyword(1, match, home, changes=opt_out, reply=match.reply)


def _start(match: Match, blocks: Sequence[Block], home: Home) -> Answer:
    if not blocks:
        no_change = (Change(act=Act.NO_CHANGE, holder=home.holder, reason=None),)
        return _keyword(5, match, home, changes=no_change)
    lifted = tuple(Change(act=Act.OPT_IN, holder=b.holder, reason=b.reason) for b in blocks if b.reason in START_LIFTS)
    refused = tuple(
        Change(act=Act.LIFT_REFUSED, holder=b.holder, reason=b.reason) for b in blocks if b.reason not in START_LIFTS
    )
    if not lifted:
        return _keyword(4, match, home, changes=refused, start_refused=True)
    # A reply that says "subscribed again" is true only where nothing blocks any more.
    reply = None if refused else match.reply
    if home.sender.kind is SenderKind.TOLL_FREE:
        by_policy = reply if handling(home) is Handling.ADVANCED else None
        return _keyword(9, match, home, changes=lifted + refused, reply=by_policy, start_refused=bool(refused))
    return _keyword(3, match, home, changes=lifted + refused, reply=reply, start_refused=bool(refused))


def _help(match: Match, blocks: Sequence[Block], home: Home) -> Answer:
    # The toll-free network would not carry a reply to somebody who is blocked there.
    silent = bool(blocks) and (home.sender.kind is SenderKind.TOLL_FREE or help_when_blocked(home) == "silent")
    help_row = (Change(act=Act.HELP, holder=home.holder, reason=None),)
    return _keyword(6, match, home, changes=help_row, reply=None if silent else match.reply)


def _keyword(
    row: int,
    match: Match,
    home: Home,
    *,
    changes: tuple[Change, ...],
    reply: str | None = None,
    start_refused: bool = False,
) -> Answer:
    advanced = handling(home) is Handling.ADVANCED
    dropped = inbound_webhook(home.sender, home.service) is None
    told = advanced or match.keyword is not Keyword.HELP  # B10: by default HELP stays with us
    return Answer(
        row=row,
        keyword=match.keyword,
        changes=changes,
        reply=reply,
        forward=told and not dropped,
        opt_out_type=match.keyword.value if advanced else None,
        start_refused=start_refused,
    )


def network_answers(kind: SenderKind, match: Match) -> bool:
    """Whether the toll-free network replies to this word itself. It knows STOP, and START and UNSTOP, nothing else."""
    said_alone = match.matched_by == "keyword"  # a sentence that means STOP is none to the network
    return kind is SenderKind.TOLL_FREE and said_alone and match.word.casefold() in ("stop", "start", "unstop")


def help_when_blocked(home: Home) -> str:
    of_service = home.service.policy.help_when_blocked if home.service else None
    return of_service or home.account.settings.help_when_blocked


def opted_out_send(home_service_choice: str | None, account_choice: str) -> str:
    """reject | accept_then_fail, the service's choice before the account's."""
    return home_service_choice or account_choice


def may_send(scopes: Iterable[str], blocks: Iterable[Block], purpose: Purpose) -> Block | None:
    """The one gate: the block that forbids this send, or None. Only a keyword reply passes a block."""
    if purpose is Purpose.KEYWORD_REPLY:
        return None
    held = set(scopes)
    return next((block for block in blocks if block.holder in held), None)


def covering(scopes: Iterable[str], blocks: Iterable[Block]) -> list[Block]:
    """Those of a recipient's blocks that a sender with `scopes` answers to."""
    held = set(scopes)
    return [block for block in blocks if block.holder in held]
