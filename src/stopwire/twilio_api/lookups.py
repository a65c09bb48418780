"""Lookups v2, the part that needs nobody: what a number's own digits tell. Packages that cost money are null."""

from typing import Final
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import Route

from stopwire.core.address import examine
from stopwire.ports.house import House
from stopwire.twilio_api.answers import answer, record
from stopwire.twilio_api.calls import Call, resource

_PACKAGES: Final = (
    "caller_name", "sim_swap", "call_forwarding", "line_type_intelligence", "line_status", "identity_match",
    "reassigned_number", "sms_pumping_risk", "phone_number_quality_score", "pre_fill",
)  # fmt: skip


def routes(house: House) -> list[Route]:
    return resource(house, "/v2/PhoneNumbers/{number}", get=_fetch)


async def _fetch(call: Call) -> Response:
    """200 for invalid numbers too: that is the answer."""
    found = examine(call.path["number"], call.fields.get("CountryCode"))
    return answer(
        record(
            calling_country_code=found.calling_code,
            country_code=found.country,
            phone_number=found.number,
            national_format=found.national,
            valid=not found.faults,
            validation_errors=list(found.faults),
            **dict.fromkeys(_PACKAGES),
            url=f"{call.base}/v2/PhoneNumbers/{quote(found.number, safe='+')}",
        )
    )
