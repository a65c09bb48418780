"""The inspector: an endpoint of our own that takes webhooks as an application would, and answers the TwiML typed here.

It keeps nothing: what was sent and answered stands in the log of deliveries, and the answer travels in the endpoint's
address. Only requests that carry this gateway's signature are answered, so nobody can make it say something.
"""

import base64
import binascii
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stopwire.console.render import N_, done, page, say
from stopwire.console.session import acts, asks, check_size, form_of, house_of, shows, visitor_of
from stopwire.console.webhooks import rows_of
from stopwire.core import twiml
from stopwire.core.errors import Refused
from stopwire.core.roles import Role
from stopwire.core.senders import Directory, Sender, Service
from stopwire.core.signing import SIGNATURE_HEADER, Mistake, mistake, twilio_signature, valid
from stopwire.flows import configure, numbers
from stopwire.ports.store import Accounts, Cut, Services, Webhooks

PATH = "/console/webhooks/inspector"
HOOK = "/console/inspector/"
ANSWER_BYTES_MAX = 2_500  # an address has at most 4,000 characters
BODY_BYTES_MAX = 1024 * 1024
SHOWN = 15
EMPTY = '<?xml version="1.0" encoding="UTF-8"?>\n<Response></Response>'
EXAMPLE = '<?xml version="1.0" encoding="UTF-8"?>\n<Response>\n  <Message>Thank you.</Message>\n</Response>'

# What each mistake is, and what cures it.
MISTAKES: dict[Mistake, str] = {
    Mistake.MISSING: N_("There is no signature: read the header X-Twilio-Signature as it came; a proxy may have taken it off."),
    Mistake.SHAPE: N_("This cannot be such a signature: it is base64 of 20 bytes, 28 characters. Copy the whole header, and nothing else."),
    Mistake.SCHEME: N_("It is right for http where you have https, or the other way: a proxy ends TLS. Validate the URL that was set here."),
    Mistake.HOST: N_("It is right for another host name: a proxy rewrote it. Validate the URL that was set here, not the one that reached you."),
    Mistake.SLASH: N_("It is right with a slash more or less at the end of the path. Validate the URL exactly as it was set here."),
    Mistake.QUERY: N_("It is right without the query: whoever signed this left it out. The query belongs to the URL."),
    Mistake.NO_PARAMS: N_("It is right without the parameters: whoever signed this left the form out. A POST is signed with them."),
    Mistake.ENCODED: N_("It is right for values that were not decoded: decode %2B and + before you sort and join."),
    Mistake.BLANK: N_("It is right without the empty parameters: they are signed too. Many form parsers drop them; tell yours to keep them."),
    Mistake.STRIPPED: N_("It is right for values without the white space around them: sign them as they came."),
    Mistake.UNSORTED: N_("It is right for the parameters in the order they came: sort them by name first."),
    Mistake.ALGORITHM: N_("It was made with HMAC-SHA256: this header is HMAC-SHA1."),
    Mistake.TOKEN: N_("It was made with the secondary token, or with that of the test credentials: webhooks are signed with the primary auth token."),
    Mistake.UNKNOWN: N_("No usual mistake leads to this one: compare the auth token, then the URL and each parameter below, letter by letter."),
}


def hook_of(base: str, account: str) -> str:
    return f"{base}{HOOK}{account}"


def with_answer(hook: str, answer: str) -> str:
    packed = base64.urlsafe_b64encode(answer.encode()).decode().rstrip("=")
    return f"{hook}?{urlencode({'answer': packed})}" if answer.strip() and answer != EMPTY else hook


def answer_of(url: str) -> str:
    """The TwiML that an address of the endpoint answers."""
    packed = dict(parse_qsl(url.partition("?")[2])).get("answer", "")
    try:
        return base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode() or EMPTY
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return EMPTY


async def hook(request: Request) -> Response:
    """The endpoint itself. It is no page: who comes here proves by signature that they are this gateway."""
    house = house_of(request)
    account = await house.read("", Accounts.find, request.path_params["account"])
    if account is None:
        raise HTTPException(404)
    params: dict[str, str] = {}
    if request.method == "POST":
        check_size(request, BODY_BYTES_MAX)
        params = {name: str(value) for name, value in (await form_of(request)).items()}
    url = house.choices.public_url + request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if not valid(account.auth_token, url, params, request.headers.get(SIGNATURE_HEADER, "")):
        raise HTTPException(403, "The signature does not fit: only this gateway's own webhooks are answered here.")
    return Response(answer_of(url), media_type="text/xml; charset=utf-8", headers={"X-Content-Type-Options": "nosniff"})


async def show(request: Request) -> Response:
    return await _shown(request)


async def _shown(request: Request, status: int = 200, **values: object) -> Response:
    house, account = house_of(request), visitor_of(request).account
    directory = await house.read(account, Services.directory)
    address = hook_of(house.choices.public_url, account)
    using, others = _using(directory, address), _others(directory, address)
    answers = {answer_of(url) for *_, url in using}
    found = await house.read(account, Webhooks.page, Cut(limit=SHOWN), url=address)
    shown: dict[str, object] = {
        "address": address,
        "using": using,
        "others": others,
        "answer": next(iter(answers), EMPTY),
        "example": EXAMPLE,
        "rows": await rows_of(request, found),
        "checked": None,
    }
    return page(request, "inspector.html", status=status, **{**shown, **values})


def _url_of(holder: Sender | Service) -> str:
    return holder.webhook.url if isinstance(holder, Sender) else holder.inbound_request_url or ""


def _name(holder: Sender | Service) -> str:
    return holder.address if isinstance(holder, Sender) else holder.friendly_name


def _holders(directory: Directory) -> list[Sender | Service]:
    """Who can have a webhook: services that take their senders' messages themselves, and senders."""
    services = [service for service in directory.services.values() if not service.use_inbound_webhook_on_number]
    return [*services, *sorted(directory.senders.values(), key=lambda sender: sender.created_at)]


def _using(directory: Directory, address: str) -> list[tuple[str, str, str]]:
    """SID, name and full address of those whose webhook is the inspector."""
    return [(each.sid, _name(each), _url_of(each)) for each in _holders(directory) if _url_of(each).partition("?")[0] == address]


def _others(directory: Directory, address: str) -> list[tuple[str, str, str]]:
    return [(each.sid, _name(each), _url_of(each)) for each in _holders(directory) if _url_of(each).partition("?")[0] != address]


async def watch(request: Request) -> Response:
    """Make the inspector the webhook of a sender or service."""
    form, house = await form_of(request), house_of(request)
    address = hook_of(house.choices.public_url, visitor_of(request).account)
    directory = await house.read(visitor_of(request).account, Services.directory)
    answer = next((answer_of(url) for *_, url in _using(directory, address)), EMPTY)
    sid = str(form.get("holder", ""))
    if refused := await _point(request, sid, with_answer(address, answer)):
        return await _shown(request, 422, wrong={"holder": refused.message})
    request.state.subject = sid
    return done(request, PATH, say(request, N_("Its webhooks come here now.")))


async def leave(request: Request) -> Response:
    sid = request.path_params["sid"]
    if refused := await _point(request, sid, ""):
        return await _shown(request, 422, wrong={"holder": refused.message})
    return done(request, PATH, say(request, N_("It calls nobody now.")))


async def answer(request: Request) -> Response:
    """What the endpoint answers from now on: for all that use it."""
    form, house, account = await form_of(request), house_of(request), visitor_of(request).account
    text = str(form.get("twiml", "")).replace("\r\n", "\n").strip() or EMPTY
    wrong = ""
    if len(text.encode()) > ANSWER_BYTES_MAX:
        wrong = say(request, N_("At most %(limit)s bytes fit here."), limit=ANSWER_BYTES_MAX)
    elif problems := twiml.read("text/xml", text.encode(), house.choices.public_url).problems:
        wrong = f"{problems[0].text} [{problems[0].code}]"
    if wrong:
        return await _shown(request, 422, given={"twiml": text}, wrong={"twiml": wrong})
    address = hook_of(house.choices.public_url, account)
    directory = await house.read(account, Services.directory)
    for sid, *_ in _using(directory, address):
        if refused := await _point(request, sid, with_answer(address, text)):
            return await _shown(request, 422, given={"twiml": text}, wrong={"twiml": refused.message})
    return done(request, PATH, say(request, N_("This is answered from now on.")))


async def _point(request: Request, sid: str, url: str) -> Refused | None:
    house, account = house_of(request), visitor_of(request).account
    if sid.startswith("MG"):
        of_service = await house(
            configure.update_service, account=account, service=sid, change=configure.ServiceChange(inbound_request_url=url)
        )
        found, refused = of_service.service is not None, of_service.refused
    else:
        of_sender = await house(numbers.update_sender, account=account, sender=sid, change=numbers.SenderChange(sms_url=url))
        found, refused = of_sender.sender is not None, of_sender.refused
    if not found and refused is None:
        raise HTTPException(404)
    return refused


def _urls(directory: Directory) -> list[str]:
    """Where the account's webhooks go: the hosts under which an application may know itself."""
    return [url for each in _holders(directory) if (url := _url_of(each))]


async def check(request: Request) -> Response:
    """Whether a pasted signature is right, and what it should be."""
    form, house, account = await form_of(request), house_of(request), visitor_of(request).account
    url, body, given = (str(form.get(name, "")).strip() for name in ("url", "params", "signature"))
    directory = await house.read(account, Services.directory)
    params = dict(parse_qsl(body, keep_blank_values=True))
    own = directory.account
    token, others = own.auth_token, [each for each in (own.secondary_token, own.test_token) if each]
    hosts = [urlsplit(house.choices.public_url).netloc, *(urlsplit(each).netloc for each in _urls(directory))]
    found = mistake(token, url, body, given, hosts=list(dict.fromkeys(hosts)), other_tokens=others)
    checked: dict[str, object] = {
        "ok": found is Mistake.NONE,
        "why": MISTAKES.get(found, ""),
        "url": url.partition("#")[0],
        "params": sorted(params.items()),
    }
    if visitor_of(request).role.may(Role.ADMIN):
        checked["right"] = twilio_signature(token, url, params)
    return await _shown(request, given={"url": url, "params": body, "signature": given}, checked=checked)


routes = [
    Route(HOOK + "{account}", hook, methods=["GET", "POST"]),
    shows(PATH, show),
    acts(PATH, watch, role=Role.ADMIN, act="webhook.watched"),
    acts(PATH + "/answer", answer, role=Role.ADMIN, act="webhook.answer"),
    asks(PATH + "/check", check),
    acts(PATH + "/{sid}/leave", leave, role=Role.ADMIN, act="webhook.left"),
]
