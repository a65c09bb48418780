"""A contract type of the house's own, used by import-linter (see pyproject.toml) and proved in test_contracts.py.

No rule lives here: the rules are lines of pyproject.toml.
"""

from grimp import ImportGraph
from importlinter import ContractCheck
from importlinter.contracts.protected import ProtectedContract


class OnlyFrom(ProtectedContract):
    """import-linter's `protected`, which also stands while a module that it names is not there yet.

    A name nobody imports can break nothing. That no name is misspelt is shown by seeing each contract break.
    """

    type_name = "only_from"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        self.protected_modules = [name for name in self.protected_modules if str(name) in graph.modules]
        self.allowed_importers = [name for name in self.allowed_importers if str(name) in graph.modules]
        return super().check(graph, verbose)
