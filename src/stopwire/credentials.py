"""What programs on this machine sign in with: one file of the data folder, for its owner alone.

It is written whole or not at all. Who may sign in is known elsewhere: the file only tells it.
"""

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from stopwire.log import get_logger

FILE = "credentials.json"

log = get_logger(__name__)


class CredentialsFile:
    """Implements `ports.world.Credentials`."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE

    def keep(self, told: Mapping[str, str]) -> None:
        """Write it anew. Raises OSError; the one before then stands."""
        draft = self._path.with_suffix(".new")
        draft.unlink(missing_ok=True)  # an older one might be open to others
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
        with os.fdopen(descriptor, "w") as file:
            file.write(json.dumps(dict(told), indent=2) + "\n")
        draft.replace(self._path)

    def renew(self, account: str, token: str) -> None:
        """Put `token` in, if it is this account's file. What fails here is made good by the next start, and told in the log."""
        try:
            told = json.loads(self._path.read_text(encoding="utf-8"))
            if isinstance(told, dict) and told.get("account_sid") == account:
                self.keep({**told, "auth_token": token})
        except FileNotFoundError:
            return  # nobody was told anything
        except (OSError, ValueError) as fault:
            log.error("credentials.not_written", path=str(self._path), error=str(fault))
