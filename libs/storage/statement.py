"""Statements written once in SQLAlchemy Core and compiled once per database to text and positions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from sqlalchemy import ARRAY, JSON, ColumnElement, Table, TableValuedAlias, bindparam, column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import CompilerElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.engine import Dialect

Row = tuple[Any, ...]
Arrange = Callable[[Row], Row]


class Insert(Protocol):
    """The dialect's own INSERT, for ON CONFLICT; typed as PostgreSQL's, whose form SQLite shares."""

    def __call__(self, table: Table | type[SQLModel]) -> "postgresql.Insert":
        """An INSERT into the table."""
        ...


def table_of(model: type[SQLModel]) -> Table:
    """The table of a SQLModel class, whose columns are typed as columns."""
    table = getattr(model, "__table__", None)
    if not isinstance(table, Table):
        raise TypeError(model)
    return table


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement in one dialect: its text, and how a row is laid out for it (None: as it is)."""

    text: str
    arrange: Arrange | None


class _AnyOf(FunctionElement[bool]):
    # No type: a Boolean one would be rendered as `… = 1` on SQLite, which uses no index.
    inherit_cache = True


@compiles(_AnyOf, "sqlite")
def _any_of_on_sqlite(element: _AnyOf, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608  # compiled parts, no values


@compiles(_AnyOf, "postgresql")
def _any_of_on_postgresql(element: _AnyOf, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY ({values})"


def any_of(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """True where the text or integer is in the list given for `name`; an empty list matches nothing."""
    return _AnyOf(column, bindparam(name, type_=ARRAY(column.type)))


class _AnyRowOf(FunctionElement[bool]):
    inherit_cache = True


@compiles(_AnyRowOf, "sqlite")
def _any_row_of_on_sqlite(element: _AnyRowOf, compiler: SQLCompiler, **options: Any) -> str:
    *columns, values = (compiler.process(clause, **options) for clause in element.clauses)
    members = ", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(columns)))
    return f"({', '.join(columns)}) IN (SELECT {members} FROM json_each({values}))"  # noqa: S608  # compiled parts


@compiles(_AnyRowOf, "postgresql")
def _any_row_of_on_postgresql(element: _AnyRowOf, compiler: SQLCompiler, **options: Any) -> str:
    *columns, values = (compiler.process(clause, **options) for clause in element.clauses)
    kinds = [compiler.dialect.type_compiler_instance.process(clause.type) for clause in element.clauses]
    members = ", ".join(f"CAST(value ->> {place} AS {kinds[place]})" for place in range(len(columns)))
    return f"({', '.join(columns)}) IN (SELECT {members} FROM json_array_elements({values}))"  # noqa: S608  # as above


def any_row_of(columns: Sequence[ColumnElement[Any]], name: str) -> ColumnElement[bool]:
    """True where the texts and integers are one of the rows given for `name`; an empty list matches nothing."""
    return _AnyRowOf(*columns, bindparam(name, type_=JSON()))


class _Listed(FunctionElement[Any]):
    inherit_cache = True


@compiles(_Listed, "sqlite")
def _listed_on_sqlite(element: _Listed, compiler: SQLCompiler, **options: Any) -> str:
    (values,) = (compiler.process(clause, **options) for clause in element.clauses)
    return f"json_each({values})"


@compiles(_Listed, "postgresql")
def _listed_on_postgresql(element: _Listed, compiler: SQLCompiler, **options: Any) -> str:
    (values,) = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(SELECT value, place - 1 AS key FROM unnest({values}) WITH ORDINALITY AS listed (value, place))"  # noqa: S608  # as above


def listed(name: str, kind: TypeEngine[Any]) -> TableValuedAlias:
    """The list given for `name` as a table: each `value`, of this kind, and `key`, its place from 0.

    To insert thousands of rows in one statement costs a third of as many statements.
    """
    return _Listed(bindparam(name, type_=ARRAY(kind))).table_valued("key", column("value", kind))


class Statement:
    """A statement with named parameters; a row gives their values by position, in the order of `parameters`.

    `source` is an executable, or a function of the dialect's `insert`. A bindparam that `parameters` leaves out, and a
    parameter that is not used, raise ValueError at first use. `.in_()` with a list has no fixed text: use `any_of` or
    `any_row_of`.
    """

    def __init__(self, source: Executable | Callable[[Insert], Executable], *parameters: str) -> None:
        self.parameters = parameters
        self._source = source

    @cached_property
    def sqlite(self) -> Prepared:
        """With `?` in the order of occurrence."""
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415  # a process pays for one dialect alone

        return self._prepare(sqlite.dialect(paramstyle="qmark"), sqlite.insert)

    @cached_property
    def postgresql(self) -> Prepared:
        """With `$1…`, as asyncpg takes them."""
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415  # a process pays for one dialect alone
        from sqlalchemy.dialects.postgresql import asyncpg  # noqa: PLC0415  # as above

        dialect: Dialect = asyncpg.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves its dialects untyped
        return self._prepare(dialect, postgresql.insert, lists_as_they_are=True)

    def _prepare(self, dialect: "Dialect", insert: Any, *, lists_as_they_are: bool = False) -> Prepared:
        element = self._source(insert) if callable(self._source) else self._source
        assert isinstance(element, CompilerElement)
        compiled = element.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        names = tuple(compiled.positiontup or ())
        self._agree(names, compiled.params)
        arrange = self._arrangement(names, compiled.params)
        encoded = (JSON,) if lists_as_they_are else (JSON, ARRAY)
        lists = [index for index, name in enumerate(names) if isinstance(compiled.binds[name].type, encoded)]
        return Prepared(compiled.string, _encoding(arrange, lists) if lists else arrange)

    def _agree(self, names: Sequence[str], given: Mapping[str, Any]) -> None:
        unused = set(self.parameters) - set(names)
        unnamed = {name for name in names if name not in self.parameters and given.get(name) is None}
        if unused or unnamed:
            raise ValueError(f"parameters not used: {sorted(unused)}; bindparams not named: {sorted(unnamed)}")

    def _arrangement(self, names: tuple[str, ...], given: Mapping[str, Any]) -> Arrange | None:
        """Constants in the statement are bound too: they are laid behind the row and picked like its values."""
        if names == self.parameters:
            return None
        constants = {name: given[name] for name in names if name not in self.parameters}
        positions = {name: index for index, name in enumerate((*self.parameters, *constants))}
        order = [positions[name] for name in names]
        behind = tuple(constants.values())
        return lambda row: tuple(map((row + behind).__getitem__, order))


def _encoding(arrange: Arrange | None, lists: Sequence[int]) -> Arrange:
    def arranged(row: Row) -> Row:
        values = list(row if arrange is None else arrange(row))
        for index in lists:
            values[index] = orjson.dumps(values[index]).decode()
        return tuple(values)

    return arranged
