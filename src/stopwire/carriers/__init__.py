"""The back door: one file is one carrier, which translates and names what happened.

A carrier never retries, never stores, and has never heard of consent.
"""
