"""One bind that is kept up: connects, binds, waits for its end, and comes back after a pause that grows.

What goes through the link is told in `carrier`.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from stopwire.carriers.smpp.settings import PAIRS, Settings
from stopwire.link import Closing, Limits, Link, LinkError, connect
from stopwire.ports.carrier import Tools
from stopwire.smpp.pdu import BindReceiver, BindTransceiver, BindTransmitter, Pdu
from stopwire.smpp.session import Timers

PAUSE_FIRST_SECONDS = 1.0
PAUSE_MAX_SECONDS = 60.0
STEADY_SECONDS = 30.0  # a bind that held so long starts its pauses anew
LEAVE_SECONDS = 5.0  # for an unbind in order

_COMMANDS: Final[dict[str, type[BindTransceiver | BindTransmitter | BindReceiver]]] = {
    "transceiver": BindTransceiver,
    "transmitter": BindTransmitter,
    "receiver": BindReceiver,
}


class KeptBind:
    """`link` is the bound link, or None while there is none."""

    def __init__(
        self,
        role: str,
        settings: Settings,
        tools: Tools,
        *,
        on_pdu: Callable[[Pdu], Awaitable[Pdu | None]],
        on_change: Callable[[], None],
        on_late: Callable[[Pdu, Pdu], None],
    ) -> None:
        self.role = role
        self.link: Link | None = None
        self.failed = ""  # why the last try came to nothing; empty while bound
        self.tried = False
        self.since: datetime | None = None
        self._settings, self._tools = settings, tools
        self._on_pdu, self._on_change, self._on_late = on_pdu, on_change, on_late
        self._failures = 0

    @property
    def sends(self) -> bool:
        return self.role != "receiver"

    @property
    def bound(self) -> bool:
        return self.link is not None and self.link.bound

    async def keep(self) -> None:
        """Until cancelled."""
        while True:
            try:
                link = await self._connect()
            except LinkError as error:
                self._fail(str(error))
            else:
                began = self._tools.clock.monotonic()
                try:
                    await self._hold(link)
                finally:
                    self.link = None
                if self._tools.clock.monotonic() - began >= STEADY_SECONDS:
                    self._failures = 0
                self._fail(link.reason or "The link was closed.")
            await asyncio.sleep(self._pause())

    async def leave(self) -> None:
        """Unbind in order. What has no answer by then is lost."""
        if self.link is not None:
            await self.link.unbind(within_seconds=LEAVE_SECONDS)

    def drop(self, reason: str) -> None:
        """Close the link; it is opened again after a pause."""
        if self.link is not None:
            self.link.close(reason, closing=Closing.OURS)

    async def _connect(self) -> Link:
        settings = self._settings
        command = _COMMANDS[self.role]
        bind = command(
            system_id=settings.system_id,
            password=settings.password,
            system_type=settings.system_type,
            address_range=settings.address_range,
        )
        return await connect(
            settings.host,
            settings.port,
            bind=bind,
            on_pdu=self._on_pdu,
            tls=_context(settings) if settings.tls else None,
            limits=Limits(window=settings.window, connect_seconds=settings.connect_timeout),
            timers=Timers(
                response_seconds=settings.response_timeout,
                enquire_link_seconds=settings.enquire_link,
                bind_seconds=settings.connect_timeout,
            ),
            clock=self._tools.clock.monotonic,
            on_late=self._on_late,
            on_odd=lambda says: self._tools.tell("odd", says),
        )

    async def _hold(self, link: Link) -> None:
        self.link, self.failed, self.tried, self.since = link, "", True, self._tools.clock.now()
        self._tools.tell("bound", f"{self.role} bound to {self._settings.host}:{self._settings.port} as {self._settings.system_id}.")
        self._on_change()
        await link.wait_closed()

    def _fail(self, reason: str) -> None:
        if not self.tried or not self.failed:
            self.since = self._tools.clock.now()
        self.failed, self.tried = reason, True
        self._failures += 1
        self._tools.tell("unbound", reason)
        self._on_change()

    def _pause(self) -> float:
        """Full jitter, so that many who lost the same carrier do not come back together."""
        ceiling: float = min(PAUSE_MAX_SECONDS, PAUSE_FIRST_SECONDS * 2 ** min(self._failures - 1, 10))
        return max(0.05, ceiling * self._tools.ids.jitter())


def roles(settings: Settings) -> list[str]:
    """The roles of the binds of a connection."""
    each = ["transmitter", "receiver"] if settings.bind == PAIRS else ["transceiver"]
    return each * settings.binds


def _context(settings: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca or None)
    except OSError as error:
        raise LinkError(f"The certificates of tls_ca cannot be read: {error}.") from error
    if not settings.tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
