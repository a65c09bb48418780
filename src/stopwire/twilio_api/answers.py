"""How this door speaks: JSON bodies, Twilio's two kinds of dates, its error envelope.

Rendering only; what is answered is decided elsewhere.
"""

from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

import msgspec
from starlette.responses import Response

from stopwire.core.errors import Refused, envelope

API_VERSION = "2010-04-01"
CONTENT_TYPE = "application/json; charset=utf-8"


class Declined(Exception):
    """Ends a handler with a refusal: what was asked cannot be read, or not be had. The door answers it."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.message)
        self.refused = refused


def answer(data: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`data` as JSON; keys stay in their order."""
    return Response(msgspec.json.encode(data), status, headers, media_type=CONTENT_TYPE)


def no_content() -> Response:
    """What a DELETE answers: nothing, so that SDKs return True."""
    return Response(status_code=204)


def refusal(refused: Refused, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal in Twilio's envelope."""
    return answer(envelope(refused), refused.status, headers)


def rfc2822(at: datetime | None) -> str | None:
    """A date of the 2010 API: `Thu, 24 Aug 2023 05:01:45 +0000`."""
    return None if at is None else _to_the_second(at.replace(microsecond=0))


@lru_cache(maxsize=1024)
def _to_the_second(at: datetime) -> str:
    return format_datetime(at)


def iso(at: datetime | None) -> str | None:
    """A date of v1 and v2: `2015-07-30T20:12:31Z`. SDKs read neither fractions nor offsets."""
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


def record(**properties: Any) -> dict[str, Any]:
    """One resource's properties; a trailing underscore keeps Python's own words out of the way (`from_`)."""
    return {name.rstrip("_"): value for name, value in properties.items()}
