"""Which scope a caller means: the SID of its holder, or the address of a sender."""

from stopwire.core.address import parse_sender
from stopwire.core.senders import Directory


def resolve_scope(directory: Directory, text: str) -> str | None:
    """The holder that `text` names: a SID of the account's, or the address of a sender, which means that sender alone.

    Holders that were deleted still hold, as long as a sender inherited them. None for anybody else's.
    """
    text = text.strip()
    if text == directory.account.sid or text in directory.senders or text in directory.services:
        return text
    if any(text in sender.inherited for sender in directory.senders.values()):
        return text
    sender = directory.sender_at(parse_sender(text) or "")
    return sender.sid if sender else None
