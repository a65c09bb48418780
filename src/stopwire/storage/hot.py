"""Statements that are compiled once and run on the driver, and the unit they run in.

What a message costs goes through here: SQLAlchemy writes each statement from the tables, and then stands aside.
No decision and no table of its own lives here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Dialect, Executable, Row, Select, SelectBase, Table, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from stopwire.storage.directories import Directories
from stopwire.storage.rows import Shape

T = TypeVar("T")
Values = tuple[Any, ...]
Processor = Callable[[Any], Any]


class Unit:
    """One transaction as its nouns see it, and what it leaves for after the commit."""

    __slots__ = ("answered", "configured", "connection", "dialect", "directories", "raw", "told", "wakes")

    def __init__(self, connection: Connection, directories: Directories) -> None:
        self.connection = connection
        self.directories = directories
        self.dialect = connection.dialect.name
        self.raw: Any = connection.connection.driver_connection
        self.wakes: set[str] = set()
        self.told: list[tuple[str, str, dict[str, Any]]] = []  # (account, event, facts)
        self.configured = False  # accounts, services or senders changed
        self.answered = False  # an attempt got its answer


class Noun:
    """What every noun of a transaction knows: the unit it runs in, and the account it is scoped by."""

    __slots__ = ("account", "unit")

    def __init__(self, unit: Unit, account: str) -> None:
        self.unit = unit
        self.account = account

    def _rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        return self.unit.connection.execute(query).all()

    def _row(self, query: Select[Any]) -> Row[Any] | None:
        return self.unit.connection.execute(query).first()

    def _scalar(self, query: Select[Any]) -> Any:
        return self.unit.connection.execute(query).scalar()

    def _change(self, statement: Executable) -> int:
        """Run an UPDATE or DELETE; how many rows it changed."""
        return int(self.unit.connection.execute(statement).rowcount)

    def _check_own(self, values: Iterable[Any]) -> None:
        """A transaction writes rows of its own account only: another's needs `tx.of`."""
        for value in values:
            assert value.account == self.account, f"{type(value).__name__} of {value.account} in a transaction of {self.account}"


class Statement:
    """One statement, compiled at its first use; `names` are its parameters in the order the caller gives them."""

    __slots__ = ("_clause", "_compiled", "_names")

    def __init__(self, clause: Executable | Callable[[str], Executable], *names: str) -> None:
        """`clause` may be a function of the dialect's name, for what each dialect says in its own way."""
        self._clause = clause
        self._names = names
        self._compiled: dict[str, _Compiled] = {}

    def run(self, unit: Unit, *values: Any) -> int:
        """Execute once; how many rows were changed."""
        compiled = self._compiled.get(unit.dialect) or self._compile(unit)
        return int(unit.raw.execute(compiled.sql, compiled.bind(values)).rowcount)

    def many(self, unit: Unit, rows: Sequence[Values]) -> int:
        """Execute once for each of `rows`; how many rows were changed in all."""
        if not rows:
            return 0
        compiled = self._compiled.get(unit.dialect) or self._compile(unit)
        if len(rows) == 1:
            done = unit.raw.execute(compiled.sql, compiled.bind(rows[0]))
        else:
            done = unit.raw.cursor().executemany(compiled.sql, map(compiled.bind, rows))
        return int(done.rowcount)

    def all(self, unit: Unit, *values: Any) -> list[Sequence[Any]]:
        compiled = self._compiled.get(unit.dialect) or self._compile(unit)
        return [compiled.read(row) for row in unit.raw.execute(compiled.sql, compiled.bind(values)).fetchall()]

    def first(self, unit: Unit, *values: Any) -> Sequence[Any] | None:
        compiled = self._compiled.get(unit.dialect) or self._compile(unit)
        row = unit.raw.execute(compiled.sql, compiled.bind(values)).fetchone()
        return None if row is None else compiled.read(row)

    def sql(self, unit: Unit) -> str:
        """The text of the statement, for a look at its plan."""
        return (self._compiled.get(unit.dialect) or self._compile(unit)).sql

    def _compile(self, unit: Unit) -> _Compiled:
        clause = self._clause if isinstance(self._clause, Executable) else self._clause(unit.dialect)
        compiled = self._compiled[unit.dialect] = _Compiled(clause, self._names, unit.connection.dialect)
        return compiled


class _Compiled:
    """The text of a statement, and how its values and rows pass the types of their columns."""

    __slots__ = ("_binders", "_constants", "_order", "_readers", "sql")

    def __init__(self, clause: Any, names: tuple[str, ...], dialect: Dialect) -> None:
        positional = type(dialect)(paramstyle="qmark" if dialect.name == "sqlite" else "format")  # type: ignore[call-arg]  # every dialect takes it
        compiled = clause.compile(dialect=positional)
        self.sql: str = str(compiled)
        positions: Sequence[str] = compiled.positiontup or ()
        # A constant of the clause is a parameter too: it stands behind those that the caller gives.
        constants = [name for name in positions if name not in names]
        self._constants = tuple(compiled.binds[name].value for name in constants)
        given = (*names, *constants)
        order = tuple(given.index(name) for name in positions)
        self._order = None if order == tuple(range(len(given))) else order
        types = (compiled.binds[name].type for name in positions)
        self._binders = _processors(type_.dialect_impl(dialect).bind_processor(dialect) for type_ in types)
        columns = clause.selected_columns if isinstance(clause, SelectBase) else ()
        self._readers = _processors(
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
        )

    def bind(self, values: Values) -> Sequence[Any]:
        if self._constants:
            values += self._constants
        ready = list(values) if self._order is None else [values[i] for i in self._order]
        for i, process in self._binders:
            ready[i] = process(ready[i])
        return ready

    def read(self, row: Sequence[Any]) -> Sequence[Any]:
        if not self._readers:
            return row
        ready = list(row)
        for i, process in self._readers:
            ready[i] = process(ready[i])
        return ready


def _processors(found: Iterable[Processor | None]) -> list[tuple[int, Processor]]:
    return [(i, process) for i, process in enumerate(found) if process is not None]


def listed(name: str) -> Select[Any]:
    """The members of a JSON list of strings that is given as the parameter `name`: one statement asks for many."""
    return select(func.json_each(bindparam(name)).table_valued("value").c.value)


def filtered(column: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
    """`column = value` as a filter alone. Beside ids that are listed, SQLite would take an index that begins with the
    account for the better one, and walk along all that an account ever had.
    """
    alike: ColumnElement[bool] = column.concat("") == value
    return alike


def as_list(values: Sequence[str]) -> str:
    """What `listed` is given."""
    return json.dumps(values)


class Adding(Generic[T]):
    """The INSERT of values of one shape; `or_ignore`: a row that is there already stays as it is."""

    def __init__(self, shape: Shape[T], *, or_ignore: bool = False) -> None:
        names = [column.name for column in shape.columns]
        self._shape = shape

        def clause(dialect: str) -> Executable:
            adding = insert(dialect, shape.table).values({name: bindparam(name) for name in names})
            done: Executable = adding.on_conflict_do_nothing() if or_ignore else adding
            return done

        self._statement = Statement(clause, *names)

    def many(self, unit: Unit, values: Iterable[T]) -> None:
        self._statement.many(unit, [self._shape.values(value) for value in values])


def insert(dialect: str, table: Table) -> Any:
    """An INSERT that knows `on_conflict_do_nothing` and `on_conflict_do_update`, in the words of `dialect`."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def upsert(table: Table, *, key: Sequence[str], keeping: Sequence[str] = ()) -> Statement:
    """INSERT of a whole row, or UPDATE of the one with the same `key`, whose columns `keeping` stay as they are.

    A row of another account is left alone.
    """
    names = [column.name for column in table.c]
    guarded = "account" in names and "account" not in key

    def clause(dialect: str) -> Executable:
        adding = insert(dialect, table).values({name: bindparam(name, type_=table.c[name].type) for name in names})
        changed = {name: adding.excluded[name] for name in names if name not in (*key, *keeping)}
        own = table.c.account == adding.excluded.account if guarded else None
        done: Executable = adding.on_conflict_do_update(index_elements=list(key), set_=changed, where=own)
        return done

    return Statement(clause, *names)
