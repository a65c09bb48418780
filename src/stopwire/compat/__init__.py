"""The shim that points Twilio's official SDK at a Stopwire gateway.

Small enough to be read before it is used; it imports nothing of Stopwire.
"""
