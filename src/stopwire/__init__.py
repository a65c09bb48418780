"""Stopwire: a self-hosted messaging gateway that honours STOP."""

from importlib.metadata import version

__version__ = version("stopwire")
