"""Providers call a running gateway: what they push is checked, taken once, and acknowledged only when it is kept."""

from typing import Any

import httpx
import pytest
from twilio.request_validator import RequestValidator

from stopwire.core.connections import OptOutBy
from stopwire.core.consent import SealedEvent
from stopwire.core.jobs import Job
from stopwire.flows import connect
from stopwire.flows.connect import Wanted
from stopwire.ports.faults import StoreBusy
from stopwire.ports.store import Cut, Tx
from stopwire.workers import quarantine
from tests.gateway import Gateway

TOKEN = "t" * 32
SETTINGS = {"account_sid": "AC" + "1" * 32, "base_url": "http://127.0.0.1:9"}  # nobody answers there
NUMBER = "+14155550177"


class Upstream:
    """What Twilio would do: call the gateway, signed."""

    def __init__(self, gateway: Gateway, name: str, *, sender: str = NUMBER, token: str = TOKEN, **wanted: Any) -> None:
        self.gateway, self.name, self.sender, self.token = gateway, name, sender, token
        settings = SETTINGS | {"auth_token": token}
        made = gateway.run(
            connect.add(
                gateway.world,
                account=gateway.account_sid,
                type="twilio",
                wanted=Wanted(name=name, settings=settings, senders=(sender,), **wanted),
            )
        )
        assert () == made.problems
        assert made.seen is not None
        self.sid = made.seen.connection.sid

    def push(self, fields: dict[str, str], *, token: str | None = None, connection: str | None = None) -> httpx.Response:
        url = f"{self.gateway.url}/carriers/{connection or self.sid}/events"
        signature = RequestValidator(token or self.token).compute_signature(url, fields)
        return httpx.post(url, data=fields, headers={"X-Twilio-Signature": signature})

    def text(self, body: str, *, person: str, id: str, **more: str) -> httpx.Response:
        token = more.pop("token", None)
        return self.push({"MessageSid": id, "From": person, "To": self.sender, "Body": body} | more, token=token)

    def change(self, **wanted: Any) -> None:
        changed = self.gateway.run(
            connect.change(self.gateway.world, account=self.gateway.account_sid, name=self.name, wanted=Wanted(**wanted))
        )
        assert () == changed.problems


@pytest.fixture(scope="module")
def upstream(gateway: Gateway) -> Upstream:
    return Upstream(gateway, "upstream")


def ledger(gateway: Gateway, person: str) -> list[tuple[str, str | None]]:
    """What changed for a person, the oldest first."""

    def rows(tx: Tx) -> list[SealedEvent]:
        return tx.consent.events(Cut(), recipient=person)

    found = gateway.run(gateway.world.store.read(rows, account=gateway.account_sid))
    return [(row.event.act.value, row.event.reason.value if row.event.reason else None) for row in reversed(found)]


def replies(gateway: Gateway, person: str) -> list[str]:
    """Automatic replies that wait for the carrier, by their purpose."""

    def jobs(tx: Tx) -> list[Job]:
        return tx.jobs.of_recipient(person, states=("queued", "claimed", "written"))

    return [job.purpose.value for job in gateway.run(gateway.world.store.read(jobs, account=gateway.account_sid))]


def problems(gateway: Gateway, upstream: Upstream) -> list[str]:
    """Why each push of a connection that is kept apart was not taken."""
    kept = gateway.run(gateway.world.store.read(lambda tx: tx.pushes.of(upstream.sid, 10), account=gateway.account_sid))
    return [one.problem for one in kept]


def test_a_stop_is_taken_answered_with_twiml_and_blocks(upstream: Upstream, gateway: Gateway) -> None:
    person = "+14155557001"
    answer = upstream.text("STOP", person=person, id="SM7001")
    assert (200, "text/xml; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    assert [("opt_out", "keyword")] == ledger(gateway, person)
    assert ["keyword_reply"] == replies(gateway, person)


def test_the_same_push_again_changes_nothing(upstream: Upstream, gateway: Gateway) -> None:
    person = "+14155557002"
    for _ in range(3):
        assert 200 == upstream.text("STOP", person=person, id="SM7002").status_code
    assert [("opt_out", "keyword")] == ledger(gateway, person)


def test_a_connection_is_called_by_its_name_too(upstream: Upstream) -> None:
    fields = {"MessageSid": "SM7003", "From": "+14155557003", "To": NUMBER, "Body": "Hello"}
    assert 200 == upstream.push(fields, connection="upstream").status_code


def test_a_forged_push_is_refused_and_changes_nothing(upstream: Upstream, gateway: Gateway) -> None:
    person = "+14155557004"
    assert 403 == upstream.text("STOP", person=person, id="SM7004", token="forged").status_code
    assert [] == ledger(gateway, person)
    lines = gateway.world.carriers.log(upstream.sid)
    assert "refused" == lines[-1].event


def test_a_connection_that_is_not_there_takes_nothing(upstream: Upstream) -> None:
    fields = {"MessageSid": "SM7005"}
    assert 404 == upstream.push(fields, connection="nobody").status_code
    assert 404 == upstream.push(fields, connection="simulator").status_code


def test_a_large_push_is_not_read(upstream: Upstream, gateway: Gateway) -> None:
    assert 413 == httpx.post(f"{gateway.url}/carriers/{upstream.sid}/events", content=b"x" * 300_000).status_code


def test_a_provider_that_answers_itself_is_not_answered_twice(gateway: Gateway) -> None:
    primary = Upstream(gateway, "primary", sender="+14155550176", opt_out_by=OptOutBy.CARRIER)
    person = "+14155557006"
    assert 200 == primary.text("STOP", person=person, id="SM7006").status_code
    assert ([("opt_out", "keyword")], []) == (ledger(gateway, person), replies(gateway, person))
    assert 200 == primary.text("START", person=person, id="SM7007").status_code
    assert [("opt_out", "keyword"), ("opt_in", "keyword")] == ledger(gateway, person)
    assert [] == replies(gateway, person)


def test_a_keyword_that_the_provider_says_it_answered_is_not_answered_twice(upstream: Upstream, gateway: Gateway) -> None:
    person = "+14155557008"
    assert 200 == upstream.text("STOP", person=person, id="SM7008", OptOutType="STOP").status_code
    assert ([("opt_out", "keyword")], []) == (ledger(gateway, person), replies(gateway, person))


def test_nobodys_provider_speaks_for_somebody_elses_number(upstream: Upstream, gateway: Gateway) -> None:
    """A push through one account's connection to a sender of another account is acknowledged, and does nothing."""
    account, _ = gateway.account()
    theirs = "+14155550175"
    gateway.run(
        connect.add(
            gateway.world,
            account=account,
            type="twilio",
            wanted=Wanted(name="theirs", settings=SETTINGS | {"auth_token": TOKEN}, senders=(theirs,)),
        )
    )
    person = "+14155557009"
    fields = {"MessageSid": "SM7009", "From": person, "To": theirs, "Body": "STOP"}
    assert 200 == upstream.push(fields).status_code
    blocks = gateway.run(gateway.world.store.read(lambda tx: tx.consent.blocks_of_many([person]), account=account))
    assert {} == {recipient: found for recipient, found in blocks.items() if found}


def test_a_genuine_push_that_cannot_be_read_is_acknowledged_and_kept(gateway: Gateway) -> None:
    """It would be unreadable again: the provider need not bring it a second time, and somebody can look into it."""
    odd = Upstream(gateway, "odd", sender="+14155550171")
    assert 200 == odd.push({"Body": "STOP"}).status_code
    assert [True] == [problem.startswith("It cannot be read") for problem in problems(gateway, odd)]
    assert "unreadable" == gateway.world.carriers.log(odd.sid)[-1].event


def test_a_stop_to_a_number_that_is_no_sender_yet_is_kept_and_taken_once_it_is_one(gateway: Gateway) -> None:
    """The number was moved to the provider, and nobody has told us yet. The person said it once."""
    early = Upstream(gateway, "early", sender="+14155550170")
    person, moved = "+14155557016", "+14155550169"
    assert 200 == early.push({"MessageSid": "SM7016", "From": person, "To": moved, "Body": "STOP"}).status_code
    assert ([], 1) == (ledger(gateway, person), len(problems(gateway, early)))
    line = gateway.world.carriers.log(early.sid)[-1]
    assert ("no_sender", True) == (line.event, moved in line.says)
    early.change(paused=False)  # any change: it is looked at again, and kept
    assert (0, 1) == (gateway.run(quarantine.retry(gateway.world)), len(problems(gateway, early)))
    early.change(senders=(moved,))
    assert (1, []) == (gateway.run(quarantine.retry(gateway.world)), problems(gateway, early))
    assert [("opt_out", "keyword")] == ledger(gateway, person)


def test_a_paused_connection_still_hears(gateway: Gateway) -> None:
    paused = Upstream(gateway, "paused", sender="+14155550174", paused=True)
    person = "+14155557010"
    assert 200 == paused.text("STOP", person=person, id="SM7010").status_code
    assert [("opt_out", "keyword")] == ledger(gateway, person)


def test_what_a_wrong_secret_refused_is_taken_once_it_is_put_right(gateway: Gateway) -> None:
    wrong = Upstream(gateway, "wrong", sender="+14155550173", token="w" * 32)
    ann, bob = "+14155557011", "+14155557012"
    assert 403 == wrong.text("STOP", person=ann, id="SM7011", token=TOKEN).status_code
    assert 403 == wrong.text("STOP", person=bob, id="SM7012", token="forged").status_code
    assert 0 == gateway.run(quarantine.retry(gateway.world))
    wrong.change(settings={"auth_token": TOKEN})
    assert 1 == gateway.run(quarantine.retry(gateway.world))
    assert ([("opt_out", "keyword")], []) == (ledger(gateway, ann), ledger(gateway, bob))
    assert 0 == gateway.run(quarantine.retry(gateway.world))
    kept = gateway.run(gateway.world.store.read(lambda tx: tx.pushes.of(wrong.sid, 10), account=gateway.account_sid))
    assert 1 == len(kept)
    assert "STOP" not in kept[0].sealed


def test_a_start_of_before_a_newer_stop_does_not_lift_it_when_it_is_taken_late(gateway: Gateway) -> None:
    late = Upstream(gateway, "late", sender="+14155550172", token="w" * 32)
    person = "+14155557013"
    assert 403 == late.text("START", person=person, id="SM7013", token=TOKEN).status_code
    assert 200 == late.text("STOP", person=person, id="SM7014").status_code
    late.change(settings={"auth_token": TOKEN})
    gateway.run(quarantine.retry(gateway.world))
    assert [("opt_out", "keyword")] == [row for row in ledger(gateway, person) if row[0] in ("opt_out", "opt_in")]


def test_a_store_that_cannot_keep_it_makes_the_provider_come_again(
    upstream: Upstream, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise StoreBusy

    person = "+14155557015"
    with monkeypatch.context() as broken:
        broken.setattr(type(gateway.world.store), "write", full)
        answer = upstream.text("STOP", person=person, id="SM7015")
    assert (503, "5") == (answer.status_code, answer.headers["retry-after"])
    assert 200 == upstream.text("STOP", person=person, id="SM7015").status_code
    assert [("opt_out", "keyword")] == ledger(gateway, person)
