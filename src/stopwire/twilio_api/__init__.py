"""The front door that speaks Twilio's REST API.

A handler parses a form, calls one flow and renders its answer. It never decides and never stores.
"""
