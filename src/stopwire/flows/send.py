"""Accept orders: check each, ask the one gate, keep message and job in one commit.

A refused order is an answer and a row in the log, never an exception.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from stopwire import metrics
from stopwire.core import magic
from stopwire.core.address import group_of, parse_recipient, parse_sender
from stopwire.core.bound import receipt_delivery
from stopwire.core.consent import Block
from stopwire.core.errors import Refused, refuse
from stopwire.core.events import status_event
from stopwire.core.jobs import Delivery, Job, Refusal
from stopwire.core.message import Direction, Media, Message, Purpose, Status, retained
from stopwire.core.optout import may_send, opted_out_send
from stopwire.core.orders import SCHEDULED_MAX, Draft, Order, check
from stopwire.core.routing import first_route
from stopwire.core.senders import Directory, Sender, scopes_of
from stopwire.flows.moves import segments_of, speaker
from stopwire.ports.http import Http, PrivateTargets
from stopwire.ports.store import Tx
from stopwire.ports.values import fingerprint, from_plain, to_plain
from stopwire.ports.world import Ids, World

KEY_LIFE = timedelta(hours=24)  # how long an idempotency key holds its answer
ORDERS_AT_ONCE = 500  # of one commit: a STOP never waits for more than these


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of one order: a message, or a refusal with its id in the log."""

    message: Message | None = None
    refused: Refused | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Receipts in the order asked. `conflict`: the idempotency key was used for other orders; nothing was done."""

    receipts: tuple[Receipt, ...] = ()
    conflict: bool = False


async def send(
    world: World,
    *,
    account: str,
    orders: Sequence[Order],
    key: str | None = None,
    direction: Direction = Direction.API,
) -> Sent:
    """Take `orders`. When this returns they are on disk: each will leave, or has its refusal.

    A long list is taken in pieces. After a crash the same list under the same `key` goes on where it ended.
    """
    print_ = fingerprint(list(orders)) if key else ""
    receipts: list[Receipt] = []
    for start in range(0, len(orders), ORDERS_AT_ONCE):
        piece = orders[start : start + ORDERS_AT_ONCE]
        unit = partial(
            accept,
            orders=piece,
            key=f"{key}#{start}" if key and start else key,
            print_=print_,
            direction=direction,
            now=world.clock.now(),
            ids=world.ids,
            private=world.choices.private_webhooks,
            http=world.http,
            usable=world.carriers.usable(),
            full=world.carriers.full(),
        )
        sent = await world.store.write(unit, account=account, lock=tuple(order.to for order in piece))
        if sent.conflict:
            return sent
        receipts += sent.receipts
    _count(receipts)
    return Sent(receipts=tuple(receipts))


def _count(receipts: Sequence[Receipt]) -> None:
    refused = Counter(receipt.refused.code for receipt in receipts if receipt.refused is not None)
    for code, times in refused.items():
        metrics.refused(code, times)
    metrics.accepted(len(receipts) - refused.total())


async def rehearse(world: World, *, account: str, order: Order) -> Receipt:
    """Answer an order made with test credentials: the magic numbers decide, nothing is kept."""
    directory = await world.store.directory(account)
    now = world.clock.now()
    refused = _rehearsal_refusal(order, directory, now)
    if refused:
        return Receipt(refused=refused)
    recipient = parse_recipient(order.to, "US") or order.to
    message = Message(
        sid=world.ids.sid("MM" if order.media else "SM"),
        account=account,
        direction=Direction.API,
        sender=order.from_,
        recipient=recipient,
        body=order.body,
        status=Status.QUEUED,
        segments=segments_of(order.body, bool(order.media)),
        media=len(order.media),
        created_at=now,
        updated_at=now,
    )
    return Receipt(message=message)


def _rehearsal_refusal(order: Order, directory: Directory, now: datetime) -> Refused | None:
    with_any_sender = check(replace(order, from_=magic.FROM_VALID, service=""), directory, now=now, url_problem=lambda _: None)
    fields_first = (21604, 21602, 21617, 21620, 21623, 21609, 21624, 30029, 30030, 21654, 21655, 20422)
    if isinstance(with_any_sender, Refused) and with_any_sender.code in fields_first:
        return with_any_sender
    if not order.from_ and not order.service:
        return refuse(21603)
    recipient = parse_recipient(order.to, "US")
    sender = parse_sender(order.from_) or order.from_ or order.service
    if refused := magic.of_from(sender) or magic.of_to(recipient or order.to):
        return refused
    return None if recipient else refuse(21211, to=order.to)


def accept(
    tx: Tx,
    *,
    orders: Sequence[Order],
    key: str | None,
    print_: str,
    direction: Direction,
    now: datetime,
    ids: Ids,
    private: PrivateTargets,
    http: Http,
    usable: frozenset[str],
    full: frozenset[str],
) -> Sent:
    if key and (kept := tx.messages.kept(key, now - KEY_LIFE)):
        if kept.fingerprint != print_:
            return Sent(conflict=True)
        return from_plain(kept.answer, Sent)

    directory = tx.services.directory()
    allowed = directory.account.settings.allow_private_webhooks
    reach = PrivateTargets(allowed) if allowed else private
    drafts = [
        check(order, directory, now=now, url_problem=lambda url: http.refusal(url, private=reach)) for order in orders
    ]
    blocks = tx.consent.blocks_of_many(list({d.recipient for d in drafts if isinstance(d, Draft)}))
    batch = _Batch(tx, directory, direction, now, ids, usable, full)
    receipts = tuple(
        batch.refuse(order, draft) if isinstance(draft, Refused) else batch.take(order, draft, blocks.get(draft.recipient, []))
        for order, draft in zip(orders, drafts, strict=True)
    )
    batch.keep()
    sent = Sent(receipts=receipts)
    if key:
        tx.messages.keep(key, print_, to_plain(sent), now)
    return sent


class _Batch:
    """The rows of one acceptance, gathered so that each table is written once."""

    def __init__(
        self,
        tx: Tx,
        directory: Directory,
        direction: Direction,
        now: datetime,
        ids: Ids,
        usable: frozenset[str],
        full: frozenset[str],
    ) -> None:
        self.tx, self.directory, self.direction, self.now, self.ids = tx, directory, direction, now, ids
        self.usable = usable  # connections that are not known to be down
        self.full = full  # senders for whom no more may wait
        self.messages: list[Message] = []
        self.media: list[Media] = []
        self.jobs: list[Job] = []
        self.refusals: list[Refusal] = []
        self.deliveries: list[Delivery] = []

    def take(self, order: Order, draft: Draft, blocks: list[Block]) -> Receipt:
        group = group_of(draft.recipient)
        blocks = [b for b in blocks if b.group is group]
        if draft.send_at and self.tx.messages.scheduled() >= SCHEDULED_MAX:
            return self.refuse(order, refuse(35125))
        sender, block = self._speaker(draft, blocks)
        if block is not None:
            return self._opted_out(order, draft, block)
        is_full = sender is not None and sender.sid in self.full and draft.send_at is None
        if is_full and draft.sender:
            return self.refuse(order, refuse(21611))
        message = self._message(order, draft)
        if is_full:
            return self._stillborn(message, 30001)
        if sender is None:  # no sender of the pool can reach this recipient
            return self._stillborn(message, 21703)
        self.messages.append(message)
        self.media.extend(self._media(message, draft))
        self.jobs.append(
            Job(
                message=message.sid,
                account=self.tx.account,
                # How the connections are when a scheduled message falls due, nobody knows now.
                connection=sender.connection if draft.send_at else first_route(sender, usable=self.usable),
                sender=None if draft.send_at and not draft.sender else sender.sid,
                service=message.service,
                recipient=draft.recipient,
                purpose=Purpose.MESSAGE,
                due_at=draft.send_at or self.now,
                expires_at=message.expires_at,
            )
        )
        self.tx.tell("message.accepted", sid=message.sid, to=message.recipient, status=message.status.value)
        return Receipt(message=message)

    def refuse(self, order: Order, refused: Refused, block: Block | None = None) -> Receipt:
        id = self._log_refusal(order, refused, block)
        if self.direction is Direction.REPLY and refused.code != 21609:
            self._tell_refused(order, refused.code)
        return Receipt(refused=refused, refusal=id)

    def _log_refusal(self, order: Order, refused: Refused, block: Block | None) -> str:
        because = to_plain(block) if block else None
        id = self.ids.sid("RF")
        self.refusals.append(
            Refusal(
                id=id,
                account=self.tx.account,
                at=self.now,
                code=refused.code,
                sender=order.from_ or None,
                service=order.service or None,
                recipient=(parse_recipient(order.to) or order.to)[:200] or None,
                because=because,
            )
        )
        self.tx.tell("message.refused", id=id, to=order.to, code=refused.code)
        return id

    def _tell_refused(self, order: Order, code: int) -> None:
        """Nobody waits for the answer to a TwiML reply: its callback is told that it failed."""
        stillborn = Message(
            sid=self.ids.sid("SM"),
            account=self.tx.account,
            direction=self.direction,
            sender=order.from_,
            recipient=order.to,
            service=order.service or None,
            body=order.body,
            status=Status.FAILED,
            error_code=code,
            status_callback=order.status_callback or None,
            callback_method=order.callback_method,
            created_at=self.now,
            updated_at=self.now,
        )
        event = status_event(stillborn, id=self.ids.sid("WD"), token=self.ids.uuid(), now=self.now)
        self.deliveries.extend([event] if event else [])

    def keep(self) -> None:
        self.tx.messages.add(self.messages)
        self.tx.messages.add_media(self.media)
        self.tx.jobs.add(self.jobs)
        self.tx.messages.add_refusals(self.refusals)
        self.tx.webhooks.add(self.deliveries)
        if self.jobs:
            self.tx.wake("dispatch")
        if self.deliveries:
            self.tx.wake("notify")

    def _speaker(self, draft: Draft, blocks: list[Block]) -> tuple[Sender | None, Block | None]:
        """The sender that will speak, or the block that forbids it; neither where the pool cannot reach the recipient."""
        account, service = self.directory.account.sid, draft.service
        if draft.sender is not None:
            scopes = scopes_of(draft.sender, service.sid if service else None, account)
            return draft.sender, may_send(scopes, blocks, Purpose.MESSAGE)
        assert service is not None
        return speaker(
            self.tx,
            self.directory,
            service,
            draft.recipient,
            blocks=blocks,
            media=draft.mms,
            ids=self.ids,
            stick=draft.send_at is None,  # a scheduled message chooses when its time comes
        )

    def _opted_out(self, order: Order, draft: Draft, block: Block) -> Receipt:
        refused = refuse(21610)
        account_choice = self.directory.account.settings.opted_out_send
        if draft.service and opted_out_send(draft.service.policy.opted_out_send, account_choice) == "accept_then_fail":
            self._log_refusal(order, refused, block)
            return self._stillborn(self._message(order, draft), 21610)
        return self.refuse(order, refused, block)

    def _stillborn(self, message: Message, code: int) -> Receipt:
        """Answered as accepted, kept as failed: what the hosted API does for failures found after its answer."""
        failed = replace(message, status=Status.FAILED, error_code=code)
        self.messages.append(retained(failed))
        told = (
            status_event(failed, id=self.ids.sid("WD"), token=self.ids.uuid(), now=self.now),
            receipt_delivery(failed, id=self.ids.sid("WD"), token=self.ids.uuid(), now=self.now),
        )
        self.deliveries.extend(event for event in told if event)
        return Receipt(message=message)

    def _message(self, order: Order, draft: Draft) -> Message:
        sender = draft.sender.address if draft.sender else None
        options = {
            name: value
            for name, value in (
                ("ContentRetention", order.content_retention),
                ("AddressRetention", order.address_retention),
                ("MessageIntent", order.message_intent),
                ("RiskCheck", order.risk_check),
                ("InReplyTo", order.reply_to),
            )
            if value
        }
        if draft.send_at:
            status = Status.SCHEDULED
        else:
            status = Status.ACCEPTED if draft.service else Status.QUEUED
        return Message(
            sid=order.sid or self.ids.sid("MM" if draft.mms else "SM"),
            account=self.tx.account,
            direction=self.direction,
            sender=sender,
            recipient=draft.recipient,
            service=draft.service.sid if draft.service else None,
            body=draft.body,
            status=status,
            segments=segments_of(draft.body, draft.mms) if sender else 0,
            media=len(draft.media),
            status_callback=draft.status_callback,
            callback_method=draft.callback_method,
            send_at=draft.send_at,
            expires_at=(draft.send_at or self.now) + draft.validity,
            created_at=self.now,
            updated_at=self.now,
            options={**draft.options, **options},
        )

    def _media(self, message: Message, draft: Draft) -> list[Media]:
        return [
            Media(
                sid=self.ids.sid("ME"),
                message=message.sid,
                content_type=_media_type(url),
                url=url,
                created_at=self.now,
            )
            for url in draft.media
        ]


def _media_type(url: str) -> str:
    name = url.rsplit("?", 1)[0].rsplit("#", 1)[0].lower()
    known = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".gif": "image/gif", ".pdf": "application/pdf"}
    return next((type_ for ending, type_ in known.items() if name.endswith(ending)), "application/octet-stream")
