"""The front door for people: server-rendered pages with no inline script or style.

A page shows what the store holds or calls one flow. It never decides and never stores.
"""
