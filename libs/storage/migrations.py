"""Alembic migrations without an env.py: a service holds `versions/NNNN.OOOO_what.py` files that use `op`, nothing else.

`NNNN.OOOO` is the revision: OOOO is the last migration that a program must know to go on with this schema. A migration
that only adds leaves it as it was; one that takes away what OOOO's program uses raises it. So during a rolling upgrade
processes of the release before may start again on what the new one has migrated. A plain `NNNN` admits nobody who does
not know it.

Alembic is imported only when there is something to migrate: it costs a fifth of a second at start.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from libs.lean import without
from libs.storage.errors import NewerDatabaseError

if TYPE_CHECKING:
    from sqlalchemy import Connection

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Migrations:
    """The migrations in a folder; a revision is the number its file's name begins with, and they run in that order."""

    folder: Path

    def pending(self, current: str | None, *, where: str) -> tuple[str, ...]:
        """What is to be applied after `current` (None: an empty database); raises NewerDatabaseError."""
        revisions = self._revisions()
        if current is None:
            return revisions
        if current not in revisions:
            if _admits(current, revisions):
                _log.warning("schema_is_newer", where=where, revision=current, known=revisions[-1])
                return ()
            raise _newer(where, current, revisions)
        return revisions[revisions.index(current) + 1 :]

    def apply(self, connection: "Connection", revisions: Sequence[str]) -> None:
        """Inside the connection's transaction, which the caller commits: all of them, or none."""
        with without("pygments"):  # Mako's colours for error pages: 5.5 MB, which would stay
            from alembic.migration import MigrationContext  # noqa: PLC0415  # see the module's docstring
            from alembic.operations import Operations  # noqa: PLC0415  # as above
            from alembic.script import ScriptDirectory  # noqa: PLC0415  # as above

        scripts = ScriptDirectory(str(self.folder))
        context = MigrationContext.configure(connection)
        with Operations.context(context):
            for revision in revisions:
                script = scripts.get_revision(revision)
                assert script is not None
                script.module.upgrade()
                context.stamp(scripts, revision)

    def _revisions(self) -> tuple[str, ...]:
        return tuple(sorted(file.name.split("_")[0] for file in self.folder.glob("versions/[0-9]*_*.py")))


def _admits(current: str, known: Sequence[str]) -> bool:
    """Whether a program that knows these may go on with a schema that a newer one has migrated."""
    _, _, oldest = current.partition(".")
    return bool(known) and bool(oldest) and known[-1].partition(".")[0] >= oldest


def _newer(where: str, current: str, revisions: Sequence[str]) -> NewerDatabaseError:
    known = revisions[-1] if revisions else "none"
    return NewerDatabaseError(
        where,
        why=f"its schema is at revision {current}, and this release knows {known} at most.",
        remedy="Start the release that last ran on it, or restore a backup from before; nothing was changed.",
    )
