"""What a service's store sees of its database, whichever it is."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from libs.measures import Measures
from libs.storage.statement import Row, Statement

T = TypeVar("T")


class Transaction(Protocol):
    """One transaction, usable only inside its unit.

    Values are str, int, float, bytes or None, as the columns are. After a ConstraintViolatedError the unit must end:
    PostgreSQL refuses every further statement of that transaction.
    """

    async def execute(self, statement: Statement, row: Row = ()) -> int:
        """Rows inserted, updated or deleted."""
        ...

    async def execute_many(self, statement: Statement, rows: Sequence[Row]) -> None:
        """The statement once per row, in order; by far the cheapest way to write many."""
        ...

    async def fetch(self, statement: Statement, row: Row = ()) -> list[tuple[Any, ...]]:
        """All rows, also of INSERT, UPDATE and DELETE … RETURNING; sees what this unit wrote."""
        ...

    async def fetch_one(self, statement: Statement, row: Row = ()) -> tuple[Any, ...] | None:
        """The first row, or None when there is none."""
        ...


# Awaits nothing but its transaction's methods, and does nothing that must not be done twice: it may be run again.
Unit = Callable[[Transaction], Coroutine[Any, Any, T]]


class Database(Protocol):
    """One service's own database, with migrations applied.

    Units run at READ COMMITTED or stronger beside concurrent writers: decide with ON CONFLICT, guarded UPDATEs and
    `.with_for_update()` (which SQLite, having one writer, leaves out). Raises StorageUnavailableError,
    CommitUnknownError and ConstraintViolatedError.
    """

    @property
    def measures(self) -> Measures:
        """What it counts of its writing."""
        ...

    async def write(self, unit: Unit[T]) -> T:
        """Runs the unit in a transaction and returns its result once it is on disk; what the unit raises undoes it all.

        A caller cancelled meanwhile does not know whether its unit was committed.
        """
        ...

    def write_later(self, unit: Unit[object]) -> None:
        """Joins a commit within a second: for marks whose loss is harmless. Failures are logged; close flushes."""
        ...

    async def fetch(self, statement: Statement, row: Row = ()) -> list[tuple[Any, ...]]:
        """All rows, of committed data."""
        ...

    async def fetch_one(self, statement: Statement, row: Row = ()) -> tuple[Any, ...] | None:
        """The first row of committed data, or None when there is none."""
        ...

    async def check(self) -> None:
        """Raises StorageUnavailableError when not usable now."""
        ...

    async def close(self) -> None:
        """Flushes what was given to write_later and lets go of the database; what is written afterwards is refused."""
        ...
