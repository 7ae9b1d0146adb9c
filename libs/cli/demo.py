"""``contactsync demo``: the whole path once, with a real sample, in a temporary folder."""

import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from libs.cli.api import Api, connect
from libs.cli.contacts import plain_contact, read_contacts
from libs.cli.importing.send import send_contacts
from libs.cli.jobs import follow_job, plain_job
from libs.cli.output import err, out, print_json, print_table
from libs.cli.sample import read_expected, read_sample

_SHOWN_CONTACTS = 5


def demo(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Start everything in a temporary folder, import a sample, show what became of it, stop."""
    from libs.cli.stack.hub import running_hub  # noqa: PLC0415 — imports gRPC, which no other subcommand needs

    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="contactsync-demo-") as folder:
        err.print("starting the hub: NATS, seven services, Envoy …")
        with running_hub(Path(folder) / "data", port=0) as hub:
            err.print(f"ready at {hub.url} after {time.monotonic() - began:.1f} s")
            client = connect(hub.plan.folder.root, "", "", role="client")
            admin = connect(hub.plan.folder.root, "", "", role="admin")
            shown = _import_sample(client, admin)
    print_json(shown) if as_json else _print(shown)
    if not shown["adds_up"]:
        raise typer.Exit(code=1)


def _import_sample(client: Api, admin: Api) -> dict[str, Any]:
    contacts = read_sample()
    err.print(f"importing {len(contacts)} contacts through the gateway")
    accepted = send_contacts(client, contacts, source="demo")
    jobs = [plain_job(follow_job(admin, each.job_id)) for each in accepted]
    states: dict[str, int] = {}
    for job in jobs:
        for state, count in job["states"].items():
            states[state] = states.get(state, 0) + count
    page = read_contacts(admin, page_size=_SHOWN_CONTACTS)
    expected = read_expected()
    return {
        "jobs": [{name: job[name] for name in ("job_id", "correlation_id", "trace_id", "status")} for job in jobs],
        "rows": len(contacts),
        "expected_valid": expected["valid"],
        "valid": sum(job["valid_contacts"] for job in jobs),
        "states": states,
        "adds_up": sum(states.values()) == len(contacts) and states.get("rejected", 0) == expected["invalid"],
        "contacts_in_book": page["total_contacts"],
        "some_contacts": [plain_contact(each) for each in page["contacts"]],
    }


def _print(shown: dict[str, Any]) -> None:
    print_table(shown["jobs"], ["job_id", "status", "correlation_id", "trace_id"])
    out.print(f"\n{shown['rows']} rows = " + " + ".join(f"{count} {state}" for state, count in shown["states"].items()))
    verdict = "the states add up" if shown["adds_up"] else "the states DO NOT add up"
    out.print(f"{shown['valid']} valid, {shown['expected_valid']} expected; {verdict}")
    out.print(f"the book has {shown['contacts_in_book']} contacts, for example:\n")
    print_table(shown["some_contacts"], ["phone", "first_name", "last_name", "tags"])
