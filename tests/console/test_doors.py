"""Who gets in, what they may do, and that nobody else can make them do it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from stopwire.console.app import ROOMS
from stopwire.console.session import COOKIE
from stopwire.core.roles import Role
from stopwire.flows import own, visit
from stopwire.ports.store import People
from tests.gateway import Gateway

SAME = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Client:
    """A browser without a screen."""

    gateway: Gateway
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.gateway.url, follow_redirects=False, timeout=20)

    def link(self) -> str:
        return self.gateway.run(own.sign_in(self.gateway.world, account=self.gateway.account_sid))

    def by_link(self) -> "Client":
        assert 303 == self.http.get("/console/sign-in", params={"token": self.link()}).status_code
        return self

    def by_name(self, name: str, password: str = "correct horse battery") -> httpx.Response:
        return self.http.post("/console/sign-in", data={"name": name, "password": password}, headers=SAME)


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Client]:
    made = Client(gateway)
    yield made
    made.http.close()


def user_sid(gateway: Gateway, name: str) -> str:
    users = gateway.run(gateway.house.read(gateway.account_sid, People.users))
    return next(user.sid for user in users if user.name == name)


def test_a_link_signs_in_once(client: Client) -> None:
    token = client.link()
    first = client.http.get("/console/sign-in", params={"token": token})
    assert (303, "/console/") == (first.status_code, first.headers["location"])
    cookie = first.headers["set-cookie"]
    assert all(word in cookie for word in (COOKIE, "HttpOnly", "SameSite=lax", "Path=/console"))
    assert 200 == client.http.get("/console/").status_code
    again = httpx.get(f"{client.gateway.url}/console/sign-in", params={"token": token})
    assert 403 == again.status_code
    assert "already used or is older than 15 minutes" in again.text


def test_only_digests_of_tokens_are_kept(client: Client, gateway: Gateway) -> None:
    client.by_link()
    token = client.http.cookies[COOKIE]
    kept = (gateway.settings.data_dir / "stopwire.db").read_bytes()
    kept += b"".join(each.read_bytes() for each in gateway.settings.data_dir.glob("stopwire.db-wal"))
    assert token.encode() not in kept


@pytest.mark.parametrize("path", ["/console/", "/console/settings/audit?act=user", "/console/nothing-here"])
def test_a_stranger_is_led_to_sign_in_and_back(client: Client, path: str) -> None:
    answer = client.http.get(path)
    if "nothing" in path:
        assert 404 == answer.status_code
        assert "Sign in" in answer.text
        return
    assert 303 == answer.status_code
    assert answer.headers["location"].startswith("/console/sign-in?next=%2Fconsole")


@pytest.mark.parametrize("path", ["/console/settings/audit.json", "/console/settings/audit.csv", "/console/events"])
def test_a_stranger_gets_no_twin_and_no_event(client: Client, path: str) -> None:
    assert 401 == client.http.get(path).status_code


ELSEWHERE = ["https://evil.example/", "//evil.example/", "/console\\@evil.example", "/consolation", "javascript:alert(1)", "/console/\r\nX: y"]


@pytest.mark.parametrize("to", ELSEWHERE)
def test_sign_in_never_leads_elsewhere(client: Client, to: str) -> None:
    answer = client.http.get("/console/sign-in", params={"token": client.link(), "next": to})
    assert "/console/" == answer.headers["location"]


def test_every_page_has_the_headers(client: Client) -> None:
    client.by_link()
    for path in ("/console/", "/console/nope", "/console/settings/audit.json"):
        headers = client.http.get(path).headers
        assert "default-src 'none'; script-src 'self'" in headers["content-security-policy"]
        assert "require-trusted-types-for 'script'" in headers["content-security-policy"]
        assert ("nosniff", "no-referrer", "no-store") == tuple(
            headers[name] for name in ("x-content-type-options", "referrer-policy", "cache-control")
        )


def test_a_wrong_password_and_an_unknown_name_are_told_the_same(client: Client, person: Callable[..., str]) -> None:
    name = person("Wrong Password", Role.VIEWER)
    told = [client.by_name(name, "not it at all"), client.by_name("nobody at all", "not it at all")]
    assert [403, 403] == [each.status_code for each in told]
    assert told[0].text.replace(name, "") == told[1].text.replace("nobody at all", "")
    assert "The name or the password is not right." in told[0].text


def test_a_name_is_tried_ten_times_and_then_not_even_the_right_password_opens(client: Client, person: Callable[..., str]) -> None:
    name = person("Much Tried", Role.VIEWER)
    assert {403} == {client.by_name(name, f"guess number {i}").status_code for i in range(visit.TRIES_PER_NAME)}
    tired = client.by_name(name)
    assert 429 == tired.status_code
    assert "Too many tries" in tired.text


def test_signing_out_ends_the_session_and_not_just_the_cookie(client: Client) -> None:
    client.by_link()
    token = client.http.cookies[COOKIE]
    assert 303 == client.http.post("/console/sign-out", headers=SAME).status_code
    assert 303 == httpx.get(f"{client.gateway.url}/console/", cookies={COOKIE: token}).status_code


FORGED = [
    pytest.param({"Sec-Fetch-Site": "cross-site"}, id="from another site"),
    pytest.param({"Sec-Fetch-Site": "same-site"}, id="from a neighbour"),
    pytest.param({"Sec-Fetch-Site": "none"}, id="typed"),
    pytest.param({}, id="by a browser that does not say, without the token"),
]


@pytest.mark.parametrize("headers", FORGED)
def test_a_form_of_another_site_does_nothing(client: Client, headers: dict[str, str]) -> None:
    client.by_link()
    for path in (route.path for room in ROOMS for route in room.routes if "POST" in route.methods and "{" not in route.path):
        assert 403 == client.http.post(path, data={"friendly_name": "Taken over"}, headers=headers).status_code, path


def test_a_browser_without_fetch_metadata_brings_the_token_of_the_page(client: Client) -> None:
    client.by_link()
    page = client.http.get("/console/settings/preferences").text
    token = page.partition('name="_token" value="')[2].partition('"')[0]
    assert 64 == len(token)
    answer = client.http.post("/console/preferences", data={"_token": token, "theme": "dark"})
    assert 303 == answer.status_code
    other = Client(client.gateway).by_link()
    assert 403 == other.http.post("/console/preferences", data={"_token": token, "theme": "dark"}).status_code


ALLOWED = {
    "/console/settings/account": Role.ADMIN,
    "/console/settings/account/token": Role.ADMIN,
    "/console/settings/account/token/secondary": Role.ADMIN,
    "/console/settings/account/token/promote": Role.ADMIN,
    "/console/settings/account/token/remove": Role.ADMIN,
    "/console/settings/team": Role.OWNER,
    "/console/sign-out": Role.VIEWER,
}


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_what_it_may(client: Client, person: Callable[..., str], role: Role) -> None:
    name = person(f"Role {role}", role)
    assert 303 == client.by_name(name).status_code
    for path, needed in ALLOWED.items():
        answer = client.http.post(path, headers=SAME)
        assert (answer.status_code == 403) is not role.may(needed), path
    client.by_name(name)
    assert (200 if role.may(Role.ADMIN) else 403) == client.http.get("/console/settings/audit").status_code


# Who comes here has no session: one proves themselves by password, the other by this gateway's own signature.
WITHOUT_ROLE = {"/console/sign-in", "/console/inspector/{account}"}


def test_every_act_that_changes_something_names_its_role() -> None:
    for room in ROOMS:
        for route in room.routes:
            if "POST" in route.methods and route.path not in WITHOUT_ROLE:
                assert hasattr(route.endpoint, "__wrapped__"), f"{route.path} is not behind the guard"


def test_a_person_who_is_removed_is_out_at_once(client: Client, person: Callable[..., str], gateway: Gateway) -> None:
    owner = Client(gateway).by_link()
    client.by_name(person("Soon Gone", Role.VIEWER))
    sid = user_sid(gateway, "Soon Gone")
    assert 303 == owner.http.post(f"/console/settings/team/{sid}/remove", headers=SAME).status_code
    assert 303 == client.http.get("/console/").status_code
    assert "user.removed" in owner.http.get("/console/settings/audit").text


def test_nobody_takes_their_own_role_away(client: Client, person: Callable[..., str], gateway: Gateway) -> None:
    client.by_name(person("Only Owner", Role.OWNER))
    sid = user_sid(gateway, "Only Owner")
    assert 409 == client.http.post(f"/console/settings/team/{sid}", data={"role": "viewer"}, headers=SAME).status_code


def test_another_account_is_another_world(client: Client, gateway: Gateway) -> None:
    sid, _ = gateway.account("A stranger")
    token = gateway.run(own.sign_in(gateway.world, account=sid))
    client.http.get("/console/sign-in", params={"token": token})
    page = client.http.get("/console/").text
    assert "A stranger" in page
    assert gateway.account_sid not in client.http.get("/console/settings/account").text
    assert 404 == client.http.post("/console/settings/sessions/SE00000000000000000000000000000000/end", headers=SAME).status_code


def test_a_suspended_account_is_shut_out(client: Client, gateway: Gateway) -> None:
    sid, _ = gateway.account("Suspended")
    token = gateway.run(own.sign_in(gateway.world, account=sid))
    client.http.get("/console/sign-in", params={"token": token})
    assert 200 == client.http.get("/console/").status_code
    gateway.run(own.set_status(gateway.world, account=sid, status="suspended"))
    assert 303 == client.http.get("/console/").status_code


def test_the_token_is_shown_on_demand_and_noted(client: Client, gateway: Gateway) -> None:
    client.by_link()
    assert gateway.auth_token not in client.http.get("/console/settings/account").text
    assert gateway.auth_token in client.http.post("/console/settings/account/token", headers=SAME).text
    assert "token.shown" in client.http.get("/console/settings/audit").text


def test_events_tell_ids_and_no_numbers(client: Client, gateway: Gateway) -> None:
    client.by_link()
    with client.http.stream("GET", "/console/events", params={"topics": "message."}) as answer:
        lines = answer.iter_lines()
        assert ": connected" == next(lines)
        gateway.client().messages.create(to="+14155550142", from_="+14155550122", body="hello")
        told = next(line for line in lines if line.startswith("data: "))
    assert '"sid": "SM' in told
    assert "+1415" not in told


def test_a_body_that_is_too_large_is_refused_before_it_is_read(client: Client) -> None:
    client.by_link()
    answer = client.http.post("/console/preferences", data={"theme": "x" * (9 * 1024 * 1024)}, headers=SAME)
    assert 413 == answer.status_code
