"""Take inbound messages: keyword, consent, purge, reply, webhook, in one commit.

When `receive` returns, the carrier may be told that we have it, and nothing more of a closed scope
leaves for that person. If it raises, nothing happened and the carrier must bring the text again.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from stopwire import metrics
from stopwire.core import optout
from stopwire.core.address import country_of, group_of, parse_recipient
from stopwire.core.bound import inbound_delivery
from stopwire.core.connections import OptOutBy
from stopwire.core.consent import Act, Block, ConsentEvent
from stopwire.core.events import inbound_event
from stopwire.core.jobs import Delivery, Review
from stopwire.core.keywords import Match
from stopwire.core.message import Direction, Media, Message, Status
from stopwire.core.optout import Answer, Change
from stopwire.core.outcomes import Received
from stopwire.core.packs import Packs
from stopwire.core.policy import Keyword
from stopwire.core.routing import first_route
from stopwire.core.segments import count
from stopwire.core.senders import Directory, Home
from stopwire.core.suggestions import score
from stopwire.flows.moves import REPLY_LIFE, purge, quiet, reply_with, unsay
from stopwire.ports.store import Haste, Seen, Tx
from stopwire.ports.values import to_plain
from stopwire.ports.world import Ids, World

REPEAT_WINDOW = timedelta(seconds=4)  # the same bytes within it are a carrier's repeat, where it gives no reference
REFERENCE_WINDOW = timedelta(hours=48)  # how long a carrier's reference names one message
PARTS_WINDOW = timedelta(hours=24)  # how long a long text may take to be whole
REVIEW_TIME = timedelta(days=14)  # ten business days: 47 CFR 64.1200(a)(10)


class UnknownSender(Exception):
    """An inbound text for an address that no account has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of an inbound text. `under_way`: attempts already written that a STOP waits for.

    Without an account nobody here has the address that it was written to.
    """

    message: str | None = None
    account: str = ""
    repeated: bool = False
    waiting_for_parts: bool = False
    under_way: tuple[str, ...] = ()
    keyword: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What is the same for all texts of one unit."""

    packs: Packs
    now: datetime
    ids: Ids
    public_url: str
    usable: frozenset[str]  # connections that take messages now


@dataclass(slots=True, kw_only=True)
class Pile:
    """What texts leave to be written: each kind goes to the disk at once, in the order of the texts."""

    deliveries: list[Seen] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    media: list[Media] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    webhooks: list[Delivery] = field(default_factory=list)

    def write(self, tx: Tx, connection: str) -> None:
        tx.inbound.remember(connection, self.deliveries)
        tx.messages.add(self.messages)
        tx.messages.add_media(self.media)
        tx.suggestions.add(self.reviews)
        tx.webhooks.add(self.webhooks)
        if self.webhooks:
            tx.wake("notify")


async def receive(world: World, *, heard: Received) -> Taken:
    """Take one inbound message. When this returns, the carrier may be told that we have it."""
    (taken,) = await keep(world, heard=[heard])
    if not taken.account:
        raise UnknownSender(heard.sender)
    await settle(world, heard=heard, taken=taken)
    return taken


async def keep(world: World, *, heard: Sequence[Received]) -> list[Taken]:
    """Put inbound messages on the disk, in one commit. None may be acknowledged before it is settled, too."""
    texts = [replace(one, recipient=_person(one.recipient)) if one.recipient.startswith("rcs:") else one for one in heard]
    owners = [await world.store.account_of(one.sender) or "" for one in texts]
    desk = desk_of(world)
    people = tuple(dict.fromkeys(one.recipient for one in texts))
    unit = partial(take, heard=texts, owners=owners, desk=desk)
    return await world.store.write(unit, account="", lock=people, haste=Haste.URGENT)


async def settle(world: World, *, heard: Received, taken: Taken) -> None:
    """Wait until nothing is on its way any more that a kept text forbids."""
    if not taken.repeated and not taken.waiting_for_parts:
        metrics.received(taken.keyword)
    await quiet(world, account=taken.account, recipient=_person(heard.recipient), under_way=taken.under_way)


def desk_of(world: World) -> Desk:
    return Desk(
        packs=world.packs,
        now=world.clock.now(),
        ids=world.ids,
        public_url=world.choices.public_url,
        usable=world.carriers.usable(),
    )


def _person(recipient: str) -> str:
    """Who writes. Consent is the number's: a STOP by RCS must hold for SMS too."""
    return (parse_recipient(recipient) or recipient) if recipient.startswith("rcs:") else recipient


def take(tx: Tx, *, heard: Sequence[Received], owners: Sequence[str], desk: Desk) -> list[Taken]:
    """Take texts for the accounts that own the addresses they were written to, in their order."""
    taken = [Taken()] * len(heard)
    for places in _runs(heard):
        alike: dict[tuple[str, str], list[int]] = {}
        for n in places:
            alike.setdefault((owners[n], heard[n].connection), []).append(n)
        for (owner, _), some in alike.items():
            if owner:
                for n, each in zip(some, _take_run(tx.of(owner), [heard[n] for n in some], desk), strict=True):
                    taken[n] = each
    return taken


def _runs(heard: Sequence[Received]) -> Iterator[list[int]]:
    """The places of texts, in runs in which none can change what another means: nobody writes twice in one, and no
    carrier's reference comes twice.
    """
    run: list[int] = []
    met: set[str | None] = set()
    for n, one in enumerate(heard):
        if one.recipient in met or one.reference in met:
            yield run
            run, met = [], set()
        run.append(n)
        met |= {one.recipient, one.reference} - {None}
    yield run


def _take_run(tx: Tx, run: Sequence[Received], desk: Desk) -> list[Taken]:
    """Take texts of one account and connection that do not depend on each other: what all of them need is read at once,
    and what they leave is written at once.
    """
    directory = tx.services.directory()
    deliveries = [_delivery(one, desk.now) for one in run]
    seen = tx.inbound.seen(run[0].connection, [each.reference for each in deliveries])
    blocks = tx.consent.blocks_of_many([one.recipient for one in run])
    pile = Pile()
    taken = [
        _take_one(tx, one, delivery, seen.get(delivery.reference), blocks[one.recipient], directory, pile, desk)
        for one, delivery in zip(run, deliveries, strict=True)
    ]
    pile.write(tx, run[0].connection)
    return taken


def _take_one(
    tx: Tx,
    heard: Received,
    delivery: Seen,
    before: Seen | None,
    blocks: Sequence[Block],
    directory: Directory,
    pile: Pile,
    desk: Desk,
) -> Taken:
    if before is not None and _is_repeat(tx, heard, delivery, before):
        # The first copy may still be waiting for answers: this one is not acknowledged before they are there either.
        under_way = purge(tx, heard.recipient, now=desk.now, ids=desk.ids)
        return Taken(message=before.message, account=tx.account, repeated=True, under_way=under_way)
    body = heard.body
    if heard.parts > 1:
        tx.inbound.add_part(heard, desk.now)
        joined = tx.inbound.joined(heard)
        if joined is None:
            pile.deliveries.append(delivery)
            return Taken(account=tx.account, waiting_for_parts=True)
        tx.inbound.drop_parts(heard)
        body = joined
    taken = _take_whole(tx, heard, body, blocks, directory, pile, desk)
    pile.deliveries.append(replace(delivery, message=taken.message))
    return taken


def _take_whole(
    tx: Tx,
    heard: Received,
    body: str,
    blocks: Sequence[Block],
    directory: Directory,
    pile: Pile,
    desk: Desk,
    *,
    partial_text: bool = False,
) -> Taken:
    """Take a text that is complete (or, with `partial_text`, all of it that will ever come)."""
    now, ids = desk.now, desk.ids
    sender = directory.sender_at(heard.sender)
    assert sender is not None, "the owner of the address was found a moment ago"
    home = directory.home(sender)
    match = optout.read(body, heard.recipient, home, desk.packs)
    if partial_text and not (match and match.keyword is Keyword.STOP and heard.part == 1):
        match = None  # only a STOP is so sure of itself that the rest of the text does not matter
    blocks = optout.covering(home.scopes, blocks)
    late = _is_late_start(tx, match, heard, home)
    answer = _ignored_start(home) if late else optout.answer(match, blocks, home, body)

    decision = _decision(heard, home, answer, match)
    if partial_text:
        decision["partial"] = True
    message = _message(heard, body, home, decision, now, ids)
    media = [
        Media(sid=ids.sid("ME"), message=message.sid, content_type=m.content_type, bytes_=m.data, created_at=now)
        for m in heard.media
    ]
    events = _events(tx, heard, body, message, match, answer, home, now, ids)
    tx.consent.append(events)
    under_way = purge(tx, heard.recipient, now=now, ids=ids) if answer.keyword is Keyword.STOP else ()
    if answer.effect == "lift":
        unsay(tx, [heard.recipient], now=now, ids=ids)
    reply = None if answer.reply and _answered(tx, heard) else _reply(tx, answer, events, message, home, desk)
    review = _review(body, message, match, answer, home, desk)
    if review is not None:
        pile.reviews.append(review)
        tx.tell("suggestion.made", **to_plain({"id": review.id, "proposes": review.proposes, "reason": review.reason}))
    if answer.keep:
        decision |= {"events": [e.id for e in events], "reply": reply, "suggestion": review.id if review else None}
        pile.messages.append(message)
        pile.media += media
    token = ids.uuid()
    for told_by in (inbound_event, inbound_delivery):
        told = told_by(message, home, answer, media, id=ids.sid("WD"), token=token, now=now, public_url=desk.public_url)
        if told is not None:
            pile.webhooks.append(told)
    keyword = answer.keyword.value if answer.keyword else None
    tx.tell(
        "message.received",
        sid=message.sid,
        from_=heard.recipient,
        to=heard.sender,
        keyword=keyword,
        effect=answer.effect,
    )
    return Taken(message=message.sid if answer.keep else None, account=tx.account, under_way=under_way, keyword=keyword)


def _is_repeat(tx: Tx, heard: Received, delivery: Seen, before: Seen) -> bool:
    """Whether what came before under the same reference is this same delivery."""
    if heard.reference is not None:
        return delivery.at - before.at <= REFERENCE_WINDOW
    # Another text in between, of theirs or of ours, makes two true messages of it: STOP, START, STOP are three.
    if before.said != delivery.said or delivery.at - before.at > REPEAT_WINDOW:
        return False
    last = tx.messages.last_outbound(heard.recipient)
    return last is None or last.created_at <= before.at


def _delivery(heard: Received, now: datetime) -> Seen:
    """What a delivery is known by: the carrier's reference; without one, who wrote to whom. Of a part, all of it."""
    if heard.reference is not None:
        return Seen(reference=heard.reference, message=None, at=now)
    pictures = [hashlib.sha256(medium.data).hexdigest() for medium in heard.media]
    said = _digest(heard.sender, heard.recipient, heard.body, heard.part_reference, heard.part, heard.parts, pictures)
    if heard.parts > 1:
        return Seen(reference="~" + said, message=None, at=now)
    return Seen(reference="^" + _digest(heard.sender, heard.recipient), message=None, at=now, said=said)


def _digest(*facts: object) -> str:
    return hashlib.sha256(repr(facts).encode("utf-8", "surrogatepass")).hexdigest()


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


def _decision(heard: Received, home: Home, answer: Answer, match: Match | None) -> dict[str, object]:
    return {
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


def _message(
    heard: Received, body: str, home: Home, decision: dict[str, object], now: datetime, ids: Ids
) -> Message:
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
    desk: Desk,
) -> str | None:
    """Queue the automatic reply, in the same commit as the change that it confirms."""
    if not answer.reply or answer.keyword is None or not events:
        return None
    return reply_with(
        tx,
        answer.reply,
        keyword=answer.keyword.value,
        sender=home.sender,
        connection=first_route(home.sender, usable=desk.usable),  # it has minutes: it does not wait for what is down
        answers=message,
        event=events[0].id,
        decision={"row": answer.row},
        now=desk.now,
        due_at=desk.now,
        expires_at=desk.now + REPLY_LIFE,
        ids=desk.ids,
    )


def _review(
    body: str, message: Message, match: Match | None, answer: Answer, home: Home, desk: Desk
) -> Review | None:
    """What looked like an opt-out, or a START that only the operator can honour, for a person to look at. Blocks nothing."""
    if answer.start_refused:
        proposes, reason, confidence, evidence = "START", "start_refused", 1.0, tuple(c.holder for c in answer.changes)
    elif match is None:
        policy = home.service.policy if home.service else None
        found = score(body, policy=policy, country=country_of(message.recipient), packs=desk.packs)
        if found is None:
            return None
        proposes, reason, confidence, evidence = found.proposes.value, found.reason, found.confidence, found.evidence
    else:
        return None
    return Review(
        id=desk.ids.sid("SG"),
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
        created_at=desk.now,
        due_at=desk.now + REVIEW_TIME,
    )


async def close_parts(world: World, *, window: timedelta = PARTS_WINDOW) -> int:
    """Take what will never be whole: a first part that is a STOP by itself still counts as one."""
    before = world.clock.now() - window
    firsts = await world.store.read(lambda tx: tx.inbound.overdue_parts(before), account="")
    for first in firsts:
        account = await world.store.account_of(first.sender)
        unit = partial(_close_part, first=first, desk=desk_of(world))
        await world.store.write(unit, account=account or "", haste=Haste.URGENT)
    return len(firsts)


def _close_part(tx: Tx, *, first: Received, desk: Desk) -> None:
    tx.inbound.drop_parts(first)
    directory = tx.services.directory() if tx.account else None
    if directory is None or directory.sender_at(first.sender) is None:
        return  # the number was given back meanwhile
    pile = Pile()
    blocks = tx.consent.blocks_of(group_of(first.recipient), first.recipient)
    taken = _take_whole(tx, first, first.body, blocks, directory, pile, desk, partial_text=True)
    pile.deliveries.append(replace(_delivery(first, desk.now), message=taken.message))
    pile.write(tx, first.connection)
