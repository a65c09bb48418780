"""A person's phone in the hand of a test: it texts, waits for what comes, and says what it has.

Waits end with the event they wait for; where it does not come, the assertion tells what happened instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from stopwire.core.jobs import HandsetMessage
from stopwire.core.outcomes import InboundMedia
from stopwire.flows import rehearse
from stopwire.testing import story
from stopwire.testing.inside import Inside

TIMEOUT_SECONDS = 2.0
THREAD_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One text as the phone has it. `kind`: message | auto_reply | network. `sid`: of the message in the gateway, where it has one."""

    body: str
    kind: str
    peer: str  # our sender
    at: datetime
    sid: str | None = None
    media: tuple[str, ...] = ()  # content types

    @classmethod
    def of(cls, message: HandsetMessage) -> "Text":
        return cls(body=message.body, kind=message.kind, peer=message.peer, at=message.at, sid=message.message, media=message.media)


@dataclass(frozen=True, slots=True)
class Told:
    """A yes or no that says why when an assertion shows it."""

    yes: bool
    says: str

    def __bool__(self) -> bool:
        return self.yes

    def __repr__(self) -> str:
        return f"<{'yes' if self.yes else 'no'}: {self.says}>"


class Phone:
    """A handset. Any number of the world is one, also as `whatsapp:+…`."""

    def __init__(self, inside: Inside, address: str) -> None:
        self.address = address
        self._in = inside
        self._heard = 0  # received texts that a wait has given out

    @property
    def name(self) -> str:
        """What reports call it."""
        return self._in.name(self.address)

    def __repr__(self) -> str:
        return f"<Phone {self.name}>"

    def text(
        self,
        body: str,
        to: str | None = None,
        *,
        parts: int = 1,
        part_order: Sequence[int] | None = None,
        repeat: int = 1,
        media: Sequence[tuple[str, bytes]] = (),
    ) -> Text:
        """Text `to`, else whoever texted last, else the first sender. Returns when the gateway has it on disk.

        `parts`, `part_order`, `repeat`: as networks do. `media`: content type and bytes of each.
        """
        to = to or self._last_peer() or self._in.sender
        sent = self._in.call(
            rehearse.text(
                self._in.world,
                account=self._in.sid,
                handset=self.address,
                to=to,
                body=body,
                parts=parts,
                part_order=part_order,
                repeat=repeat,
                media=[InboundMedia(content_type=type_, data=data) for type_, data in media],
            )
        )
        if sent.unknown:
            raise ValueError(f"{to} is no sender of this test: text {self._in.sender}, or add one by sms.add_sender().")
        if sent.refused:
            raise ValueError(sent.refused)
        return Text(body=body, kind="message", peer=to, at=self._in.running.clock.now(), sid=sent.message_sid)

    def off(self) -> None:
        """Switch it off: texts to it wait in the message centre, and nothing is reported of them."""
        self._reach(on=False)

    def on(self) -> None:
        """Switch it on: what waited arrives now."""
        self._reach(on=True)

    def wait(self, timeout: float = TIMEOUT_SECONDS) -> Text:
        """The next text that came. AssertionError where none comes within `timeout` seconds."""
        return self._given(self._in.call(self._next(timeout)), timeout)

    async def arrived(self, timeout: float = TIMEOUT_SECONDS) -> Text:
        """`wait` for a test that is a coroutine."""
        return self._given(await self._in.later(self._next(timeout)), timeout)

    @property
    def inbox(self) -> list[Text]:
        """All that came, the oldest first; also what a wait has given out."""
        return [Text.of(message) for message in self._thread() if message.direction == "in"]

    def quiet(self, timeout: float = TIMEOUT_SECONDS) -> Told:
        """Whether nothing came since the last wait, once nothing is on its way any more."""
        if not self._in.settled(timeout):
            raise AssertionError(f"waited {timeout:g} s for everything to arrive; something is still on its way.\n{story.told(self._in)}")
        more = self.inbox[self._heard :]
        if not more:
            return Told(True, f"nothing came to {self.name}")
        return Told(False, f"to {self.name} came " + ", ".join(f"{text.body!r} ({text.kind})" for text in more))

    def _reach(self, **changes: Any) -> None:
        phones = self._in.world.phones
        reception = replace(phones.reception(self._in.sid, self.address), **changes)
        self._in.call(phones.set_reception(self._in.sid, self.address, reception))

    def _last_peer(self) -> str:
        return next((message.peer for message in reversed(self._thread()) if message.direction == "in"), "")

    def _thread(self) -> list[HandsetMessage]:
        return self._in.call(self._in.world.phones.conversation(self._in.sid, self.address, None, THREAD_MAX))

    async def _next(self, seconds: float) -> Text | None:
        async def ask() -> Text | None:
            thread = await self._in.world.phones.conversation(self._in.sid, self.address, None, THREAD_MAX)
            came = [message for message in thread if message.direction == "in"]
            return Text.of(came[self._heard]) if len(came) > self._heard else None

        return await self._in.until(ask, seconds=seconds)

    def _given(self, text: Text | None, seconds: float) -> Text:
        if text is None:
            raise AssertionError(f"waited {seconds:g} s for a text to {self.name}; none came. {story.last_word(self._in)}".rstrip())
        self._heard += 1
        return text
