"""The demo account: eight senders, one messaging service, and a little traffic between handsets of its own."""

import asyncio
import itertools
from datetime import datetime
from functools import partial

from stopwire.core.address import SenderKind, country_of, national_format
from stopwire.core.orders import Order
from stopwire.core.policy import standard_policy
from stopwire.core.senders import Sender, Service
from stopwire.flows import send
from stopwire.log import get_logger
from stopwire.ports.faults import StoreFault
from stopwire.ports.store import Tx
from stopwire.ports.world import Ids, World

log = get_logger(__name__)

SERVICE_NAME = "Demo"
# address, kind, member of the service
SENDERS = (
    ("+14155550100", SenderKind.LONG_CODE, True),
    ("+14155550111", SenderKind.LONG_CODE, True),
    ("+14155550122", SenderKind.LONG_CODE, False),
    ("+18885550100", SenderKind.TOLL_FREE, False),
    ("72345", SenderKind.SHORT_CODE, False),
    ("+525555550100", SenderKind.LONG_CODE, False),
    ("+16045550100", SenderKind.LONG_CODE, False),
    ("whatsapp:+14155550190", SenderKind.WHATSAPP, True),
)
PREFIX = {SenderKind.SHORT_CODE: "SC", SenderKind.WHATSAPP: "XE", SenderKind.ALPHANUMERIC: "AI"}
TRAFFIC_SECONDS = 45.0
# handset, what it is told, what it says then: a play of its own, away from the handsets a newcomer uses
PLAY = (
    ("+12025550143", "Your table for two is ready.", "Thank you!"),
    ("+12025550178", "Your parcel arrives today between 2 and 4 pm.", None),
    ("+13125550119", "Flash sale: 20% off until midnight.", "STOP PLEASE"),
    ("+12025550143", "How was your visit? Reply 1 to 5.", "5"),
    ("+17135550166", "Reminder: dentist tomorrow at 9.", "HELP"),
)


async def seed(world: World, *, account: str) -> None:
    """Give a new account its senders and service. Does nothing to one that has any, or had these."""
    await world.store.write(partial(_seed, now=world.clock.now(), ids=world.ids), account=account)


def _seed(tx: Tx, *, now: datetime, ids: Ids) -> None:
    if tx.services.directory().senders or tx.services.holders_before(SENDERS[0][0]):
        return  # it is somebody's own by now, or the demo was switched off
    service = Service(
        sid=ids.sid("MG"),
        account=tx.account,
        friendly_name=SERVICE_NAME,
        policy=standard_policy(),
        created_at=now,
        updated_at=now,
    )
    tx.services.add_service(service, actor="demo")
    for address, kind, member in SENDERS:
        tx.services.add_sender(
            Sender(
                sid=ids.sid(PREFIX.get(kind, "PN")),
                account=tx.account,
                address=address,
                kind=kind,
                country=country_of(address) if kind is not SenderKind.SHORT_CODE else "US",
                friendly_name=national_format(address) if address.startswith("+") else address,
                service=service.sid if member else None,
                created_at=now,
                updated_at=now,
                joined_at=now if member else None,
            )
        )


async def traffic(world: World, *, account: str) -> None:
    """Play PLAY over and over, until cancelled."""
    for handset, told, says in itertools.cycle(PLAY):
        try:
            directory = await world.store.directory(account)
            service = next((s for s in directory.services.values() if s.friendly_name == SERVICE_NAME), None)
            if service is None:
                return  # the newcomer has made the demo their own
            sent = await send.send(world, account=account, orders=[Order(to=handset, service=service.sid, body=told)])
            if says and sent.receipts[0].message:
                await asyncio.sleep(2)
                message = await world.store.read(partial(_sender_of, sid=sent.receipts[0].message.sid), account=account)
                if message:
                    await world.phones.text(account, handset, message, says)
        except StoreFault:
            log.warning("demo.paused")
        await asyncio.sleep(TRAFFIC_SECONDS)


def _sender_of(tx: Tx, *, sid: str) -> str | None:
    message = tx.messages.get(sid)
    return message.sender if message else None
