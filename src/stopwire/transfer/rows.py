"""Rows of a CSV or NDJSON file, read from pieces of bytes as they come, and written line by line.

Hostile input is expected: no line is kept longer than `LINE_BYTES_MAX`, and one bad line spoils itself alone.
"""

import asyncio
import csv
import io
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from stopwire.core.csvguard import guard, unguard
from stopwire.transfer.broken import Broken

T = TypeVar("T")

LINE_BYTES_MAX = 65_536
COLUMNS_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row, counted from 1 (a CSV header is not counted). `broken`: why it cannot be read."""

    number: int
    values: Mapping[str, str] = field(default_factory=dict)
    broken: str | None = None


async def lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The lines of a stream, without their ends. A line that is too long is given up: Broken."""
    rest = b""
    async for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        if len(rest) > LINE_BYTES_MAX or any(len(line) > LINE_BYTES_MAX for line in whole):
            raise Broken(f"A line is longer than {LINE_BYTES_MAX:,} bytes: is this a file of lines?")
        for line in whole:
            yield line.removesuffix(b"\r")
    if rest:
        yield rest.removesuffix(b"\r")


async def csv_rows(pieces: AsyncIterator[bytes]) -> AsyncIterator[Row]:
    """Rows by the names of the header line, in lower case. A quoted cell may hold line ends. Broken without a header."""
    names: list[str] | None = None
    number = 0
    async for record in _records(pieces):
        if isinstance(record, str):
            if names is None:
                raise Broken(f"The header line cannot be read: {record}")
            number += 1
            yield Row(number=number, broken=record)
        elif not any(cell.strip() for cell in record):
            continue
        elif names is None:
            names = [cell.strip().lstrip("\ufeff").lower() for cell in record]
            if len(names) > COLUMNS_MAX:
                raise Broken(f"The header has more than {COLUMNS_MAX} columns.")
        else:
            number += 1
            yield Row(number=number, values=dict(zip(names, (unguard(cell) for cell in record), strict=False)))
    if names is None:
        raise Broken("The file is empty: its first line names the columns, `recipient` at least.")


async def _records(pieces: AsyncIterator[bytes]) -> AsyncIterator[list[str] | str]:
    """Records of cells, or in place of one a sentence that says why it cannot be read."""
    open_ = b""
    async for line in lines(pieces):
        open_ = open_ + b"\n" + line if open_ else line
        if open_.count(b'"') % 2:  # a quoted cell goes on in the next line
            if len(open_) > LINE_BYTES_MAX:
                raise Broken("A quoted cell does not end: look for a quotation mark that is missing.")
            continue
        yield _record(open_)
        open_ = b""
    if open_:
        yield "A quoted cell does not end."


def _record(text: bytes) -> list[str] | str:
    try:
        plain = text.decode()
        if '"' not in plain and "\r" not in plain and "\n" not in plain:
            return plain.split(",")  # as most lines are; the module says the same at several times the cost
        found = list(csv.reader(io.StringIO(plain), strict=True))
    except UnicodeDecodeError:
        return "The line is not UTF-8."
    except csv.Error as error:
        return f"The line is not CSV ({error})."
    return found[0] if found else []


async def ndjson_rows(pieces: AsyncIterator[bytes]) -> AsyncIterator[Row]:
    """Rows of a file with one JSON object a line; names in lower case, texts and numbers as texts."""
    number = 0
    async for line in lines(pieces):
        if not line.strip():
            continue
        number += 1
        yield _object(number, line)


def _object(number: int, line: bytes) -> Row:
    try:
        found = json.loads(line.decode())
    except (ValueError, RecursionError):
        return Row(number=number, broken="The line is not JSON.")
    if not isinstance(found, dict):
        return Row(number=number, broken="The line is no JSON object.")
    return Row(number=number, values={str(name).lower(): _text(value) for name, value in found.items() if value is not None})


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


async def ahead(pieces: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """The same in their order, and never more than one ahead: the next is read while the last is dealt with.

    What goes wrong with the next is raised in its place. Close it when you leave early: a read is under way.
    """
    reading = asyncio.ensure_future(_next(pieces))
    try:
        while found := await reading:
            reading = asyncio.ensure_future(_next(pieces))
            yield found[0]
    finally:
        reading.cancel()
        await asyncio.wait([reading])
        if not reading.cancelled():
            reading.exception()  # nobody asks for it any more


async def _next(pieces: AsyncIterator[T]) -> tuple[T] | None:
    """The next piece, in a tuple of its own; None where that was all."""
    async for piece in pieces:
        return (piece,)
    return None


def csv_lines(names: Sequence[str], rows: Iterable[Mapping[str, object]], *, header: bool) -> str:
    """`rows` as CSV (RFC 4180), formulas disarmed; with the header line where `header`."""
    out = io.StringIO()
    writer = csv.writer(out)
    if header:
        writer.writerow(names)
    for row in rows:
        writer.writerow([guard("" if row.get(name) is None else str(row[name])) for name in names])
    return out.getvalue()
