"""PDUs for the properties: any value that a field may hold, no other."""

from dataclasses import fields

from hypothesis import strategies as st

from stopwire.smpp.fields import Command
from stopwire.smpp.pdu import PDUS, Pdu, Tlv

OCTETS_MAX = {  # §5.2, without the NUL
    "system_id": 15,
    "password": 8,
    "system_type": 12,
    "address_range": 40,
    "source_addr": 20,
    "destination_addr": 20,
    "esme_addr": 64,
    "service_type": 5,
    "schedule_delivery_time": 16,
    "validity_period": 16,
    "message_id": 64,
    "final_date": 16,
}
WITHOUT_TLVS = {Command.SUBMIT_MULTI, Command.SUBMIT_MULTI_RESP}  # what follows their fields is kept unread

octet = st.integers(0, 255)
tlvs = st.lists(st.builds(Tlv, st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=4).map(tuple)


def text(octets_max: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=octets_max)


def pdus_of(kind: type[Pdu]) -> st.SearchStrategy[Pdu]:
    values: dict[str, st.SearchStrategy[object]] = {"sequence": st.integers(0, 0xFFFFFFFF), "status": st.integers(0, 0xFFFFFFFF)}
    if kind.command not in WITHOUT_TLVS:
        values["tlvs"] = tlvs
    for one in fields(kind):
        if one.name in {"sequence", "status", "tlvs", "broken_tlvs"}:
            continue
        if one.name in OCTETS_MAX:
            values[one.name] = text(OCTETS_MAX[one.name])
        elif one.name == "short_message":
            values[one.name] = st.binary(max_size=254)
        elif one.name == "rest":
            values[one.name] = st.binary(max_size=300)
        else:
            values[one.name] = octet
    return st.builds(kind, **values)


pdus = st.one_of([pdus_of(kind) for kind in PDUS])
