"""The hall: one file is one journey, with one public entry whose body is the names of its steps.

A flow asks the core to decide and the ports to act. It never imports a door, an edge or another flow.
"""
