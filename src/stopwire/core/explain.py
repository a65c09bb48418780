"""Why a message was sent, refused or answered, in plain words: a verdict, the reasons, what proves them, what was asked.

A pure rendering of facts that were decided and kept elsewhere; nothing is decided anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from stopwire.core.address import mask
from stopwire.core.consent import SealedEvent, fold
from stopwire.core.errors import CATALOGUE
from stopwire.core.jobs import Attempt, Delivery, Refusal
from stopwire.core.message import Message, Status
from stopwire.core.senders import Directory, Sender, scopes_of

OPTED_OUT = 21610


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A kept record that the explanation stands on."""

    kind: str  # message | consent_event | block | policy | attempt | webhook | suggestion
    id: str
    at: datetime | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One scope that was consulted, and whether it was closed at that moment. `event` is what closed it."""

    scope: str
    name: str
    blocked: bool
    event: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    verdict: str
    why: tuple[str, ...]
    evidence: tuple[Proof, ...] = ()
    checked: tuple[Check, ...] = ()
    next: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was kept about one message or refusal. `events`: the recipient's part of the ledger, oldest first."""

    directory: Directory
    events: Sequence[SealedEvent] = ()
    attempts: Sequence[Attempt] = ()
    deliveries: Sequence[Delivery] = ()
    reply: Message | None = None


def of_refusal(refusal: Refusal, facts: Facts) -> Explanation:
    """Why an order was declined."""
    sender = _sender(refusal.sender, facts.directory)
    checked = _checked(sender, refusal.service, refusal.recipient, facts, refusal.at)
    why = [f"The request was answered with error {refusal.code} and nothing was sent: {_cause(refusal.code)}"]
    evidence: list[Proof] = []
    if refusal.code == OPTED_OUT:
        event_id = str(refusal.because.get("event", "")) if refusal.because else ""
        told, proofs = _block_story(event_id, checked, facts)
        why, evidence = why + told, proofs
    return Explanation(
        verdict="refused", why=tuple(why), evidence=tuple(evidence), checked=checked, next=_cure(refusal.code, refusal.recipient)
    )


def of_outbound(message: Message, facts: Facts) -> Explanation:
    """Why an outbound message is where it is."""
    sender = _sender(message.sender, facts.directory)
    at = message.updated_at if message.error_code == OPTED_OUT else message.created_at
    checked = _checked(sender, message.service, message.recipient, facts, at)
    why = [*_acceptance(message, checked, facts), *_attempts_story(facts.attempts), _status_story(message)]
    evidence = [*_attempt_proofs(facts.attempts), *_delivery_proofs(facts.deliveries)]
    following: tuple[str, ...] = ()
    if message.error_code is not None:
        why.append(f"Error {message.error_code}: {_cause(message.error_code)}")
        following = _cure(message.error_code, message.recipient)
    if message.error_code == OPTED_OUT:
        told, proofs = _block_story("", checked, facts)
        why, evidence = why + told, proofs + evidence
    elif message.status is Status.SCHEDULED:
        following = ("It can still be taken back: POST Status=canceled to the message.",)
    return Explanation(verdict=message.status.value, why=tuple(why), evidence=tuple(evidence), checked=checked, next=following)


def of_inbound(message: Message, facts: Facts) -> Explanation:
    """What an inbound message did, and by which rule."""
    decision = message.decision
    sender = _sender(message.sender, facts.directory)
    own = [each for each in facts.events if each.event.message == message.sid]
    checked = _checked(sender, message.service, message.recipient, facts, message.created_at, without=message.sid)
    why = [_handling_story(decision, message, facts.directory), *_match_story(decision)]
    if row := _ROWS.get(int(decision.get("row") or 0)):
        why.append(row)
    if decision.get("partial"):
        why.append("It is part of a long text whose rest did not arrive; only a STOP counts in such a part.")
    why.append(_reply_story(decision, facts.reply))
    why += _webhook_story(decision, facts.deliveries)
    evidence = [*(_event_proof(each, facts.directory) for each in own), *_policy_proof(decision, message)]
    if facts.reply is not None:
        evidence.append(Proof(kind="message", id=facts.reply.sid, at=facts.reply.created_at, text="The automatic reply."))
    evidence += [*_attempt_proofs(facts.attempts), *_delivery_proofs(facts.deliveries)]
    following = []
    if suggestion := decision.get("suggestion"):
        why.append("It looked as if more was meant, so a suggestion waits for a person; it blocks nothing by itself.")
        evidence.append(Proof(kind="suggestion", id=str(suggestion), at=message.created_at, text="Waits in the review queue."))
        following.append(f"Confirm or dismiss the suggestion {suggestion}.")
    return Explanation(
        verdict=_INBOUND.get(str(decision.get("effect")), "passed_on") if decision.get("keyword") != "HELP" else "helped",
        why=tuple(why),
        evidence=tuple(evidence),
        checked=checked,
        next=tuple(following),
    )


_INBOUND = {"block": "blocked", "repeat": "already_blocked", "lift": "lifted", "lift_refused": "lift_refused"}

# The rows of the table in docs/reference/opt-out.md, each as one sentence.
_ROWS: Mapping[int, str] = {
    1: "The person was open in this scope: a STOP blocks, ends what was waiting to be sent, and is confirmed once.",
    2: "The person was blocked already: a second STOP is noted and changes nothing.",
    3: "The person was blocked by their own wish: a START lifts that and is confirmed once.",
    4: "The block was not made by the person's own wish: only an operator may lift it, so START did not.",
    5: "The person was not blocked: a START has nothing to lift.",
    6: "A HELP is answered and changes no standing.",
    7: "It was an ordinary message.",
    8: "The person was open: a STOP blocks; the toll-free network confirms it itself.",
    9: "The person was blocked on a toll-free sender: a START lifts it; the network answers itself.",
}


def _sender(address: str | None, directory: Directory) -> Sender | None:
    return directory.sender_at(address) if address else None


def _checked(
    sender: Sender | None,
    service: str | None,
    recipient: str | None,
    facts: Facts,
    at: datetime,
    *,
    without: str | None = None,
) -> tuple[Check, ...]:
    """The scopes that count for this pair, and who was blocked where at that moment; not by the text `without` itself."""
    account = facts.directory.account.sid
    if sender is not None:
        scopes: Iterable[str] = scopes_of(sender, service, account)
    else:
        scopes = [scope for scope in (service, account) if scope]
    earlier = [each.event for each in facts.events if each.event.recorded_at <= at and each.event.message != without]
    told = [(event.holder, event.group, event.recipient, event.act, event.id) for event in earlier]
    closed = {holder: event for (holder, _, person), event in fold(told).items() if person == recipient}
    return tuple(
        Check(scope=scope, name=_name(scope, facts.directory), blocked=scope in closed, event=closed.get(scope)) for scope in scopes
    )


def _name(holder: str, directory: Directory) -> str:
    if holder == directory.account.sid:
        return "the whole account"
    if service := directory.services.get(holder):
        return f"messaging service {service.friendly_name}"
    if sender := directory.senders.get(holder):
        return f"sender {sender.address}"
    return "a service or sender of the past"


def _block_story(event_id: str, checked: Sequence[Check], facts: Facts) -> tuple[list[str], list[Proof]]:
    """Which event closed the scope, told and proved."""
    wanted = event_id or next((each.event for each in checked if each.event), None)
    found = next((each for each in facts.events if each.event.id == wanted), None)
    if found is None:
        return ["The recipient was blocked at that moment."], []
    event = found.event
    where = _name(event.holder, facts.directory)
    when = event.occurred_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    how = {
        "keyword": f"by the word {event.word}",
        "phrase": f"by the phrase “{event.word}” (rule {event.rule})",
        "review": "by a text that a person read as an opt-out",
        "consent": "by a wish that the application recorded",
        "carrier": "because a carrier says that the person opted out there",
        "import": "by an imported list",
    }.get(event.reason.value if event.reason else "", f"by {event.actor}, reason {event.reason.value if event.reason else 'none'}")
    told = [f"{mask(event.recipient)} was blocked for {where} since {when} {how}."]
    if event.policy_version is not None:
        told.append(f"Version {event.policy_version} of the opt-out settings was in force then.")
    return told, [_event_proof(found, facts.directory)]


def _event_proof(sealed: SealedEvent, directory: Directory) -> Proof:
    event = sealed.event
    text = f"{event.act.value} for {_name(event.holder, directory)}, by {event.actor}"
    if event.reason is not None:
        text += f", reason {event.reason.value}"
    if event.word:
        text += f", word {event.word}"
    if event.policy_version is not None:
        text += f", settings version {event.policy_version}"
    if event.message:
        text += f", from message {event.message}"
    return Proof(kind="consent_event", id=event.id, at=event.occurred_at, text=f"{text}; row {sealed.seq} of the ledger.")


def _acceptance(message: Message, checked: Sequence[Check], facts: Facts) -> list[str]:
    told = []
    if message.service:
        speaker = message.sender or "a sender yet to be chosen"
        told.append(f"It was sent through {_name(message.service, facts.directory)}, which speaks by {speaker}.")
    if message.error_code != OPTED_OUT:
        told.append(f"None of the {len(checked)} scopes that count for it was blocked for the recipient.")
    return told


def _attempts_story(attempts: Sequence[Attempt]) -> list[str]:
    if not attempts:
        return ["It was not handed to a carrier."]
    last = attempts[-1]
    told = [f"It was handed to the carrier {last.connection} {_times(len(attempts))}; the last answer was: {last.state}."]
    if any(each.raced for each in attempts):
        told.append("It was already on its way when the person's STOP was acknowledged.")
    return told


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _status_story(message: Message) -> str:
    return {
        Status.ACCEPTED: "It waits for a sender and its carrier.",
        Status.SCHEDULED: "It waits for its time.",
        Status.QUEUED: "It waits for its carrier.",
        Status.SENDING: "It is being handed to the carrier.",
        Status.SENT: "The carrier has it and has not said yet whether it arrived.",
        Status.DELIVERED: "The carrier says that it arrived.",
        Status.READ: "The person has read it.",
        Status.UNDELIVERED: "The carrier says that it did not arrive.",
        Status.FAILED: "It ended without being delivered.",
        Status.CANCELED: "It was taken back before it left.",
        Status.RECEIVED: "It came in.",
    }[message.status]


def _handling_story(decision: Mapping[str, object], message: Message, directory: Directory) -> str:
    to = f"It came in at {message.sender}"
    match decision.get("handling"):
        case "advanced":
            where = _name(message.service or "", directory)
            return f"{to}, read by version {decision.get('policy_version')} of the opt-out settings of {where}."
        case "default":
            return f"{to}, read by the default words."
        case _:
            return f"{to}, which takes no keywords: every text is an ordinary message there."


def _match_story(decision: Mapping[str, object]) -> list[str]:
    keyword, word = decision.get("keyword"), decision.get("word")
    if not keyword:
        return []
    if not word:
        return [f"It is a {keyword}."]
    listed = f" of the language {decision['language']}" if decision.get("language") else ""
    if decision.get("matched_by") == "phrase":
        return [f"The phrase “{word}” means {keyword}: rule {decision.get('rule')}{listed}."]
    return [f"Decoration aside it is the word {word}{listed}, which means {keyword}."]


def _reply_story(decision: Mapping[str, object], reply: Message | None) -> str:
    if reply is not None:
        return f"The automatic reply {reply.sid} was queued with it; it is {reply.status.value}."
    if decision.get("reply"):
        return f"The automatic reply {decision['reply']} was queued with it."
    return "No automatic reply was sent by us."


def _webhook_story(decision: Mapping[str, object], deliveries: Sequence[Delivery]) -> list[str]:
    if not decision.get("forward"):
        return ["The webhook was not called for it: that is how this sender is set, or how a default HELP is handled."]
    if not deliveries:
        return ["No webhook is set for this sender, so nobody was called."]
    return [f"The webhook {deliveries[0].url} is {deliveries[0].state}."]


def _policy_proof(decision: Mapping[str, object], message: Message) -> list[Proof]:
    version = decision.get("policy_version")
    if decision.get("handling") != "advanced" or version is None or message.service is None:
        return []
    return [Proof(kind="policy", id=f"{message.service}/{version}", at=None, text=f"Settings version {version} was in force.")]


def _attempt_proofs(attempts: Sequence[Attempt]) -> list[Proof]:
    return [
        Proof(
            kind="attempt",
            id=each.id,
            at=each.at,
            text=f"{each.connection}: {each.state}"
            + (f", reference {each.reference}" if each.reference else "")
            + (f", “{each.detail}”" if each.detail else "")
            + ".",
        )
        for each in attempts
    ]


def _delivery_proofs(deliveries: Sequence[Delivery]) -> list[Proof]:
    return [
        Proof(kind="webhook", id=each.id, at=each.created_at, text=f"{each.event} to {each.url}: {each.state} after {each.rounds} rounds.")
        for each in deliveries
    ]


def _cause(code: int) -> str:
    entry = CATALOGUE.get(code)
    return entry.cause if entry else "a carrier gave this code, which we do not know."


def _cure(code: int, recipient: str | None) -> tuple[str, ...]:
    if code == OPTED_OUT:
        return (
            "The person can text START to the sender, where the block was their own wish.",
            "An operator can lift the block with a note: DELETE /api/v1/blocks.",
        )
    entry = CATALOGUE.get(code)
    return (entry.cure,) if entry else ()
