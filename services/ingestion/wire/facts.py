"""What operators are told of an import: ids and counts, never contact data."""

import structlog
from opentelemetry import trace

from services.ingestion.domain.job import Job

log = structlog.get_logger("services.ingestion")


def tell_accepted(job: Job) -> None:
    """Leaves the job's id in the trace, and its counts in the log."""
    trace.get_current_span().set_attribute("job_id", job.job_id)
    log.info("import_accepted", job_id=job.job_id, rows=job.total, rejected=job.invalid, chunks=job.chunks_count)
