"""How long after a STOP a send to that person may still be accepted, while the gateway works as hard as it can.

A text STOP leaves the message centre; probes send to its writer without pause until all are refused with 21610. The time
that counts is from the text to the last answer that accepted one: the true moment is earlier, for an answer takes its
time to arrive.
"""

import http.client
import threading
import time
from typing import Any
from urllib.parse import urlencode

from gateway import ACCOUNT, Stopwire, authorization
from parts import SENDER, Bench, finished, start_load

PROBES = 4
GIVE_UP_SECONDS = 10.0


class _Probe:
    """One connection that sends to a person until it is refused."""

    def __init__(self, gateway: Stopwire) -> None:
        self._link = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
        self.accepted_us = 0  # when the last accepting answer came
        self.under_way = threading.Event()  # one was accepted

    def run(self, person: str) -> None:
        self.under_way.clear()
        form = urlencode({"To": person, "From": SENDER, "Body": "Still there?"})
        headers = {"Authorization": f"Basic {authorization()}", "Content-Type": "application/x-www-form-urlencoded"}
        ends_at = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < ends_at:
            self._link.request("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", body=form, headers=headers)
            answer = self._link.getresponse()
            text = answer.read()
            accepted = answer.status == 201
            if not accepted and b"21610" not in text:
                raise RuntimeError(f"A probe was answered {answer.status}: {text[:300]!r}")
            if not accepted:
                return
            self.accepted_us = time.monotonic_ns() // 1000
            self.under_way.set()
        raise RuntimeError(f"{person} was not refused within {GIVE_UP_SECONDS:g} s of a STOP.")

    def close(self) -> None:
        self._link.close()


def measure(around: Bench, gateway: Stopwire, *, count: int) -> dict[str, Any]:
    """Milliseconds until refused, and until the text was acknowledged, one of each for every STOP."""
    load = start_load(gateway, "single", "--seconds", 600, "--warmup", 1)
    load.answer()
    probes = [_Probe(gateway) for _ in range(PROBES)]
    refused_ms, acked_ms = [], []
    try:
        for n in range(count):
            person = f"+1917{2_000_000 + n:07}"
            threads = [threading.Thread(target=probe.run, args=(person,)) for probe in probes]
            for thread in threads:
                thread.start()
            for probe in probes:
                if not probe.under_way.wait(GIVE_UP_SECONDS):
                    raise RuntimeError("A probe was not accepted before its STOP.")
            around.smsc.tell(f"text {person.lstrip('+')} {SENDER.lstrip('+')} STOP")
            told = around.smsc.answer()
            for thread in threads:
                thread.join()
            if told["status"]:
                raise RuntimeError(f"A STOP was answered with SMPP status {told['status']}.")
            last_accepted_us = max(probe.accepted_us for probe in probes)
            refused_ms.append(max(0.0, (last_accepted_us - told["sent_us"]) / 1000))
            acked_ms.append((told["acked_us"] - told["sent_us"]) / 1000)
    finally:
        load.process.terminate()
        told = load.answer()
        finished(load, told)
        for probe in probes:
            probe.close()
    return {"refused_ms": sorted(refused_ms), "acked_ms": sorted(acked_ms), "rate": told["rate"]}
