"""An SMPP application gets opt-outs honoured by changing its host name: proved with a stack of another house."""

from collections.abc import Callable
from pathlib import Path

from stopwire.core.bound import short_password, system_id
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


def test_a_service_that_accepts_what_it_cannot_send_says_so_in_the_receipt(gateway: Gateway, bind: Binder) -> None:
    ann, application = gateway.phone("+14155553003"), bind()
    gateway.http.patch("/api/v1/account", json={"opted_out_send": "accept_then_fail"})
    ann.text("STOP", to="+14155550100")
    application.hear()
    try:
        answer = application.submit(b"Hi", to=ann.address, source_addr="", source_addr_ton=0, registered_delivery=1)
        assert 0 == answer.status
        receipt = application.hear()
        assert answer.message_id == receipt.receipted_message_id.rstrip(b"\0")
        assert b"stat:REJECTD err:610" in receipt.short_message
    finally:
        gateway.http.patch("/api/v1/account", json={"opted_out_send": "reject"})


def test_with_door_processes_customers_bind_to_the_core_process(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, smpp_port=0, workers=1)
    try:
        application = Application(
            gateway, system=system_id(gateway.account_sid), password=short_password(gateway.auth_token)
        )
        ann = gateway.phone("+14155553004")
        assert 0 == application.submit(b"Hi", to=ann.address).status
        assert "Hi" == ann.wait()[0]["body"]
        ann.text("Hello", to="+14155550122")
        assert b"Hello" == application.hear().short_message
        application.leave()
    finally:
        gateway.close()
