"""Offer languages: which ones there are packs for, and a pack's words and replies, ready to be put into a policy."""

from dataclasses import dataclass

from stopwire.core.policy import WordSet
from stopwire.ports.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedLanguage:
    """One language with a pack. `hazards`: what its words also mean, for whoever adds it."""

    language: str
    name: str
    native_name: str
    hazards: str
    replies: bool  # whether reply texts exist in it


async def languages(world: World) -> list[OfferedLanguage]:
    """The languages with a pack, by their English names."""
    found = [
        OfferedLanguage(
            language=pack.language,
            name=pack.name,
            native_name=pack.native_name,
            hazards=pack.hazards,
            replies=pack.replies is not None,
        )
        for pack in world.packs
    ]
    return sorted(found, key=lambda each: each.name)


async def word_set(world: World, *, language: str, brand: str) -> WordSet | None:
    """The words and filled replies of a language; None where there is no pack."""
    if world.packs.get(language) is None:
        return None
    return world.packs.word_set(language, brand=brand)
