"""Who may knock: basic credentials, the account in the path, what test credentials and keys may use.

The secret itself is compared by `flows/authenticate.py`.
"""

import base64
import binascii
import re
from typing import Final
from weakref import WeakKeyDictionary

from stopwire.core.errors import Refused, refuse
from stopwire.flows.authenticate import Caller, authenticate
from stopwire.ports.house import House

KNOWN_MAX: Final = 1000  # callers that a door process remembers
ACCOUNT_SID: Final = re.compile(r"AC[0-9a-fA-F]{32}")
CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="Twilio API"'}

# Which product answers under Twilio's own host names, regions and edges included.
_HOSTED: Final = re.compile(r"(api|messaging|accounts|lookups)(?:\.[a-z0-9-]+){0,2}\.twilio\.com")
_PRODUCTS: Final = {
    "api": ("/2010-04-01/",),
    "messaging": ("/v1/Services", "/v1/Deactivations", "/v1/a2p", "/v1/Tollfree"),
    "accounts": ("/v1/AuthTokens", "/v1/Consents", "/v1/Contacts", "/v1/SafeList", "/v1/Messaging/GeoPermissions"),
    "lookups": ("/v2/PhoneNumbers",),
}


def is_hosted(host: str) -> bool:
    """Whether `host` is one of Twilio's own names, without a port and in lower case."""
    return _HOSTED.fullmatch(host) is not None


def serves(host: str, path: str) -> bool:
    """Whether the product that `host` names has `path`. A host that is not Twilio's has them all."""
    hosted = _HOSTED.fullmatch(host.partition(":")[0].lower())
    return hosted is None or path.startswith(_PRODUCTS[hosted[1]])


async def identify(house: House, authorization: str | None) -> Caller | Refused:
    """The caller behind an `Authorization` header."""
    if not authorization:
        return refuse(20003, case="no_credentials")
    known = _known.setdefault(house, _Known())
    if caller := known.get(house.configuration, authorization):
        return caller
    asked_at = house.configuration
    pair = _basic(authorization)
    if pair is None:
        return refuse(20003)
    caller = await house(authenticate, username=pair[0], password=pair[1])
    match caller.failure:
        case None:
            known.keep(asked_at, authorization, caller)
            return caller
        case "username":
            return refuse(20003, case="username")
        case _:
            return refuse(20003)


class _Known:
    """Callers that a door has asked for, while no configuration changes. Of wrong credentials nothing is kept."""

    def __init__(self) -> None:
        self._of: int | None = None
        self._callers: dict[str, Caller] = {}

    def get(self, configuration: int | None, authorization: str) -> Caller | None:
        return self._callers.get(authorization) if configuration is not None and configuration == self._of else None

    def keep(self, configuration: int | None, authorization: str, caller: Caller) -> None:
        if configuration is None:
            return
        if configuration != self._of or len(self._callers) >= KNOWN_MAX:
            self._of, self._callers = configuration, {}
        self._callers[authorization] = caller


_known: WeakKeyDictionary[House, _Known] = WeakKeyDictionary()


def objection(caller: Caller, *, account: str | None, path: str, for_test: bool, for_keys: bool) -> Refused | None:
    """Why `caller` may not use this resource; `account` is the SID in the path, None where it has none."""
    if account is not None and account != caller.name:
        return refuse(20404, path=path)
    if caller.status != "active":
        return refuse(20005)
    if caller.test and not for_test:
        return refuse(20008)
    if caller.key and not for_keys:
        return refuse(20006)
    return None


def _basic(authorization: str) -> tuple[str, str] | None:
    scheme, _, coded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, secret = base64.b64decode(coded.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return (user, secret) if colon else None
