"""How many messages may wait for a sender before no more are accepted for it. Sums only; who counts is not known here."""

from collections.abc import Mapping

from stopwire.core.senders import Sender

QUEUE_SECONDS = 36_000  # ten hours of a sender's own speed, as at Twilio: what waits longer has lost its validity


def bound_of(sender: Sender, most: int) -> int:
    """How many may wait for `sender`: ten hours of its speed where it has one, and never more than `most`. 0: any number."""
    paced = max(int(sender.mps * QUEUE_SECONDS), 1) if sender.mps else 0
    return min(paced or most, most or paced)


def full(waiting: Mapping[str, int], senders: Mapping[str, Sender], *, most: int) -> frozenset[str]:
    """Those of `senders` (by SID) for whom as many wait as may, or more."""
    bounds = {sid: bound_of(senders[sid], most) for sid in waiting if sid in senders}
    return frozenset(sid for sid, bound in bounds.items() if bound and waiting[sid] >= bound)
