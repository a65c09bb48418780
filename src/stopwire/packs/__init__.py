"""Language packs: one TOML file a language, read once into the values of `core.packs`.

To add a language, write `<code>.toml` beside its neighbours; a test holds it to the rules.
Nothing here decides: a pack without effect on a policy is only data.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from stopwire.core.packs import Mark, Pack, Packs, PackWord, Phrase, Replies, collect
from stopwire.core.policy import Keyword

_FIELDS = {
    "version", "language", "name", "native_name", "catalogue_key", "script", "direction", "hazards", "courtesy",
    "phrases_act", "sources", "words", "replies", "phrases",
}  # fmt: skip


class BadPack(ValueError):
    """A pack file that cannot be read; the message names the file, the cause and the cure."""


@cache
def load() -> Packs:
    """All packs that come with Stopwire. Raises BadPack."""
    found = [entry for entry in files(__package__).iterdir() if entry.name.endswith(".toml")]
    return collect(read(entry.name, entry.read_text("utf-8")) for entry in sorted(found, key=lambda entry: entry.name))


def read(name: str, text: str) -> Pack:
    """The pack in `text`, the content of the file `name`. Raises BadPack."""
    try:
        data = tomllib.loads(text)
        if unknown := data.keys() - _FIELDS:
            raise BadPack(f"{name}: there is no field {', '.join(sorted(unknown))}; there are {', '.join(sorted(_FIELDS))}.")
        pack = _pack(data)
    except (KeyError, TypeError, AttributeError, tomllib.TOMLDecodeError) as error:
        raise BadPack(f"{name}: {error!r}: compare it with a neighbouring file.") from error
    if name != f"{pack.language}.toml":
        raise BadPack(f"{name} holds the language {pack.language}: rename it to {pack.language}.toml.")
    return pack


def _pack(data: Mapping[str, Any]) -> Pack:  # Any: as tomllib gives it; ends in this function's values
    sources = data["sources"]
    return Pack(
        version=int(data["version"]),
        language=str(data["language"]),
        name=str(data["name"]),
        native_name=str(data["native_name"]),
        catalogue_key=data.get("catalogue_key"),
        script=str(data["script"]),
        right_to_left=data["direction"] == "rtl",
        hazards=str(data.get("hazards", "")),
        courtesy=tuple(data.get("courtesy", ())),
        words=tuple(
            PackWord(
                text=str(word["word"]),
                keyword=keyword,
                mark=Mark(word["mark"]),
                source=str(word.get("source") or sources[word["mark"]]),
                weak=bool(word.get("weak", False)),
            )
            for keyword in Keyword
            for word in data["words"][keyword.value.lower()]
        ),
        replies=Replies(**data["replies"]) if "replies" in data else None,
        phrases_act=bool(data.get("phrases_act", False)),
        phrases=tuple(
            Phrase(
                id=str(phrase["id"]),
                keyword=Keyword(phrase["keyword"]) if phrase.get("keyword") else None,
                family=str(phrase["family"]),
                pattern=str(phrase["pattern"]),
                unless=str(phrase.get("unless", "")),
                yes=tuple(phrase["yes"]),
                no=tuple(phrase["no"]),
            )
            for phrase in data.get("phrases", ())
        ),
    )
