"""Log events: dotted words with values, one a line, to standard error; JSON for machines, text for a terminal.

Everything passes one redaction: numbers are masked, bodies and secrets replaced, whoever logs. Nothing that a
stranger wrote can begin a line or steer a terminal.
"""

import json
import logging
import math
import re
import sys
import traceback
from collections.abc import Iterable, Mapping, MutableMapping
from datetime import date, datetime
from typing import Any, Literal, TextIO, cast

import structlog
from structlog.typing import FilteringBoundLogger

Format = Literal["auto", "json", "text"]

STRING_CHARS_MAX = 2000  # a stranger's text does not fill the disk
ITEMS_MAX = 50
DEPTH_MAX = 4
HIDDEN = "••••"

BODY_KEYS = {"body", "text", "raw", "content", "payload", "reply", "template", "variables", "form", "params", "data"}
SECRET_PARTS = ("token", "secret", "password", "passwd", "authorization", "cookie", "api_key", "private_key", "credential")
NUMBER_KEYS = {"to", "from", "from_", "sender", "recipient", "recipients", "phone", "number", "address", "peer", "msisdn"}

# What stands between the digits of a number as people write it.
_BETWEEN = r"[\s().\-/\u00ad\u200b-\u2015\u2060]*+"
_PLUS = r"(?:[+\uff0b\ufe62]|%2[Bb]|\\u002[Bb])"
# After a plus, 7 digits or more are a number. Without one, 10 or more that stand alone: not those of a SID.
_NUMBER = re.compile(rf"{_PLUS}{_BETWEEN}\d(?:{_BETWEEN}\d){{6,}}|(?<![0-9A-Za-z.])\d{{10,}}(?![0-9A-Za-z])")
# In a field that holds an address, 7 digits are enough, plus or not.
_LOOSE_NUMBER = re.compile(rf"(?:{_PLUS}|(?<![0-9A-Za-z])){_BETWEEN}\d(?:{_BETWEEN}\d){{6,}}")
_USERINFO = re.compile(r"://[^/\s@]*@")
_CREDENTIALS = re.compile(r"\b(basic|bearer)\s+[A-Za-z0-9+/=._~-]{6,}", re.IGNORECASE)
# C0, DEL, C1, line and paragraph separators, direction marks, lone surrogates, and the invisible rest of them.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def configure(*, level: str = "info", format: Format = "auto", stream: TextIO | None = None) -> None:
    """Set the logs up, those of libraries included. May be called again."""
    _install(level=level, format=format, stream=stream)
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Library)]:
        root.removeHandler(handler)
    root.addHandler(_Library())
    # Libraries chat at info; their words are for those who asked for debug.
    root.setLevel(logging.DEBUG if level == "debug" else logging.WARNING)


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger whose events carry `logger: name`. Events are dotted words: `message.refused`."""
    return cast(FilteringBoundLogger, structlog.get_logger(name))


def masked(text: str) -> str:
    """`text` with the middle of each phone number hidden: `+1415•••0123`. A number never comes out whole."""
    return _NUMBER.sub(_hide_middle, text)


def redacted(value: object, *, key: str = "", depth: int = 0) -> object:
    """`value` as plain JSON values fit for a log. Bodies become their length, secrets dots, numbers are masked."""
    name = key.lower()
    if any(part in name for part in SECRET_PARTS):
        return HIDDEN if value else value if value is None or isinstance(value, bool) else ""
    if name in BODY_KEYS or name.endswith(("_body", "_text")):
        return _length(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _clean(value, loose=name in NUMBER_KEYS)
    if isinstance(value, int | float):
        return _figure(value, loose=name in NUMBER_KEYS)
    if isinstance(value, bytes | bytearray | memoryview):
        return _length(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if depth < DEPTH_MAX:
        if isinstance(value, Mapping):
            pairs = [(_clean(_str(inner)), item) for inner, item in _first(value.items())]
            return {inner: redacted(item, key=inner, depth=depth + 1) for inner, item in pairs}
        if isinstance(value, list | tuple | set | frozenset):
            return [redacted(item, key=key, depth=depth + 1) for item in _first(value)]
    return _clean(_str(value), loose=name in NUMBER_KEYS)


class _Lines:
    """Writes finished lines. The stream is looked up at each line, so that a test or a supervisor may replace it."""

    def __init__(self, stream: TextIO | None, name: str) -> None:
        self._stream = stream
        self.name = name

    def msg(self, line: str) -> None:
        stream = self._stream or sys.stderr
        try:
            stream.write(line + "\n")
            stream.flush()
        except UnicodeEncodeError:
            stream.write(line.encode("ascii", "backslashreplace").decode() + "\n")
            stream.flush()
        except (BrokenPipeError, ValueError):
            pass  # whoever read the log has gone, and there is nobody else to tell

    log = debug = info = warning = error = critical = exception = fatal = msg


class _Library(logging.Handler):
    """Brings the records of libraries into our events."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except Exception:  # a library's wrong format string is not our caller's fault
            message = str(record.msg)
        level = next((word for floor, word in _LEVELS if record.levelno >= floor), "debug")
        getattr(get_logger(record.name), level)("library.log", message=message, exc_info=record.exc_info)


_LEVELS = ((logging.ERROR, "error"), (logging.WARNING, "warning"), (logging.INFO, "info"))


def _install(*, level: str, format: Format, stream: TextIO | None) -> None:
    terminal = (stream or sys.stderr).isatty() if format == "auto" else format == "text"
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _redact,
            _as_text if terminal else _as_json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=lambda name="": _Lines(stream, name),
        cache_logger_on_first_use=False,
    )


def _redact(lines: _Lines, __: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    error = event.pop("exc_info", None)
    event.pop("stack_info", None)
    shown: dict[str, Any] = {"at": event.pop("at"), "level": event.pop("level")}
    shown["event"] = _clean(_str(event.pop("event", "")))
    shown["logger"] = _clean(lines.name)
    for key, value in event.items():
        # A value that bears the name of one of ours steps aside.
        shown[f"{_clean(key)}_" if key in shown else _clean(key)] = redacted(value, key=key)
    if trace := _trace(error):
        shown["trace"] = trace
    return shown


def _as_json(_: object, __: str, event: MutableMapping[str, Any]) -> str:
    # Not ASCII only, so that people can read and search it; what is no plain sign is escaped as JSON does.
    line = json.dumps(event, ensure_ascii=False, allow_nan=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


def _as_text(_: object, __: str, event: MutableMapping[str, Any]) -> str:
    at, level, word, logger = (str(event.pop(key, "")) for key in ("at", "level", "event", "logger"))
    trace = event.pop("trace", [])
    pairs = [f"{_escaped(key)}={_value(value)}" for key, value in event.items()]
    line = " ".join([at[11:19], f"{level:<7}", _escaped(word), *pairs, *([f"[{_escaped(logger)}]"] if logger else [])])
    return "\n".join([line, *(f"    | {_escaped(row)}" for row in trace)])


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = _escaped(text)
    return json.dumps(text, ensure_ascii=False).replace("\\\\", "\\") if not text or " " in text or '"' in text else text


def _escaped(text: str) -> str:
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _trace(error: Any) -> list[str]:
    """The traceback's rows, without the values of variables."""
    if error is True:
        error = sys.exc_info()
    if isinstance(error, BaseException):
        error = (type(error), error, error.__traceback__)
    if not isinstance(error, tuple) or error[0] is None:
        return []
    kind, value, where = error
    try:
        rows = traceback.format_exception(kind, value, where)
    except Exception:  # an exception whose own text fails
        rows = [f"{kind.__name__} without a text"]
    return [_clean(row) for block in rows[-ITEMS_MAX:] for row in block.rstrip("\n").split("\n")]


def _hide_middle(found: re.Match[str]) -> str:
    digits = "".join(re.findall(r"\d", found[0].replace("%2B", "+").replace("%2b", "+").replace("\\u002", "")))
    head = min(max(len(digits) - 7, 0), 4)  # at least three stay hidden, and the last four show
    plus = "" if found[0][0].isdigit() else "+"
    return f"{plus}{digits[:head]}•••{digits[-4:]}"


def _clean(text: str, *, loose: bool = False) -> str:
    text = str(text)  # an enum's plain text
    if len(text) > STRING_CHARS_MAX:
        text = text[:STRING_CHARS_MAX] + "…"
    text = _USERINFO.sub(f"://{HIDDEN}@", _CREDENTIALS.sub(rf"\1 {HIDDEN}", text))
    return (_LOOSE_NUMBER if loose else _NUMBER).sub(_hide_middle, text)


def _figure(value: int | float, *, loose: bool) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no word for it
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return "<a number of many digits>"
    return _clean(str(value), loose=True) if loose and abs(value) >= 1_000_000 else value


def _length(value: object) -> object:
    if isinstance(value, str):
        return f"<{len(value)} characters>"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return f"<{len(value)} items>"
    return None if value is None else f"<{type(value).__name__}>"


def _first(items: Iterable[Any]) -> Iterable[Any]:
    for number, item in enumerate(items):
        if number == ITEMS_MAX:
            return
        yield item


def _str(value: object) -> str:
    try:
        return str(value)
    except Exception:  # a value that cannot be shown must not stop what is being logged
        return f"<{type(value).__name__} without a text>"


# Whatever is logged before the set-up, or by a program that forgets it, is redacted too.
_install(level="info", format="auto", stream=None)
