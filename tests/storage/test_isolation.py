"""An account sees nothing of another's, through any method that reads, and changes nothing through any that writes."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stopwire.core.address import ChannelGroup
from stopwire.core.alerts import Alert, Kind, Mute, State
from stopwire.core.alerts import Change as RuleChange
from stopwire.core.bound import SubmittedPart
from stopwire.core.chaos import USUAL, Reception
from stopwire.core.connections import Connection, Sealed
from stopwire.core.consent import Act
from stopwire.core.jobs import DeliveryAttempt
from stopwire.core.message import Direction, Media, Status
from stopwire.core.outcomes import Received
from stopwire.core.receipts import Segment
from stopwire.core.retention import KINDS
from stopwire.core.roles import Role
from stopwire.ports import store as ports
from stopwire.ports.push import RefusedPush
from stopwire.ports.store import (
    AuditRow,
    Contact,
    Cut,
    EntryFilter,
    Feedback,
    Import,
    ImportRow,
    Key,
    Mention,
    MessageFilter,
    Piece,
    SafeNumber,
    Seen,
    Session,
    User,
)
from stopwire.storage import tallies
from stopwire.storage.store import SqlTx
from tests.storage.values import (
    ANN,
    NOW,
    A,
    B,
    account,
    add_attempts,
    attempt,
    delivery,
    event,
    handset_message,
    job,
    later,
    message,
    refusal,
    review,
    sender,
    service,
    sid,
    transit,
)

SM, MG, CE, AT = sid("SM", A), sid("MG", A), sid("CE", A), sid("AT", A)
HEARD = Received(connection="simulator", sender=sender().address, recipient=ANN, body="a", part_reference=1, parts=2)
KEY = Key(sid="SK1", account=A, friendly_name="", secret_digest="d", created_at=NOW, updated_at=NOW)
IMPORT = Import(id="IM1", account=A, state="done", created_at=NOW, updated_at=NOW)
USER = User(sid="US1", account=A, name="Ana", password="h", role=Role.ADMIN, reveal=False, created_at=NOW, updated_at=NOW)
SESSION = Session(
    id="SE1", digest="d", account=A, kind="session", user="US1", created_at=NOW, seen_at=NOW, expires_at=later(60)
)
ALERT = Alert(id="AL1", account=A, kind=Kind.LOOP, subject="+1", state=State.FIRING, since=NOW, figures={})
RULE = RuleChange(account=A, kind=Kind.LOOP, threshold=9, actor="a", updated_at=NOW)
MUTE = Mute(account=A, kind=Kind.LOOP, subject="+1", until=later(60), actor="a", at=NOW)
AUDITED = AuditRow(id="AU1", account=A, at=NOW, actor="console:Ana", act="sign_in")
INBOUND = message(number=1, direction=Direction.INBOUND, service=MG, status=Status.RECEIVED)
REPLY = message(number=2, direction=Direction.REPLY)
SCHEDULED = message(number=3, service=MG, status=Status.SCHEDULED)
SUBMITTED = SubmittedPart(
    account=A, sender="+1", recipient=ANN, reference="8:7", total=2, part=1, octets=b"Hi", alphabet="gsm7", message=SM
)
CONNECTION = Connection(sid=sid("CN", A), account=A, name="up", type="smpp", created_at=NOW, updated_at=NOW)
SEGMENT = Segment(
    attempt=AT, account=A, connection=CONNECTION.sid, number=1, total=2, reference="1", form="1", sender="+1", recipient=ANN, created_at=NOW
)
EVERY_ID = [SM, INBOUND.sid, REPLY.sid, SCHEDULED.sid, refusal().id, delivery().id, review().id, handset_message().id]
REFUSED = RefusedPush(id="RP1", account=A, connection=CONNECTION.sid, at=NOW, version=1, problem="p", sealed="s")


def fill(tx: SqlTx) -> None:
    """One of everything, for account A."""
    tx.connections.add(Sealed(connection=CONNECTION))
    tx.pushes.keep(REFUSED, at_most=3)
    tx.jobs.add_segments([SEGMENT])
    tx.accounts.add_key(KEY)
    tx.people.add_user(USER)
    tx.people.add_session(SESSION)
    tx.audit.add([AUDITED])
    tx.alerts.add(ALERT)
    tx.alerts.put_change(RULE)
    tx.alerts.put_mute(MUTE)
    tx.services.stick(MG, ANN, sender().sid)
    tx.services.add_sender(sender(number=9, address="+14155550199"))
    tx.services.delete_sender(sender(number=9).sid)
    tx.messages.add([message(), INBOUND, REPLY, SCHEDULED])
    tx.messages.move([SM], Status.SENDING, now=NOW)
    tx.messages.add_media([Media(sid="ME1", message=SM, content_type="image/png", created_at=NOW)])
    tx.messages.set_feedback(Feedback(message=SM, account=A, outcome="confirmed", created_at=NOW, updated_at=NOW))
    tx.messages.add_refusals([refusal()])
    tx.messages.keep("key", "print", {}, NOW)
    tx.jobs.add([job(state="written", attempt=AT)])
    add_attempts(tx, [attempt(reference="r1")])
    tx.consent.append([event(message=SM, previous=message().sid)])
    tx.inbound.remember("simulator", [Seen(reference="r1", message=SM, at=NOW)])
    tx.inbound.add_part(HEARD, NOW)
    tx.inbound.add_part(Received(**{f: getattr(HEARD, f) for f in Received.__slots__} | {"part": 2}), NOW)
    tx.replies.add("SM9", CE, "STOP", sender().address, ANN, "bye", NOW)
    tx.webhooks.add([delivery()])
    tx.webhooks.add_attempts([DeliveryAttempt(delivery=delivery().id, at=NOW, ms=1, request={})])
    tx.submitted.add(SUBMITTED, NOW)
    tx.suggestions.add([review()])
    tx.handsets.keep([handset_message()])
    tx.handsets.hold([transit()])
    tx.handsets.set_reception(ANN, Reception(on=False))
    tx.lists.put_contacts([Contact(contact=ANN, country=None, zip_code=None, updated_at=NOW)])
    tx.lists.add_safe_number(SafeNumber(sid="GN1", number=ANN))
    tx.lists.add_import(IMPORT)
    tx.lists.add_import_rows("IM1", [ImportRow(row=1, recipient=ANN, state="taken")])


READS: dict[str, Callable[[SqlTx], Any]] = {
    "accounts.keys": lambda tx: tx.accounts.keys(Cut()),
    "accounts.key": lambda tx: tx.accounts.key("SK1"),
    "people.users": lambda tx: tx.people.users(),
    "people.user": lambda tx: tx.people.user("US1"),
    "people.sessions": lambda tx: tx.people.sessions(NOW),
    "audit.page": lambda tx: tx.audit.page(Cut()),
    "alerts.standing": lambda tx: tx.alerts.standing(),
    "alerts.page": lambda tx: tx.alerts.page(Cut()),
    "alerts.get": lambda tx: tx.alerts.get("AL1"),
    "alerts.changes": lambda tx: tx.alerts.changes(),
    "alerts.mutes": lambda tx: tx.alerts.mutes(NOW),
    "alerts.spreads": lambda tx: tx.alerts.spreads(NOW, 1),
    "alerts.written_before": lambda tx: tx.alerts.written_before(ANN[:-3], later(1)),
    "alerts.replied": lambda tx: tx.alerts.replied(NOW, 1),
    "services.directory": lambda tx: [s for s in tx.services.directory().senders.values() if s.account == A],
    "services.policies": lambda tx: tx.services.policies(MG),
    "services.policy": lambda tx: tx.services.policy(MG, 1),
    "services.holders_before": lambda tx: tx.services.holders_before("+14155550199"),
    "services.sticky": lambda tx: tx.services.sticky(MG, ANN),
    "messages.get": lambda tx: tx.messages.get(SM, any_purpose=True),
    "messages.page": lambda tx: tx.messages.page(MessageFilter(), Cut()) + tx.messages.page(MessageFilter(to=ANN), Cut()),
    "messages.many": lambda tx: tx.messages.many([SM]),
    "messages.entries": lambda tx: tx.messages.entries(EntryFilter(), Cut()),
    "messages.look": lambda tx: tx.messages.look(EntryFilter(text="a"), Cut()).entries + tx.messages.look(EntryFilter(), Cut()).entries,
    "messages.between": lambda tx: tx.messages.between(sender().address, ANN, Cut()),
    "messages.last_outbound": lambda tx: tx.messages.last_outbound(ANN),
    "messages.replies_since": lambda tx: tx.messages.replies_since(sender().address, ANN, NOW),
    "messages.inbound_since": lambda tx: tx.messages.inbound_since(MG, NOW, 9),
    "messages.scheduled": lambda tx: tx.messages.scheduled(),
    "messages.media": lambda tx: tx.messages.media(SM),
    "messages.medium": lambda tx: tx.messages.medium(SM, "ME1"),
    "messages.refusals": lambda tx: tx.messages.refusals(Cut()),
    "messages.refusal": lambda tx: tx.messages.refusal(refusal().id),
    "messages.kept": lambda tx: tx.messages.kept("key", NOW),
    "jobs.of_recipient": lambda tx: tx.jobs.of_recipient(ANN, states=("written",)),
    "jobs.awaiting": lambda tx: tx.jobs.awaiting([ANN]),
    "jobs.of_message": lambda tx: tx.jobs.of_message(SM),
    "jobs.attempt": lambda tx: tx.jobs.attempt(AT),
    "jobs.awaited": lambda tx: tx.jobs.awaited([AT]),
    "jobs.messages_of": lambda tx: tx.jobs.messages_of([AT]),
    "jobs.attempts": lambda tx: tx.jobs.attempts(SM),
    "consent.blocks_of": lambda tx: tx.consent.blocks_of(ChannelGroup.TEXT, ANN),
    "consent.blocks_of_many": lambda tx: tx.consent.blocks_of_many([ANN])[ANN],
    "consent.blocks": lambda tx: tx.consent.blocks(Cut()),
    "consent.tally": lambda tx: tx.consent.tally(),
    "consent.block_named": lambda tx: tx.consent.block_named("BL" + CE[2:]),
    "consent.block": lambda tx: tx.consent.block(MG, ChannelGroup.TEXT, ANN),
    "consent.events": lambda tx: tx.consent.events(Cut()) + tx.consent.events(Cut(), message=SM),
    "consent.event": lambda tx: tx.consent.event(CE),
    "consent.newest": lambda tx: tx.consent.newest(MG, ChannelGroup.TEXT, ANN, [Act.OPT_OUT]),
    "erasure.mentions": lambda tx: tx.erasure.mentions(ANN, 9),
    "erasure.waiting": lambda tx: tx.erasure.waiting(ANN),
    "retention.look": lambda tx: [kind for kind in KINDS if tx.retention.look(kind, 0, later(1), 9).ids],
    "retention.oldest": lambda tx: tx.retention.oldest(),
    "consent.verify": lambda tx: tx.consent.verify().events,
    "inbound.seen": lambda tx: tx.inbound.seen("simulator", ["r1"]),
    "inbound.joined": lambda tx: tx.inbound.joined(HEARD),
    "replies.recent": lambda tx: tx.replies.recent(sender().address, ANN, NOW),
    "webhooks.page": lambda tx: tx.webhooks.page(Cut()),
    "webhooks.get": lambda tx: tx.webhooks.get(delivery().id),
    "webhooks.attempts": lambda tx: tx.webhooks.attempts([delivery().id])[delivery().id],
    "suggestions.page": lambda tx: tx.suggestions.page(Cut()),
    "suggestions.get": lambda tx: tx.suggestions.get(review().id),
    "handsets.of": lambda tx: tx.handsets.of(ANN, None, 9),
    "handsets.latest": lambda tx: tx.handsets.latest(ANN, 10),
    "handsets.all": lambda tx: tx.handsets.all(),
    "handsets.waiting": lambda tx: tx.handsets.waiting(),
    "handsets.receptions": lambda tx: tx.handsets.receptions(),
    "lists.contact": lambda tx: tx.lists.contact(ANN),
    "lists.safe_number": lambda tx: tx.lists.safe_number(ANN),
    "lists.import_": lambda tx: tx.lists.import_("IM1"),
    "lists.imports": lambda tx: tx.lists.imports(Cut()),
    "lists.import_rows": lambda tx: tx.lists.import_rows("IM1", 0, 9),
    "connections.list": lambda tx: tx.connections.list(),
    "connections.named": lambda tx: tx.connections.named("up"),
    "pushes.of": lambda tx: tx.pushes.of(CONNECTION.sid, 10),
    "jobs.segments_of": lambda tx: tx.jobs.segments_of(AT),
    "submitted.parts": lambda tx: tx.submitted.parts(SUBMITTED),
    "stats.next_pieces": lambda tx: tallies.next_pieces(tx.unit, tx.account, NOW, 9, rows=1),
    "stats.count": lambda tx: tx.stats.count(Piece(kind="messages", first=0, last=1 << 40, newest_at=NOW)).counts,
    "stats.links": lambda tx: tx.stats.links(),
    "stats.senders": lambda tx: tx.stats.senders(MG),
    "stats.tries": lambda tx: tx.stats.tries(),
    "stats.counts": lambda tx: [tx.stats.counts(by, NOW) for by in ("day", "service") if tx.stats.counts(by, NOW)],
    "stats.rates": lambda tx: [row for by in ("day", "country") for row in tx.stats.rates(by, NOW)],
    "stats.waits": lambda tx: sum(tx.stats.waits(NOW, [60_000])),
    "stats.provoking": lambda tx: tx.stats.provoking(NOW, 10),
    "stats.outcomes": lambda tx: [count for counts in tx.stats.outcomes(NOW).values() for count in counts.values()],
}

WRITES: dict[str, Callable[[SqlTx], Any]] = {
    "stats.keep": lambda tx: tx.stats.keep(
        Piece(kind="messages", first=0, last=9, newest_at=NOW, counts=((1, False, None, "sent", None, "US", None, 1),)), NOW
    ),
    "accounts.save_key": lambda tx: tx.accounts.save_key(KEY),
    "accounts.delete_key": lambda tx: tx.accounts.delete_key("SK1"),
    "people.save_user": lambda tx: tx.people.save_user(replace(USER, role=Role.OWNER)),
    "people.delete_user": lambda tx: tx.people.delete_user("US1"),
    "people.save_session": lambda tx: tx.people.save_session(replace(SESSION, seen_at=later(1))),
    "people.end_session": lambda tx: tx.people.end_session("SE1"),
    "alerts.save": lambda tx: tx.alerts.save(replace(ALERT, state=State.OVER)),
    "alerts.drop_change": lambda tx: tx.alerts.drop_change(Kind.LOOP),
    "alerts.drop_mute": lambda tx: tx.alerts.drop_mute(Kind.LOOP, "+1"),
    "people.end_sessions_of": lambda tx: tx.people.end_sessions_of("US1"),
    "services.save_service": lambda tx: tx.services.save_service(service(friendly_name="stolen")),
    "services.delete_service": lambda tx: tx.services.delete_service(MG),
    "services.delete_sender": lambda tx: tx.services.delete_sender(sender().sid),
    "services.unstick": lambda tx: tx.services.unstick(sender().sid),
    "services.stick": lambda tx: tx.services.stick(MG, ANN, "PN-stolen"),
    "messages.move": lambda tx: tx.messages.move([SM], Status.FAILED, now=NOW, sent=True),
    "messages.choose": lambda tx: tx.messages.choose(SM, sender="+1", segments=9, now=NOW),
    "messages.delete": lambda tx: tx.messages.delete(SM),
    "messages.delete_medium": lambda tx: tx.messages.delete_medium(SM, "ME1"),
    "messages.keep": lambda tx: tx.messages.keep("key", "stolen", {}, NOW),
    "jobs.lose": lambda tx: tx.jobs.lose(SM),
    "connections.delete": lambda tx: tx.connections.delete(CONNECTION.sid),
    "jobs.accept": lambda tx: tx.jobs.accept([(AT, "other")], NOW),
    "jobs.reroute": lambda tx: tx.jobs.reroute(sender().sid, connection="smsc"),
    "jobs.report_segment": lambda tx: tx.jobs.report_segment(SEGMENT, Status.DELIVERED, None, NOW),
    "jobs.close_segments": lambda tx: tx.jobs.close_segments(AT),
    "jobs.assign": lambda tx: tx.jobs.assign(SM, sender="PN9", connection="smsc"),
    "jobs.requeue": lambda tx: tx.jobs.requeue(SM, NOW, tried=True),
    "jobs.remove": lambda tx: tx.jobs.remove([SM]),
    "jobs.answer_attempt": lambda tx: tx.jobs.answer_attempt(AT, "accepted", NOW),
    "jobs.race": lambda tx: tx.jobs.race([AT]),
    "consent.append": lambda tx: tx.consent.append([event(B, holder=MG, act=Act.LIFT)]),
    "inbound.drop_parts": lambda tx: tx.inbound.drop_parts(HEARD),
    "submitted.take": lambda tx: tx.submitted.take(SUBMITTED, NOW),
    "submitted.drop": lambda tx: tx.submitted.drop(SUBMITTED),
    "webhooks.hurry": lambda tx: tx.webhooks.hurry(delivery().url, later(1)),
    "webhooks.settle": lambda tx: tx.webhooks.settle(delivery().id, "failed", rounds=9),
    "webhooks.first_answer": lambda tx: tx.webhooks.first_answer(delivery().id),
    "suggestions.decide": lambda tx: tx.suggestions.decide(review().id, "dismissed", by="b", now=NOW, note=None),
    "suggestions.reopen": lambda tx: tx.suggestions.reopen(review().id),
    "handsets.set_reception": lambda tx: tx.handsets.set_reception(ANN, USUAL),
    "leftovers.forget_webhooks": lambda tx: tx.leftovers.forget_webhooks([delivery().message]),
    "leftovers.forget": lambda tx: tx.leftovers.forget([sender().address], [MG]),
    "erasure.messages": lambda tx: tx.erasure.messages(ANN, NOW, 9),
    "erasure.ledger": lambda tx: tx.erasure.ledger(ANN, 9),
    "erasure.beside": lambda tx: tx.erasure.beside(ANN),
    "erasure.blank": lambda tx: tx.erasure.blank([Mention(kind="refusal", id=refusal().id), Mention(kind="import", id="IM1", row=1)]),
    "retention.forget": lambda tx: [tx.retention.forget(kind, EVERY_ID, later(1)) for kind in KINDS],
    "lists.put_contacts": lambda tx: tx.lists.put_contacts(
        [Contact(contact=ANN, country="MX", zip_code=None, updated_at=later(1))]
    ),
    "lists.delete_safe_number": lambda tx: tx.lists.delete_safe_number(ANN),
    "lists.save_import": lambda tx: tx.lists.save_import(
        Import(id="IM1", account=B, state="failed", created_at=NOW, updated_at=NOW)
    ),
    "lists.add_import_rows": lambda tx: tx.lists.add_import_rows("IM1", [ImportRow(row=1, recipient="+1", state="wrong")]),
}

# What stands for a whole account or the network below all of them, and why it is not in the tables above.
ACROSS = {"people.find_session", "people.find_user", "people.forget_sessions", "audit.tries"}
ACROSS |= {"accounts.find", "accounts.find_test", "accounts.find_key", "accounts.every", "services.account_of", "services.taken"}
ACROSS |= {"accounts.keys_named"}
ENGINES = {"jobs.claim", "jobs.next_due", "jobs.under_way", "jobs.by_reference", "jobs.add_orphan", "jobs.take_orphans"}
ENGINES |= {"webhooks.claim", "webhooks.next_due", "webhooks.interrupted", "inbound.overdue_parts"}
ENGINES |= {"jobs.has_orphans", "inbound.forget", "messages.forget_kept", "jobs.drop_orphans"}
ENGINES |= {"submitted.forget", "connections.every", "connections.find"}
ENGINES |= {"pushes.due", "pushes.judge", "pushes.drop", "pushes.forget"}
ENGINES |= {"jobs.waiting_senders", "jobs.waiting", "jobs.segments_named", "jobs.half_reported", "jobs.forget_segments", "jobs.unknown_of"}
ENGINES |= {"stats.waiting"}
ENGINES |= {"jobs.holding", "jobs.orphans_of", "lists.idle_imports", "jobs.fallen_due"}
ENGINES |= {"alerts.active", "alerts.waiting", "alerts.overdue", "alerts.forget"}
ENGINES |= {"alerts.every_standing", "alerts.every_change", "alerts.every_mute"}
NETWORK = {"handsets.keep", "handsets.known", "handsets.network_blocked", "handsets.network_set"}
NETWORK |= {"handsets.unreported", "handsets.set_reported", "handsets.hold", "handsets.due", "handsets.next_due", "handsets.carried"}
NETWORK |= {"handsets.every_reception"}
# These write rows of their own account only, and are stopped by an assertion or a key otherwise.
OWN = {"accounts.add", "accounts.save", "accounts.add_key", "services.add_service", "services.add_policy"}
OWN |= {"services.add_sender", "services.save_sender", "messages.add", "messages.save", "messages.set_feedback"}
OWN |= {"messages.add_media", "messages.add_refusals", "jobs.add", "jobs.write", "inbound.remember", "inbound.add_part"}
OWN |= {"submitted.add", "connections.add", "connections.save", "pushes.keep", "jobs.add_segments"}
OWN |= {"people.add_user", "people.add_session", "audit.add", "alerts.add", "alerts.put_change", "alerts.put_mute"}
OWN |= {"replies.add", "webhooks.add", "webhooks.add_attempts", "suggestions.add", "lists.add_import", "lists.add_safe_number"}


def test_every_method_of_every_noun_has_its_row() -> None:
    nouns = {name: getter.fget.__annotations__["return"] for name, getter in vars(ports.Tx).items() if isinstance(getter, property)}
    methods = {
        f"{noun}.{name}"
        for noun, protocol in nouns.items()
        if inspect.isclass(protocol)
        for name, method in vars(protocol).items()
        if inspect.isfunction(method) and not name.startswith("_")
    }
    assert methods == READS.keys() | WRITES.keys() | ACROSS | ENGINES | NETWORK | OWN


@pytest.mark.parametrize("ask", READS.values(), ids=READS.keys())
def test_another_account_reads_nothing(tx: SqlTx, ask: Callable[[SqlTx], Any]) -> None:
    fill(tx)
    assert ask(tx), "the row asks for something that is there"
    assert not ask(tx.of(B))


@pytest.mark.parametrize("change", WRITES.values(), ids=WRITES.keys())
def test_another_account_changes_nothing(tx: SqlTx, change: Callable[[SqlTx], Any]) -> None:
    fill(tx)
    before = everything_of(tx)
    change(tx.of(B))
    assert before == everything_of(tx)
    tables = {row[0] for row in before}
    assert len(tables) > 20, "the rows compared are those of the whole database"


def everything_of(tx: SqlTx) -> list[tuple[Any, ...]]:
    """Every row of account A in the database."""
    found: list[tuple[Any, ...]] = []
    names = [row[0] for row in tx.unit.raw.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
    for name in names:
        columns = {row[1] for row in tx.unit.raw.execute(f"PRAGMA table_info({name})")}
        mark = "sid" if name == "accounts" else "account"
        if mark in columns:
            found += [(name, *row) for row in tx.unit.raw.execute(f"SELECT * FROM {name} WHERE {mark} = ?", (A,))]
    return found


@pytest.mark.parametrize(
    "add",
    [
        pytest.param(lambda tx: tx.messages.add([message()]), id="messages.add"),
        pytest.param(lambda tx: tx.messages.save(message()), id="messages.save"),
        pytest.param(lambda tx: tx.messages.add_refusals([refusal()]), id="messages.add_refusals"),
        pytest.param(lambda tx: tx.jobs.add([job()]), id="jobs.add"),
        pytest.param(lambda tx: tx.jobs.write([attempt()]), id="jobs.write"),
        pytest.param(lambda tx: tx.webhooks.add([delivery()]), id="webhooks.add"),
        pytest.param(lambda tx: tx.connections.add(Sealed(connection=CONNECTION)), id="connections.add"),
        pytest.param(lambda tx: tx.connections.save(Sealed(connection=CONNECTION)), id="connections.save"),
        pytest.param(lambda tx: tx.pushes.keep(REFUSED, at_most=3), id="pushes.keep"),
        pytest.param(lambda tx: tx.jobs.add_segments([SEGMENT]), id="jobs.add_segments"),
        pytest.param(lambda tx: tx.suggestions.add([review()]), id="suggestions.add"),
        pytest.param(lambda tx: tx.services.add_sender(sender(number=9)), id="services.add_sender"),
        pytest.param(lambda tx: tx.services.save_sender(sender()), id="services.save_sender"),
        pytest.param(lambda tx: tx.accounts.save(account()), id="accounts.save"),
        pytest.param(lambda tx: tx.accounts.add_key(KEY), id="accounts.add_key"),
        pytest.param(lambda tx: tx.lists.add_import(IMPORT), id="lists.add_import"),
    ],
)
def test_a_row_of_another_account_cannot_be_written(tx: SqlTx, add: Callable[[SqlTx], Any]) -> None:
    with pytest.raises(AssertionError):
        add(tx.of(B))


