"""What a journey may ask of an edge: Protocols and the values that travel through them.

Only names, shapes and promises live here; never an implementation.
"""
