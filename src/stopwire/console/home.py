"""Home: the state in one sentence, what to fix, the day's figures, and what happens now."""

from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.render import page
from stopwire.console.session import shows


async def show(request: Request) -> Response:
    return page(request, "home.html")


routes = [shows("/console/", show)]
