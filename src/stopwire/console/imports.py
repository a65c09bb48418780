"""Imports of block lists: a file is taken, row by row, and each row says what became of it."""

from collections.abc import AsyncIterator
from typing import Any

from starlette.background import BackgroundTask
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.blocks import scopes
from stopwire.console.listing import Column, listing, table
from stopwire.console.render import N_, done, page, say
from stopwire.console.session import acts, form_of, house_of, shows, visitor_of
from stopwire.core.consent import Reason
from stopwire.core.roles import Role
from stopwire.flows import ingest
from stopwire.flows.undo import undo
from stopwire.ports.house import House
from stopwire.ports.store import Cut, Import, ImportRow, Lists, Services
from stopwire.transfer.broken import Broken
from stopwire.transfer.rows import csv_rows, ndjson_rows

FILE_BYTES_MAX = 32 * 1024 * 1024
PIECE_BYTES = 64 * 1024
AT_ONCE_BYTES = 64 * 1024  # a small file is taken before its page is shown
UNDO = "undo"  # typed to undo an import
ROWS_READ = 1000  # of an import, at a time


async def index(request: Request) -> Response:
    house, account = house_of(request), visitor_of(request).account
    columns: list[Column[Import]] = [
        Column(name="id", title=N_("Import"), value=lambda i: i.id),
        Column(name="state", title=N_("State"), value=lambda i: i.state),
        Column(name="created_at", title=N_("When"), value=lambda i: i.created_at),
        Column(name="rows", title=N_("Rows"), value=lambda i: i.rows, figure=True),
        Column(name="taken", title=N_("Taken"), value=lambda i: i.taken, figure=True, priority=2),
        Column(name="skipped", title=N_("Skipped"), value=lambda i: i.skipped, figure=True, priority=3),
        Column(name="wrong", title=N_("Wrong"), value=lambda i: i.wrong, figure=True),
    ]

    async def ask(cut: Cut) -> list[Import]:
        return await house.read(account, Lists.imports, cut)

    return await listing(request, "imports.html", columns=columns, ask=ask, id_of=lambda each: each.id)


async def new(request: Request) -> Response:
    return await _new(request)


async def _new(request: Request, status: int = 200, **values: object) -> Response:
    directory = await house_of(request).read(visitor_of(request).account, Services.directory)
    return page(request, "imports_new.html", status=status, scopes=scopes(request, directory), **values)


async def bring(request: Request) -> Response:
    form, visitor, house = await form_of(request), visitor_of(request), house_of(request)
    content, name = await _content(form)
    if not content:
        return await _new(request, 422, given=form, wrong={"file": say(request, N_("Choose a file, or paste rows: CSV with a header line."))})
    if len(content) > FILE_BYTES_MAX:
        sentence = N_("The file is larger than 32 MiB: use `stopwire optout import`, which takes any size.")
        return await _new(request, 422, given=form, wrong={"file": say(request, sentence)})
    began = await house(ingest.start, account=visitor.account)
    defaults = ingest.Defaults(scope=str(form.get("scope", "")), reason=Reason.IMPORT.value)
    request.state.subject, request.state.detail = began.id, {"file": name, "bytes": len(content)}
    answer = done(request, f"/console/imports/{began.id}")
    take = BackgroundTask(_take, house, account=visitor.account, id=began.id, content=content, defaults=defaults, actor=visitor.actor)
    if len(content) <= AT_ONCE_BYTES:
        await take()
    else:
        answer.background = take  # its page shows how far it is
    return answer


async def _content(form: FormData) -> tuple[bytes, str]:
    given, pasted = form.get("file"), str(form.get("rows", ""))
    if isinstance(given, UploadFile) and given.filename:
        return await given.read(FILE_BYTES_MAX + 1), given.filename[:100]
    if not pasted.strip():
        return b"", ""
    first = pasted.lstrip().splitlines()[0]
    bare = any(each.isdigit() for each in first) and not first.startswith("{")
    return (f"recipient\n{pasted}" if bare else pasted).encode(), "pasted rows"


async def _take(house: House, *, account: str, id: str, content: bytes, defaults: ingest.Defaults, actor: str) -> None:
    """After the answer: piece by piece, each on disk before the next is read. It always ends in a state of its own."""
    broken: str | None = "The import was interrupted: bring the file again, what was taken is skipped."
    rows = ndjson_rows if content.lstrip().startswith(b"{") else csv_rows
    piece: list[ingest.ListedRow] = []
    try:
        try:
            async for row in rows(_pieces(content)):
                piece.append(ingest.ListedRow(number=row.number, values=row.values, broken=row.broken))
                if len(piece) == ingest.ROWS_AT_ONCE:
                    await house(ingest.take, account=account, id=id, rows=piece, defaults=defaults, actor=actor)
                    piece = []
            broken = None
        except Broken as error:
            broken = str(error)
        if piece:
            await house(ingest.take, account=account, id=id, rows=piece, defaults=defaults, actor=actor)
    except BaseException:
        broken = "The import was interrupted: bring the file again, what was taken is skipped."
        raise
    finally:
        await house(ingest.finish, account=account, id=id, broken=broken)


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), PIECE_BYTES):
        yield content[start : start + PIECE_BYTES]


async def show(request: Request) -> Response:
    """One import, and what became of each row."""
    return await _shown(request)


async def _shown(request: Request, **values: Any) -> Response:
    house, account, id = house_of(request), visitor_of(request).account, request.path_params["id"]
    found = await house.read(account, Lists.import_, id)
    if found is None:
        raise HTTPException(404)
    state = request.query_params.get("state", "")
    columns: list[Column[ImportRow]] = [
        Column(name="row", title=N_("Row"), value=lambda r: r.row, figure=True),
        Column(name="recipient", title=N_("Recipient"), value=lambda r: r.recipient, person=True),
        Column(name="state", title=N_("Result"), value=lambda r: r.state),
        Column(name="error", title=N_("Why"), value=lambda r: r.error),
    ]

    async def ask(cut: Cut) -> list[ImportRow]:
        return await _rows(house, account, id, state, cut)

    return await listing(
        request, "import.html", columns=columns, ask=ask, id_of=lambda each: str(each.row), import_=found, state=state,
        word=UNDO, **values,
    )  # fmt: skip


async def take_back(request: Request) -> Response:
    """Lift what the import blocked, when a word is typed: whoever asked for silence is texted again."""
    form, visitor, house, id = await form_of(request), visitor_of(request), house_of(request), request.path_params["id"]
    note = str(form.get("note", "")).strip()[: ingest.NOTE_CHARS_MAX]
    if not note:
        return await _shown(request, given=form, wrong={"note": say(request, N_("Say why: the ledger keeps it with your name."))})
    if str(form.get("word", "")).strip().casefold() != UNDO:
        return await _shown(request, given=form, wrong={"word": say(request, N_("Type %(word)s: people may be texted again."), word=UNDO)})
    undone = await house(undo, account=visitor.account, id=id, actor=visitor.actor, note=note)
    if undone.import_ is None:
        raise HTTPException(404)
    if undone.running:
        raise HTTPException(409, "This import is not over yet: undo it when it is done.")
    request.state.detail = {"lifted": undone.lifted, "stayed": undone.stayed}
    told = N_("Lifted: %(lifted)s. Still blocked: %(stayed)s.")
    return done(request, f"/console/imports/{id}", say(request, told, lifted=undone.lifted, stayed=undone.stayed))


async def _rows(house: House, account: str, id: str, state: str, cut: Cut) -> list[ImportRow]:
    """Rows from the first to the last; those before a row are sought from the beginning."""
    place = cut.after or cut.before or "0"
    if not (place.isascii() and place.isdigit() and len(place) < 10):
        return []
    at, end = (0, int(place)) if cut.before else (int(place), None)
    found: list[ImportRow] = []
    while True:
        read = await house.read(account, Lists.import_rows, id, at, ROWS_READ)
        found += [each for each in read if (not state or each.state == state) and (end is None or each.row < end)]
        if len(read) < ROWS_READ or (end is None and len(found) >= cut.limit) or (end is not None and read[-1].row >= end):
            return found[-cut.limit :] if end is not None else found[: cut.limit]
        at = read[-1].row


routes = [
    *table("/console/imports", index),
    shows("/console/imports/new", new, role=Role.OPERATOR),
    acts("/console/imports", bring, role=Role.OPERATOR, act="import.started", body_max=FILE_BYTES_MAX + 1024 * 1024),
    acts("/console/imports/{id}/undo", take_back, role=Role.ADMIN, act="import.undone"),
    *table("/console/imports/{id}", show),
]
