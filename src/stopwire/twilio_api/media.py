"""Media of messages: their list, their properties, their bytes.

Bytes that a stranger's handset sent are never shown as a page of ours.
"""

import re
from typing import Any, Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from stopwire.core.errors import Refused
from stopwire.core.message import Media
from stopwire.flows import cancel
from stopwire.ports.house import House
from stopwire.ports.store import Accounts, Messages
from stopwire.twilio_api.answers import API_VERSION, answer, no_content, record, refusal, rfc2822
from stopwire.twilio_api.auth import CHALLENGE, identify, objection
from stopwire.twilio_api.calls import Call, resource
from stopwire.twilio_api.messages import within
from stopwire.twilio_api.paging import list_2010, page_of, pick

_SHOWN_INLINE: Final = ("image/", "audio/", "video/")
_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+(; ?[\w-]+=[\w.\"-]+)*", re.ASCII)
_CAN_RUN: Final = ("image/svg",)  # a picture that holds scripts


def routes(house: House) -> list[Route]:
    """The media of a message, one medium, its content."""
    media = "/2010-04-01/Accounts/{account}/Messages/{sid}/Media"
    return [
        *resource(house, media, get=_list),
        *resource(house, f"{media}/{{media}}", get=_fetch, delete=_delete, suffix=True),
        # Whoever has the link may fetch, unless the account asks for more: webhooks hand it to people's browsers.
        *resource(house, f"{media}/{{media}}", get=_content, suffix=False, for_all=True),
    ]


async def _list(call: Call) -> Response:
    if await call.house.read(call.account, Messages.get, call.path["sid"]) is None:
        raise call.missing()
    page = page_of(call, "ME")
    held = within(call.fields, "DateCreated")
    found = [
        each
        for each in await call.house.read(call.account, Messages.media, call.path["sid"])
        if held(each.created_at)
    ]
    shown = pick(found, page.cut, lambda each: each.sid)
    return list_2010(call, page, shown, key="media_list", show=lambda each: _shown(each, call), sid=lambda each: each.sid)


async def _fetch(call: Call) -> Response:
    found = await call.house.read(call.account, Messages.medium, call.path["sid"], call.path["media"])
    if found is None:
        raise call.missing()
    return answer(_shown(found, call))


async def _delete(call: Call) -> Response:
    deleted = await call.house(
        cancel.delete_media, account=call.account, message=call.path["sid"], sid=call.path["media"]
    )
    if deleted.refused:
        return refusal(deleted.refused)
    if not deleted.found:
        raise call.missing()
    return no_content()


async def _content(call: Call) -> Response:
    """The bytes of an inbound medium; for an outbound one, the way to where the application keeps it."""
    account = await call.house.read(call.path["account"], Accounts.find, call.path["account"])
    if account is None:
        raise call.missing()
    if account.settings.media_auth == "basic" and (refused := await _unsigned(call)):
        return refused
    found = await call.house.read(account.sid, Messages.medium, call.path["sid"], call.path["media"])
    if found is None:
        raise call.missing()
    if found.bytes_ is None:
        assert found.url is not None, "a medium has bytes or a URL"
        return RedirectResponse(found.url, 307)
    return Response(found.bytes_, headers=_safe_headers(found))


async def _unsigned(call: Call) -> Response | None:
    """The refusal of a caller who does not sign in; None for one who does."""
    known = await identify(call.house, call.header("Authorization"))
    if isinstance(known, Refused):
        return refusal(known, CHALLENGE)
    refused = objection(known, account=call.path["account"], path=call.url_path, for_test=False, for_keys=True)
    return refusal(refused) if refused else None


def _safe_headers(media: Media) -> dict[str, str]:
    kind = media.content_type.lower()
    inline = kind.startswith(_SHOWN_INLINE) and not kind.startswith(_CAN_RUN)
    return {
        "Content-Type": media.content_type if _TYPE.fullmatch(media.content_type) else "application/octet-stream",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": "inline" if inline else "attachment",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }


def _shown(media: Media, call: Call) -> dict[str, Any]:
    return record(
        sid=media.sid,
        account_sid=call.account_shown,
        parent_sid=media.message,
        content_type=media.content_type,
        date_created=rfc2822(media.created_at),
        date_updated=rfc2822(media.created_at),
        uri=f"/{API_VERSION}/Accounts/{call.account_shown}/Messages/{media.message}/Media/{media.sid}.json",
    )
