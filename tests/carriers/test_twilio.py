"""Twilio as a carrier, in rows. Signatures are held against Twilio's own validator."""

from typing import Any

import pytest
from twilio.request_validator import RequestValidator

from stopwire.carriers.http import Event, MediaLink, WithMedia, basic
from stopwire.carriers.twilio import Twilio
from stopwire.core.message import Status
from stopwire.core.outcomes import Cause, Outcome, OutcomeKind
from stopwire.ports.http import HttpAnswer
from stopwire.ports.push import HttpPush
from tests.carriers.rows import (
    ANN,
    NOW,
    OURS,
    PUBLIC,
    SID,
    accepted,
    answer,
    connected,
    events,
    form_of,
    form_push,
    part,
    push,
    rejected,
    report,
    text,
)  # fmt: skip

ACCOUNT, TOKEN = "AC" + "1" * 32, "t" * 32
STATUS_URL = f"{PUBLIC}/carriers/{SID}/status/AT1"
STOP = {"MessageSid": "SM9", "SmsSid": "SM9", "From": ANN, "To": OURS, "Body": "STOP", "NumMedia": "0"}


def twilio(secrets: dict[str, str] | None = None, **settings: Any) -> Twilio:
    return connected(Twilio, {"account_sid": ACCOUNT, **settings}, {"auth_token": TOKEN} if secrets is None else secrets)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        pytest.param({}, [("To", ANN), ("From", OURS), ("Body", "Hi")], id="a text"),
        pytest.param(
            {"media": ("https://example.com/a.png", "https://example.com/b.png")},
            [("To", ANN), ("From", OURS), ("Body", "Hi"), ("MediaUrl", "https://example.com/a.png"), ("MediaUrl", "https://example.com/b.png")],
            id="pictures",
        ),
        pytest.param({"body": "Grüße & 好"}, [("To", ANN), ("From", OURS), ("Body", "Grüße & 好")], id="other letters"),
        pytest.param(
            {"sender": "whatsapp:+14155550190", "recipient": f"whatsapp:{ANN}"},
            [("To", f"whatsapp:{ANN}"), ("From", "whatsapp:+14155550190"), ("Body", "Hi")],
            id="WhatsApp",
        ),
    ],
)
def test_a_part_becomes_a_form(changes: dict[str, Any], fields: list[tuple[str, str]]) -> None:
    request = twilio().request(part(**changes))
    assert f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json" == request.url
    assert basic(ACCOUNT, TOKEN)["Authorization"] == request.headers["Authorization"]
    assert [*fields, ("StatusCallback", STATUS_URL)] == form_of(request)


def test_signalwire_is_reached_by_its_base_url() -> None:
    carrier = twilio(base_url="https://acme.signalwire.com/api/laml/")
    assert f"https://acme.signalwire.com/api/laml/2010-04-01/Accounts/{ACCOUNT}/Messages.json" == carrier.request(part()).url


def test_an_api_key_speaks_instead_of_the_token() -> None:
    carrier = twilio({"auth_token": TOKEN, "api_key_secret": "s"}, api_key_sid="SK1")
    assert basic("SK1", "s")["Authorization"] == carrier.request(part()).headers["Authorization"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(answer(201, {"sid": "SMup", "status": "queued"}), accepted("SMup"), id="taken"),
        pytest.param(
            answer(400, {"code": 21610, "message": "Attempt to send to unsubscribed recipient"}),
            rejected(Cause.OPTED_OUT, "21610 Attempt to send to unsubscribed recipient"),
            id="the person opted out there",
        ),
        pytest.param(answer(400, {"code": 21211, "message": "bad To"}), rejected(Cause.UNKNOWN_HANDSET, "21211 bad To"), id="no number"),
        pytest.param(answer(400, {"code": 21614, "message": "m"}), rejected(Cause.LANDLINE, "21614 m"), id="a landline"),
        pytest.param(answer(400, {"code": 99999, "message": "m"}), rejected(Cause.OTHER, "99999 m"), id="another code"),
        pytest.param(
            answer(400, {"code": 14107, "message": "rate"}),
            Outcome(attempt="AT1", kind=OutcomeKind.DEFERRED, cause=Cause.THROTTLED, detail="14107 rate"),
            id="too fast",
        ),
    ],
)
def test_an_answer_is_named(said: HttpAnswer, expected: Outcome) -> None:
    assert expected == twilio().outcome(part(), said)


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        pytest.param(STOP, [text("STOP", "SM9")], id="a STOP"),
        pytest.param(STOP | {"OptOutType": "STOP"}, [text("STOP", "SM9", answered=True)], id="a STOP that Twilio answered itself"),
        pytest.param(STOP | {"Body": ""}, [text("", "SM9")], id="nothing said"),
        pytest.param(
            STOP | {"From": f"whatsapp:{ANN}", "To": "whatsapp:+14155550190"},
            [text("STOP", "SM9", sender="whatsapp:+14155550190", recipient=f"whatsapp:{ANN}")],
            id="WhatsApp",
        ),
        pytest.param(STOP | {"To": "72345"}, [text("STOP", "SM9", sender="72345")], id="to a short code"),
        pytest.param(
            STOP | {"NumMedia": "1", "MediaUrl0": "https://api.twilio.com/m", "MediaContentType0": "image/png"},
            [
                WithMedia(
                    received=text("STOP", "SM9"),
                    links=(MediaLink(url="https://api.twilio.com/m", content_type="image/png", headers=basic(ACCOUNT, TOKEN)),),
                )
            ],
            id="with a picture",
        ),
        pytest.param({"MessageSid": "SMup", "MessageStatus": "delivered"}, [report("SMup", Status.DELIVERED)], id="delivered"),
        pytest.param({"MessageSid": "SMup", "MessageStatus": "read"}, [report("SMup", Status.READ)], id="read"),
        pytest.param({"MessageSid": "SMup", "MessageStatus": "queued"}, [], id="queued says nothing new"),
        pytest.param(
            {"MessageSid": "SMup", "MessageStatus": "undelivered", "ErrorCode": "30003"},
            [report("SMup", Status.UNDELIVERED, 30003)],
            id="undelivered",
        ),
        pytest.param(
            {"MessageSid": "SMup", "MessageStatus": "failed", "ErrorCode": "21610"},
            [report("SMup", Status.UNDELIVERED, 21610)],
            id="opted out, told late",
        ),
        pytest.param({"MessageSid": "SMup", "MessageStatus": "sent", "ErrorCode": "0"}, [report("SMup", Status.SENT)], id="sent"),
    ],
)
def test_a_push_is_read(heard: dict[str, str], expected: list[Event]) -> None:
    assert expected == events(twilio(), form_push(heard))


def signed(fields: dict[str, str], *, token: str = TOKEN, header: str = "x_twilio_signature", path: str = "events?a=1") -> HttpPush:
    url = f"{PUBLIC}/carriers/{SID}/{path}"
    return form_push(fields, path, **{header: RequestValidator(token).compute_signature(url, fields)})


def test_twilios_own_signature_is_genuine() -> None:
    assert None is twilio().refusal(signed(STOP), at=NOW)


def test_a_get_is_signed_by_its_url_alone() -> None:
    target = f"/carriers/{SID}/events?MessageSid=SM9&From=%2B14155550199&To=%2B14155550100&Body=STOP"
    signature = RequestValidator(TOKEN).compute_signature(PUBLIC + target, {})
    heard = HttpPush(method="GET", target=target, headers={"x-twilio-signature": signature})
    assert None is twilio().refusal(heard, at=NOW)
    assert [text("STOP", "SM9")] == events(twilio(), heard)


def test_signalwires_signing_key_and_header_are_known() -> None:
    carrier = twilio({"auth_token": TOKEN, "signing_key": "PSK_1"})
    assert None is carrier.refusal(signed(STOP, token="PSK_1", header="x_signalwire_signature"), at=NOW)


def shared(key: str, algorithm: str, named: str | None = None) -> HttpPush:
    """Signed by Twilio's own package, as a webhook rule with a SharedKey has it."""
    url = f"{PUBLIC}/carriers/{SID}/events"
    headers = {
        "x_twilio_signature": RequestValidator(key).compute_signature(url, STOP, algorithm=algorithm),
        "x_twilio_webhooks_signature_settings": f"key=webhooks_sharedkey_1,algorithm={named or algorithm}",
    }
    return form_push(STOP, "events", **headers)


@pytest.mark.parametrize("algorithm", ["HMAC_SHA1", "HMAC_SHA256"])
def test_a_shared_key_of_a_webhook_rule_proves_a_push_by_the_algorithm_that_it_names(algorithm: str) -> None:
    carrier = twilio({"auth_token": TOKEN, "signing_key": "shared"})
    assert None is carrier.refusal(shared("shared", algorithm), at=NOW)


@pytest.mark.parametrize(
    ("carrier", "heard"),
    [
        pytest.param(twilio({"auth_token": TOKEN, "signing_key": "shared"}), shared("other", "HMAC_SHA256"), id="another's shared key"),
        pytest.param(
            twilio({"auth_token": TOKEN, "signing_key": "shared"}), shared("shared", "HMAC_SHA256", "HMAC_MD5"), id="an unknown algorithm"
        ),
        pytest.param(twilio(), shared("shared", "HMAC_SHA256"), id="no shared key here"),
        pytest.param(twilio(), form_push(STOP), id="no signature"),
        pytest.param(twilio(), signed(STOP, token="other"), id="another's signature"),
        pytest.param(twilio({}), signed(STOP, token=""), id="no token here"),
        pytest.param(twilio(), form_push(STOP | {"Body": "START"}, "events?a=1", **signed(STOP).headers), id="other words"),
        pytest.param(twilio(), form_push(STOP, "events?a=2", **signed(STOP).headers), id="another URL"),
        pytest.param(twilio(), push(b"\xff\xfe", x_twilio_signature="x"), id="no text at all"),
    ],
)
def test_whatever_else_is_refused(carrier: Twilio, heard: HttpPush) -> None:
    assert carrier.refusal(heard, at=NOW)


def test_the_provider_hears_empty_twiml() -> None:
    told = twilio().reply(form_push(STOP))
    assert ("text/xml", True) == (told.content_type, "<Response/>" in told.body)
