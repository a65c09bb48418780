"""Take one inbound message: keyword, consent, purge, reply, webhook, in one commit.

When `receive` returns, the carrier may be told that we have it, and nothing more of a closed scope
leaves for that person. If it raises, nothing happened and the carrier must bring the text again.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from stopwire import metrics
from stopwire.core import optout
from stopwire.core.address import country_of, group_of, parse_recipient
from stopwire.core.bound import inbound_delivery
from stopwire.core.connections import OptOutBy
from stopwire.core.consent import Act, ConsentEvent
from stopwire.core.events import inbound_event
from stopwire.core.jobs import Review
from stopwire.core.keywords import Match
from stopwire.core.message import Direction, Media, Message, Status
from stopwire.core.optout import Answer, Change
from stopwire.core.outcomes import Received
from stopwire.core.packs import Packs
from stopwire.core.policy import Keyword
from stopwire.core.routing import first_route
from stopwire.core.segments import count
from stopwire.core.senders import Home
from stopwire.core.suggestions import score
from stopwire.flows.moves import REPLY_LIFE, purge, quiet, reply_with, unsay
from stopwire.ports.store import Tx
from stopwire.ports.values import to_plain
from stopwire.ports.world import Ids, World

REPEAT_WINDOW = timedelta(seconds=4)  # the same bytes within it are a carrier's repeat, where it gives no reference
SID_CHARS = 34  # what fits beside a reference
REFERENCE_WINDOW = timedelta(hours=48)  # how long a carrier's reference names one message
PARTS_WINDOW = timedelta(hours=24)  # how long a long text may take to be whole
REVIEW_TIME = timedelta(days=14)  # ten business days: 47 CFR 64.1200(a)(10)


class UnknownSender(Exception):
    """An inbound text for an address that no account has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of an inbound text. `under_way`: attempts already written that a STOP waits for."""

    message: str | None = None
    account: str = ""
    repeated: bool = False
    waiting_for_parts: bool = False
    under_way: tuple[str, ...] = ()
    keyword: str | None = None


async def receive(world: World, *, heard: Received) -> Taken:
    """Take one inbound message. When this returns, the carrier may be told that we have it."""
    account = await world.store.account_of(heard.sender)
    if account is None:
        raise UnknownSender(heard.sender)
    if heard.recipient.startswith("rcs:"):  # consent is the number's: a STOP by RCS must hold for SMS too
        heard = replace(heard, recipient=parse_recipient(heard.recipient) or heard.recipient)
    unit = partial(
        take,
        heard=heard,
        packs=world.packs,
        now=world.clock.now(),
        ids=world.ids,
        public_url=world.choices.public_url,
        usable=world.carriers.usable(),
    )
    taken = await world.store.write(unit, account=account, lock=(heard.recipient,), urgent=True)
    if not taken.repeated and not taken.waiting_for_parts:
        metrics.received(taken.keyword)
    await quiet(world, account=account, recipient=heard.recipient, under_way=taken.under_way)
    return taken


def take(
    tx: Tx, *, heard: Received, packs: Packs, now: datetime, ids: Ids, public_url: str, usable: frozenset[str]
) -> Taken:
    if repeated := _repeat(tx, heard, now):
        # The first copy may still be waiting for answers: this one is not acknowledged before they are there either.
        return replace(repeated, under_way=purge(tx, heard.recipient, now=now, ids=ids))
    body = heard.body
    if heard.parts > 1:
        tx.inbound.add_part(heard, now)
        joined = tx.inbound.joined(heard)
        if joined is None:
            _remember(tx, heard, None, now)
            return Taken(account=tx.account, waiting_for_parts=True)
        tx.inbound.drop_parts(heard)
        body = joined
    return take_whole(tx, heard=heard, body=body, packs=packs, now=now, ids=ids, public_url=public_url, usable=usable)


def take_whole(
    tx: Tx,
    *,
    heard: Received,
    body: str,
    packs: Packs,
    now: datetime,
    ids: Ids,
    public_url: str,
    usable: frozenset[str],
    partial_text: bool = False,
) -> Taken:
    """Take a text that is complete (or, with `partial_text`, all of it that will ever come)."""
    directory = tx.services.directory()
    sender = directory.sender_at(heard.sender)
    assert sender is not None, "the owner of the address was found a moment ago"
    home = directory.home(sender)
    group = group_of(heard.recipient)
    blocks = optout.covering(home.scopes, tx.consent.blocks_of(group, heard.recipient))
    match = optout.read(body, heard.recipient, home, packs)
    if partial_text and not (match and match.keyword is Keyword.STOP and heard.part == 1):
        match = None  # only a STOP is so sure of itself that the rest of the text does not matter
    late = _is_late_start(tx, match, heard, home)
    answer = _ignored_start(home) if late else optout.answer(match, blocks, home, body)

    message = _message(heard, body, home, answer, match, now, ids, partial_text)
    media = [
        Media(sid=ids.sid("ME"), message=message.sid, content_type=m.content_type, bytes_=m.data, created_at=now)
        for m in heard.media
    ]
    _remember(tx, heard, message.sid if answer.keep else None, now)
    events = _events(tx, heard, body, message, match, answer, home, now, ids)
    tx.consent.append(events)
    under_way = purge(tx, heard.recipient, now=now, ids=ids) if answer.keyword is Keyword.STOP else ()
    if answer.effect == "lift":
        unsay(tx, [heard.recipient], now=now, ids=ids)
    reply = None if answer.reply and _answered(tx, heard) else _reply(tx, answer, events, message, home, now, ids, usable)
    suggestion = _suggestion(tx, body, message, match, answer, home, packs, now, ids)
    if answer.keep:
        found = {"events": [e.id for e in events], "reply": reply, "suggestion": suggestion}
        tx.messages.add([replace(message, decision={**message.decision, **found})])
        tx.messages.add_media(media)
    told = [
        told_by(message, home, answer, media, id=ids.sid("WD"), token=ids.uuid(), now=now, public_url=public_url)
        for told_by in (inbound_event, inbound_delivery)
    ]
    if deliveries := [delivery for delivery in told if delivery]:
        tx.webhooks.add(deliveries)
        tx.wake("notify")
    tx.tell(
        "message.received",
        sid=message.sid,
        from_=heard.recipient,
        to=heard.sender,
        keyword=answer.keyword.value if answer.keyword else None,
        effect=answer.effect,
    )
    return Taken(
        message=message.sid if answer.keep else None,
        account=tx.account,
        under_way=under_way,
        keyword=answer.keyword.value if answer.keyword else None,
    )


def _repeat(tx: Tx, heard: Received, now: datetime) -> Taken | None:
    reference, window = _reference(heard)
    seen = tx.inbound.seen(heard.connection, reference)
    if seen is None or now - seen[1] > window:
        return None
    if heard.reference is None:
        last = tx.messages.last_outbound(heard.recipient)
        if last is not None and last.created_at > seen[1]:
            return None  # an answer to what we sent in between: two true messages
        if heard.parts == 1 and _last_heard(tx, heard) not in (None, reference[:SID_CHARS]):
            return None  # they wrote something else in between: STOP, START, STOP are three true messages
    return Taken(message=seen[0], account=tx.account, repeated=True)


def _remember(tx: Tx, heard: Received, message: str | None, now: datetime) -> None:
    reference = _reference(heard)[0]
    tx.inbound.remember(heard.connection, reference, message, now)
    if heard.reference is None and heard.parts == 1:
        tx.inbound.remember(heard.connection, _pair(heard), reference[:SID_CHARS], now)


def _last_heard(tx: Tx, heard: Received) -> str | None:
    """What this person last wrote to this sender, as far as carriers without references tell: the begin of its digest."""
    last = tx.inbound.seen(heard.connection, _pair(heard))
    return None if last is None else last[0]


def _pair(heard: Received) -> str:
    return "^" + hashlib.sha256(f"{heard.sender} {heard.recipient}".encode("utf-8", "surrogatepass")).hexdigest()


def _reference(heard: Received) -> tuple[str, timedelta]:
    if heard.reference is not None:
        return heard.reference, REFERENCE_WINDOW
    pictures = [hashlib.sha256(medium.data).hexdigest() for medium in heard.media]
    facts = (heard.sender, heard.recipient, heard.body, heard.part_reference, heard.part, heard.parts, pictures)
    bytes_ = repr(facts).encode("utf-8", "surrogatepass")
    return "~" + hashlib.sha256(bytes_).hexdigest(), REPEAT_WINDOW


def _is_late_start(tx: Tx, match: Match | None, heard: Received, home: Home) -> bool:
    """A START whose trustworthy carrier stamp is older than the newest STOP: logged, and ignored."""
    if match is None or match.keyword is not Keyword.START or heard.sent_at is None:
        return False
    group = group_of(heard.recipient)
    newest = [tx.consent.newest(holder, group, heard.recipient, [Act.OPT_OUT, Act.REPEAT]) for holder in home.scopes]
    return any(row is not None and row.event.occurred_at > heard.sent_at for row in newest)


def _ignored_start(home: Home) -> Answer:
    """Row 5 for a START that came too late; the application, which was told of the STOP, hears nothing of it."""
    no_change = Change(act=Act.NO_CHANGE, holder=home.holder, reason=None)
    return Answer(row=5, keyword=Keyword.START, changes=(no_change,), forward=False)


def _message(
    heard: Received,
    body: str,
    home: Home,
    answer: Answer,
    match: Match | None,
    now: datetime,
    ids: Ids,
    partial_text: bool,
) -> Message:
    decision = {
        "row": answer.row,
        "handling": optout.handling(home).value,
        "keyword": answer.keyword.value if answer.keyword else None,
        "word": match.word if match else None,
        "matched_by": match.matched_by if match else None,
        "rule": match.rule if match else None,
        "language": match.language if match else None,
        "country": country_of(heard.recipient),
        "effect": answer.effect,
        "forward": answer.forward,
        "opt_out_type": answer.opt_out_type,
        "policy_version": home.service.policy_version if home.service else None,
    }
    if partial_text:
        decision["partial"] = True
    return Message(
        sid=ids.sid("MM" if heard.media else "SM"),
        account=home.account.sid,
        direction=Direction.INBOUND,
        sender=heard.sender,
        recipient=heard.recipient,
        service=home.service.sid if home.service else None,
        body=body,
        status=Status.RECEIVED,
        segments=1 if heard.media else max(count(body).segments, 1),
        media=len(heard.media),
        created_at=now,
        updated_at=now,
        sent_at=now,
        decision=decision,
    )


def _events(
    tx: Tx,
    heard: Received,
    body: str,
    message: Message,
    match: Match | None,
    answer: Answer,
    home: Home,
    now: datetime,
    ids: Ids,
) -> list[ConsentEvent]:
    if not answer.changes:
        return []
    previous = tx.messages.last_outbound(heard.recipient)
    return [
        ConsentEvent(
            id=ids.sid("CE"),
            holder=change.holder,
            group=group_of(heard.recipient),
            recipient=heard.recipient,
            act=change.act,
            reason=change.reason,
            actor="recipient",
            occurred_at=now,
            recorded_at=now,
            message=message.sid,
            text=body,
            word=match.word if match else None,
            rule=match.rule if match else None,
            language=match.language if match else None,
            country=country_of(heard.recipient),
            policy_version=home.service.policy_version if home.service else None,
            previous=previous.sid if previous else None,
            reference=heard.reference,
        )
        for change in answer.changes
    ]


def _answered(tx: Tx, heard: Received) -> bool:
    """Whether the carrier answers keywords itself: then we record, and stay silent. One confirmation, not two."""
    if heard.answered:
        return True
    sealed = tx.connections.find(heard.connection)
    return sealed is not None and sealed.connection.opt_out_by is OptOutBy.CARRIER


def _reply(
    tx: Tx,
    answer: Answer,
    events: Sequence[ConsentEvent],
    message: Message,
    home: Home,
    now: datetime,
    ids: Ids,
    usable: frozenset[str],
) -> str | None:
    """Queue the automatic reply, in the same commit as the change that it confirms."""
    if not answer.reply or answer.keyword is None or not events:
        return None
    return reply_with(
        tx,
        answer.reply,
        keyword=answer.keyword.value,
        sender=home.sender,
        connection=first_route(home.sender, usable=usable),  # it has minutes: it does not wait for what is down
        answers=message,
        event=events[0].id,
        decision={"row": answer.row},
        now=now,
        due_at=now,
        expires_at=now + REPLY_LIFE,
        ids=ids,
    )


def _suggestion(
    tx: Tx,
    body: str,
    message: Message,
    match: Match | None,
    answer: Answer,
    home: Home,
    packs: Packs,
    now: datetime,
    ids: Ids,
) -> str | None:
    """Note for a person what looked like an opt-out, or a START that only the operator can honour. Blocks nothing."""
    if answer.start_refused:
        proposes, reason, confidence, evidence = "START", "start_refused", 1.0, tuple(c.holder for c in answer.changes)
    elif match is None:
        policy = home.service.policy if home.service else None
        found = score(body, policy=policy, country=country_of(message.recipient), packs=packs)
        if found is None:
            return None
        proposes, reason, confidence, evidence = found.proposes.value, found.reason, found.confidence, found.evidence
    else:
        return None
    review = Review(
        id=ids.sid("SG"),
        account=message.account,
        recipient=message.recipient,
        sender=message.sender or "",
        scope=home.holder,
        message=message.sid if answer.keep else None,
        body=body,
        proposes=proposes,
        reason=reason,
        confidence=confidence,
        evidence=evidence,
        created_at=now,
        due_at=now + REVIEW_TIME,
    )
    tx.suggestions.add([review])
    tx.tell("suggestion.made", **to_plain({"id": review.id, "proposes": proposes, "reason": reason}))
    return review.id


async def close_parts(world: World, *, window: timedelta = PARTS_WINDOW) -> int:
    """Take what will never be whole: a first part that is a STOP by itself still counts as one."""
    before = world.clock.now() - window
    firsts = await world.store.read(lambda tx: tx.inbound.overdue_parts(before), account="")
    for first in firsts:
        account = await world.store.account_of(first.sender)
        unit = partial(
            _close_part,
            first=first,
            packs=world.packs,
            now=world.clock.now(),
            ids=world.ids,
            public_url=world.choices.public_url,
            usable=world.carriers.usable(),
        )
        await world.store.write(unit, account=account or "", urgent=True)
    return len(firsts)


def _close_part(
    tx: Tx, *, first: Received, packs: Packs, now: datetime, ids: Ids, public_url: str, usable: frozenset[str]
) -> None:
    tx.inbound.drop_parts(first)
    if not tx.account or tx.services.directory().sender_at(first.sender) is None:
        return  # the number was given back meanwhile
    take_whole(
        tx,
        heard=first,
        body=first.body,
        packs=packs,
        now=now,
        ids=ids,
        public_url=public_url,
        usable=usable,
        partial_text=True,
    )
