"""The review queue: what looked like an opt-out, and what a person makes of it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from stopwire.api import shapes
from stopwire.api.door import CarefulRoute, Cursor, Limit, TheCaller, TheHouse, actor, page, person
from stopwire.api.problems import Problem, not_found
from stopwire.api.shapes import Note, Page, Suggestion
from stopwire.flows import review
from stopwire.ports.store import Cut, Suggestions

router = APIRouter(prefix="/suggestions", tags=["Suggestions"], route_class=CarefulRoute)

Id = Annotated[str, Path(max_length=64)]


@router.get("", summary="Suggestions, the newest first")
async def suggestions(
    house: TheHouse,
    who: TheCaller,
    state: Annotated[Literal["open", "confirmed", "dismissed", "expired"] | None, Query()] = None,
    recipient: Annotated[str | None, Query(max_length=128)] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Suggestion]:
    whom = person(recipient) if recipient is not None else None
    asked = house.read(who.account, Suggestions.page, Cut(limit=limit + 1, after=cursor), state, whom)
    items, further, as_of = await page(house, asked, limit, lambda each: each.id)
    return Page(items=[shapes.suggestion(each) for each in items], next=further, as_of=as_of)


@router.get("/{id}", summary="One suggestion")
async def suggestion(id: Id, house: TheHouse, who: TheCaller) -> Suggestion:
    found = await house.read(who.account, Suggestions.get, id)
    if found is None:
        raise not_found("suggestion of this id")
    return shapes.suggestion(found)


@router.post("/{id}/confirm", summary="It was meant")
async def confirm(id: Id, house: TheHouse, who: TheCaller, note: Note | None = None) -> Suggestion:
    """For a STOP the person is blocked with reason `review`, for a START the blocks are lifted. No reply is sent."""
    done = await house(review.confirm, account=who.account, id=id, actor=actor(who), note=note.note if note else None)
    return _decided(done, "confirmed")


@router.post("/{id}/dismiss", summary="It was not meant")
async def dismiss(id: Id, house: TheHouse, who: TheCaller, note: Note | None = None) -> Suggestion:
    done = await house(review.dismiss, account=who.account, id=id, actor=actor(who), note=note.note if note else None)
    return _decided(done, "dismissed")


def _decided(done: review.Reviewed, wanted: str) -> Suggestion:
    """Deciding the same again is no error: the answer is the decision that stands."""
    if done.review is None:
        raise not_found("suggestion of this id")
    if not done.changed and done.review.state != wanted:
        raise Problem(409, f"This suggestion is {done.review.state} already, and a decision stands: block or lift by hand instead.")
    return shapes.suggestion(done.review)
