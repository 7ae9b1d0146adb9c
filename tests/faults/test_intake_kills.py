"""kill -9 of directory, of the bus and of the gateway while leads are queued by a client that retries."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.telecrm.caller import SPEC, Telecrm, phone
from tests.faults.desk import Desk, desk, print_figures
from tests.fixtures.hub import admin_of
from tests.fixtures.spaces import create_space
from tests.fixtures.waiting import look, wait_for

pytestmark = pytest.mark.xdist_group("hub")

LEADS = 300
VICTIMS = ("directory", "nats", "directory", "gateway", "directory")
SETTINGS = {"CONTACTSYNC_OVERDUE_AFTER": "PT2S", "CONTACTSYNC_SWEEP_INTERVAL": "PT1S"}


def queue(later: Telecrm, number: str) -> int:
    """Until it is accepted; gives how often it was sent. The note says which try it was."""
    tries = 0

    def send() -> int | None:
        nonlocal tries
        tries += 1
        note = {"type": "ACTION_1001", "fields": {"note": str(tries)}}
        body = {"fields": {"phone": number, "note": str(tries)}, "actions": [note]}
        try:
            answer = later.http.post(later.base + "autoupdatelead", json=body)
        except httpx.TransportError:
            return None
        return tries if answer.status_code == 200 else None

    return look(send, what="that the lead is accepted")


def every_lead(sync: Telecrm) -> dict[str, dict[str, Any]]:
    """All leads by phone."""
    rows = [row for skip in range(0, LEADS + 100, 100) for row in sync.search({}, skip=skip, limit=100)["data"]]
    assert not [each for each, count in Counter(row["id"] for row in rows).items() if count > 1]
    return {row["fields"]["phone"]: row for row in rows}


def kill_in_turn(place: Desk) -> None:
    for victim in VICTIMS:
        place.await_all(place.kill_all(victim))


def test_leads_that_were_accepted_are_done_once_whatever_dies(tmp_path: Path) -> None:
    numbers = [phone() for _ in range(LEADS)]
    with desk(tmp_path, settings=SETTINGS) as place, admin_of(place.hub) as admin:
        space = create_space(place.hub, admin, **SPEC)
        with Telecrm.of(space, kind="async") as later, Telecrm.of(space) as sync:
            with ThreadPoolExecutor(5) as pool:
                killing = pool.submit(kill_in_turn, place)
                tries = dict(zip(numbers, pool.map(lambda each: queue(later, each), numbers), strict=True))
                killing.result()
            drained = wait_for(lambda: not place.look("directory", "SELECT entry_id FROM intake"), what="the last lead")
            leads = every_lead(sync)
            notes = {each: sync.get(f"lead/{leads[each]['id']}", includeActions="true").json() for each in numbers}

    again = {each: count for each, count in tries.items() if count > 1}
    print_figures("kill -9 under the Async API", {"leads": LEADS, "sent again": len(again), "drained after": drained})
    assert leads.keys() == set(numbers)
    for number in numbers:
        # A try whose answer was lost may have been accepted as well; each that was is there once.
        told = [action["fields"]["note"] for action in notes[number]["actions"]]
        assert len(told) == len(set(told)), json.dumps(told)
        assert str(tries[number]) in told
        assert leads[number]["fields"]["note"] == str(tries[number])
