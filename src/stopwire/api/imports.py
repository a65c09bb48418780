"""Block lists in and out as files: CSV or NDJSON, streamed both ways."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Field

from stopwire.api import shapes
from stopwire.api.door import CarefulRequest, CarefulRoute, Cursor, In, Limit, Out, TheCaller, TheHouse, actor, holder, page
from stopwire.api.problems import Problem, not_found
from stopwire.api.shapes import Page
from stopwire.core.consent import Reason
from stopwire.flows import ingest
from stopwire.flows.tail import now
from stopwire.flows.undo import undo
from stopwire.ports.house import House
from stopwire.ports.store import Consent, Cut, Lists
from stopwire.ports.store import Import as CoreImport
from stopwire.transfer.broken import Broken
from stopwire.transfer.rows import Row, ahead, csv_lines, csv_rows, ndjson_rows

router = APIRouter(tags=["Blocks"], route_class=CarefulRoute)

NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
EXPORTED_AT_ONCE = 5_000  # rows read by one look at the store
COLUMNS = ("recipient", "scope", "reason", "occurred_at", "note", "actor", "id", "event")


class Import(Out):
    """`taken` rows became blocks, `skipped` ones were blocked already, `wrong` ones say why at `results_url`.

    `state`: `running`, `done`, `failed`, or `undone`."""

    id: str
    state: str = Field(examples=["done"])
    rows: int
    taken: int
    skipped: int
    wrong: int
    results_url: str
    created_at: datetime
    updated_at: datetime


class ImportedRow(Out):
    row: int
    recipient: str | None
    state: str = Field(examples=["taken"])
    error: str | None


@router.post(
    "/blocks/import",
    status_code=201,
    summary="Take in a block list",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": {"schema": {"type": "string"}, "example": "recipient,scope,reason\n+14155550101,+14155550100,import\n"},
                "application/x-ndjson": {"schema": {"type": "string"}, "example": '{"recipient": "+14155550101"}\n'},
            },
        }
    },
)
async def import_(
    request: Request,
    house: TheHouse,
    who: TheCaller,
    scope: Annotated[str | None, Query(max_length=128, description="For rows without one; the account, if left out.")] = None,
    reason: Annotated[Reason, Query(description="For rows without one.")] = Reason.IMPORT,
) -> Import:
    """CSV with a header line (`recipient`, `phone` or `to`; optionally `scope`, `reason`, `occurred_at`, `note`), or one JSON
    object a line. The answer comes when all is taken. Rows that are blocked already are skipped, so that a file may be
    sent again after an interruption."""
    assert isinstance(request, CarefulRequest)
    rows = _rows(request)
    default = await holder(house, who.account, scope) if scope is not None else ""
    defaults = ingest.Defaults(scope=default, reason=reason.value)
    began = await house(ingest.start, account=who.account)
    broken: str | None = "The connection ended before the file did: send it again, what was taken is skipped."
    try:
        async with aclosing(ahead(_pieces(rows))) as pieces:
            async for piece in pieces:
                await house(ingest.take, account=who.account, id=began.id, rows=piece, defaults=defaults, actor=actor(who))
        broken = None
    except Broken as error:
        broken = str(error)
    finally:
        done = await house(ingest.finish, account=who.account, id=began.id, broken=broken)
    return _import(done)


def _rows(request: CarefulRequest) -> AsyncIterator[Row]:
    type_ = request.content_type
    if type_ in NDJSON:
        return ndjson_rows(request.stream())
    if type_ in ("text/csv", "application/csv", "text/plain", "application/octet-stream", "application/vnd.ms-excel", ""):
        return csv_rows(request.stream())
    raise Problem(415, "A block list is CSV or NDJSON: send it as text/csv or application/x-ndjson.")


async def _pieces(rows: AsyncIterator[Row]) -> AsyncIterator[list[ingest.ListedRow]]:
    piece: list[ingest.ListedRow] = []
    broken: Broken | None = None
    try:
        async for row in rows:
            piece.append(ingest.ListedRow(number=row.number, values=row.values, broken=row.broken))
            if len(piece) == ingest.ROWS_AT_ONCE:
                yield piece
                piece = []
    except Broken as error:
        broken = error
    if piece:  # what was good before the file broke off is taken too
        yield piece
    if broken is not None:
        raise broken


@router.get("/imports", summary="Imports, the newest first")
async def imports(house: TheHouse, who: TheCaller, cursor: Cursor = None, limit: Limit = 100) -> Page[Import]:
    asked = house.read(who.account, Lists.imports, Cut(limit=limit + 1, after=cursor))
    items, further, as_of = await page(house, asked, limit, lambda each: each.id)
    return Page(items=[_import(each) for each in items], next=further, as_of=as_of)


@router.get("/imports/{id}", summary="How an import went")
async def one_import(id: Annotated[str, Path(max_length=64)], house: TheHouse, who: TheCaller) -> Import:
    return _import(await _found(house, who.account, id))


@router.get("/imports/{id}/rows", summary="What became of each row")
async def import_rows(
    id: Annotated[str, Path(max_length=64)],
    house: TheHouse,
    who: TheCaller,
    state: Annotated[Literal["taken", "skipped", "wrong", "lifted", "stays"] | None, Query()] = None,
    cursor: Annotated[int, Query(ge=0, le=2**31 - 1, description="Where the page before ended: its `next`.")] = 0,
    limit: Limit = 100,
) -> Page[ImportedRow]:
    """With `state`, a page may hold fewer rows than `limit` and still go on: follow `next`."""
    await _found(house, who.account, id)
    as_of = await house(now)
    found = await house.read(who.account, Lists.import_rows, id, cursor, limit + 1)
    shown = [each for each in found[:limit] if state is None or each.state == state]
    items = [ImportedRow(row=each.row, recipient=each.recipient, state=each.state, error=each.error) for each in shown]
    return Page(items=items, next=str(found[limit - 1].row) if len(found) > limit else None, as_of=as_of)


class Undone(Out):
    """`lifted` rows are blocked no more, by this import; `stayed` say why they are at `results_url`."""

    import_: Import = Field(alias="import")
    lifted: int
    stayed: int


class Why(In):
    note: str | None = Field(default=None, max_length=1000, examples=["the wrong file"])


@router.post("/imports/{id}/undo", summary="Lift what an import blocked")
async def undo_import(id: Annotated[str, Path(max_length=64)], house: TheHouse, who: TheCaller, why: Why | None = None) -> Undone:
    """Only what this import blocked, and nobody who has asked for silence since. Each lift is in the ledger. Who stood on another
    list too, and was skipped there, is lifted as well: send that list again."""
    done = await house(undo, account=who.account, id=id, actor=actor(who), note=why.note if why else None)
    if done.import_ is None:
        raise not_found("import of this id")
    if done.running:
        raise Problem(409, "This import is not over yet: undo it when its state is done or failed.")
    return Undone(import_=_import(done.import_), lifted=done.lifted, stayed=done.stayed)


async def _found(house: House, account: str, id: str) -> CoreImport:
    found = await house.read(account, Lists.import_, id)
    if found is None:
        raise not_found("import of this id")
    return found


def _import(value: CoreImport) -> Import:
    return Import(
        id=value.id,
        state=value.state,
        rows=value.rows,
        taken=value.taken,
        skipped=value.skipped,
        wrong=value.wrong,
        results_url=f"/api/v1/imports/{value.id}/rows",
        created_at=value.created_at,
        updated_at=value.updated_at,
    )


@router.get(
    "/blocks/export",
    summary="The whole block list as one file",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file, as it is read.",
            "content": {"text/csv": {"schema": {"type": "string"}}, "application/x-ndjson": {"schema": {"type": "string"}}},
        }
    },
)
async def export(
    house: TheHouse, who: TheCaller, format: Annotated[Literal["csv", "ndjson"], Query()] = "csv"
) -> StreamingResponse:
    """What is exported can be imported again. Cells that a spreadsheet would run as a formula begin with an apostrophe."""
    as_csv = format == "csv"
    name = {"Content-Disposition": f'attachment; filename="blocks.{format}"'}
    pieces = _exported(house, who.account, as_csv=as_csv)
    first = await anext(pieces)  # a store that cannot answer is told by the status, not in the middle of a file
    media_type = "text/csv; charset=utf-8" if as_csv else NDJSON[0]
    return StreamingResponse(_chained(first, pieces), media_type=media_type, headers=name)


async def _chained(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for each in rest:
        yield each


async def _exported(house: House, account: str, *, as_csv: bool) -> AsyncIterator[str]:
    after: str | None = None
    while True:
        found = await house.read(account, Consent.blocks, Cut(limit=EXPORTED_AT_ONCE, after=after))
        rows = [_row(shapes.block(each)) for each in found]
        yield csv_lines(COLUMNS, rows, header=after is None) if as_csv else "".join(json.dumps(row) + "\n" for row in rows)
        if len(found) < EXPORTED_AT_ONCE:
            return
        after = found[-1].id


def _row(block: shapes.Block) -> dict[str, Any]:
    since = block.since.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "recipient": block.recipient,
        "scope": block.scope,
        "reason": block.reason,
        "occurred_at": since,
        "note": block.note,
        "actor": block.actor,
        "id": block.id,
        "event": block.event,
    }
