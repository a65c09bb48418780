"""Look ahead: what a text would do, what a new policy would have done, and whether somebody may be written to.

Nothing is changed, nothing is sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from stopwire.core import optout
from stopwire.core.address import SenderKind, country_of, group_of, parse_recipient, parse_sender
from stopwire.core.consent import Block
from stopwire.core.events import inbound_params
from stopwire.core.keywords import Match, normalise
from stopwire.core.message import Direction, Message, Purpose, Status
from stopwire.core.packs import Packs
from stopwire.core.policy import OptOutPolicy
from stopwire.core.segments import count
from stopwire.core.senders import Directory, Home, Sender, Service, candidates, scopes_of
from stopwire.core.suggestions import Suggestion, score
from stopwire.ports.store import Tx
from stopwire.ports.world import World

SOMEBODY = "+14155550101"  # whose text it is where nobody is named: a number of fiction
NO_MESSAGE = "SM" + "0" * 32
REPLAYED_MAX = 10_000  # messages of one replay


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a text would do. `unknown`: no such service; `not_of_service`: `to` is no sender of it."""

    unknown: bool = False
    not_of_service: bool = False
    type: str | None = None
    matched: str | None = None
    matched_by: str | None = None
    rule: str | None = None
    language: str | None = None
    country: str | None = None
    effect: str = "none"
    reply: str | None = None
    webhook: dict[str, str] | None = None
    normalised: str = ""
    suggestion: dict[str, Any] | None = None
    handling: str = ""
    row: int = 0


async def hear(
    world: World,
    *,
    account: str,
    service: str,
    body: str,
    from_: str | None = None,
    to: str | None = None,
    policy: OptOutPolicy | None = None,
) -> Preview:
    """What `body` would do if `from_` sent it to `to`, a sender of `service`; under `policy` in place of the one in force.

    Without `from_` it is somebody who is not blocked; without `to` the service's first sender of that channel.
    """
    directory = await world.store.directory(account)
    found = directory.services.get(service)
    if found is None:
        return Preview(unknown=True)
    person = from_ or SOMEBODY
    sender = _receiver(directory, found, person, to, await _now(world))
    if sender is None:
        return Preview(not_of_service=True)
    home = Home(account=directory.account, sender=sender, service=replace(found, policy=policy) if policy else found)
    blocks: list[Block] = []
    if from_ is not None:
        group = group_of(person)
        blocks = await world.store.read(lambda tx: tx.consent.blocks_of(group, person), account=account)
    return _preview(body, person, home, optout.covering(home.scopes, blocks), world, now=await _now(world), named=from_ is not None)


async def _now(world: World) -> datetime:
    return world.clock.now()


def _receiver(directory: Directory, service: Service, person: str, to: str | None, now: datetime) -> Sender | None:
    if to is not None:
        sender = directory.senders.get(to) or directory.sender_at(parse_sender(to) or "")
        return sender if sender and sender.service == service.sid else None
    group = group_of(person)
    members = [s for s in directory.pool(service.sid) if s.group is group and s.kind is not SenderKind.ALPHANUMERIC]
    return members[0] if members else _stand_in(directory, service, person, now)


def _stand_in(directory: Directory, service: Service, person: str, now: datetime) -> Sender:
    """The sender that a service without any is thought to have."""
    whatsapp = person.startswith("whatsapp:")
    return Sender(
        sid="",
        account=directory.account.sid,
        address="",
        kind=SenderKind.WHATSAPP if whatsapp else SenderKind.LONG_CODE,
        country=country_of(person),
        friendly_name="",
        service=service.sid,
        created_at=now,
        updated_at=now,
    )


def _preview(body: str, person: str, home: Home, blocks: Sequence[Block], world: World, *, now: datetime, named: bool) -> Preview:
    match = optout.read(body, person, home, world.packs)
    answer = optout.answer(match, blocks, home, body)
    suggested = _suggested(body, person, match, home, world.packs)
    message = Message(
        sid=NO_MESSAGE,
        account=home.account.sid,
        direction=Direction.INBOUND,
        sender=home.sender.address,
        recipient=person,
        service=home.service.sid if home.service else None,
        body=body,
        status=Status.RECEIVED,
        segments=max(count(body).segments, 1),
        created_at=now,
        updated_at=now,
    )
    params = inbound_params(message, home, answer, (), public_url=world.choices.public_url) if answer.forward else None
    return Preview(
        type=answer.keyword.value if answer.keyword else None,
        matched=match.word if match else None,
        matched_by=match.matched_by if match else None,
        rule=match.rule if match else None,
        language=match.language if match else None,
        country=(match.country if match else None) or (country_of(person) if named else None),
        effect=answer.effect,
        reply=answer.reply,
        webhook=params,
        normalised=normalise(body),
        suggestion=suggested,
        handling=optout.handling(home).value,
        row=answer.row,
    )


def _suggested(body: str, person: str, match: Match | None, home: Home, packs: Packs) -> dict[str, Any] | None:
    if match is not None:
        return None
    policy = home.service.policy if home.service else None
    found: Suggestion | None = score(body, policy=policy, country=country_of(person), packs=packs)
    if found is None:
        return None
    return {
        "proposes": found.proposes.value,
        "reason": found.reason,
        "confidence": found.confidence,
        "evidence": list(found.evidence),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A logged text that another policy would have taken otherwise."""

    message: str
    at: datetime
    recipient: str
    sender: str
    body: str
    before: str | None  # the keyword it was
    after: str | None  # the keyword it would be
    word: str | None
    reply: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A dry run: how many texts were read, and those whose meaning changes. `complete` is false where there were more."""

    unknown: bool = False
    messages: int = 0
    complete: bool = True
    changed: tuple[Changed, ...] = ()


async def replay(world: World, *, account: str, service: str, policy: OptOutPolicy, since: datetime) -> Replayed:
    """What the texts logged since `since` would have been under `policy`. Standings are not replayed, only meanings."""
    directory = await world.store.directory(account)
    found = directory.services.get(service)
    if found is None:
        return Replayed(unknown=True)
    logged = await world.store.read(
        lambda tx: tx.messages.inbound_since(service, since, REPLAYED_MAX + 1), account=account
    )
    texts = logged[:REPLAYED_MAX]
    new = replace(found, policy=policy)
    changed = []
    for message in texts:
        sender = directory.sender_at(message.sender or "")
        if sender is None:
            continue  # sold since; it will not receive under any policy
        home = Home(account=directory.account, sender=sender, service=new)
        match = optout.read(message.body, message.recipient, home, world.packs)
        before = message.decision.get("keyword")
        after = match.keyword.value if match else None
        if before != after:
            changed.append(
                Changed(
                    message=message.sid,
                    at=message.created_at,
                    recipient=message.recipient,
                    sender=sender.address,
                    body=message.body,
                    before=before,
                    after=after,
                    word=match.word if match else message.decision.get("word"),
                    reply=match.reply if match else None,
                )
            )
    return Replayed(messages=len(texts), complete=len(logged) <= REPLAYED_MAX, changed=tuple(changed))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May somebody be written to, from one sender or through one service?"""

    to: str
    from_: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The answer: `because` is the block that forbids it. `error`: the question has no answer, in a sentence."""

    blocked: bool = False
    because: Block | None = None
    error: str | None = None


async def check(world: World, *, account: str, questions: Sequence[Question]) -> list[Checked]:
    """Answer each question, in the order asked, from one view of the store."""
    return await world.store.read(partial(_check, questions=questions), account=account)


def _check(tx: Tx, *, questions: Sequence[Question]) -> list[Checked]:
    directory = tx.services.directory()
    by_address = {sender.address: sender for sender in directory.senders.values()}
    people = {question.to: parse_recipient(question.to) for question in questions}
    blocks = tx.consent.blocks_of_many(list({person for person in people.values() if person}))
    return [_checked(question, people[question.to], blocks, directory, by_address) for question in questions]


def _checked(
    question: Question,
    person: str | None,
    blocks: Mapping[str, Sequence[Block]],
    directory: Directory,
    by_address: Mapping[str, Sender],
) -> Checked:
    if person is None:
        return Checked(error="`to` is no phone number: write it like +14155550101.")
    if not question.from_ and not question.service:
        return Checked(error="Who would send? Give `from` or `service`.")
    service = directory.services.get(question.service) if question.service else None
    if question.service and service is None:
        return Checked(error="There is no such messaging service in this account.")
    sender = None
    if question.from_:
        sender = directory.senders.get(question.from_) or by_address.get(parse_sender(question.from_) or "")
        if sender is None:
            return Checked(error="`from` is no sender of this account.")
    group = group_of(person)
    held = [block for block in blocks.get(person, ()) if block.group is group]
    block = _forbidding(person, sender, service, directory, held)
    return Checked(blocked=block is not None, because=block)


def _forbidding(
    person: str, sender: Sender | None, service: Service | None, directory: Directory, blocks: Sequence[Block]
) -> Block | None:
    """The block that a send would meet; through a service every sender that could speak must be closed."""
    account = directory.account.sid
    if sender is not None:
        return optout.may_send(scopes_of(sender, service.sid if service else None, account), blocks, Purpose.MESSAGE)
    if service is None:
        return optout.may_send((account,), blocks, Purpose.MESSAGE)
    if block := optout.may_send((service.sid, account), blocks, Purpose.MESSAGE):
        return block
    able = candidates(directory.pool(service.sid), person, service=service, media=False)
    found = [optout.may_send(scopes_of(s, service.sid, account), blocks, Purpose.MESSAGE) for s in able]
    return found[0] if found and all(found) else None
