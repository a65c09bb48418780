"""The gateway's only HTTP client, and the filter every address passes before it is called.

Nothing else in the house may open a connection to a stranger.
"""
