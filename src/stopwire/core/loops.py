"""Fences between two machines that answer each other: may one more automatic text go to this pair?

A block is never held back here, only the words that would follow it: a STOP counts however often it comes.
The times come in from the store; which sender and person make a pair is the caller's knowledge.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

ECHO_WINDOW: Final = timedelta(hours=1)  # how long our own texts are recognised when they come back
RECENT_WINDOW: Final = timedelta(hours=1)  # no fence looks back further: so much history is enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """At most `count` texts within `window`; when that is reached, none for `silence` after the last."""

    count: int
    window: timedelta
    silence: timedelta = timedelta(0)


# More than a person needs, far less than two machines make of it.
HELP_FENCE: Final = Fence(count=3, window=timedelta(hours=1))
# Twilio's error 14107, "more than 15 replies between two numbers within 30 seconds".
TWIML_FENCE: Final = Fence(count=15, window=timedelta(seconds=30))
ANY_FENCE: Final = Fence(count=30, window=timedelta(seconds=30), silence=timedelta(seconds=30))

TWIML: Final = "TWIML"  # the kind of an application's reply; the others are keywords
_FENCES: Final = {"HELP": HELP_FENCE, TWIML: TWIML_FENCE}


def may_answer(*, kind: str, recent: Sequence[datetime], now: datetime) -> bool:
    """Whether one more text of `kind` ("STOP", "START", "HELP", `TWIML`) may go to the pair at `now`.

    `recent` are the times, in any order, of the texts of that kind sent to the pair in `RECENT_WINDOW`. Ask
    again with another kind and the times of all automatic texts for the fence around everything.
    """
    fences = (ANY_FENCE, _FENCES[kind]) if kind in _FENCES else (ANY_FENCE,)
    times = sorted(recent)
    return all(_open(fence, times, now) for fence in fences)


def echoes(body: str, recent_replies: Iterable[str]) -> bool:
    """Whether `body` is one of the texts that we sent to the pair in `ECHO_WINDOW`: a machine speaks back to us.

    Letter case and white space are not compared, since carriers change both.
    """
    said = _plain(body)
    return bool(said) and any(said == _plain(reply) for reply in recent_replies)


def _open(fence: Fence, times: Sequence[datetime], now: datetime) -> bool:
    if sum(now - fence.window < at for at in times) >= fence.count:
        return False
    # Reached earlier, and the silence that follows has not passed.
    return not any(
        last - first < fence.window and now - last < fence.silence
        for first, last in zip(times, times[fence.count - 1 :], strict=False)
    )


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
