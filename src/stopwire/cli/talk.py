"""What all commands share: the options every one of them has, the way to the gateway, and how errors are told.

`@talking` gives a command --url, --account, --token, --data-dir and --json; `@local` gives --data-dir and --json to
one that needs no credentials. The command itself sees a `Talk` in place of them.
"""

import functools
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec

import typer

from stopwire.cli import access
from stopwire.cli.access import Access, Asked
from stopwire.cli.output import Exit, Failed, Output, error_line, print_json

if TYPE_CHECKING:
    from stopwire.client import Client, ClientError

P = ParamSpec("P")

PANEL = "Gateway"
# The environment is read by `access`, not by typer, so that a setting's origin stays told.
Url = Annotated[str | None, typer.Option(help="Base URL of the gateway; or STOPWIRE_URL.", rich_help_panel=PANEL)]
Account = Annotated[
    str | None,
    typer.Option(help="Account SID or API key; or STOPWIRE_ACCOUNT_SID.", rich_help_panel=PANEL, metavar="SID"),
]
Token = Annotated[
    str | None,
    typer.Option(help="Its token or secret; better in STOPWIRE_AUTH_TOKEN.", rich_help_panel=PANEL),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Data folder of a gateway on this machine, for its credentials; or STOPWIRE_DATA_DIR.",
        rich_help_panel=PANEL,
        metavar="DIR",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.", rich_help_panel=PANEL)]


class Talk(Output):
    """One command's talk with the gateway. The client is made when it is first needed."""

    def __init__(self, asked: Asked, *, as_json: bool) -> None:
        super().__init__(as_json=as_json)
        self.asked = asked

    @functools.cached_property
    def access(self) -> Access:
        return access.find(self.asked)

    @functools.cached_property
    def client(self) -> "Client":
        from stopwire.client import Client

        return Client(self.access.url, self.access.account_sid, self.access.auth_token)

    @property
    def data_dir(self) -> Path:
        """The data folder on this machine: one with credentials, else the one a gateway would take."""
        return access.data_folder(self.asked) or access.usual_folders()[0]


_LOCAL: dict[str, Any] = {"data_dir": (DataDir, None), "as_json": (AsJson, False)}
_TALKING: dict[str, Any] = {"url": (Url, None), "account": (Account, None), "token": (Token, None), **_LOCAL}


def talking(command: Callable[Concatenate[Talk, P], None]) -> Callable[..., None]:
    """A command that asks the gateway."""
    return _with_options(command, _TALKING)


def local(command: Callable[Concatenate[Talk, P], None]) -> Callable[..., None]:
    """A command that acts on the data folder of this machine."""
    return _with_options(command, _LOCAL)


def _with_options(command: Callable[Concatenate[Talk, P], None], options: dict[str, Any]) -> Callable[..., None]:
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]

    @functools.wraps(command)
    def run(**values: Any) -> None:
        common = {name: values.pop(name) for name in options}
        as_json = common.pop("as_json")
        with telling(as_json=as_json):
            command(Talk(Asked(**common), as_json=as_json), **values)  # type: ignore[call-arg]  # typer fills them in

    common = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in options.items()
    ]
    parameters = [*(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own), *common]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


class telling:  # lower case: it reads as a word of the `with` statement
    """Turns what may go wrong into a sentence, or a JSON document, and an exit code."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BrokenPipeError):  # `… | head`: the reader has had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(Exit.OK)
        failed = _failed(error)
        if failed is None:
            return
        if self._as_json:
            print_json({"error": {"exit": failed.exit.value, "detail": failed.sentence, **failed.told}})
        else:
            error_line(failed.sentence)
        raise typer.Exit(failed.exit)


def _failed(error: BaseException | None) -> Failed | None:
    """What a command says to this error; None where it is a bug, which travels on."""
    if error is None or isinstance(error, Failed):
        return error
    if "stopwire.config" in sys.modules:
        from stopwire.config import ConfigError

        if isinstance(error, ConfigError):
            return Failed("\n".join(error.sentences), Exit.CONFIG, sentences=error.sentences)
    if "stopwire.client" in sys.modules:
        from stopwire.client import ClientError, Unreachable

        if isinstance(error, Unreachable):
            return Failed(f"{error} Is the gateway running? If not, {access.START_ONE}.", Exit.UNREACHABLE)
        if isinstance(error, ClientError):
            return _refused(error)
    if "stopwire.ports.faults" in sys.modules:
        from stopwire.ports.faults import StoreFault

        if isinstance(error, StoreFault):
            return Failed(str(error), Exit.NO)
    return None


def _refused(error: "ClientError") -> Failed:
    exit = Exit.NOT_AUTHORISED if error.status in (401, 403) else Exit.NO
    told = error.detail or error.title
    sentences = [_sentence(told), *_explained(error)]
    # A single fault is the detail itself; its place is news all the same.
    sentences += [f"  {fault['path']}" + ("" if fault["message"] == told else f": {fault['message']}") for fault in error.errors]
    return Failed("\n".join(sentences), exit, status=error.status, code=error.code, errors=error.errors)


def _explained(error: "ClientError") -> list[str]:
    """Cause and cure, from the catalogue of errors."""
    if error.code is None:
        if error.status == 401:
            return ["Check --account and --token, or the credentials file of the gateway's data folder."]
        return []
    from stopwire.core.errors import CATALOGUE

    entry = CATALOGUE.get(error.code)
    return [f"{entry.cause} {entry.cure} (error {error.code})"] if entry else [f"(error {error.code})"]


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
