"""Why a URL or a method may not be set for a webhook.

Which addresses may be called is told by the caller, as a function; it is judged again when the webhook is called.
"""

from collections.abc import Callable

from stopwire.core.errors import Refused, refuse
from stopwire.core.orders import bad_url

Objection = Callable[[str], str | None]  # why a URL may not be called, as a sentence


def url_problem(url: str | None, objection: Objection) -> Refused | None:
    """Why `url` can be no webhook (21402), or may not be one. None and empty call nobody."""
    if not url:
        return None
    if bad_url(url):
        return refuse(21402)
    sentence = objection(url)
    return Refused(code=21402, message=f"Invalid Url: {sentence}", status=400) if sentence else None


def callback_problem(url: str | None, objection: Objection) -> Refused | None:
    """Why `url` can be no status callback (21609)."""
    return refuse(21609) if url and (bad_url(url) or objection(url)) else None


def method_problem(method: str | None) -> Refused | None:
    """Webhooks are called by GET or POST."""
    return refuse(21403) if method is not None and method not in ("GET", "POST") else None
