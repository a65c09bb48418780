"""Rows of strangers' files, in whatever pieces they arrive."""

import asyncio
import contextlib
import csv
import io
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.core.csvguard import unguard
from stopwire.transfer.broken import Broken
from stopwire.transfer.rows import LINE_BYTES_MAX, Row, ahead, csv_lines, csv_rows, ndjson_rows

cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\",'=\n"), max_size=20)


async def pieces(content: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def read_csv(content: bytes, size: int = 7) -> list[Row]:
    return [row async for row in csv_rows(pieces(content, size))]


@given(st.lists(cells.filter(str.strip), min_size=1, max_size=8), st.integers(1, 40))
async def test_what_was_written_is_read_again(notes: list[str], size: int) -> None:
    file = csv_lines(("recipient", "note"), [{"recipient": "+14155550101", "note": note} for note in notes], header=True)
    rows = await read_csv(file.encode(), size)
    assert notes == [row.values["note"].replace("\r\n", "\n") for row in rows]
    assert list(range(1, len(notes) + 1)) == [row.number for row in rows]


@given(st.binary(max_size=200), st.integers(1, 50))
async def test_any_bytes_are_rows_or_told_to_be_none(content: bytes, size: int) -> None:
    for read in (csv_rows, ndjson_rows):
        rows: list[Row] = []
        with contextlib.suppress(Broken):
            rows = [row async for row in read(pieces(content, size))]
        assert list(range(1, len(rows) + 1)) == [row.number for row in rows]


async def test_a_bad_line_spoils_itself_alone() -> None:
    rows = await read_csv(b"to\n+14155550101\n\xff\n+14155550102\n")
    assert ["+14155550101", None, "+14155550102"] == [row.values.get("to") for row in rows]
    assert [False, True, False] == [row.broken is not None for row in rows]


async def test_no_line_grows_without_end() -> None:
    with pytest.raises(Broken, match="longer"):
        await read_csv(b"x" * (2 * LINE_BYTES_MAX), 4096)
    with pytest.raises(Broken, match="quotation"):
        await read_csv(b'to\n"' + b"x\n" * LINE_BYTES_MAX, 4096)


def test_a_written_file_is_csv_for_others_too() -> None:
    text = csv_lines(("a", "b"), [{"a": 'say "hi"', "b": None}], header=True)
    assert [["a", "b"], ['say "hi"', ""]] == list(csv.reader(io.StringIO(text)))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters='"\r\n'), min_size=1).filter(str.strip))
async def test_a_line_without_quotes_is_read_as_the_csv_module_reads_it(line: str) -> None:
    rows = await read_csv(f"a,b,c\n{line},x\n".encode())
    expected = next(csv.reader(io.StringIO(f"{line},x"), strict=True))
    assert [[unguard(cell) for cell in expected[:3]]] == [list(row.values.values()) for row in rows]


async def test_the_next_piece_is_read_while_the_last_is_dealt_with_and_no_more() -> None:
    read: list[int] = []

    async def numbers() -> AsyncIterator[int]:
        for number in range(4):
            read.append(number)
            yield number

    seen = []
    async for number in ahead(numbers()):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        seen.append((number, list(read)))
    assert [(0, [0, 1]), (1, [0, 1, 2]), (2, [0, 1, 2, 3]), (3, [0, 1, 2, 3])] == seen


async def test_a_file_that_breaks_off_is_told_after_what_came_before() -> None:
    async def breaking() -> AsyncIterator[int]:
        yield 1
        raise Broken("It broke off.")

    numbers = ahead(breaking())
    assert 1 == await anext(numbers)
    with pytest.raises(Broken, match="broke off"):
        await anext(numbers)
