"""Why a webhook may not be set: plain checks that several journeys share, no journey of its own."""

from stopwire.core.errors import Refused, refuse
from stopwire.core.orders import bad_url
from stopwire.core.senders import Directory
from stopwire.ports.http import Http, PrivateTargets


def reach_of(directory: Directory, private: PrivateTargets) -> PrivateTargets:
    """Which private targets this account may call: its own choice, else the gateway's."""
    chosen = directory.account.settings.allow_private_webhooks
    return PrivateTargets(chosen) if chosen else private


def url_problem(url: str, http: Http, reach: PrivateTargets) -> Refused | None:
    """Why `url` can be no webhook (21402), or may not be one."""
    if bad_url(url):
        return refuse(21402)
    sentence = http.refusal(url, private=reach)
    return Refused(code=21402, message=f"Invalid Url: {sentence}", status=400) if sentence else None


def callback_problem(url: str, http: Http, reach: PrivateTargets) -> Refused | None:
    """Why `url` can be no status callback (21609)."""
    return refuse(21609) if bad_url(url) or http.refusal(url, private=reach) else None


def method_problem(method: str | None) -> Refused | None:
    """Webhooks are called by GET or POST."""
    return refuse(21403) if method is not None and method not in ("GET", "POST") else None
