"""Secrets: passwords hashed, random keys digested, carrier secrets sealed with a key kept beside the database.

What comes out may be stored; what went in is never logged, shown or kept here.
"""

import asyncio
import base64
import contextlib
import functools
import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

import argon2
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from stopwire.ports.faults import SealFault

KEY_FILE = "vault.key"
KEY_BYTES = 32  # AES-256
NONCE_BYTES = 12  # NIST SP 800-38D §8.2: 96 random bits
PASSWORD_BYTES_MAX = 1024  # a stranger's megabyte is not hashed
VERSION = "v1"

_hasher = argon2.PasswordHasher()  # argon2id with the parameters of RFC 9106 §4, low memory


class SealError(SealFault):
    """A sealed text cannot be opened: another key, another purpose, or damage."""


def hash_password(password: str) -> str:
    """The argon2id hash of a password, with its salt and parameters. Raises ValueError if it is over 1,024 bytes."""
    if len(password.encode()) > PASSWORD_BYTES_MAX:
        raise ValueError(f"The password is longer than {PASSWORD_BYTES_MAX} bytes: choose a shorter one.")
    return _hasher.hash(password)


def verify_password(hashed: str, password: str) -> bool:
    """Whether `password` is the one that was hashed. A hash that cannot be read fits no password."""
    if len(password.encode()) > PASSWORD_BYTES_MAX:
        return False
    try:
        return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(hashed: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(hashed)


def new_token() -> str:
    """A new secret of 128 random bits as 32 lower-case hexadecimal digits, as an auth token looks."""
    return secrets.token_hex(16)


def digest(secret: str) -> str:
    """SHA-256 of a *random* secret, in hex: enough where nobody can guess, too fast for passwords."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, digested: str) -> bool:
    """Whether `digested` is the digest of `secret`, in a time that tells nothing."""
    return hmac.compare_digest(digest(secret).encode(), digested.encode())


class Vault:
    """Seals texts with AES-256-GCM. The key is a file of the data folder; a sealed text names its key."""

    def __init__(self, key: bytes, *, former: tuple[bytes, ...] = (), path: Path | None = None) -> None:
        """`former` keys open what they sealed; only `key` seals. `path`: where they are kept, if anywhere."""
        self._path = path
        self._id = key_id(key)
        self._ciphers = {key_id(each): AESGCM(each) for each in (*former, key)}

    @classmethod
    def open(cls, data_dir: Path) -> "Vault":
        """The vault of a data folder; its key is made at the first start. The first line seals, others still open."""
        path = data_dir / KEY_FILE
        with contextlib.suppress(FileExistsError):
            _create(path)
        text = path.read_text(encoding="ascii", errors="replace")
        keys = tuple(_parse(line, path) for line in text.splitlines() if line.strip())
        if not keys:
            raise SealError(f"{path} holds no key: restore it from a backup; without it carrier secrets are lost.")
        return cls(keys[0], former=keys[1:], path=path)

    async def renew(self) -> str:
        """Seal with a new key from now on; what the others sealed still opens. Its name, once it is on the disk."""
        assert self._path is not None, "a vault without a file keeps no key"
        key = await asyncio.to_thread(_prepend, self._path)
        self._ciphers = {**self._ciphers, key_id(key): AESGCM(key)}
        self._id = key_id(key)  # last: whoever seals meanwhile seals with a key that opens
        return self._id

    def seal(self, text: str, *, purpose: str = "") -> str:
        """`text` sealed, as `v1.KEYID.BASE64`. It opens only for the same purpose, such as the owner's SID."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self._id].encrypt(nonce, text.encode(), _bound(self._id, purpose))
        return f"{VERSION}.{self._id}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open_sealed(self, sealed: str, *, purpose: str = "") -> str:
        """What was sealed. Raises `SealError`, which tells no secret."""
        version, _, rest = sealed.partition(".")
        name, _, content = rest.partition(".")
        if version != VERSION or not content:
            raise SealError("This is not a sealed text of this version.")
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise SealError(f"The key {name!r} that sealed this is not in {KEY_FILE}: restore the file from a backup.")
        try:
            raw = base64.urlsafe_b64decode(content)
            return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound(name, purpose)).decode()
        except (ValueError, InvalidTag):
            raise SealError("The sealed text is damaged, or was sealed for another purpose.") from None

    def digest(self, secret: str) -> str:
        return digest(secret)

    def matches(self, secret: str, digested: str) -> bool:
        return matches(secret, digested)

    async def hash_password(self, password: str) -> str:
        return await asyncio.to_thread(hash_password, password)

    async def verify_password(self, hashed: str | None, password: str) -> bool:
        """Whether it is the password that was hashed. None: nobody's, which takes as long."""
        fits = await asyncio.to_thread(verify_password, hashed or _nobody(), password)
        return fits and hashed is not None

    def is_current(self, sealed: str) -> bool:
        """Whether today's key sealed this; if not, open it and seal it again."""
        return sealed.startswith(f"{VERSION}.{self._id}.")

    def __repr__(self) -> str:
        return f"Vault(key={self._id})"


@functools.cache
def _nobody() -> str:
    """A hash that no password fits, for the one who signs in with an unknown name."""
    return hash_password(secrets.token_hex(16))


def key_id(key: bytes) -> str:
    """A name for a key that tells nothing about it."""
    return hashlib.sha256(b"stopwire key id" + key).hexdigest()[:8]


def _bound(name: str, purpose: str) -> bytes:
    return f"{VERSION}.{name}.{purpose}".encode()


def _create(path: Path) -> None:
    """Write a new key whole or not at all: two processes that start together must agree on one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.exists():
        raise FileExistsError(path)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(KEY_BYTES).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # fails where the other was first
    finally:
        draft.unlink()


def _prepend(path: Path) -> bytes:
    """Write the file anew with a new key above the others, whole or not at all."""
    key, draft = secrets.token_bytes(KEY_BYTES), path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)  # of one that was cut short: nothing was ever sealed with it
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(key.hex().encode() + b"\n" + path.read_bytes())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    if os.name != "nt":  # there a folder cannot be brought to the disk by itself
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return key


def _parse(line: str, path: Path) -> bytes:
    if not re.fullmatch(r"[0-9a-f]{64}", line.strip()):
        raise SealError(f"{path} holds a line that is not 64 hexadecimal digits: restore it from a backup.")
    return bytes.fromhex(line.strip())
