"""Connections to carriers, from outside: added, changed, paused, tried and removed while the gateway runs."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from stopwire.smpp.fields import MessageState, Status
from stopwire.smpp.pdu import body
from stopwire.testing.smsc import Accept, Form, HangUp, Reject, Reports, Silence, Smsc, When
from stopwire.workers import runner
from tests.gateway import Gateway, eventually

NUMBER, OTHER = "+14155559001", "+14155559002"
ANN = "+14155550101"
LONG = "0123456789" * 31


class Centre(Smsc):
    """A message centre on the gateway's loop, spoken to from the test's thread."""

    gateway: Gateway

    def settings(self, **more: Any) -> dict[str, Any]:
        return {"host": self.host, "port": self.port, "system_id": "me", "password": "s3cr3t", **more}

    def texts(self) -> list[str]:
        return [s.octets.decode("latin-1") for s in self.submissions]

    def hear(self, text: str, *, to: str = NUMBER, source: str = ANN) -> int | None:
        return self.gateway.run(
            self.deliver(text.encode("latin-1"), source=source.removeprefix("+"), destination=to.removeprefix("+"))
        )


@pytest.fixture
def gateway(fresh_gateway: Gateway) -> Gateway:
    return fresh_gateway


@pytest.fixture
def centre(gateway: Gateway) -> Iterator[Centre]:
    yield from running_centre(gateway)


@pytest.fixture
def second(gateway: Gateway) -> Iterator[Centre]:
    yield from running_centre(gateway)


def running_centre(gateway: Gateway) -> Iterator[Centre]:
    async def made() -> Centre:
        centre = Centre()
        await centre.start()
        return centre

    centre = gateway.run(made())
    centre.gateway = gateway
    yield centre
    gateway.run(centre.stop())


def add(gateway: Gateway, centre: Centre, *, name: str = "main", senders: tuple[str, ...] = (NUMBER,), **more: Any) -> dict[str, Any]:
    settings = centre.settings(**more.pop("settings", {}))
    asked = {"name": name, "type": "smpp", "settings": settings, "senders": list(senders), **more}
    answer = gateway.http.post("/api/v1/carriers", json=asked)
    assert 201 == answer.status_code, answer.text
    eventually(lambda: see(gateway, name)["up"] or more.get("paused"))
    return dict(answer.json())


def see(gateway: Gateway, name: str) -> dict[str, Any]:
    answer = gateway.http.get(f"/api/v1/carriers/{name}")
    assert 200 == answer.status_code, answer.text
    return dict(answer.json())


def send(gateway: Gateway, body: str = "Hello", *, to: str = ANN, from_: str = NUMBER) -> str:
    return str(gateway.client().messages.create(to=to, from_=from_, body=body).sid)


def ends(gateway: Gateway, sid: str, status: str) -> dict[str, Any]:
    def reached() -> dict[str, Any] | None:
        message = gateway.client().messages(sid).fetch()
        return {"status": message.status, "code": message.error_code} if message.status == status else None

    return eventually(reached)


def stays(gateway: Gateway, sid: str) -> str:
    return str(gateway.client().messages(sid).fetch().status)


# ── add, see, change, remove ─────────────────────────────────────────────────────────────────────────


def test_a_connection_is_added_and_carries_messages_at_once(gateway: Gateway, centre: Centre) -> None:
    made = add(gateway, centre)
    assert (["password"], [NUMBER], None) == (made["secrets"], made["senders"], made["push_url"])
    sid = send(gateway)
    ends(gateway, sid, "delivered")
    assert ["Hello"] == centre.texts()
    assert (NUMBER[1:], ANN[1:]) == (centre.submissions[0].pdu.source_addr, centre.submissions[0].pdu.destination_addr)


def test_a_secret_is_in_no_answer_and_not_in_the_database(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre)
    answers = [gateway.http.get(path).text for path in ("/api/v1/carriers", "/api/v1/carriers/main", "/api/v1/carriers/main/log")]
    assert not any("s3cr3t" in answer for answer in answers)
    files = [path for path in gateway.settings.data_dir.iterdir() if path.name.startswith("stopwire.db") and path.is_file()]
    assert files
    assert not any(b"s3cr3t" in path.read_bytes() for path in files)


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        pytest.param({"type": "pigeon"}, "type", id="an unknown type"),
        pytest.param({"type": "simulator"}, "type", id="the simulator, of which there is one"),
        pytest.param({"name": "a b"}, "name", id="a name that fits no address"),
        pytest.param({"name": "simulator"}, "name", id="the simulator's name"),
        pytest.param({"settings": {"host": "h"}}, "settings.system_id", id="a setting left out"),
        pytest.param({"settings": {"host": "h", "system_id": "s", "colour": 1}}, "settings.colour", id="an unknown setting"),
        pytest.param({"senders": ["nobody!?"]}, "senders.0", id="no sender"),
        pytest.param({"failover": ["another"]}, "failover.0", id="no such connection"),
        pytest.param({"opt_out_by": "nobody"}, "opt_out_by", id="nobody who could answer a STOP"),
        pytest.param(
            {"type": "telnyx", "settings": {"api_key": "KEY", "public_key": ["AAEC"]}}, "settings.public_key", id="a list where a text is"
        ),
        pytest.param(
            {"type": "generic", "settings": {"url": "https://x.example", "body": {"to": "{to}"}}}, "settings.body", id="an object where a text is"
        ),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_added(gateway: Gateway, asked: dict[str, Any], path: str) -> None:
    good = {"name": "main", "type": "smpp", "settings": {"host": "h", "system_id": "s"}, "senders": []}
    answer = gateway.http.post("/api/v1/carriers", json={**good, **asked})
    assert (422, path) == (answer.status_code, answer.json()["errors"][0]["path"])
    assert ["simulator"] == [each["name"] for each in gateway.http.get("/api/v1/carriers").json()["items"]]


def test_who_answers_a_stop_is_set_by_a_word(gateway: Gateway) -> None:
    settings = {"auth_id": "MA1", "auth_token": "t" * 32}
    made = gateway.http.post("/api/v1/carriers", json={"name": "theirs", "type": "plivo", "settings": settings, "opt_out_by": "carrier"})
    assert (201, "carrier") == (made.status_code, made.json()["opt_out_by"])
    assert f"{gateway.url}/carriers/{made.json()['sid']}/inbound" == made.json()["push_url"]
    changed = gateway.http.patch("/api/v1/carriers/theirs", json={"opt_out_by": "us"})
    assert (200, "us") == (changed.status_code, changed.json()["opt_out_by"])
    assert 200 == gateway.http.delete("/api/v1/carriers/theirs").status_code


def test_a_connection_belongs_to_its_account(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre)
    stranger = gateway.account()
    seen = gateway.http.get("/api/v1/carriers", auth=stranger).json()["items"]
    assert ["simulator"] == [each["name"] for each in seen]
    for call in (gateway.http.get, gateway.http.delete):
        assert 404 == call("/api/v1/carriers/main", auth=stranger).status_code
    taken = {"name": "x", "type": "smpp", "settings": centre.settings(), "senders": [NUMBER]}
    assert 422 == gateway.http.post("/api/v1/carriers", json=taken, auth=stranger).status_code


def test_a_sender_of_the_simulator_moves_to_the_connection(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre, senders=("+14155550100",))
    assert "+14155550100" not in see(gateway, "simulator")["senders"]
    sid = send(gateway, from_="+14155550100")
    ends(gateway, sid, "delivered")
    assert ["Hello"] == centre.texts()


def test_a_paused_connection_holds_its_messages_until_it_is_resumed(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre)
    assert gateway.http.post("/api/v1/carriers/main/pause").json()["paused"]
    eventually(lambda: centre.bound == 0)
    sid = send(gateway)
    assert "paused" == see(gateway, "main")["link"]["status"]
    assert "queued" == stays(gateway, sid)
    gateway.http.post("/api/v1/carriers/main/resume")
    ends(gateway, sid, "delivered")


def test_a_changed_connection_is_opened_anew_and_keeps_its_secret(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre)
    changed = gateway.http.patch("/api/v1/carriers/main", json={"settings": {"binds": 3}}).json()
    assert (3, ["password"]) == (changed["settings"]["binds"], changed["secrets"])
    eventually(lambda: centre.bound == 3)
    assert {"s3cr3t"} == {getattr(bind, "password", None) for bind in centre.binds}
    wrong = gateway.http.patch("/api/v1/carriers/main", json={"settings": {"binds": 0}})
    assert (422, "settings.binds") == (wrong.status_code, wrong.json()["errors"][0]["path"])


def test_a_connection_is_removed_once_nobody_speaks_through_it(gateway: Gateway, centre: Centre, second: Centre) -> None:
    add(gateway, centre)
    refused = gateway.http.delete("/api/v1/carriers/main")
    assert (422, "senders") == (refused.status_code, refused.json()["errors"][0]["path"])
    add(gateway, second, name="next")
    assert 200 == gateway.http.delete("/api/v1/carriers/main").status_code
    assert 404 == gateway.http.get("/api/v1/carriers/main").status_code
    eventually(lambda: centre.bound == 0)
    assert 422 == gateway.http.delete("/api/v1/carriers/simulator").status_code


def test_a_connection_is_tried(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre)
    assert gateway.http.post("/api/v1/carriers/main/test").json()["ok"]
    centre.password = "another"
    gateway.http.post("/api/v1/carriers/main/pause")
    eventually(lambda: centre.bound == 0)
    tried = gateway.http.post("/api/v1/carriers/main/test").json()
    assert not tried["ok"]
    assert "ESME_RINVPASWD" in tried["detail"]


def test_the_log_of_a_connection_tells_what_happened(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre)
    gateway.run(on_loop(centre.cut))
    eventually(lambda: len(log(gateway)) >= 3)
    assert ["bound", "unbound", "bound"] == [line["event"] for line in log(gateway)][:3]


def log(gateway: Gateway) -> list[dict[str, Any]]:
    return list(gateway.http.get("/api/v1/carriers/main/log").json()["items"])


def test_a_text_to_a_number_of_nobodys_is_noted_once(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre)
    for _ in range(2):
        assert Status.ESME_ROK == centre.hear("STOP", to=OTHER)
    (line,) = [line for line in log(gateway) if line["event"] == "unknown_sender"]
    assert f"A text came to {OTHER}, which is no sender here" in line["says"]


async def on_loop(work: Any) -> None:
    work()


def test_kinds_of_carriers_tell_their_settings(gateway: Gateway) -> None:
    kinds = {kind["type"]: kind for kind in gateway.http.get("/api/v1/carrier-types").json()["items"]}
    secrets = [field["name"] for field in kinds["smpp"]["fields"] if field["secret"]]
    assert ["password"] == secrets


# ── messages and STOP over SMPP ──────────────────────────────────────────────────────────────────────


def test_a_stop_that_comes_by_smpp_is_kept_answered_and_obeyed(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre)
    ends(gateway, send(gateway), "delivered")
    assert 0 == centre.hear("Stop")
    eventually(lambda: len(centre.submissions) == 2)
    assert "unsubscribed" in centre.texts()[1]
    with pytest.raises(Exception, match=r"21610|unsubscribed"):
        send(gateway, "again")
    assert 0 == centre.hear("START")
    eventually(lambda: len(centre.submissions) == 3)
    ends(gateway, send(gateway, "welcome back"), "delivered")


def test_a_stop_for_an_address_nobody_has_is_acknowledged(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre)
    assert 0 == centre.hear("STOP", to="+14155559999")


def test_a_long_message_is_delivered_when_all_its_segments_are(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre)
    centre.script(Accept(), Accept(), Accept(reports=Reports(when=When.NEVER)))
    sid = send(gateway, LONG)
    ends(gateway, sid, "sent")
    eventually(lambda: len(centre.deliveries) == 2)
    assert "sent" == stays(gateway, sid)
    gateway.run(centre.report(centre.submissions[2], Reports()))
    ends(gateway, sid, "delivered")


def test_one_bad_segment_makes_the_message_undelivered(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre)
    centre.script(Accept(), Accept(reports=Reports(state=MessageState.UNDELIVERABLE)))
    ends(gateway, send(gateway, LONG), "undelivered")


@pytest.mark.parametrize(
    ("message_id", "form"),
    [
        pytest.param("0e999f21", Form.DECIMAL, id="hexadecimal, reported in decimal"),
        pytest.param("0913121205", Form.WITHOUT_ZEROS, id="without its zero"),
        pytest.param("0e999f21", Form.UPPER, id="in capitals"),
        pytest.param("913121205", Form.HEX, id="decimal, reported in hexadecimal"),
    ],
)
@pytest.mark.parametrize("when", [When.AFTER, When.BEFORE, When.TWICE])
def test_a_receipt_finds_its_message(gateway: Gateway, centre: Centre, message_id: str, form: Form, when: When) -> None:
    add(gateway, centre)
    centre.script(Accept(message_id=message_id, reports=Reports(form=form, when=when)))
    ends(gateway, send(gateway), "delivered")


def test_a_receipt_for_what_was_never_answered_proves_that_it_left(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre, settings={"response_timeout": 0.2})
    centre.script(Silence(keep=True))
    centre.reports = Reports(when=When.NEVER)
    sid = send(gateway)
    eventually(lambda: attempts(gateway, sid) == ["unknown"])
    assert "sending" == stays(gateway, sid)
    gateway.run(centre.report(centre.submissions[0], Reports()))
    ends(gateway, sid, "delivered")
    assert 1 == len(centre.submissions)


def attempts(gateway: Gateway, sid: str) -> list[str]:
    found = gateway.run(gateway.world.store.read(lambda tx: tx.jobs.attempts(sid), account=gateway.account_sid))
    return [attempt.state for attempt in found]


def test_what_the_link_took_with_it_is_not_sent_again(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre)
    centre.script(HangUp(keep=True))
    sid = send(gateway)
    eventually(lambda: attempts(gateway, sid) == ["unknown"])
    eventually(lambda: centre.bound == 1)
    ends(gateway, send(gateway, "next", to="+14155550102"), "delivered")
    assert ["Hello", "next"] == centre.texts()
    assert "sending" == stays(gateway, sid)


def test_a_throttled_message_goes_out_later_and_none_to_that_person_before_it(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre)
    centre.script(Reject(status=Status.ESME_RTHROTTLED))
    first = send(gateway, "one")
    second = send(gateway, "two")
    ends(gateway, second, "delivered")
    ends(gateway, first, "delivered")
    assert ["one", "one", "two"] == [text for text in centre.texts() if text in ("one", "two")]


def test_a_stop_between_segments_cuts_the_message_short(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre, settings={"window": 1})
    centre.script(Accept(delay_seconds=0.5), *[Accept()] * 9)
    sid = send(gateway, LONG)
    gateway.run(centre.heard(1))
    assert 0 == centre.hear("STOP")
    acknowledged = centre.deliveries[-1]
    assert 0 == acknowledged.status
    assert {"status": "failed", "code": 21610} == ends(gateway, sid, "failed")
    eventually(lambda: len(centre.submissions) == 2)
    assert ["UNSUBSCRIBED" in body(s.pdu).decode("latin-1").upper() for s in centre.submissions] == [False, True]


# ── failover ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_waits_for_a_connection_that_is_down_leaves_by_the_next(
    gateway: Gateway, centre: Centre, second: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "DOWN_SECONDS", 0.5)
    monkeypatch.setattr(runner, "LOOK_SECONDS", 0.1)
    add(gateway, second, name="spare", senders=(OTHER,))
    add(gateway, centre, failover=["spare"])
    gateway.run(centre.stop())
    sid = send(gateway)
    ends(gateway, sid, "delivered")
    assert ["Hello"] == second.texts()
    assert NUMBER[1:] == second.submissions[0].pdu.source_addr


def test_a_message_that_comes_while_a_connection_is_down_does_not_wait_for_it(
    gateway: Gateway, centre: Centre, second: Centre
) -> None:
    add(gateway, second, name="spare", senders=(OTHER,))
    add(gateway, centre, failover=["spare"])
    gateway.run(centre.stop())
    eventually(lambda: gateway.http.get("/api/v1/carriers/main").json()["link"]["status"] == "down")
    ends(gateway, send(gateway), "delivered")  # long before anything that waits would be moved
    assert ["Hello"] == second.texts()


def test_a_confirmation_does_not_wait_for_a_connection_that_is_down(gateway: Gateway, centre: Centre, second: Centre) -> None:
    add(gateway, second, name="spare", senders=(OTHER,))
    add(gateway, centre, failover=["spare"])
    gateway.run(centre.stop())
    eventually(lambda: see(gateway, "main")["link"]["status"] == "down")
    assert 0 == second.hear("STOP")
    eventually(lambda: len(second.submissions) == 1)  # long before anything that waits would be moved
    assert ("unsubscribed" in second.texts()[0], NUMBER[1:]) == (True, second.submissions[0].pdu.source_addr)


@pytest.mark.parametrize("paused", [False, True], ids=["down", "paused"])
def test_a_scheduled_message_that_falls_due_leaves_by_the_next_connection(
    gateway: Gateway, centre: Centre, second: Centre, monkeypatch: pytest.MonkeyPatch, paused: bool
) -> None:
    monkeypatch.setattr(runner, "LOOK_SECONDS", 0.1)  # but what waits is moved after ten seconds, as ever
    add(gateway, second, name="spare", senders=(OTHER,))
    add(gateway, centre, failover=["spare"])
    service = gateway.client().messaging.v1.services.create(friendly_name="Later")
    service.phone_numbers.create(phone_number_sid=gateway.sender(NUMBER))
    at = gateway.world.clock.now() + timedelta(minutes=10)
    sid = gateway.client().messages.create(
        to=ANN, messaging_service_sid=service.sid, body="Later", schedule_type="fixed", send_at=at
    ).sid
    if paused:
        gateway.http.post("/api/v1/carriers/main/pause")
    else:
        gateway.run(centre.stop())
    eventually(lambda: see(gateway, "main")["link"]["status"] == ("paused" if paused else "down"))
    soon = gateway.world.clock.now() + timedelta(seconds=1)  # its time is never put into the past
    gateway.run(gateway.world.store.write(lambda tx: tx.jobs.requeue(sid, soon, tried=False), account=gateway.account_sid))
    ends(gateway, str(sid), "delivered")
    assert ["Later"] == second.texts()


def test_a_message_stands_behind_what_waits_for_the_same_person_elsewhere(
    gateway: Gateway, centre: Centre, second: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "DOWN_SECONDS", 0.5)
    monkeypatch.setattr(runner, "LOOK_SECONDS", 0.1)
    add(gateway, second, name="spare", senders=(OTHER,))
    add(gateway, centre)
    gateway.run(centre.stop())
    eventually(lambda: gateway.http.get("/api/v1/carriers/main").json()["link"]["status"] == "down")
    first = send(gateway, "one")
    gateway.http.patch("/api/v1/carriers/main", json={"failover": ["spare"]})
    eventually(lambda: gateway.http.get("/api/v1/carriers/main").json()["link"]["status"] == "down")
    second_sid = send(gateway, "two")
    ends(gateway, second_sid, "delivered")
    ends(gateway, first, "delivered")
    assert ["one", "two"] == second.texts()


def test_without_another_connection_a_message_waits(
    gateway: Gateway, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "DOWN_SECONDS", 0.2)
    add(gateway, centre)
    gateway.run(centre.stop())
    sid = send(gateway)
    gateway.run(asyncio.sleep(0.5))
    assert "queued" == stays(gateway, sid)
    gateway.run(centre.start())
    ends(gateway, sid, "delivered")


def test_stop_start_stop_within_seconds_are_three_texts(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre)
    for word in ("STOP", "START", "STOP"):
        assert 0 == centre.hear(word)
    with pytest.raises(Exception, match=r"21610|unsubscribed"):
        send(gateway, "after")
    eventually(lambda: len(centre.submissions) == 3)


def test_the_same_text_twice_within_seconds_is_a_carriers_repeat(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre)
    for _ in range(3):
        assert 0 == centre.hear("STOP")
    gateway.run(asyncio.sleep(0.3))
    assert 1 == len(centre.submissions)


def test_a_receipt_that_came_first_counts_where_the_answer_never_comes(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre, settings={"response_timeout": 0.5, "ambiguous": "retry"})
    centre.script(Silence(keep=True))
    sid = send(gateway)
    ends(gateway, sid, "delivered")
    assert (["accepted"], 1) == (attempts(gateway, sid), len(centre.submissions))


def test_an_early_receipt_is_not_taken_for_that_of_a_message_without_an_answer(gateway: Gateway, centre: Centre) -> None:
    add(gateway, centre, settings={"response_timeout": 0.2})
    centre.script(Silence(), Accept(reports=Reports(when=When.BEFORE), delay_seconds=0.1))
    unanswered = send(gateway, "one")
    eventually(lambda: attempts(gateway, unanswered) == ["unknown"])
    ends(gateway, send(gateway, "two"), "delivered")
    assert ["unknown"] == attempts(gateway, unanswered)


@pytest.mark.parametrize("late", [False, True], ids=["at once", "in its receipt"])
def test_an_opt_out_that_the_carrier_tells_becomes_a_block(gateway: Gateway, centre: Centre, late: bool) -> None:
    add(gateway, centre, settings={"statuses": {"0x400": "opted_out"}, "errors": {"088": 21610}})
    centre.script(Accept(reports=Reports(state=MessageState.UNDELIVERABLE, error="088")) if late else Reject(status=0x400))
    ends(gateway, send(gateway), "undelivered" if late else "failed")
    (block,) = gateway.http.get("/api/v1/blocks", params={"recipient": ANN}).json()["items"]
    assert "carrier" == block["reason"]
