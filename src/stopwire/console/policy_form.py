"""An opt-out policy as a form, and the form as a policy again: what the editor's fields are called and what its buttons do.

The form holds the whole draft, so that nothing is kept between two looks at it. Whether a draft is sound is asked of the core.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.datastructures import FormData

from stopwire.core.catalogue import country_code, language_name, language_tag
from stopwire.core.policy import Keyword, OptOutPolicy, Problem, WordList, WordSet, to_data
from stopwire.core.spelling import key

LISTS_MAX = 600  # of one form
_LAYER = r"standard|languages\.[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,4}){0,2}|countries\.[A-Z]{2}\.languages\.[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,4}){0,2}"
_LIST = re.compile(rf"({_LAYER})\.(stop|start|help)")
_NAMED = re.compile(rf"({_LAYER})")
_APART = re.compile(r"[,;\n\r]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word of a list as a chip. `fixed`: it cannot be taken out."""

    text: str
    place: str
    fixed: bool = False
    wrong: bool = False
    warned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One word list of the editor, with the sentences about it."""

    path: str
    keyword: str
    words: Sequence[Word]
    reply: str
    word_errors: Sequence[str] = ()
    word_warnings: Sequence[str] = ()
    reply_errors: Sequence[str] = ()
    reply_warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One language, everywhere or in one country; or Standard. `missing`: keywords that Standard's list serves."""

    path: str
    language: str
    country: str
    lists: Sequence[Words]
    missing: Sequence[str] = ()

    @property
    def anchor(self) -> str:
        return anchor(self.path)

    @property
    def faults(self) -> int:
        return sum(len(each.word_errors) + len(each.reply_errors) for each in self.lists)


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    code: str
    replace: bool
    layers: Sequence[Layer]


def anchor(path: str) -> str:
    """The fragment of the page at which `path` stands."""
    return path.replace(".", "-")


def data_of(form: FormData) -> dict[str, Any]:
    """The draft that the form holds, words that were just typed among it. Fields that are no part of it are left out."""
    data: dict[str, Any] = {
        "enabled": form.get("enabled") == "on",
        "matching": str(form.get("matching", "exact")),
        "standard": {},
        "languages": {},
        "countries": {},
    }
    for name in ("help_when_blocked", "opted_out_send"):
        if value := str(form.get(name, "")):
            data[name] = value
    for given in form.getlist("country"):
        if code := country_code(str(given)):
            data["countries"][code] = {"replace": form.get(f"replace.{code}") == "on", "languages": {}}
    for given in form.getlist("layer"):
        if (found := _NAMED.fullmatch(str(given))) and _language_known(found[1]):
            _layer(data, found[1])
    for given in form.getlist("list")[:LISTS_MAX]:
        if (found := _LIST.fullmatch(str(given))) and _language_known(found[1]):
            path = found[0]
            words = [str(word) for word in form.getlist(f"words.{path}")]
            words += [word for part in _APART.split(str(form.get(f"new.{path}", ""))) if (word := part.strip()) and word not in words]
            reply = str(form.get(f"reply.{path}", "")).replace("\r\n", "\n")
            _layer(data, found[1])[found[2]] = {"keywords": words, "reply": reply}
    return data


def _language_known(layer: str) -> bool:
    return layer == "standard" or language_tag(layer.rpartition(".")[2]) is not None


def _layer(data: dict[str, Any], path: str) -> dict[str, Any]:
    """The layer at `path`, made where it is not there yet."""
    if path == "standard":
        standard: dict[str, Any] = data["standard"]
        return standard
    parts = path.split(".")
    if parts[0] == "countries":
        languages = data["countries"].setdefault(parts[1], {"replace": False, "languages": {}})["languages"]
    else:
        languages = data["languages"]
    layer: dict[str, Any] = languages.setdefault(parts[-1], {})
    return layer


# ── what the buttons do to a draft ───────────────────────────────────────────────────────────────────────


def without_word(data: dict[str, Any], place: str) -> None:
    """Take one word out; `place` is `LIST:NUMBER`. A fixed word stays."""
    path, _, number = place.rpartition(":")
    found = _LIST.fullmatch(path)
    if not found or not number.isdigit() or len(number) > 6:
        return
    words = _layer(data, found[1]).get(found[2], {}).get("keywords", [])
    if int(number) < len(words) and not is_fixed(path, words[int(number)]):
        del words[int(number)]


def without_list(data: dict[str, Any], path: str) -> None:
    """Leave a keyword of a language to Standard."""
    found = _LIST.fullmatch(path)
    if found and found[1] != "standard":
        _layer(data, found[1]).pop(found[2], None)


def with_list(data: dict[str, Any], path: str, offered: WordSet | None) -> None:
    """Give a language a list of its own for a keyword: what its pack has, else an empty one."""
    found = _LIST.fullmatch(path)
    if found:
        words = offered.of(Keyword(found[2].upper())) if offered else None
        _layer(data, found[1]).setdefault(found[2], _list_data(words or WordList(keywords=(), reply="")))


def without_layer(data: dict[str, Any], path: str) -> None:
    """Take out a language, or with `countries.XX` a country with all its languages."""
    parts = path.split(".")
    if parts[0] == "countries" and len(parts) == 2:
        data["countries"].pop(parts[1], None)
    elif parts[0] == "countries" and len(parts) == 4:
        data["countries"].get(parts[1], {"languages": {}})["languages"].pop(parts[3], None)
    elif parts[0] == "languages" and len(parts) == 2:
        data["languages"].pop(parts[1], None)


def with_layer(data: dict[str, Any], country: str, language: str, offered: WordSet) -> str:
    """Add a language, everywhere or in one country, with its pack's words; what is there already stays. Its path."""
    path = f"countries.{country}.languages.{language}" if country else f"languages.{language}"
    layer = _layer(data, path)
    for keyword in Keyword:
        if listed := offered.of(keyword):
            layer.setdefault(keyword.value.lower(), _list_data(listed))
    return path


def _list_data(listed: WordList) -> dict[str, Any]:
    return {"keywords": list(listed.keywords), "reply": listed.reply}


def is_fixed(path: str, word: str) -> bool:
    """STOP, START and HELP stay in Standard: people must always be able to use them."""
    layer, _, keyword = path.rpartition(".")
    return layer == "standard" and key(word) == key(keyword)


# ── a draft as it is shown ───────────────────────────────────────────────────────────────────────────────


def layers(data: dict[str, Any], errors: Sequence[Problem], warnings: Sequence[Problem]) -> tuple[list[Layer], list[Country]]:
    """Standard and the languages for all countries; and the countries."""
    everywhere = [_shown("standard", data["standard"], "", "", errors, warnings)]
    for language, words in data["languages"].items():
        everywhere.append(_shown(f"languages.{language}", words, language, "", errors, warnings))
    countries = [
        Country(
            code=code,
            replace=override["replace"],
            layers=[
                _shown(f"countries.{code}.languages.{language}", words, language, code, errors, warnings)
                for language, words in override["languages"].items()
            ],
        )
        for code, override in data["countries"].items()
    ]
    return everywhere, countries


def _shown(
    path: str, words: dict[str, Any], language: str, country: str, errors: Sequence[Problem], warnings: Sequence[Problem]
) -> Layer:
    keywords = [keyword.value.lower() for keyword in Keyword]
    return Layer(
        path=path,
        language=language,
        country=country,
        lists=[_words(f"{path}.{name}", name.upper(), words[name], errors, warnings) for name in keywords if name in words],
        missing=[name.upper() for name in keywords if name not in words],
    )


def _words(path: str, keyword: str, listed: dict[str, Any], errors: Sequence[Problem], warnings: Sequence[Problem]) -> Words:
    at = f"{path}.keywords"
    wrong, warned = {each.path for each in errors}, {each.path for each in warnings}

    def of_words(told: Sequence[Problem]) -> list[str]:
        return list(dict.fromkeys(each.message for each in told if each.path == at or each.path.startswith(f"{at}.")))

    def of_reply(told: Sequence[Problem]) -> list[str]:
        return [each.message for each in told if each.path == f"{path}.reply"]

    return Words(
        path=path,
        keyword=keyword,
        words=[
            Word(
                text=word,
                place=f"{path}:{number}",
                fixed=is_fixed(path, word),
                wrong=f"{at}.{number}" in wrong,
                warned=f"{at}.{number}" in warned,
            )
            for number, word in enumerate(listed["keywords"])
        ],
        reply=listed["reply"],
        word_errors=of_words(errors),
        word_warnings=of_words(warnings),
        reply_errors=of_reply(errors),
        reply_warnings=of_reply(warnings),
    )


def elsewhere(told: Sequence[Problem]) -> list[str]:
    """The sentences that belong to no list."""
    return [each.message for each in told if not each.path.startswith(("standard.", "languages.", "countries.")) or each.path.count(".") < 2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One difference in words: of a list of words what came and what went, of anything else before and after."""

    place: str
    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    before: str | None = None
    after: str | None = None


def told(path: str, before: object, after: object) -> Told:
    old, new = _texts(before), _texts(after)
    if old is not None or new is not None:
        was, now = old or [], new or []
        if sorted(was) == sorted(now):
            return Told(place=called(path), before=", ".join(was), after=", ".join(now))
        return Told(place=called(path), added=[w for w in now if w not in was], removed=[w for w in was if w not in now])
    return Told(place=called(path), before=_text(before), after=_text(after))


def _texts(value: object) -> list[str] | None:
    return [str(each) for each in value] if isinstance(value, list | tuple) else None


def _text(value: object) -> str | None:
    if value is None or value == {}:
        return None
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def called(path: str) -> str:
    """A place of a policy in words: `Mexico, Spanish, STOP, reply` would be `MX, Spanish, STOP, reply`."""
    parts = path.split(".")
    names = []
    for before, part in zip(["", *parts], parts, strict=False):
        if part in ("languages", "countries"):
            continue
        if before == "languages":
            names.append(language_name(part))
        elif part in ("stop", "start", "help"):
            names.append(part.upper())
        else:
            names.append(part.replace("_", " ").replace("keywords", "words"))
    return ", ".join(names)


def draft_of(policy: OptOutPolicy) -> dict[str, Any]:
    """A policy as the data of a draft, which may be changed."""
    return dict(to_data(replace(policy)))
