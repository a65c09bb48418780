"""A message or refusal as a test for pytest: what happened, written with the fixture `sms` so that it happens again.

What a test cannot make happen by itself (another carrier's answer, a STOP that came between) is not written. A stranger's
number is not taken along: a number of the same country, kept for fiction, plays the person.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.opt_out import PEOPLE
from stopwire.console.render import HEADERS, set_cookie, teller
from stopwire.console.session import house_of, shows, visitor_of
from stopwire.core.address import SenderKind, country_of, number_of
from stopwire.core.consent import API_REASONS
from stopwire.core.handsets import HANDSETS
from stopwire.core.keywords import normalise
from stopwire.core.message import Message, Purpose, Status
from stopwire.core.policy import OptOutPolicy, standard_policy, to_data
from stopwire.core.senders import AccountSettings, Directory, Sender, Service
from stopwire.flows import offer
from stopwire.flows.story import OPTED_OUT, Story, story
from stopwire.ports.store import Services

SAVED = "stopwire_saved_test"  # a cookie: this person has saved one
NETWORK_WORDS = ("stop", "start", "unstop")  # those that a toll-free network answers itself
KINDS = (SenderKind.LONG_CODE, SenderKind.TOLL_FREE, SenderKind.SHORT_CODE, SenderKind.WHATSAPP)
# Choices of an account that the fixture's accounts do not share.
CHOICES = ("opt_out_scope", "opted_out_send", "help_when_blocked")


@dataclass(slots=True, kw_only=True)
class _Draft:
    """A test as it grows. `marker`: what stands above it; `sender`: how the test names our sender."""

    says: str
    name: str
    marker: dict[str, Any] = field(default_factory=dict)
    sender: str = "sms.sender"
    lines: list[str] = field(default_factory=list)

    def text(self) -> str:
        marked = f"@pytest.mark.sms({', '.join(f'{name}={_quoted(value)}' for name, value in self.marker.items())})\n" if self.marker else ""
        head = f'"""{self.says} Saved from Stopwire; run it with pytest."""\n\n' + ("import pytest\n\n\n" if marked else "\n")
        return f"{head}{marked}def test_{self.name}(sms):\n" + "".join(f"    {line}\n" for line in self.lines)


async def written(request: Request, told: Story, directory: Directory) -> str:
    """The test, or nothing where none can be written."""
    message, settings = told.message, directory.account.settings
    if any(getattr(settings, name) != getattr(AccountSettings(), name) for name in CHOICES):
        return ""
    if message is None:
        return await _refused(request, told, directory)
    sender = directory.sender_at(message.sender or "")
    if sender is None or sender.kind not in KINDS or message.media or message.purpose is not Purpose.MESSAGE:
        return ""
    if message.status is Status.RECEIVED:
        return "" if message.decision.get("partial") else await _from_a_person(request, told, message, sender, directory)
    return await _to_a_person(request, message, sender, directory)


# ── the three kinds ──────────────────────────────────────────────────────────────────────────────────────


async def _from_a_person(request: Request, told: Story, message: Message, sender: Sender, directory: Directory) -> str:
    decided = message.decision
    effect, keyword = str(decided.get("effect") or "none"), decided.get("keyword")
    draft = _Draft(says=_sentence(message.body, effect, bool(told.reply)), name=f"{_slug(message.body)}_{_outcome(effect, keyword)}")
    service = directory.services.get(message.service or "")
    await _set_up(request, draft, sender, service, decided)
    draft.lines.append(_person(request, message.recipient))
    alone = "" if service else f", {draft.sender}"
    if effect in ("repeat", "lift", "lift_refused") or (keyword == "HELP" and not told.reply):
        draft.lines.append(_blocked_before(draft, service, "operator" if effect == "lift_refused" else "consent"))
    draft.lines.append(f"person.text({_quoted(message.body)}, to={draft.sender})")
    if sender.kind is SenderKind.TOLL_FREE and normalise(message.body) in NETWORK_WORDS:
        draft.lines.append('assert "network" == person.wait().kind')
    if told.reply:
        draft.lines += ["reply = person.wait()", f'assert ("auto_reply", {_quoted(told.reply.body)}) == (reply.kind, reply.body)']
    blocked = effect in ("block", "repeat", "lift_refused") or (keyword == "HELP" and not told.reply)
    draft.lines.append(f"assert {'' if blocked else 'not '}sms.blocked(person{alone})")
    if decided.get("forward"):
        name, value = ("OptOutType", decided["opt_out_type"]) if decided.get("opt_out_type") else ("Body", message.body)
        draft.lines.append(f'assert {_quoted(value)} == sms.webhooks.wait().form["{name}"]')
    draft.lines.append("assert person.quiet()")
    if effect == "block":
        draft.lines += ["with sms.refused(21610):", f'    sms.api.send(to=person.address, {_by(draft, service)}, body="Are you there?")']
    return draft.text()


async def _to_a_person(request: Request, message: Message, sender: Sender, directory: Directory) -> str:
    magic = number_of(message.recipient) in HANDSETS
    if message.status not in (Status.SENT, Status.DELIVERED) and not (magic and message.error_code and message.error_code != OPTED_OUT):
        return ""
    service = directory.services.get(message.service or "")
    arrived = message.error_code is None
    draft = _Draft(says=f"A text that {'arrives' if arrived else 'does not arrive'}.", name=f"{_slug(message.body)}_{message.status.value}")
    await _set_up(request, draft, sender, service, {})
    draft.lines.append(_person(request, message.recipient))
    draft.lines.append(f"sent = sms.api.send(to=person.address, {_by(draft, service)}, body={_quoted(message.body)})")
    if arrived:
        draft.lines.append(f"assert {_quoted(message.body)} == person.wait(timeout=30).body")
    if message.error_code:
        draft.lines.append(f"assert {message.error_code} == sms.outcome(sent[\"sid\"], timeout=30)[\"error_code\"]")
    elif message.status is Status.DELIVERED:
        draft.lines.append('assert "delivered" == sms.outcome(sent["sid"])["status"]')
    return draft.text()


async def _refused(request: Request, told: Story, directory: Directory) -> str:
    refusal = told.refusal
    if refusal is None or refusal.code != OPTED_OUT or not refusal.recipient:
        return ""
    service = directory.services.get(refusal.service or "")
    members = [each for each in directory.senders.values() if service and each.service == service.sid and each.kind in KINDS]
    sender = directory.sender_at(refusal.sender or "") or directory.senders.get(refusal.sender or "") or next(iter(members), None)
    if sender is None or sender.kind not in KINDS:
        return ""
    service = service or directory.services.get(sender.service or "")
    draft = _Draft(says="A send to somebody who is blocked is refused.", name="a_blocked_person_hears_no_more")
    await _set_up(request, draft, sender, service, {})
    draft.lines.append(_person(request, refusal.recipient))
    reason = str((refusal.because or {}).get("reason") or "")
    if reason in ("keyword", "phrase", "review", ""):
        draft.lines += [f'person.text("STOP", to={draft.sender})', "person.wait()"]
    else:
        draft.lines.append(_blocked_before(draft, service, reason if reason in API_REASONS else "api"))
    draft.lines += ["with sms.refused(21610):", f'    sms.api.send(to=person.address, {_by(draft, service)}, body="Are you there?")']
    draft.lines.append("assert person.quiet()")
    return draft.text()


# ── their parts ──────────────────────────────────────────────────────────────────────────────────────────


async def _set_up(request: Request, draft: _Draft, sender: Sender, service: Service | None, decided: Mapping[str, Any]) -> None:
    """The service and the sender of the fixture, as far as what happened depends on them."""
    if service is not None:
        settings = await _policy(request, draft, service, decided)
        if settings:
            settings = {"enabled": False, **settings}  # which the fixture would take for True
            draft.lines.append(f"sms.service.opt_out({', '.join(f'{name}={_quoted(value)}' for name, value in settings.items())})")
    ordinary = sender.kind is SenderKind.LONG_CODE and sender.country == draft.marker.get("country", "US") and sender.default_opt_out is None
    if service is None or not ordinary:
        country = "" if sender.country == "US" else f", {_quoted(sender.country)}"
        alone = "" if service else ", in_service=False"
        draft.sender = "sender"
        draft.lines.append(f"sender = sms.add_sender({_quoted(sender.kind.value)}{country}{alone})")
    if sender.default_opt_out is not None:
        draft.lines.append(f"sms.api.update_sender(sender.sid, default_opt_out={sender.default_opt_out})")


async def _policy(request: Request, draft: _Draft, service: Service, decided: Mapping[str, Any]) -> dict[str, Any]:
    """What of the policy that was in force then decided: the choices, Standard where it differs, and the list that matched."""
    policy = await _in_force(request, service, decided)
    data, standard = to_data(policy), to_data(standard_policy())
    settings = {name: data[name] for name in ("enabled", "matching", "help_when_blocked", "opted_out_send") if data.get(name) != standard.get(name)}
    own = _differing(data["standard"], standard["standard"])
    if own:
        settings["standard"] = own
    language, country = str(decided.get("language") or ""), str(decided.get("country") or "")
    where: Sequence[str] = ("countries", country) if language in _languages(data, "countries", country) else ()
    lists = _languages(data, *where)
    if language not in lists:
        return settings
    pack = await house_of(request)(offer.word_set, language=language, brand=service.friendly_name)
    # The marker puts packs into the lists of its country, and in the US into those of every country.
    if pack is not None and policy.enabled and lists[language] == _word_set_data(pack, language) and not (where and country == "US"):
        draft.marker = {"name": service.friendly_name, **({"country": country} if where else {}), "packs": [language]}
        if "matching" in settings:
            draft.marker["matching"] = settings.pop("matching")
        return settings if settings.keys() - {"enabled"} else {}  # the marker switches it on
    only = {language: lists[language]}
    settings |= {"countries": {country: {"replace": _replaces(data, country), "languages": only}}} if where else {"languages": only}
    return settings


async def _in_force(request: Request, service: Service, decided: Mapping[str, Any]) -> OptOutPolicy:
    version = decided.get("policy_version")
    if not version or version == service.policy_version:
        return service.policy
    then = await house_of(request).read(visitor_of(request).account, Services.policy, service.sid, int(version))
    return then.policy if then else service.policy


def _languages(data: Any, *where: str) -> Mapping[str, Any]:
    """The lists of a policy's data by language: of every country, or of one."""
    found: Any = data
    for name in where:
        found = found.get(name, {})
    languages: Mapping[str, Any] = found.get("languages", {})
    return languages


def _replaces(data: Any, country: str) -> bool:
    return bool(data["countries"][country]["replace"])


def _word_set_data(words: Any, language: str) -> Any:
    return _languages(to_data(replace(standard_policy(), languages={language: words})))[language]


def _differing(data: Any, standard: Any) -> dict[str, Any]:
    return {name: words for name, words in data.items() if words != standard.get(name)}


def _person(request: Request, address: str) -> str:
    tell, number = teller(request), number_of(address)
    if number not in HANDSETS and tell.is_masked(address):
        number = PEOPLE.get(country_of(number) or "", PEOPLE["US"])
    shown = f"whatsapp:{number}" if address.startswith("whatsapp:") else number
    return f"person = sms.phone({_quoted(shown)})"


def _blocked_before(draft: _Draft, service: Service | None, reason: str) -> str:
    scope = "sms.service.sid" if service else f"{draft.sender}.sid"
    return f"sms.api.block(person.address, scope={scope}, reason={_quoted(reason)})"


def _quoted(value: Any) -> str:
    """As Python, with the quotes that people write."""
    shown = repr(value)
    return f'"{shown[1:-1]}"' if isinstance(value, str) and shown[0] == "'" and '"' not in shown else shown


def _by(draft: _Draft, service: Service | None) -> str:
    return "service=sms.service.sid" if service else f"from_={draft.sender}"


def _sentence(body: str, effect: str, replied: bool) -> str:
    does = {
        "block": "blocks the person", "repeat": "changes nothing: they were blocked already", "lift": "lifts the block",
        "lift_refused": "does not lift what an operator blocked",
    }.get(effect, "blocks nobody")  # fmt: skip
    shown = re.sub(r'[\\"]|[^\w\s.,!?\'’-]', " ", body[:40])
    return f"“{' '.join(shown.split())}” {does}, {'and is answered once' if replied else 'and is not answered'}."


def _outcome(effect: str, keyword: Any) -> str:
    return {"block": "blocks", "repeat": "again_changes_nothing", "lift": "lifts", "lift_refused": "does_not_lift"}.get(
        effect, "is_answered" if keyword == "HELP" else "blocks_nobody"
    )


def _slug(body: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", body[:40].lower()).strip("_")[:30] or "a_text"


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────────


async def save(request: Request) -> Response:
    """The test as a file of its own."""
    house, account, sid = house_of(request), visitor_of(request).account, request.path_params["sid"]
    told = await house(story, account=account, id=sid)
    text = await written(request, told, await house.read(account, Services.directory)) if told.message or told.refusal else ""
    if not text:
        raise HTTPException(409, "No test can be written of this: it hung on something that a test cannot make happen.")
    name = re.search(r"def (test_\w+)", text)
    assert name is not None, "a test has a name"
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name[1]}.py"'}
    answer = Response(text, media_type="text/x-python; charset=utf-8", headers=headers)
    set_cookie(request, answer, SAVED, "yes", seconds=365 * 86_400)
    return answer


routes = [shows("/console/messages/{sid}/test.py", save)]
