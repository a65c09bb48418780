"""The engine room: loops that claim due work, walk one flow, and settle what came of it.

A worker knows when, never whether: that is the core's to say.
"""
