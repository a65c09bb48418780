"""Values as plain data and back, for what must cross a process or be kept: dataclasses, enums, instants."""

import hashlib
from typing import Any, TypeVar

import msgspec

from stopwire.core.sentences import Sentence

T = TypeVar("T")


def to_plain(value: object) -> Any:
    """`value` as dictionaries, lists, strings and numbers."""
    return msgspec.to_builtins(value, str_keys=True, enc_hook=_otherwise)


def _otherwise(value: object) -> object:
    """What the encoder does not know: sentences are told in English."""
    if isinstance(value, Sentence):
        return str(value)
    raise TypeError(f"No plain form of {type(value).__name__}: give it one here.")


def from_plain(plain: object, type_: type[T]) -> T:
    """The value of `type_` that `to_plain` made `plain` of."""
    return msgspec.convert(plain, type_, strict=False)


def fingerprint(value: object) -> str:
    """SHA-256 of a value, hex: the same for equal values, in every process."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()
