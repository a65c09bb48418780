"""The front door that speaks Stopwire's own JSON API, described by OpenAPI 3.1.

A handler parses, calls one flow and renders its answer. It never decides and never stores.
"""
