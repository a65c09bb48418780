"""Changes of configuration: what they set, what they refuse, and that none makes an opted-out person reachable."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from stopwire.core.address import SenderKind
from stopwire.core.orders import Order
from stopwire.core.policy import standard_policy, to_data
from stopwire.core.senders import Sender, Service, joined, left
from stopwire.flows import account as accounts
from stopwire.flows import configure, numbers, send
from stopwire.flows.configure import ServiceChange
from stopwire.flows.numbers import SenderChange
from tests.gateway import Gateway

_people = count()
_lines = count()


def a_person() -> str:
    return f"+1303555{next(_people) + 1000:04}"


def a_service(gateway: Gateway, **settings: Any) -> Service:
    change = ServiceChange(**{"friendly_name": "Mine", **settings})
    made = gateway.run(
        configure.create_service(gateway.world, account=gateway.account_sid, change=change, actor="test")
    ).service
    assert made is not None
    return made


def a_number(gateway: Gateway, service: str | None = None) -> Sender:
    number = f"+1206555{next(_lines) + 2000:04}"
    bought = gateway.run(numbers.buy(gateway.world, account=gateway.account_sid, number=number)).sender
    assert bought is not None
    if service:
        assert_joins(gateway, bought.sid, service)
    return bought


def assert_joins(gateway: Gateway, sender: str, service: str, *, move: bool = False) -> Sender:
    changed = gateway.run(
        configure.join(gateway.world, account=gateway.account_sid, service=service, sender=sender, move=move)
    )
    assert changed.sender is not None, changed
    return changed.sender


def leave(gateway: Gateway, sender: str, service: str) -> None:
    gateway.run(configure.leave(gateway.world, account=gateway.account_sid, service=service, sender=sender))


def delete(gateway: Gateway, service: str) -> None:
    gateway.run(configure.delete_service(gateway.world, account=gateway.account_sid, service=service))


def says(gateway: Gateway, person: str, body: str, *, to: str) -> None:
    gateway.run(gateway.world.phones.text(gateway.account_sid, person, to, body))


def answer_to(gateway: Gateway, person: str, **order: Any) -> int | None:
    """The code a send to `person` is refused with; None where it is taken."""
    sent = gateway.run(
        send.send(gateway.world, account=gateway.account_sid, orders=[Order(to=person, body="hello", **order)])
    )
    refused = sent.receipts[0].refused
    return refused.code if refused else None


def put_policy(gateway: Gateway, service: str, **more: Any) -> configure.PolicySaved:
    policy = {**to_data(standard_policy()), **more.pop("policy", {})}
    return gateway.run(
        configure.put_policy(
            gateway.world, account=gateway.account_sid, service=service, policy=policy, actor="test", **more
        )
    )


def leaves(gateway: Gateway, sender: Sender, service: Service) -> None:
    leave(gateway, sender.sid, service.sid)


def moves(gateway: Gateway, sender: Sender, service: Service) -> None:
    assert_joins(gateway, sender.sid, a_service(gateway).sid, move=True)


def leaves_and_joins_another(gateway: Gateway, sender: Sender, service: Service) -> None:
    leave(gateway, sender.sid, service.sid)
    assert_joins(gateway, sender.sid, a_service(gateway).sid)


def service_goes(gateway: Gateway, sender: Sender, service: Service) -> None:
    delete(gateway, service.sid)


def two_services_go(gateway: Gateway, sender: Sender, service: Service) -> None:
    second = a_service(gateway)
    assert_joins(gateway, sender.sid, second.sid, move=True)
    delete(gateway, service.sid)
    delete(gateway, second.sid)


def advanced_opt_out_goes_off(gateway: Gateway, sender: Sender, service: Service) -> None:
    put_policy(gateway, service.sid, policy={"enabled": True})
    put_policy(gateway, service.sid, policy={"enabled": False})


def number_is_bought_again(gateway: Gateway, sender: Sender, service: Service) -> None:
    gateway.run(numbers.release(gateway.world, account=gateway.account_sid, sender=sender.sid))
    again = gateway.run(numbers.buy(gateway.world, account=gateway.account_sid, number=sender.address))
    assert again.sender is not None
    assert again.sender.sid != sender.sid


def number_is_bought_again_twice(gateway: Gateway, sender: Sender, service: Service) -> None:
    number_is_bought_again(gateway, sender, service)
    again = gateway.run(gateway.world.store.directory(gateway.account_sid)).sender_at(sender.address)
    assert again is not None
    number_is_bought_again(gateway, again, service)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(change, id=change.__name__)
        for change in (
            leaves,
            moves,
            leaves_and_joins_another,
            service_goes,
            two_services_go,
            advanced_opt_out_goes_off,
            number_is_bought_again,
            number_is_bought_again_twice,
        )
    ],
)
def test_no_change_makes_an_opted_out_person_reachable(
    gateway: Gateway, change: Callable[[Gateway, Sender, Service], None]
) -> None:
    person, service = a_person(), a_service(gateway)
    sender = a_number(gateway, service.sid)
    says(gateway, person, "STOP", to=sender.address)
    assert answer_to(gateway, person, from_=sender.address) == 21610

    change(gateway, sender, service)

    assert answer_to(gateway, person, from_=sender.address) == 21610
    now = gateway.run(gateway.world.store.directory(gateway.account_sid)).sender_at(sender.address)
    if now and now.service:
        assert answer_to(gateway, person, service=now.service) == 21610
    says(gateway, person, "START", to=sender.address)
    assert answer_to(gateway, person, from_=sender.address) is None


def test_a_number_alone_keeps_its_own_blocks_when_it_joins_a_service(gateway: Gateway) -> None:
    person, sender, service = a_person(), a_number(gateway), a_service(gateway)
    says(gateway, person, "STOP", to=sender.address)
    assert_joins(gateway, sender.sid, service.sid)
    assert answer_to(gateway, person, from_=sender.address) == 21610
    assert answer_to(gateway, person, service=service.sid) == 21610


def test_another_account_that_gets_the_number_starts_afresh(gateway: Gateway) -> None:
    person, sender = a_person(), a_number(gateway)
    says(gateway, person, "STOP", to=sender.address)
    gateway.run(numbers.release(gateway.world, account=gateway.account_sid, sender=sender.sid))
    other, _ = gateway.account()
    bought = gateway.run(numbers.buy(gateway.world, account=other, number=sender.address)).sender
    assert bought is not None
    assert () == bought.inherited


def test_a_name_added_again_answers_to_the_service_it_was_in(gateway: Gateway) -> None:
    service, world = a_service(gateway), gateway.world
    add = configure.add_alpha(world, account=gateway.account_sid, service=service.sid, name="ACME")
    name = gateway.run(add).sender
    assert name is not None
    delete(gateway, service.sid)
    again = configure.add_alpha(world, account=gateway.account_sid, service=a_service(gateway).sid, name="ACME")
    sender = gateway.run(again).sender
    assert sender is not None
    assert service.sid in sender.inherited


def test_many_accounts_may_sign_with_one_name(gateway: Gateway) -> None:
    for account in (gateway.account_sid, gateway.account()[0]):
        change = ServiceChange(friendly_name="Names")
        service = gateway.run(
            configure.create_service(gateway.world, account=account, change=change, actor="test")
        ).service
        assert service is not None
        added = gateway.run(configure.add_alpha(gateway.world, account=account, service=service.sid, name="INFO"))
        assert added.sender is not None, added


def test_who_a_sender_spoke_to_is_forgotten_when_it_leaves(gateway: Gateway) -> None:
    person, service = a_person(), a_service(gateway)
    sender = a_number(gateway, service.sid)
    assert answer_to(gateway, person, service=service.sid) is None

    def known() -> str | None:
        return gateway.run(
            gateway.world.store.read(lambda tx: tx.services.sticky(service.sid, person), account=gateway.account_sid)
        )

    assert sender.sid == known()
    leave(gateway, sender.sid, service.sid)
    assert known() is None


def test_a_sender_in_two_services_after_another_answers_to_all(gateway: Gateway) -> None:
    sender = a_number(gateway)
    now = sender.created_at
    first = joined(sender, "MG1", now=now)
    second = joined(first, "MG2", now=now)
    out = left(second, now=now)
    assert (None, ("MG1", "MG2")) == (out.service, out.inherited)
    assert out == left(out, now=now)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"friendly_name": "n" * 65}, 20002, id="name over 64 characters"),
        pytest.param({"friendly_name": ""}, 20001, id="no name"),
        pytest.param({"inbound_request_url": "ftp://example.com"}, 21402, id="no web URL"),
        pytest.param({"fallback_url": "https://exam_ple.com"}, 21402, id="underscore in the host"),
        pytest.param({"inbound_request_url": "http://10.0.0.1/sms"}, 21402, id="private target"),
        pytest.param({"status_callback": "http://169.254.169.254/"}, 21609, id="private status callback"),
        pytest.param({"inbound_method": "PUT"}, 21403, id="neither GET nor POST"),
        pytest.param({"validity_period": 36001}, 21624, id="validity over ten hours"),
        pytest.param({"usecase": "spam"}, 21713, id="unknown use case"),
        pytest.param({"scan_message_content": "maybe"}, 20422, id="unknown choice"),
    ],
)
def test_a_service_is_not_set_to_what_cannot_be(gateway: Gateway, change: dict[str, Any], code: int) -> None:
    service = a_service(gateway)
    changed = gateway.run(
        configure.update_service(
            gateway.world, account=gateway.account_sid, service=service.sid, change=ServiceChange(**change)
        )
    )
    assert changed.refused is not None
    assert code == changed.refused.code
    assert service == gateway.run(gateway.world.store.directory(gateway.account_sid)).services[service.sid]


def test_a_private_target_is_refused_with_a_sentence(gateway: Gateway) -> None:
    changed = gateway.run(
        configure.create_service(
            gateway.world,
            account=gateway.account_sid,
            change=ServiceChange(friendly_name="Mine", inbound_request_url="http://10.0.0.1/sms"),
            actor="test",
        )
    )
    assert changed.refused is not None
    assert 400 == changed.refused.status
    assert "10.0.0.1 is a private address" in changed.refused.message


def test_a_pool_has_room_for_so_many(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configure, "MEMBERS_MAX", 1)
    service = a_service(gateway)
    a_number(gateway, service.sid)
    more = a_number(gateway)
    refused = gateway.run(
        configure.join(gateway.world, account=gateway.account_sid, service=service.sid, sender=more.sid)
    ).refused
    assert refused is not None
    assert 21714 == refused.code


def test_only_senders_of_the_kind_are_found(gateway: Gateway) -> None:
    service, sender = a_service(gateway), a_number(gateway)
    joining = configure.join(
        gateway.world,
        account=gateway.account_sid,
        service=service.sid,
        sender=sender.sid,
        kinds=(SenderKind.SHORT_CODE,),
    )
    assert configure.MemberChanged() == gateway.run(joining)


def test_each_save_of_a_policy_is_a_version(gateway: Gateway) -> None:
    service = a_service(gateway)
    saved = put_policy(gateway, service.sid, policy={"enabled": True}, expected=1, note="on")
    assert saved.service is not None
    assert 2 == saved.service.policy_version
    assert saved.service.policy.enabled
    versions = gateway.run(
        gateway.world.store.read(lambda tx: tx.services.policies(service.sid), account=gateway.account_sid)
    )
    assert [(2, "test", "on"), (1, "test", None)] == [(each.version, each.actor, each.note) for each in versions]


def test_a_policy_that_somebody_changed_meanwhile_is_not_overwritten(gateway: Gateway) -> None:
    service = a_service(gateway)
    put_policy(gateway, service.sid, policy={"enabled": True})
    saved = put_policy(gateway, service.sid, policy={"enabled": False}, expected=1)
    assert saved.stale
    assert saved.service is not None
    assert 2 == saved.service.policy_version


def test_a_policy_that_makes_no_sense_is_not_saved(gateway: Gateway) -> None:
    service = a_service(gateway)
    saved = put_policy(gateway, service.sid, policy={"standard": {"stop": {"keywords": ["STOP"], "reply": "x" * 321}}})
    assert saved.service is None
    assert "standard.stop.reply" in {problem.path for problem in saved.problems}
    assert put_policy(gateway, service.sid, policy={"matching": 7}).problems


def test_an_old_policy_comes_back_as_a_new_version(gateway: Gateway) -> None:
    service = a_service(gateway)
    put_policy(gateway, service.sid, policy={"enabled": True})
    back = gateway.run(
        configure.rollback(gateway.world, account=gateway.account_sid, service=service.sid, version=1, actor="test")
    )
    assert back.service is not None
    assert 3 == back.service.policy_version
    assert not back.service.policy.enabled
    missing = configure.rollback(
        gateway.world, account=gateway.account_sid, service=service.sid, version=99, actor="test"
    )
    assert configure.PolicySaved() == gateway.run(missing)


@pytest.mark.parametrize(
    ("number", "area_code", "code"),
    [
        pytest.param("+141", "", 21421, id="no phone number"),
        pytest.param("ACME", "", 21421, id="a name"),
        pytest.param("+14155550100", "", 21422, id="taken"),
        pytest.param("", "533", 21452, id="an area code without numbers"),
        pytest.param("", "x", 21452, id="no area code"),
        pytest.param("", "", 20001, id="neither"),
    ],
)
def test_a_number_that_cannot_be_had(gateway: Gateway, number: str, area_code: str, code: int) -> None:
    bought = gateway.run(
        numbers.buy(gateway.world, account=gateway.account_sid, number=number, area_code=area_code)
    )
    assert bought.refused is not None
    assert code == bought.refused.code


def test_an_area_code_gives_its_first_free_number(gateway: Gateway) -> None:
    bought = [gateway.run(numbers.buy(gateway.world, account=gateway.account_sid, area_code="808")) for _ in range(2)]
    assert ["+18085550100", "+18085550101"] == [each.sender.address for each in bought if each.sender]


@pytest.mark.parametrize(
    ("address", "prefix", "kind"),
    [
        pytest.param("54321", "SC", SenderKind.SHORT_CODE, id="short code"),
        pytest.param("whatsapp:+14155550177", "XE", SenderKind.WHATSAPP, id="WhatsApp"),
        pytest.param("rcs:brand", "XE", SenderKind.RCS, id="RCS"),
        pytest.param("+18665550177", "PN", SenderKind.TOLL_FREE, id="toll-free"),
    ],
)
def test_any_kind_of_sender_can_be_added_once(gateway: Gateway, address: str, prefix: str, kind: SenderKind) -> None:
    once, twice = (
        gateway.run(numbers.add_sender(gateway.world, account=gateway.account_sid, address=address)) for _ in range(2)
    )
    assert once.sender is not None
    assert (prefix, kind) == (once.sender.sid[:2], once.sender.kind)
    assert twice.refused is not None
    assert 21422 == twice.refused.code


def test_a_fallback_needs_something_to_fall_back_from(gateway: Gateway) -> None:
    sender = a_number(gateway)
    change = SenderChange(sms_fallback_url="https://example.com/fallback")
    changed = gateway.run(
        numbers.update_sender(gateway.world, account=gateway.account_sid, sender=sender.sid, change=change)
    )
    assert changed.refused is not None
    assert 21406 == changed.refused.code


def test_what_was_set_on_a_sender_can_be_reset(gateway: Gateway) -> None:
    sender = a_number(gateway)

    def update(change: SenderChange) -> Sender:
        updating = numbers.update_sender(gateway.world, account=gateway.account_sid, sender=sender.sid, change=change)
        changed = gateway.run(updating).sender
        assert changed is not None
        return changed

    changed = update(SenderChange(default_opt_out=False, mps=2.0, friendly_name="Front desk"))
    assert (False, 2.0, "Front desk") == (changed.default_opt_out, changed.mps, changed.friendly_name)
    reset = update(SenderChange(reset=("default_opt_out", "mps"), friendly_name=""))
    assert (None, None, sender.friendly_name) == (reset.default_opt_out, reset.mps, reset.friendly_name)


def test_account_settings_are_checked_before_any_is_changed(gateway: Gateway) -> None:
    account, _ = gateway.account()

    def change(**changes: Any) -> accounts.AccountChanged:
        return gateway.run(accounts.change_account(gateway.world, account=account, changes=changes))

    wrong = change(opt_out_scope="account", media_auth="maybe", colour="red")
    assert {"media_auth", "colour"} == {problem.path for problem in wrong.problems}
    assert "holder" == gateway.run(gateway.world.store.directory(account)).account.settings.opt_out_scope
    right = change(opt_out_scope="account", friendly_name="Renamed", allow_private_webhooks=None)
    assert right.account is not None
    assert ("account", "Renamed") == (right.account.settings.opt_out_scope, right.account.friendly_name)


def test_a_copy_has_the_settings_and_the_words_of_its_model_and_begins_at_version_one(gateway: Gateway) -> None:
    model = a_service(gateway, friendly_name="Model", validity_period=60, inbound_request_url="", use_inbound_webhook_on_number=False)
    gateway.run(
        configure.put_policy(
            gateway.world, account=gateway.account_sid, service=model.sid, policy=to_data(replace(model.policy, enabled=True)), actor="test"
        )
    )
    change = ServiceChange(friendly_name="Copy", inbound_request_url="")
    made = gateway.run(
        configure.create_service(gateway.world, account=gateway.account_sid, change=change, actor="test", like=model.sid)
    ).service
    assert made is not None
    assert ("Copy", 60, False, True, 1) == (
        made.friendly_name, made.validity_period, made.use_inbound_webhook_on_number, made.policy.enabled, made.policy_version,
    )  # fmt: skip
    nothing = configure.create_service(gateway.world, account=gateway.account_sid, change=change, actor="test", like="MG" + "0" * 32)
    assert configure.ServiceChanged() == gateway.run(nothing)
