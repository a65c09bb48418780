"""Signatures, against published vectors and the official validator."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from stopwire.core import signing

KEY = "12345"
U = "https://mycompany.com/myapp.php?foo=1&bar=2"
P = {
    "CallSid": "CA1234567890ABCDE",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
    "Caller": "+14158675309",
}
SMS = "https://app.example.com/sms"
SID = "SM" + "0" * 32
M = {
    "AccountSid": "AC" + "0" * 32,
    "ApiVersion": "2010-04-01",
    "Body": "STOP",
    "From": "+15551230001",
    "MessageSid": SID,
    "SmsSid": SID,
    "SmsMessageSid": SID,
    "MessagingServiceSid": "MG" + "0" * 32,
    "NumMedia": "0",
    "NumSegments": "1",
    "OptOutType": "STOP",
    "SmsStatus": "received",
    "To": "+15551230002",
}
REPEATED = {"Sid": "CA123", "SidAccount": "AC123", "Digits": ["5678", "1234", "1234"]}
JSON = b'{"property": "value", "boolean": true}'
JSON_URL = U + "&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"


def at(host: str, scheme: str = "https") -> str:
    return U.replace("https", scheme).replace("mycompany.com", host)


@pytest.mark.parametrize(
    ("url", "params", "algorithm", "signature"),
    [
        pytest.param(U, P, "HMAC_SHA1", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", id="form"),
        pytest.param(at("mycompany.com:443"), P, "HMAC_SHA1", "kvajT1Ptam85bY51eRf/AJRuM3w=", id="standard port"),
        pytest.param(at("mycompany.com:1234", "http"), P, "HMAC_SHA1", "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=", id="other port"),
        pytest.param(at("mycompany.com:80", "http"), P, "HMAC_SHA1", "0ZXoZLH/DfblKGATFgpif+LLRf4=", id="http port"),
        pytest.param(at("user:pass@mycompany.com"), P, "HMAC_SHA1", "CukzLTc1tT5dXEDIHm/tKBanW10=", id="password"),
        pytest.param(at("user@mycompany.com"), P, "HMAC_SHA1", "2YRLlVAflCqxaNicjMpJcSTgzSs=", id="user"),
        pytest.param(U, REPEATED, "HMAC_SHA1", "IK+Dwps556ElfBT0I3Rgjkr1wJU=", id="repeated parameter"),
        pytest.param(JSON_URL, None, "HMAC_SHA1", "a9nBmqA0ju/hNViExpshrM61xv4=", id="JSON body"),
        pytest.param(U, None, "HMAC_SHA1", "zYQTYrRWXE7LtzbG4PfP7/bkkGo=", id="GET"),
        pytest.param(U + "#ct=2000", None, "HMAC_SHA1", "zYQTYrRWXE7LtzbG4PfP7/bkkGo=", id="fragment is not signed"),
        pytest.param(U, P, "HMAC_SHA256", "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s=", id="SHA-256"),
        pytest.param(SMS, M, "HMAC_SHA1", "66q4VrUlsKhPTU0Jf+7rcT5AOqM=", id="inbound STOP"),
        pytest.param(SMS, M, "HMAC_SHA256", "KNgSQ0ZeaEwjH559Z/KE87pgctZCuCHtpOt1HOu6eTs=", id="inbound STOP, SHA-256"),
    ],
)
def test_the_published_vectors_hold(
    url: str, params: signing.Params | None, algorithm: signing.Algorithm, signature: str
) -> None:
    assert signature == signing.twilio_signature(KEY, url, params, algorithm=algorithm)
    assert signing.valid(KEY, url, params, signature, algorithm=algorithm)
    assert not signing.valid("other", url, params, signature, algorithm=algorithm)


def test_the_hash_of_a_json_body_is_part_of_the_url() -> None:
    assert JSON_URL == signing.with_body_sha256(U, JSON)
    assert SMS + "?bodySHA256=" + signing.body_sha256(b"") + "#rc=1" == signing.with_body_sha256(SMS + "#rc=1", b"")
    signature = signing.twilio_signature(KEY, JSON_URL)
    assert signing.valid(KEY, JSON_URL, None, signature, body=JSON)
    assert not signing.valid(KEY, JSON_URL, None, signature, body=JSON + b" ")
    assert not signing.valid(KEY, U, None, signing.twilio_signature(KEY, U), body=JSON)


@pytest.mark.parametrize(
    ("signed", "seen", "expected"),
    [
        pytest.param(U, at("mycompany.com:443"), True, id="a proxy added the standard port"),
        pytest.param(at("mycompany.com:443"), U, True, id="a proxy dropped it"),
        pytest.param(at("mycompany.com:80", "http"), at("mycompany.com", "http"), True, id="http too"),
        pytest.param(U, at("mycompany.com:444"), False, id="another port is another place"),
        pytest.param(U, at("mycompany.com:443", "http"), False, id="443 is not standard for http"),
        pytest.param(U, at("[::1"), False, id="a URL that is none"),
    ],
)
def test_the_standard_port_may_come_and_go(signed: str, seen: str, expected: bool) -> None:
    assert expected == signing.valid(KEY, seen, P, signing.twilio_signature(KEY, signed, P))


@pytest.mark.parametrize("signature", ["", "RSOYDt4T1cUTdK1PDd93/VVr8B8", "RSOYDt4T1cUTdK1PDd93/VVr8B8=" * 2, "é"])
def test_a_damaged_signature_is_refused(signature: str) -> None:
    assert not signing.valid(KEY, U, P, signature)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(TEXT.filter(bool), st.dictionaries(TEXT, TEXT, max_size=6))
def test_the_official_validator_agrees(token: str, params: dict[str, str]) -> None:
    assert RequestValidator(token).validate(U, params, signing.twilio_signature(token, U, params))
    assert RequestValidator(token).compute_signature(U, params) == signing.twilio_signature(token, U, params)


def test_the_official_validator_accepts_our_json() -> None:
    url = signing.with_body_sha256(U, JSON)
    assert RequestValidator(KEY).validate(url, JSON.decode(), signing.twilio_signature(KEY, url))


# The example of the Standard Webhooks specification's reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT = b'{"test": 2432232314}'
STAMPED = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def test_standard_webhooks_headers_match_the_published_example() -> None:
    assert STAMPED == signing.standard_headers(SECRET, STAMPED["webhook-id"], 1614265330, EVENT)


def test_two_secrets_sign_while_one_replaces_the_other() -> None:
    both = signing.standard_headers([SECRET, "whsec_AAAA"], STAMPED["webhook-id"], 1614265330, EVENT)
    first, second = both["webhook-signature"].split()
    assert STAMPED["webhook-signature"] == first
    assert second.startswith("v1,")
    assert first != second


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64", "whsec_é"])
def test_a_secret_that_cannot_sign_says_what_it_should_be(secret: str) -> None:
    with pytest.raises(ValueError, match="must be 'whsec_' followed by base64"):
        signing.standard_headers(secret, "msg_1", 0, b"")


# ── why a signature is not the right one ─────────────────────────────────────────────────────────────────

HOOK = "https://app.example.com/sms?tenant=7"
FORM = "From=%2B14158675309&Body=two+words+&To=%2B18005551212&FromCity="
FIELDS = {"From": "+14158675309", "Body": "two words ", "To": "+18005551212", "FromCity": ""}


def _signed(url: str = HOOK, fields: dict[str, str] | None = None, token: str = KEY) -> str:
    return str(RequestValidator(token).compute_signature(url, FIELDS if fields is None else fields))


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        pytest.param(_signed(), signing.Mistake.NONE, id="it is right"),
        pytest.param("", signing.Mistake.MISSING, id="nothing came"),
        pytest.param("nonsense!", signing.Mistake.SHAPE, id="no base64"),
        pytest.param(_signed()[:20], signing.Mistake.SHAPE, id="cut off"),
        pytest.param(_signed("http://app.example.com/sms?tenant=7"), signing.Mistake.SCHEME, id="behind a proxy that ends TLS"),
        pytest.param(_signed("http://inside.local:8080/sms?tenant=7"), signing.Mistake.HOST, id="behind a proxy that renames the host"),
        pytest.param(_signed("https://app.example.com/sms/?tenant=7"), signing.Mistake.SLASH, id="a slash more"),
        pytest.param(_signed("https://app.example.com/sms"), signing.Mistake.QUERY, id="without the query"),
        pytest.param(_signed(fields={}), signing.Mistake.NO_PARAMS, id="as if it were a GET"),
        pytest.param(_signed(fields=dict(each.split("=") for each in FORM.split("&"))), signing.Mistake.ENCODED, id="still encoded"),
        pytest.param(_signed(fields={k: v for k, v in FIELDS.items() if v}), signing.Mistake.BLANK, id="without empty parameters"),
        pytest.param(_signed(fields={k: v.strip() for k, v in FIELDS.items()}), signing.Mistake.STRIPPED, id="with trimmed values"),
        pytest.param(signing.twilio_signature(KEY, HOOK + "".join(k + v for k, v in FIELDS.items())), signing.Mistake.UNSORTED, id="unsorted"),
        pytest.param(signing.twilio_signature(KEY, HOOK, FIELDS, algorithm="HMAC_SHA256"), signing.Mistake.ALGORITHM, id="HMAC-SHA256"),
        pytest.param(_signed(token="test-token"), signing.Mistake.TOKEN, id="the test token"),
        pytest.param(_signed(token="stranger"), signing.Mistake.UNKNOWN, id="somebody else's"),
    ],
)  # fmt: skip
def test_a_wrong_signature_is_traced_to_its_mistake(signature: str, expected: signing.Mistake) -> None:
    assert expected == signing.mistake(KEY, HOOK, FORM, signature, hosts=["inside.local:8080"], other_tokens=["test-token"])


@given(st.text(), st.text(), st.text())
def test_looking_for_a_mistake_never_fails(url: str, form: str, signature: str) -> None:
    assert signing.mistake(KEY, url, form, signature, hosts=["x"]) in signing.Mistake
