"""The shim that points Twilio's official SDK at a Stopwire gateway.

Small enough to be read before it is used; it imports nothing of Stopwire. The SDK (`pip install twilio`) is
looked for only when a client is asked for.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twilio.rest import Client

DEFAULT_URL = "http://127.0.0.1:7867"  # 7867 spells STOP on a phone
PRODUCTS = ("api", "messaging", "accounts", "lookups")  # what a gateway answers for


def twilio_client(
    account_sid: str | None = None,
    auth_token: str | None = None,
    *,
    base_url: str | None = None,
    **options: Any,
) -> "Client":
    """Twilio's own `Client`, speaking to the gateway at `base_url`.

    What is not given is taken from STOPWIRE_URL, STOPWIRE_ACCOUNT_SID and STOPWIRE_AUTH_TOKEN. For an API key give
    `username=` and `password=` as the SDK has them. Other `options` go to the SDK as they are. ValueError without
    credentials, ImportError without the SDK.
    """
    from twilio.rest import Client

    url = (base_url or os.environ.get("STOPWIRE_URL") or DEFAULT_URL).rstrip("/")
    username = options.pop("username", None) or account_sid or os.environ.get("STOPWIRE_ACCOUNT_SID")
    password = options.pop("password", None) or auth_token or os.environ.get("STOPWIRE_AUTH_TOKEN")
    if not username or not password:
        raise ValueError(
            "The gateway's credentials are missing: give account_sid and auth_token, or set STOPWIRE_ACCOUNT_SID and STOPWIRE_AUTH_TOKEN."
        )
    client = Client(username, password, account_sid=account_sid or username, **options)
    client.region = client.edge = None  # TWILIO_REGION and TWILIO_EDGE would be put into the gateway's own host name
    for product in PRODUCTS:
        getattr(client, product).base_url = url
    return client


def from_credentials(path: str | os.PathLike[str], **options: Any) -> "Client":
    """The same, from the `credentials.json` that a gateway writes into its data folder."""
    told = json.loads(Path(path).read_text(encoding="utf-8"))
    return twilio_client(told["account_sid"], told["auth_token"], base_url=told["api_base"], **options)
