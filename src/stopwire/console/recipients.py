"""One person: where they are blocked and why, everything that was said, and the evidence about it as a file."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.blocks import GIVEN_REASONS, how, scopes
from stopwire.console.render import HEADERS, N_, done, page, say
from stopwire.console.session import acts, form_of, house_of, shows, visitor_of
from stopwire.console.verdicts import scope_name
from stopwire.core.address import country_of, parse_recipient
from stopwire.core.roles import Role
from stopwire.core.senders import Directory
from stopwire.flows import erase, leave, prove
from stopwire.flows.blocklist import BlockFilter, blocks
from stopwire.flows.visit import Visitor
from stopwire.ports.store import Consent, Cut, MessageFilter, Messages, Services, Suggestions
from stopwire.ports.values import to_plain

EVENTS = 100
TEXTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """One conversation: our sender, the last word, how many of the texts that were looked at."""

    sender: str
    last: str
    at: datetime
    texts: int


def _person(request: Request) -> str:
    address = parse_recipient(request.path_params["address"])
    if address is None:
        raise HTTPException(404, "This is no phone number: write it like +14155550101.")
    return address


async def show(request: Request) -> Response:
    return await _shown(request)


async def make_link(request: Request) -> Response:
    """A link by which this person leaves one scope, shown to be copied. Who opens it can opt this person out, and nothing else."""
    form, person = await form_of(request), _person(request)
    url = await house_of(request)(leave.link, account=visitor_of(request).account, recipient=person, scope=str(form.get("scope", "")))
    if url is None:
        raise HTTPException(422, "Choose where the link leads out of.")
    request.state.subject = person
    return await _shown(request, link=url)


async def _shown(request: Request, **values: Any) -> Response:
    person, house, account = _person(request), house_of(request), visitor_of(request).account
    directory = await house.read(account, Services.directory)
    others = person.removeprefix("whatsapp:") if person.startswith("whatsapp:") else f"whatsapp:{person}"
    held = await house(blocks, account=account, wanted=BlockFilter(recipient=person), cut=Cut(limit=200))
    elsewhere = await house(blocks, account=account, wanted=BlockFilter(recipient=others), cut=Cut(limit=200))
    events = await house.read(account, Consent.events, Cut(limit=EVENTS), person)
    texts = await house.read(account, Messages.page, MessageFilter(recipient=person), Cut(limit=TEXTS))
    suggestions = await house.read(account, Suggestions.page, Cut(limit=20), None, person)
    threads: dict[str, Thread] = {}
    for text in texts:
        if text.sender:
            known = threads.get(text.sender)
            threads[text.sender] = Thread(
                sender=text.sender,
                last=known.last if known else text.body,
                at=known.at if known else text.created_at,
                texts=(known.texts if known else 0) + 1,
            )
    return page(
        request,
        "recipient.html",
        person=person,
        country=country_of(person) or "",
        held=held,
        elsewhere=elsewhere,
        others=others,
        events=events,
        threads=list(threads.values()),
        suggestions=suggestions,
        scopes=scopes(request, directory),
        reasons=GIVEN_REASONS,
        how=lambda each: how(request, each),
        scope_name=lambda holder: scope_name(request, holder, directory),
        kept=sum(_is_gone(directory, each.block.holder) for each in held),
        **values,
    )


def _is_gone(directory: Directory, holder: str) -> bool:
    """Whether a block is held by something that is there no more, and kept by who inherited it."""
    return holder not in (directory.account.sid, *directory.services, *directory.senders)


async def evidence(request: Request) -> Response:
    """All that is known of one person's consent, as a file. Whole numbers: for those who may see them, and noted."""
    visitor: Visitor = visitor_of(request)
    if not visitor.reveal:
        raise HTTPException(403, "The evidence holds whole numbers; the right to see them is given in Settings, Team.")
    person = _person(request)
    found = await house_of(request)(prove.evidence, account=visitor.account, recipient=person)
    verdict = await house_of(request)(prove.verify, account=visitor.account)
    data = {"evidence": to_plain(found), "ledger": to_plain(verdict)}
    text = json.dumps(data, ensure_ascii=False, indent=2, default=str)
    name = "".join(each for each in person if each.isdigit())[-4:]
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="evidence-{name}.json"'}
    return Response(text, media_type="application/json", headers=headers)


async def ask_erase(request: Request) -> Response:
    """What would go, what stays, and whether it is really this person."""
    return await _erasing(request)


async def _erasing(request: Request, status: int = 200, **values: Any) -> Response:
    person = _person(request)
    held = await house_of(request)(blocks, account=visitor_of(request).account, wanted=BlockFilter(recipient=person), cut=Cut(limit=200))
    return page(request, "recipient_erase.html", status=status, person=person, held=held, **values)


async def erase_person(request: Request) -> Response:
    form, person = await form_of(request), _person(request)
    if str(form.get("typed", "")).strip() != person[-4:]:
        return await _erasing(request, 422, given=form, wrong={"typed": say(request, N_("Type the last four digits of the number."))})
    erased = await house_of(request)(erase.erase, account=visitor_of(request).account, recipient=person)
    if erased.held:
        sentence = say(request, N_("Nothing was erased: a legal hold keeps everything. It is lifted in Settings, Retention."))
        return await _erasing(request, 409, given=form, wrong={"typed": sentence})
    # The audit log is never changed afterwards: it may not be told the number again.
    request.state.subject = f"•••{person[-4:]}"
    request.state.detail = {"messages": erased.messages, "events": erased.events, "waiting": erased.waiting}
    to = f"/console/recipients/{quote(person, safe='')}"
    if erased.waiting:
        told = N_("Erased, but for %(number)s texts or suggestions that have not ended yet: erase again then.")
        return done(request, to, say(request, told, number=erased.waiting))
    return done(request, to, say(request, N_("Erased. Blocks stay, and the ledger still verifies.")))


routes = [
    acts("/console/recipients/{address}/evidence", evidence, role=Role.VIEWER, act="numbers.evidence"),
    acts("/console/recipients/{address}/link", make_link, role=Role.OPERATOR, act="link.made"),
    shows("/console/recipients/{address}/erase", ask_erase, role=Role.ADMIN),
    acts("/console/recipients/{address}/erase", erase_person, role=Role.ADMIN, act="recipient.erased"),
    shows("/console/recipients/{address}", show),
]
