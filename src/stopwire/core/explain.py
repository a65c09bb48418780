"""Why a message was sent, refused or answered, in plain words: a verdict, the reasons, what proves them, what was asked.

A pure rendering of facts that were decided and kept elsewhere; nothing is decided anew. Every sentence is whole and
keeps its values, so that a reader of another language gets it whole too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from stopwire.core.address import mask
from stopwire.core.consent import Reason, SealedEvent, fold
from stopwire.core.errors import CATALOGUE
from stopwire.core.jobs import Attempt, Delivery, Refusal
from stopwire.core.message import Message, Status, emptied_at
from stopwire.core.senders import Directory, Sender, scopes_of
from stopwire.core.sentences import Sentence, in_a_row, word

OPTED_OUT = 21610


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A kept record that the explanation stands on."""

    kind: str  # message | consent_event | block | policy | attempt | webhook | suggestion
    id: str
    at: datetime | None
    text: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One scope that was consulted, and whether it was closed at that moment. `event` is what closed it."""

    scope: str
    name: Sentence
    blocked: bool
    event: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    verdict: str
    why: tuple[Sentence, ...]
    evidence: tuple[Proof, ...] = ()
    checked: tuple[Check, ...] = ()
    next: tuple[Sentence, ...] = ()


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
    why = [_REFUSED.of(code=refusal.code, cause=cause(refusal.code))]
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
    why = [*_acceptance(message, checked, facts), *_attempts_story(facts.attempts), _stands(message, facts.attempts), *_erasure_story(message)]
    evidence = [*_attempt_proofs(facts.attempts), *_delivery_proofs(facts.deliveries)]
    following: tuple[Sentence, ...] = ()
    if message.error_code is not None:
        why.append(_ERROR.of(code=message.error_code, cause=cause(message.error_code)))
        following = _cure(message.error_code, message.recipient)
    if message.error_code == OPTED_OUT:
        told, proofs = _block_story("", checked, facts)
        why, evidence = why + told, proofs + evidence
    elif message.status is Status.SCHEDULED:
        following = (Sentence("It can still be taken back: POST Status=canceled to the message."),)
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
        why.append(Sentence("It is part of a long text whose rest did not arrive; only a STOP counts in such a part."))
    why.append(_reply_story(decision, facts.reply))
    why += [*_webhook_story(message, facts), *_erasure_story(message)]
    evidence = [*(_event_proof(each, facts.directory) for each in own), *_policy_proof(decision, message)]
    if facts.reply is not None:
        evidence.append(Proof(kind="message", id=facts.reply.sid, at=facts.reply.created_at, text=Sentence("The automatic reply.")))
    evidence += [*_attempt_proofs(facts.attempts), *_delivery_proofs(facts.deliveries)]
    following = []
    if suggestion := decision.get("suggestion"):
        why.append(Sentence("It looked as if more was meant, so a suggestion waits for a person; it blocks nothing by itself."))
        waits = Sentence("Waits in the review queue.")
        evidence.append(Proof(kind="suggestion", id=str(suggestion), at=message.created_at, text=waits))
        following.append(Sentence("Confirm or dismiss the suggestion %(id)s.", id=str(suggestion)))
    return Explanation(
        verdict=_INBOUND.get(str(decision.get("effect")), "passed_on") if decision.get("keyword") != "HELP" else "helped",
        why=tuple(why),
        evidence=tuple(evidence),
        checked=checked,
        next=tuple(following),
    )


_REFUSED = Sentence("The request was answered with error %(code)s and nothing was sent: %(cause)s")
_ERROR = Sentence("Error %(code)s: %(cause)s")
_INBOUND = {"block": "blocked", "repeat": "already_blocked", "lift": "lifted", "lift_refused": "lift_refused"}

# The rows of the table in docs/reference/opt-out.md, each as one sentence.
_ROWS: Mapping[int, Sentence] = {
    1: Sentence("The person was open in this scope: a STOP blocks, ends what was waiting to be sent, and is confirmed once."),
    2: Sentence("The person was blocked already: a second STOP is noted and changes nothing."),
    3: Sentence("The person was blocked by their own wish: a START lifts that and is confirmed once."),
    4: Sentence("The block was not made by the person's own wish: only an operator may lift it, so START did not."),
    5: Sentence("The person was not blocked: a START has nothing to lift."),
    6: Sentence("A HELP is answered and changes no standing."),
    7: Sentence("It was an ordinary message."),
    8: Sentence("The person was open: a STOP blocks; the toll-free network confirms it itself."),
    9: Sentence("The person was blocked on a toll-free sender: a START lifts it; the network answers itself."),
    10: Sentence("It was an ordinary message: the toll-free network does not know the word YES."),
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
    earlier = [each.event for each in facts.events if each.event.recorded_at <= at and (without is None or each.event.message != without)]
    told = [(event.holder, event.group, event.recipient, event.act, event.id) for event in earlier]
    closed = {holder: event for (holder, _, person), event in fold(told).items() if person == recipient}
    return tuple(
        Check(scope=scope, name=_name(scope, facts.directory), blocked=scope in closed, event=closed.get(scope)) for scope in scopes
    )


def _name(holder: str, directory: Directory) -> Sentence:
    if holder == directory.account.sid:
        return Sentence("the whole account")
    if service := directory.services.get(holder):
        return Sentence("messaging service %(name)s", name=service.friendly_name)
    if sender := directory.senders.get(holder):
        return Sentence("sender %(address)s", address=sender.address)
    return Sentence("a service or sender of the past")


# How a scope was closed, by the reason of the event that closed it.
_CLOSED: Mapping[Reason | None, Sentence] = {
    Reason.KEYWORD: Sentence("%(person)s was blocked for %(scope)s since %(time)s by the word %(word)s."),
    Reason.PHRASE: Sentence("%(person)s was blocked for %(scope)s since %(time)s by the phrase “%(word)s” (rule %(rule)s)."),
    Reason.REVIEW: Sentence("%(person)s was blocked for %(scope)s since %(time)s by a text that a person read as an opt-out."),
    Reason.CONSENT: Sentence("%(person)s was blocked for %(scope)s since %(time)s by a wish that the application recorded."),
    Reason.CARRIER: Sentence(
        "%(person)s was blocked for %(scope)s since %(time)s because a carrier says that the person opted out there."
    ),
    Reason.IMPORT: Sentence("%(person)s was blocked for %(scope)s since %(time)s by an imported list."),
}
_CLOSED_BY = Sentence("%(person)s was blocked for %(scope)s since %(time)s by %(actor)s, reason %(reason)s.")


def _block_story(event_id: str, checked: Sequence[Check], facts: Facts) -> tuple[list[Sentence], list[Proof]]:
    """Which event closed the scope, told and proved."""
    wanted = event_id or next((each.event for each in checked if each.event), None)
    found = next((each for each in facts.events if each.event.id == wanted), None)
    if found is None:
        return [Sentence("The recipient was blocked at that moment.")], []
    event = found.event
    told = [
        _CLOSED.get(event.reason, _CLOSED_BY).of(
            person=mask(event.recipient),
            scope=_name(event.holder, facts.directory),
            time=event.occurred_at,
            word=event.word or "–",
            rule=event.rule or "–",
            actor=_actor(event.actor),
            reason=word(event.reason.value if event.reason else "none"),
        )
    ]
    if event.policy_version is not None:
        told.append(Sentence("Version %(version)s of the opt-out settings was in force then.", version=event.policy_version))
    return told, [_event_proof(found, facts.directory)]


def _actor(actor: str) -> str:
    return Sentence("the person") if actor == "recipient" else actor


def _event_proof(sealed: SealedEvent, directory: Directory) -> Proof:
    event = sealed.event
    told = [
        Sentence(
            "Row %(row)s of the ledger: %(act)s for %(scope)s, by %(actor)s.",
            row=sealed.seq, act=word(event.act.value), scope=_name(event.holder, directory), actor=_actor(event.actor),
        )
    ]  # fmt: skip
    if event.reason is not None:
        told.append(Sentence("Its reason: %(reason)s.", reason=word(event.reason.value)))
    if event.word:
        told.append(Sentence("The word was %(word)s.", word=event.word))
    if event.policy_version is not None:
        told.append(Sentence("Settings version %(version)s was in force.", version=event.policy_version))
    if event.message:
        told.append(Sentence("It came from the message %(id)s.", id=event.message))
    return Proof(kind="consent_event", id=event.id, at=event.occurred_at, text=in_a_row(told))


def _acceptance(message: Message, checked: Sequence[Check], facts: Facts) -> list[Sentence]:
    told = []
    if message.service:
        through = _name(message.service, facts.directory)
        if message.sender:
            told.append(Sentence("It was sent through %(service)s, which speaks by %(sender)s.", service=through, sender=message.sender))
        else:
            told.append(Sentence("It was sent through %(service)s, which has yet to choose a sender.", service=through))
    if message.error_code != OPTED_OUT:
        told.append(Sentence("None of the %(number)s scopes that count for it was blocked for the recipient.", number=len(checked)))
    return told


# What a carrier made of the last attempt, by the attempt's state.
ANSWERED: Mapping[str, Sentence] = {
    "written": Sentence("It was handed to the carrier %(carrier)s, which has not answered yet."),
    "accepted": Sentence("It was handed to the carrier %(carrier)s, which took it."),
    "deferred": Sentence("It was handed to the carrier %(carrier)s, which could not take it then and may be asked again."),
    "rejected": Sentence("It was handed to the carrier %(carrier)s, which refused it for good."),
    "unknown": Sentence("It was handed to the carrier %(carrier)s, whose answer never came or told nothing: it may have arrived, or not."),
    "released": Sentence("It was meant for the carrier %(carrier)s, but certainly never left."),
    "halted": Sentence("It was handed to the carrier %(carrier)s in part: what had not left was held back."),
}


def _attempts_story(attempts: Sequence[Attempt]) -> list[Sentence]:
    if not attempts:
        return [Sentence("It was not handed to a carrier.")]
    last, told = attempts[-1], []
    if len(attempts) > 1:
        told.append(Sentence("It was handed over %(count)s times.", count=len(attempts)))
    told.append(ANSWERED.get(last.state, ANSWERED["written"]).of(carrier=last.connection))
    if any(each.raced for each in attempts):
        told.append(Sentence("It was already on its way when the person's STOP was acknowledged."))
    return told


_STATUS: Mapping[Status, Sentence] = {
    Status.ACCEPTED: Sentence("It waits for a sender and its carrier."),
    Status.SCHEDULED: Sentence("It waits for its time."),
    Status.QUEUED: Sentence("It waits for its carrier."),
    Status.SENDING: Sentence("It is being handed to the carrier."),
    Status.SENT: Sentence("The carrier has it and has not said yet whether it arrived."),
    Status.DELIVERED: Sentence("The carrier says that it arrived."),
    Status.READ: Sentence("The person has read it."),
    Status.UNDELIVERED: Sentence("The carrier says that it did not arrive."),
    Status.FAILED: Sentence("It ended without being delivered."),
    Status.CANCELED: Sentence("It was taken back before it left."),
    Status.RECEIVED: Sentence("It came in."),
}


_OPEN = Sentence("What became of it is open until the carrier reports on it, or its time is over.")


def _stands(message: Message, attempts: Sequence[Attempt]) -> Sentence:
    """How it stands with a message now."""
    doubtful = message.status is Status.SENDING and bool(attempts) and attempts[-1].state == "unknown"
    return _OPEN if doubtful else _STATUS[message.status]


def _handling_story(decision: Mapping[str, object], message: Message, directory: Directory) -> Sentence:
    at = message.sender or "–"
    match decision.get("handling"):
        case "advanced":
            return Sentence(
                "It came in at %(sender)s, read by version %(version)s of the opt-out settings of %(service)s.",
                sender=at, version=str(decision.get("policy_version")), service=_name(message.service or "", directory),
            )  # fmt: skip
        case "default":
            return Sentence("It came in at %(sender)s, read by the default words.", sender=at)
        case _:
            return Sentence("It came in at %(sender)s, which takes no keywords: every text is an ordinary message there.", sender=at)


def _match_story(decision: Mapping[str, object]) -> list[Sentence]:
    keyword, said, language = str(decision.get("keyword") or ""), str(decision.get("word") or ""), decision.get("language")
    if not keyword:
        return []
    if not said:
        return [Sentence("It is a %(keyword)s.", keyword=keyword)]
    if decision.get("matched_by") == "phrase":
        told = Sentence("The phrase “%(word)s” means %(keyword)s: rule %(rule)s.", word=said, keyword=keyword, rule=str(decision.get("rule")))
    else:
        told = Sentence("Decoration aside it is the word %(word)s, which means %(keyword)s.", word=said, keyword=keyword)
    return [told, Sentence("It belongs to the language %(language)s.", language=str(language))] if language else [told]


def _reply_story(decision: Mapping[str, object], reply: Message | None) -> Sentence:
    if reply is not None and reply.decision.get("review"):
        return Sentence(
            "A person read it as an opt-out, and the confirmation %(id)s was queued then; it is %(status)s.",
            id=reply.sid,
            status=word(reply.status.value),
        )
    if reply is not None:
        return Sentence("The automatic reply %(id)s was queued with it; it is %(status)s.", id=reply.sid, status=word(reply.status.value))
    if decision.get("reply"):
        return Sentence("The automatic reply %(id)s was queued with it.", id=str(decision["reply"]))
    return Sentence("No automatic reply was sent by us.")


def _erasure_story(message: Message) -> list[Sentence]:
    """What became of the text itself: who reads this later sees an empty one."""
    if gone_at := emptied_at(message):
        return [Sentence("Its text was erased on %(time)s; all else about it is as it was kept.", time=gone_at)]
    if message.options.get("ContentRetention") == "discard" and not message.body:
        return [Sentence("Its text was not kept, as ContentRetention=discard asked.")]
    return []


def _webhook_story(message: Message, facts: Facts) -> list[Sentence]:
    deliveries, days = facts.deliveries, facts.directory.account.settings.keep_webhooks_days
    if not message.decision.get("forward"):
        return [Sentence("The webhook was not called for it: that is how this sender is set, or how a default HELP is handled.")]
    if not deliveries and days is not None:
        return [Sentence("No webhook of it is kept: there was none, or it is older than %(days)s days.", days=days)]
    if not deliveries and emptied_at(message):
        return [Sentence("No webhook of it is kept: there was none, or it was erased with the text.")]
    if not deliveries:
        return [Sentence("No webhook is set for this sender, so nobody was called.")]
    return [Sentence("The webhook %(url)s is %(state)s.", url=deliveries[0].url, state=word(deliveries[0].state))]


def _policy_proof(decision: Mapping[str, object], message: Message) -> list[Proof]:
    version = decision.get("policy_version")
    if decision.get("handling") != "advanced" or version is None or message.service is None:
        return []
    told = Sentence("Settings version %(version)s was in force.", version=str(version))
    return [Proof(kind="policy", id=f"{message.service}/{version}", at=None, text=told)]


def _attempt_proofs(attempts: Sequence[Attempt]) -> list[Proof]:
    return [Proof(kind="attempt", id=each.id, at=each.at, text=_attempt_told(each)) for each in attempts]


def _attempt_told(attempt: Attempt) -> Sentence:
    told = [Sentence("%(carrier)s: %(state)s.", carrier=attempt.connection, state=word(attempt.state))]
    if attempt.reference:
        told.append(Sentence("Its reference is %(reference)s.", reference=attempt.reference))
    if attempt.detail:
        told.append(Sentence("The carrier said “%(detail)s”.", detail=attempt.detail))
    return in_a_row(told)


def _delivery_proofs(deliveries: Sequence[Delivery]) -> list[Proof]:
    return [
        Proof(
            kind="webhook",
            id=each.id,
            at=each.created_at,
            text=Sentence(
                "%(event)s to %(url)s: %(state)s after %(rounds)s rounds.",
                event=word(each.event), url=each.url, state=word(each.state), rounds=each.rounds,
            ),
        )
        for each in deliveries
    ]  # fmt: skip


def cause(code: int) -> Sentence:
    """What an error code means, as one sentence."""
    entry = CATALOGUE.get(code)
    return Sentence(entry.cause) if entry else Sentence("A carrier gave this code, which we do not know.")


def _cure(code: int, recipient: str | None) -> tuple[Sentence, ...]:
    if code == OPTED_OUT:
        return (
            Sentence("The person can text START to the sender, where the block was their own wish."),
            Sentence("An operator can lift the block with a note: DELETE /api/v1/blocks."),
        )
    entry = CATALOGUE.get(code)
    return (Sentence(entry.cure),) if entry else ()
