"""Steps that several journeys share: how a message ends or moves on, who is told, by what name a token's use is noted.

No journey of its own: plain functions, most of a transaction, walked inside somebody's unit; `quiet` alone waits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from stopwire import metrics
from stopwire.core import loops, receipts
from stopwire.core.address import SenderKind, country_of, group_of, kind_of, national_format, parse_recipient
from stopwire.core.bound import receipt_delivery
from stopwire.core.connections import OF_SEGMENTS, TELL_NETWORK_BLOCKS
from stopwire.core.consent import CLOSES, OPENS, Act, Block, ConsentEvent, Reason
from stopwire.core.events import status_event
from stopwire.core.jobs import Attempt, Job
from stopwire.core.message import Direction, Message, Purpose, Status, advance, retained
from stopwire.core.optout import may_send
from stopwire.core.outcomes import DeliveryReport, Part, hint_of
from stopwire.core.receipts import Segment
from stopwire.core.segments import count
from stopwire.core.senders import Directory, Sender, Service, candidates, scopes_of, select
from stopwire.ports.store import Haste, Tx
from stopwire.ports.world import Ids, World

PREFIXES = {
    SenderKind.SHORT_CODE: "SC",
    SenderKind.ALPHANUMERIC: "AI",
    SenderKind.WHATSAPP: "XE",
    SenderKind.RCS: "XE",
}  # of SIDs; numbers are PN

REPLY_LIFE = timedelta(minutes=5)  # 47 CFR 64.1200(a)(12): a confirmation belongs within five minutes
OPTED_OUT = 21610
NETWORK_BLOCK = 30004  # how a send past the toll-free network's own block ends


def segments_of(body: str, mms: bool) -> int:
    """Twilio's NumSegments: an MMS is one."""
    return 1 if mms else count(body).segments


def end(tx: Tx, message: Message, status: Status, code: int | None, *, now: datetime, ids: Ids) -> None:
    """End a message that will not be delivered. A keyword reply ends in silence: it is no Message resource."""
    tx.jobs.remove([message.sid])
    ended = replace(message, status=advance(message.status, status), error_code=code, updated_at=now)
    if ended.status is message.status:
        return
    tx.messages.move([message.sid], ended.status, now=now, error_code=code)
    tell_status(tx, ended, now, ids)
    forget(tx, ended)


def accepted(tx: Tx, message: Message, *, now: datetime, ids: Ids) -> Message:
    """The carrier has it. Answers the message as it now is."""
    tx.jobs.remove([message.sid])
    moved = replace(message, status=advance(message.status, Status.SENT), sent_at=now, updated_at=now)
    if moved.status is not message.status:
        tx.messages.move([message.sid], moved.status, now=now, sent=True)
        tell_status(tx, moved, now, ids)
    return moved


def reported(tx: Tx, message: Message, status: Status, code: int | None, *, now: datetime, ids: Ids) -> Message:
    """Apply a delivery report: forward only. Answers the message as it now is."""
    moved = replace(message, status=advance(message.status, status), error_code=code, updated_at=now)
    if moved.status is message.status:
        return message
    tx.messages.move([message.sid], moved.status, now=now, error_code=code)
    tell_status(tx, moved, now, ids)
    return forget(tx, moved)


def segments_named(part: Part, references: Sequence[str], now: datetime) -> list[Segment]:
    """Under which id a carrier will report each segment of a part; one in one segment has its attempt's."""
    return [
        Segment(
            attempt=part.attempt,
            account=part.account,
            connection=part.connection,
            number=number,
            total=len(references),
            reference=reference,
            form=receipts.canonical(reference),
            sender=part.sender,
            recipient=part.recipient,
            created_at=now,
        )
        for number, reference in enumerate(references, start=1)
        if reference
    ]


def take_segments(
    tx: Tx, attempt: Attempt, message: Message, references: Sequence[str], *, now: datetime, ids: Ids
) -> None:
    """Keep under which id a carrier reports each segment, and take the reports that came before this answer."""
    part = Part(
        attempt=attempt.id,
        message=message.sid,
        account=attempt.account,
        connection=attempt.connection,
        sender=message.sender or "",
        recipient=message.recipient,
        body="",
    )
    segments = segments_named(part, references, now)
    if len(segments) > 1:
        tx.jobs.add_segments(segments)
    for segment in segments:
        other = (receipts.to_decimal(segment.form), receipts.to_hex(segment.form))
        early = tx.jobs.take_orphans(attempt.connection, segment.form)
        for form in filter(None, other):
            early += [r for r in tx.jobs.take_orphans(attempt.connection, form) if r.recipient and _fits(segment, r)]
        for report in early:
            message = report_segment(tx, segment, message, report, now=now, ids=ids)
            learn_from(tx, message, report, now=now, ids=ids)


def proven(tx: Tx, attempt: Attempt, message: Message, *, now: datetime, ids: Ids) -> bool:
    """Whether a report that came early shows that an attempt left whose answer never came; then it counts as accepted."""
    found = [
        report
        for report in tx.jobs.orphans_of(attempt.connection, message.recipient)
        if receipts.agrees(message.sender or "", message.recipient, report) and (report.at is None or report.at >= attempt.at)
    ]
    mine = [report for report in found if report.hint == hint_of(attempt.id)]
    if not mine:
        others = tx.jobs.of_recipient(message.recipient, states=("written", "unknown"))
        if len({report.reference for report in found}) != 1 or found[0].hint is not None or any(job.message != message.sid for job in others):
            return False  # more than one message may be meant
    _report_early(tx, adopt(tx, attempt, message, (mine or found)[0], now=now, ids=ids), message, now=now, ids=ids)
    for report in mine[1:]:
        segment = sibling(tx, report, now)
        if segment is None:
            break
        _report_early(tx, segment, message, now=now, ids=ids)
    return True


def _report_early(tx: Tx, segment: Segment, message: Message, *, now: datetime, ids: Ids) -> None:
    """Apply the reports on `segment` that came before it was known."""
    forms = dict.fromkeys((segment.form, segment.reference))  # as it is kept of segments, and of the whole
    for report in [one for form in forms for one in tx.jobs.take_orphans(segment.connection, form)]:
        seen = tx.messages.get(message.sid, any_purpose=True)
        if seen is not None:
            report_segment(tx, segment, seen, report, now=now, ids=ids)
            learn_from(tx, seen, report, now=now, ids=ids)


def adopt(tx: Tx, attempt: Attempt, message: Message, report: DeliveryReport, *, now: datetime, ids: Ids) -> Segment:
    """Take an attempt without an answer as accepted, under the id that a report on it has."""
    told = "its receipt came, its answer never did"
    tx.jobs.answer_attempt(attempt.id, "accepted", now, reference=report.reference, detail=told)
    accepted(tx, message, now=now, ids=ids)
    sealed = tx.connections.find(attempt.connection)
    on_the_whole = sealed is not None and sealed.connection.type not in OF_SEGMENTS
    segment = Segment(
        attempt=attempt.id,
        account=attempt.account,
        connection=attempt.connection,
        number=1,
        total=1 if on_the_whole else max(message.segments, 1),
        reference=report.reference,
        form=receipts.canonical(report.reference),
        sender=message.sender or "",
        recipient=message.recipient,
        created_at=now,
    )
    if segment.total > 1:
        form = receipts.unnamed(hint_of(attempt.id), message.recipient)
        others = [replace(segment, number=number, reference="", form=form) for number in range(2, segment.total + 1)]
        tx.jobs.add_segments([segment, *others])
    return segment


def sibling(tx: Tx, report: DeliveryReport, now: datetime) -> Segment | None:
    """The next segment without an id, under the id of `report`, of the attempt whose name it hands back: one report proved that it left."""
    if report.hint is None or not report.recipient:
        return None
    form = receipts.unnamed(report.hint, report.recipient)
    found = tx.jobs.segments_named(report.connection, [form], now - receipts.REPORTED_WITHIN)
    if len({segment.attempt for segment in found if _fits(segment, report)}) != 1:
        return None  # 16 bits come round again
    first = min(found, key=lambda segment: segment.number)
    return replace(first, reference=report.reference, form=receipts.canonical(report.reference))


def _fits(segment: Segment, report: DeliveryReport) -> bool:
    return receipts.agrees(segment.sender, segment.recipient, report)


def report_segment(
    tx: Tx, segment: Segment, message: Message, report: DeliveryReport, *, now: datetime, ids: Ids
) -> Message:
    """Apply a report on one segment: the message is what the worst of its segments is. Answers it as it now is.

    How far the segment has come is read here: of several reports on it, each finds what the one before has made of it.
    """
    if segment.total == 1:
        return reported(tx, message, report.status, report.error_code, now=now, ids=ids)
    known = {each.number: each.status for each in tx.jobs.segments_of(segment.attempt)}
    status = advance(known.get(segment.number) or Status.SENT, report.status)
    tx.jobs.report_segment(segment, status, report.error_code, now)
    result = receipts.whole(tx.jobs.segments_of(segment.attempt), segment.total)
    return message if result is None else reported(tx, message, result[0], result[1], now=now, ids=ids)


def learn_from(tx: Tx, message: Message, report: DeliveryReport, *, now: datetime, ids: Ids) -> None:
    """Learn from a delivery report that the person has opted out upstream: some carriers say so only there."""
    if report.status not in (Status.UNDELIVERED, Status.FAILED):
        return
    sender = tx.services.directory().sender_at(message.sender or "")
    toll_free = sender is not None and sender.kind is SenderKind.TOLL_FREE
    if report.error_code == OPTED_OUT:
        learn(tx, message, now=now, ids=ids, reference=report.reference, detail="the carrier reports an opt-out")
    elif report.error_code == NETWORK_BLOCK and toll_free and _tells_network_blocks(tx, report.connection):
        learn(tx, message, now=now, ids=ids, reference=report.reference, detail="the toll-free network blocks this pair")


def _tells_network_blocks(tx: Tx, connection: str) -> bool:
    """Whether 30004 is the network's own word there. Elsewhere it is ours, for one of many reasons not to deliver."""
    sealed = tx.connections.find(connection)  # the simulator is built in, and stands in no row
    return (sealed.connection.type if sealed else connection) in TELL_NETWORK_BLOCKS


def forget(tx: Tx, message: Message) -> Message:
    """Erase what a final message may not keep, once everybody has been told. Answers the message as it now is."""
    kept = retained(message)
    if kept is not message:
        tx.messages.save(kept)
    return kept


def learn(tx: Tx, message: Message, *, now: datetime, ids: Ids, reference: str | None, detail: str | None) -> None:
    """A carrier says that the person opted out there: from now on it is a block of ours, reason `carrier`.

    What waits for the person ends here; what is under way learns it from the same carrier.
    """
    directory = tx.services.directory()
    sender = directory.sender_at(message.sender or "")
    if sender is None or parse_recipient(message.recipient) is None:
        return  # the number was given back, or the person's address was erased (AddressRetention)
    holder = directory.home(sender).holder
    group = group_of(message.recipient)
    if tx.consent.block(holder, group, message.recipient):
        return
    tx.consent.append(
        [
            ConsentEvent(
                id=ids.sid("CE"),
                holder=holder,
                group=group,
                recipient=message.recipient,
                act=Act.BLOCK,
                reason=Reason.CARRIER,
                actor=f"carrier:{sender.connection}",
                occurred_at=now,
                recorded_at=now,
                previous=message.sid,
                reference=reference,
                note=detail,
            )
        ]
    )
    tx.tell("consent.block", recipient=message.recipient, holder=holder, reason="carrier")
    purge(tx, message.recipient, now=now, ids=ids)


def tell_status(tx: Tx, message: Message, now: datetime, ids: Ids) -> None:
    """Queue the status callback of a message that has just entered its status, and show it on the live tail."""
    if message.purpose is Purpose.KEYWORD_REPLY:
        return
    tx.tell("message.status", sid=message.sid, to=message.recipient, status=message.status.value, code=message.error_code)
    if not (message.status_callback or message.options):
        return  # nobody asked: most messages
    told = (
        status_event(message, id=ids.sid("WD"), token=ids.uuid(), now=now),
        receipt_delivery(message, id=ids.sid("WD"), token=ids.uuid(), now=now),
    )
    if events := [event for event in told if event]:
        tx.webhooks.add(events)
        tx.wake("notify")


def shut(tx: Tx, events: Sequence[ConsentEvent], *, now: datetime, ids: Ids) -> tuple[str, ...]:
    """Write rows of the ledger that no text made; end what they forbid. Answers the attempts that `quiet` waits for."""
    for event in events:
        tx.tell(f"consent.{event.act}", recipient=event.recipient, holder=event.holder, reason=event.reason, id=event.id)
    return tuple(attempt for attempts in shut_each(tx, events, now=now, ids=ids).values() for attempt in attempts)


def shut_each(tx: Tx, events: Sequence[ConsentEvent], *, now: datetime, ids: Ids) -> dict[str, tuple[str, ...]]:
    """`shut`, which answers the attempts of each recipient that has some, and leaves the telling to who has a whole list."""
    tx.consent.append(events)
    unsay(tx, list(dict.fromkeys(event.recipient for event in events if event.act in OPENS)), now=now, ids=ids)
    closed = list(dict.fromkeys(event.recipient for event in events if event.act in CLOSES))
    ended = {recipient: purge(tx, recipient, now=now, ids=ids) for recipient in tx.jobs.awaiting(closed)}
    return {recipient: attempts for recipient, attempts in ended.items() if attempts}


def lift_of(
    block: Block, *, actor: str, note: str | None, now: datetime, ids: Ids, previous: str | None = None, source: str | None = None
) -> ConsentEvent:
    """The event that lifts a block where it stands, whatever made it."""
    return ConsentEvent(
        id=ids.sid("CE"),
        holder=block.holder,
        group=block.group,
        recipient=block.recipient,
        act=Act.LIFT,
        reason=block.reason,
        actor=actor,
        occurred_at=now,
        recorded_at=now,
        previous=previous,
        source=source,
        note=note,
    )


def reply_with(
    tx: Tx,
    text: str,
    *,
    keyword: str,
    sender: Sender,
    connection: str,
    answers: Message,
    event: str,
    decision: Mapping[str, object],
    now: datetime,
    due_at: datetime,
    expires_at: datetime,
    ids: Ids,
) -> str | None:
    """Queue an automatic reply, in the commit of the change that it confirms. Its SID; None where a fence holds it back."""
    recipient = answers.recipient
    recent = tx.replies.recent(sender.address, recipient, now - loops.RECENT_WINDOW)
    of_kind = [at for kind, _, at in recent if kind == keyword]
    open_ = loops.may_answer(kind=keyword, recent=of_kind, now=now) and loops.may_answer(
        kind="ANY", recent=[at for _, _, at in recent], now=now
    )
    ours = tx.services.account_of(recipient) is not None
    if ours or not open_ or loops.echoes(answers.body, [said for _, said, _ in recent]):
        tx.tell("loop.suspected", recipient=recipient, sender=sender.address)
        return None
    reply = Message(
        sid=ids.sid("SM"),
        account=answers.account,
        direction=Direction.REPLY,
        purpose=Purpose.KEYWORD_REPLY,
        sender=sender.address,
        recipient=recipient,
        service=None,
        body=text,
        status=Status.QUEUED,
        segments=count(text).segments,
        expires_at=expires_at,
        created_at=now,
        updated_at=now,
        decision={"answers": answers.sid, **decision},
    )
    tx.messages.add([reply])
    tx.replies.add(reply.sid, event, keyword, sender.address, recipient, text, now)
    job = Job(
        message=reply.sid,
        account=reply.account,
        connection=connection,
        sender=sender.sid,
        service=None,
        recipient=recipient,
        purpose=Purpose.KEYWORD_REPLY,
        due_at=due_at,
        expires_at=expires_at,
    )
    tx.jobs.add([job])
    tx.wake("dispatch")
    return reply.sid


def unsay(tx: Tx, recipients: Sequence[str], *, now: datetime, ids: Ids) -> None:
    """Take back confirmations that still wait out their undo: the blocks that they confirm are lifted."""
    for recipient in tx.jobs.awaiting(recipients):
        for job in tx.jobs.of_recipient(recipient, states=("queued",)):
            if job.purpose is not Purpose.KEYWORD_REPLY or job.due_at <= now:
                continue
            reply = tx.messages.get(job.message, any_purpose=True)
            if reply is not None and reply.decision.get("review"):
                end(tx, reply, Status.CANCELED, None, now=now, ids=ids)


async def quiet(world: World, *, account: str, recipient: str, under_way: Sequence[str]) -> None:
    """Wait for the answers of attempts already written, and mark those that have none: then a block may be acknowledged."""
    if not under_way:
        return
    world.carriers.halt(under_way)
    wait = world.choices.stop_wait_seconds
    raced = await world.store.drained(account, recipient, under_way, seconds=wait)
    if raced:
        await world.store.write(lambda tx: tx.jobs.race(raced), account=account, haste=Haste.URGENT)
        metrics.stop_raced(len(raced))


def purge(tx: Tx, recipient: str, *, now: datetime, ids: Ids) -> tuple[str, ...]:
    """End what may no longer leave for this person. Answers the attempts already written, which nobody can take back."""
    jobs = tx.jobs.of_recipient(recipient, states=("queued", "written"))
    if not jobs:
        return ()
    directory = tx.services.directory()
    group = group_of(recipient)
    blocks = [b for b in tx.consent.blocks_of(group, recipient) if b.group is group]
    under_way = []
    for job in jobs:
        if not _forbidden(job, directory.senders, directory.pool(job.service) if job.service else [], blocks):
            continue
        if job.state == "written":
            under_way.append(job.attempt or "")
            continue
        message = tx.messages.get(job.message)
        if message is None:
            tx.jobs.remove([job.message])
            continue
        ended = Status.CANCELED if message.status is Status.SCHEDULED else Status.FAILED
        end(tx, message, ended, 21610, now=now, ids=ids)
    return tuple(under_way)


def speaker(
    tx: Tx,
    directory: Directory,
    service: Service,
    recipient: str,
    *,
    blocks: Sequence[Block],
    media: bool,
    ids: Ids,
    stick: bool = True,
) -> tuple[Sender | None, Block | None]:
    """Who speaks for `service`, or the block that forbids it; neither where no sender of its pool reaches the recipient.

    A block of the service or the account forbids; a sender with a block of its own is passed over.
    """
    account = directory.account.sid
    if block := may_send((service.sid, account), blocks, Purpose.MESSAGE):
        return None, block
    pool = directory.pool(service.sid)
    free = [s for s in pool if may_send(scopes_of(s, service.sid, account), blocks, Purpose.MESSAGE) is None]
    known = tx.services.sticky(service.sid, recipient) if service.sticky_sender else None
    chosen = select(candidates(free, recipient, service=service, media=media, sticky=known), ids.turn)
    if chosen is None:
        passed_over = candidates(pool, recipient, service=service, media=media)
        holders = [holder for s in passed_over for holder in scopes_of(s, service.sid, account)]
        return None, may_send(holders, blocks, Purpose.MESSAGE)
    if stick and service.sticky_sender and chosen.sid != known:
        tx.services.stick(service.sid, recipient, chosen.sid)
    return chosen, None


def new_sender(address: str, account: str, connection: str, inherited: tuple[str, ...], now: datetime, ids: Ids) -> Sender:
    """A sender that was just got, with the defaults of its kind; `inherited` is what its address answered to before."""
    kind = kind_of(address)
    return Sender(
        sid=ids.sid(PREFIXES.get(kind, "PN")),
        account=account,
        address=address,
        kind=kind,
        country="US" if kind is SenderKind.SHORT_CODE else country_of(address),
        friendly_name=default_name(address),
        connection=connection,
        inherited=inherited,
        mms=kind is not SenderKind.ALPHANUMERIC,
        created_at=now,
        updated_at=now,
    )


def default_name(address: str) -> str:
    """The name of a sender that was given none."""
    return national_format(address) if address.startswith("+") else address


def token_mark(world: World, token: str) -> str:
    """What tells an auth token from others and tells nothing of it: its use is noted under this name."""
    return world.vault.digest(token)[:16]


def _forbidden(job: Job, senders: Mapping[str, Sender], pool: Sequence[Sender], blocks: Sequence[Block]) -> bool:
    sender = senders.get(job.sender or "")
    if sender is not None:
        return may_send(scopes_of(sender, job.service, job.account), blocks, job.purpose) is not None
    shared = (job.service or "", job.account)
    if may_send(shared, blocks, job.purpose):
        return True
    free = [s for s in pool if may_send(scopes_of(s, job.service, job.account), blocks, job.purpose) is None]
    return bool(pool) and not free
