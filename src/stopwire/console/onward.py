"""After the first steps: how to run it on a server, and switching the demo off, which asks for a word to be typed."""

from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.render import N_, done, page, say
from stopwire.console.session import acts, form_of, house_of, shows, visitor_of
from stopwire.core.connections import SIMULATOR
from stopwire.core.roles import Role
from stopwire.flows.retire import retire_demo
from stopwire.ports.store import Services

PATH = "/console/onward"
WORD = "demo"
# A gateway behind a proxy that speaks TLS, on the same machine.
ON_A_SERVER = """\
export STOPWIRE_PUBLIC_URL=https://sms.example.org
export STOPWIRE_FORWARDED_ALLOW=127.0.0.1
stopwire up --data-dir /var/lib/stopwire
"""


async def server(request: Request) -> Response:
    return page(request, "onward_server.html", typed=ON_A_SERVER)


async def show(request: Request) -> Response:
    return await _shown(request)


async def _shown(request: Request, status: int = 200, **values: object) -> Response:
    directory = await house_of(request).read(visitor_of(request).account, Services.directory)
    senders = sorted(directory.senders.values(), key=lambda sender: sender.address)
    going = [sender for sender in senders if sender.connection == SIMULATOR]
    staying = [sender for sender in senders if sender.connection != SIMULATOR]
    return page(request, "onward_demo.html", status=status, going=going, staying=staying, word=WORD, **values)


async def switch_off(request: Request) -> Response:
    form = await form_of(request)
    if str(form.get("word", "")).strip().lower() != WORD:
        return await _shown(request, 422, given=form, wrong={"word": say(request, N_("Type the word %(word)s to confirm."), word=WORD)})
    gone = await house_of(request)(retire_demo, account=visitor_of(request).account, actor=visitor_of(request).actor)
    if gone.held:
        return await _shown(request, 409, given=form, wrong={"word": say(request, N_("A legal hold keeps everything: lift it first."))})
    request.state.detail = {"senders": gone.senders, "services": gone.services, "messages": gone.messages, "blocks": gone.blocks}
    return done(request, "/console/", say(request, N_("The demo is switched off. The account, its credentials and its team stay.")))


routes = [
    shows(PATH + "/server", server),
    shows(PATH + "/demo", show),
    acts(PATH + "/demo", switch_off, role=Role.OWNER, act="demo.switched_off"),
]
