"""The first sentence of an explanation: who did what, when, to whom, and what that means. The code stands last."""

from datetime import datetime, timedelta

from starlette.requests import Request

from stopwire.console.render import N_, Teller, retell, say, teller
from stopwire.core.consent import ConsentEvent, Reason
from stopwire.core.explain import cause as cause_of
from stopwire.core.message import Direction, Message, Purpose, Status
from stopwire.core.senders import Directory
from stopwire.flows.story import OPTED_OUT, Story

TOLL_FREE_BLOCK = 30004

# Why a person is blocked, by the reason of the event that blocked them.
_BLOCKED = {
    Reason.KEYWORD: N_("Refused: this person replied %(word)s to %(scope)s on %(time)s, %(ago)s. %(cover)s [21610]"),
    Reason.PHRASE: N_("Refused: they wrote “%(text)s” to %(scope)s on %(time)s, and natural matching read it as an opt-out (rule %(rule)s). [21610]"),
    Reason.REVIEW: N_("Refused: %(who)s confirmed on %(time)s that “%(text)s” was an opt-out from %(scope)s. START lifts it. [21610]"),
    Reason.CONSENT: N_("Refused: your application recorded on %(time)s that this person opted out of %(scope)s. START lifts it. [21610]"),
    Reason.OPERATOR: N_(
        "Refused: %(who)s blocked this person for %(scope)s on %(time)s. START does not lift this block; an "
        "admin can, with a reason. [21610]"
    ),
    Reason.API: N_("Refused: blocked for %(scope)s through the API on %(time)s. START does not lift it. [21610]"),
    Reason.IMPORT: N_("Refused: blocked for %(scope)s since %(time)s by an imported list. START lifts it. [21610]"),
    Reason.CARRIER: N_(
        "Refused: on %(time)s a carrier rejected a text because this person had opted out there. We keep "
        "that as a block of %(scope)s. [21610]"
    ),
    Reason.WRONG_NUMBER: N_("Refused: since %(time)s this number counts as a wrong one for %(scope)s. START does not lift that. [21610]"),
    Reason.REASSIGNED: N_("Refused: this number changed hands; noted for %(scope)s on %(time)s. START does not lift that. [21610]"),
    Reason.COMPLAINT: N_("Refused: a complaint was recorded for %(scope)s on %(time)s. START does not lift that. [21610]"),
}  # fmt: skip

_STATUS = {
    Status.ACCEPTED: N_("Accepted: it waits for a sender and its carrier."),
    Status.SCHEDULED: N_("Scheduled: it waits for its time."),
    Status.QUEUED: N_("Queued: it waits for its carrier."),
    Status.SENDING: N_("On its way: it is being handed to the carrier."),
    Status.SENT: N_("Sent: the carrier has it and has not said yet whether it arrived."),
    Status.DELIVERED: N_("Delivered: the carrier reports that it arrived."),
    Status.READ: N_("Read: the person has opened it."),
    Status.UNDELIVERED: N_("Not delivered: the carrier reports that it did not arrive."),
    Status.FAILED: N_("Failed: it ended without being delivered."),
    Status.CANCELED: N_("Canceled: it was taken back before it left."),
    Status.RECEIVED: N_("Received."),
}
_EFFECT = {
    "block": N_("Blocked by the person: their text is a STOP, and no sender of this scope may text them until they say START."),
    "repeat": N_("Already blocked: this STOP is noted and changes nothing. A STOP is confirmed once."),
    "lift": N_("Lifted by the person: their text is a START. It restores what they had agreed to; it is no new consent."),
    "lift_refused": N_("START did not lift this block: it was not made by the person's own wish. A person decides in Review."),
}


def verdict(request: Request, told: Story, cause: ConsentEvent | None, directory: Directory) -> str:
    """One sentence, or two."""
    if told.refusal is not None:
        refused = told.refusal
        if refused.code == OPTED_OUT and cause is not None:
            return _blocked(request, cause, directory, refused.at)
        why = retell(request, cause_of(refused.code))
        return say(request, N_("Refused, and nothing was sent. %(cause)s [%(code)s]"), cause=why, code=refused.code)
    message = told.message
    assert message is not None
    if message.direction is Direction.INBOUND:
        return _inbound(request, message)
    if message.error_code == OPTED_OUT:
        return _stopped(request, message, cause, directory)
    if message.error_code == TOLL_FREE_BLOCK:
        return say(request, N_(
            "Not delivered: the network keeps a block of its own between this sender and this person, and nobody "
            "here can lift it. [30004]"
        ))
    if message.purpose is Purpose.KEYWORD_REPLY and message.status is Status.FAILED:
        return say(request, N_(
            "The confirmation did not leave: no carrier took it within five minutes, and later it would be a new "
            "text. The change itself holds."
        ))
    sentence = say(request, _STATUS[message.status])
    if message.error_code:
        sentence += f" {retell(request, cause_of(message.error_code))} [{message.error_code}]"
    return sentence


def _inbound(request: Request, message: Message) -> str:
    decision = message.decision
    if sentence := _EFFECT.get(str(decision.get("effect"))):
        return say(request, sentence)
    if decision.get("keyword") == "HELP":
        answered = decision.get("reply")
        return say(request, N_("HELP, answered by us.")) if answered else say(request, N_("HELP, not answered by us."))
    if decision.get("keyword") == "START":
        return say(request, N_("No reply and no change: they were not blocked here, so START had nothing to lift."))
    if decision.get("suggestion"):
        return say(request, N_("An ordinary message that looks like an opt-out: it blocks nothing by itself, and waits in Review."))
    return say(request, N_("An ordinary message."))


def _stopped(request: Request, message: Message, cause: ConsentEvent | None, directory: Directory) -> str:
    if cause is None:
        return say(request, N_("Stopped: this person is blocked in a scope that counts for this message. [21610]"))
    tell = teller(request)
    if message.updated_at == message.created_at:
        return _blocked(request, cause, directory, message.created_at)
    values = {"asked": tell.clock(message.created_at), "stop": tell.clock(cause.recorded_at)}
    if message.status is Status.CANCELED:
        return say(request, N_("Canceled: it was planned, but they said STOP at %(stop)s. [21610]"), **values)
    return say(request, N_(
        "Stopped on the way: accepted at %(asked)s, STOP received at %(stop)s, before a carrier was reached. "
        "Nothing left. [21610]"
    ), **values)


def _blocked(request: Request, cause: ConsentEvent, directory: Directory, at: datetime) -> str:
    tell = teller(request)
    sentence = _BLOCKED.get(cause.reason) if cause.reason else None
    return say(
        request,
        sentence or N_("Refused: this person has been blocked for %(scope)s since %(time)s. [21610]"),
        scope=scope_name(request, cause.holder, directory),
        time=tell.moment(cause.occurred_at),
        ago=_before(request, tell, cause.occurred_at, at),
        cover=_cover(request, cause.holder, directory),
        word=cause.word or "STOP",
        text=(cause.text or "")[:80],
        rule=cause.rule or "–",
        who=cause.actor.removeprefix("console:"),
    )


def scope_name(request: Request, holder: str, directory: Directory) -> str:
    """What a holder is called; one that is gone keeps its SID."""
    if holder == directory.account.sid:
        return say(request, N_("the whole account"))
    if service := directory.services.get(holder):
        return service.friendly_name
    sender = directory.senders.get(holder)
    return sender.address if sender else holder


def _before(request: Request, tell: Teller, event: datetime, at: datetime) -> str:
    if at - event < timedelta(seconds=1):
        return say(request, N_("a moment before this send"))
    return say(request, N_("%(span)s before this send"), span=tell.lasting(at - event))


def _cover(request: Request, holder: str, directory: Directory) -> str:
    if service := directory.services.get(holder):
        number = len(directory.pool(service.sid))
        return say(request, N_("The block covers all %(number)s senders of %(service)s."), number=number, service=service.friendly_name)
    if holder == directory.account.sid:
        return say(request, N_("This account lets a STOP hold for every sender."))
    return say(request, N_("The block holds for this sender only."))
