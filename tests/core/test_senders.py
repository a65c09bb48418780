"""Which sender speaks for a service, which scopes a sender answers to, and where an inbound message goes."""

from collections import Counter
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.core.senders import Sender, Service, Webhook, candidates, inbound_webhook, joined, left, scopes_of, select
from tests.core.samples import AC, MG, NOW, RCS, SERVICE, WHATSAPP, directory, home, sender

US, US_2 = sender("+14155550100", service=MG), sender("+12125550111", service=MG, joined=1)
TOLL_FREE, TOLL_FREE_2 = sender("+18885550100", service=MG), sender("+18665550100", service=MG, joined=1)
CA, CA_FREE = sender("+16045550100", service=MG), sender("+18335550100", service=MG, country="CA")
MX, GB = sender("+525555550100", service=MG), sender("+447700900100", service=MG)
SHORT, ALPHA = sender("72345", service=MG), sender("ACME", service=MG)
TO_US, TO_CA, TO_MX, TO_GB, TO_DE = "+14155550101", "+16045550101", "+525555550101", "+447700900101", "+4915123456789"
GEO = replace(SERVICE, area_code_geomatch=True)


@pytest.mark.parametrize(
    ("pool", "to", "expected"),
    [
        pytest.param([US, MX], TO_MX, [MX], id="the country comes first"),
        pytest.param([US, MX], TO_GB, [US], id="else a US number"),
        pytest.param([MX, GB], TO_DE, [MX, GB], id="else any"),
        pytest.param([US, SHORT], TO_US, [SHORT], id="a short code before a long code"),
        pytest.param([US, SHORT], TO_MX, [US], id="a short code stays in its country"),
        pytest.param([US, ALPHA], TO_US, [US], id="no names in the US"),
        pytest.param([GB, ALPHA], TO_GB, [ALPHA], id="a name before a long code where names are allowed"),
        pytest.param([US, SHORT, RCS], TO_US, [RCS], id="RCS before all"),
        pytest.param([US, TOLL_FREE], TO_US, [US, TOLL_FREE], id="toll-free beside long codes in the US"),
        pytest.param([TOLL_FREE, TOLL_FREE_2, US], TO_US, [TOLL_FREE, US], id="never more than one toll-free number"),
        pytest.param([CA, CA_FREE], TO_CA, [CA_FREE], id="toll-free before long codes in Canada"),
        pytest.param([US, WHATSAPP], "whatsapp:+14155550101", [WHATSAPP], id="WhatsApp only by WhatsApp"),
        pytest.param([WHATSAPP], TO_US, [], id="a WhatsApp sender sends no SMS"),
        pytest.param([US], "whatsapp:+14155550101", [], id="a number sends no WhatsApp"),
        pytest.param([US], "messenger:ann", [], id="a number sends no Messenger"),
        pytest.param([], TO_US, [], id="an empty pool"),
    ],
)
def test_channel_country_and_type_narrow_the_pool(pool: list[Sender], to: str, expected: list[Sender]) -> None:
    assert expected == candidates(pool, to, service=SERVICE, media=False)


@pytest.mark.parametrize(
    ("service", "to", "expected"),
    [
        pytest.param(SERVICE, "+12125550101", [US, US_2], id="off"),
        pytest.param(GEO, "+12125550101", [US_2], id="the same area"),
        pytest.param(GEO, "+16465550101", [US_2], id="an overlay of it"),
        pytest.param(GEO, "+13055550101", [US, US_2], id="another area: any"),
    ],
)
def test_the_area_code_narrows_where_the_service_wants_it(service: Service, to: str, expected: list[Sender]) -> None:
    assert expected == candidates([US, US_2], to, service=service, media=False)


def test_media_need_an_mms_sender_or_the_converter() -> None:
    plain = replace(US, mms=False)
    bare = replace(SERVICE, mms_converter=False)
    assert [plain, US_2] == candidates([plain, US_2], TO_US, service=SERVICE, media=True)
    assert [US_2] == candidates([plain, US_2], TO_US, service=bare, media=True)


@pytest.mark.parametrize(
    ("pool", "to", "sticky", "expected"),
    [
        pytest.param([US, US_2], TO_US, US_2, [US_2], id="the known sender alone"),
        pytest.param([US, SHORT], TO_US, US, [US], id="also where another type would come first"),
        pytest.param([US, MX], TO_MX, US, [MX], id="not once the person's country has a sender"),
        pytest.param([US], TO_US, US_2, [US], id="not once it has left the pool"),
        pytest.param([US, US_2], "whatsapp:+14155550101", US, [], id="not on another channel"),
    ],
)
def test_a_known_sender_stays_while_it_serves(pool: list[Sender], to: str, sticky: Sender, expected: list[Sender]) -> None:
    assert expected == candidates(pool, to, service=SERVICE, media=False, sticky=sticky.sid)


def test_a_known_sender_beats_the_area_code() -> None:
    assert [US] == candidates([US, US_2], "+12125550101", service=GEO, media=False, sticky=US.sid)


@given(size=st.integers(2, 6), rounds=st.integers(1, 5))
def test_turns_share_evenly(size: int, rounds: int) -> None:
    pool = [sender(f"+1415555010{n}", service=MG, joined=n) for n in range(size)]
    turns = count()
    chosen = Counter((select(pool, lambda: next(turns)) or US).address for _ in range(size * rounds))
    assert {s.address: rounds for s in pool} == chosen


def test_where_there_is_no_choice_nobodys_turn_is_used_up() -> None:
    def no_turn() -> int:
        raise AssertionError

    assert US == select([US], no_turn)
    assert select([], no_turn) is None


OLD, OLDER = "MG" + "8" * 32, "MG" + "7" * 32


@pytest.mark.parametrize(
    ("of", "named", "expected"),
    [
        pytest.param(replace(US, service=None), None, (US.sid, AC), id="alone"),
        pytest.param(US, None, (US.sid, MG, AC), id="in a service"),
        pytest.param(US, MG, (US.sid, MG, AC), id="its own service named: once"),
        pytest.param(replace(US, service=None), MG, (US.sid, MG, AC), id="a service named"),
        pytest.param(replace(US, inherited=(OLD, OLDER, MG)), None, (US.sid, MG, OLD, OLDER, AC), id="inherited, each once"),
    ],
)
def test_a_sender_answers_to_its_scopes(of: Sender, named: str | None, expected: tuple[str, ...]) -> None:
    assert expected == scopes_of(of, named, AC)


@given(moves=st.lists(st.sampled_from([MG, OLD, OLDER, None]), max_size=6))
def test_no_move_ever_loses_a_scope(moves: list[str | None]) -> None:
    now, held = sender("+14155550100"), set()
    for service in moves:
        now = joined(now, service, now=NOW) if service else left(now, now=NOW)
        held |= {service} - {None}
        assert held <= set(scopes_of(now, None, AC))


OWN, SHARED = Webhook(url="https://own.example.com"), "https://service.example.com"


@pytest.mark.parametrize(
    ("of", "service", "expected"),
    [
        pytest.param(replace(US, webhook=OWN), None, OWN.url, id="alone: its own"),
        pytest.param(replace(US, webhook=OWN), SERVICE, OWN.url, id="a service that leaves it to the number"),
        pytest.param(
            replace(US, webhook=OWN),
            replace(SERVICE, use_inbound_webhook_on_number=False, inbound_request_url=SHARED),
            SHARED,
            id="the service's",
        ),
        pytest.param(replace(US, webhook=OWN), replace(SERVICE, use_inbound_webhook_on_number=False), None, id="dropped"),
        pytest.param(US, SERVICE, "", id="nobody asked"),
        pytest.param(WHATSAPP, replace(SERVICE, inbound_request_url=SHARED), SHARED, id="a channel falls back to the service's"),
        pytest.param(replace(WHATSAPP, webhook=OWN), replace(SERVICE, inbound_request_url=SHARED), OWN.url, id="its own first"),
    ],
)
def test_an_inbound_message_goes_to_one_webhook(of: Sender, service: Service | None, expected: str | None) -> None:
    found = inbound_webhook(of, service)
    assert expected == (found.url if found else None)


def test_a_pool_keeps_the_order_in_which_senders_joined() -> None:
    pool = directory(US_2, US, replace(GB, service=None)).pool(MG)
    assert [US, US_2] == pool


def test_a_directory_finds_a_sender_and_its_home() -> None:
    found = directory(US, US_2)
    assert US_2 == found.sender_at(US_2.address)
    assert found.sender_at("+14155559999") is None
    assert home(US, SERVICE).service == found.home(US).service
