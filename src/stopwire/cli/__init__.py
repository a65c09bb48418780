"""The `stopwire` command: one file is one noun.

A command reads its arguments, asks the gateway or starts it, and prints. It holds no rule of its own.
"""
