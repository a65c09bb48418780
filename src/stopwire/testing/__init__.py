"""The test kit: the real gateway in the user's pytest, with handsets, a clock and chaos.

It drives the house from outside. No module of the house imports it.
"""
