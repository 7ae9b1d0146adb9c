"""When deletes wait for a person."""

from services.source_polling.domain.run import Run
from services.source_polling.domain.source import Fuse


def objection(fuse: Fuse, run: Run, *, deletes: int) -> str | None:
    """Say why the run may not delete by itself. None: it may."""
    if not deletes:
        return None
    if run.full and not run.tally.seen:
        return f"The source came back empty, and {run.known} contacts of it are known. Approve the deletes, or mend it."
    if deletes > fuse.count and deletes > fuse.share * run.known:
        share = f"more than {fuse.share:.0%} of the {run.known} contacts known before"
        return f"The run would delete {deletes} contacts, {share}. Approve the deletes, or mend the source."
    return None
