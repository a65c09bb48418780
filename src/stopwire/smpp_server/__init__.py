"""The SMPP door: customers' applications bind to us as to a message centre.

PDUs come in and go out here; a submit walks the same flow as any other order, and what is decided is decided there.
"""
