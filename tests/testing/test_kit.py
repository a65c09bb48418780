"""The fixture `sms` as a user's tests hold it. It comes by the plugin, as theirs does."""

import asyncio
import contextlib
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from twilio.base.exceptions import TwilioRestException

import stopwire.testing
from stopwire.core.address import SenderKind
from stopwire.ports.store import Cut
from stopwire.testing.kit import Sms
from stopwire.testing.running import Running

ANN, BEN = "+14155550101", "+14155550102"


def send(sms: Sms, to: str, body: str = "Sale!", **more: Any) -> Any:
    return sms.client.messages.create(to=to, messaging_service_sid=sms.service.sid, body=body, **more)


# ── handsets ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_reaches_the_handset(sms: Sms) -> None:
    ann = sms.phone(ANN)
    sent = send(sms, ann.address)
    got = ann.wait()
    assert ("Sale!", "message", sms.sender, sent.sid) == (got.body, got.kind, got.peer, got.sid)


def test_a_number_is_the_same_handset_each_time(sms: Sms) -> None:
    assert sms.phone(ANN) is sms.phone("+1 (415) 555-0101", "Ann")
    assert "Ann" == sms.phone(ANN).name


def test_a_handset_answers_whoever_texted_last(sms: Sms) -> None:
    other = sms.add_sender()
    ann = sms.phone(ANN)
    sms.client.messages.create(to=ANN, from_=other, body="Hello")
    ann.wait()
    assert other == ann.text("Who is this?").peer


def test_nothing_came_is_said_with_what_came(sms: Sms) -> None:
    ann = sms.phone(ANN, "Ann")
    ann.text("HELP")
    loud = ann.quiet()
    assert not loud
    assert "to Ann came" in repr(loud) and "auto_reply" in repr(loud)
    ann.wait()
    assert ann.quiet()
    assert 1 == len(ann.inbox)


def test_a_wait_for_nothing_tells_the_last_refusal(sms: Sms) -> None:
    ann = sms.phone(ANN, "Ann")
    ann.text("stop")
    ann.wait()
    with sms.refused(21610):
        send(sms, ANN)
    with pytest.raises(AssertionError, match=r"waited 0\.05 s for a text to Ann; none came\. Last refusal: 21610\. .* by the word STOP"):
        ann.wait(timeout=0.05)


def test_parts_in_another_order_are_one_text(sms: Sms) -> None:
    ann = sms.phone(ANN)
    ann.text("Hello there, " * 20, parts=2, part_order=[2, 1])
    assert "Hello there, " * 20 == sms.webhooks.wait().form["Body"]


def test_a_handset_that_is_off_gets_its_texts_when_it_is_on(sms: Sms) -> None:
    ann = sms.phone(ANN)
    ann.off()
    send(sms, ANN)
    assert ann.quiet()
    ann.on()
    assert "Sale!" == ann.wait().body


async def test_a_coroutine_can_wait_too(sms: Sms) -> None:
    ann = sms.phone(ANN)
    arrived = asyncio.ensure_future(ann.arrived())
    await asyncio.to_thread(send, sms, ANN)
    assert "Sale!" == (await arrived).body


def test_a_number_that_is_none_is_said(sms: Sms) -> None:
    with pytest.raises(ValueError, match="'5550101' is no number of a person"):
        sms.phone("5550101")
    with pytest.raises(ValueError, match=r"\+15005550006 is no sender of this test"):
        sms.phone(ANN).text("Hello", to="+15005550006")


# ── senders ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["long_code", "toll_free", "short_code", "whatsapp"])
def test_a_stop_to_any_kind_of_sender_blocks_in_the_service(sms: Sms, kind: str) -> None:
    sms.service.opt_out()
    sender = sms.add_sender(kind)
    ann = sms.phone(f"whatsapp:{ANN}" if kind == "whatsapp" else ANN)
    ann.text("stop", to=sender)
    assert ("network" if kind == "toll_free" else "auto_reply") == ann.wait().kind
    assert sms.blocked(ann)


def test_a_sender_alone_is_a_scope_of_its_own(sms: Sms) -> None:
    alone = sms.add_sender(in_service=False)
    ann = sms.phone(ANN)
    ann.text("stop", to=alone)
    ann.wait()
    assert sms.blocked(ann, alone)
    assert not sms.blocked(ann, sms.service)
    assert alone == sms.webhooks.wait().form["To"]


def test_a_name_can_send(sms: Sms) -> None:
    name = sms.add_sender("alphanumeric")
    gwen = sms.phone("+447700900101")  # names reach nobody in the US
    sms.client.messages.create(to=gwen.address, from_=name, body="Hello")
    assert name == gwen.wait().peer


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────


def test_standing_and_its_cause(sms: Sms) -> None:
    ann = sms.phone(ANN, "Ann")
    assert "<no: Ann: no block>" == repr(sms.blocked(ann))
    ann.text("stop")
    assert "reason keyword" in repr(sms.blocked(ann))
    assert ["opt_out"] == [event["act"] for event in sms.ledger(ann)]
    ann.text("start")
    assert not sms.blocked(ann)
    assert ["opt_out", "opt_in"] == [event["act"] for event in sms.ledger(ann)]


def test_an_outcome_is_waited_for(sms: Sms) -> None:
    assert "delivered" == sms.outcome(send(sms, ANN))["status"]
    assert 30003 == sms.outcome(send(sms, "+19995550005").sid)["error_code"]
    with pytest.raises(AssertionError, match=r"waited 0\.1 s for the outcome of SM\w+; it is still sent"):
        sms.outcome(send(sms, "+19995550003"), timeout=0.1)


def test_refusals_of_every_kind_of_caller_are_seen(sms: Sms) -> None:
    sms.phone(ANN).text("stop")
    with sms.refused(21610) as refusal:
        send(sms, ANN)
    assert "by the word STOP" in sms.explain(refusal)
    with sms.refused(21610):
        sms.api.send(to=ANN, service=sms.service.sid, body="again")
    with sms.refused(21610):
        form = {"To": ANN, "MessagingServiceSid": sms.service.sid, "Body": "again"}
        httpx.post(f"{sms.url}/2010-04-01/Accounts/{sms.sid}/Messages.json", auth=(sms.sid, sms.token), data=form, trust_env=False)
    with sms.refused(21610):
        try:
            send(sms, ANN)
        except TwilioRestException as error:
            raise RuntimeError("an application's own exception") from error


def test_what_was_not_refused_is_said(sms: Sms) -> None:
    with pytest.raises(AssertionError, match="expected a refusal with 21610; nothing was refused"), sms.refused(21610):
        send(sms, ANN)
    with pytest.raises(AssertionError, match="expected a refusal with 21610; it was refused with 21211"), sms.refused(21610):
        send(sms, "+1")
    with pytest.raises(ZeroDivisionError), sms.refused(21610):
        1 / 0  # noqa: B018  an application's bug is not hidden


def test_a_policy_that_cannot_hold_is_said(sms: Sms) -> None:
    with pytest.raises(ValueError, match=r"This policy cannot hold\. .*reply"):
        sms.service.opt_out(standard={"stop": {"keywords": ["STOP"], "reply": "x" * 400}})


@pytest.mark.sms(country="MX", packs=["es"], name="Ofertas")
def test_a_marker_sets_the_service_up(sms: Sms) -> None:
    cruz = sms.phone("+525555550101")
    cruz.text("alto")
    assert cruz.wait().body.startswith("Ofertas: su baja queda confirmada")
    assert ("ALTO", "es", "MX") == tuple(sms.ledger(cruz)[0][name] for name in ("word", "language", "country"))


# ── webhooks ─────────────────────────────────────────────────────────────────────────────────────────────


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    form = (await receive())["body"].decode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/xml")]})
    await send({"type": "http.response.body", "body": f"<Response><Message>{scope['path']} {'Body=' in form}</Message></Response>".encode()})


def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    form = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
    start_response("200 OK", [("Content-Type", "text/xml")])
    return [f"<Response><Message>{environ['PATH_INFO']} {'Body=' in form}</Message></Response>".encode()]


@pytest.mark.parametrize("app", [asgi, wsgi])
def test_an_application_is_called_and_its_twiml_obeyed(sms: Sms, app: Any) -> None:
    sms.webhook(app, path="/sms")
    ann = sms.phone(ANN)
    ann.text("Hello")
    assert "/sms True" == ann.wait().body
    hook = sms.webhooks.wait()
    assert ("inbound", 200, "Hello") == (hook.event, hook.status, hook.form["Body"])


def test_an_application_may_call_back_while_it_is_called(sms: Sms) -> None:
    def greedy(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        send(sms, ANN, "From inside")
        return wsgi(environ, start_response)

    sms.webhook(greedy)
    ann = sms.phone(ANN)
    ann.text("Hello")
    assert "From inside" == ann.wait().body


def test_an_application_is_started_and_ended_where_it_wants_to_be(sms_gateway: Running) -> None:
    heard: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, str]]:
        heard.append("started")
        yield {"shop": "Flowers"}
        heard.append("ended")

    async def answer(request: Request) -> Response:
        return Response(f"<Response><Message>{request.state.shop}</Message></Response>", media_type="text/xml")

    with stopwire.testing.account(sms_gateway) as sms:
        sms.webhook(Starlette(routes=[Route("/sms", answer, methods=["POST"])], lifespan=lifespan), path="/sms")
        ann = sms.phone(ANN)
        ann.text("Hello")
        assert "Flowers" == ann.wait().body
    assert ["started", "ended"] == heard


def test_an_application_that_cannot_start_is_told_of(sms: Sms) -> None:
    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        raise LookupError("no database")
        yield

    with pytest.raises(RuntimeError, match=r"(?s)The application's startup failed: .*no database"):
        sms.webhook(Starlette(lifespan=lifespan))


def test_an_application_that_raises_is_told_of(sms: Sms) -> None:
    def broken(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise LookupError("no such customer")

    sms.webhook(broken)
    sms.phone(ANN).text("Hello")
    assert 500 == sms.webhooks.wait().status
    assert "LookupError: no such customer" in sms.told()


def test_a_url_is_called_as_it_stands(sms: Sms) -> None:
    with stopwire.testing.gateway() as other:
        sms.webhook(f"{other.url}/livez")
        sms.phone(ANN).text("Hello")
        assert f"{other.url}/livez" == sms.webhooks.wait().url


def test_webhooks_are_waited_for_by_what_they_say_and_can_be_told_again(sms: Sms) -> None:
    send(sms, ANN, status_callback="http://127.0.0.1:9/nobody")
    assert sms.webhooks.wait(MessageStatus="delivered").error
    sms.phone(ANN).text("Hello")
    first = sms.webhooks.wait(Body="Hello")
    sms.webhooks.replay(-1)
    assert first.id == sms.webhooks.wait(Body="Hello").id
    with pytest.raises(AssertionError, match=r"waited 0\.05 s for a webhook Body=Bye; none came\. Told so far: .*inbound 'Hello' answered 200"):
        sms.webhooks.wait(timeout=0.05, Body="Bye")


# ── time and chaos ───────────────────────────────────────────────────────────────────────────────────────


def test_tomorrow_comes_at_once(sms: Sms) -> None:
    ann = sms.phone(ANN)
    tomorrow = sms.clock.now() + timedelta(days=1)
    sms.api.send(to=ANN, service=sms.service.sid, body="Dentist at 9", send_at=tomorrow)
    assert ann.quiet()
    sms.clock.at(tomorrow)
    assert "Dentist at 9" == ann.wait().body
    with pytest.raises(ValueError, match="it only goes forward"):
        sms.clock.at(tomorrow - timedelta(days=1))


def test_a_busy_carrier_is_tried_again_when_its_time_has_come(sms: Sms) -> None:
    busy = sms.phone("+19995550001")  # defers twice
    send(sms, busy.address)
    for _ in range(3):
        sms.settle()
        sms.clock.advance(minutes=10)
    assert "Sale!" == busy.wait().body


def test_what_never_had_an_answer_is_settled_when_its_time_is_over(sms: Sms) -> None:
    sent = send(sms, "+19995550007")  # its carrier never answers
    with pytest.raises(AssertionError, match="it is still sending"):
        sms.outcome(sent, timeout=0.2)
    sms.clock.advance(hours=12)
    assert ("undelivered", 30046) == tuple(sms.outcome(sent)[name] for name in ("status", "error_code"))


def test_a_part_that_is_missing_is_not_waited_for_for_ever(sms: Sms) -> None:
    sms.phone(ANN).text("first second ", parts=2, part_order=[1])
    sms.clock.advance(days=2)
    assert "first" in sms.webhooks.wait().form["Body"]


def test_what_a_dead_carrier_holds_comes_when_it_lives(sms: Sms) -> None:
    ann = sms.phone(ANN)
    sms.chaos.carrier_down()
    sent = send(sms, ANN)
    with pytest.raises(AssertionError):
        ann.wait(timeout=0.1)
    sms.chaos.calm()
    sms.clock.advance(minutes=5)
    assert sent.sid == ann.wait().sid


def test_a_stop_that_comes_twice_is_answered_once(sms: Sms) -> None:
    sms.chaos.duplicate_inbound()
    ann = sms.phone(ANN)
    ann.text("stop")
    assert "auto_reply" == ann.wait().kind
    assert ann.quiet()


def test_reports_can_be_lost(sms: Sms) -> None:
    sms.chaos.drop_reports()
    sent = send(sms, ANN)
    sms.phone(ANN).wait()
    sms.settle()
    assert "sent" == sms.api.message(sent.sid)["status"]


# ── by itself ────────────────────────────────────────────────────────────────────────────────────────────


def test_accounts_of_one_gateway_are_strangers(sms: Sms, sms_gateway: Running) -> None:
    sms.phone(ANN).text("stop")
    with stopwire.testing.account(sms_gateway) as other:
        assert not other.blocked(ANN)
        assert sms.sender != other.sender
        assert [] == other.ledger()


def test_a_test_that_is_over_leaves_nothing_to_do(sms_gateway: Running) -> None:
    with stopwire.testing.account(sms_gateway) as over:
        over.webhook("http://127.0.0.1:9/nobody")
        over.phone(ANN).text("Hello")
        assert over.webhooks.wait().error
    waiting = sms_gateway.call(sms_gateway.world.store.read(lambda tx: tx.webhooks.page(Cut(), state="pending"), account=over.sid))
    assert [] == waiting
    assert {} == sms_gateway.call(sms_gateway.world.store.directory(over.sid)).senders


def test_numbers_are_used_again_when_they_run_out(sms_gateway: Running) -> None:
    key = ("SE", SenderKind.LONG_CODE)
    given = [sms_gateway.number(*key) for _ in range(95)]
    with pytest.raises(ValueError, match="There is no long code in SE that is free"):
        sms_gateway.number(*key)
    sms_gateway.put_back({given[7]: key})
    assert given[7] == sms_gateway.number(*key)
    with pytest.raises(ValueError, match="There is no long code in JP"):
        sms_gateway.number("JP", SenderKind.LONG_CODE)


def test_the_same_seed_gives_the_same_names() -> None:
    def names(seed: str) -> tuple[str, str]:
        with stopwire.testing.gateway(seed=seed) as sms:
            return sms.sid, sms.token

    assert names("7") == names("7")
    assert names("7") != names("8")


def test_it_works_without_pytest_and_leaves_nothing_behind(tmp_path: Path) -> None:
    program = """
import sys, tempfile, threading
sys.modules["pytest"] = None  # as where it is not installed
import stopwire.testing
with stopwire.testing.gateway() as sms:
    ann = sms.phone("+14155550101")
    ann.text("stop", to=sms.sender)
    print(ann.wait().kind, bool(sms.blocked(ann)))
print(threading.active_count())
"""
    environ = {"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environ, cwd=tmp_path, timeout=60)
    assert ("auto_reply True\n1\n", 0) == (done.stdout, done.returncode), done.stderr
    assert [] == list(tmp_path.iterdir())


def test_a_closed_gateway_leaves_no_thread() -> None:
    before = threading.active_count()
    with stopwire.testing.gateway() as sms:
        send(sms, ANN)
    assert before == threading.active_count()
