"""Which jobs a request looks for."""

from contactsync.ingestion.v1 import ingestion_service_pb2 as pb

from services.ingestion.domain.errors import Invalid, Violation
from services.ingestion.domain.status import JobStatus
from services.ingestion.handler.looking import JobFilter
from services.ingestion.wire.caller import viewer


def job_filter(request: pb.ListJobsRequest) -> JobFilter:
    """Raises Invalid for a phone that a client looks for: it would read through all that the client ever sent."""
    if request.phone and viewer() is not None:
        raise Invalid(violations=[Violation("/phone", "not_allowed", "Only an operator looks for jobs by a phone")])
    return JobFilter(
        statuses=frozenset(map(JobStatus, request.statuses)),
        with_losses=request.with_losses,
        phone=request.phone.strip(),
        region=request.region,
    )
