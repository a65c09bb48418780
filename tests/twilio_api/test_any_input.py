"""Whatever a stranger sends, the answer is one: never a 5xx, always JSON in one of Twilio's shapes."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateway import Gateway

SIDS = st.sampled_from(["MG", "PN", "SC", "XE", "AI", "SK", "AC"]).map(lambda prefix: prefix + "0" * 32)
VALUES = st.one_of(
    st.text(max_size=40),
    st.binary(max_size=20).map(lambda raw: raw.decode("latin-1")),
    st.integers().map(str),
    SIDS,
    st.sampled_from(
        ["", "true", "POST", "+14155550100", "http://[", "https://a:b", "http://example.com:99999999/", "x" * 5000, "\0", "٣"]
    ),
)
NAMES = st.sampled_from(
    "FriendlyName InboundRequestUrl FallbackUrl StatusCallback ValidityPeriod StickySender Usecase InboundMethod "
    "PhoneNumberSid ShortCodeSid AlphaSender Sid PhoneNumber AreaCode SmsUrl SmsMethod SmsFallbackUrl AccountSid "
    "PageSize Page PageToken Contains SmsEnabled Status ShortCode".split()
)
V1 = "/v1/Services"
V2010 = "/2010-04-01/Accounts/{AC}"
PATHS = [
    V1, f"{V1}/{{MG}}", f"{V1}/{{MG}}/PhoneNumbers", f"{V1}/{{MG}}/ShortCodes", f"{V1}/{{MG}}/AlphaSenders",
    f"{V1}/{{MG}}/ChannelSenders", f"{V1}/{{MG}}/PhoneNumbers/{{x}}", f"{V1}/{{x}}",
    f"{V2010}.json", f"{V2010}/Keys.json", f"{V2010}/Keys/{{x}}.json", f"{V2010}/IncomingPhoneNumbers.json",
    f"{V2010}/IncomingPhoneNumbers/TollFree.json", f"{V2010}/IncomingPhoneNumbers/{{x}}.json",
    f"{V2010}/IncomingPhoneNumbers/{{PN}}.json", f"{V2010}/AvailablePhoneNumbers/US/Local.json",
    f"{V2010}/AvailablePhoneNumbers/{{x}}/Mobile.json", f"{V2010}/SMS/ShortCodes.json",
    f"{V2010}/SMS/ShortCodes/{{SC}}.json", "/2010-04-01/Accounts.json",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
@settings(max_examples=25, deadline=None)
@given(method=st.sampled_from(["GET", "POST"]), fields=st.lists(st.tuples(NAMES, VALUES), max_size=4), x=VALUES)
def test_no_input_breaks_the_door(
    gateway: Gateway, path: str, method: str, fields: list[tuple[str, str]], x: str
) -> None:
    path = (
        path.replace("{AC}", gateway.account_sid)
        .replace("{MG}", gateway.service)
        .replace("{PN}", gateway.sender("+14155550122"))
        .replace("{SC}", gateway.sender("72345"))
        .replace("{x}", quote(x[:200], safe="", errors="replace") or "-")
    )
    encoded = "&".join(f"{name}={quote(value, safe='', errors='surrogatepass')}" for name, value in fields)
    more: dict[str, Any] = {"headers": {"Content-Type": "application/x-www-form-urlencoded"}}
    if method == "POST":
        answer = gateway.http.post(path, content=encoded.encode(), **more)
    else:
        answer = gateway.http.get(f"{path}?{encoded}")
    assert answer.status_code < 500, (path, method, fields, answer.text)
    assert isinstance(answer.json(), dict)
