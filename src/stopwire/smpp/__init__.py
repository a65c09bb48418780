"""SMPP 3.4, both sides of it, as a protocol without I/O: octets in, events out.

Imports the standard library only. Sockets and timers belong to `link`; texts and alphabets to `core/gsm7`: here are octets.
Sections are those of "Short Message Peer to Peer Protocol Specification v3.4", issue 1.2.
"""
