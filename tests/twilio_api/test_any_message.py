"""Whatever is sent to the message and bulk resources, the answer is an answer: never a 5xx, always JSON."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway import Gateway

TEXT = st.text(max_size=60) | st.sampled_from(["+14155550101", "+14155550122", "", "0", "-1", "1e999", "\0", "true", "\ufeff"])
PARAMETERS = [
    "To", "From", "MessagingServiceSid", "Body", "MediaUrl", "StatusCallback", "ValidityPeriod", "ScheduleType", "SendAt",
    "SmartEncoded", "SendAsMms", "ContentSid", "ContentVariables", "ContentRetention", "AddressRetention", "MessageIntent",
    "RiskCheck", "FallbackFrom", "Tags", "Status", "Outcome", "PageSize", "Page", "PageToken", "DateSent", "DateSent<",
    "DateSent>", "DateCreated", "PhoneNumber", "Date", "CountryCode", "Items",
]  # fmt: skip
FORMS = st.dictionaries(st.sampled_from(PARAMETERS), TEXT, max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ITEM_FIELDS = "contact_id correlation_id sender_id status source date_of_consent country_iso_code zip_code".split()
ITEMS = st.lists(st.dictionaries(st.sampled_from(ITEM_FIELDS), JSON | TEXT, max_size=8), min_size=1, max_size=4)
MESSAGES = "/2010-04-01/Accounts/{AC}/Messages"
CALM = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize(
    "path",
    [
        f"{MESSAGES}.json",
        f"{MESSAGES}/{{x}}.json",
        f"{MESSAGES}/{{x}}/Feedback.json",
        f"{MESSAGES}/{{x}}/Media.json",
        f"{MESSAGES}/{{x}}/Media/{{x}}",
        "/v1/SafeList/Numbers",
        "/v1/Deactivations",
        "/v2/PhoneNumbers/{x}",
    ],
)
@CALM
@given(method=st.sampled_from(["GET", "POST", "DELETE"]), fields=FORMS, x=st.text(min_size=1, max_size=40))
def test_no_parameters_break_the_door(gateway: Gateway, path: str, method: str, fields: dict[str, str], x: str) -> None:
    url = path.replace("{AC}", gateway.account_sid).replace("{x}", quote(x, safe=""))
    given_as: dict[str, Any] = {"data": fields} if method == "POST" else {"params": fields}
    answer = gateway.http.request(method, url, **given_as)
    assert answer.status_code < 500, answer.text
    if answer.content and answer.status_code != 307:
        answer.json()


@pytest.mark.parametrize("path", ["/v1/Consents/Bulk", "/v1/Contacts/Bulk"])
@CALM
@given(items=ITEMS)
def test_no_item_breaks_the_bulk(gateway: Gateway, path: str, items: list[dict[str, Any]]) -> None:
    answer = gateway.http.post(path, data={"Items": [json.dumps(item) for item in items]})
    assert 201 == answer.status_code, answer.text
    assert len(items) == len(answer.json()["items"])
