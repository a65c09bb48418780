"""The configuration of accounts, kept in memory by its version, so that a message does not read it anew."""

from __future__ import annotations

from itertools import count

from stopwire.core.senders import Directory


class Directories:
    """What writer and readers share. Each change of an account's configuration takes a number nobody had before.

    A transaction reads the number it sees and takes the directory that was read under it; so a change is seen by its
    own transaction at once, by others with its commit, and one that was undone is never seen by anybody.
    """

    def __init__(self, *, newest: int) -> None:
        """`newest`: the greatest version that is stored."""
        self._versions = count(newest + 1)
        self._kept: dict[str, tuple[int, Directory]] = {}

    def next_version(self) -> int:
        return next(self._versions)

    def get(self, account: str, version: int) -> Directory | None:
        kept = self._kept.get(account)
        return kept[1] if kept is not None and kept[0] == version else None

    def keep(self, account: str, version: int, directory: Directory) -> None:
        self._kept[account] = (version, directory)
