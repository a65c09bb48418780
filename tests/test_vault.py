"""Passwords, tokens and sealed secrets."""

import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.vault import (
    KEY_FILE,
    SealError,
    Vault,
    digest,
    hash_password,
    matches,
    needs_rehash,
    new_token,
    verify_password,
)

KEY = bytes(range(32))


def test_a_password_fits_its_hash_and_no_other() -> None:
    hashed = hash_password("correct horse")
    assert hashed.startswith("$argon2id$")
    assert [True, False, False] == [verify_password(hashed, text) for text in ("correct horse", "Correct horse", "")]
    assert not needs_rehash(hashed)


def test_the_same_password_is_hashed_with_another_salt() -> None:
    assert hash_password("x") != hash_password("x")


def test_a_hash_that_cannot_be_read_fits_no_password() -> None:
    assert not verify_password("nonsense", "nonsense")


def test_a_password_without_end_is_not_hashed() -> None:
    with pytest.raises(ValueError, match="longer than 1024 bytes"):
        hash_password("x" * 1025)
    assert not verify_password(hash_password("x"), "x" * 1025)


def test_a_token_is_32_hexadecimal_digits_and_new() -> None:
    tokens = {new_token() for _ in range(100)}
    assert 100 == len(tokens)
    assert all(re.fullmatch(r"[0-9a-f]{32}", token) for token in tokens)


def test_a_secret_matches_its_digest_only() -> None:
    token = new_token()
    assert [True, False, False, False] == [
        matches(token, digest(token)),
        matches(token, token),
        matches(token, ""),
        matches(token.upper() + "x", digest(token)),
    ]


@given(st.text(), st.text())
def test_what_is_sealed_opens_for_its_purpose(text: str, purpose: str) -> None:
    vault = Vault(KEY)
    assert text == vault.open_sealed(vault.seal(text, purpose=purpose), purpose=purpose)


def test_the_same_text_is_sealed_otherwise_each_time() -> None:
    vault = Vault(KEY)
    assert vault.seal("secret") != vault.seal("secret")


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda sealed: "", id="empty"),
        pytest.param(lambda sealed: "secret", id="never sealed"),
        pytest.param(lambda sealed: sealed[:-4], id="cut"),
        pytest.param(lambda sealed: sealed[:20] + ("A" if sealed[20] != "A" else "B") + sealed[21:], id="altered"),
        pytest.param(lambda sealed: sealed.replace("v1.", "v2."), id="another version"),
        pytest.param(lambda sealed: sealed.rpartition(".")[0] + ".", id="no content"),
        pytest.param(lambda sealed: sealed.rpartition(".")[0] + ".é", id="no base64"),
    ],
)
def test_a_spoilt_seal_is_an_error_that_tells_no_secret(spoil: object) -> None:
    vault = Vault(KEY)
    with pytest.raises(SealError) as caught:
        vault.open_sealed(spoil(vault.seal("canary")))  # type: ignore[operator]
    assert "canary" not in str(caught.value)


def test_a_seal_of_another_purpose_or_key_does_not_open() -> None:
    sealed = Vault(KEY).seal("x", purpose="CX1")
    with pytest.raises(SealError, match="another purpose"):
        Vault(KEY).open_sealed(sealed, purpose="CX2")
    with pytest.raises(SealError, match="restore the file"):
        Vault(bytes(32)).open_sealed(sealed, purpose="CX1")


def test_a_former_key_opens_and_is_not_current() -> None:
    old, new = Vault(KEY), Vault(bytes(32), former=(KEY,))
    sealed = old.seal("x")
    assert ("x", False, True) == (new.open_sealed(sealed), new.is_current(sealed), new.is_current(new.seal("x")))


def test_the_key_is_made_once_and_is_its_owners_only(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    sealed = Vault.open(folder).seal("x")
    assert "x" == Vault.open(folder).open_sealed(sealed)
    assert 0o600 == stat.S_IMODE((folder / KEY_FILE).stat().st_mode)
    assert [KEY_FILE] == [path.name for path in folder.iterdir()]


def test_a_new_line_above_the_old_one_is_a_new_key(tmp_path: Path) -> None:
    sealed = Vault.open(tmp_path).seal("x")
    path = tmp_path / KEY_FILE
    path.write_text("ab" * 32 + "\n" + path.read_text())
    vault = Vault.open(tmp_path)
    assert ("x", False) == (vault.open_sealed(sealed), vault.is_current(sealed))


async def test_a_renewed_vault_seals_with_a_new_key_and_opens_with_each(tmp_path: Path) -> None:
    vault, path = Vault.open(tmp_path), tmp_path / KEY_FILE
    first = vault.seal("first")
    path.with_name("vault.key.new").write_text("left by one that was cut short")
    name = await vault.renew()
    second = vault.seal("second")
    assert (f"Vault(key={name})", False, True) == (repr(vault), vault.is_current(first), vault.is_current(second))
    for each in (vault, Vault.open(tmp_path)):
        assert ["first", "second", True] == [each.open_sealed(first), each.open_sealed(second), each.is_current(second)]
    assert (2, 0o600) == (len(path.read_text().splitlines()), stat.S_IMODE(path.stat().st_mode))
    assert [KEY_FILE] == [each.name for each in tmp_path.iterdir()]


@pytest.mark.parametrize("content", ["", "\n", "abc", "é" * 64], ids=["empty", "blank", "short", "not hex"])
def test_a_damaged_key_file_is_an_error_not_a_new_key(tmp_path: Path, content: str) -> None:
    (tmp_path / KEY_FILE).write_text(content)
    with pytest.raises(SealError, match="restore it from a backup"):
        Vault.open(tmp_path)
    assert content == (tmp_path / KEY_FILE).read_text()


def test_two_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        vaults = list(threads.map(lambda _: Vault.open(tmp_path), range(8)))
    assert 1 == len({repr(vault) for vault in vaults})


def test_a_vault_does_not_show_its_key() -> None:
    assert KEY.hex() not in repr(Vault(KEY))
