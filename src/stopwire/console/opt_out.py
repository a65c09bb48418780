"""Opt-Out Management: the words and replies of a messaging service as a draft, tried out, published, compared, carried off.

The draft lives in the page's form alone. Each button sends all of it; only Publish, Roll back and their like change anything.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from babel import Locale
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from stopwire.console import policy_form, words
from stopwire.console.listing import Column, listing, table
from stopwire.console.policy_form import Told, anchor, data_of, draft_of
from stopwire.console.render import HEADERS, N_, Undo, done, prefs_of, say
from stopwire.console.services import found, shown
from stopwire.console.session import acts, asks, form_of, house_of, shows, visitor_of
from stopwire.console.short_lists import piece
from stopwire.core import policy as policies
from stopwire.core.address import SenderKind, parse_recipient
from stopwire.core.catalogue import COUNTRIES, country_code, language_name
from stopwire.core.policy import Matching, OptOutPolicy, Problem
from stopwire.core.roles import Role
from stopwire.core.segments import count
from stopwire.core.senders import Directory, Service
from stopwire.flows import configure, offer, preview
from stopwire.flows.preview import Preview, Replayed
from stopwire.ports.store import Audit, AuditRow, Cut, PolicyVersion, Services
from stopwire.transfer import toml
from stopwire.transfer.broken import Broken

TAB = "/opt-out"
KEPT = "matching.kept"  # in the audit log: somebody decided to stay with exact matching
KEPT_LOOKED_AT = 500
REASON_CHARS_MAX = 300
REHEARSALS = (7, 30, 90)  # days
SHOWN_CHANGES = 50  # of a dry run, in the page
FILE_BYTES_MAX = 1024 * 1024
# A person of each country to try a text as: numbers that regulators keep for fiction, or that nobody has.
PEOPLE = {
    "US": "+14155550101", "MX": "+525555550101", "CA": "+16045550101", "GB": "+447700900101", "FR": "+33639980101",
    "DE": "+491713920001", "ES": "+34600000101", "BR": "+5511999990101", "IN": "+919999900101",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A text under the draft and under the version in force. `problem`: why it could not be tried."""

    body: str
    draft: Preview | None = None
    live: Preview | None = None
    segments: int = 0
    problem: str = ""


async def show(request: Request) -> Response:
    directory, service = await found(request)
    return await _editor(request, directory, service, draft_of(service.policy))


async def edit(request: Request) -> Response:
    """One button of the editor: the page again, with the draft changed by it. Nothing is kept."""
    directory, service = await found(request)
    form = await form_of(request)
    data = data_of(form)
    act, _, place = str(form.get("do", "")).partition(" ")
    values: dict[str, Any] = {"base": form.get("base"), "form": form}
    match act:
        case "remove":
            policy_form.without_word(data, place)
        case "remove-list":
            policy_form.without_list(data, place)
        case "remove-layer":
            policy_form.without_layer(data, place)
        case "own-list":
            await _own_list(request, data, place, service)
        case "add-language":
            values |= await _add_language(request, data, form, service)
        case "natural":
            data["matching"] = Matching.NATURAL.value
        case "copy":
            if other := directory.services.get(str(form.get("copy_from", ""))):
                data = {**draft_of(other.policy), "enabled": data["enabled"]}
        case "try":
            values["tried"] = await _try(request, service, data, form)
        case "rehearse":
            values |= await _rehearse(request, service, data, form)
    return await _editor(request, directory, service, data, **values)


async def _own_list(request: Request, data: dict[str, Any], path: str, service: Service) -> None:
    language = path.split(".")[-2]
    offered = await house_of(request)(offer.word_set, language=language, brand=service.friendly_name)
    policy_form.with_list(data, path, offered)


async def _add_language(request: Request, data: dict[str, Any], form: FormData, service: Service) -> dict[str, Any]:
    country, language = country_code(str(form.get("add_country", ""))) or "", str(form.get("add_language", ""))
    offered = await house_of(request)(offer.word_set, language=language, brand=service.friendly_name)
    if offered is None:
        return {"add_problem": say(request, N_("Choose a language."))}
    return {"added": policy_form.with_layer(data, country, language, offered)}


def _read(data: dict[str, Any]) -> tuple[OptOutPolicy | None, list[Problem]]:
    policy, problems = policies.from_data(data)
    return policy, problems or (policies.check(policy) if policy else [])


async def _try(request: Request, service: Service, data: dict[str, Any], form: FormData) -> Tried:
    body = str(form.get("try_body", ""))[:5000]
    given, to = str(form.get("try_from", "")).strip(), str(form.get("try_to", "")) or None
    person = PEOPLE.get(given.upper()) or parse_recipient(given) if given else None
    if given and person is None:
        return Tried(body=body, problem=say(request, N_("From is a number like +14155550101, or a country of the list.")))
    policy, problems = _read(data)
    if policy is None or problems:
        return Tried(body=body, problem=say(request, N_("The draft has errors, so it cannot be tried yet: correct what is marked.")))
    house, account = house_of(request), visitor_of(request).account
    draft = await house(preview.hear, account=account, service=service.sid, body=body, from_=person, to=to, policy=policy)
    live = await house(preview.hear, account=account, service=service.sid, body=body, from_=person, to=to)
    if draft.unknown or draft.not_of_service:
        return Tried(body=body, problem=say(request, N_("That sender is not in this messaging service.")))
    return Tried(body=body, draft=draft, live=live, segments=count(draft.reply).segments if draft.reply else 0)


async def _rehearse(request: Request, service: Service, data: dict[str, Any], form: FormData) -> dict[str, Any]:
    policy, problems = _read(data)
    if policy is None or problems:
        return {"rehearsal_problem": say(request, N_("The draft has errors, so it cannot be tried yet: correct what is marked."))}
    given = str(form.get("days", ""))
    days = int(given) if given in {str(each) for each in REHEARSALS} else 30
    visitor = visitor_of(request)
    since = visitor.now - timedelta(days=days)
    replayed = await house_of(request)(preview.replay, account=visitor.account, service=service.sid, policy=policy, since=since)
    return {"rehearsal": replayed, "rehearsal_days": days, "rehearsal_sums": _sums(replayed)}


def _sums(replayed: Replayed) -> dict[str, int]:
    caught = [each for each in replayed.changed if each.after == "STOP"]
    missed = [each for each in replayed.changed if each.before == "STOP"]
    return {"caught": len(caught), "missed": len(missed), "other": len(replayed.changed) - len(caught) - len(missed)}


async def _editor(
    request: Request,
    directory: Directory,
    service: Service,
    data: dict[str, Any],
    *,
    status: int = 200,
    base: object = None,
    form: FormData | None = None,
    more: Sequence[Problem] = (),
    **values: Any,
) -> Response:
    house, account = house_of(request), visitor_of(request).account
    policy, shape = policies.from_data(data)
    errors = shape or (policies.check(policy) if policy else [])
    warned = policies.warnings(policy) if policy else []
    everywhere, countries = policy_form.layers(data, errors, warned)
    changes = [policy_form.told(c.path, c.before, c.after) for c in policies.differences(service.policy, policy)] if policy else []
    versions = await house.read(account, Services.policies, service.sid)
    pool = directory.pool(service.sid)
    shown_values: dict[str, Any] = {
        "data": data,
        "layers": everywhere,
        "countries": countries,
        "errors": errors,
        "general_errors": policy_form.elsewhere(errors) + [each.message for each in more],
        "general_warnings": policy_form.elsewhere(warned),
        "changes": changes,
        "in_force": next((each for each in versions if each.version == service.policy_version), None),
        "base": str(base or service.policy_version),
        "form": form or FormData(),
        "offered": await house(offer.languages),
        "territories": territories(request),
        "language_name": lambda tag: language_of(request, tag),
        "pool": pool,
        "toll_free": [each for each in pool if each.kind is SenderKind.TOLL_FREE],
        "in_the_us": any(each.country == "US" for each in pool),
        "people": PEOPLE,
        "rehearsals": REHEARSALS,
        "shown_changes": SHOWN_CHANGES,
        "others": [each for each in directory.services.values() if each.sid != service.sid],
        "anchor": anchor,
        "exact": data["matching"] == "exact",
        "kept": await _kept(request, service),
        "calls": calls(request, service),
    }
    return shown(request, "opt_out.html", TAB, service, status, **{**shown_values, **values})


async def _kept(request: Request, service: Service) -> AuditRow | None:
    """Who last decided to stay with exact matching here, and why."""
    rows = await house_of(request).read(visitor_of(request).account, Audit.page, Cut(limit=KEPT_LOOKED_AT), KEPT)
    return next((row for row in rows if row.subject == service.sid), None)


async def keep_exact(request: Request) -> Response:
    """Stay with exact matching although people in the US are texted: a decision, so it has a reason and a name."""
    directory, service = await found(request)
    form = await form_of(request)
    reason = str(form.get("reason", "")).strip()[:REASON_CHARS_MAX]
    if not reason:
        sentence = say(request, N_("Say why: the audit log keeps it with your name."))
        return await _editor(request, directory, service, draft_of(service.policy), status=422, wrong={"reason": sentence})
    request.state.subject, request.state.detail = service.sid, {"reason": reason}
    return done(request, f"/console/services/{service.sid}/opt-out", say(request, N_("It stays exact, and the audit log says why.")))


def _locale(request: Request) -> Locale:
    return words.locale_of(prefs_of(request).language)


def territories(request: Request) -> dict[str, str]:
    """Countries by code, named in the visitor's language and in the order of their names."""
    names = {code: str(_locale(request).territories.get(code, code)) for code in COUNTRIES}
    return dict(sorted(names.items(), key=lambda item: item[1]))


def language_of(request: Request, tag: str) -> str:
    """What to call a language in the visitor's own."""
    primary, _, rest = tag.partition("-")
    told = _locale(request).languages.get(primary)
    named = str(told) if told else language_name(primary)
    named = named[:1].upper() + named[1:]
    return f"{named} ({rest})" if rest else named


def calls(request: Request, service: Service) -> dict[str, str]:
    base, account = house_of(request).choices.public_url, visitor_of(request).account
    path = f"{base}/api/v1/services/{service.sid}/opt-out"
    return {
        "curl": f'curl -sS -u {account}:"$STOPWIRE_AUTH_TOKEN" {path}/export?format=toml > opt-out.toml\n'
        f'curl -sS -u {account}:"$STOPWIRE_AUTH_TOKEN" -X POST {path}/import \\\n'
        "  -H 'Content-Type: application/toml' --data-binary @opt-out.toml",
        "CLI": f"stopwire policy export {service.sid} > opt-out.toml\nstopwire policy set {service.sid} opt-out.toml",
    }


# ── publish, versions ────────────────────────────────────────────────────────────────────────────────────


async def publish(request: Request) -> Response:
    directory, service = await found(request)
    form, visitor = await form_of(request), visitor_of(request)
    data = data_of(form)
    base = str(form.get("base", ""))
    saved = await house_of(request)(
        configure.put_policy,
        account=visitor.account,
        service=service.sid,
        policy=data,
        actor=visitor.actor,
        expected=int(base) if base.isascii() and base.isdigit() and len(base) < 10 else service.policy_version,
        note=str(form.get("note", "")).strip()[:200] or None,
    )
    if saved.stale and saved.service is not None:
        newest = await house_of(request).read(visitor.account, Services.policy, service.sid, saved.service.policy_version)
        return await _editor(request, directory, saved.service, data, status=409, base=base, form=form, conflict=newest)
    if saved.service is None:
        return await _editor(request, directory, service, data, status=422, base=base, form=form)
    version = saved.service.policy_version
    request.state.detail = {"version": version}
    return done(
        request,
        f"/console/services/{service.sid}/opt-out",
        say(request, N_("Version %(version)s is live."), version=version),
        undo=Undo(action=f"/console/services/{service.sid}/opt-out/rollback", fields={"version": str(service.policy_version)}, label=N_("Roll back")),
    )


async def rollback(request: Request) -> Response:
    _, service = await found(request)
    form, visitor = await form_of(request), visitor_of(request)
    wanted = str(form.get("version", ""))
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 10):
        raise HTTPException(404)
    saved = await house_of(request)(
        configure.rollback,
        account=visitor.account,
        service=service.sid,
        version=int(wanted),
        actor=visitor.actor,
        expected=None,
        note=str(form.get("note", "")).strip()[:200] or None,
    )
    to = f"/console/services/{service.sid}/opt-out"
    if saved.problems:
        raise HTTPException(422, f"Version {wanted} cannot be put in force again: {saved.problems[0].message}")
    if saved.service is None:
        raise HTTPException(404)
    request.state.detail = {"version": saved.service.policy_version, "as": int(wanted)}
    told = N_("Version %(version)s is live: it has the settings of version %(old)s.")
    return done(request, to, say(request, told, version=saved.service.policy_version, old=wanted))


async def versions(request: Request) -> Response:
    """All versions, and what changed between two of them."""
    _, service = await found(request)
    kept = await house_of(request).read(visitor_of(request).account, Services.policies, service.sid)
    columns: list[Column[PolicyVersion]] = [
        Column(name="version", title=N_("Version"), value=lambda v: v.version, figure=True),
        Column(name="created_at", title=N_("When"), value=lambda v: v.created_at),
        Column(name="actor", title=N_("Who"), value=lambda v: v.actor),
        Column(name="note", title=N_("Note"), value=lambda v: v.note, priority=2),
        Column(name="changes", title=N_("Changes"), value=lambda v: len(_changes(kept, v.version - 1, v.version)), figure=True),
        Column(name="", title=" ", value=lambda v: None, priority=2),
    ]
    asked = [request.query_params.get(name, "") for name in ("from", "to")]
    compared = None
    if all(each.isascii() and each.isdigit() and len(each) < 10 for each in asked):
        old, new = (int(each) for each in asked)
        if {old, new} <= {each.version for each in kept}:
            compared = {"from": old, "to": new, "changes": _changes(kept, old, new)}

    async def ask(cut: Cut) -> list[PolicyVersion]:
        return piece(kept, cut, lambda each: str(each.version))

    return await listing(
        request,
        "opt_out_versions.html",
        columns=[each for each in columns if each.name or not request.url.path.endswith((".json", ".csv"))],
        ask=ask,
        id_of=lambda each: str(each.version),
        service=service,
        kept=kept,
        compared=compared,
        changes_of=lambda version: _changes(kept, version - 1, version),
    )


def _changes(kept: Sequence[PolicyVersion], old: int, new: int) -> list[Told]:
    by_number = {each.version: each.policy for each in kept}
    if old not in by_number or new not in by_number:
        return []
    return [policy_form.told(c.path, c.before, c.after) for c in policies.differences(by_number[old], by_number[new])]


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────


async def export(request: Request) -> Response:
    _, service = await found(request)
    data, ending = draft_of(service.policy), request.path_params["ending"]
    if ending not in ("toml", "json"):
        raise HTTPException(404)
    text = toml.write(data) if ending == "toml" else json.dumps(data, ensure_ascii=False, indent=2) + "\n"
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="opt-out-{service.sid}.{ending}"'}
    return Response(text, media_type=f"application/{ending}", headers=headers)


async def bring(request: Request) -> Response:
    """A file becomes the draft; what is in force stays so until it is published."""
    directory, service = await found(request)
    form = await form_of(request)
    try:
        data = await _file(form)
    except Broken as broken:
        return await _editor(request, directory, service, draft_of(service.policy), status=422, file_problem=str(broken))
    policy, problems = policies.from_data({name: value for name, value in data.items() if name not in ("version", "warnings")})
    if policy is None:
        sentence = " ".join(each.message for each in problems[:3])
        return await _editor(request, directory, service, draft_of(service.policy), status=422, file_problem=sentence)
    return await _editor(request, directory, service, draft_of(policy), brought=True)


async def _file(form: FormData) -> dict[str, Any]:
    given = form.get("file")
    content = await given.read(FILE_BYTES_MAX + 1) if isinstance(given, UploadFile) else b""
    if not content.strip():
        raise Broken("Choose a file: TOML or JSON, as the export gives it.")
    if len(content) > FILE_BYTES_MAX:
        raise Broken("The file is larger than 1 MiB: is it an opt-out file?")
    if not content.lstrip().startswith(b"{"):
        return toml.read(content)
    try:
        data = json.loads(content.decode())
    except (ValueError, RecursionError):
        raise Broken("The file is not JSON.") from None
    if not isinstance(data, dict):
        raise Broken("The file holds no policy: it is a table of names and values.")
    return data


async def back(request: Request) -> Response:
    """A draft is nowhere but in its page: loading it again shows what is in force."""
    _, service = await found(request)
    return RedirectResponse(f"/console/services/{service.sid}/opt-out", 303, headers=HEADERS)


_ONE = "/console/services/{service}/opt-out"
routes = [
    *table(f"{_ONE}/versions", versions),
    shows(f"{_ONE}/export.{{ending}}", export),
    shows(_ONE, show),
    shows(f"{_ONE}/draft", back),
    asks(f"{_ONE}/draft", edit),
    shows(f"{_ONE}/import", back),
    asks(f"{_ONE}/import", bring),
    acts(f"{_ONE}/keep-exact", keep_exact, role=Role.ADMIN, act=KEPT),
    shows(f"{_ONE}/keep-exact", back),
    acts(f"{_ONE}/publish", publish, role=Role.ADMIN, act="policy.published"),
    shows(f"{_ONE}/publish", back),
    acts(f"{_ONE}/rollback", rollback, role=Role.ADMIN, act="policy.rolled_back"),
]
