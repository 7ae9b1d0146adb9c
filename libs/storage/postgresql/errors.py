"""asyncpg's errors as callers of libs.storage see them, without the values that PostgreSQL puts into its details."""

import asyncpg

from libs.storage.errors import ConstraintViolatedError, StorageUnavailableError, ValueRefusedError

# Worth another try of the whole unit: serialization_failure, deadlock_detected, and a statement that was prepared
# before a newer release altered its table.
RETRIED = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.OutdatedSchemaCacheError,
)
# The connection went away, so what was sent last may or may not have been done.
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    OSError,
    TimeoutError,
)
_UNAVAILABLE = (
    *LOST,
    *RETRIED,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
)
FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)


def translated(error: BaseException) -> BaseException:
    """A mistake in a statement stays what it is."""
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return ConstraintViolatedError(error.constraint_name or error.column_name or type(error).__name__)
    if isinstance(error, asyncpg.DataError):
        return ValueRefusedError(type(error).__name__)
    if isinstance(error, _UNAVAILABLE):
        return StorageUnavailableError(type(error).__name__)
    return error
