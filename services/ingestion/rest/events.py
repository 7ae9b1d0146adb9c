"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from services.ingestion.domain.ids import ClientId, JobId
from services.ingestion.handler.following import FollowJobs
from services.ingestion.rest.answers import job_body

CONTENT_TYPE = "text/event-stream"
# A proxy that gathers the answer, or keeps it, would hold the events back.
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
_HEARTBEAT = b": nothing changed\n\n"


async def job_events(follow: FollowJobs, job_id: JobId, *, viewer: ClientId) -> AsyncIterator[bytes]:
    """An event at each change of the job, a comment at each look that found none. Raises JobNotFound."""
    told = b""
    async with aclosing(follow.look(job_id, viewer=viewer)) as looks:
        async for record in looks:
            body = job_body(record)
            yield _HEARTBEAT if body == told else b"event: job\ndata: " + body + b"\n\n"
            told = body
