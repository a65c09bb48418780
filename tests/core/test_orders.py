"""What an order must pass, in which order, and what becomes of one that passes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.core.errors import Refused
from stopwire.core.orders import Draft, Order, bad_url, check, parse_instant
from stopwire.core.senders import Directory, Service
from tests.core.samples import ALPHA, LONG, MG, NOW, PERSON, RCS, SERVICE, SHORT, WHATSAPP, directory, member, sender

EMPTY = replace(SERVICE, sid="MG" + "5" * 32)
MEXICAN = sender("+525555550100")
NO_MMS = sender("+14155550177", mms=False)
MEMBER = member(sender("+14155550111"))
OURS = directory(LONG, SHORT, ALPHA, WHATSAPP, RCS, MEXICAN, NO_MMS, MEMBER, services=(SERVICE, EMPTY))
GOOD = Order(to=PERSON, from_=LONG.address, body="Hello")
LATER = (NOW + timedelta(hours=1)).isoformat()


def asked(order: Order, directory: Directory = OURS) -> Draft | Refused:
    return check(order, directory, now=NOW, url_problem=lambda url: "private" if "10.0.0.1" in url else None)


def code(order: Order) -> int | None:
    found = asked(order)
    return found.code if isinstance(found, Refused) else None


# Each step mends one fault of the order before it: the first fault that is left decides.
MENDED = [
    ({}, 21604),
    ({"to": "nobody"}, 21603),
    ({"from_": "+19999"}, 21602),
    ({"body": "x" * 1601, "media": ("ftp://x",) * 11}, 21617),
    ({"body": "x"}, 21620),
    ({"media": ("https://x.example.com/a.png",) * 11}, 21623),
    ({"media": ("https://x.example.com/a.png",)}, 21609),
    ({"status_callback": "https://app.example.com/"}, 21624),
    ({"validity_period": "60"}, 30029),
    ({"content_retention": "discard"}, 30030),
    ({"address_retention": "retain"}, 21654),
    ({"content_variables": None}, 20422),
    ({"message_intent": "otp", "service": "MG12"}, 21705),
    ({"service": "MG" + "6" * 32}, 21701),
    ({"service": EMPTY.sid}, 21704),
    ({"service": MG}, 21212),
    ({"from_": "+14155559999"}, 21659),
    ({"from_": NO_MMS.address}, 21711),
    ({"from_": NO_MMS.address, "service": ""}, 21621),
    ({"from_": LONG.address}, 21211),
    ({"to": LONG.address}, 21266),
    ({"to": "whatsapp:+14155550101"}, 21910),
    ({"to": PERSON}, 35126),
    ({"schedule_type": "fixed", "send_at": None}, 35111),
    ({"send_at": "soon"}, 35118),
    ({"from_": "", "service": MG}, 35114),
    ({"send_at": LATER}, None),
]  # fmt: skip
WRONG = Order(
    status_callback="http://10.0.0.1/",
    validity_period="0",
    content_retention="maybe",
    address_retention="maybe",
    content_variables="{}",
    message_intent="gossip",
    service="",
    schedule_type="daily",
    send_at=LATER,
)


def test_the_first_rule_that_fails_decides() -> None:
    order, seen = WRONG, []
    for changes, _ in MENDED:
        order = replace(order, **changes)  # type: ignore[arg-type]  # fields of an order, by name
        seen.append(code(order))
    assert [expected for _, expected in MENDED] == seen


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, None, id="a good order"),
        pytest.param({"to": "   "}, 21604, id="blanks are nobody"),
        pytest.param({"from_": "", "service": MG, "body": ""}, 21619, id="nothing to say through a service"),
        pytest.param({"body": "", "media": ("https://x.example.com/a.png",)}, None, id="a picture says enough"),
        pytest.param({"body": "😀" * 800}, None, id="1600 UTF-16 units"),
        pytest.param({"body": "😀" * 801}, 21617, id="1602 UTF-16 units"),
        pytest.param({"status_callback": "https://my_app.example.com"}, 21609, id="an underscore in the host"),
        pytest.param({"validity_period": "36001"}, 21624, id="too long a validity"),
        pytest.param({"validity_period": "１０"}, 21624, id="digits of another script"),
        pytest.param({"content_sid": "HX" + "1" * 32}, 21655, id="no templates here"),
        pytest.param({"risk_check": "never"}, 20422, id="no such check"),
        pytest.param({"fallback_from": LONG.address}, 21664, id="a fallback beside a fixed sender"),
        pytest.param({"from_": "", "service": MG, "fallback_from": LONG.address}, 21667, id="a fallback without RCS"),
        pytest.param({"options": {"Tags": "[]"}}, 20422, id="tags that are no object"),
        pytest.param({"options": {"Tags": '{"a":"b"}'}}, None, id="tags"),
        pytest.param({"from_": MG}, None, id="a service where a sender stands"),
        pytest.param({"from_": "MG" + "4" * 32}, 21701, id="a service that there is not"),
        pytest.param({"from_": "MGM Grand"}, 21659, id="a name that begins with MG"),
        pytest.param({"from_": MEMBER.address, "service": MG}, None, id="a member of the service"),
        pytest.param({"from_": LONG.address, "service": MG}, 21711, id="no member of it"),
        pytest.param({"from_": "ACME"}, 21612, id="a name cannot reach North America"),
        pytest.param({"from_": "ACME", "to": "+447700900101"}, None, id="a name abroad"),
        pytest.param({"from_": WHATSAPP.address}, 21910, id="WhatsApp to a number"),
        pytest.param({"from_": WHATSAPP.address, "to": "whatsapp:+14155550101"}, None, id="WhatsApp to WhatsApp"),
        pytest.param({"from_": WHATSAPP.address, "to": "messenger:ann"}, 21910, id="WhatsApp to Messenger"),
        pytest.param({"to": "messenger:ann"}, 21910, id="a number to Messenger"),
        pytest.param({"from_": RCS.address}, None, id="RCS to a number"),
        pytest.param({"to": "rcs:+14155550101"}, 21910, id="RCS wanted from a sender without"),
        pytest.param({"send_at": LATER}, 35126, id="a time without a schedule"),
        pytest.param({"from_": "ACMF", "service": MG}, 21709, id="a name that the service has not"),
        pytest.param({"from_": "ACME", "service": MG}, 21709, id="a name that is no member of the service"),
        pytest.param({"from_": SHORT.address}, None, id="a short code in its country"),
        pytest.param({"from_": SHORT.address, "to": "+447700900101"}, 21659, id="a short code abroad"),
    ],
)
def test_each_rule(changes: dict[str, object], expected: int | None) -> None:
    assert expected == code(replace(GOOD, **changes))  # type: ignore[arg-type]  # fields of an order, by name


LANDLINE = "+493023125000"


@pytest.mark.parametrize(
    ("settings", "changes", "expected"),
    [
        pytest.param({"countries": ("CA", "US")}, {}, None, id="a country on the list"),
        pytest.param({"countries": ("CA",)}, {}, 21408, id="a country that is not"),
        pytest.param({"countries": ("CA",)}, {"from_": "", "service": MG}, 21408, id="through a service"),
        pytest.param({"countries": ("CA",)}, {"to": LONG.address}, 21266, id="to itself is told first"),
        pytest.param({"countries": ("CA",)}, {"from_": "ACME"}, 21408, id="before what a name cannot reach"),
        pytest.param({}, {"to": LANDLINE}, None, id="a landline, where nothing is set"),
        pytest.param({"landlines": "refuse"}, {"to": LANDLINE}, 21635, id="a landline"),
        pytest.param({"landlines": "refuse"}, {"to": LANDLINE, "from_": "", "service": MG}, 21635, id="a landline through a service"),
        pytest.param({"landlines": "refuse"}, {"to": LANDLINE, "options": {"ForceDelivery": "True"}}, None, id="a landline by force"),
        pytest.param({"landlines": "refuse"}, {"to": "+4915112345678"}, None, id="a mobile number"),
        pytest.param({"landlines": "refuse"}, {}, None, id="in the US a number may be either"),
        pytest.param({"landlines": "refuse"}, {"to": "+442079460101"}, None, id="in the UK landlines may take texts"),
    ],
)
def test_what_an_account_does_not_permit_is_refused(
    settings: dict[str, object], changes: dict[str, object], expected: int | None
) -> None:
    chosen = replace(OURS.account.settings, **settings)  # type: ignore[arg-type]  # settings by their names
    ours = replace(OURS, account=replace(OURS.account, settings=chosen))
    found = asked(replace(GOOD, **changes), ours)  # type: ignore[arg-type]  # fields of an order, by name
    assert expected == (found.code if isinstance(found, Refused) else None)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(timedelta(seconds=299), 35114, id="just too soon"),
        pytest.param(timedelta(seconds=300), None, id="soonest"),
        pytest.param(timedelta(seconds=3_024_000), None, id="latest"),
        pytest.param(timedelta(seconds=3_024_001), 35114, id="just too late"),
    ],
)
def test_a_schedule_has_a_window(after: timedelta, expected: int | None) -> None:
    at = (NOW + after).isoformat()
    assert expected == code(Order(to=PERSON, service=MG, body="x", schedule_type="fixed", send_at=at))


@pytest.mark.parametrize(
    ("to", "from_", "expected"),
    [
        pytest.param("+1 (415) 555-0101", LONG.address, "+14155550101", id="punctuation"),
        pytest.param("4155550101", LONG.address, "+14155550101", id="as the sender's country writes it"),
        pytest.param("5555550101", MEXICAN.address, "+525555550101", id="as Mexico writes it"),
        pytest.param("WhatsApp:+14155550101", WHATSAPP.address, "whatsapp:+14155550101", id="a prefix in capitals"),
        pytest.param("rcs:+14155550101", RCS.address, "+14155550101", id="behind rcs: is the same person"),
    ],
)
def test_a_recipient_has_one_spelling(to: str, from_: str, expected: str) -> None:
    found = asked(replace(GOOD, to=to, from_=from_))
    assert isinstance(found, Draft)
    assert expected == found.recipient


@pytest.mark.parametrize(
    ("service", "smart_encoded", "body"),
    [
        pytest.param(None, None, "“Hi”", id="alone: as written"),
        pytest.param(None, True, '"Hi"', id="asked for"),
        pytest.param(replace(SERVICE, smart_encoding=True), None, '"Hi"', id="the service's choice"),
        pytest.param(replace(SERVICE, smart_encoding=True), False, "“Hi”", id="asked not to"),
    ],
)
def test_smart_encoding_comes_before_counting(service: Service | None, smart_encoded: bool | None, body: str) -> None:
    known = directory(LONG, MEMBER, services=(service,) if service else (SERVICE,))
    order = Order(to=PERSON, from_=MEMBER.address, service=MG if service else "", body="“Hi”", smart_encoded=smart_encoded)
    found = asked(order, known)
    assert isinstance(found, Draft)
    assert body == found.body


def test_a_draft_takes_from_its_service_what_the_order_leaves_out() -> None:
    service = replace(SERVICE, status_callback="https://service.example.com/", validity_period=600)
    found = asked(Order(to=PERSON, service=MG, body="x"), directory(MEMBER, services=(service,)))
    own = asked(
        Order(to=PERSON, service=MG, body="x", status_callback="https://own.example.com/", validity_period="60"),
        directory(MEMBER, services=(service,)),
    )
    assert isinstance(found, Draft)
    assert isinstance(own, Draft)
    assert ("https://service.example.com/", timedelta(seconds=600)) == (found.status_callback, found.validity)
    assert ("https://own.example.com/", timedelta(seconds=60)) == (own.status_callback, own.validity)


@given(
    st.builds(
        Order,
        to=st.text(max_size=40),
        from_=st.text(max_size=40) | st.sampled_from([LONG.address, MG, "ACME"]),
        service=st.text(max_size=40) | st.just(MG),
        body=st.text(max_size=1700),
        status_callback=st.text(max_size=50) | st.just("http://[::1"),
        validity_period=st.none() | st.text(max_size=9),
        schedule_type=st.none() | st.just("fixed"),
        send_at=st.none() | st.text(max_size=30) | st.just("9999-12-31T23:59:59-23:59"),
    )
)
def test_any_order_is_a_draft_or_a_refusal(order: Order) -> None:
    assert isinstance(asked(order), Draft | Refused)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), id="UTC"),
        pytest.param("2026-01-02T03:04:05+02:00", datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC), id="another zone"),
        pytest.param("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), id="no zone"),
        pytest.param("tomorrow", None, id="a word"),
        pytest.param("0001-01-01T00:00:00+10:00", None, id="before the calendar"),
    ],
)
def test_instants_are_read_as_utc(text: str, expected: datetime | None) -> None:
    assert expected == parse_instant(text)


@pytest.mark.parametrize(
    ("url", "bad"),
    [
        ("https://app.example.com/x?y#rc=2", False),
        ("http://localhost:8080", False),
        ("ftp://app.example.com", True),
        ("https://", True),
        ("https://a_b.example.com", True),
        ("https://x.example.com:99999", True),
        ("http://[::1", True),
        ("https://x.example.com/" + "y" * 4000, True),
    ],
)
def test_a_webhook_url_can_be_told_from_nonsense(url: str, bad: bool) -> None:
    assert bad == bad_url(url)
