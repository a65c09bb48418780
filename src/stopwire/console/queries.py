"""The query language of the message log: `to:+1415* status:failed code:21610 text:"sale" since:2h has:refusal`.

Words without a key are sought in the text, digits in the person's number, ids are exact. What is not understood is said.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from stopwire.console.render import N_
from stopwire.core.message import Status
from stopwire.core.senders import Directory
from stopwire.ports.store import EntryFilter

QUERY_CHARS_MAX = 500
_TERM = re.compile(r'(?:(\w+):)?(?:"([^"]*)"|(\S+))')
_AGO = re.compile(r"(\d{1,5})([mhdw])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
STATUSES = (*(status.value for status in Status), "refused")
KEYWORDS = ("STOP", "START", "HELP")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    wanted: EntryFilter = field(default_factory=EntryFilter)
    id: str = ""  # an id opens its page
    problem: str = ""  # a sentence of the catalogue, about `term`
    term: str = ""


def read(text: str, directory: Directory, now: datetime) -> Query:
    """What `text` asks for; the first thing that is not understood ends it."""
    query = Query()
    for match in _TERM.finditer(text[:QUERY_CHARS_MAX]):
        key, value = match[1], match[2] if match[2] is not None else match[3]
        if key is None or (key.casefold() not in _KEYS and ":" in match[0] and match[0].startswith(("whatsapp:", "http"))):
            query = _bare(query, match[0].strip('"') if match[2] is None else value)
            continue
        apply = _KEYS.get(key.casefold())
        if apply is None:
            return replace(query, problem=N_(
                "There is no “%(term)s:” here. Known are to, from, person, sender, service, status, code, keyword, "
                "text, since, until, dir and has."
            ), term=key)
        wanted = apply(query.wanted, value.strip(), directory, now)
        if isinstance(wanted, str):
            return replace(query, problem=wanted, term=value)
        query = replace(query, wanted=wanted)
    return query


def _bare(query: Query, word: str) -> Query:
    if re.fullmatch(r"(SM|MM|RF)[0-9a-f]{32}", word):
        return replace(query, id=word)
    if re.fullmatch(r"(?:whatsapp:)?\+?\d{4,15}", word):
        return replace(query, wanted=replace(query.wanted, person=f"*{word.lstrip('+')}"))
    text = f"{query.wanted.text} {word}" if query.wanted.text else word
    return replace(query, wanted=replace(query.wanted, text=text))


_Apply = Callable[[EntryFilter, str, Directory, datetime], "EntryFilter | str"]


def _address(field: str) -> _Apply:
    def apply(wanted: EntryFilter, value: str, directory: Directory, now: datetime) -> EntryFilter | str:
        if value in directory.senders:
            value = directory.senders[value].address
        elif not value or len(value) > 128:
            return N_("“%(term)s” is no number: write it as +14155550101, or with a star for the rest.")
        elif re.fullmatch(r"\d{5,15}", value) and directory.sender_at(value) is None:
            value = f"+{value}"
        return replace(wanted, **{field: value})  # type: ignore[arg-type]

    return apply


def _status(wanted: EntryFilter, value: str, directory: Directory, now: datetime) -> EntryFilter | str:
    if value.casefold() not in STATUSES:
        return N_(
            "“%(term)s” is no status. There are accepted, scheduled, queued, sending, sent, delivered, "
            "undelivered, failed, canceled, read, received and refused."
        )
    return replace(wanted, status=value.casefold())


def _code(wanted: EntryFilter, value: str, directory: Directory, now: datetime) -> EntryFilter | str:
    if not (value.isascii() and value.isdigit() and len(value) <= 6):
        return N_("“%(term)s” is no error code: codes are numbers such as 21610.")
    return replace(wanted, code=int(value))


def _service(wanted: EntryFilter, value: str, directory: Directory, now: datetime) -> EntryFilter | str:
    for service in directory.services.values():
        if value == service.sid or value.casefold() == service.friendly_name.casefold():
            return replace(wanted, service=service.sid)
    return N_("There is no messaging service “%(term)s”. Name it by its name or its SID.")


def _keyword(wanted: EntryFilter, value: str, directory: Directory, now: datetime) -> EntryFilter | str:
    if value.upper() not in KEYWORDS:
        return N_("“%(term)s” is no keyword type. There are STOP, START and HELP.")
    return replace(wanted, keyword=value.upper())


def _text(wanted: EntryFilter, value: str, directory: Directory, now: datetime) -> EntryFilter | str:
    return replace(wanted, text=value)


def _instant(field: str) -> _Apply:
    def apply(wanted: EntryFilter, value: str, directory: Directory, now: datetime) -> EntryFilter | str:
        if ago := _AGO.fullmatch(value):
            return replace(wanted, **{field: now - int(ago[1]) * _UNITS[ago[2]]})  # type: ignore[arg-type]
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return N_("“%(term)s” is no time: write 30m, 2h, 7d, or a date such as 2026-05-03.")
        return replace(wanted, **{field: found if found.tzinfo else found.replace(tzinfo=UTC)})  # type: ignore[arg-type]

    return apply


def _direction(wanted: EntryFilter, value: str, directory: Directory, now: datetime) -> EntryFilter | str:
    if value.casefold() not in ("in", "out"):
        return N_("“%(term)s” is no direction: in or out.")
    return replace(wanted, inbound=value.casefold() == "in")


def _has(wanted: EntryFilter, value: str, directory: Directory, now: datetime) -> EntryFilter | str:
    match value.casefold():
        case "refusal":
            return replace(wanted, status="refused")
        case "media":
            return replace(wanted, media=True)
        case "error":
            return replace(wanted, error=True)
        case _:
            return N_("“%(term)s” is nothing that a message has here: refusal, media or error.")


_KEYS: dict[str, _Apply] = {
    "to": _address("to"),
    "from": _address("from_"),
    "person": _address("person"),
    "sender": _address("sender"),
    "service": _service,
    "status": _status,
    "code": _code,
    "keyword": _keyword,
    "text": _text,
    "since": _instant("since"),
    "until": _instant("until"),
    "dir": _direction,
    "has": _has,
}
