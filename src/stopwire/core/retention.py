"""How long an account keeps what: what may be set, what is advised, and what a shorter time costs.

Blocks, the ledger and the audit log have no rule here: they are kept for good. Nothing here forgets anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stopwire.core.policy import Problem
from stopwire.core.senders import AccountSettings
from stopwire.core.sentences import Sentence

DAYS_MAX = 36_500  # a hundred years; whoever wants longer keeps for good


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How long one kind of record is kept. `short`: what a time below the advised one costs."""

    setting: str
    least_days: int
    advised_days: int
    short: Sentence


RULES: Final[Mapping[str, Rule]] = {
    rule.setting: rule
    for rule in (
        Rule(
            setting="keep_bodies_days",
            least_days=1,
            advised_days=396,  # 13 months: a year of campaigns, and time to complain about the last of them
            short=Sentence(
                "Texts go after %(days)s days. A complaint often comes later, and then nothing shows what was written: %(advised)s days are advised."
            ),
        ),
        Rule(
            setting="keep_messages_days",
            least_days=35,  # as far ahead as a message can be scheduled; longer than any carrier takes to report
            advised_days=1_827,  # 28 USC 1658: four years to sue under 47 USC 227; § 7a UWG: five years
            short=Sentence(
                "Messages go after %(days)s days. People may complain for years, and then nothing shows that a text was sent, "
                "or when: %(advised)s days are advised."
            ),
        ),
        Rule(
            setting="keep_webhooks_days",
            least_days=4,  # a webhook that fails is tried for three days
            advised_days=30,
            short=Sentence(
                "Webhook deliveries go after %(days)s days. Whoever looks for a lost call later finds nothing: %(advised)s days are advised."
            ),
        ),
    )
}
# What each setting is about: the kinds of records that the store can let go of.
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "keep_bodies_days": ("texts", "suggested", "handsets"),
    "keep_messages_days": ("messages", "refusals", "suggestions"),
    "keep_webhooks_days": ("webhooks",),
}
KINDS: Final = tuple(kind for kinds in _KINDS.values() for kind in kinds)


def problem(setting: str, value: object) -> Problem | None:
    """Why a setting cannot be `value`; None where it can. A value of None keeps for good."""
    rule = RULES[setting]
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and rule.least_days <= value <= DAYS_MAX):
        return None
    told = Sentence(
        "This is no number of days that can be kept: write one from %(least)s to %(most)s, or nothing to keep for good.",
        least=rule.least_days,
        most=DAYS_MAX,
    )
    return Problem(path=setting, message=told)


def warnings(settings: AccountSettings) -> list[Problem]:
    """What a careful operator would keep for longer."""
    found = []
    for rule in RULES.values():
        days = getattr(settings, rule.setting)
        if days is not None and days < rule.advised_days:
            found.append(Problem(path=rule.setting, message=rule.short.of(days=days, advised=rule.advised_days)))
    return found


def due(settings: AccountSettings, now: datetime) -> dict[str, datetime]:
    """Which kinds of records are to go, and up to when they were made. Under a legal hold none."""
    if settings.legal_hold:
        return {}
    found: dict[str, datetime] = {}
    for setting, kinds in _KINDS.items():
        days = getattr(settings, setting)
        if days is not None:
            found |= dict.fromkeys(kinds, now - timedelta(days=days))
    return found
