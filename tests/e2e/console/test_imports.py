"""Imports, as an operator finds and follows them in the console, through the real Envoy and without a script."""

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.e2e.test_import_path import mobile
from tests.fixtures.hub import admin_key
from tests.fixtures.partner import Partner
from tests.fixtures.waiting import look

HOSTILE = '<script>alert("x")</script>'
_TAGS = re.compile(r"<[^>]+>")


@pytest.fixture
def operator(hub: Hub) -> Iterator[httpx.Client]:
    """A browser that has signed in."""
    with httpx.Client(base_url=f"{hub.url}/console", timeout=30, trust_env=False) as browser:
        entered = browser.post("/login", data={"key": admin_key(hub)})
        assert entered.status_code == httpx.codes.SEE_OTHER, entered.text
        yield browser


def imported(partner: Partner, contacts: list[dict[str, Any]], **headers: str) -> str:
    job_id = str(partner.post(contacts, **headers).raise_for_status().json()["job_id"])
    partner.finished(job_id)
    return job_id


def told(page: httpx.Response) -> str:
    """What a person reads on the page."""
    assert page.status_code == httpx.codes.OK, page.text
    return " ".join(_TAGS.sub(" ", page.text).split())


def token(page: httpx.Response) -> str:
    return page.text.partition('name="csrf" value="')[2].partition('"')[0]


def test_only_an_operators_key_signs_in(hub: Hub, partner: Partner) -> None:
    with httpx.Client(base_url=f"{hub.url}/console", timeout=30, trust_env=False) as browser:
        wrong = browser.post("/login", data={"key": "cs_nobody"})
        clients = browser.post("/login", data={"key": partner.api_key})
        page = browser.get("/imports")

    assert (wrong.status_code, clients.status_code) == (401, 403)
    assert "set-cookie" not in {*wrong.headers, *clients.headers}
    assert (page.status_code, page.headers["location"]) == (303, "/console/login?next=%2Fconsole%2Fimports")


def test_pages_come_through_the_gateway_guarded_and_untouched(operator: httpx.Client) -> None:
    page = operator.get("", follow_redirects=True)

    assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-correlation-id"]
    assert operator.get("/nothing").status_code == httpx.codes.NOT_FOUND


def test_overview_tells_of_every_service_and_of_what_came_in(operator: httpx.Client, partner: Partner) -> None:
    imported(partner, [{"phone": mobile()}, {"phone": "nonsense"}])

    page = operator.get("", follow_redirects=True)

    text = told(page)
    for service in ("access", "idempotency", "normalization", "ingestion", "delivery", "directory", "source_polling"):
        assert f"{service} serves" in text
    assert "rows in the last hour" in text
    assert 'class="spark"' in page.text


def test_import_is_found_by_its_ids_and_by_a_phone_in_any_spelling(operator: httpx.Client, partner: Partner) -> None:
    number, correlation_id = mobile(), f"night-{uuid.uuid4().hex}"
    job_id = imported(partner, [{"phone": number}, {"phone": mobile()}], X_Correlation_ID=correlation_id)
    national = f"8 ({number[2:5]}) {number[5:8]}-{number[8:10]}-{number[10:]}"

    copied = national.replace("-", "\u2011").replace(" ", "\u00a0")
    asked = (job_id, f"{job_id}.0", correlation_id, number, national, copied)

    found = [operator.get("/imports", params={"q": q}) for q in asked]
    nothing = operator.get("/imports", params={"q": mobile()})
    rows = operator.get(f"/imports/{job_id}", params={"phone": national})

    assert [each.text.count(f'href="/console/imports/{job_id}') for each in found] == [1] * len(asked)
    assert "No imports." in told(nothing)
    assert rows.text.count('<th scope="row" class="n"') == 1


def test_imports_are_found_by_what_became_of_them_page_by_page(operator: httpx.Client, partner: Partner) -> None:
    with_losses = imported(partner, [{"phone": mobile()}, {"phone": "nonsense"}])
    well = imported(partner, [{"phone": mobile()}])

    losses = operator.get("/imports", params={"state": "losses"}).text
    done = operator.get("/imports", params={"state": "done"}).text
    odd = operator.get("/imports", params={"state": "nonsense", "page": "nonsense"})

    assert (with_losses in losses, well in losses) == (True, False)
    assert (with_losses in done, well in done) == (True, True)
    assert odd.status_code == httpx.codes.BAD_REQUEST


def test_rows_come_in_pages(operator: httpx.Client, partner: Partner) -> None:
    job_id = imported(partner, [{"phone": mobile()} for _ in range(60)])

    first = operator.get(f"/imports/{job_id}")
    link = re.search(r'<a rel="next" href="/console([^"]+)"', first.text)
    assert link
    second = operator.get(link[1].replace("&amp;", "&"))

    assert [page.text.count('<th scope="row" class="n"') for page in (first, second)] == [50, 10]


def test_hostile_contacts_are_shown_as_they_are_and_do_nothing(operator: httpx.Client, partner: Partner) -> None:
    job_id = imported(partner, [{"phone": HOSTILE, HOSTILE: 1, "tags": [HOSTILE]}, {"phone": mobile(), HOSTILE: 1}])

    page = operator.get(f"/imports/{job_id}")

    assert HOSTILE not in page.text
    assert "&lt;script&gt;" in page.text
    assert "not_a_number" in told(page)
    assert "at /0/phone" in told(page)


def test_import_is_told_whole_with_every_try(operator: httpx.Client, partner: Partner) -> None:
    job_id = imported(partner, [{"phone": mobile()}, {"phone": "nonsense"}])

    english = told(operator.get(f"/imports/{job_id}"))
    russian = told(operator.get(f"/imports/{job_id}", headers={"Accept-Language": "ru"}))

    assert "2 rows, 1 of them valid, 1 rejected" in english
    assert "chunk 0 to directory, try 1 · 200" in english
    assert "строк: 2, верных: 1, отклонено: 1" in russian
    assert operator.get(f"/imports/{uuid.uuid4()}").status_code == httpx.codes.NOT_FOUND


def test_failed_rows_are_tried_again_and_only_by_a_form_of_the_session(
    operator: httpx.Client, hub: Hub, admin: httpx.Client
) -> None:
    hook = {
        "kind": "DESTINATION_KIND_WEBHOOK",
        "name": "away",
        "url": "http://127.0.0.1:9/",
        "retry": {"max_attempts": 1},
    }
    destination = admin.post("/admin/v1/destinations", json=hook).raise_for_status().json()["destination"]["id"]
    made = admin.post(
        "/admin/v1/clients", json={"name": "to away", "settings": {"destination_ids": [destination]}}
    ).json()
    with httpx.Client(base_url=hub.url, timeout=30, trust_env=False) as http:
        partner = Partner(made["client"]["id"], made["api_key"], http)
        job_id = imported(partner, [{"phone": mobile()}])

        page = operator.get(f"/imports/{job_id}")
        refused = operator.post(f"/imports/{job_id}/retry", data={"csrf": "guessed"})
        retried = operator.post(f"/imports/{job_id}/retry", data={"csrf": token(page)})
        done = operator.get(retried.headers["location"].removeprefix("/console"))

        partner.finished(job_id)
        again = look(lambda: "try 1 · round 2" in told(operator.get(f"/imports/{job_id}")), what="the second round")
    assert "Try the failed rows again" in told(page)
    assert (refused.status_code, retried.status_code) == (403, 303)
    assert "1 row is tried again." in told(done)
    assert again


def test_live_page_brings_what_changes(operator: httpx.Client, partner: Partner) -> None:
    job_id = imported(partner, [{"phone": mobile()}])
    events: list[str] = []

    with operator.stream("GET", f"/imports/{job_id}", headers={"Accept": "text/event-stream"}) as stream:
        media_type = stream.headers["content-type"]
        for line in stream.iter_lines():
            events.append(line)
            if "last row done" in line:
                break

    assert media_type.startswith("text/event-stream")
    assert "event: page" in events
    assert not any("<html" in line for line in events)


def test_nothing_of_a_visit_is_logged(operator: httpx.Client, hub: Hub, partner: Partner) -> None:
    number = mobile()
    job_id = imported(partner, [{"phone": number}])
    operator.get("/imports", params={"q": number})
    operator.get(f"/imports/{job_id}", params={"phone": number})
    operator.get("/imports", params={"page": number})

    logs = "".join(path.read_text(errors="replace") for path in (hub.plan.folder.root / "log").glob("*.log"))

    assert number not in logs
    assert admin_key(hub) not in logs
    assert not [
        line for line in logs.splitlines() if line.startswith("{") and json.loads(line).get("event") == "page_failed"
    ]
