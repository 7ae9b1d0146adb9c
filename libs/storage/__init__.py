"""A service's own database: one writer with group commit on SQLite, a pool on PostgreSQL, migrations at start."""

from libs.storage.database import Database, Transaction, Unit
from libs.storage.errors import (
    CommitUnknownError,
    ConstraintViolatedError,
    CorruptDatabaseError,
    DatabaseRefusedError,
    NewerDatabaseError,
    SecondWriterError,
    StorageError,
    StorageUnavailableError,
    UnfitDatabaseError,
    UnitSuspendedError,
    ValueRefusedError,
)
from libs.storage.micros import from_micros, to_micros
from libs.storage.opening import make_database, open_database
from libs.storage.statement import Insert, Row, Statement, any_of, any_row_of, listed, table_of

REFUSALS = (CorruptDatabaseError, NewerDatabaseError, UnfitDatabaseError)
"""What only the operator can mend: a process that meets one of these does not start."""

__all__ = [
    "REFUSALS",
    "CommitUnknownError",
    "ConstraintViolatedError",
    "CorruptDatabaseError",
    "Database",
    "DatabaseRefusedError",
    "Insert",
    "NewerDatabaseError",
    "Row",
    "SecondWriterError",
    "Statement",
    "StorageError",
    "StorageUnavailableError",
    "Transaction",
    "UnfitDatabaseError",
    "Unit",
    "UnitSuspendedError",
    "ValueRefusedError",
    "any_of",
    "any_row_of",
    "from_micros",
    "listed",
    "make_database",
    "open_database",
    "table_of",
    "to_micros",
]
