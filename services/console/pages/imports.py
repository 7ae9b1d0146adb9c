"""The list of imports: the newest first, or what was looked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from contactsync.ingestion.v1 import ingestion_service_pb2 as ingestion
from contactsync.ingestion.v1.job_pb2 import Job, JobStatus

from libs.rpc import PeerRefused
from services.console.pages.jobs import shown_jobs
from services.console.shown import moment
from services.console.visit import Show, View, Visit

_A_PAGE = 50
_PHONE = re.compile(r"\+?[\d\s().\-\u2010-\u2015/]{5,40}")
_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
STATES = {
    "": (),
    "open": (JobStatus.JOB_STATUS_PENDING, JobStatus.JOB_STATUS_PROCESSING),
    "done": (JobStatus.JOB_STATUS_COMPLETED,),
    "failed": (JobStatus.JOB_STATUS_FAILED,),
    "losses": (),
}
"""What may be chosen, each a word of "imports.in_…"; the last is no state of a job, but of some of its rows."""


@dataclass(frozen=True, slots=True)
class Found:
    """Jobs, and what the next page is asked with. `back_to`: so far back was looked."""

    jobs: Sequence[Job]
    next: str = ""
    back_to: datetime | None = None


async def list_imports(visit: Visit) -> View:
    """What is looked for by a correlation id, a job's id or a phone, and by what became of it; all, when nothing is."""
    sought, state = visit.query.get("q", "").strip(), visit.query.get("state", "")
    token, is_phone = visit.query.get("page", ""), bool(_PHONE.fullmatch(sought))
    found = await _find(visit, sought, state if state in STATES else "", token, is_phone=is_phone)
    asked = {name: value for name, value in (("q", sought), ("state", state)) if value}
    facts = {
        "jobs": shown_jobs(found.jobs),
        "q": sought,
        "state": state,
        "states": list(STATES),
        "phone": sought if is_phone else "",
        "url": f"/console/imports{'?' if asked else ''}{urlencode(asked)}",
        "token": token,
        "next": found.next,
        "back_to": found.back_to if asked else None,
    }
    return View("imports.html", facts)


async def _find(visit: Visit, sought: str, state: str, token: str, *, is_phone: bool) -> Found:
    if sought and not is_phone and not _ID.fullmatch(sought):
        return Found([])
    services = visit.services
    request = ingestion.ListJobsRequest(
        page_size=_A_PAGE,
        page_token=token,
        correlation_id="" if is_phone else sought,
        phone=sought if is_phone else "",
        statuses=STATES[state],
        with_losses=state == "losses",
    )
    listed = await services.ask(services.ingestion.ListJobs, request)
    own = [] if not sought or token else await (_of_request(visit, sought) if is_phone else _named(visit, sought))
    others = [job for job in listed.jobs if job.job_id not in {each.job_id for each in own}]
    return Found([*own, *others], listed.next_page_token, moment(listed, "looked_back_to"))


async def _of_request(visit: Visit, sought: str) -> Sequence[Job]:
    """Those whose correlation id looks like a phone."""
    services = visit.services
    request = ingestion.ListJobsRequest(page_size=_A_PAGE, correlation_id=sought)
    return (await services.ask(services.ingestion.ListJobs, request)).jobs if _ID.fullmatch(sought) else []


async def _named(visit: Visit, sought: str) -> list[Job]:
    """The job of this id, or that a chunk of this id is of."""
    services = visit.services
    for job_id in dict.fromkeys((sought, sought.rpartition(".")[0])):
        if 0 < len(job_id) <= 64:
            try:
                found = await services.ask(services.ingestion.GetJob, ingestion.GetJobRequest(job_id=job_id))
            except PeerRefused as refused:
                if refused.reason != "NOT_FOUND":
                    raise
            else:
                return [found.job]
    return []


PAGES = (Show("/imports", list_imports),)
