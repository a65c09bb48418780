"""A small TOML writer for settings (tables, texts, numbers, lists), and the standard library's reader made safe."""

import json
import tomllib
from collections.abc import Mapping
from typing import Any

from stopwire.transfer.broken import Broken


def write(data: Mapping[str, Any]) -> str:
    """`data` as a TOML document: plain values first, tables after them. Only what settings have can be written."""
    lines: list[str] = []
    _table(data, (), lines)
    return "\n".join(lines).lstrip("\n") + "\n"


def read(text: bytes) -> dict[str, Any]:
    """The document in `text`. Raises Broken with a sentence."""
    try:
        return tomllib.loads(text.decode())
    except UnicodeDecodeError:
        raise Broken("The file is not UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        said = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise Broken(f"The file is not TOML: {said}.") from None


def _table(data: Mapping[str, Any], path: tuple[str, ...], lines: list[str]) -> None:
    plain = {name: value for name, value in data.items() if not isinstance(value, Mapping)}
    tables = {name: value for name, value in data.items() if isinstance(value, Mapping)}
    if path and (plain or not tables):
        lines += ["", f"[{'.'.join(_key(part) for part in path)}]"]
    lines += [f"{_key(name)} = {_value(value)}" for name, value in plain.items()]
    for name, value in tables.items():
        _table(value, (*path, name), lines)


def _key(name: str) -> str:
    bare = name.isascii() and bool(name) and all(c.isalnum() or c in "-_" for c in name)
    return name if bare else _text(name)


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return _text(value)
        case list() | tuple():
            return "[" + ", ".join(_value(each) for each in value) + "]"
        case _:
            raise TypeError(f"Settings have no {type(value).__name__}, so it is not written as TOML.")


def _text(text: str) -> str:
    # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
