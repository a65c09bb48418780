"""Connection overrides: the rules that a webhook URL's fragment carries, as `#ct=2000&rc=2&rp=5xx`.

Source: twilio.com/docs/usage/webhooks/webhooks-connection-overrides
"""

from dataclasses import dataclass, replace

from stopwire.core.errors import title

_POLICIES = ("4xx", "5xx", "ct", "rt", "all")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """Time limits in seconds, `retries` beyond the first request, and on what to retry."""

    connect_seconds: float = 5.0
    read_seconds: float = 15.0
    total_seconds: float = 15.0
    retries: int = 1
    policy: frozenset[str] = frozenset({"ct"})
    sni: bool = True

    def again(self, *, status: int | None, failure: str | None) -> bool:
        """Whether the same request may be made once more after this status, or this kind of failure."""
        on_all = "all" in self.policy
        if failure in ("connect", "connect_timeout", "tls", "dns"):
            return on_all or "ct" in self.policy
        if failure in ("read_timeout", "total_timeout"):
            return on_all or "rt" in self.policy
        if failure == "closed":
            return on_all
        if failure is not None or status is None:
            return False  # what arrived was no answer, or we refuse the address
        if 400 <= status < 500:
            return on_all or "4xx" in self.policy
        return status >= 500 and (on_all or "5xx" in self.policy)


def read(fragment: str) -> tuple[Overrides, str | None]:
    """The rules in `fragment`, and what is malformed in it. Anything malformed leaves all defaults in force (11243)."""
    rules = Overrides()
    if not fragment or "=" not in fragment:
        return rules, None
    for pair in fragment.split("&"):
        name, _, value = pair.partition("=")
        changed = _apply(rules, name, value)
        if changed is None:
            return Overrides(), f"{title(11243)}: {name}={value}"
        rules = changed
    return rules, None


def _apply(rules: Overrides, name: str, value: str) -> Overrides | None:
    match name:
        case "ct" if _within(value, 100, 10_000):
            return replace(rules, connect_seconds=int(value) / 1000)
        case "rt" if _within(value, 100, 15_000):
            return replace(rules, read_seconds=int(value) / 1000)
        case "tt" if _within(value, 100, 15_000):
            return replace(rules, total_seconds=int(value) / 1000)
        case "rc" if _within(value, 0, 5):
            return replace(rules, retries=int(value))
        case "rp" if value and all(part in _POLICIES for part in value.split(",")):
            return replace(rules, policy=frozenset(value.split(",")))
        case "sni" if value in ("y", "n"):
            return replace(rules, sni=value == "y")
        case "e":
            return rules  # egress edges: accepted, without effect
        case _:
            return None


def _within(value: str, least: int, most: int) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 7 and least <= int(value) <= most
