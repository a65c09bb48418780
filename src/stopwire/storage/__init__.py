"""The cellar: the only floor that knows SQL.

Here live tables, statements, the group writer and migrations. A decision never does.
"""
