"""Registrations with the networks of the US: brands, campaigns, verified toll-free numbers. This gateway is no authority for them.

What is asked here is answered 404, and told where it is done.
"""

from dataclasses import replace
from functools import partial
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from stopwire.core.errors import refuse
from stopwire.ports.house import House
from stopwire.twilio_api.answers import Declined
from stopwire.twilio_api.calls import Call, resource, shown_path

_CAMPAIGN: Final = (
    "Campaigns are registered with The Campaign Registry by way of your carrier, and this gateway cannot do it. Register there, "
    "then put the numbers on that carrier's connection."
)
_BRAND: Final = "Brands are registered with The Campaign Registry by way of your carrier, and this gateway cannot do it. Register there."
_TOLL_FREE: Final = (
    "Toll-free numbers are verified by the networks by way of your carrier, and this gateway cannot do it. Submit the verification "
    "there, then put the number on that carrier's connection."
)
ELSEWHERE: Final = (
    ("/v1/Services/{service}/Compliance/Usa2p", _CAMPAIGN),
    ("/v1/Services/{service}/Compliance/Usa2p/{campaign}", _CAMPAIGN),
    ("/v1/Services/PreregisteredUsa2p", _CAMPAIGN),
    ("/v1/a2p/BrandRegistrations", _BRAND),
    ("/v1/a2p/BrandRegistrations/{brand:path}", _BRAND),
    ("/v1/Tollfree/Verifications", _TOLL_FREE),
    ("/v1/Tollfree/Verifications/{verification}", _TOLL_FREE),
)


def routes(house: House) -> list[Route]:
    found: list[Route] = []
    for path, says in ELSEWHERE:
        told = partial(_elsewhere, says)
        found += resource(house, path, get=told, post=told, delete=told)
    return found


async def _elsewhere(says: str, call: Call) -> Response:
    missing = refuse(20404, path=shown_path(call.url_path))
    raise Declined(replace(missing, message=f"{missing.message}. {says}"))
