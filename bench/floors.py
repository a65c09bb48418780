"""What no gateway built like ours can beat here: HTTP that only answers, inserts that only commit, a codec alone.

`floors.py PORT` serves the empty application.
"""

import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

SECONDS = 2.0
GROUP = 64  # rows of one commit: as many as clients wait
Message = MutableMapping[str, Any]


async def empty(scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
    """The smallest application that reads its request."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


def serve(port: int) -> None:
    import uvicorn

    uvicorn.run(empty, port=port, http="httptools", loop="uvloop", ws="none", lifespan="off", log_level="critical", access_log=False)


def insert(folder: Path) -> dict[str, float]:
    """Rows of the table of messages, on the settings of our store, 64 to a commit. Nothing else is written."""
    import secrets

    from stopwire.storage.sqlite import SqliteEngine
    from stopwire.storage.tables import metadata

    store = SqliteEngine.open(folder)
    metadata.create_all(store.writer)
    table = metadata.tables["messages"]
    names = [column.name for column in table.c if column.name != "seq"]
    sql = f"INSERT INTO messages ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    fixed: dict[str, Any] = {
        "account": "AC" + "be" * 16, "direction": "outbound-api", "purpose": "message", "sender": "+14155550100",
        "service": None, "body": "Your order is on its way. T123456789012Z", "status": "queued", "segments": 1, "media": 0,
        "error_code": None, "status_callback": None, "callback_method": "POST", "send_at": None, "expires_at": None,
        "created_at": 1_700_000_000_000, "updated_at": 1_700_000_000_000, "sent_at": None, "options": "{}", "decision": "{}",
    }
    rows, began, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < SECONDS:
        values = []
        for _ in range(GROUP):
            row = {**fixed, "sid": "SM" + secrets.token_hex(16), "recipient": f"+1415{2_000_000 + rows % 8_000_000:07}"}
            values.append([row[name] for name in names])
            rows += 1
        store.raw.execute("BEGIN IMMEDIATE")
        store.raw.executemany(sql, values)
        store.raw.execute("COMMIT")
        if store.log_file_bytes() > 4 << 20:
            store.checkpoint(truncate=False)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    store.close()
    return {"rate": rows / seconds, "cpu_us": cpu * 1e6 / rows}


def codec() -> dict[str, float]:
    """One submit_sm written, its answer framed and read."""
    from stopwire.smpp.pdu import Framer, SubmitSm, SubmitSmResp, decode, encode

    framer, count = Framer(), 0
    began, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - began < SECONDS:
        for _ in range(100):
            count += 1
            request = SubmitSm(
                source_addr_ton=1, source_addr_npi=1, source_addr="14155550100", dest_addr_ton=1, dest_addr_npi=1,
                destination_addr="12125550100", registered_delivery=1, short_message=b"Your order is on its way. T123456789012Z",
            )
            octets = encode(request, sequence=count)
            answer = encode(SubmitSmResp(message_id=str(count)), sequence=count)
            for whole in framer.feed(answer):
                decode(whole)
            assert octets
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {"rate": count / seconds, "cpu_us": cpu * 1e6 / count}


if __name__ == "__main__":
    serve(int(sys.argv[1]))
