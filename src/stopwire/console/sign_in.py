"""Signing in, by a one-time link or by name and password, and out again."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from stopwire.console.render import N_, done, local, page, say
from stopwire.console.session import COOKIE, acts, address_of, check_meant, check_size, find_visitor, form_of, house_of, visitor_of
from stopwire.core.roles import Role
from stopwire.flows import visit
from stopwire.flows.visit import SignedIn

_FAILURES = {
    "link": N_("This link was already used or is older than 15 minutes."),
    "password": N_("The name or the password is not right."),
    "tries": N_("Too many tries: wait a quarter of an hour, or use a link from the gateway's own machine."),
    "suspended": N_("This account is suspended."),
}


async def show(request: Request) -> Response:
    """The form; or, with `?token=`, the sign-in itself: who can read the link is the owner of the machine."""
    after = local(request.query_params.get("next", "/console/"))
    token = request.query_params.get("token")
    if token:
        opened = await house_of(request)(
            visit.open_link, token=token, agent=request.headers.get("user-agent", ""), address=address_of(request)
        )
        if not opened.failure:
            return _signed_in(request, opened, after)
        if await find_visitor(request) is not None:
            return RedirectResponse(after, 303)  # somebody opened the link again in the browser it signed in
        return page(request, "sign_in.html", status=403, after=after, failure=say(request, _FAILURES[opened.failure]), link=True)
    if await find_visitor(request) is not None:
        return RedirectResponse(after, 303)
    return page(request, "sign_in.html", after=after, failure="", link=False)


async def enter(request: Request) -> Response:
    check_size(request, 64 * 1024)
    await check_meant(request)
    form = await form_of(request)
    after = local(str(form.get("next", "/console/")))
    signed = await house_of(request)(
        visit.sign_in,
        name=str(form.get("name", "")),
        password=str(form.get("password", "")),
        agent=request.headers.get("user-agent", ""),
        address=address_of(request),
    )
    if signed.failure:
        status = 429 if signed.failure == "tries" else 403
        sentence = say(request, _FAILURES[signed.failure])
        return page(request, "sign_in.html", status=status, after=after, failure=sentence, link=False, given=form)
    return _signed_in(request, signed, after)


def _signed_in(request: Request, signed: SignedIn, after: str) -> Response:
    answer = done(request, after)
    answer.set_cookie(
        COOKIE,
        signed.token,
        max_age=int(visit.SESSION_LIFE.total_seconds()),
        path="/console",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",  # a link to a page, sent by a colleague, should open signed in; acts have proofs of their own
    )
    return answer


async def leave(request: Request) -> Response:
    visitor = visitor_of(request)
    await house_of(request)(visit.sign_out, account=visitor.account, session=visitor.session)
    answer = RedirectResponse("/console/sign-in", 303)
    answer.delete_cookie(COOKIE, path="/console")
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


routes = [
    Route("/console/sign-in", show, methods=["GET"]),
    Route("/console/sign-in", enter, methods=["POST"]),
    acts("/console/sign-out", leave, role=Role.VIEWER, act="sign_out"),
]
