"""API keys, and the account itself. A key may use neither."""

from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from stopwire.core.senders import Account
from stopwire.flows import account as accounts
from stopwire.ports.house import House
from stopwire.ports.store import Accounts, Key
from stopwire.twilio_api.answers import Declined, answer, no_content, rfc2822
from stopwire.twilio_api.calls import Call, resource
from stopwire.twilio_api.paging import list_2010, page_of
from stopwire.twilio_api.services import directory_of

_ACCOUNT: Final = "/2010-04-01/Accounts/{account}"


def routes(house: House) -> list[Route]:
    return [
        *resource(house, "/2010-04-01/Accounts", get=list_accounts, for_keys=False),
        *resource(house, _ACCOUNT, get=fetch_account, for_keys=False),
        *resource(house, f"{_ACCOUNT}/Keys", get=list_keys, post=create, for_keys=False),
        *resource(house, f"{_ACCOUNT}/Keys/{{sid}}", get=fetch, post=rename, delete=delete, for_keys=False),
    ]


async def fetch_account(call: Call) -> Response:
    return answer(show_account((await directory_of(call)).account))


async def list_accounts(call: Call) -> Response:
    """The list of one: an account sees no other."""
    page = page_of(call, "AC")
    account = (await directory_of(call)).account
    name, status = call.fields.text("FriendlyName"), call.fields.text("Status")
    wanted = name in ("", account.friendly_name) and status in ("", account.status)
    first = page.cut.offset == 0 and page.cut.before is None and page.cut.after is None
    return list_2010(
        call, page, [account] if wanted and first else [], key="accounts", show=show_account, sid=lambda each: each.sid
    )


async def list_keys(call: Call) -> Response:
    page = page_of(call, "SK")
    keys = await call.house.read(call.account, Accounts.keys, page.cut)
    return list_2010(call, page, keys, key="keys", show=show_key, sid=lambda key: key.sid)


async def create(call: Call) -> Response:
    changed = await call.house(accounts.create_key, account=call.account, friendly_name=call.fields.text("FriendlyName"))
    return answer(show_key(_key(call, changed)) | {"secret": changed.secret}, 201)


async def fetch(call: Call) -> Response:
    key = await call.house.read(call.account, Accounts.key, call.path["sid"])
    if key is None:
        raise call.missing()
    return answer(show_key(key))


async def rename(call: Call) -> Response:
    changed = await call.house(
        accounts.rename_key, account=call.account, key=call.path["sid"], friendly_name=call.fields.text("FriendlyName")
    )
    return answer(show_key(_key(call, changed)))


async def delete(call: Call) -> Response:
    if not await call.house(accounts.delete_key, account=call.account, key=call.path["sid"]):
        raise call.missing()
    return no_content()


def show_key(key: Key) -> dict[str, Any]:
    return {
        "sid": key.sid,
        "friendly_name": key.friendly_name,
        "date_created": rfc2822(key.created_at),
        "date_updated": rfc2822(key.updated_at),
    }


def show_account(account: Account) -> dict[str, Any]:
    """The account with its primary token: who asks has just signed in with one that may do all that this one may."""
    uri = f"/2010-04-01/Accounts/{account.sid}"
    return {
        "sid": account.sid,
        "owner_account_sid": account.sid,
        "auth_token": account.auth_token,
        "friendly_name": account.friendly_name,
        "status": account.status,
        "type": "Full",
        "date_created": rfc2822(account.created_at),
        "date_updated": rfc2822(account.updated_at),
        "uri": f"{uri}.json",
        "subresource_uris": {
            "messages": f"{uri}/Messages.json",
            "incoming_phone_numbers": f"{uri}/IncomingPhoneNumbers.json",
            "available_phone_numbers": f"{uri}/AvailablePhoneNumbers.json",
            "short_codes": f"{uri}/SMS/ShortCodes.json",
            "keys": f"{uri}/Keys.json",
        },
    }


def _key(call: Call, changed: accounts.KeyChanged) -> Key:
    if changed.refused:
        raise Declined(changed.refused)
    if changed.key is None:
        raise call.missing()
    return changed.key
