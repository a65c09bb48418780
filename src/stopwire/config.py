"""Every setting of the gateway: name, meaning, unit, default; and where the value in force came from.

One schema: the reference, the error sentences and `config show` are all read from it. Nothing here opens a
database, a socket or a log, and no setting is read from the environment anywhere else.
"""

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit, urlunsplit

import platformdirs
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from stopwire.ports.http import PrivateTargets

PREFIX = "STOPWIRE_"
FILE_NAME = "stopwire.toml"
CONFIG_VARIABLE = "STOPWIRE_CONFIG"  # the environment's form of --config
NOT_SETTINGS = {CONFIG_VARIABLE, "STOPWIRE_URL"}  # read by the command line, not by the gateway
FREEZE_SECONDS = 0.5  # what a frozen process may lose between its mark and its write
SECRETS = {"auth_token"}
FILE_ONLY = {"carriers"}  # tables: no flag and no variable can hold one


class Role(StrEnum):
    """What one process of the gateway does."""

    ALL = "all"
    API = "api"
    WORKER = "worker"


class ConfigError(Exception):
    """The settings cannot be used. `sentences` name each setting, where it came from, and the cure."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self.sentences = list(sentences)
        super().__init__("\n".join(self.sentences))


def _listed(value: object) -> object:
    """`a, b` is a list of two wherever a list is asked for: the environment and flags know only text."""
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(",") if item.strip())
    return value


Listed = Annotated[tuple[str, ...], BeforeValidator(_listed)]
# The options of `stopwire up`; every other setting comes from the environment or the file.
UP_OPTIONS = {"host", "port", "data_dir", "demo", "database", "smpp_host", "smpp_port", "role", "workers", "quiet", "open"}


def default_data_dir() -> Path:
    """The platform's user data directory."""
    return Path(platformdirs.user_data_dir("stopwire", appauthor=False))


class Carrier(BaseModel):
    """A connection as the file has it: these, and beside them the settings of its type.

    A setting `NAME_file` is the content of that file, `NAME_env` that variable of the environment: for secrets.
    """

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    type: str
    senders: tuple[str, ...] = ()
    failover: tuple[str, ...] | None = None
    opt_out_by: Literal["us", "carrier"] | None = None
    paused: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Settings(BaseModel):
    """The settings in force. Frozen: a change is a restart."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(7867, ge=0, le=65_535, description="TCP port to listen on; 0 takes any free one.")
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Folder of the database, keys and credentials. "
        "Default: the platform's user data directory, with --demo its sub-folder `demo`.",
    )
    demo: bool = Field(False, description="Start with a ready-made account, senders, handsets and a little traffic.")
    database: str = Field(
        "",
        repr=False,
        description="URL of the store, `sqlite:///…` or `postgresql://…`; empty means SQLite in the data folder.",
    )
    smpp_host: str = Field("127.0.0.1", description="Address to wait for SMPP customers on.")
    smpp_port: int | None = Field(
        None, ge=0, le=65_535, description="TCP port for SMPP customers, usually 2775; 0 takes any free one, empty means none."
    )
    smpp_tls_cert: Path | None = Field(
        None, description="Certificate chain (PEM) of the SMPP port; with it the port speaks TLS only."
    )
    smpp_tls_key: Path | None = Field(None, description="Private key (PEM) of `smpp_tls_cert`; empty: it is in the same file.")
    role: Role = Field(
        Role.ALL,
        description="What this process does: `all`, `api` (answers requests) or `worker` (sends and delivers).",
    )
    workers: int | None = Field(
        None, ge=0, le=256, description="Door processes beside the core process; empty means 0."
    )
    quiet: bool = Field(False, description="No demo traffic, and only warnings on the terminal.")
    open: bool = Field(False, description="Open the console in a browser after the start.")
    public_url: str = Field(
        "",
        description="Base URL under which others reach the gateway; it stands in absolute links and media URLs. "
        "Empty means the host each request used.",
    )
    hosts: Listed = Field(
        (),
        description="Host names accepted in requests, besides loopback names, `host`, that of `public_url` "
        "and Twilio's API hosts; `*` accepts any. Comma-separated.",
    )
    forwarded_allow: Listed = Field(
        (),
        description="Addresses or networks of proxies whose X-Forwarded-* headers are believed. Comma-separated.",
    )
    account_sid: str = Field("", description="SID of the first account; empty means a random one. First start only.")
    auth_token: str = Field(
        "", repr=False, description="Auth token of the first account; empty means a random one. First start only."
    )
    opt_out_scope: Literal["holder", "account"] = Field(
        "holder",
        description="What a STOP covers in a new account: the sender or service that got it, or all of the account.",
    )
    allow_private_webhooks: PrivateTargets = Field(
        PrivateTargets.NONE,
        description="Addresses that are not public and may be called: `none`, `loopback` or `all`. "
        "Default with --demo: `loopback`.",
    )
    media_auth: Literal["none", "basic"] = Field(
        "none", description="What fetching a message's media asks for: nothing, or the account's Basic credentials."
    )
    webhook_endpoint_parallel: int = Field(
        10, ge=1, le=1000, description="Most webhooks under way to one endpoint at a time."
    )
    stop_wait_seconds: float = Field(
        2.0,
        ge=0,
        le=20,
        allow_inf_nan=False,
        description="Longest wait, in seconds, of a STOP's acknowledgement for messages already at the carrier; "
        "at least write_deadline_seconds + 0.5.",
    )
    write_deadline_seconds: float = Field(
        1.0,
        gt=0,
        le=19.5,
        allow_inf_nan=False,
        description="Seconds from its mark in which a message must reach the carrier's socket; else it starts again.",
    )
    sender_queue_max: int = Field(
        1_000_000,
        ge=0,
        description="Messages that may wait for one sender; more are refused with 21611. A sender with a speed of its own has "
        "room for ten hours of it, if that is less. 0: any number may wait.",
    )
    free_space_floor_mib: int = Field(
        64, ge=0, description="Free disk space, in MiB, below which no outbound message is accepted."
    )
    carriers: Mapping[str, Carrier] = Field(
        default_factory=dict,
        repr=False,
        description="Connections to carriers, a table `[carriers.NAME]` each; in the file only. Applied at each start.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least weight of a log event.")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="`json` lines, `text` for people, or `auto`: text on a terminal, else JSON."
    )

    @property
    def database_url(self) -> str:
        """The store's URL, also where none was given."""
        return self.database or f"sqlite:///{self.data_dir / 'stopwire.db'}"

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("host", "smpp_host")
    @classmethod
    def _host(cls, value: str) -> str:
        if not value or re.search(r"[\s/@]", value):
            raise ValueError("a host name or an IP address is needed")
        return value

    @field_validator("database")
    @classmethod
    def _database(cls, value: str) -> str:
        if value and not re.match(r"(sqlite|postgresql)(\+\w+)?://", value):
            raise ValueError("a URL that begins with sqlite:// or postgresql:// is needed")
        return value

    @field_validator("public_url")
    @classmethod
    def _public_url(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("a URL such as https://sms.example.com is needed")
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("a base URL has no query, no fragment and no credentials")
        return value.rstrip("/")

    @field_validator("forwarded_allow")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for item in value:
            try:
                ipaddress.ip_network(item, strict=False)
            except ValueError:
                raise ValueError(f"{item!r} is not an address or network such as 10.0.0.0/8") from None
        return value

    @field_validator("account_sid")
    @classmethod
    def _account_sid(cls, value: str) -> str:
        if value and not re.fullmatch(r"AC[0-9a-fA-F]{32}", value):
            raise ValueError("AC and 32 hexadecimal digits are needed")
        return value

    @field_validator("auth_token")
    @classmethod
    def _auth_token(cls, value: str) -> str:
        if value and not re.fullmatch(r"[!-~]{8,128}", value):
            raise ValueError("8 to 128 printable ASCII characters without spaces are needed")
        return value

    @model_validator(mode="after")
    def _a_frozen_write_ends_before_the_acknowledgement(self) -> "Settings":
        least = self.write_deadline_seconds + FREEZE_SECONDS
        if self.stop_wait_seconds < least:
            raise ValueError(
                f"stop_wait_seconds is {self.stop_wait_seconds:g}, but write_deadline_seconds is "
                f"{self.write_deadline_seconds:g}: raise stop_wait_seconds to {least:g} or more"
            )
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The settings in force, and for each name where its value came from."""

    settings: Settings
    origins: Mapping[str, str]
    notes: tuple[str, ...] = ()  # what looks like a mistake but stops nothing


def load(flags: Mapping[str, object], *, environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Loaded:
    """The settings by flag > environment > file > default. Raises `ConfigError` with every fault, not the first.

    `flags` are by setting name; None means not given. `config` among them (or STOPWIRE_CONFIG) names the file;
    else it is `stopwire.toml` in the working directory, or, where that is absent, in the data folder.
    """
    environ = os.environ if environ is None else environ
    given = {name: value for name, value in flags.items() if value is not None}
    config = given.pop("config", None) or environ.get(CONFIG_VARIABLE) or None
    if unknown := given.keys() - Settings.model_fields.keys():
        raise ConfigError(_unknown(name, "flag") for name in sorted(unknown))

    values: dict[str, object] = dict(given)
    origins = dict.fromkeys(values, "flag")
    for name in Settings.model_fields.keys() - FILE_ONLY:
        variable = PREFIX + name.upper()
        # An empty variable is an unset one: container files cannot leave a variable out.
        if name not in values and environ.get(variable):
            values[name], origins[name] = environ[variable], f"environment {variable}"

    for path, shown in _candidates(config, values, cwd or Path.cwd()):
        if config or path.exists():
            for name, value in _filled(_read(path, shown), path.parent, environ, shown).items():
                if name not in values:
                    values[name], origins[name] = value, f"file {shown}"
            break

    for name, value in _defaults(values).items():
        if name not in values:
            values[name], origins[name] = value, "default"
    return Loaded(
        settings=_validated(values, origins),
        origins={name: origins.get(name, "default") for name in Settings.model_fields},
        notes=tuple(_strange_variables(environ)),
    )


def show(loaded: Loaded) -> list[tuple[str, str, str]]:
    """Rows of name, value, origin for people to read. Secrets, and the password in a URL, are masked."""
    rows = []
    for name in Settings.model_fields:
        value = getattr(loaded.settings, name)
        rows.append((name, _masked(name, value), loaded.origins[name]))
    return rows


def reference() -> str:
    """All settings as a Markdown table, in the order of the schema."""
    lines = ["| setting | flag | environment | default | meaning |", "|---|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        flag = f"`--{name.replace('_', '-')}`" if name in UP_OPTIONS else ""
        default = "" if field.is_required() or field.default_factory else _text(field.get_default())
        default = f"`{default}`" if default else ""
        variable = "" if name in FILE_ONLY else f"`{PREFIX}{name.upper()}`"
        lines.append(f"| `{name}` | {flag} | {variable} | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def _candidates(config: object, values: Mapping[str, object], cwd: Path) -> list[tuple[Path, str]]:
    """Where the file may be, in order, each with the name a person is told."""
    if config:
        return [(Path(str(config)).expanduser(), str(config))]
    data_dir = Path(str(values.get("data_dir") or _defaults(values)["data_dir"])).expanduser()
    return [(cwd / FILE_NAME, f"./{FILE_NAME}"), (data_dir / FILE_NAME, str(data_dir / FILE_NAME))]


def _defaults(values: Mapping[str, object]) -> dict[str, object]:
    """Defaults that depend on another setting."""
    if not _is_true(values.get("demo", False)):
        return {"data_dir": default_data_dir()}
    return {"data_dir": default_data_dir() / "demo", "allow_private_webhooks": PrivateTargets.LOOPBACK}


def _is_true(value: object) -> bool:
    """As the schema reads a boolean; what it cannot read is its fault to report, later."""
    return value is True or str(value).strip().lower() in ("1", "true", "t", "yes", "y", "on")


def _read(path: Path, shown: str) -> dict[str, object]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{shown} is not TOML: {error}. Correct that line."]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{shown} is not UTF-8 text. Save it as UTF-8."]) from None
    except OSError as error:
        raise ConfigError([f"{shown} cannot be read: {error.strerror}. Correct the name or its permissions."]) from None
    if unknown := [name for name in content if name not in Settings.model_fields]:
        raise ConfigError(_unknown(name, f"file {shown}") for name in unknown)
    return content


def _filled(
    content: dict[str, object], folder: Path, environ: Mapping[str, str], shown: str
) -> dict[str, object]:
    """`content` with the secrets of its carriers, from the files and variables that it names."""
    tables = content.get("carriers")
    if not isinstance(tables, dict):
        return content
    filled: dict[str, object] = {}
    for carrier, table in tables.items():
        if isinstance(table, dict):
            table = dict(_secret(carrier, name, value, folder, environ, shown) for name, value in table.items())
        filled[carrier] = table
    return {**content, "carriers": filled}


def _secret(
    carrier: str, name: str, value: object, folder: Path, environ: Mapping[str, str], shown: str
) -> tuple[str, object]:
    where = f"carriers.{carrier}.{name} = {value} (file {shown})"
    if name.endswith("_file"):
        try:
            return name.removesuffix("_file"), (folder / Path(str(value)).expanduser()).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError([f"{where}: the file cannot be read ({error})."]) from None
    if name.endswith("_env"):
        if str(value) not in environ:
            raise ConfigError([f"{where}: there is no such variable in the environment."])
        return name.removesuffix("_env"), environ[str(value)]
    return name, value


def _unknown(name: str, origin: str) -> str:
    nearest = difflib.get_close_matches(name.replace("-", "_").lower(), Settings.model_fields, n=1, cutoff=0.5)
    cure = f"did you mean {nearest[0]}?" if nearest else "see the reference of settings."
    return f"There is no setting {name!r} ({origin}): {cure}"


def _strange_variables(environ: Mapping[str, str]) -> Iterable[str]:
    known = {PREFIX + name.upper() for name in Settings.model_fields.keys() - FILE_ONLY} | NOT_SETTINGS
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and variable not in known:
            nearest = difflib.get_close_matches(variable, known, n=1, cutoff=0.85)
            cure = f"did you mean {nearest[0]}?" if nearest else "it is not a setting."
            yield f"The environment variable {variable} is ignored: {cure}"


def _validated(values: Mapping[str, object], origins: Mapping[str, str]) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_sentence(fault, values, origins) for fault in error.errors(include_url=False)) from None


def _sentence(fault: Any, values: Mapping[str, object], origins: Mapping[str, str]) -> str:
    cause = str(fault["msg"]).removeprefix("Value error, ")
    if not fault["loc"]:
        return f"{cause}."  # about two settings; it names them itself
    name = str(fault["loc"][0])
    origin = origins.get(name, "default")
    return f"{name} = {_masked(name, values.get(name))} ({origin}): {cause[0].lower()}{cause[1:]}."


def _masked(name: str, value: object) -> str:
    if name in SECRETS:
        return "••••" if value else ""
    if name == "database" and isinstance(value, str):
        parts = urlsplit(value)
        if parts.password is not None:
            netloc = parts.netloc.replace(f":{parts.password}@", ":••••@")
            return urlunsplit(parts._replace(netloc=netloc))
    return _text(value)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple | Mapping):
        return ", ".join(map(str, value))  # of tables the names: there are secrets in them
    return str(value)
