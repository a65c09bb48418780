"""Twilio's accounts API: the second auth token of an account, and how it becomes the first. A key may use none of it.

Twilio mails the owners unless `SuppressEmailNotification` says not to; nothing is mailed here, so it changes nothing.
"""

from datetime import datetime
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from stopwire.core.senders import Account
from stopwire.flows import auth_token
from stopwire.flows.auth_token import TokenChanged
from stopwire.ports.house import House
from stopwire.twilio_api.answers import Declined, answer, iso, no_content, record
from stopwire.twilio_api.calls import Call, resource


def routes(house: House) -> list[Route]:
    return [
        *resource(house, "/v1/AuthTokens/Secondary", post=create, delete=delete, for_keys=False),
        *resource(house, "/v1/AuthTokens/Promote", post=promote, for_keys=False),
    ]


async def create(call: Call) -> Response:
    account, made_at = _of(call, await call.house(auth_token.create_secondary, account=call.account, actor=call.caller.actor))
    return answer(_shown(call, made_at, made_at, secondary_auth_token=account.secondary_token), 201)


async def delete(call: Call) -> Response:
    _of(call, await call.house(auth_token.delete_secondary, account=call.account, actor=call.caller.actor))
    return no_content()


async def promote(call: Call) -> Response:
    account, made_at = _of(call, await call.house(auth_token.promote, account=call.account, actor=call.caller.actor))
    return answer(_shown(call, made_at, account.updated_at, auth_token=account.auth_token))


def _of(call: Call, changed: TokenChanged) -> tuple[Account, datetime | None]:
    if changed.refused is not None:
        raise Declined(changed.refused)
    if changed.account is None:
        raise call.missing()
    return changed.account, changed.made_at


def _shown(call: Call, made_at: datetime | None, changed_at: datetime | None, **token: str | None) -> dict[str, Any]:
    return record(
        account_sid=call.account,
        date_created=iso(made_at),
        date_updated=iso(changed_at),
        **token,
        url=f"{call.base}{call.url_path}",
    )
