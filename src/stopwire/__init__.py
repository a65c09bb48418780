"""Stopwire: a self-hosted messaging gateway that honours STOP."""
