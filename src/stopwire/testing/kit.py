"""What the fixture `sms` is: a clean account of a running gateway, with a messaging service, handsets, webhooks, a clock.

It goes the ways that users go: the same flows, the same APIs. Only waiting and the clock reach inside.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx

from stopwire.client import Client, ClientError
from stopwire.core.address import SenderKind, parse_recipient
from stopwire.core.chaos import CALM, Chaos
from stopwire.core.message import FINAL
from stopwire.core.policy import WordSet, standard_policy, to_data
from stopwire.core.senders import Sender
from stopwire.flows import configure, numbers, own
from stopwire.ports.store import Cut, Tx
from stopwire.ports.world import World
from stopwire.testing import story
from stopwire.testing.hooks import Webhooks
from stopwire.testing.inside import Inside
from stopwire.testing.phones import Phone, Told
from stopwire.testing.receiver import App
from stopwire.testing.running import Running

if TYPE_CHECKING:
    from twilio.rest import Client as Twilio

T = TypeVar("T")
ACTOR = "test"
SETTLE_SECONDS = 5.0
OUTCOME_SECONDS = 2.0
LEFT_MAX = 10_000  # webhooks that a test may leave behind
LOOKED_AT = 1_000


@contextlib.contextmanager
def opened(
    running: Running,
    *,
    name: str = "Promo",
    country: str = "US",
    packs: Sequence[str] = (),
    matching: str | None = None,
    enabled: bool | None = None,
    **policy: Any,
) -> "Iterator[Sms]":
    """A clean account with one service and one long code of `country`.

    `packs`, `matching` and what else a policy may say set the service up, and switch Advanced Opt-Out on with it. Outside
    the US the packs are lists of that country.
    """
    sms = Sms(running, name, country)
    try:
        settings = {**policy, **({"matching": matching} if matching else {})}
        if packs or settings or enabled is not None:
            sms.service.opt_out(enabled=enabled is not False, packs=packs, country=None if country == "US" else country, **settings)
        yield sms
    finally:
        sms.close()


class Sms:
    """One account. `sid` and `token` are its credentials at `url`; `sender` is the address of its first sender."""

    def __init__(self, running: Running, name: str, country: str) -> None:
        made = running.call(own.create_account(running.world, name=name))
        self.sid, self.token, self.url = made.sid, made.auth_token, running.url
        self._in, self._world = Inside(running, made.sid, made.auth_token), running.world
        self.clock, self.chaos, self.webhooks = Clock(running), Chance(self._in), Webhooks(self._in)
        self._phones: dict[str, Phone] = {}
        self._endpoint = running.receiver.open()
        self._hook = self._endpoint.url()
        change = configure.ServiceChange(friendly_name=name, inbound_request_url=self._hook)
        of_service = self._in.call(configure.create_service(self._world, account=self.sid, change=change, actor=ACTOR))
        assert of_service.service is not None, of_service.refused
        self.service = OwnService(self.api, self._world, of_service.service.sid)
        self._kinds: dict[str, tuple[str, SenderKind]] = {}
        self.sender = self.add_sender(country=country)
        self._in.sender = self.sender

    def close(self) -> None:
        """Let the account's numbers go, for the next test. What it kept stays in the log until the gateway ends."""
        self._in.call(self._world.store.write(self._let_go, account=self.sid))
        self._in.running.put_back(self._kinds)
        self._in.running.receiver.shut(self._endpoint)
        if "api" in self.__dict__:
            self.api.close()

    # ── programs' ways in ────────────────────────────────────────────────────────────────────────────

    @cached_property
    def client(self) -> "Twilio":
        """The official Twilio SDK, pointed here."""
        from stopwire.compat import twilio_client

        try:
            client = twilio_client(self.sid, self.token, base_url=self.url)
        except ImportError as missing:
            raise ImportError("sms.client is Twilio's SDK, which is not installed: pip install twilio. sms.api does without it.") from missing
        if session := getattr(client.http_client, "session", None):
            session.trust_env = False  # no proxy stands between a test and this machine
        return client

    @cached_property
    def api(self) -> Client:
        """The client of the native API."""
        # Its address is plain HTTP on this machine: to read the certificates of the world would take longer than a test.
        return Client(self.url, self.sid, self.token, transport=httpx.HTTPTransport(verify=False))

    def console_url(self) -> str:
        """A link that signs in to the console of this account, good once."""
        return f"{self.url}/console/sign-in?token={self._in.call(own.sign_in(self._world, account=self.sid))}"

    def webhook(self, target: str | App, path: str = "/") -> None:
        """Where webhooks go: a URL, or an ASGI or WSGI application, called at `path`."""
        if isinstance(target, str):
            self._hook = target
        else:
            self._in.running.receiver.serve(self._endpoint, target)
            self._hook = self._endpoint.url(path)
        change = configure.ServiceChange(inbound_request_url=self._hook)
        done = self._in.call(configure.update_service(self._world, account=self.sid, service=self.service.sid, change=change))
        _accepted(done.refused)
        for sender in self._in.directory().senders.values():
            if sender.service is None:
                self._point(sender.sid)

    # ── people and senders ───────────────────────────────────────────────────────────────────────────

    def phone(self, address: str, name: str = "") -> Phone:
        """The handset with this number; the same one each time. `name` is what reports call it."""
        parsed = parse_recipient(address)
        if parsed is None:
            raise ValueError(f"{address!r} is no number of a person: write it with its country code, as in +14155550101.")
        self._in.names[parsed] = name or self._in.names.get(parsed, parsed)
        return self._phones.setdefault(parsed, Phone(self._in, parsed))

    def add_sender(self, kind: str = "long_code", country: str = "US", *, in_service: bool = True) -> "Address":
        """Another sender: long_code, toll_free (with its network), short_code, alphanumeric or whatsapp.

        It joins the service; with `in_service=False` it stands alone, and default handling applies to it.
        """
        of_kind = SenderKind(kind)
        address = self._in.running.number(country, of_kind)
        done = self._in.call(numbers.add_sender(self._world, account=self.sid, address=address))
        assert done.sender is not None, done.refused
        self._kinds[address] = (country, of_kind)
        if in_service:
            joined = self._in.call(configure.join(self._world, account=self.sid, service=self.service.sid, sender=done.sender.sid))
            _accepted(joined.refused)
        elif of_kind is not SenderKind.ALPHANUMERIC:
            self._point(done.sender.sid)
        return Address(done.sender)

    # ── what is asked ────────────────────────────────────────────────────────────────────────────────

    def blocked(self, who: Phone | str, where: "OwnService | str | None" = None) -> Told:
        """Whether a send to this person would be refused: by the service, or by the sender whose address is given."""
        person = who.address if isinstance(who, Phone) else who
        asker = self.service.sid if where is None else where.sid if isinstance(where, OwnService) else where
        (answer,) = self.api.check_blocks([{"service" if asker.startswith("MG") else "from": asker, "to": person}])
        if answer.get("error"):
            raise ValueError(f"{asker} → {person}: {answer['error']}")
        because = answer.get("because") or {}
        says = ", ".join(f"{name} {because[name]}" for name in ("reason", "since", "actor") if because.get(name)) if answer["blocked"] else "no block"
        return Told(bool(answer["blocked"]), f"{self._in.name(person)}: {says}")

    def refused(self, code: int = 21610) -> "Refusal":
        """What is inside the `with` is refused with this code: an exception of the SDK or of `api`, or a raw answer."""
        return Refusal(self, code)

    def explain(self, what: Any) -> "Explained":
        """Why it was sent, refused or answered: a SID, or whatever has one (a message, a text, a refusal, a webhook)."""
        sid = what if isinstance(what, str) else getattr(what, "sid", None)
        if not sid:
            raise ValueError(f"{what!r} has no SID: give a message, a text that a phone sent or got, or what sms.refused() gave.")
        return Explained(self.api.explain(sid))

    def outcome(self, what: Any, timeout: float = OUTCOME_SECONDS) -> dict[str, Any]:
        """The message, once its fate is known: delivered, undelivered, failed, canceled or read."""
        sid = what if isinstance(what, str) else what.sid

        async def ask() -> bool | None:
            message = await self._world.store.read(lambda tx: tx.messages.get(sid), account=self.sid)
            return True if message is not None and message.status in FINAL else None

        known = self._in.call(self._in.until(ask, seconds=timeout))
        told = self.api.message(sid)
        if not known:
            raise AssertionError(f"waited {timeout:g} s for the outcome of {sid}; it is still {told['status']}.\n{self.told()}")
        return told

    def ledger(self, who: Phone | str | None = None) -> list[dict[str, Any]]:
        """The consent events of a person, or of everybody; the oldest first."""
        person = who.address if isinstance(who, Phone) else who
        return list(self.api.consent_events(recipient=person))[::-1]

    def settle(self, timeout: float = SETTLE_SECONDS) -> None:
        """Return when nothing is on its way any more: every text handed over, every webhook answered."""
        if not self._in.settled(timeout):
            raise AssertionError(f"waited {timeout:g} s for everything to arrive; something is still on its way.\n{self.told()}")

    def told(self) -> str:
        """The conversation so far, as a report shows it."""
        return story.told(self._in, self._endpoint.faults)

    def _let_go(self, tx: Tx) -> None:
        """The senders, and what would be tried again for days: nobody waits for it any more."""
        for sender in tx.services.directory().senders:
            tx.services.unstick(sender)
            tx.services.delete_sender(sender)
        for each in tx.webhooks.page(Cut(limit=LEFT_MAX), state="pending"):
            tx.webhooks.settle(each.id, "expired", rounds=each.rounds)
        people = tx.handsets.all()
        tx.jobs.remove([job.message for person in people for job in tx.jobs.of_recipient(person, states=("queued",))])

    def _point(self, sender: str) -> None:
        change = numbers.SenderChange(sms_url=self._hook)
        _accepted(self._in.call(numbers.update_sender(self._world, account=self.sid, sender=sender, change=change)).refused)


class Address(str):
    """The address of a sender, as any call takes it; with its `sid`, `kind` and `country`."""

    sid: str
    kind: str
    country: str | None

    def __new__(cls, sender: Sender) -> Self:
        self = super().__new__(cls, sender.address)
        self.sid, self.kind, self.country = sender.sid, sender.kind.value, sender.country
        return self


class OwnService:
    """The messaging service of the test."""

    def __init__(self, api: Client, world: World, sid: str) -> None:
        self._api, self._world, self.sid = api, world, sid

    def __str__(self) -> str:
        return self.sid

    @property
    def policy(self) -> dict[str, Any]:
        """The policy in force."""
        return self._api.policy(self.sid)

    def opt_out(self, *, enabled: bool = True, packs: Sequence[str] = (), country: str | None = None, **settings: Any) -> dict[str, Any]:
        """Put a policy in force; what is not given stays as it is. `settings` are those of a policy: matching, standard, …

        `packs`: languages whose words and replies are added, as lists of `country` or of every country.
        """
        policy = {**self.policy, "enabled": enabled, **settings}
        policy.pop("version", None)
        policy.pop("warnings", None)
        with_packs(policy, self._world, packs=packs, country=country, brand=str(self._api.service(self.sid)["friendly_name"]))
        try:
            return self._api.put_policy(self.sid, policy)
        except ClientError as error:
            places = " ".join(f"{each.get('path')}: {each.get('message')}" for each in error.errors)
            raise ValueError(f"This policy cannot hold. {places or error}") from None


def with_packs(policy: dict[str, Any], world: World, *, packs: Sequence[str], country: str | None, brand: str) -> None:
    """Put the lists of language packs into a policy's data."""
    for language in packs:
        found: WordSet = world.packs.word_set(language, brand=brand)
        lists = to_data(replace(standard_policy(), languages={language: found}))["languages"]
        assert isinstance(lists, Mapping)
        if country:
            of_country = policy.setdefault("countries", {}).setdefault(country, {})
            of_country.setdefault("languages", {}).update(lists)
        else:
            policy.setdefault("languages", {}).update(lists)


class Clock:
    """The gateway's time. It runs, and can be put forward: schedules, retries and limits come at once."""

    def __init__(self, running: Running) -> None:
        self._running = running

    def now(self) -> datetime:
        return self._running.clock.now()

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        self._running.forward(timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds))

    def at(self, moment: datetime) -> None:
        """Put it forward to this moment; one without a zone is UTC."""
        self._running.forward((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - self.now())


class Chance:
    """What goes wrong between the gateway and the handsets, until `calm()` or the end of the test."""

    def __init__(self, inside: Inside) -> None:
        self._in = inside

    def drop_reports(self, share: float = 1.0) -> None:
        """This share of delivery reports never comes."""
        self._set(lost_reports=share)

    def duplicate_inbound(self, share: float = 1.0) -> None:
        """This share of what handsets text, and of reports, comes twice."""
        self._set(duplicates=share)

    def lose(self, share: float = 1.0) -> None:
        """This share of texts is lost on its way, in both directions."""
        self._set(loss=share)

    def delay(self, seconds: float) -> None:
        """Every text is so long on its way, by the test's clock."""
        self._set(delay_seconds=seconds)

    def shuffle_parts(self) -> None:
        self._set(shuffled=True)

    def throttle(self, per_second: int) -> None:
        """The carrier takes so many a second and defers the others."""
        self._set(per_second=per_second)

    def carrier_down(self, down: bool = True) -> None:
        """Nothing leaves and nothing arrives."""
        self._set(down=down)

    def carrier_silent(self, silent: bool = True) -> None:
        """The carrier takes texts and does not answer."""
        self._set(silent=silent)

    def calm(self) -> None:
        self._put(CALM)

    def _set(self, **changes: Any) -> None:
        self._put(replace(self._in.world.phones.chaos(self._in.sid), **changes))

    def _put(self, chaos: Chaos) -> None:
        self._in.call(self._in.world.phones.set_chaos(self._in.sid, chaos))


class Explained(str):
    """An explanation as sentences; `verdict`, `why` and `next` are its parts."""

    verdict: str
    why: list[str]
    next: list[Any]

    def __new__(cls, told: Mapping[str, Any]) -> Self:
        self = super().__new__(cls, " ".join(map(str, told["why"])))
        self.verdict, self.why, self.next = told["verdict"], list(told["why"]), list(told["next"])
        return self


class Refusal:
    """Filled when the `with` ends: `code`, and `sid` of the refusal in the gateway's log where it is one."""

    def __init__(self, sms: Sms, code: int) -> None:
        self._sms, self.code = sms, code
        self.sid: str | None = None

    def __enter__(self) -> Self:
        self._before = {each["id"] for each in self._log()}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        new = [each for each in self._log() if each["id"] not in self._before]
        self.sid = next((each["id"] for each in new if each["code"] == self.code), None)
        found = _code(error)
        if found == self.code or (error is None and self.sid):
            return True
        if error is not None and found is None:
            return False  # something else went wrong: let it be seen
        seen = found or next((each["code"] for each in new), None)
        instead = f"it was refused with {seen}" if seen else "nothing was refused"
        raise AssertionError(f"expected a refusal with {self.code}; {instead}.\n{self._sms.told()}") from error

    def _log(self) -> list[dict[str, Any]]:
        return list(self._sms.api.refusals())


def _code(error: BaseException | None) -> int | None:
    """The code of an error or of what it was made from: applications wrap exceptions."""
    while error is not None:
        code = getattr(error, "code", None)
        if isinstance(code, int):
            return code
        error = error.__cause__ or error.__context__
    return None


def _accepted(refused: Any) -> None:
    if refused is not None:
        raise ValueError(f"{refused.message} [{refused.code}]")


