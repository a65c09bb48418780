"""Opt-out settings of a messaging service: read, replace, compare, roll back, carry off, try out."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Header, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from stopwire.api.door import (
    NUMBER_MAX,
    CarefulRequest,
    CarefulRoute,
    In,
    Out,
    TheCaller,
    TheHouse,
    actor,
    instant,
    person,
    read_json,
    unfit,
)
from stopwire.api.problems import Problem, Wrong, not_found, wrong
from stopwire.api.shapes import Page
from stopwire.core import policy as policies
from stopwire.core.senders import Directory, Service
from stopwire.flows import configure, preview
from stopwire.flows.tail import now
from stopwire.ports.house import House
from stopwire.ports.store import PolicyVersion, Services
from stopwire.transfer import toml
from stopwire.transfer.broken import Broken

router = APIRouter(prefix="/services/{service}/opt-out", tags=["Opt-out settings"], route_class=CarefulRoute)

# What an answer carries beside the policy; whoever writes back what was read may leave it in.
_BESIDE = ("version", "warnings", "updated_at", "service")
TOML = "application/toml"


class WordList(Out):
    keywords: list[str] = Field(examples=[["ALTO", "BAJA"]])
    reply: str = Field(examples=["Acme: no recibirá más mensajes. Responda START para volver."])


class WordSet(Out):
    stop: WordList | None = None
    start: WordList | None = None
    help: WordList | None = None


class CountryOverride(Out):
    replace: bool = False
    languages: dict[str, WordSet] = Field({}, examples=[{}])


class Policy(Out):
    """Which words stop, start and help, by language and country, and what is answered. Left out: as in a new service."""

    enabled: bool = False
    matching: Literal["exact", "natural"] = "exact"
    standard: WordSet
    languages: dict[str, WordSet] = Field({}, examples=[{}])
    countries: dict[str, CountryOverride] = Field({}, examples=[{}])
    help_when_blocked: Literal["reply", "silent"] | None = None
    opted_out_send: Literal["reject", "accept_then_fail"] | None = None


class Warned(Out):
    path: str = Field(examples=["standard.help.reply"])
    message: str


class PolicyInForce(Policy):
    """The policy, the number of its version, and what a careful operator would change."""

    version: int = Field(examples=[3])
    warnings: list[Warned]


class PolicyVersionOut(Out):
    version: int
    actor: str
    note: str | None
    created_at: datetime
    policy: Policy


class Rollback(In):
    version: int = Field(ge=1, le=NUMBER_MAX)
    note: str | None = Field(None, max_length=1000)


class Changed(Out):
    path: str = Field(examples=["standard.stop.keywords"])
    before: Any
    after: Any


class Difference(Out):
    from_: int = Field(alias="from")
    to: int
    changes: list[Changed]


class Trial(In):
    """`from` is the person (somebody who is not blocked, if left out), `to` a sender of the service. `policy` tries a draft."""

    body: str = Field(max_length=50_000, examples=["STOP"])
    from_: str | None = Field(None, alias="from", max_length=128, examples=["+14155550101"])
    to: str | None = Field(None, max_length=128)
    policy: dict[str, Any] | None = None


class Tried(Out):
    """What would happen. `effect`: block, repeat, lift, lift_refused or none. `webhook`: the parameters, null for no call."""

    type: str | None = Field(examples=["STOP"])
    matched: str | None = Field(examples=["STOP"])
    matched_by: str | None = Field(examples=["keyword"])
    rule: str | None
    language: str | None
    country: str | None
    effect: str = Field(examples=["block"])
    reply: str | None
    webhook: dict[str, str] | None
    normalised: str
    suggestion: dict[str, Any] | None
    handling: str = Field(examples=["advanced"])


class Replay(In):
    policy: dict[str, Any]
    since: str = Field(max_length=64, examples=["2026-01-01T00:00:00Z"])


class ReplayedText(Out):
    message_sid: str
    at: datetime
    recipient: str
    sender: str
    body: str
    before: str | None
    after: str | None
    word: str | None
    reply: str | None


class Replayed(Out):
    """`complete` is false where more texts were logged than one dry run reads."""

    messages: int
    complete: bool
    changed: list[ReplayedText]


ServiceSid = Annotated[str, Path(max_length=64, description="SID of the messaging service.")]
Data = Annotated[dict[str, Any], Body(description="A policy.")]
IfMatch = Annotated[str | None, Header(alias="If-Match", description="The version that is to be replaced; another is 412.")]


async def _service(house: House, account: str, sid: str) -> Service:
    directory: Directory = await house.read(account, Services.directory)
    found = directory.services.get(sid)
    if found is None:
        raise not_found("messaging service")
    return found


def _in_force(service: Service, warnings: tuple[policies.Problem, ...] | None = None) -> PolicyInForce:
    told = policies.warnings(service.policy) if warnings is None else warnings
    return PolicyInForce(
        **_data(service.policy),
        version=service.policy_version,
        warnings=[Warned(path=each.path, message=each.message) for each in told],
    )


def _data(policy: policies.OptOutPolicy) -> dict[str, Any]:
    return dict(policies.to_data(policy))


def _read(data: dict[str, Any], at: str = "") -> policies.OptOutPolicy:
    """A policy that is sound, or Problem 422. `at`: where in the body it stands."""
    policy, problems = policies.from_data(_without_beside(data))
    if policy is not None:
        problems = policies.check(policy)
    if policy is None or problems:
        raise _unsound(problems, at)
    return policy


def _unsound(problems: list[policies.Problem] | tuple[policies.Problem, ...], at: str = "") -> Problem:
    errors = [Wrong(path=f"{at}.{p.path}".strip("."), message=p.message) for p in problems]
    return Problem(422, f"The policy cannot be saved: {errors[0].message}" if errors else "The policy cannot be saved.", errors=errors)


def _without_beside(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in _BESIDE}


def _expected(if_match: str | None) -> int | None:
    """The version that If-Match names, quoted or not; `*` is any."""
    if if_match is None or if_match.strip() == "*":
        return None
    number = if_match.strip().removeprefix("W/").strip('"')
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise Problem(412, "If-Match names no version: give the number that GET answered as `version`.")
    return int(number)


def _saved(done: configure.PolicySaved) -> PolicyInForce:
    if done.stale:
        newest = f" {done.service.policy_version}" if done.service else ""
        raise Problem(412, f"Somebody saved version{newest} meanwhile: read it, and decide anew.")
    if done.problems:
        raise _unsound(done.problems)
    if done.service is None:
        raise not_found("messaging service, or no such version")
    return _in_force(done.service, done.warnings)


@router.get("", summary="The settings in force", response_model_exclude_unset=True)
async def get(service: ServiceSid, house: TheHouse, who: TheCaller, response: Response) -> PolicyInForce:
    found = await _service(house, who.account, service)
    response.headers["ETag"] = f'"{found.policy_version}"'
    return _in_force(found)


@router.put("", summary="Replace the settings", response_model_exclude_unset=True)
async def put(
    service: ServiceSid, policy: Data, house: TheHouse, who: TheCaller, response: Response, if_match: IfMatch = None
) -> PolicyInForce:
    """A new version. `If-Match` makes sure that nobody else's is overwritten."""
    return await _put(house, who.account, service, policy, actor(who), if_match, response)


async def _put(
    house: House, account: str, service: str, data: dict[str, Any], by: str, if_match: str | None, response: Response
) -> PolicyInForce:
    expected = _expected(if_match)
    await _service(house, account, service)
    done = await house(
        configure.put_policy, account=account, service=service, policy=_without_beside(data), actor=by, expected=expected
    )
    saved = _saved(done)
    response.headers["ETag"] = f'"{saved.version}"'
    return saved


@router.get("/versions", summary="All versions, the newest first", response_model_exclude_unset=True)
async def versions(service: ServiceSid, house: TheHouse, who: TheCaller) -> Page[PolicyVersionOut]:
    await _service(house, who.account, service)
    as_of = await house(now)
    found = await house.read(who.account, Services.policies, service)
    return Page(items=[version_out(each) for each in found], next=None, as_of=as_of)


Number = Annotated[int, Path(ge=1, le=NUMBER_MAX)]


@router.get("/versions/{version}", summary="One version", response_model_exclude_unset=True)
async def one_version(service: ServiceSid, version: Number, house: TheHouse, who: TheCaller) -> PolicyVersionOut:
    return version_out(await _policy(house, who.account, service, version))


async def _policy(house: House, account: str, service: str, version: int) -> PolicyVersion:
    found = await house.read(account, Services.policy, service, version)
    if found is None:
        raise not_found(f"version {version} of these settings")
    return found


def version_out(value: PolicyVersion) -> PolicyVersionOut:
    return PolicyVersionOut(
        version=value.version,
        actor=value.actor,
        note=value.note,
        created_at=value.created_at,
        policy=Policy(**_data(value.policy)),
    )


@router.post("/rollback", summary="Put an old version in force again", response_model_exclude_unset=True)
async def rollback(
    service: ServiceSid, wanted: Rollback, house: TheHouse, who: TheCaller, if_match: IfMatch = None
) -> PolicyInForce:
    """The old settings become a new version; nothing of the history is lost."""
    done = await house(
        configure.rollback,
        account=who.account,
        service=service,
        version=wanted.version,
        actor=actor(who),
        expected=_expected(if_match),
        note=wanted.note,
    )
    return _saved(done)


@router.get("/diff", summary="What one version changes in another")
async def diff(
    service: ServiceSid,
    house: TheHouse,
    who: TheCaller,
    from_: Annotated[int, Query(alias="from", ge=1, le=NUMBER_MAX)],
    to: Annotated[int, Query(ge=1, le=NUMBER_MAX)],
) -> Difference:
    old = await _policy(house, who.account, service, from_)
    new = await _policy(house, who.account, service, to)
    changes = policies.differences(old.policy, new.policy)
    return Difference(
        from_=from_, to=to, changes=[Changed(path=each.path, before=each.before, after=each.after) for each in changes]
    )


@router.get(
    "/export",
    summary="The settings as one file",
    response_class=Response,
    responses={200: {"content": {TOML: {}, "application/json": {}}}},
)
async def export(
    service: ServiceSid, house: TheHouse, who: TheCaller, format: Annotated[Literal["toml", "json"], Query()] = "toml"
) -> Response:
    found = await _service(house, who.account, service)
    name = {"Content-Disposition": f'attachment; filename="opt-out-{service}.{format}"'}
    data = _data(found.policy)
    if format == "json":
        return JSONResponse(data, headers=name)
    return Response(toml.write(data), media_type=TOML, headers=name)


@router.post(
    "/import",
    summary="Replace the settings by an exported file",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {TOML: {"schema": {"type": "string"}}, "application/json": {"schema": {"$ref": "#/components/schemas/Policy"}}},
        }
    },
    response_model_exclude_unset=True,
)
async def import_(
    service: ServiceSid, request: Request, house: TheHouse, who: TheCaller, response: Response, if_match: IfMatch = None
) -> PolicyInForce:
    assert isinstance(request, CarefulRequest)
    content = await request.raw()
    if request.content_type in (TOML, "text/toml", "text/plain", "application/octet-stream"):
        data: Any = _from_toml(content)
    elif request.content_type in ("application/json", ""):
        data = read_json(content)
    else:
        raise Problem(415, f"An opt-out file is TOML or JSON: send it as {TOML} or application/json.")
    if not isinstance(data, dict):
        raise wrong("", "The file holds no policy: it is a table of names and values.")
    return await _put(house, who.account, service, data, actor(who), if_match, response)


def _from_toml(content: bytes) -> dict[str, Any]:
    try:
        data = toml.read(content)
    except Broken as broken:
        raise Problem(400, str(broken)) from None
    if path := unfit(data):
        raise wrong(path, "This text has a NUL: take it out.")
    return data


@router.post("/test", summary="What a text would do")
async def test(service: ServiceSid, trial: Trial, house: TheHouse, who: TheCaller) -> Tried:
    """Changes nothing, sends nothing."""
    done = await house(
        preview.hear,
        account=who.account,
        service=service,
        body=trial.body,
        from_=person(trial.from_, "from") if trial.from_ is not None else None,
        to=trial.to,
        policy=_read(trial.policy, "policy") if trial.policy is not None else None,
    )
    if done.unknown:
        raise not_found("messaging service")
    if done.not_of_service:
        raise wrong("to", "This is no sender of the service: leave it out, or give one of the service's.")
    return Tried.model_validate(done)


@router.post("/replay", summary="What another policy would have done to the texts that came in")
async def replay(service: ServiceSid, wanted: Replay, house: TheHouse, who: TheCaller) -> Replayed:
    """A dry run over the log: which texts would have meant something else. Nothing changes."""
    since = instant(wanted.since, "since")
    assert since is not None, "a text was given"
    policy = _read(wanted.policy, "policy")
    done = await house(preview.replay, account=who.account, service=service, policy=policy, since=since)
    if done.unknown:
        raise not_found("messaging service")
    changed = [
        ReplayedText(
            message_sid=each.message,
            at=each.at,
            recipient=each.recipient,
            sender=each.sender,
            body=each.body,
            before=each.before,
            after=each.after,
            word=each.word,
            reply=each.reply,
        )
        for each in done.changed
    ]
    return Replayed(messages=done.messages, complete=done.complete, changed=changed)
