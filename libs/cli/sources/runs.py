"""Runs as the command shows them."""

import time
from typing import Any

from libs.cli.api import Api, segment
from libs.cli.output import out, print_json

_OPEN = ("RUN_STATUS_RUNNING", "RUN_STATUS_WAITING")
_LOOK_EVERY_S = 0.2


def plain_run(run: dict[str, Any]) -> dict[str, Any]:
    """A run with its status in small letters, its id as `id` too, and every time it has or null."""
    times = {name: run.get(name) for name in ("since", "started_at", "ended_at", "waits_until")}
    return {**run, **times, "id": run["run_id"], "status": run["status"].removeprefix("RUN_STATUS_").lower()}


def when_ended(api: Api, run: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
    """The run when it has ended or is held, or as it is when the time is over."""
    path = f"/admin/v1/sources/{segment(run['source_id'])}/runs/{segment(run['run_id'])}"
    ends_at = time.monotonic() + timeout_s
    while run["status"] in _OPEN and time.monotonic() < ends_at:
        time.sleep(_LOOK_EVERY_S)
        run = api.call("GET", path)["run"]
    return run


def print_run(run: dict[str, Any], *, as_json: bool) -> None:
    """One run, for programs or for people."""
    shown = plain_run(run)
    if as_json:
        print_json(shown)
        return
    counts = ("pages", "seen", "changed", "unchanged", "echoes", "skipped", "deleted", "held_deletes", "retries")
    out.print(f"run {shown['id']} {shown['status']}: " + ", ".join(f"{shown[name]} {name}" for name in counts))
    if shown["message"]:
        out.print(shown["message"])
