"""The faults of a store, and of a sealed text: a broken or overloaded world, not a refusal of ours.

They are exceptions because no journey can go on without its store; they travel to the door, which answers 503 or its
like. What we decide about a message (a refusal) is a returned value and never lives here.
"""

from __future__ import annotations


class StoreFault(Exception):
    """The store cannot do what was asked; nothing of it counts unless the fault says otherwise."""

    def __init__(self, sentence: str | None = None) -> None:
        """Say `sentence`, or what the class itself says."""
        super().__init__(sentence or " ".join((type(self).__doc__ or "").split()))


class SealFault(Exception):
    """A sealed text cannot be opened: another key, another purpose, or damage."""


class StoreFull(StoreFault):
    """There is no room left on the disk of the data directory: free some space, and sending resumes by itself."""


class StoreBusy(StoreFault):
    """More work waits for the store than it takes in: the caller should try again in a second."""


class StoreSlow(StoreFault):
    """A read took longer than it may and was stopped: ask for less at a time (a shorter page, a narrower filter)."""


class StoreClosed(StoreFault):
    """The store is closed, because Stopwire is stopping: ask again once it is back."""


class StoreBroken(StoreFault):
    """The disk failed while reading or writing: Stopwire stops, since it cannot know what was kept. Check the disk
    and start it again; what was acknowledged before is kept, what was under way is unknown and must be read back."""


class DirectoryInUse(StoreFault):
    """Another Stopwire process uses this data directory: stop it, or choose another directory."""


class DirectoryUnfit(StoreFault):
    """The data directory is no place for a database: choose one on a local disk that this user may write to."""


class DatabaseDamaged(StoreFault):
    """The database file is damaged: restore a backup with `stopwire db restore`, and check the disk."""


class DatabaseTooNew(StoreFault):
    """The database was written by a newer Stopwire: run that version, or restore the copy made before the upgrade."""


class CopyRefused(StoreFault):
    """A backup or restore was not done: the copy is not sound, or a file is in its way."""
