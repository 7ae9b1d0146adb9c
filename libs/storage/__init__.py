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
    UnitSuspendedError,
)
from libs.storage.micros import from_micros, to_micros
from libs.storage.statement import Insert, Row, Statement, any_of, table_of

__all__ = [
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
    "Unit",
    "UnitSuspendedError",
    "any_of",
    "from_micros",
    "table_of",
    "to_micros",
]
