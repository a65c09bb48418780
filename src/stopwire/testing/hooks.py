"""Webhooks as a test sees them: what the gateway told the application, how that answered, whether the signature was right.

Read from the gateway's own log of deliveries, so it is the same for a URL, an ASGI and a WSGI application.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stopwire.core.jobs import Delivery, DeliveryAttempt
from stopwire.core.signing import SIGNATURE_HEADER, valid
from stopwire.flows.replay import replay
from stopwire.ports.store import Cut, Tx
from stopwire.testing import story
from stopwire.testing.inside import Inside

TIMEOUT_SECONDS = 2.0
HOOKS_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One webhook and the newest answer to it. `status` is HTTP's, None where there was no answer; `error` says why."""

    id: str
    event: str  # inbound | status
    url: str
    method: str
    form: Mapping[str, str]
    tries: int
    status: int | None
    answer: str
    error: str | None
    sid: str  # of the message


class Webhooks:
    def __init__(self, inside: Inside) -> None:
        self._in = inside
        self._seen: set[str] = set()

    @property
    def all(self) -> list[Hook]:
        """Those that were told, the oldest first."""
        return self._in.call(self._told())

    def wait(self, timeout: float = TIMEOUT_SECONDS, **form: str) -> Hook:
        """The next one that was told, of those with these parameters: `wait(MessageStatus="delivered")`."""
        found = self._in.call(self._next(timeout, form))
        if found is None:
            wanted = "".join(f" {name}={value}" for name, value in form.items())
            others = ", ".join(_brief(hook) for hook in self.all) or "none"
            last = story.last_word(self._in)
            raise AssertionError(f"waited {timeout:g} s for a webhook{wanted}; none came. Told so far: {others}. {last}".rstrip())
        self._seen.add(found.id)
        return found

    def replay(self, number: int = -1) -> None:
        """Tell it again: the one at this place of `all`, under the same token. `wait` gives it out anew."""
        hook = self.all[number]
        self._seen.discard(hook.id)
        self._in.call(replay(self._in.world, account=self._in.sid, id=hook.id))

    async def _next(self, seconds: float, form: Mapping[str, str]) -> Hook | None:
        async def ask() -> Hook | None:
            return next((hook for hook in await self._told() if hook.id not in self._seen and form.items() <= hook.form.items()), None)

        return await self._in.until(ask, seconds=seconds)

    async def _told(self) -> list[Hook]:
        def look(tx: Tx) -> list[tuple[Delivery, list[DeliveryAttempt]]]:
            found = [each for each in tx.webhooks.page(Cut(limit=HOOKS_MAX)) if each.state != "sending"]
            tried = tx.webhooks.attempts([each.id for each in found])
            return [(each, tried[each.id]) for each in reversed(found) if tried.get(each.id)]

        return [self._hook(delivery, tried) for delivery, tried in await self._in.world.store.read(look, account=self._in.sid)]

    def _hook(self, delivery: Delivery, tried: list[DeliveryAttempt]) -> Hook:
        last = tried[-1]
        headers = {str(name).lower(): str(value) for name, value in dict(last.request.get("headers", {})).items()}
        url, method = str(last.request.get("url", delivery.url)), str(last.request.get("method", delivery.method))
        params = dict(delivery.params) if method == "POST" else None
        signed = valid(self._in.token, url, params, headers.get(SIGNATURE_HEADER.lower(), ""))
        assert signed, f"The webhook {delivery.id} to {url} is not signed as it should be. This is a fault of Stopwire: report it."
        return Hook(
            id=delivery.id,
            event=delivery.event,
            url=url,
            method=method,
            form=delivery.params,
            tries=len(tried),
            status=last.response["status"] if last.response else None,
            answer=str(last.response.get("body", "")) if last.response else "",
            error=last.error,
            sid=delivery.message,
        )


def _brief(hook: Hook) -> str:
    said = hook.form.get("OptOutType") or hook.form.get("MessageStatus") or repr(hook.form.get("Body", ""))
    return f"{hook.event} {said} answered {hook.status if hook.status is not None else hook.error}"
