"""``contactsync jobs``: what became of imports."""

import time
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from libs.cli.api import Api, ApiError, connect, segment
from libs.cli.options import Data, Json, Key, Url
from libs.cli.output import err, out, print_json, print_table

app = typer.Typer(no_args_is_help=True, help="Import jobs: list, show, rows, watch, retry.")
JobId = Annotated[str, typer.Argument(help="The job's id.")]
_DONE = ("JOB_STATUS_COMPLETED", "JOB_STATUS_FAILED")
_WATCH_SECONDS = 0.5
_TRIES_CHUNKS = 100
"""Chunks whose tries one call lists."""


@app.command("list")
def list_jobs(
    *,
    correlation_id: Annotated[str, typer.Option(help="Only jobs of this correlation id.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The most to show.")] = 50,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """List jobs, newest first."""
    api = connect(data, url, key, role="admin")
    jobs = api.call("GET", "/admin/v1/jobs", page_size=limit, correlation_id=correlation_id)["jobs"]
    if as_json:
        print_json([plain_job(job) for job in jobs])
    else:
        print_table(
            map(plain_job, jobs), ["job_id", "client_id", "status", "total_contacts", "invalid_contacts", "created_at"]
        )


@app.command()
def show(job_id: JobId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False) -> None:
    """Show a job, its chunks, the counts of its rows' states, and its timeline."""
    api = connect(data, url, key, role="admin")
    job = plain_job(read_job(api, job_id))
    timeline = read_timeline(api, job)
    if as_json:
        print_json(job | {"timeline": timeline})
        return
    out.print({name: value for name, value in job.items() if name != "chunks"})
    print_table(
        job["chunks"], ["chunk_index", "status", "size", "attempt_count", "response_status_code", "error_message"]
    )
    print_table(timeline, ["at", "what", "chunk_index", "destination_id", "duration_s", "status", "error"])


@app.command()
def rows(
    job_id: JobId,
    *,
    state: Annotated[str, typer.Option(help="Only rows in this state, for example failed.")] = "",
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Show every row with its state and reason, and the counts of all states."""
    found = read_rows(connect(data, url, key, role="admin"), job_id, state=state)
    if as_json:
        print_json(found)
        return
    print_table(found["rows"], ["row_index", "state", "original_phone", "normalized_phone", "reason"])
    out.print(found["states"])


@app.command()
def watch(job_id: JobId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False) -> None:
    """Follow a job until it is completed or failed; exit code 1 when it failed."""
    job = follow_job(connect(data, url, key, role="admin"), job_id)
    print_json(plain_job(job)) if as_json else out.print(plain_job(job)["status"])
    raise typer.Exit(code=job["status"] == "JOB_STATUS_FAILED")


@app.command()
def retry(job_id: JobId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False) -> None:
    """Deliver a job's failed rows again."""
    answer = connect(data, url, key, role="admin").call("POST", f"/admin/v1/jobs/{segment(job_id)}/retry", body={})
    if as_json:
        print_json({"job": plain_job(answer["job"]), "retried_rows": answer["retried_rows"]})
    else:
        out.print(f"{answer['retried_rows']} rows are tried again")


def read_job(api: Api, job_id: str) -> dict[str, Any]:
    """One job as the API has it."""
    job: dict[str, Any] = api.call("GET", f"/admin/v1/jobs/{segment(job_id)}")["job"]
    return job


def follow_job(api: Api, job_id: str) -> dict[str, Any]:
    """The job once it is done; a progress bar on a terminal until then."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=False, disable=not err.is_terminal) as progress:
        bar = progress.add_task("delivered", total=None)
        while True:
            job = read_job(api, job_id)
            progress.update(bar, total=job["total_contacts"], completed=_rows_done(job))
            if job["status"] in _DONE:
                return job
            time.sleep(_WATCH_SECONDS)


def read_timeline(api: Api, job: dict[str, Any]) -> list[dict[str, Any]]:
    """What happened to a job, oldest first: accepted, every try at every destination, completed."""
    steps = [{"at": job["created_at"], "what": "accepted"}]
    try:
        for first in range(0, len(job["chunks"]), _TRIES_CHUNKS):
            path = f"/admin/v1/jobs/{segment(job['job_id'])}/attempts"
            steps += map(_plain_try, api.call("GET", path, first_chunk=first)["attempts"])
    except ApiError as error:
        err.print(f"The tries are not shown: {error}", markup=False)
    if done := job.get("completed_at"):
        steps.append({"at": done, "what": job["status"]})
    return sorted(steps, key=lambda step: str(step["at"]))


def _plain_try(each: dict[str, Any]) -> dict[str, Any]:
    tried = each["attempt"]
    return {
        "at": tried["started_at"],
        "what": f"try {tried['number']}" + (f" of round {tried['round'] + 1}" if tried["round"] else ""),
        "chunk_index": each["chunk_index"],
        "destination_id": each["destination_id"],
        "duration_s": round(tried["duration_s"], 3),
        "status": tried["response_status_code"],
        "error": tried["error_message"],
    }


def read_rows(api: Api, job_id: str, *, state: str = "") -> dict[str, Any]:
    """{"states": {state: count}, "rows": […]}: all pages. With several destinations a row shows each."""
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        path = f"/admin/v1/jobs/{segment(job_id)}/rows"
        page = api.call("GET", path, state=state, page_size=1000, page_token=token)
        found += [plain_row(row) for row in page["rows"]]
        token = page.get("next_page_token", "")
        if not token:
            return {"states": _sum_states(page["destinations"]), "rows": found}


def plain_job(job: dict[str, Any]) -> dict[str, Any]:
    """A job with lower-case states and counts by state, as people and scripts like it."""
    plain = job | {
        "status": job["status"].removeprefix("JOB_STATUS_").lower(),
        "states": _sum_states(job["destinations"]),
        "destinations": {each["destination_id"]: _states(each) for each in job["destinations"]},
    }
    chunks = job.get("chunks", [])
    plain["chunks"] = [chunk | {"status": chunk["status"].removeprefix("CHUNK_STATUS_").lower()} for chunk in chunks]
    return plain


def plain_row(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its state in front; when its destinations differ, every state is named."""
    places = [each | {"state": _lower(each["state"])} for each in row["destinations"]]
    states = sorted({each["state"] for each in places})
    reason = row.get("message") or "; ".join(each["reason"] for each in places if each.get("reason"))
    return row | {"state": ",".join(states), "reason": reason, "destinations": places}


def _sum_states(destinations: list[dict[str, Any]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for destination in destinations:
        for state, count in _states(destination).items():
            total[state] = total.get(state, 0) + count
    return total


def _states(destination: dict[str, Any]) -> dict[str, int]:
    return {_lower(each["state"]): each["count"] for each in destination["counts"]}


def _lower(state: str) -> str:
    return state.removeprefix("ROW_STATE_").lower()


def _rows_done(job: dict[str, Any]) -> int:
    """Rows that are done at every destination: all but the most that are pending at any one."""
    pending = [_states(each).get("pending", 0) for each in job["destinations"]]
    return int(job["total_contacts"]) - max(pending, default=0)
