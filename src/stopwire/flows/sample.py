"""Call a customer's webhook with an invented event, so that they see what their application makes of it.

The delivery is a real one, signed and logged, but no message stands behind it: nobody said anything, nothing is recorded
about anybody, and what is answered is not carried out.
"""

from dataclasses import dataclass, replace
from functools import partial

from stopwire.core.events import inbound_event, status_event
from stopwire.core.jobs import Delivery
from stopwire.core.message import Direction, Message, Status
from stopwire.core.optout import Answer
from stopwire.core.senders import Directory, Home, Sender
from stopwire.ports.http import PrivateTargets
from stopwire.ports.store import Tx
from stopwire.ports.world import World

PERSON = "+15005550006"  # nobody's: a number that Twilio keeps for tests
TEXT = "Hello, is this still on?"
INBOUND = {"text": TEXT, "stop": "STOP", "start": "START", "help": "HELP"}
STATUSES = {"delivered": None, "failed": 30008, "undelivered": 30005}
KINDS = (*INBOUND, *STATUSES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """The delivery that was made; or in a sentence why none was. Neither: there is no such sender."""

    delivery: Delivery | None = None
    problem: str | None = None


async def sample(world: World, *, account: str, sender: str, kind: str, url: str = "") -> Sampled:
    """Deliver an event of `kind` as if it were about `sender`, to where such events of it go, or to `url`."""
    directory = await world.store.directory(account)
    ours = directory.senders.get(sender)
    if ours is None:
        return Sampled()
    if kind == "help" and not _is_advanced(directory, ours):
        return Sampled(problem="Without Advanced Opt-Out, HELP is answered here and calls nobody: switch it on for the sender's messaging service.")
    made = _event(world, directory, ours, kind, url)
    if made is None:
        return Sampled(problem="This sender calls nobody for such an event: set its webhook first, or give a URL.")
    settings = directory.account.settings
    private = PrivateTargets(settings.allow_private_webhooks) if settings.allow_private_webhooks else world.choices.private_webhooks
    if problem := world.http.refusal(made.url, private=private):
        return Sampled(problem=problem)
    await world.store.write(partial(_add, delivery=made), account=account)
    return Sampled(delivery=made)


def _is_advanced(directory: Directory, ours: Sender) -> bool:
    service = directory.services.get(ours.service or "")
    return service is not None and service.policy.enabled


def _event(world: World, directory: Directory, ours: Sender, kind: str, url: str) -> Delivery | None:
    service = directory.services.get(ours.service or "")
    home, now = Home(account=directory.account, sender=ours, service=service), world.clock.now()
    inbound = kind in INBOUND
    message = Message(
        sid=world.ids.sid("SM"),
        account=directory.account.sid,
        direction=Direction.INBOUND if inbound else Direction.API,
        sender=ours.address,
        recipient=PERSON,
        service=ours.service,
        body=INBOUND.get(kind, TEXT),
        status=Status.RECEIVED if inbound else Status(kind),
        segments=1,
        error_code=STATUSES.get(kind),
        status_callback=url or (service.status_callback if service else None),
        created_at=now,
        updated_at=now,
    )
    id, token = world.ids.sid("WD"), world.ids.uuid()
    if not inbound:
        found = status_event(message, id=id, token=token, now=now)
    else:
        advanced = kind != "text" and _is_advanced(directory, ours)
        said = Answer(row=0, keyword=None, opt_out_type=kind.upper() if advanced else None)
        if url:  # where such events go does not matter then
            webhook = replace(ours.webhook, url=url, method="POST", fallback_url="")
            home = replace(home, sender=replace(ours, service=None, webhook=webhook), service=None)
        found = inbound_event(message, home, said, (), id=id, token=token, now=now, public_url=world.choices.public_url)
    if found is None:
        return None
    params = dict(found.params) | ({"MessagingServiceSid": ours.service} if ours.service else {})
    return replace(found, message="", params=params, answered=True)


def _add(tx: Tx, *, delivery: Delivery) -> None:
    tx.webhooks.add([delivery])
    tx.wake("notify")
    tx.tell("webhook.sampled", id=delivery.id)
