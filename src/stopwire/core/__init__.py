"""The core: what Stopwire decides, as pure functions of values.

No clock, no chance, no input or output lives here: the time, ids and words come in as arguments.
"""
