"""What a journey may ask of the store: `Store`, `Tx`, and the nouns of a transaction.

A unit is a plain function of a `Tx`; it cannot await. A `Tx` belongs to one account and every statement
of it is scoped by that account; the few methods that look across accounts say so. SQL never shows here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Protocol, TypeVar

from stopwire.core.address import ChannelGroup
from stopwire.core.alerts import Alert, Change, Kind, Mute
from stopwire.core.bound import SubmittedPart
from stopwire.core.chaos import Reception
from stopwire.core.connections import Sealed
from stopwire.core.consent import Block, ConsentEvent, SealedEvent
from stopwire.core.jobs import Attempt, Delivery, DeliveryAttempt, Due, HandsetMessage, Job, Refusal, Review, Transit
from stopwire.core.ledger import Verdict
from stopwire.core.message import Media, Message, Status
from stopwire.core.outcomes import DeliveryReport, Received
from stopwire.core.policy import OptOutPolicy
from stopwire.core.receipts import Segment
from stopwire.core.roles import Role
from stopwire.core.senders import Account, Directory, Sender, Service
from stopwire.ports.push import RefusedPush

T = TypeVar("T")

TALLIED_MAX = 100_000  # blocks of one reason that are counted one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Which piece of a list: `limit` items after (or before) the item with id `after` (`before`), else from `offset`."""

    limit: int = 50
    after: str | None = None
    before: str | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFilter:
    """`day`, `since` and `until` compare the time sent (created, where not yet sent); instants are inclusive."""

    recipient: str | None = None  # the person
    sender: str | None = None  # ours
    to: str | None = None  # as the wire has it: the person outbound, ours inbound
    from_: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    status: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """Messages and refused sends together. Addresses may be patterns: `+1415*`, `*0117`. Instants are inclusive."""

    to: str | None = None  # as the wire has it, in both directions
    from_: str | None = None
    person: str | None = None
    sender: str | None = None
    status: str | None = None  # `refused` are the refusals alone
    code: int | None = None
    service: str | None = None
    text: str | None = None
    keyword: str | None = None
    inbound: bool | None = None
    since: datetime | None = None  # when it was made
    until: datetime | None = None
    media: bool = False
    error: bool = False
    refusals: bool = True  # False: without them


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the log of messages: a message, or a send that was refused."""

    id: str
    at: datetime
    message: Message | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    sid: str
    account: str
    friendly_name: str
    secret_digest: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    version: int
    policy: OptOutPolicy
    actor: str
    note: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at the log of messages found. `seen_to` is the last that was looked at, where more lies beyond it."""

    entries: tuple[Entry, ...]
    seen_to: str | None = None
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of rows that is counted at once. `counts`: hour, inbound, service, state, code, country, zone, how many."""

    kind: str
    first: int
    last: int
    newest_at: datetime
    counts: tuple[tuple[Any, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A look at a stretch of records: which of them may go, where the look ended, and whether older ones lie beyond."""

    ids: tuple[str, ...] = ()
    seen_to: int = 0
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    message: str
    account: str
    outcome: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The answer kept under an idempotency key."""

    fingerprint: str
    answer: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    id: str
    account: str
    state: str
    rows: int = 0
    taken: int = 0
    skipped: int = 0
    wrong: int = 0
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    row: int
    recipient: str | None
    state: str
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeNumber:
    sid: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    contact: str
    country: str | None
    zip_code: str | None
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person of the team, who signs in to the console by name and password."""

    sid: str
    account: str
    name: str
    password: str  # hashed
    role: Role
    reveal: bool  # may see whole phone numbers
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A one-time sign-in link (`kind` sign_in) or a browser that is signed in (`session`). Its token is kept as a digest."""

    id: str
    digest: str
    account: str
    kind: str
    user: str | None = None  # None: by the operator's link, who is the owner
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    agent: str = ""
    address: str = ""
    revealed: str | None = None  # the page whose numbers are shown whole
    revealed_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """Who did what, when, from where. `subject` is what it was done to."""

    id: str
    account: str  # empty where nobody knows: a sign-in with an unknown name
    at: datetime
    actor: str
    act: str
    subject: str = ""
    address: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How much of an account waits, and since when the oldest of it (or how long it is late)."""

    account: str
    count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How many numbers that begin with `block` got how many texts."""

    block: str
    numbers: int
    texts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replied:
    """How many replies a sender of ours sent to a person."""

    sender: str
    recipient: str
    replies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A row that names a person and is found by no index: a refused send, or a row of an import."""

    kind: str  # refusal | import
    id: str
    row: int = 0


class Accounts(Protocol):
    """Accounts and keys. `find`, `find_key` and `every` look across accounts: they serve the door."""

    def find(self, sid: str) -> Account | None: ...
    def find_test(self, sid: str) -> Account | None: ...
    def find_key(self, sid: str) -> Key | None: ...
    def every(self) -> list[Account]: ...
    def add(self, account: Account) -> None: ...
    def save(self, account: Account) -> None: ...
    def keys(self, cut: Cut) -> list[Key]: ...
    def key(self, sid: str) -> Key | None: ...
    def keys_named(self, prefix: str) -> list[Key]: ...
    def add_key(self, key: Key) -> None: ...
    def save_key(self, key: Key) -> None: ...
    def delete_key(self, sid: str) -> bool: ...


class Services(Protocol):
    """Services, senders, policies. `account_of` and `taken` look across accounts: an address has one owner."""

    def directory(self) -> Directory: ...
    def account_of(self, address: str) -> str | None: ...
    def taken(self, addresses: Sequence[str]) -> set[str]: ...
    def add_service(self, service: Service, *, actor: str) -> None: ...
    def save_service(self, service: Service) -> None: ...
    def delete_service(self, sid: str) -> None: ...
    def add_policy(self, service: Service, *, actor: str, note: str | None) -> None: ...
    def policies(self, service: str) -> list[PolicyVersion]: ...
    def policy(self, service: str, version: int) -> PolicyVersion | None: ...
    def add_sender(self, sender: Sender) -> None: ...
    def save_sender(self, sender: Sender) -> None: ...
    def delete_sender(self, sid: str) -> None: ...
    def holders_before(self, address: str) -> tuple[str, ...]:
        """What a sender of this account answered to at `address` before it was deleted, itself included."""
        ...

    def sticky(self, service: str, recipient: str) -> str | None: ...
    def stick(self, service: str, recipient: str, sender: str) -> None: ...
    def unstick(self, sender: str) -> None: ...


class Connections(Protocol):
    """Connections to carriers, with their sealed secrets. `every` and `find` look across accounts: engines serve all."""

    def every(self) -> list[Sealed]: ...
    def find(self, sid: str) -> Sealed | None: ...
    def list(self) -> list[Sealed]: ...
    def named(self, name: str) -> Sealed | None: ...
    def add(self, sealed: Sealed) -> None: ...
    def save(self, sealed: Sealed) -> None: ...
    def delete(self, sid: str) -> None: ...


class Pushes(Protocol):
    """Refused pushes of providers. `due`, `judge`, `drop` and `forget` look across accounts: an engine serves all."""

    def keep(self, push: RefusedPush, *, at_most: int) -> None:
        """Keep one of a connection; the oldest beyond `at_most` make room."""
        ...

    def due(self, limit: int) -> list[RefusedPush]:
        """Those that their connection refused before it was last changed, the oldest first."""
        ...

    def judge(self, id: str, *, version: int, problem: str) -> None: ...
    def drop(self, id: str) -> None: ...
    def of(self, connection: str, limit: int) -> list[RefusedPush]:
        """The newest first."""
        ...

    def forget(self, before: datetime, limit: int) -> int: ...


class Messages(Protocol):
    """Messages, their media and feedback; refusals; kept answers."""

    def add(self, messages: Sequence[Message]) -> None: ...
    def get(self, sid: str, *, any_purpose: bool = False) -> Message | None: ...
    def page(self, wanted: MessageFilter, cut: Cut) -> list[Message]: ...
    def many(self, sids: Sequence[str]) -> list[Message]: ...
    def save(self, message: Message) -> None: ...
    def entries(self, wanted: EntryFilter, cut: Cut) -> list[Entry]:
        """Messages and refused sends, the newest first; a cut names either by its id."""
        ...

    def look(self, wanted: EntryFilter, cut: Cut) -> Look:
        """As `entries`, but where no index leads to what is wanted, it looks at so many rows and no more."""
        ...

    def between(self, sender: str, recipient: str, cut: Cut) -> list[Entry]:
        """All that went between a sender and a person, automatic replies and refused sends among it, the newest first."""
        ...

    def move(
        self,
        sids: Sequence[str],
        status: Status,
        *,
        now: datetime,
        error_code: int | None = None,
        sent: bool = False,
    ) -> None: ...
    def choose(self, sid: str, *, sender: str, segments: int, now: datetime) -> None: ...
    def delete(self, sid: str) -> None: ...
    def last_outbound(self, recipient: str) -> Message | None: ...
    def replies_since(self, sender: str, recipient: str, since: datetime) -> list[datetime]:
        """When the application's own replies (TwiML) went from `sender` to this person."""
        ...

    def inbound_since(self, service: str, since: datetime, limit: int) -> list[Message]: ...
    def scheduled(self) -> int: ...
    def add_media(self, media: Sequence[Media]) -> None: ...
    def media(self, message: str) -> list[Media]: ...
    def medium(self, message: str, sid: str) -> Media | None: ...
    def delete_medium(self, message: str, sid: str) -> bool: ...
    def set_feedback(self, feedback: Feedback) -> Feedback: ...
    def add_refusals(self, refusals: Sequence[Refusal]) -> None: ...
    def refusals(self, cut: Cut, code: int | None = None, recipient: str | None = None) -> list[Refusal]: ...
    def refusal(self, id: str) -> Refusal | None: ...
    def kept(self, key: str, since: datetime) -> Kept | None: ...
    def keep(self, key: str, fingerprint: str, answer: Any, now: datetime) -> None: ...
    def forget_kept(self, before: datetime, limit: int) -> int: ...


class Jobs(Protocol):
    """The outbox towards carriers. `claim`, `under_way` and `next_due` look across accounts: an engine serves all.

    So do `by_reference`, `segments_named`, `half_reported`, `forget_segments`, `unknown_of` and the orphans,
    since a delivery report names no account, and `attempt` and `messages_of` in the
    transaction of no account (""), which is an engine's.
    """

    def add(self, jobs: Sequence[Job]) -> None: ...
    def of_recipient(self, recipient: str, *, states: Sequence[str]) -> list[Job]: ...
    def awaiting(self, recipients: Sequence[str]) -> list[str]:
        """Those of these recipients for whom anything waits."""
        ...

    def of_message(self, message: str) -> Job | None: ...
    def claim(self, connection: str, room: int, now: datetime) -> list[Due]: ...
    def next_due(self, connection: str) -> datetime | None: ...
    def under_way(self, connection: str) -> list[Job]: ...
    def write(self, attempts: Sequence[Attempt]) -> None:
        """Begin attempts at queued jobs: from the commit on their bytes may leave."""
        ...

    def lose(self, message: str) -> None:
        """The answer to a written job will not come: whether it left is unknown."""
        ...

    def assign(self, message: str, *, sender: str, connection: str) -> None: ...
    def waiting_senders(self, connection: str) -> list[tuple[str, str]]:
        """(account, sender) of what is queued for a connection. Looks across accounts."""
        ...

    def waiting(self, now: datetime) -> list[tuple[str, str, int]]:
        """(account, sender, how many) of what is queued and due. Looks across accounts."""
        ...

    def reroute(self, sender: str, *, connection: str, now: datetime | None = None) -> int:
        """Move what waits for `sender` to another connection, with `now` only what is due by then; how many that were."""
        ...

    def fallen_due(self, connection: str, since: datetime | None, now: datetime, limit: int) -> list[Due]:
        """Scheduled messages whose time has come since, on a connection where nobody claims. Looks across accounts."""
        ...

    def requeue(self, message: str, due_at: datetime, *, tried: bool) -> None: ...
    def remove(self, messages: Sequence[str]) -> None: ...
    def attempt(self, id: str) -> Attempt | None: ...
    def attempts(self, message: str) -> list[Attempt]: ...
    def messages_of(self, attempts: Sequence[str]) -> dict[str, Message]:
        """The message of each of these attempts, of whatever purpose, by the attempt's id. Deleted ones are left out."""
        ...

    def answer_attempt(
        self, id: str, state: str, now: datetime, *, reference: str | None = None, detail: str | None = None
    ) -> None: ...
    def accept(self, taken: Sequence[tuple[str, str | None]], now: datetime) -> None:
        """Answer many attempts, by id, that their carrier accepted, each with its reference."""
        ...

    def awaited(self, ids: Sequence[str]) -> set[str]:
        """Those of these attempts that have no answer yet, and whose message stands as being sent."""
        ...

    def has_orphans(self, connection: str) -> bool: ...
    def race(self, ids: Sequence[str]) -> None: ...
    def by_reference(self, connection: str, reference: str) -> Attempt | None: ...
    def add_segments(self, segments: Sequence[Segment]) -> None: ...
    def segments_named(self, connection: str, forms: Sequence[str], since: datetime) -> list[Segment]: ...
    def segments_of(self, attempt: str) -> list[Segment]: ...
    def report_segment(self, segment: Segment, status: Status, error_code: int | None, now: datetime) -> None: ...
    def half_reported(self, since: datetime, before: datetime, limit: int) -> list[tuple[str, str]]: ...
    def close_segments(self, attempt: str) -> None: ...
    def forget_segments(self, before: datetime, limit: int) -> int: ...
    def holding(self) -> list[str]:
        """Connections for which something waits for an answer that never came."""
        ...

    def unknown_of(self, connection: str, recipient: str) -> list[Job]: ...
    def add_orphan(self, report: DeliveryReport, now: datetime) -> None: ...
    def take_orphans(self, connection: str, form: str) -> list[DeliveryReport]: ...
    def orphans_of(self, connection: str, recipient: str) -> list[DeliveryReport]: ...
    def drop_orphans(self, before: datetime, limit: int) -> int: ...


class Consent(Protocol):
    """The ledger and the block list. There is no update and no delete of an event, by type and by trigger."""

    def blocks_of(self, group: ChannelGroup, recipient: str) -> list[Block]: ...
    def blocks_of_many(self, recipients: Sequence[str]) -> dict[str, list[Block]]: ...
    def append(self, events: Sequence[ConsentEvent]) -> None: ...
    def blocks(
        self,
        cut: Cut,
        recipient: str | None = None,
        holder: str | None = None,
        reason: str | None = None,
        since: datetime | None = None,
        ending: str | None = None,
        group: ChannelGroup | None = None,
        newest_first: bool = False,
    ) -> list[Block]:
        """`ending`: the last digits of the recipients' numbers."""
        ...

    def tally(self) -> dict[str, int]:
        """How many blocks there are of each reason; of one that has more than `TALLIED_MAX`, one more than that."""
        ...

    def block(self, holder: str, group: ChannelGroup, recipient: str) -> Block | None: ...
    def block_named(self, id: str) -> Block | None: ...
    def events(
        self,
        cut: Cut,
        recipient: str | None = None,
        message: str | None = None,
        acts: Sequence[str] = (),
        holder: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[SealedEvent]:
        """`since` and `until` compare when it was recorded; instants are inclusive."""
        ...

    def event(self, id: str) -> SealedEvent | None: ...
    def newest(self, holder: str, group: ChannelGroup, recipient: str, acts: Sequence[str]) -> SealedEvent | None: ...
    def verify(self) -> Verdict: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A delivery of a carrier: what it is known by, what it became, and when it came.

    Where the carrier gives no reference, it is known by who wrote to whom, and `said` is a digest of the text.
    """

    reference: str
    message: str | None
    at: datetime
    said: str | None = None


class Inbound(Protocol):
    """What carriers delivered: repeats and parts. Scoped by connection, then account; `overdue_parts` looks across accounts."""

    def seen(self, connection: str, references: Sequence[str]) -> dict[str, Seen]:
        """By reference what came under it last; what is new is not in it."""
        ...

    def remember(self, connection: str, deliveries: Sequence[Seen]) -> None:
        """Note deliveries, each in place of what came under its reference before."""
        ...

    def add_part(self, heard: Received, now: datetime) -> bool: ...
    def joined(self, heard: Received) -> str | None: ...
    def overdue_parts(self, before: datetime) -> list[Received]: ...
    def drop_parts(self, heard: Received) -> None: ...
    def forget(self, before: datetime, limit: int) -> int: ...


class Replies(Protocol):
    """Automatic replies, for the promise of one a transition and for the loop fence."""

    def recent(self, sender: str, recipient: str, since: datetime) -> list[tuple[str, str, datetime]]: ...
    def add(
        self, message: str, event: str, keyword: str, sender: str, recipient: str, body: str, now: datetime
    ) -> None: ...


class Webhooks(Protocol):
    """Deliveries to the customer. `claim`, `interrupted` and `next_due` look across accounts: an engine serves all."""

    def add(self, deliveries: Sequence[Delivery]) -> None: ...
    def claim(self, room: int, now: datetime, busy: Sequence[str]) -> list[Delivery]: ...  # busy: host names, without ports
    def next_due(self, busy: Sequence[str] = ()) -> datetime | None: ...
    def interrupted(self, now: datetime) -> int: ...
    def hurry(self, url: str, now: datetime) -> int: ...
    def settle(self, id: str, state: str, *, rounds: int, due_at: datetime | None = None) -> None: ...
    def first_answer(self, id: str) -> bool: ...
    def add_attempts(self, attempts: Sequence[DeliveryAttempt]) -> None: ...
    def page(
        self, cut: Cut, message: str | None = None, state: str | None = None, event: str | None = None, url: str | None = None
    ) -> list[Delivery]:
        """The newest first. `url`: how it begins."""
        ...

    def get(self, id: str) -> Delivery | None: ...
    def attempts(self, ids: Sequence[str]) -> dict[str, list[DeliveryAttempt]]: ...


class Suggestions(Protocol):
    def add(self, reviews: Sequence[Review]) -> None: ...
    def page(self, cut: Cut, state: str | None = None, recipient: str | None = None) -> list[Review]: ...
    def get(self, id: str) -> Review | None: ...
    def decide(self, id: str, state: str, *, by: str, now: datetime, note: str | None) -> None: ...
    def reopen(self, id: str) -> None: ...


class Leftovers(Protocol):
    """What senders that are to go have left beside their messages. Never consent."""

    def forget_webhooks(self, messages: Sequence[str]) -> int: ...
    def forget(self, addresses: Sequence[str], services: Sequence[str]) -> int: ...


class Erasure(Protocol):
    """Emptying what is kept about one person. Blocks and the rows of the ledger stay."""

    def messages(self, recipient: str, now: datetime, limit: int) -> int: ...
    def ledger(self, recipient: str, limit: int) -> int: ...
    def beside(self, recipient: str) -> int: ...
    def mentions(self, recipient: str, limit: int) -> list[Mention]: ...
    def blank(self, mentions: Sequence[Mention]) -> int: ...
    def waiting(self, recipient: str) -> int: ...


class Retention(Protocol):
    """Letting go of what was kept long enough, by kind (`core/retention.py`). Never blocks, the ledger or the audit log."""

    def look(self, kind: str, after: int, before: datetime, rows: int) -> Stretch:
        """Which of the next `rows` records, made before `before` and settled, may go. `after`: where the last look ended."""
        ...

    def forget(self, kind: str, ids: Sequence[str], now: datetime) -> int:
        """Let these go, but for those that are not settled any more; how many went."""
        ...

    def oldest(self) -> dict[str, datetime]:
        """When the oldest record of each kind was made, where that is known without a search."""
        ...


class Handsets(Protocol):
    """The simulator's memory. The network below it knows no accounts: what it asks and keeps serves all."""

    def keep(self, messages: Sequence[HandsetMessage]) -> None: ...
    def of(self, handset: str, after: str | None, limit: int) -> list[HandsetMessage]: ...
    def latest(self, handset: str, limit: int) -> list[HandsetMessage]:
        """The newest `limit` of a handset, in the order they happened."""
        ...

    def known(self, attempts: Sequence[str]) -> set[str]: ...
    def unreported(self) -> list[HandsetMessage]: ...
    def set_reported(self, attempts: Sequence[str]) -> None: ...
    def all(self) -> list[str]: ...
    def network_blocked(self, sender: str, handset: str) -> bool: ...
    def network_set(self, sender: str, handset: str, *, blocked: bool) -> None: ...
    def hold(self, texts: Sequence[Transit]) -> None: ...
    def due(self, now: datetime, dead: Sequence[str], limit: int) -> list[Transit]: ...
    def next_due(self, dead: Sequence[str]) -> datetime | None: ...
    def carried(self, ids: Sequence[str]) -> None: ...
    def waiting(self) -> dict[str, int]:
        """How many texts wait for each handset of the account."""
        ...

    def receptions(self) -> dict[str, Reception]:
        """The handsets of the account that are not reached as usual."""
        ...

    def every_reception(self) -> list[tuple[str, str, Reception]]: ...
    def set_reception(self, handset: str, reception: Reception) -> None: ...


class Lists(Protocol):
    """What is stored for Twilio's accounts API and for imports. `idle_imports` looks across accounts: it serves the engines."""

    def put_contacts(self, contacts: Sequence[Contact]) -> None: ...
    def contact(self, contact: str) -> Contact | None: ...
    def safe_number(self, number: str) -> SafeNumber | None: ...
    def add_safe_number(self, number: SafeNumber) -> None: ...
    def delete_safe_number(self, number: str) -> bool: ...
    def add_import(self, import_: Import) -> None: ...
    def save_import(self, import_: Import) -> None: ...
    def import_(self, id: str) -> Import | None: ...
    def imports(self, cut: Cut) -> list[Import]: ...
    def idle_imports(self, before: datetime) -> list[Import]:
        """Imports that are running, and have taken nothing since `before`."""
        ...

    def add_import_rows(self, id: str, rows: Sequence[ImportRow]) -> None: ...
    def import_rows(self, id: str, cut_after: int, limit: int) -> list[ImportRow]: ...


class People(Protocol):
    """The team and its sessions. `find_session`, `find_user` and `forget_sessions` look across accounts: they serve the door."""

    def find_session(self, digest: str) -> Session | None: ...
    def find_user(self, name: str) -> User | None:
        """By name, in whatever case it is written: a name has one owner in the whole gateway."""
        ...

    def users(self) -> list[User]: ...
    def user(self, sid: str) -> User | None: ...
    def add_user(self, user: User) -> None: ...
    def save_user(self, user: User) -> None: ...
    def delete_user(self, sid: str) -> bool: ...
    def sessions(self, now: datetime) -> list[Session]:
        """Who is signed in, the one seen last first."""
        ...

    def add_session(self, session: Session) -> None: ...
    def save_session(self, session: Session) -> None: ...
    def end_session(self, id: str) -> bool: ...
    def end_sessions_of(self, user: str, but: str | None = None) -> int: ...
    def forget_sessions(self, before: datetime, limit: int) -> int: ...


class Audit(Protocol):
    """The audit log; rows are only added. `tries` looks across accounts: a stranger has none."""

    def add(self, rows: Sequence[AuditRow]) -> None: ...
    def page(self, cut: Cut, act: str | None = None) -> list[AuditRow]: ...
    def tries(self, act: str, since: datetime, *, subject: str | None = None, address: str | None = None) -> int: ...


class Submitted(Protocol):
    """Parts of long texts that bound customers submit. `forget` looks across accounts."""

    def parts(self, part: SubmittedPart) -> list[SubmittedPart]: ...
    def add(self, part: SubmittedPart, now: datetime) -> None: ...
    def take(self, part: SubmittedPart, now: datetime) -> None: ...
    def drop(self, part: SubmittedPart) -> None: ...
    def forget(self, before: datetime, limit: int) -> int: ...


class Stats(Protocol):
    def next_pieces(self, now: datetime, limit: int) -> list[Piece]:
        """Rows that no tally has yet, and those whose tally has grown old."""
        ...

    def count(self, piece: Piece) -> Piece: ...
    def keep(self, piece: Piece, now: datetime) -> None: ...
    def counts(self, by: str, since: datetime, service: str | None = None) -> list[dict[str, Any]]: ...
    def links(self) -> list[dict[str, Any]]:
        """How quick each connection answers and reports, by the newest messages."""
        ...

    def tries(self) -> list[dict[str, Any]]:
        """Of the newest webhooks, how many arrived after how many tries."""
        ...

    def senders(self, service: str) -> list[dict[str, Any]]:
        """Of the newest messages of the account those sent through a messaging service, by sender: sent, delivered, failed."""
        ...

    def waiting(self, now: datetime) -> dict[str, int]:
        """How many texts wait for a carrier and webhooks for an application, of all accounts; of more than `TALLIED_MAX`, one more."""
        ...

    def rates(self, by: str, since: datetime, service: str | None = None) -> list[dict[str, Any]]:
        """Opt-outs of persons against delivered messages, by day, hour, service, country, word, language, moment or week."""
        ...

    def waits(self, since: datetime, bounds: Sequence[int], service: str | None = None) -> list[int]:
        """Opt-outs by the time since the last message before, in buckets that end at `bounds` (milliseconds)."""
        ...

    def provoking(self, since: datetime, limit: int, service: str | None = None) -> list[dict[str, Any]]:
        """The texts that were the last before most opt-outs."""
        ...

    def outcomes(self, since: datetime, service: str | None = None) -> dict[str, dict[str, int]]:
        """What became of sends, by status, code of failure and code of refusal."""
        ...


class Alerts(Protocol):
    """Alerts, their rules and mutes. `active`, `waiting`, `overdue`, `every_…` and `forget` look across accounts."""

    def active(self, since: datetime) -> list[str]:
        """Accounts whose newest message was made since."""
        ...

    def waiting(self) -> list[Backlog]:
        """Webhooks that wait, by account."""
        ...

    def overdue(self, now: datetime) -> list[Backlog]:
        """Suggestions that are open past their date, by account."""
        ...

    def every_standing(self) -> list[Alert]: ...
    def every_change(self) -> list[Change]: ...
    def every_mute(self, now: datetime) -> list[Mute]: ...
    def spreads(self, since: datetime, numbers: int) -> list[Spread]:
        """Blocks of numbers of which at least so many got texts since, the most first; among the newest messages."""
        ...

    def written_before(self, block: str, before: datetime) -> bool:
        """Whether any number that begins so had a message before."""
        ...

    def replied(self, since: datetime, replies: int) -> list[Replied]:
        """Pairs between which at least so many replies went since, the most first; among the newest messages."""
        ...

    def standing(self) -> list[Alert]:
        """What is not over, the newest first."""
        ...

    def page(self, cut: Cut, states: Sequence[str] = (), kind: str | None = None) -> list[Alert]: ...
    def get(self, id: str) -> Alert | None: ...
    def add(self, alert: Alert) -> None: ...
    def save(self, alert: Alert) -> None: ...
    def forget(self, before: datetime, limit: int) -> int: ...
    def changes(self) -> list[Change]:
        """The rules that differ from their default."""
        ...

    def put_change(self, change: Change) -> None: ...
    def drop_change(self, kind: Kind) -> bool:
        """The default holds again; whether it did not before."""
        ...

    def mutes(self, now: datetime) -> list[Mute]:
        """Those that have not ended."""
        ...

    def put_mute(self, mute: Mute) -> None: ...
    def drop_mute(self, kind: Kind, subject: str) -> bool: ...


class Tx(Protocol):
    """One transaction of one account."""

    @property
    def account(self) -> str: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def services(self) -> Services: ...
    @property
    def connections(self) -> Connections: ...
    @property
    def pushes(self) -> Pushes: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def jobs(self) -> Jobs: ...
    @property
    def consent(self) -> Consent: ...
    @property
    def inbound(self) -> Inbound: ...
    @property
    def replies(self) -> Replies: ...
    @property
    def webhooks(self) -> Webhooks: ...
    @property
    def suggestions(self) -> Suggestions: ...
    @property
    def handsets(self) -> Handsets: ...
    @property
    def lists(self) -> Lists: ...
    @property
    def stats(self) -> Stats: ...
    @property
    def submitted(self) -> Submitted: ...
    @property
    def leftovers(self) -> Leftovers: ...
    @property
    def erasure(self) -> Erasure: ...
    @property
    def retention(self) -> Retention: ...
    @property
    def people(self) -> People: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def alerts(self) -> Alerts: ...

    def of(self, account: str) -> "Tx":
        """The same transaction, seen by another account: engines serve many in one unit."""
        ...

    def wake(self, engine: str) -> None:
        """After the commit, wake the engine of this name: `dispatch`, `notify`, `connections`."""
        ...

    def tell(self, event: str, **facts: Any) -> None:
        """After the commit, put one line on the live tail of this account."""
        ...


class Haste(Enum):
    """How soon a unit must be kept, and how well."""

    URGENT = "urgent"  # before all others, and where others find no room: what people wrote, what went out
    PLAIN = "plain"
    PATIENT = "patient"  # in the pauses; kept when the process dies, and done again where the machine does


class Store(Protocol):
    """Where everything is remembered. `write` answers after the commit, or raises and nothing happened."""

    async def write(
        self, unit: Callable[[Tx], T], *, account: str, lock: Sequence[str] = (), haste: Haste = Haste.PLAIN
    ) -> T: ...
    async def read(self, query: Callable[[Tx], T], *, account: str, seconds: float = 5.0) -> T:
        """Answer from one snapshot; StoreSlow after `seconds`."""
        ...

    async def directory(self, account: str) -> Directory:
        """The account's configuration, cached by version."""
        ...

    async def account_of(self, address: str) -> str | None:
        """Which account owns this sender address."""
        ...

    async def drained(self, account: str, recipient: str, attempts: Iterable[str], *, seconds: float) -> list[str]:
        """Wait until each attempt has its answer, at most `seconds`; the ids of those that have none."""
        ...

    async def backup(self, target: str) -> Mapping[str, Any]: ...
    def state(self) -> Mapping[str, Any]:
        """What `/readyz` and `doctor` show: engine, version, notices, queue."""
        ...
