"""The door for a person who holds an opt-out link: `/o/{token}`. A page with one button, and what the button does.

Opening the page changes nothing, since mail scanners open every link; only a POST opts out (as RFC 8058 wants it).
"""

from html import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from stopwire.flows import amend, leave
from stopwire.log import get_logger
from stopwire.ports.faults import StoreFault
from stopwire.ports.house import House

log = get_logger(__name__)
TOKEN_CHARS_MAX = 1000
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
}
_STYLE = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem}button{font:inherit;padding:.5rem 1rem}"


def create(house: House) -> Starlette:
    """The door; it answers under `/o/`."""

    async def answer(request: Request) -> Response:
        try:
            return await _answer(house, request)
        except StoreFault as fault:
            log.warning("optout_page.put_off", error=str(fault))
            return _page(503, "Not done yet", "This could not be kept just now. Please try again in a minute.")

    return Starlette(routes=[Route("/o/{token}", answer, methods=["GET", "POST"])])


async def _answer(house: House, request: Request) -> Response:
    token = request.path_params["token"]
    found = await house(leave.wayout, token=token) if len(token) <= TOKEN_CHARS_MAX else None
    if found is None:
        return _page(404, "This link does not work", "It is not complete, or was not made here. Replying STOP always works.")
    if request.method != "POST":
        text = f"{found.shown} gets messages from {found.name}. Do you want them to stop?"
        return _page(200, "Stop these messages?", text, button="Stop them")
    wish = amend.Wish(recipient=found.recipient, holder=found.holder, opt_out=True, source="link")
    await house(amend.consents, account=found.account, wishes=[wish], actor="recipient")
    return _page(200, "Done", f"{found.shown} gets no more messages from {found.name}.")


def _page(status: int, title: str, text: str, *, button: str = "") -> HTMLResponse:
    form = f'<form method="post"><button>{escape(button)}</button></form>' if button else ""
    html = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
        f"<main><h1>{escape(title)}</h1><p>{escape(text)}</p>{form}</main></html>"
    )
    return HTMLResponse(html, status, headers=HEADERS)
