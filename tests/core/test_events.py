"""What a customer is told: the parameters of webhooks, name by name."""

from dataclasses import replace
from typing import Any

import pytest

from stopwire.core.events import inbound_event, inbound_params, media_url, status_event
from stopwire.core.jobs import Delivery
from stopwire.core.message import REPORTED, Direction, Media, Message, Status
from stopwire.core.optout import Answer
from stopwire.core.policy import Keyword
from stopwire.core.senders import Home, Webhook
from tests.core.samples import AC, ADVANCED, LONG, MG, NOW, PERSON, SERVICE, WHATSAPP, home

SID = "SM" + "3" * 32
ORDINARY = Answer(row=7, keyword=None)
STOPPED = Answer(row=1, keyword=Keyword.STOP, opt_out_type="STOP")
CALLED = Webhook(url="https://app.example.com/sms", fallback_url="https://app.example.com/f", fallback_method="GET")


def received(**changes: Any) -> Message:
    facts: dict[str, Any] = {
        "sid": SID, "account": AC, "direction": Direction.INBOUND, "sender": LONG.address, "recipient": PERSON,
        "body": "STOP", "status": Status.RECEIVED, "segments": 1, "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    return Message(**{**facts, **changes})


def params(at: Home, answer: Answer, message: Message | None = None, media: tuple[Media, ...] = ()) -> dict[str, str]:
    return inbound_params(message or received(), at, answer, media, public_url="https://gw.example.com")


def test_an_inbound_webhook_has_every_parameter() -> None:
    assert {
        "ToCountry": "US", "ToState": "", "SmsMessageSid": SID, "NumMedia": "0", "ToCity": "", "FromZip": "", "SmsSid": SID,
        "FromState": "", "SmsStatus": "received", "FromCity": "", "Body": "STOP", "FromCountry": "US", "To": LONG.address,
        "ToZip": "", "NumSegments": "1", "MessageSid": SID, "AccountSid": AC, "From": PERSON, "ApiVersion": "2010-04-01",
    } == params(home(LONG), ORDINARY)  # fmt: skip


def test_opt_out_type_is_there_only_when_advanced_opt_out_matched() -> None:
    assert "OptOutType" not in params(home(LONG, SERVICE), Answer(row=1, keyword=Keyword.STOP))
    told = params(home(LONG, ADVANCED), STOPPED)
    assert ("STOP", MG) == (told["OptOutType"], told["MessagingServiceSid"])


def test_media_are_links_to_their_bytes() -> None:
    medium = Media(sid="ME1", message=SID, content_type="image/png", bytes_=b"x", created_at=NOW)
    told = params(home(LONG), ORDINARY, received(media=1), (medium,))
    url = f"https://gw.example.com/2010-04-01/Accounts/{AC}/Messages/{SID}/Media/ME1"
    assert ("1", url, "image/png") == (told["NumMedia"], told["MediaUrl0"], told["MediaContentType0"])
    assert url == media_url(received(), medium, "https://gw.example.com")


def test_whatsapp_tells_who_the_person_is_there() -> None:
    told = params(home(WHATSAPP), ORDINARY, received(sender=WHATSAPP.address, recipient=f"whatsapp:{PERSON}"))
    assert ("14155550101", f"whatsapp:{PERSON}") == (told["WaId"], told["From"])


@pytest.mark.parametrize(
    ("at", "answer", "url"),
    [
        pytest.param(home(replace(LONG, webhook=CALLED)), ORDINARY, CALLED.url, id="called"),
        pytest.param(home(LONG), ORDINARY, None, id="nobody asked"),
        pytest.param(home(replace(LONG, webhook=CALLED)), replace(ORDINARY, forward=False), None, id="kept from the webhook"),
        pytest.param(
            home(LONG, replace(SERVICE, use_inbound_webhook_on_number=False)), ORDINARY, None, id="the service drops them"
        ),
    ],
)
def test_an_inbound_event_goes_where_it_is_wanted(at: Home, answer: Answer, url: str | None) -> None:
    made = inbound_event(received(), at, answer, (), id="WD1", token="t", now=NOW, public_url="https://gw.example.com")
    assert url == (made.url if made else None)
    if made:
        assert ("inbound", SID, CALLED.fallback_url, "GET") == (
            made.event, made.message, made.fallback_url, made.fallback_method,
        )  # fmt: skip


def sent(status: Status, **changes: Any) -> Delivery | None:
    message = received(
        direction=Direction.API, status=status, status_callback="https://app.example.com/status", **changes
    )
    return status_event(message, id="WD1", token="t", now=NOW)


@pytest.mark.parametrize("status", list(Status))
def test_a_callback_is_made_on_entering_a_reported_status(status: Status) -> None:
    made = sent(status)
    assert (status in REPORTED) == (made is not None)
    if made:
        assert (status.value, status.value) == (made.params["MessageStatus"], made.params["SmsStatus"])


def test_a_failed_message_tells_its_code_and_what_it_means() -> None:
    made = sent(Status.FAILED, error_code=21610, service=MG)
    assert made is not None
    assert {
        "SmsSid": SID, "SmsStatus": "failed", "MessageStatus": "failed", "To": PERSON, "MessageSid": SID, "AccountSid": AC,
        "From": LONG.address, "ApiVersion": "2010-04-01", "MessagingServiceSid": MG, "ErrorCode": "21610",
        "ErrorMessage": "Attempt to send to unsubscribed recipient",
    } == made.params  # fmt: skip


def test_nobody_is_told_who_gave_no_callback() -> None:
    assert status_event(received(status=Status.SENT), id="WD1", token="t", now=NOW) is None


def test_a_channel_adds_its_own_parameters() -> None:
    made = sent(Status.READ, sender=WHATSAPP.address, recipient=f"whatsapp:{PERSON}")
    assert made is not None
    assert ("whatsapp", "+1415555XXXX", "READ") == (
        made.params["ChannelPrefix"], made.params["ChannelToAddress"], made.params["EventType"],
    )  # fmt: skip
