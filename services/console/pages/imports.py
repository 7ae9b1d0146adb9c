"""The list of imports."""

from contactsync.ingestion.v1 import ingestion_service_pb2 as ingestion

from services.console.pages.jobs import shown_jobs
from services.console.visit import Show, View, Visit

_A_PAGE = 50


async def list_imports(visit: Visit) -> View:
    """The newest imports first."""
    services = visit.services
    token = visit.query.get("page", "")
    found = await services.ask(
        services.ingestion.ListJobs, ingestion.ListJobsRequest(page_size=_A_PAGE, page_token=token)
    )
    return View("imports.html", {"jobs": shown_jobs(found.jobs), "token": token, "next": found.next_page_token})


PAGES = (Show("/imports", list_imports),)
