"""A typed client of the gateway: its own API under /api/v1, and the routes it shares with Twilio.

What the command line and the test kit use is what users can use. It knows the wire and nothing else of Stopwire:
no rule, no file, no setting. Answers are the JSON objects of the wire, as they came.
"""

import json
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import quote, urljoin, urlsplit

import httpx

Json = dict[str, Any]

TIMEOUT_SECONDS = 30.0
PAGE_LIMIT = 1000  # rows asked for at a time where a whole list is wanted
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class ClientError(Exception):
    """The gateway answered with an error: `status` is HTTP's, `code` Twilio's where it has one.

    `errors` names the fields that are wrong: `[{path, message}]`.
    """

    def __init__(self, status: int, title: str, detail: str = "", errors: Sequence[Json] = (), *, code: int | None = None) -> None:
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = list(errors)
        self.code = code
        super().__init__(f"{status}: {detail or title}")


class Unreachable(Exception):
    """No answer came: nothing listens there, or it took too long."""

    def __init__(self, url: str, cause: str) -> None:
        self.url = url
        self.cause = cause
        super().__init__(f"There is no answer from {url}: {cause}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the live tail."""

    id: str
    event: str
    data: Json


def _trust(url: str) -> ssl.SSLContext | bool:
    """Whose certificates are believed: the usual authorities'. Where TLS is not spoken they are not read, which takes a moment: nobody's are."""
    return True if urlsplit(url).scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Client:
    """One account's client, over one connection pool. Close it, or use it in a `with` statement."""

    def __init__(
        self,
        url: str,
        account_sid: str,
        auth_token: str,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.account_sid = account_sid
        self._http = httpx.Client(
            base_url=self.url,
            auth=(account_sid, auth_token),
            timeout=timeout_seconds,
            transport=transport,
            trust_env=urlsplit(self.url).hostname not in LOOPBACK,  # no proxy stands between us and ourselves
            verify=_trust(self.url),
        )

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # Messages

    def send(
        self,
        *,
        to: str,
        body: str | None = None,
        from_: str | None = None,
        service: str | None = None,
        media: Sequence[str] = (),
        send_at: datetime | None = None,
        status_callback: str | None = None,
        idempotency_key: str | None = None,
    ) -> Json:
        """Send one message, by `from_` or by a messaging service. ClientError with `code` 21610 if `to` is blocked."""
        form: dict[str, str | list[str]] = _given(To=to, Body=body, From=from_, MessagingServiceSid=service, StatusCallback=status_callback)
        if media:
            form["MediaUrl"] = list(media)
        if send_at is not None:
            form |= {"ScheduleType": "fixed", "SendAt": send_at.isoformat()}
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._object("POST", f"{self._account}/Messages.json", data=form, headers=headers)

    def send_batch(
        self,
        recipients: Sequence[Json],
        *,
        body: str | None = None,
        template: str | None = None,
        from_: str | None = None,
        service: str | None = None,
    ) -> Json:
        """Send to up to 10,000 recipients `{to, variables?}`: one answer each, in their order."""
        fields = _given(body=body, template=template, service=service, **{"from": from_})
        return self._object("POST", "/api/v1/messages", json={**fields, "recipients": list(recipients)})

    def messages(self, *, to: str | None = None, from_: str | None = None, day: str | None = None, page_size: int = 50) -> Iterator[Json]:
        """Messages, the newest first; `day` is YYYY-MM-DD in UTC."""
        params = _given(To=to, From=from_, DateSent=day)
        return self._pages(f"{self._account}/Messages.json", "messages", params=params, page_size=page_size)

    def message(self, sid: str) -> Json:
        return self._object("GET", f"{self._account}/Messages/{_part(sid)}.json")

    def cancel(self, sid: str) -> Json:
        """Take back a scheduled message."""
        return self._object("POST", f"{self._account}/Messages/{_part(sid)}.json", data={"Status": "canceled"})

    def explain(self, sid: str) -> Json:
        """Why a message, or a refusal `RF…`, ended as it did."""
        return self._object("GET", f"/api/v1/messages/{_part(sid)}/explain")

    def refusals(self) -> Iterator[Json]:
        return self._items("/api/v1/refusals")

    def events(self, *, after: str | None = None) -> Iterator[Event]:
        """The live tail, until the gateway closes it. Server-sent events; `after` resumes behind that id."""
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": after} if after else {})}
        timeout = httpx.Timeout(TIMEOUT_SECONDS, read=120)  # the gateway's heartbeat is more frequent
        with self._stream("GET", "/api/v1/events", headers=headers, timeout=timeout) as answer:
            yield from _server_sent(answer.iter_lines())

    # Opt-outs

    def check_blocks(self, items: Sequence[Mapping[str, str]]) -> list[Json]:
        """Up to 10,000 questions `{from|service, to}`, answered `{blocked, because}` in their order."""
        answer = self._object("POST", "/api/v1/blocks/check", json={"items": [dict(item) for item in items]})
        return list(answer["items"])

    def blocks(
        self,
        *,
        recipient: str | None = None,
        scope: str | None = None,
        reason: str | None = None,
        since: str | None = None,
        limit: int = PAGE_LIMIT,
    ) -> Iterator[Json]:
        params = _given(recipient=recipient, scope=scope, reason=reason, since=since)
        return self._items("/api/v1/blocks", params=params, limit=limit)

    def block(self, recipient: str, *, scope: str, reason: str = "api", note: str | None = None) -> Json:
        fields = _given(recipient=recipient, scope=scope, reason=reason, note=note)
        return self._object("POST", "/api/v1/blocks", json=fields)

    def lift(self, recipient: str, *, scope: str, note: str | None = None) -> Json:
        fields = _given(recipient=recipient, scope=scope, note=note)
        return self._object("DELETE", "/api/v1/blocks", json=fields)

    def erase(self, recipient: str) -> Json:
        """Erase a person; their blocks stay. It does not come back."""
        return self._object("POST", f"/api/v1/recipients/{quote(recipient, safe='')}/erase")

    def import_blocks(
        self,
        rows: IO[bytes],
        *,
        content_type: str = "text/csv",
        scope: str | None = None,
        reason: str | None = None,
    ) -> Json:
        """Start an import from an open file, CSV or NDJSON; ask `import_state` how it goes."""
        return self._object(
            "POST",
            "/api/v1/blocks/import",
            params=_given(scope=scope, reason=reason),
            content=iter(lambda: rows.read(65_536), b""),
            headers={"Content-Type": content_type},
            timeout=None,  # as long as the file is
        )

    def import_state(self, id: str) -> Json:
        return self._object("GET", f"/api/v1/imports/{_part(id)}")

    def import_rows(self, results_url: str) -> Iterator[Json]:
        """The rows of an import, each with what became of it."""
        return self._items(self._own(results_url))

    def export_blocks(self, format: str = "csv") -> Iterator[bytes]:
        with self._stream("GET", "/api/v1/blocks/export", params={"format": format}) as answer:
            yield from answer.iter_bytes()

    def consent_events(self, *, recipient: str | None = None, limit: int = PAGE_LIMIT) -> Iterator[Json]:
        return self._items("/api/v1/consent-events", params=_given(recipient=recipient), limit=limit)

    def evidence(self, recipient: str) -> Json:
        return self._object("GET", f"/api/v1/evidence/{_part(recipient)}")

    def verify_ledger(self) -> Json:
        return self._object("GET", "/api/v1/ledger/verify", timeout=None)  # a long ledger takes its time

    def suggestions(self, *, state: str | None = None) -> Iterator[Json]:
        return self._items("/api/v1/suggestions", params=_given(state=state))

    def confirm_suggestion(self, id: str, *, note: str | None = None) -> Json:
        return self._object("POST", f"/api/v1/suggestions/{_part(id)}/confirm", json=_given(note=note))

    def dismiss_suggestion(self, id: str, *, note: str | None = None) -> Json:
        return self._object("POST", f"/api/v1/suggestions/{_part(id)}/dismiss", json=_given(note=note))

    def alerts(self, *, state: str | None = None, kind: str | None = None) -> Iterator[Json]:
        return self._items("/api/v1/alerts", params=_given(state=state, kind=kind))

    def take_alert(self, id: str) -> Json:
        return self._object("POST", f"/api/v1/alerts/{_part(id)}/take")

    def mute_alert(self, id: str, minutes: int) -> Json:
        """Mute it for so long; with 0 end the mute."""
        return self._object("POST", f"/api/v1/alerts/{_part(id)}/mute", json={"minutes": minutes})

    def alert_rules(self) -> list[Json]:
        return list(self._object("GET", "/api/v1/alerts/rules")["items"])

    def put_alert_rule(self, kind: str, rule: Mapping[str, Any]) -> Json:
        return self._object("PUT", f"/api/v1/alerts/rules/{_part(kind)}", json=dict(rule))

    def mute_alert_rule(self, kind: str, minutes: int) -> Json:
        return self._object("POST", f"/api/v1/alerts/rules/{_part(kind)}/mute", json={"minutes": minutes})

    # Policies

    def policy(self, service: str) -> Json:
        return self._object("GET", _policy(service))

    def put_policy(self, service: str, policy: Mapping[str, Any], *, if_version: int | None = None) -> Json:
        """Replace the policy; ClientError 412 if `if_version` is not the one in force, 422 if it cannot hold."""
        headers = {"If-Match": str(if_version)} if if_version is not None else {}
        return self._object("PUT", _policy(service), json=dict(policy), headers=headers)

    def policy_versions(self, service: str) -> Iterator[Json]:
        return self._items(f"{_policy(service)}/versions")

    def policy_version(self, service: str, version: int) -> Json:
        return self._object("GET", f"{_policy(service)}/versions/{version}")

    def rollback_policy(self, service: str, version: int) -> Json:
        return self._object("POST", f"{_policy(service)}/rollback", json={"version": version})

    def policy_difference(self, service: str, *, old: int, new: int) -> Json:
        return self._object("GET", f"{_policy(service)}/diff", params={"from": old, "to": new})

    def export_policy(self, service: str, format: str = "toml") -> str:
        return self._ask("GET", f"{_policy(service)}/export", params={"format": format}).text

    def import_policy(self, service: str, content: bytes, format: str = "toml") -> Json:
        headers = {"Content-Type": f"application/{format}"}
        return self._object("POST", f"{_policy(service)}/import", content=content, headers=headers)

    def test_policy(self, service: str, body: str, *, from_: str | None = None, to: str | None = None) -> Json:
        """What the text `body` from that person would do. Nothing changes."""
        fields = _given(body=body, to=to, **{"from": from_})
        return self._object("POST", f"{_policy(service)}/test", json=fields)

    # Services and senders

    def services(self) -> Iterator[Json]:
        return self._pages("/v1/Services", "services")

    def service(self, sid: str) -> Json:
        return self._object("GET", f"/v1/Services/{_part(sid)}")

    def create_service(self, friendly_name: str, **fields: str) -> Json:
        """A new messaging service; other `fields` are Twilio's, as in `InboundRequestUrl="https://…"`."""
        return self._object("POST", "/v1/Services", data={"FriendlyName": friendly_name, **fields})

    def delete_service(self, sid: str) -> None:
        self._ask("DELETE", f"/v1/Services/{_part(sid)}")

    def service_members(self, service: str, members: str) -> Iterator[Json]:
        """`members` is the last word of the path: PhoneNumbers, ShortCodes, AlphaSenders or ChannelSenders."""
        return self._pages(f"/v1/Services/{_part(service)}/{members}", None)

    def add_member(self, service: str, members: str, field: str, value: str) -> Json:
        return self._object("POST", f"/v1/Services/{_part(service)}/{members}", data={field: value})

    def remove_member(self, service: str, members: str, sid: str) -> None:
        self._ask("DELETE", f"/v1/Services/{_part(service)}/{members}/{_part(sid)}")

    def senders(self) -> Iterator[Json]:
        """All senders of the account: `{sid, address, kind, country, service, …}`."""
        return self._items("/api/v1/senders")

    def update_sender(self, sid: str, **fields: Any) -> Json:
        return self._object("PATCH", f"/api/v1/senders/{_part(sid)}", json=fields)

    def available_numbers(self, country: str, kind: str = "Local", *, area_code: str | None = None, contains: str | None = None) -> list[Json]:
        """Numbers that could be bought; `kind` is Local, TollFree, Mobile or National."""
        path = f"{self._account}/AvailablePhoneNumbers/{_part(country)}/{_part(kind)}.json"
        answer = self._object("GET", path, params=_given(AreaCode=area_code, Contains=contains))
        return list(answer["available_phone_numbers"])

    def buy_number(self, *, number: str | None = None, area_code: str | None = None, **fields: str) -> Json:
        form = _given(PhoneNumber=number, AreaCode=area_code) | fields
        return self._object("POST", f"{self._account}/IncomingPhoneNumbers.json", data=form)

    def update_number(self, sid: str, **fields: str) -> Json:
        """Change a number (PN…) or short code (SC…); `fields` are Twilio's, as in `SmsUrl="https://…"`."""
        resource = "SMS/ShortCodes" if sid.startswith("SC") else "IncomingPhoneNumbers"
        return self._object("POST", f"{self._account}/{resource}/{_part(sid)}.json", data=fields)

    def release_number(self, sid: str) -> None:
        self._ask("DELETE", f"{self._account}/IncomingPhoneNumbers/{_part(sid)}.json")

    # Account, keys, webhooks

    def account(self) -> Json:
        return self._object("GET", "/api/v1/account")

    def change_account(self, changes: Mapping[str, Any]) -> Json:
        """Set settings of the account by their names; answers the account as it is then."""
        return self._object("PATCH", "/api/v1/account", json=dict(changes))

    def keys(self) -> Iterator[Json]:
        return self._pages(f"{self._account}/Keys.json", "keys")

    def create_key(self, friendly_name: str = "") -> Json:
        return self._object("POST", f"{self._account}/Keys.json", data={"FriendlyName": friendly_name})

    def delete_key(self, sid: str) -> None:
        self._ask("DELETE", f"{self._account}/Keys/{_part(sid)}.json")

    def create_secondary_token(self) -> Json:
        return self._object("POST", "/v1/AuthTokens/Secondary")

    def promote_secondary_token(self) -> Json:
        return self._object("POST", "/v1/AuthTokens/Promote")

    def delete_secondary_token(self) -> None:
        self._ask("DELETE", "/v1/AuthTokens/Secondary")

    def deliveries(self, *, message: str | None = None, state: str | None = None) -> Iterator[Json]:
        return self._items("/api/v1/webhook-deliveries", params=_given(message=message, state=state))

    def delivery(self, id: str) -> Json:
        return self._object("GET", f"/api/v1/webhook-deliveries/{_part(id)}")

    def replay_delivery(self, id: str) -> Json:
        return self._object("POST", f"/api/v1/webhook-deliveries/{_part(id)}/replay")

    # Carriers

    def carriers(self) -> Iterator[Json]:
        """Connections to carriers, the simulator among them."""
        return self._items("/api/v1/carriers")

    def carrier_types(self) -> Iterator[Json]:
        return self._items("/api/v1/carrier-types")

    def carrier(self, name: str) -> Json:
        return self._object("GET", f"/api/v1/carriers/{_part(name)}")

    def add_carrier(self, name: str, type: str, settings: Mapping[str, Any], **more: Any) -> Json:
        """`more`: senders, failover, opt_out_by, paused. Secrets are settings like others, and are in no answer."""
        return self._object("POST", "/api/v1/carriers", json={"name": name, "type": type, "settings": dict(settings), **more})

    def change_carrier(self, name: str, **changes: Any) -> Json:
        return self._object("PATCH", f"/api/v1/carriers/{_part(name)}", json=changes)

    def remove_carrier(self, name: str) -> Json:
        return self._object("DELETE", f"/api/v1/carriers/{_part(name)}")

    def pause_carrier(self, name: str) -> Json:
        return self._object("POST", f"/api/v1/carriers/{_part(name)}/pause")

    def resume_carrier(self, name: str) -> Json:
        return self._object("POST", f"/api/v1/carriers/{_part(name)}/resume")

    def test_carrier(self, name: str) -> Json:
        """`{name, ok, detail}`: how the connection is, tried anew where it is not up."""
        return self._object("POST", f"/api/v1/carriers/{_part(name)}/test")

    def carrier_log(self, name: str) -> Iterator[Json]:
        return self._items(f"/api/v1/carriers/{_part(name)}/log")

    def smpp_binds(self) -> Iterator[Json]:
        """Applications that are bound to the gateway now."""
        return self._items("/api/v1/smpp-binds")

    def unbind(self, id: str) -> Json:
        """End a bind in order. The application may bind again."""
        return self._object("DELETE", f"/api/v1/smpp-binds/{_part(id)}")

    def stats(self, by: str = "day") -> Json:
        return self._object("GET", "/api/v1/stats", params={"by": by})

    # Simulator

    def text(self, handset: str, *, to: str, body: str, **more: Any) -> Json:
        """A handset sends a text to one of our senders: `{id, message_sid, fate}`, once it is committed."""
        return self._object("POST", f"{_phone(handset)}/messages", json={"to": to, "body": body, **more})

    def phones(self) -> Iterator[Json]:
        """The handsets that were used, or that are not reached as usual."""
        return self._items("/api/v1/simulator/phones")

    def phone(self, handset: str) -> Json:
        """`{address, on, delay_seconds, loss, duplicates, waiting}`."""
        return self._object("GET", _phone(handset))

    def change_phone(self, handset: str, **changes: Any) -> Json:
        """Switch a handset off (`on=False`) or on; `delay_seconds`, `loss`, `duplicates` of its network."""
        return self._object("PATCH", _phone(handset), json=changes)

    def chaos(self) -> Json:
        """What goes wrong for every handset of the account."""
        return self._object("GET", "/api/v1/simulator/chaos")

    def set_chaos(self, **chaos: Any) -> Json:
        """Let it go wrong: delay_seconds, loss, duplicates, lost_reports, shuffled, down, per_second, silent. None: all is well."""
        if not chaos:
            return self._object("DELETE", "/api/v1/simulator/chaos")
        return self._object("PUT", "/api/v1/simulator/chaos", json=chaos)

    def conversation(self, handset: str, *, after: str | None = None) -> list[Json]:
        """What that handset sent (`out`) and received (`in`), in order."""
        found: list[Json] = []
        while True:
            params = _given(after=after, limit=PAGE_LIMIT)
            answer = self._object("GET", f"{_phone(handset)}/messages", params=params)
            found += answer["items"]
            after = answer.get("next")
            if not after:
                return found

    # Probes

    def ready(self) -> Json:
        """The gateway's own account of its state; also where it says that it is not ready."""
        answer = self._raw("GET", "/readyz")
        told = _json(answer)
        return {"ok": answer.is_success, **(told if isinstance(told, dict) else {})}

    def server_date(self) -> str | None:
        """The clock of the gateway, as HTTP has it."""
        date = self._raw("GET", "/livez").headers.get("Date")
        return None if date is None else str(date)

    # The wire

    @property
    def _account(self) -> str:
        return f"/2010-04-01/Accounts/{_part(self.account_sid)}"

    def _raw(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **more)
        except httpx.TransportError as error:
            raise Unreachable(self.url, _cause(error)) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise Unreachable(self.url, f"it is no URL ({error})") from None

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = self._raw(method, path, **more)
        if not answer.is_success:
            raise _error(answer)
        return answer

    def _object(self, method: str, path: str, **more: Any) -> Json:
        answer = self._ask(method, path, **more)
        told = _json(answer)
        if not isinstance(told, dict):
            raise ClientError(answer.status_code, "No gateway", f"{self.url} answers, but not as a Stopwire gateway does")
        return told

    def _stream(self, method: str, path: str, **more: Any) -> "_Streamed":
        return _Streamed(self._http, self.url, method, path, more)

    def _items(self, path: str, *, params: Mapping[str, Any] | None = None, limit: int = PAGE_LIMIT) -> Iterator[Json]:
        """The items of a native list, page after page."""
        cursor: str | None = None
        while True:
            asked = {**(params or {}), "limit": limit, **({"cursor": cursor} if cursor else {})}
            answer = self._object("GET", path, params=asked)
            yield from answer["items"]
            cursor = answer.get("next")
            if not cursor:
                return

    def _pages(self, path: str, key: str | None, *, params: Mapping[str, Any] | None = None, page_size: int = 50) -> Iterator[Json]:
        """The items of a Twilio list, page after page, in either of its two styles."""
        answer = self._object("GET", path, params={**(params or {}), "PageSize": page_size})
        while True:
            meta = answer.get("meta") or {}
            yield from answer[key or meta["key"]]
            following = meta.get("next_page_url") or answer.get("next_page_uri")
            if not following:
                return
            answer = self._object("GET", self._own(following))

    def _own(self, address: str) -> str:
        """`address` at our own host: credentials never travel to another one."""
        parts = urlsplit(urljoin(self.url, address))
        return parts.path + (f"?{parts.query}" if parts.query else "")


class _Streamed:
    """An answer that is read as it comes."""

    def __init__(self, http: httpx.Client, url: str, method: str, path: str, more: Json) -> None:
        self._url = url
        self._context = http.stream(method, path, **more)

    def __enter__(self) -> httpx.Response:
        try:
            answer = self._context.__enter__()
        except httpx.TransportError as error:
            raise Unreachable(self._url, _cause(error)) from None
        if not answer.is_success:
            answer.read()
            self._context.__exit__(None, None, None)
            raise _error(answer)
        return answer

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._context.__exit__(kind, error, trace)
        if isinstance(error, httpx.TransportError):
            raise Unreachable(self._url, _cause(error)) from None


def _given(**fields: Any) -> dict[str, Any]:
    """The fields that were given at all."""
    return {name: value for name, value in fields.items() if value is not None}


def _part(text: str) -> str:
    """`text` as one part of a path."""
    return quote(text, safe="")


def _policy(service: str) -> str:
    return f"/api/v1/services/{_part(service)}/opt-out"


def _phone(handset: str) -> str:
    return f"/api/v1/simulator/phones/{_part(handset)}"


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _error(answer: httpx.Response) -> ClientError:
    """The error of either API: RFC 9457's, or Twilio's four keys."""
    told = _json(answer)
    if not isinstance(told, dict):
        return ClientError(answer.status_code, answer.reason_phrase or "Error", answer.text[:200])
    code = told.get("code")
    title = str(told.get("title") or told.get("message") or "Error")
    return ClientError(answer.status_code, title, str(told.get("detail") or ""), told.get("errors") or (), code=code)


def _cause(error: httpx.TransportError) -> str:
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return "it does not take the connection"
        case httpx.TimeoutException():
            return "it took too long"
        case httpx.ConnectError():
            return "nothing listens there" if "refused" in str(error).lower() else str(error) or "no connection"
        case _:
            return str(error) or type(error).__name__


def _server_sent(lines: Iterable[str]) -> Iterator[Event]:
    """Events from the lines of a text/event-stream. https://html.spec.whatwg.org/multipage/server-sent-events.html"""
    id, name, data = "", "message", list[str]()
    for line in lines:
        if not line:
            if data:
                told = json.loads("\n".join(data))
                yield Event(id=id, event=name, data=told if isinstance(told, dict) else {"value": told})
            name, data = "message", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match field:
            case "id":
                id = value
            case "event":
                name = value
            case "data":
                data.append(value)
