"""Reports of deactivated US numbers: the date is checked, and there is none yet."""

import re
from datetime import date
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from stopwire.core.errors import refuse
from stopwire.flows import bulk
from stopwire.ports.house import House
from stopwire.twilio_api.answers import Declined, refusal
from stopwire.twilio_api.calls import Call, resource

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def routes(house: House) -> list[Route]:
    return resource(house, "/v1/Deactivations", get=_report)


async def _report(call: Call) -> Response:
    return refusal(await call.house(bulk.deactivations, day=_day(call.fields.required("Date"))))


def _day(text: str) -> date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Declined(refuse(30115))
