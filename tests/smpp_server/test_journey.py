"""An SMPP application gets opt-outs honoured by changing its host name: proved with a stack of another house."""

from collections.abc import Callable

from tests.gateway import Gateway
from tests.smpp_server.conftest import Application

Binder = Callable[..., Application]


def test_a_stop_is_told_to_the_application_and_honoured_against_it(gateway: Gateway, bind: Binder) -> None:
    ann, application = gateway.phone("+14155553001"), bind()
    answer = application.submit(b"Your table is ready.", to=ann.address, registered_delivery=1)
    assert (0, True) == (answer.status, answer.message_id.startswith(b"SM"))
    assert "Your table is ready." == ann.wait()[0]["body"]
    receipt = application.hear()
    assert answer.message_id == receipt.receipted_message_id.rstrip(b"\0")
    assert b"stat:DELIVRD err:000" in receipt.short_message

    ann.text("Stop", to="+14155550122")
    heard = application.hear()
    assert (b"Stop", b"14155553001", b"14155550122") == (heard.short_message, heard.source_addr, heard.destination_addr)
    ann.wait(kind="auto_reply")

    again = application.submit(b"Your table is still ready.", to=ann.address)
    assert 0x45 == again.status
    assert 2 == len(ann.inbox)
    (refusal, *_) = gateway.http.get("/api/v1/refusals").json()["items"]
    assert 21610 == refusal["code"]
