"""The block list as it is shown: newest first, with what went before, found by its last digits."""

from stopwire.core.address import ChannelGroup
from stopwire.flows import blocklist
from stopwire.flows.blocklist import BlockFilter, Listed
from stopwire.ports.store import Consent, Cut
from tests.gateway import Gateway

US = "+14155550100"


def shown(gateway: Gateway, cut: Cut | None = None, **wanted: object) -> list[Listed]:
    return gateway.run(
        blocklist.blocks(gateway.world, account=gateway.account_sid, wanted=BlockFilter(**wanted), cut=cut or Cut())  # type: ignore[arg-type]
    )


def test_each_block_has_its_event_and_the_text_before_it(gateway: Gateway) -> None:
    sent = gateway.client().messages.create(to="+14155557401", from_=US, body="Sale ends tonight")
    gateway.phone("+14155557401").wait()
    gateway.phone("+14155557401").text("stop.", to=US)
    (found,) = shown(gateway, ending="7401")
    assert found.event is not None
    assert (sent.sid, "Sale ends tonight", "stop.", "STOP") == (found.previous, found.previous_body, found.event.text, found.event.word)
    assert [found] == gateway.run(blocklist.named(gateway.world, account=gateway.account_sid, ids=[found.block.id, "BL" + "0" * 32]))
    gateway.phone("+14155557401").text("start", to=US)
    assert [] == gateway.run(blocklist.named(gateway.world, account=gateway.account_sid, ids=[found.block.id]))


def test_the_newest_stand_first_and_pages_go_both_ways(gateway: Gateway) -> None:
    people = [f"+1415555742{i}" for i in range(4)]
    for person in people:
        gateway.http.post("/api/v1/blocks", json={"recipient": person, "scope": gateway.account_sid})
    first = shown(gateway, Cut(limit=2), holder=gateway.account_sid)
    assert [people[3], people[2]] == [each.block.recipient for each in first]
    second = shown(gateway, Cut(limit=2, after=first[-1].block.id), holder=gateway.account_sid)
    assert [people[1], people[0]] == [each.block.recipient for each in second]
    assert first == shown(gateway, Cut(limit=2, before=second[0].block.id), holder=gateway.account_sid)


def test_filters_narrow_and_the_tally_counts(gateway: Gateway) -> None:
    for recipient, reason in (("+14155557431", "complaint"), ("whatsapp:+14155557432", "operator")):
        gateway.http.post("/api/v1/blocks", json={"recipient": recipient, "scope": gateway.service, "reason": reason})
    assert ["+14155557431"] == [each.block.recipient for each in shown(gateway, reason="complaint")]
    assert ["whatsapp:+14155557432"] == [each.block.recipient for each in shown(gateway, group=ChannelGroup.WHATSAPP)]
    assert [] == shown(gateway, ending="%")
    tally = gateway.run(gateway.house.read(gateway.account_sid, Consent.tally))
    assert (1, 1) == (tally["complaint"], tally["operator"])
    stranger, _ = gateway.account()
    assert [] == gateway.run(blocklist.blocks(gateway.world, account=stranger, wanted=BlockFilter(), cut=Cut()))
