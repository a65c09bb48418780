"""Language packs: the words, replies and phrases of each language, as data with their sources.

Loaded once into frozen values. What a word means for a person is decided in the core, never here.
"""
