"""What the operator does on the data folder: accounts, backups, checks; with the gateway running and without."""

from pathlib import Path

import pytest

from stopwire.cli.output import Exit
from tests.cli.conftest import Run
from tests.gateway import Gateway

SENDER = "+14155550100"


@pytest.fixture
def folder(bare: Path) -> Path:
    return bare / "d"


def running(folder: Path) -> Gateway:
    folder.mkdir(exist_ok=True)
    return Gateway(folder)


def test_an_account_is_made_with_and_without_a_running_gateway(run: Run, folder: Path) -> None:
    alone = run("account", "create", "--name", "Alone", "--json", "--data-dir", folder)
    assert (0, {"account_sid", "auth_token"}) == (alone.code, {"account_sid", "auth_token"} & alone.json.keys())
    gateway = running(folder)
    try:
        beside = run("account", "create", "--name", "Beside", "--data-dir", folder)
        assert (0, True) == (beside.code, "AC" in beside.out)
        listed = run("account", "list", "--data-dir", folder)
        assert all(name in listed.out for name in ("Alone", "Beside"))
        signed = run("account", "sign-in", "--json", "--data-dir", folder)
        assert signed.json["console_url"].startswith(f"{gateway.url}/console/")
    finally:
        gateway.close()


def test_nobody_signs_in_where_no_gateway_runs(run: Run, folder: Path) -> None:
    ran = run("account", "sign-in", "--data-dir", folder)
    assert (Exit.UNREACHABLE, True) == (ran.code, "`stopwire up --demo`" in ran.err)


def test_a_store_is_upgraded_and_checked(run: Run, folder: Path) -> None:
    assert 0 == run("db", "upgrade", "--data-dir", folder).code
    run("account", "create", "--name", "One", "--data-dir", folder)
    checked = run("db", "check", "--json", "--data-dir", folder)
    assert (0, True) == (checked.code, checked.json["ok"])
    gateway = running(folder)
    try:
        assert "running gateway" in run("db", "upgrade", "--data-dir", folder).out
        assert 0 == run("db", "check", "--data-dir", folder).code
    finally:
        gateway.close()


def test_a_new_key_seals_what_is_kept_and_the_former_opens_nothing_alone(run: Run, folder: Path) -> None:
    settings = {"host": "127.0.0.1", "port": 9, "system_id": "stopwire", "password": "canary"}
    gateway = running(folder)
    try:
        made = gateway.http.post("/api/v1/carriers", json={"name": "quay", "type": "smpp", "settings": settings, "paused": True})
        assert 201 == made.status_code, made.text
        beside = run("db", "rotate-key", "--json", "--data-dir", folder)
        assert (0, 1, []) == (beside.code, beside.json["resealed"], beside.json["unreadable"])
    finally:
        gateway.close()
    alone = run("db", "rotate-key", "--json", "--data-dir", folder)
    assert (0, 1, []) == (alone.code, alone.json["resealed"], alone.json["unreadable"])
    assert alone.json["key"] != beside.json["key"]
    key = folder / "vault.key"
    newest, *former = key.read_text().splitlines(keepends=True)
    assert 2 == len(former)
    key.write_text(newest)
    again = run("db", "rotate-key", "--json", "--data-dir", folder)
    assert (0, 1) == (again.code, again.json["resealed"]), "the newest key alone opens it"
    key.write_text("".join(former))
    lost = run("db", "rotate-key", "--data-dir", folder)
    assert (Exit.NO, True) == (lost.code, "a secret of the connection quay: enter it again" in lost.err + lost.out)


def test_a_restore_forgets_nobody_who_opted_out_since_the_backup(run: Run, folder: Path, bare: Path) -> None:
    copy = bare / "copy.db"
    gateway = running(folder)
    try:
        gateway.phone("+14155553001").text("STOP", to=SENDER)
        told = run("db", "backup", copy, "--json", "--data-dir", folder)
        assert (0, str(copy)) == (told.code, told.json["path"])
        again = run("db", "backup", copy, "--data-dir", folder)  # never over another one
        assert Exit.NO == again.code
        gateway.phone("+14155553002").text("STOP", to=SENDER)
        busy = run("db", "restore", copy, "--data-dir", folder)
        assert (Exit.NO, True) == (busy.code, "is in use by Stopwire" in busy.err)
    finally:
        gateway.close()

    restored = run("db", "restore", copy, "--json", "--data-dir", folder)
    assert 0 == restored.code, restored.out
    assert 1 == restored.json["blocks_kept"]
    assert Path(restored.json["replaced"]).exists()
    assert [] == list(folder.glob("restore-*"))

    gateway = running(folder)
    try:
        ask = ["--url", gateway.url, "--account", gateway.account_sid, "--token", gateway.auth_token]
        ran = run("optout", "check", "+14155553001", "+14155553002", "--from", SENDER, "--json", *ask)
        assert [True, True] == [item["blocked"] for item in ran.json["items"]]
        assert 0 == run("db", "check", "--data-dir", folder).code
    finally:
        gateway.close()


def test_a_damaged_database_is_replaced_only_on_purpose(run: Run, folder: Path, bare: Path) -> None:
    run("account", "create", "--name", "One", "--data-dir", folder)
    run("db", "backup", bare / "copy.db", "--data-dir", folder)
    (folder / "stopwire.db").write_bytes(b"nothing of a database" * 1000)
    ran = run("db", "restore", bare / "copy.db", "--data-dir", folder)
    assert (Exit.NO, True) == (ran.code, "--forget-newer-opt-outs" in ran.err)
    forced = run("db", "restore", bare / "copy.db", "--forget-newer-opt-outs", "--data-dir", folder)
    assert (0, True) == (forced.code, "honour them by hand" in forced.err), forced.err
    assert "One" in run("account", "list", "--data-dir", folder).out


def test_what_is_no_backup_is_not_restored(run: Run, folder: Path, bare: Path) -> None:
    (bare / "copy.db").write_text("no database")
    ran = run("db", "restore", bare / "copy.db", "--data-dir", folder)
    assert Exit.NO == ran.code
    assert ran.err
