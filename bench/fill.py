"""A gateway with a long past: many messages in its log, many people on its block list.

A past is written while no gateway runs: messages as copies in SQL of one that was really sent, blocks as events on the
ledger by the store's own hand. Here too: what the import and the export of a running gateway take.
"""

import asyncio
import contextlib
import http.client
import random
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gateway import ACCOUNT, Stopwire, authorization

ROWS_AT_ONCE = 100_000
EVENTS_AT_ONCE = 5_000
DAY_MILLIS = 86_400_000
LOST_ONE_OF = 50  # messages that did not arrive
AREAS = ("628", "650", "707", "714", "805", "818")  # none that the load generator writes to


def numbers(count: int, *, ordered: bool = False) -> Iterator[str]:
    """Valid numbers, each once, in no order unless `ordered`."""
    chance = random.Random(20260101)
    per_area = -(-count // len(AREAS))
    if per_area > 8_000_000:
        raise ValueError(f"At most {len(AREAS) * 8_000_000:,} numbers can be made.")
    left = count
    for area in AREAS:
        some = chance.sample(range(2_000_000, 10_000_000), min(per_area, left))
        for n in sorted(some) if ordered else some:
            yield f"+1{area}{n:07}"
        left -= min(per_area, left)


@contextlib.contextmanager
def _bare(data_dir: Path, *tables: str) -> Iterator[sqlite3.Connection]:
    """Tables without the indexes that are no constraints, which are made again at the end: millions of rows, each put in its
    place in each of them, would write the whole file many times over."""
    link = sqlite3.connect(data_dir / "stopwire.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=OFF", "cache_size=-2000000", "temp_store=MEMORY", "threads=2"):
        link.execute(f"PRAGMA {pragma}")
    marks = ", ".join("?" * len(tables))
    found = link.execute(f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({marks})", tables)
    indexes = found.fetchall()
    for name, _ in indexes:
        link.execute(f"DROP INDEX {name}")
    try:
        yield link
    finally:
        for _, sql in indexes:
            link.execute(sql)
            link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        link.close()


def messages(data_dir: Path, count: int, *, days: int = 0) -> None:
    """`count` delivered messages to as many people, each with its attempt. No gateway may run in `data_dir`.

    They are spread over the last `days`, and then their texts differ and some did not arrive.
    """
    with _bare(data_dir, "messages", "attempts") as link:
        (sid,) = link.execute(
            "SELECT sid FROM messages WHERE direction = 'outbound-api' AND status IN ('sent', 'delivered') ORDER BY seq LIMIT 1"
        ).fetchone()
        in_message = {"seq": "NULL", "sid": ":sid", "recipient": ":recipient"}
        in_attempt = {"id": ":id", "message": ":sid", "reference": ":reference"}
        if days:
            in_message |= {name: f"{name} - :age" for name in ("created_at", "updated_at", "sent_at")}
            in_message |= {"body": ":body", "status": ":status", "error_code": ":code"}
            in_attempt |= {name: f"{name} - :age" for name in ("at", "answered_at")}
        copy_message = _copy(link, "messages", "sid = :of", in_message)
        copy_attempt = _copy(link, "attempts", "message = :of", in_attempt)
        rows: list[dict[str, Any]] = []
        for made, number in enumerate(numbers(count), 1):
            rows.append(
                {
                    "of": sid, "recipient": number, "sid": f"SM{made:032x}",
                    "id": f"AT{made:032x}", "reference": f"past-{made}",
                    "age": days * DAY_MILLIS * (count - made) // count, "body": f"Your parcel {made} is on its way.",
                    "status": "undelivered" if made % LOST_ONE_OF == 0 else "delivered", "code": 30003 if made % LOST_ONE_OF == 0 else None,
                }
            )  # fmt: skip
            if len(rows) == ROWS_AT_ONCE or made == count:
                link.execute("BEGIN IMMEDIATE")
                link.executemany(copy_message, rows)
                link.executemany(copy_attempt, rows)
                link.execute("COMMIT")
                link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                rows.clear()


def _copy(link: sqlite3.Connection, table: str, where: str, changed: dict[str, str]) -> str:
    names = [row[1] for row in link.execute(f"PRAGMA table_info({table})")]
    values = [changed.get(name, name) for name in names]
    return f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)} FROM {table} WHERE {where} LIMIT 1"


def blocks(data_dir: Path, count: int, *, days: int = 0) -> None:
    """`count` people blocked for the whole account over the last `days`, on the ledger and on the list. No gateway may run in `data_dir`."""
    with _bare(data_dir, "consent_events", "consent_people", "blocks"):
        asyncio.run(_blocks(data_dir, count, days))


async def _blocks(data_dir: Path, count: int, days: int) -> None:
    from stopwire.core.address import group_of
    from stopwire.core.consent import Act, ConsentEvent, Reason
    from stopwire.ports.store import Tx
    from stopwire.storage.store import SqlStore

    store, now = await SqlStore.open(data_dir), datetime.now(UTC)
    events: list[ConsentEvent] = []

    async def keep() -> None:
        piece = list(events)

        def append(tx: Tx) -> None:
            tx.consent.append(piece)

        await store.write(append, account=ACCOUNT)
        events.clear()

    for made, number in enumerate(numbers(count, ordered=True), 1):
        at = now - timedelta(days=days) * ((count - made) / count)
        events.append(
            ConsentEvent(
                id=f"CE{made:032x}",
                holder=ACCOUNT,
                group=group_of(number),
                recipient=number,
                act=Act.BLOCK,
                reason=Reason.IMPORT,
                actor="bench",
                occurred_at=at,
                recorded_at=at,
                source="import",
            )
        )
        if len(events) == EVENTS_AT_ONCE:
            await keep()
    await keep()
    await store.close()


def import_blocks(gateway: Stopwire, count: int) -> dict[str, Any]:
    """Import `count` blocks of the whole account; how long it took, and what the gateway counted."""
    began = time.monotonic()
    link = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=7200)
    headers = {"Authorization": f"Basic {authorization()}", "Content-Type": "text/csv"}
    link.request("POST", "/api/v1/blocks/import", body=_csv(count), headers=headers, encode_chunked=True)
    answer = link.getresponse()
    text = answer.read().decode()
    link.close()
    if answer.status != 201:
        raise RuntimeError(f"The import answered {answer.status}: {text[:500]}")
    return {"seconds": time.monotonic() - began, "rows": count, "answer": text[:500]}


def export_blocks(gateway: Stopwire) -> dict[str, Any]:
    """Export all blocks in one request; how long it took, and how many rows came."""
    began = time.monotonic()
    link = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=7200)
    link.request("GET", "/api/v1/blocks/export", headers={"Authorization": f"Basic {authorization()}"})
    answer = link.getresponse()
    lines = 0
    while piece := answer.read(1 << 20):
        lines += piece.count(b"\n")
    link.close()
    if answer.status != 200:
        raise RuntimeError(f"The export answered {answer.status}.")
    return {"seconds": time.monotonic() - began, "rows": lines - 1}


def _csv(count: int) -> Iterator[bytes]:
    yield b"recipient\n"
    lines: list[str] = []
    for number in numbers(count):
        lines.append(number)
        if len(lines) == 1000:
            yield ("\n".join(lines) + "\n").encode()
            lines.clear()
    if lines:
        yield ("\n".join(lines) + "\n").encode()
