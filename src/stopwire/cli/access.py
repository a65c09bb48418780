"""Where the gateway is and who asks: flags, then the environment, then what a gateway on this machine wrote down.

Nothing here speaks to the gateway.
"""

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stopwire.cli.output import Exit, Failed

DEFAULT_URL = "http://127.0.0.1:7867"
CREDENTIALS = "credentials.json"
SOCKET = "admin.sock"
START_ONE = "start one with `stopwire up --demo`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line said; None where it said nothing."""

    url: str | None = None
    account: str | None = None
    token: str | None = None
    data_dir: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One gateway, one account, and where we learned of them."""

    url: str
    account_sid: str
    auth_token: str = field(repr=False)
    origin: str


def find(asked: Asked, environ: Mapping[str, str] | None = None) -> Access:
    """The gateway and the credentials, or `Failed` with what to do."""
    environ = os.environ if environ is None else environ
    url = asked.url or environ.get("STOPWIRE_URL")
    account = asked.account or environ.get("STOPWIRE_ACCOUNT_SID")
    token = asked.token or environ.get("STOPWIRE_AUTH_TOKEN")
    if account and token and url:
        return Access(url=url, account_sid=account, auth_token=token, origin="flags and environment")

    folder = data_folder(asked, environ)
    told = _read(folder / CREDENTIALS) if folder else None
    if told is None:
        if account and token:
            return Access(url=DEFAULT_URL, account_sid=account, auth_token=token, origin="flags and environment")
        raise _nothing_found(asked, environ, url)
    if url and url.rstrip("/") != str(told["api_base"]).rstrip("/") and not (account and token):
        # A token goes only to the gateway that made it.
        raise Failed(
            f"The credentials in {folder} are those of {told['api_base']}, not of {url}: give --account and --token for it.",
            Exit.NOT_AUTHORISED,
        )
    if account and account != told["account_sid"] and not token:
        raise Failed(f"There is no auth token for {account}: give --token.", Exit.NOT_AUTHORISED)
    return Access(
        url=url or told["api_base"],
        account_sid=account or told["account_sid"],
        auth_token=token or told["auth_token"],
        origin=str(folder),
    )


def data_folder(asked: Asked, environ: Mapping[str, str] | None = None) -> Path | None:
    """The data folder with credentials: the one named, else the platform's, else its `demo`.

    Where the platform's folder and its demo both have them, the one whose gateway runs now.
    """
    environ = os.environ if environ is None else environ
    named = asked.data_dir or (Path(text) if (text := environ.get("STOPWIRE_DATA_DIR")) else None)
    if named:
        return named.expanduser().absolute()
    known = [folder for folder in usual_folders() if (folder / CREDENTIALS).exists()]
    return next((folder for folder in known if listens(folder / SOCKET)), known[0] if known else None)


def usual_folders() -> list[Path]:
    import platformdirs

    folder = Path(platformdirs.user_data_dir("stopwire", appauthor=False))
    return [folder, folder / "demo"]


def listens(path: Path) -> bool:
    """Whether a process answers at this Unix socket."""
    if not hasattr(socket, "AF_UNIX") or not path.exists():
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _read(path: Path) -> dict[str, str] | None:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return {name: str(told[name]) for name in ("account_sid", "auth_token", "api_base")}
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Failed(f"{path} cannot be read: {error.strerror}.", Exit.NOT_AUTHORISED) from None
    except (ValueError, KeyError, TypeError):
        raise Failed(
            f"{path} is not what a gateway writes: delete it, and start the gateway again to have it written anew.",
            Exit.NOT_AUTHORISED,
        ) from None


def _nothing_found(asked: Asked, environ: Mapping[str, str], url: str | None) -> Failed:
    if url:
        return Failed(
            f"There are no credentials for {url}: give --account and --token, or set STOPWIRE_ACCOUNT_SID and STOPWIRE_AUTH_TOKEN.",
            Exit.NOT_AUTHORISED,
        )
    named = asked.data_dir or environ.get("STOPWIRE_DATA_DIR")
    where = f"in {named}" if named else "on this machine"
    return Failed(
        f"No gateway was found {where}: {START_ONE}, or name one with --url, --account and --token.",
        Exit.UNREACHABLE,
    )
