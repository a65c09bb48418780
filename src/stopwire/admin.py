"""The operator's door: a Unix socket in the data directory, for the command line on the same machine.

Whoever may open the socket (mode 0600) is the operator. It makes accounts, signs in, copies and checks the store.
"""

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from stopwire.flows import backup as flows_backup
from stopwire.flows import own, rotate
from stopwire.ports.faults import StoreFault
from stopwire.ports.world import World

Action = Callable[..., Awaitable[Mapping[str, Any]]]


async def create_account(world: World, *, name: str) -> Mapping[str, Any]:
    made = await own.create_account(world, name=name)
    return {"account_sid": made.sid, "auth_token": made.auth_token, "name": made.friendly_name}


async def list_accounts(world: World) -> Mapping[str, Any]:
    found = await own.accounts(world)
    return {"accounts": [{"account_sid": a.sid, "name": a.friendly_name, "status": a.status} for a in found]}


async def sign_in(world: World, *, account: str = "") -> Mapping[str, Any]:
    sid = account or (await own.accounts(world))[0].sid
    token = await own.sign_in(world, account=sid)
    return {"console_url": f"{world.choices.public_url}/console/sign-in?token={token}"}


async def backup(world: World, *, target: str) -> Mapping[str, Any]:
    return await flows_backup.back_up(world, target=target, actor="operator")


async def check(world: World) -> Mapping[str, Any]:
    """The ledger of every account verified, and the store's own state."""
    ledgers = {}
    for account in await own.accounts(world):
        verdict = await world.store.read(lambda tx: tx.consent.verify(), account=account.sid)
        ledgers[account.sid] = {"ok": verdict.ok, "events": verdict.events, "first_fault": verdict.first_fault}
    return {"ok": all(row["ok"] for row in ledgers.values()), "ledgers": ledgers, "store": dict(world.store.state())}


async def rotate_key(world: World) -> Mapping[str, Any]:
    done = await rotate.rotate(world, actor="operator")
    return {"key": done.key, "resealed": done.resealed, "unreadable": done.unreadable}


ACTIONS: dict[str, Action] = {
    "create_account": create_account,
    "list_accounts": list_accounts,
    "sign_in": sign_in,
    "backup": backup,
    "check": check,
    "rotate_key": rotate_key,
}


def admin_app(world: World) -> Starlette:
    async def act(request: Request) -> JSONResponse:
        action = ACTIONS.get(request.path_params["action"])
        if action is None:
            return JSONResponse({"error": f"There is no action {request.path_params['action']}."}, status_code=404)
        try:
            values = _values(action, await request.body())
            return JSONResponse(await action(world, **values))
        except (StoreFault, LookupError, ValueError) as fault:
            return JSONResponse({"error": str(fault)}, status_code=409)

    return Starlette(routes=[Route("/{action}", act, methods=["POST"])])


def _values(action: Action, body: bytes) -> dict[str, Any]:
    """What the body gives the action. Raises ValueError where it is no JSON object, or not what the action takes."""
    values = json.loads(body or b"{}")
    if not isinstance(values, dict):
        raise ValueError("The body is to be a JSON object.")
    try:
        inspect.signature(action).bind(None, **values)
    except TypeError as fault:
        raise ValueError(f"{action.__name__} does not take these values: {fault}.") from None
    return values


class NotRunning(Exception):
    """No gateway runs on this data directory."""


def call(data_dir: Path, action: str, **values: Any) -> dict[str, Any]:
    """Ask the gateway that runs on `data_dir`. Raises NotRunning, or ValueError with what it answered."""
    socket = data_dir / "admin.sock"
    if not socket.exists():
        raise NotRunning(str(data_dir))
    try:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket)), timeout=120) as client:
            answer = client.post(f"http://admin/{action}", json=values)
    except httpx.TransportError as fault:
        raise NotRunning(str(data_dir)) from fault
    told: dict[str, Any] = answer.json()
    if answer.status_code != 200:
        raise ValueError(told.get("error", answer.text))
    return told
