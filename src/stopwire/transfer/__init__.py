"""Bytes of files to plain values and back: CSV, NDJSON, TOML. Hostile input is expected; memory stays constant.

What a value means is decided elsewhere.
"""
