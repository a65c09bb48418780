"""The console's first page. What it will show can be had today from the API and the command line."""

from html import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from stopwire.ports.house import House

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stopwire</title>
<link rel="stylesheet" href="/console/console.css">
</head>
<body>
<main>
<h1>Stopwire {version}</h1>
<p>The gateway is running. It speaks Twilio's API at <code>{base}</code>, and honours STOP.</p>
<h2>Try it</h2>
<pre><code>stopwire send --from +14155550100 --to +14155550199 "Hello"
stopwire phone +14155550199 --to +14155550100 --text STOP
stopwire send --from +14155550100 --to +14155550199 "Are you there?"</code></pre>
<p>The last command is refused with error 21610, as the law wants it.</p>
<h2>Read on</h2>
<ul>
<li><a href="/api/v1/docs">The native API</a>, with every call and its shapes</li>
<li><a href="/readyz">State of the gateway</a> and <a href="/metrics">its metrics</a></li>
</ul>
<p class="quiet">The pages for services, messages and consent are not part of this version.
Every setting they will show can be read and changed by the API and the <code>stopwire</code> command.</p>
</main>
</body>
</html>
"""

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1f24; --quiet: #5c6470; --paper: #fdfdfc; --line: #e3e4e6; --accent: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e9eb; --quiet: #9aa1ac; --paper: #15171a; --line: #2b2e33; --accent: #ff8a80; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.6 system-ui, sans-serif; }
main { max-width: 42rem; margin: 10vh auto; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; border-bottom: 3px solid var(--accent); display: inline-block; padding-bottom: .2rem; }
h2 { font-size: 1.05rem; margin-top: 2rem; }
pre { background: color-mix(in srgb, var(--ink) 5%, transparent); border: 1px solid var(--line); border-radius: 6px;
  padding: .9rem 1rem; overflow-x: auto; font-size: .86rem; }
a { color: inherit; text-decoration-color: var(--accent); text-underline-offset: .2em; }
.quiet { color: var(--quiet); font-size: .9rem; }
"""

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def create(house: House) -> Starlette:
    async def page(request: Request) -> Response:
        html = _PAGE.format(version=escape(house.choices.version), base=escape(house.choices.public_url))
        return HTMLResponse(html, headers=_HEADERS)

    async def style(request: Request) -> Response:
        return Response(_STYLE, media_type="text/css", headers=_HEADERS)

    async def home(request: Request) -> Response:
        return RedirectResponse("/console/")

    return Starlette(
        routes=[
            Route("/", home),
            Route("/console", home),
            Route("/console/console.css", style),
            Route("/console/", page),
            Route("/console/sign-in", page),
        ]
    )
