"""The commands, asked of a running gateway: what a person types, and what comes back."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stopwire.cli.output import Exit
from tests.cli.conftest import Ran, Run
from tests.gateway import Gateway

SENDER, SECOND, ALONE = "+14155550100", "+14155550111", "+14155550122"
WHATSAPP = "whatsapp:+14155550190"


@pytest.fixture
def ask(run: Run, gateway: Gateway) -> Run:
    """`stopwire`, pointed at the running gateway by the environment."""

    def asked(*words: object, stdin: str | None = None) -> Ran:
        return run(
            *words,
            stdin=stdin,
            STOPWIRE_URL=gateway.url,
            STOPWIRE_ACCOUNT_SID=gateway.account_sid,
            STOPWIRE_AUTH_TOKEN=gateway.auth_token,
        )

    return asked


@pytest.fixture
def say(ask: Run) -> Callable[..., dict[str, object]]:
    """A command that ends well, and its JSON."""

    def told(*words: object) -> dict[str, object]:
        ran = ask(*words, "--json")
        assert 0 == ran.code, ran.out
        return dict(ran.json)

    return told


# Messages


def test_a_message_is_sent_and_followed_to_its_end(ask: Run) -> None:
    ran = ask("send", "--from", SENDER, "--to", "+14155552001", "Hello", "--wait", 10)
    assert 0 == ran.code, ran.err
    assert f"delivered: {SENDER} → +14155552001" in ran.out


def test_a_service_sends_by_its_name_and_the_text_may_come_from_standard_input(ask: Run, gateway: Gateway) -> None:
    assert "named" == ask("send", "--from", SENDER, "--to", "+14155552001", "--body", "named", "--json").json["body"]
    ran = ask("send", "--service", "demo", "--to", "+14155552002", "-", "--json", stdin="piped")
    assert ("piped", gateway.service) == (ran.json["body"], ran.json["messaging_service_sid"])


def test_a_send_after_stop_is_refused_with_cause_and_cure(ask: Run) -> None:
    phone = ask("phone", "+14155552003", "--to", SENDER, "--text", "STOP")
    assert "› STOP" in phone.out
    assert f"‹ {SENDER}: You have successfully been unsubscribed." in phone.out
    assert "(automatic reply)" in phone.out

    ran = ask("send", "--from", SENDER, "--to", "+14155552003", "again")
    assert (Exit.NO, "") == (ran.code, ran.out)
    assert "Attempt to send to unsubscribed recipient." in ran.err
    assert "Only their START" in ran.err
    assert "21610" in ran.err

    told = ask("send", "--from", SENDER, "--to", "+14155552003", "again", "--json")
    assert (Exit.NO, 21610, 400) == (told.code, told.json["error"]["code"], told.json["error"]["status"])


def test_a_send_by_nobody_is_a_fault_of_usage(ask: Run) -> None:
    ran = ask("send", "--to", "+14155552004", "x")
    assert (Exit.USAGE, True) == (ran.code, "--from NUMBER or --service" in ran.err)


def test_messages_are_listed_got_and_explained(ask: Run, say: Callable[..., dict[str, str]]) -> None:
    sid = say("send", "--from", SENDER, "--to", "+14155552005", "\x1b[31mred")["sid"]
    listed = ask("messages", "list", "--to", "+14155552005")
    assert sid in listed.out
    assert "\x1b" not in listed.out
    assert [sid] == [m["sid"] for m in ask("messages", "list", "--to", "+14155552005", "--json").json["items"]]
    assert sid == say("messages", "get", sid)["sid"]
    assert say("messages", "explain", sid)["verdict"]
    assert "Why" in ask("messages", "explain", sid).out


def test_refusals_are_listed_and_explained(ask: Run, say: Callable[..., dict[str, str]]) -> None:
    ask("optout", "add", "+14155552006", "--scope", ALONE)
    assert Exit.NO == ask("send", "--from", ALONE, "--to", "+14155552006", "x").code
    refused = ask("messages", "list", "--refused", "--json").json["items"][0]
    assert (21610, "+14155552006") == (refused["code"], refused["to"])
    assert "21610" in ask("messages", "list", "--refused").out
    assert say("messages", "explain", refused["id"])["verdict"]


def test_a_message_of_nobody_ends_with_1(ask: Run) -> None:
    ran = ask("messages", "get", "SM" + "0" * 32)
    assert (Exit.NO, True) == (ran.code, "20404" in ran.err)


# A handset


def test_a_handset_answers_in_json_what_it_sent_and_received(say: Callable[..., dict[str, object]]) -> None:
    told = say("phone", "+14155552010", "--to", SENDER, "--text", "HELP")
    assert ["auto_reply"] == [m["kind"] for m in told["received"]]  # type: ignore[index,attr-defined]


def test_a_handset_whose_text_nobody_answers_says_so(ask: Run) -> None:
    assert "Nothing came back" in ask("phone", "+14155552011", "--to", SENDER, "--text", "hello", "--wait", 0.3).out


def test_a_conversation_is_read_from_standard_input(ask: Run) -> None:
    ran = ask("phone", "+14155552012", "--to", SENDER, "--wait", 2, stdin="STOP\nSTART\n")
    assert 0 == ran.code
    assert ["unsubscribed", "re-subscribed"] == [
        word for line in ran.out.splitlines() for word in ("unsubscribed", "re-subscribed") if f"been {word}" in line
    ]


def test_a_handset_is_switched_off_and_on_between_lines(ask: Run, gateway: Gateway) -> None:
    ran = ask("phone", "+14155552015", "--to", SENDER, "--wait", 2, stdin="/off\nSTOP\n/on\nHELP\n")
    assert 0 == ran.code
    told = ran.out.splitlines()
    assert "Switched off: texts to it wait, and nothing is reported of them." in told
    assert any(line.startswith("! This handset is switched off") for line in told)
    assert "Switched on." in told
    assert ["HELP"] == [m["body"] for m in gateway.phone("+14155552015").messages() if m["direction"] == "out"]


def test_a_handsets_network_is_changed_and_told(ask: Run) -> None:
    lines = "/loss 1\nhello\n/loss 0\n/delay soon\n/delay -1\n/twice 0.5\n/network\n/fly\n//on\n/to " + SECOND + "\n/quit\nnever sent\n"
    told = ask("phone", "+14155552016", "--to", SENDER, "--wait", 0, stdin=lines).out.splitlines()
    expected = [
        "Switched on. 100% of the texts get lost.",
        "The network lost it.",
        "Switched on.",
        "! /delay wants a number: /delay 0.5",
        "! delay_seconds: Input should be greater than or equal to 0.",
        "Switched on. 50% of what it sends comes twice.",
        "Switched on. 50% of what it sends comes twice.",
        "! /fly is no command.",
        f"Writing to {SECOND}.",
    ]
    assert expected == [line for line in told if line.startswith(("!", "Switched", "The network", "Writing"))]


def test_chaos_is_set_told_and_ended(ask: Run, say: Callable[..., dict[str, object]]) -> None:
    assert "Nothing goes wrong." in ask("chaos").out
    assert (True, 2, True) == tuple(say("chaos", "--delay", 2, "--silent")[name] for name in ("on", "delay_seconds", "silent"))
    assert "silent: yes" in ask("chaos").out
    assert Exit.USAGE == ask("chaos", "--off", "--down").code
    assert not say("chaos", "--off")["on"]


def test_a_whatsapp_handset_finds_the_whatsapp_sender(say: Callable[..., dict[str, object]], gateway: Gateway) -> None:
    say("phone", "whatsapp:+14155552013", "--text", "hi", "--wait", 0)
    assert [WHATSAPP] == [m["peer"] for m in gateway.phone("whatsapp:+14155552013").messages()]


def test_a_picture_goes_along(ask: Run, gateway: Gateway, bare: Path) -> None:
    Path("cat.png").write_bytes(b"\x89PNG")
    assert 0 == ask("phone", "+14155552014", "--to", SENDER, "--text", "look", "--media", "cat.png", "--wait", 0).code
    (inbound,) = gateway.client().messages.list(from_="+14155552014")
    assert "1" == inbound.num_media


# Opt-outs


def test_check_says_yes_with_0_and_no_with_1(ask: Run) -> None:
    assert (0, True) == ((ran := ask("optout", "check", "+14155552020", "--from", SENDER)).code, "yes" in ran.out)
    ask("phone", "+14155552020", "--to", SENDER, "--text", "STOP")
    for who in (["--from", SENDER], ["--from", SECOND], ["--service", "Demo"], []):
        ran = ask("optout", "check", "+14155552021", "+14155552020", *who, "--json")
        assert Exit.NO == ran.code
        assert [False, True] == [item["blocked"] for item in ran.json["items"]]
        assert "keyword" == ran.json["items"][1]["because"]["reason"]


def test_a_block_by_hand_is_added_listed_remembered_and_lifted(ask: Run, say: Callable[..., dict[str, object]]) -> None:
    made = say("optout", "add", "+14155552022", "--scope", ALONE, "--reason", "complaint", "--note", "by phone")
    assert ("complaint", "by phone") == (made["reason"], made["note"])
    listed = ask("optout", "list", "--recipient", "+14155552022").out
    assert "by phone" in listed
    assert 0 == ask("optout", "lift", "+14155552022", "--scope", ALONE, "--note", "their letter").code
    assert "Nobody is blocked." in ask("optout", "list", "--recipient", "+14155552022").out
    events = say("optout", "history", "+14155552022")["items"]
    assert {"block", "lift"} == {event["act"] for event in events}  # type: ignore[index,attr-defined]
    assert "their letter" in ask("optout", "history", "+14155552022").out


def test_an_unknown_scope_is_told_with_its_field(ask: Run) -> None:
    ran = ask("optout", "add", "+14155552023", "--scope", "+19995550000", "--json")
    assert Exit.NO == ran.code
    assert "scope" == ran.json["error"]["errors"][0]["path"]


def test_a_list_is_imported_and_exported(ask: Run, bare: Path, gateway: Gateway) -> None:
    Path("list.csv").write_text("recipient,note\n+14155552030,one\n+14155552031,two\n")
    ran = ask("optout", "import", "list.csv", "--scope", gateway.service, "--json")
    assert 0 == ran.code, ran.out
    assert ("done", 2, 2, 0) == tuple(ran.json[name] for name in ("state", "rows", "taken", "wrong"))
    again = ask("optout", "import", "list.csv", "--scope", gateway.service, "--json").json
    assert (0, 2) == (again["taken"], again["skipped"])

    assert "+14155552031" in ask("optout", "export").out
    assert 0 == ask("optout", "export", "--format", "ndjson", "--output", "out.ndjson").code
    rows = [json.loads(line) for line in Path("out.ndjson").read_text().splitlines()]
    assert {"+14155552030", "+14155552031"} <= {row["recipient"] for row in rows}
    assert Exit.USAGE == ask("optout", "export", "--json").code


def test_a_wrong_row_is_named_and_ends_with_1(ask: Run, bare: Path, gateway: Gateway) -> None:
    Path("list.csv").write_text("recipient\nnobody\n+14155552033\n")
    ran = ask("optout", "import", "list.csv", "--scope", gateway.service, "--json")
    assert (Exit.NO, 1, 1) == (ran.code, ran.json["taken"], ran.json["wrong"])
    assert [1] == [row["row"] for row in ran.json["wrong_rows"]]


# Policies


def test_a_policy_is_exported_changed_compared_set_and_rolled_back(ask: Run, say: Callable[..., dict[str, object]], bare: Path) -> None:
    service = str(say("service", "create", "Policies")["sid"])
    assert 0 == ask("policy", "export", service, "--output", "policy.toml").code
    changed = Path("policy.toml").read_text().replace('"INFO"', '"INFO", "HILFE"')
    Path("policy.toml").write_text(changed)

    assert "HILFE" in ask("policy", "diff", service, "policy.toml").out
    saved = ask("policy", "set", service, "policy.toml", "--if-version", 1)
    assert (0, True) == (saved.code, "Version 2 is in force." in saved.out), saved.err
    stale = ask("policy", "set", service, "policy.toml", "--if-version", 1, "--json")
    assert (Exit.NO, 412) == (stale.code, stale.json["error"]["status"])

    assert "HILFE" in ask("policy", "show", service).out
    assert "HILFE" not in ask("policy", "show", service, "--version", 1).out
    assert ["standard.help.keywords"] == [c["path"] for c in say("policy", "diff", service)["changes"]]  # type: ignore[index,attr-defined]
    assert 3 == say("policy", "rollback", service, "1")["version"]
    assert 3 == len(say("policy", "history", service)["items"])  # type: ignore[arg-type]
    assert 4 == say("policy", "import", service, "policy.toml")["version"]


def test_what_is_wrong_in_a_policy_is_told_with_its_place(ask: Run, bare: Path) -> None:
    Path("policy.json").write_text(json.dumps({"enabled": True, "standard": {"stop": {"keywords": ["STOP"], "reply": ""}}}))
    ran = ask("policy", "set", "Demo", "policy.json")
    assert Exit.NO == ran.code
    assert "standard.stop.reply" in ran.err
    Path("policy.toml").write_text("enabled = ")
    assert (Exit.USAGE, True) == ((ran := ask("policy", "set", "Demo", "policy.toml")).code, "is not TOML" in ran.err)
    assert Exit.USAGE == ask("policy", "set", "Demo", "none.toml").code


def test_a_text_is_tried_out_without_effect(ask: Run, say: Callable[..., dict[str, object]]) -> None:
    told = say("policy", "test", "Demo", "Stop.", "--from", "+14155552040")
    assert ("STOP", "block") == (told["type"], told["effect"])
    assert 0 == ask("optout", "check", "+14155552040", "--service", "Demo").code
    assert "block" in ask("policy", "test", "Demo", "Stop.").out


# Services, numbers, keys


def test_a_service_is_made_peopled_and_deleted(ask: Run, say: Callable[..., dict[str, object]], gateway: Gateway) -> None:
    sid = say("service", "create", "Team", "--inbound-url", "https://example.com/sms")["sid"]
    assert "https://example.com/sms" in ask("service", "list").out
    for sender in ("+525555550100", "72345", "ACME"):
        assert 0 == ask("service", "add-sender", "Team", sender).code
    shown = say("service", "show", "Team")
    assert {"+525555550100", "72345", "ACME"} == {s["address"] for s in shown["senders"]}  # type: ignore[index,attr-defined]
    taken = ask("service", "add-sender", "Team", SENDER, "--json")
    assert (Exit.NO, 21712) == (taken.code, taken.json["error"]["code"])
    for sender in ("+525555550100", "72345"):
        assert 0 == ask("service", "remove-sender", "Team", sender).code
    assert 0 == ask("service", "delete", "Team").code
    assert sid not in ask("service", "list").out
    assert Exit.NO == ask("service", "show", "Team").code


def test_numbers_are_found_bought_changed_and_given_back(ask: Run, say: Callable[..., dict[str, object]]) -> None:
    offered = say("number", "available", "us", "--type", "toll-free")["items"]
    number = offered[0]["phone_number"]  # type: ignore[index]
    assert number == say("number", "buy", number)["phone_number"]
    assert number in ask("number", "list").out
    changed = say("number", "set", number, "--sms-url", "https://example.com/in", "--mps", "3")
    assert ("https://example.com/in", 3) == (changed["sms_url"], changed["mps"])
    assert 0 == ask("number", "release", number).code
    assert number not in ask("number", "list").out
    assert Exit.USAGE == ask("number", "set", SENDER).code
    assert Exit.USAGE == ask("number", "available", "--type", "square").code


def test_the_auth_token_is_changed_without_an_outage(run: Run, gateway: Gateway) -> None:
    sid, token = gateway.account("Rotating")

    def enter(token: str, *words: str) -> Ran:
        return run(*(words or ("service", "list")), "--json", "--url", gateway.url, "--account", sid, "--token", token)

    for act in ("promote", "remove"):
        ran = enter(token, "account", "token", act)
        assert Exit.NO == ran.code
        assert "`stopwire account token create`" in ran.json["error"]["detail"]
    second = enter(token, "account", "token", "create").json["secondary_auth_token"]
    assert Exit.NO == enter(token, "account", "token", "create").code
    assert [0, 0] == [enter(token).code, enter(second).code]
    shown = enter(token, "account", "show").json
    assert shown["secondary_token_at"]
    assert second == enter(second, "account", "token", "promote").json["auth_token"]
    assert [Exit.NOT_AUTHORISED, 0] == [enter(token).code, enter(second).code]
    third = enter(second, "account", "token", "create").json["secondary_auth_token"]
    assert {"deleted": True} == enter(third, "account", "token", "remove").json
    assert [0, Exit.NOT_AUTHORISED] == [enter(second).code, enter(third).code]


def test_a_key_signs_in_until_it_is_deleted(ask: Run, run: Run, say: Callable[..., dict[str, str]], gateway: Gateway) -> None:
    made = say("key", "create", "billing")
    assert made["sid"] in ask("key", "list").out
    by_key = ["--url", gateway.url, "--account", made["sid"], "--token", made["secret"]]
    assert 0 == run("service", "list", *by_key).code
    assert 0 == ask("key", "delete", made["sid"]).code
    assert Exit.NOT_AUTHORISED == run("service", "list", *by_key).code


def test_the_account_is_shown(ask: Run, gateway: Gateway) -> None:
    told = ask("account", "show")
    assert (0, True) == (told.code, gateway.account_sid in told.out)


def test_settings_of_the_account_are_set_and_a_short_time_is_warned_of(run: Run, gateway: Gateway) -> None:
    sid, token = gateway.account("Keeping")

    def enter(*words: str) -> Ran:
        return run("account", *words, "--json", "--url", gateway.url, "--account", sid, "--token", token)

    ran = enter("set", "keep_bodies_days=90", "legal_hold=true", "friendly_name=90")
    assert (90, True, "90") == (ran.json["keep_bodies_days"], ran.json["legal_hold"], ran.json["friendly_name"])
    assert "396 days are advised" in ran.err
    assert [None] == [enter("set", "keep_bodies_days=").json["keep_bodies_days"]]
    assert [["CA", "US"], None] == [enter("set", f"countries={list_}").json["countries"] for list_ in ("US,CA", "")]
    assert "write one from 35" in enter("set", "keep_messages_days=7").json["error"]["detail"]
    assert Exit.USAGE == enter("set", "legal_hold").code


# The ledger, suggestions, webhooks


def test_the_ledger_is_verified_listed_and_proves(ask: Run, say: Callable[..., dict[str, object]], bare: Path) -> None:
    ask("optout", "add", "+14155552050", "--scope", ALONE)
    assert say("ledger", "verify")["ok"]
    assert "The ledger holds" in ask("ledger", "verify").out
    assert "+14155552050" in ask("ledger", "history", "--recipient", "+14155552050").out
    assert "+14155552050" in json.dumps(say("ledger", "evidence", "+14155552050"))
    assert 0 == ask("ledger", "evidence", "+14155552050", "-o", "evidence.json").code
    assert json.loads(Path("evidence.json").read_text())


def test_a_suggestion_is_confirmed_or_dismissed(ask: Run) -> None:
    for person in ("+14155552060", "+14155552061"):
        ask("phone", person, "--to", ALONE, "--text", "please stop texting me", "--wait", 0)
    waiting = {s["recipient"]: s["id"] for s in ask("suggestions", "list", "--json").json["items"]}
    assert 0 == ask("suggestions", "confirm", waiting["+14155552060"], "--note", "clear").code
    assert 0 == ask("suggestions", "dismiss", waiting["+14155552061"]).code
    assert Exit.NO == ask("optout", "check", "+14155552060", "--from", ALONE).code
    assert 0 == ask("optout", "check", "+14155552061", "--from", ALONE).code


def test_webhooks_are_listed_with_their_owners(ask: Run, gateway: Gateway) -> None:
    service = gateway.client().messaging.v1.services.create(friendly_name="Listed", inbound_request_url="http://127.0.0.1:9/in")
    alone = gateway.client().incoming_phone_numbers(gateway.sender(ALONE))
    alone.update(sms_url="http://127.0.0.1:9/own")
    found = {(each["owner"], each["calls"]): each["url"] for each in ask("webhook", "list", "--json").json["items"]}
    assert "http://127.0.0.1:9/in" == found[service.sid, "inbound"]
    assert "http://127.0.0.1:9/own" == found[gateway.sender(ALONE), "inbound"]
    assert "http://127.0.0.1:9/own" in ask("webhook", "list").out
    alone.update(sms_url="")
    service.delete()


def test_deliveries_are_listed_shown_and_replayed(ask: Run, say: Callable[..., dict[str, object]]) -> None:
    url = "http://127.0.0.1:9/status"  # nothing listens: the delivery fails, and is kept
    sid = say("send", "--from", ALONE, "--to", "+14155552070", "x", "--status-callback", url, "--wait", 10)["sid"]
    found = ask("webhook", "deliveries", "--message", sid, "--json").json["items"]
    assert url == found[0]["url"]
    assert found[0]["id"] in ask("webhook", "deliveries").out
    assert url in ask("webhook", "show", found[0]["id"]).out
    assert 0 == ask("webhook", "replay", found[0]["id"]).code


def test_events_are_told_as_they_happen(ask: Run, gateway: Gateway) -> None:
    ask("phone", "+14155552080", "--to", SENDER, "--text", "HELP", "--wait", 0)
    ran = ask("messages", "tail", "--after", "0", "--count", 2, "--json")
    assert 0 == ran.code, ran.out
    assert 2 == len([json.loads(line) for line in ran.out.splitlines()])


# What may be wrong


def test_a_gateway_that_is_not_there_ends_with_3(run: Run) -> None:
    ran = run("service", "list", "--url", "http://127.0.0.1:9", "--account", "AC1", "--token", "t")
    assert Exit.UNREACHABLE == ran.code
    assert "nothing listens there" in ran.err
    assert "`stopwire up --demo`" in ran.err


def test_a_wrong_token_ends_with_4(run: Run, gateway: Gateway) -> None:
    for words in (["service", "list"], ["optout", "list"]):
        ran = run(*words, "--url", gateway.url, "--account", gateway.account_sid, "--token", "wrong")
        assert Exit.NOT_AUTHORISED == ran.code


def test_an_error_is_one_json_document_too(run: Run) -> None:
    ran = run("optout", "list", "--json")
    assert (Exit.UNREACHABLE, Exit.UNREACHABLE, "") == (ran.code, ran.json["error"]["exit"], ran.err)


# Erasing a person


def test_a_person_is_erased_by_whoever_says_yes_and_nobody_else_without_a_terminal(ask: Run, gateway: Gateway) -> None:
    gateway.phone("+14155552071").text("stop", to=SENDER)
    ran = ask("optout", "erase", "+14155552071", stdin="2071\n")
    assert (Exit.USAGE, "") == (ran.code, ran.out)
    assert "add --yes" in ran.err
    erased = ask("optout", "erase", "+14155552071", "--yes", "--json").json
    assert (1, True) == (erased["events"], erased["messages"] >= 1)
    assert 1 == ask("optout", "check", "+14155552071").code  # the block stays
    assert ("", None) == tuple(ask("optout", "history", "+14155552071", "--json").json["items"][0][n] for n in ("recipient", "text"))


@pytest.mark.parametrize(
    ("typed", "code", "told"),
    [
        pytest.param("0000", Exit.USAGE, "These are not its last four digits: nothing was erased.", id="other digits"),
        pytest.param("2072", Exit.OK, "Blocks stay.", id="its own digits"),
    ],
)
def test_at_a_terminal_the_last_four_digits_are_asked_for(bare: Path, gateway: Gateway, typed: str, code: Exit, told: str) -> None:
    ours, theirs = os.openpty()
    environ = {
        **os.environ, "STOPWIRE_URL": gateway.url, "STOPWIRE_ACCOUNT_SID": gateway.account_sid, "STOPWIRE_AUTH_TOKEN": gateway.auth_token
    }  # fmt: skip
    command = [sys.executable, "-m", "stopwire", "optout", "erase", "+14155552072"]
    os.write(ours, f"{typed}\n".encode())
    ended = subprocess.run(command, stdin=theirs, env=environ, capture_output=True, text=True, timeout=30)
    os.close(ours)
    os.close(theirs)
    assert code == ended.returncode
    assert "Type the last four digits of the number:" in ended.stderr
    assert told in ended.stdout + ended.stderr
