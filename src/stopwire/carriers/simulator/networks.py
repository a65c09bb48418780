"""The toll-free network of the US and Canada: it answers STOP, START and UNSTOP itself and keeps its own block.

It never asks us, and we cannot switch it off. Texts: support.twilio.com article 360058144374.
"""

from dataclasses import dataclass
from enum import StrEnum

from stopwire.core.address import SenderKind, kind_of
from stopwire.core.keywords import normalise

STOP_TEXT = (
    'NETWORK MSG: You replied with the word "{word}" which blocks all texts sent from this number. '
    'Text back "unstop" to receive messages again.'
)
START_TEXT = 'NETWORK MSG: You have replied "{word}" and will begin receiving messages again from this number.'
BLOCKED = 30004  # how a send past the network's block ends


class Verdict(StrEnum):
    BLOCK = "block"
    LIFT = "lift"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAnswer:
    verdict: Verdict
    text: str


def listen(sender: str, body: str) -> NetworkAnswer | None:
    """What the network does with a handset's text to `sender`; None where it only carries it."""
    if kind_of(sender) is not SenderKind.TOLL_FREE:
        return None
    word = normalise(body)
    if word == "stop":
        return NetworkAnswer(verdict=Verdict.BLOCK, text=STOP_TEXT.format(word=word))
    if word in ("start", "unstop"):
        return NetworkAnswer(verdict=Verdict.LIFT, text=START_TEXT.format(word=word))
    return None
