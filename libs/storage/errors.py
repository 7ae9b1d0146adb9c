"""What can go wrong with a database. A refusal says how to go on; the rest says whether the work may have been done.

`reason`, `message` and `retry_after` are what a caller of the service may be told, where one of these comes that far.
"""

from datetime import timedelta

_SOON = timedelta(seconds=2)


class StorageError(Exception):
    """Anything that libs.storage raises of its own."""


class DatabaseRefusedError(StorageError):
    """The database was not opened, and nothing in it was touched.

    `where` names it without credentials, `why` says what is wrong, `remedy` how the operator goes on: a sentence each.
    """

    def __init__(self, where: str, *, why: str, remedy: str) -> None:
        super().__init__(f"{where}: {why} {remedy}")
        self.where = where
        self.why = why
        self.remedy = remedy


class CorruptDatabaseError(DatabaseRefusedError):
    """The file is damaged or is no database of ours."""


class NewerDatabaseError(DatabaseRefusedError):
    """A newer release has migrated it already."""


class UnfitDatabaseError(DatabaseRefusedError):
    """Its settings, the role's rights or what the URL says of it are not what is needed."""


class SecondWriterError(DatabaseRefusedError):
    """Another process writes to this file."""


class ConstraintViolatedError(StorageError):
    """A unique key, foreign key, NOT NULL or CHECK stood against a statement; its unit left nothing behind."""

    def __init__(self, constraint: str) -> None:
        super().__init__(f"a database constraint was violated: {constraint}")
        self.constraint = constraint


class ValueRefusedError(StorageError):
    """A value does not fit its column, such as text with a NUL on PostgreSQL; the value itself is not told."""

    def __init__(self, why: str) -> None:
        super().__init__(f"a value does not fit its column: {why}")
        self.why = why


class StorageUnavailableError(StorageError):
    """The database could not do it now (busy, full, unreachable, closed): nothing was written."""

    reason = "SERVICE_UNAVAILABLE"
    message = "The data cannot be reached now; ask again later."
    retry_after = _SOON

    def __init__(self, why: str) -> None:
        super().__init__(f"the database is not usable: {why}")
        self.why = why


class CommitUnknownError(StorageError):
    """The commit was sent and its answer lost: look the outcome up by key before anything is done again."""

    reason = "SERVICE_UNAVAILABLE"
    message = "The data cannot be reached now; ask again later."
    retry_after = _SOON

    def __init__(self, why: str) -> None:
        super().__init__(f"whether the transaction was committed is not known: {why}")
        self.why = why


class UnitSuspendedError(StorageError):
    """A unit of work awaited something other than its transaction; it was rolled back."""

    def __init__(self, unit: str) -> None:
        super().__init__(f"{unit} awaited something other than its transaction")
        self.unit = unit
