"""The clauses A01 to A20 of the mission, "Advanced Opt-Out": each from outside, over a running gateway."""

from contextlib import closing
from typing import Any

import pytest

from tests.gateway import eventually
from tests.mission.test_filtering import HELP_REPLY, START_REPLY, STOP_REPLY
from tests.mission.town import REFUSED, Town, replies


def words(*keywords: str, reply: str = "") -> dict[str, Any]:
    return {"keywords": list(keywords), "reply": reply}


STANDARD = {
    "stop": words("STOP", "NOMORE", reply="Acme: you are out. START brings you back."),
    "start": words("START", "BACKAGAIN", reply="Acme: you are in. STOP takes you out."),
    "help": words("HELP", "WHO", reply="Acme: write to help@acme.example. STOP takes you out."),
}
SPANISH = {
    "stop": words("ALTO", "BAJA", reply="Acme: no le escribiremos más. START para volver."),
    "start": words("INICIAR", reply="Acme: ha vuelto."),
    "help": words("AYUDA", reply="Acme: escriba a ayuda@acme.example."),
}
FRENCH = {"stop": words("ARRET", reply="Acme : vous ne recevrez plus rien."), "start": words("RETOUR", reply="Acme : de retour.")}


# ── where it applies ─────────────────────────────────────────────────────────────────────────────────


def test_a01_it_is_enabled_per_service_and_applies_to_its_long_codes(town: Town) -> None:
    with_it, without = town.service(standard=STANDARD), town.service()
    assert "Acme: you are out. START brings you back." == town.reply(town.person(), "NOMORE", to=town.number(service=with_it))
    assert town.reply(town.person(), "NOMORE", to=town.number(service=without)) is None


def test_a01_it_applies_to_short_codes_of_the_service(town: Town) -> None:
    service = town.service(standard=STANDARD)
    code, person = town.join_short_code(service), town.person()
    assert "Acme: you are out. START brings you back." == town.reply(person, "nomore", to=code)
    assert [REFUSED] * 2 == [town.refusal(person, code), town.refusal(person, service)]
    assert "Acme: you are in. STOP takes you out." == town.reply(person, "BackAgain", to=code)
    assert town.refusal(person, code) is None


def test_a01_it_applies_to_whatsapp_senders_of_the_service(town: Town) -> None:
    service = town.service(standard=STANDARD)
    sender, person = town.join_whatsapp(service), town.person(channel="whatsapp:")
    assert "Acme: you are out. START brings you back." == town.reply(person, "NOMORE", to=sender)
    assert [REFUSED] * 2 == [town.refusal(person, sender), town.refusal(person, service)]


# ── words and replies ────────────────────────────────────────────────────────────────────────────────


def test_a02_words_can_be_added_for_opt_out_opt_in_and_help(town: Town) -> None:
    sender, person = town.number(service=town.service(standard=STANDARD)), town.person()
    assert "Acme: write to help@acme.example. STOP takes you out." == town.reply(person, "who", to=sender)
    person.text("nomore", to=sender)
    assert REFUSED == town.refusal(person, sender)
    person.text("backagain", to=sender)
    assert town.refusal(person, sender) is None


@pytest.mark.parametrize(("word", "type_"), [("STOP", "stop"), ("START", "start"), ("HELP", "help")])
def test_a03_the_reply_of_each_type_is_the_operators(town: Town, word: str, type_: str) -> None:
    sender, person = town.number(service=town.service(standard=STANDARD)), town.person()
    if word == "START":
        town.reply(person, "STOP", to=sender)
    assert STANDARD[type_]["reply"] == town.reply(person, word, to=sender)


def test_a03_what_is_not_customised_is_as_by_default(town: Town) -> None:
    sender, person = town.number(service=town.service(standard={"stop": STANDARD["stop"]})), town.person()
    assert STANDARD["stop"]["reply"] == town.reply(person, "STOP", to=sender)
    assert START_REPLY == town.reply(person, "START", to=sender)
    assert HELP_REPLY == town.reply(person, "HELP", to=sender)


@pytest.mark.parametrize("word", ["CANCEL", "END", "QUIT", "UNSUBSCRIBE"])
def test_a04_default_words_can_be_removed(town: Town, word: str) -> None:
    sender, person = town.number(service=town.service(standard=STANDARD)), town.person()
    assert town.reply(person, word, to=sender) is None
    assert town.refusal(person, sender) is None


@pytest.mark.parametrize(("type_", "word"), [("stop", "STOP"), ("start", "START"), ("help", "HELP")])
def test_a04_stop_start_and_help_themselves_cannot_be_removed(town: Town, type_: str, word: str) -> None:
    answer = town.put_policy(town.service(), standard={**STANDARD, type_: words("OTHER", reply="Hi.")})
    assert (422, f"standard.{type_}.keywords") == (answer.status_code, answer.json()["errors"][0]["path"])
    assert word in answer.json()["errors"][0]["message"]


def test_a05_additional_languages_have_their_own_keywords_and_replies(town: Town) -> None:
    service = town.service(standard=STANDARD, languages={"es": SPANISH, "fr": FRENCH})
    sender = town.number(service=service)
    for word, reply in (
        ("Alto", SPANISH["stop"]["reply"]),
        ("arret", FRENCH["stop"]["reply"]),
        ("STOP", STANDARD["stop"]["reply"]),
        ("ayuda", SPANISH["help"]["reply"]),
    ):
        assert reply == town.reply(town.person(), word, to=sender)
    person = town.person()
    person.text("baja", to=sender)
    assert REFUSED == town.refusal(person, sender)
    assert SPANISH["start"]["reply"] == town.reply(person, "iniciar", to=sender)
    assert town.refusal(person, sender) is None


def test_a05_a_language_may_be_named_as_twilio_names_it(town: Town) -> None:
    service = town.service()
    town.policy(service, languages={"SPANISH": SPANISH})
    assert ["es"] == list(town.http.get(f"/api/v1/services/{service}/opt-out").json()["languages"])


def test_a06_a_country_has_its_own_keywords_and_replies(town: Town) -> None:
    mexican = {"stop": words("CANCELAR", reply="Acme México: listo."), "help": words("INFORMES", reply="Acme México: 55 0000.")}
    service = town.service(standard=STANDARD, countries={"MX": {"languages": {"es": mexican}}})
    sender = town.number(service=service)
    in_mexico, in_the_us = town.person(prefix="+52555555"), town.person()
    assert "Acme México: listo." == town.reply(in_mexico, "cancelar", to=sender)
    assert REFUSED == town.refusal(in_mexico, sender)
    assert town.reply(in_the_us, "cancelar", to=sender) is None
    assert town.refusal(in_the_us, sender) is None


def test_a06_an_override_adds_to_standard_unless_it_replaces_it(town: Town) -> None:
    mexican = {"stop": words("CANCELAR", reply="Acme México: listo.")}
    adds = town.number(service=town.service(standard=STANDARD, countries={"MX": {"languages": {"es": mexican}}}))
    replaces = town.number(
        service=town.service(standard=STANDARD, countries={"MX": {"replace": True, "languages": {"es": mexican}}})
    )
    assert STANDARD["stop"]["reply"] == town.reply(town.person(prefix="+52555555"), "NOMORE", to=adds)
    assert town.reply(town.person(prefix="+52555555"), "NOMORE", to=replaces) is None
    assert "Acme México: listo." == town.reply(town.person(prefix="+52555555"), "STOP", to=replaces)


def test_a07_whatsapp_and_sms_do_not_carry_over(town: Town) -> None:
    service = town.service(standard=STANDARD)
    sms, whatsapp = town.number(service=service), town.join_whatsapp(service)
    person = town.person()
    on_whatsapp = town.gateway.phone(f"whatsapp:{person.address}")
    on_whatsapp.text("STOP", to=whatsapp)
    assert [REFUSED, REFUSED] == [town.refusal(on_whatsapp, whatsapp), town.refusal(on_whatsapp, service)]
    assert [None, None] == [town.refusal(person, sms), town.refusal(person, service)]
    person.text("STOP", to=sms)
    on_whatsapp.text("START", to=whatsapp)
    assert town.refusal(on_whatsapp, whatsapp) is None
    assert REFUSED == town.refusal(person, sms)


# ── the application ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("word", "type_"), [("STOP", "STOP"), ("nomore", "STOP"), ("START", "START"), ("WHO", "HELP")])
def test_a08_replies_are_automatic_and_the_webhook_is_told_the_type(town: Town, word: str, type_: str) -> None:
    service = town.service(webhook=town.web.url("/a08"), standard=STANDARD)
    sender, person = town.number(service=service), town.person()
    if type_ == "START":
        town.reply(person, "STOP", to=sender)
    assert STANDARD[type_.lower()]["reply"] == town.reply(person, word, to=sender)
    asked = town.web.one("/a08", From=person.address, Body=word)
    assert (type_, service) == (asked.params["OptOutType"], asked.params["MessagingServiceSid"])
    assert asked.signed_with(town.token)


def test_a09_opt_out_type_is_absent_where_it_is_not_enabled(town: Town) -> None:
    in_service = town.number(service=town.service(webhook=town.web.url("/a09")))
    alone = town.number(webhook=town.web.url("/a09"))
    person = town.person()
    for sender in (in_service, alone):
        person.text("STOP", to=sender)
    asked = town.web.wait("/a09", 2, From=person.address, Body="STOP")
    assert [False, False] == ["OptOutType" in a.params for a in asked]


def test_a09_opt_out_type_is_absent_from_an_ordinary_message(town: Town) -> None:
    sender, person = town.number(service=town.service(webhook=town.web.url("/a09-2"), standard=STANDARD)), town.person()
    person.text("STOP PLEASE", to=sender)
    assert "OptOutType" not in town.web.one("/a09-2", From=person.address).params


def test_a10_the_log_has_the_keyword_and_not_the_automatic_reply(town: Town) -> None:
    sender, person = town.number(service=town.service(standard=STANDARD)), town.person()
    for word in ("HELP", "STOP", "START"):
        assert town.reply(person, word, to=sender)
    assert ["START", "STOP", "HELP"] == [m.body for m in town.client.messages.list(from_=person.address)]
    assert [] == town.client.messages.list(to=person.address)


def test_a11_replies_are_sent_although_incoming_messages_are_dropped(town: Town) -> None:
    service = town.service(standard=STANDARD)
    town.client.messaging.v1.services(service).update(use_inbound_webhook_on_number=False, inbound_request_url="")
    sender, person = town.number(service=service, webhook=town.web.url("/a11")), town.person()
    for word in ("HELP", "STOP", "START"):
        assert STANDARD[word.lower()]["reply"] == town.reply(person, word, to=sender)
    assert person.text("hello", to=sender)["message_sid"] is None
    assert [] == town.web.of("/a11", From=person.address)
    assert ["START", "STOP", "HELP"] == [m.body for m in town.client.messages.list(from_=person.address)]


def test_a12_automatic_replies_are_not_billed(town: Town) -> None:
    """What costs is a Message with a price; the reply is no Message at all, so nothing can carry one."""
    sender, person = town.number(service=town.service(standard=STANDARD)), town.person()
    assert town.reply(person, "STOP", to=sender)
    reply = eventually(lambda: [m for m in person.inbox if m["kind"] == "auto_reply"])[0]
    assert STANDARD["stop"]["reply"] == reply["body"]
    inbound = town.client.messages.list(from_=person.address)
    assert [None] == [m.price for m in inbound]
    assert [] == town.client.messages.list(to=person.address)


def test_a13_numbers_outside_the_service_keep_the_default_handling(town: Town) -> None:
    service = town.service(standard=STANDARD)
    inside, outside, person = town.number(service=service), town.number(), town.person()
    assert town.reply(person, "NOMORE", to=outside) is None
    assert STOP_REPLY == town.reply(person, "CANCEL", to=outside)
    assert [REFUSED, None, None] == [town.refusal(person, sender) for sender in (outside, inside, service)]


@pytest.mark.parametrize("advanced", [False, True], ids=["by default", "with Advanced Opt-Out"])
def test_a14_on_toll_free_numbers_the_network_answers_itself(town: Town, advanced: bool) -> None:
    sender = town.number(toll_free=True, service=town.service(standard=STANDARD) if advanced else "")
    person = town.person()
    assert town.reply(person, "STOP", to=sender) is None
    assert REFUSED == town.refusal(person, sender)
    person.text("START", to=sender)
    assert town.refusal(person, sender) is None
    expected = [
        'NETWORK MSG: You replied with the word "stop" which blocks all texts sent from this number. '
        'Text back "unstop" to receive messages again.',
        'NETWORK MSG: You have replied "start" and will begin receiving messages again from this number.',
    ]
    assert expected == [m["body"] for m in person.inbox if m["kind"] == "network"]
    assert [STANDARD["start"]["reply"]] * advanced == replies(person)  # the network confirms, and the policy beside it


# ── the settings ─────────────────────────────────────────────────────────────────────────────────────


def test_a15_the_settings_can_be_edited_in_the_console_and_over_the_api(town: Town) -> None:
    service = town.service()
    path = f"/console/services/{service}/opt-out"
    with closing(town.console()) as console:
        page = console.get(path)
        assert (200, True, True) == (page.status_code, "Opt-Out Management" in page.text, 'value="UNSUBSCRIBE"' in page.text)
        draft = {
            "base": "1",
            "enabled": "on",
            "list": [f"standard.{kind}" for kind in STANDARD],
            **{f"words.standard.{kind}": each["keywords"] for kind, each in STANDARD.items()},
            **{f"reply.standard.{kind}": each["reply"] for kind, each in STANDARD.items()},
        }
        published = console.post(f"{path}/publish", data=draft)
        assert (303, path) == (published.status_code, published.headers["location"])
    before = town.http.get(f"/api/v1/services/{service}/opt-out").json()
    assert (2, True, STANDARD) == (before["version"], before["enabled"], before["standard"])
    after = town.policy(service, standard=STANDARD, matching="natural")
    assert (3, "natural") == (after["version"], after["matching"])


def test_a16_a_reply_has_at_most_320_characters(town: Town) -> None:
    service = town.service()
    longest = {**STANDARD, "stop": words("STOP", reply="x" * 320)}
    town.policy(service, standard=longest)
    answer = town.put_policy(service, standard={**STANDARD, "stop": words("STOP", reply="x" * 321)})
    assert 422 == answer.status_code
    (error,) = answer.json()["errors"]
    assert "standard.stop.reply" == error["path"]
    assert "321 characters; at most 320 are allowed: shorten it by 1." in error["message"]
    assert 320 == len(town.http.get(f"/api/v1/services/{service}/opt-out").json()["standard"]["stop"]["reply"])


def test_a16_a_reply_of_320_characters_arrives_whole(town: Town) -> None:
    reply = ("Acme: you are out. " * 20)[:320]
    sender, person = town.number(service=town.service(standard={"stop": words("STOP", reply=reply)})), town.person()
    assert reply == town.reply(person, "STOP", to=sender)


def test_a17_a_url_in_a_reply_is_warned_about_and_a_shortener_more(town: Town) -> None:
    def warnings(reply: str) -> list[str]:
        saved = town.policy(town.service(), standard={**STANDARD, "help": words("HELP", reply=reply)})
        return [w["message"] for w in saved["warnings"] if w["path"] == "standard.help.reply"]

    none = warnings("Acme: call 415 555 0100. STOP takes you out.")
    link = warnings("Acme: see https://acme.example/help or call 415 555 0100. STOP takes you out.")
    shortened = warnings("Acme: see https://bit.ly/acme or call 415 555 0100. STOP takes you out.")
    assert [] == [text for text in none if "link" in text]
    assert 1 == len([text for text in link if "link" in text])
    assert 1 == len([text for text in shortened if "shared shortener" in text and "often block" in text])


@pytest.mark.parametrize("advanced", [False, True], ids=["by default", "with Advanced Opt-Out"])
@pytest.mark.parametrize("word", ["START", "UNSTOP"])
def test_a18_start_without_an_earlier_stop_does_nothing(town: Town, word: str, advanced: bool) -> None:
    sender, person = town.number(service=town.service(standard={}) if advanced else ""), town.person()
    assert town.reply(person, word, to=sender) is None
    assert town.refusal(person, sender) is None
    blocks = town.http.get("/api/v1/blocks", params={"recipient": person.address}).json()["items"]
    assert [] == blocks


def test_a19_keywords_can_be_tried_from_a_handset_without_cost_or_carrier(town: Town) -> None:
    sender, person = town.number(service=town.service(standard=STANDARD)), town.person()
    for word in ("HELP", "STOP", "START"):
        assert STANDARD[word.lower()]["reply"] == town.reply(person, word, to=sender)
    senders = town.http.get("/api/v1/senders").json()["items"]
    assert {"simulator"} == {s["connection"] for s in senders if s["address"] == sender}


def test_a19_a_text_can_be_tried_without_changing_anything(town: Town) -> None:
    service = town.service(webhook=town.web.url("/a19"), standard=STANDARD)
    sender, person = town.number(service=service), town.person()
    tried = town.http.post(
        f"/api/v1/services/{service}/opt-out/test", json={"body": "nomore!", "from": person.address, "to": sender}
    ).json()
    assert ("STOP", "block", STANDARD["stop"]["reply"]) == (tried["type"], tried["effect"], tried["reply"])
    assert "STOP" == tried["webhook"]["OptOutType"]
    assert [] == town.web.of("/a19")
    assert town.refusal(person, sender) is None


@pytest.mark.parametrize("format_", ["json", "toml"])
def test_a20_the_settings_have_an_api_an_export_and_an_import(town: Town, format_: str) -> None:
    service = town.service(standard=STANDARD, languages={"es": SPANISH}, countries={"MX": {"languages": {"es": SPANISH}}})
    here = f"/api/v1/services/{service}/opt-out"
    exported = town.http.get(f"{here}/export", params={"format": format_})
    assert 200 == exported.status_code
    another = town.service()
    there = f"/api/v1/services/{another}/opt-out"
    taken = town.http.post(
        f"{there}/import", content=exported.content, headers={"Content-Type": exported.headers["content-type"]}
    )
    assert 200 == taken.status_code, taken.text
    ours, theirs = town.http.get(here).json(), town.http.get(there).json()
    assert {**ours, "version": 0, "warnings": []} == {**theirs, "version": 0, "warnings": []}
    assert SPANISH["stop"]["reply"] == town.reply(town.person(), "baja", to=town.number(service=another))


def test_a20_the_block_list_has_an_api_an_export_and_an_import(town: Town) -> None:
    sender, person, imported = town.number(service=town.service(standard=STANDARD)), town.person(), town.person()
    person.text("STOP", to=sender)
    listed = town.http.get("/api/v1/blocks", params={"recipient": person.address}).json()["items"]
    assert ["keyword"] == [b["reason"] for b in listed]
    exported = town.http.get("/api/v1/blocks/export", params={"format": "csv"})
    assert person.address in exported.text
    content = f"recipient,scope\n{imported.address},{sender}\n"
    begun = town.http.post("/api/v1/blocks/import", content=content, headers={"Content-Type": "text/csv"})
    assert begun.status_code in (200, 201, 202), begun.text
    state = eventually(lambda: _finished(town, begun.json()["id"]))
    assert ("done", 1) == (state["state"], state["taken"])
    assert REFUSED == town.refusal(imported, sender)


def _finished(town: Town, id: str) -> dict[str, Any] | None:
    state = town.http.get(f"/api/v1/imports/{id}").json()
    return state if state["state"] in ("done", "failed") else None


def test_a_confirmation_is_the_last_thing_a_person_receives(town: Town) -> None:
    service = town.service(standard=STANDARD)
    sender, person = town.number(service=service), town.person()
    for _ in range(5):
        town.send(person, service)
    person.text("STOP", to=sender)
    assert [REFUSED] * 5 == [town.refusal(person, service) for _ in range(5)]
    assert [STANDARD["stop"]["reply"]] == eventually(lambda: replies(person))
    assert STANDARD["stop"]["reply"] == person.inbox[-1]["body"]
