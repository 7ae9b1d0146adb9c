"""Contact data and secrets, planted wherever a caller can put some, show in no log, span, number, ticket or error."""

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psutil
import pytest
import pytest_asyncio

from libs.cli.stack.hub import Hub, running_hub
from libs.cli.stack.traces import Tracing
from tests.e2e.test_import_path import mobile
from tests.fakes.parrot import parrot
from tests.fixtures.files import contents
from tests.fixtures.hub import admin_key, admin_of
from tests.fixtures.otlp import OtlpReceiver
from tests.fixtures.partner import Partner, create_client
from tests.fixtures.places import choose_place, grown
from tests.fixtures.spaces import Space, create_space
from tests.fixtures.waiting import wait_for

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("hub")]


@dataclass
class Planted:
    """What was planted, and what errors said."""

    texts: list[str] = field(default_factory=list)
    errors: dict[str, bytes] = field(default_factory=dict)

    def word(self) -> str:
        """A new word that is nowhere else."""
        self.texts.append(f"zq{secrets.token_hex(8)}")
        return self.texts[-1]

    def phone(self) -> str:
        """A new number; it is looked for without its prefix, and so in every spelling without spaces."""
        phone = mobile()
        self.texts.append(phone[2:])
        return phone

    def secret(self, text: str) -> str:
        """A secret that the hub made."""
        self.texts.append(text)
        return text

    def note(self, response: httpx.Response) -> None:
        """Keeps what an error says, which every caller here has to get."""
        assert response.status_code >= httpx.codes.BAD_REQUEST, response.text
        request = response.request
        self.errors[f"{request.method} {request.url.path} {len(self.errors)}"] = response.content

    def shown_in(self, places: dict[str, bytes]) -> list[tuple[str, str]]:
        """What shows where."""
        return [(text, place) for place, raw in places.items() for text in self.texts if text.encode() in raw]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def collector() -> AsyncIterator[OtlpReceiver]:
    receiver = OtlpReceiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture(scope="module")
def watched(collector: OtlpReceiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub that says all it can."""
    data = tmp_path_factory.mktemp("watched")
    settings = {"CONTACTSYNC_EGRESS_ALLOW": "127.0.0.0/8", "CONTACTSYNC_LOG_LEVEL": "DEBUG"}
    choose_place(data)
    tracing = Tracing(endpoint=collector.endpoint)
    with running_hub(data, port=0, shape=grown(), tracing=tracing, settings=settings) as hub:
        yield hub


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def planted(watched: Hub) -> Planted:
    """The hub after everything was planted, with its own secrets among what is looked for."""
    return await asyncio.to_thread(_plant, watched)


def _plant(watched: Hub) -> Planted:
    found = Planted()
    with admin_of(watched) as admin, create_client(watched, admin, rate=1000) as partner:
        found.secret(admin.headers["Authorization"].removeprefix("Bearer "))
        found.texts += [path.read_text().strip() for path in (watched.plan.folder.root / "keys").iterdir()]
        found.secret(partner.api_key)
        _import_good_and_bad(found, partner, admin)
        _knock(found, watched)
        _deliver_to_parrots(found, watched, admin)
        _poll_a_parrot(found, admin)
        _use_the_book(found, create_space(watched, admin))
        _look_into_the_console(found, watched)
    return found


def _import_good_and_bad(found: Planted, partner: Partner, admin: httpx.Client) -> None:
    fields = {"first_name": found.word(), "email": f"{found.word()}@example.com", found.word(): found.word()}
    bad_phone = f"+7900{found.word()}"
    rows = [{"phone": found.phone(), "tags": [found.word()], "additionalFields": fields}, {"phone": bad_phone}]
    accepted = partner.post(rows, key=found.word()).json()
    assert partner.finished(accepted["job_id"])["status"] == "completed"
    word, phone = found.word(), found.phone()
    cut, twice = f'[{{"phone": "{phone}", "{word}": "{word}'.encode(), f'{{"phone":1,"phone":"{phone}"}}'.encode()
    wrong: list[Any] = [{"phone": [phone]}, {"phone": phone, "tags": word}, {"phone": phone, "additionalFields": word}]
    for body in (cut, twice, word.encode(), f'"{phone}"'.encode(), *wrong, [{word: phone}]):
        found.note(partner.post(body))
    found.note(partner.post(rows, key=f"{word}{phone}" * 20))
    for path in (f"/v1/contacts/{phone}", f"/v1/contacts/import/{phone}", f"/v1/{word}?phone={quote(phone)}"):
        found.note(partner.get(path))
    assert admin.get("/admin/v1/contacts", params={"phone": phone}).is_success
    found.note(admin.get("/admin/v1/contacts", params={"phone": word, "page_size": word}))
    found.note(admin.post("/admin/v1/clients", json={"name": word, "settings": {"rate": -1}}))


def _knock(found: Planted, hub: Hub) -> None:
    """Comes with credentials that are not good, which may be somebody's elsewhere."""
    with httpx.Client(base_url=hub.url, timeout=30, trust_env=False) as http:
        word = found.word()
        found.note(http.post("/v1/contacts/import", headers={"Authorization": f"Bearer {word}"}, json=[]))
        found.note(http.get("/api/connect/contacts", headers={"X-Api-Key": word}))
        found.note(http.get("/contact-source/token", auth=(word, word)))
        found.note(http.get("/contact-source/contacts", headers={"Authorization": f"Bearer {word}.{word}.{word}"}))
        path = f"/autoupdate/v2/enterprise/default/lead/{word}"
        found.note(http.get(path, headers={"Authorization": f"Bearer {word}"}))


def _deliver_to_parrots(found: Planted, hub: Hub, admin: httpx.Client) -> None:
    """Every kind of destination refuses and says back what it got, credentials and all."""
    for status in (400, 500):
        signing = found.secret(f"whsec_{secrets.token_hex(16)}")
        kinds: list[dict[str, Any]] = [
            {"kind": "DESTINATION_KIND_WEBHOOK", "secret": signing, "headers": {"X-Token": found.word()}},
            {"kind": "DESTINATION_KIND_TELECRM", "token": found.word(), "enterprise_id": "e1"},
            {"kind": "DESTINATION_KIND_CONNECT", "api_key": found.word()},
        ]
        with parrot(status) as (url, heard):
            made = [_destination(admin, url=f"{url}/x", **kind) for kind in kinds]
            with create_client(hub, admin, rate=1000, destination_ids=made) as partner:
                found.secret(partner.api_key)
                rows = [{"phone": found.phone(), "additionalFields": {"name": found.word()}}]
                assert partner.post(rows).is_success
                wait_for(partial(_has_heard, heard, len(kinds)), what="a try of each")


def _destination(admin: httpx.Client, **settings: Any) -> str:
    answer = admin.post("/admin/v1/destinations", json={**settings, "retry": {"first_delay": "1s", "max_attempts": 2}})
    assert answer.is_success, answer.text
    return str(answer.json()["destination"]["id"])


def _has_heard(heard: list[bytes], enough: int) -> bool:
    return len(heard) >= enough


def _poll_a_parrot(found: Planted, admin: httpx.Client) -> None:
    with parrot(403) as (url, heard):
        settings = {"name": "parrot", "url": url, "client_id": found.word(), "workspace_id": "default"}
        body = {"kind": "SOURCE_KIND_CUSTOM", "settings": settings, "secrets": {"client_secret": found.word()}}
        made = admin.post("/admin/v1/sources", json=body)
        assert made.is_success, made.text
        source = f"/admin/v1/sources/{made.json()['source']['id']}"
        assert admin.post(f"{source}/sync", json={}).is_success
        wait_for(lambda: "FAILED" in admin.get(f"{source}/runs").text, what="the run's end")
    assert heard


def _use_the_book(found: Planted, space: Space) -> None:
    phone, word = found.phone(), found.word()
    with space.connect(found.secret(space.connect_key())) as http:
        given = {"fullName": word, "email": f"{word}@example.com", "phoneNumbers": [phone]}
        assert http.post("contacts", json=given).is_success
        found.note(http.post("contacts", json={"fullName": word, "phoneNumbers": phone}))
        found.note(http.get(f"contacts/{word}"))
    access = space.access()
    found.secret(access.client_secret)
    with space.source(access) as http:
        found.secret(http.headers["Authorization"].removeprefix("Bearer "))
        assert http.get("contacts", params={"page": 1}).is_success
        found.note(http.get("contacts/delta", params={"timestamp": word}))
    base = f"{space.hub.url}/autoupdate/v2/enterprise/{space.enterprise_id}"
    headers = {"Authorization": f"Bearer {found.secret(space.token('sync'))}"}
    with httpx.Client(base_url=base, headers=headers, timeout=30, trust_env=False) as http:
        found.note(http.post("/lead", json={"fields": {"phone": word, "name": word}}))
        found.note(http.post("/lead", content=f'{{"fields": {{"phone": "{phone}"'.encode()))
        found.note(http.get(f"/lead/{quote(phone)}"))
    erased = httpx.post(
        f"{space.hub.url}/v1/contacts/erase", headers=dict(space.admin.headers), json={"phone": phone}, trust_env=False
    )
    assert erased.is_success, erased.text


def _look_into_the_console(found: Planted, hub: Hub) -> None:
    with httpx.Client(base_url=f"{hub.url}/console", timeout=30, trust_env=False) as http:
        found.note(http.post("/login", data={"key": found.word()}))
        entered = http.post("/login", data={"key": admin_key(hub)})
        assert entered.status_code == httpx.codes.SEE_OTHER
        found.texts += [value for value in http.cookies.values() if len(value) > 16]
        for asked in ({"phone": found.phone()}, {"q": found.phone()}, {"q": found.word()}):
            assert http.get("/imports", params=asked).is_success


def _logs(data: Path) -> dict[str, bytes]:
    return {str(path.relative_to(data)): raw for path, raw in contents(data / "log").items()}


async def test_no_log_line_shows_any(watched: Hub, planted: Planted) -> None:
    logs = _logs(watched.plan.folder.root)

    assert len(logs) > 8
    assert planted.shown_in(logs) == []


async def test_no_span_shows_any(planted: Planted, collector: OtlpReceiver) -> None:
    services = {"gateway", "access", "idempotency", "ingestion", "delivery", "directory", "source_polling"}
    await collector.until(lambda: services <= {span.service for span in collector.spans})

    assert planted.shown_in({f"export {index}": raw for index, raw in enumerate(collector.raw)}) == []


async def test_no_number_shows_any(watched: Hub, planted: Planted) -> None:
    urls = watched.plan.folder.read_run_facts()["metrics"]
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        pages = {name: (await http.get(url)).content for name, url in urls.items()}

    assert len(pages) > 7
    assert planted.shown_in(pages) == []


async def test_no_error_says_any_back(planted: Planted) -> None:
    assert len(planted.errors) > 20
    assert planted.shown_in(planted.errors) == []


async def test_no_command_line_shows_any(watched: Hub, planted: Planted) -> None:
    family = psutil.Process(watched.supervisor.pid).children(recursive=True)
    assert len(family) > 8

    assert planted.shown_in({f"{each.pid}": " ".join(each.cmdline()).encode() for each in family}) == []


async def test_no_ticket_shows_any(watched: Hub) -> None:
    """Tickets are read in NATS's own store while delivery stands still, and so leaves them there."""
    found = Planted()
    stores = [watched.plan.nats.store(name) for name in watched.plan.nats.names]
    signal_delivery(watched, signal.SIGSTOP)
    try:
        with admin_of(watched) as admin, create_client(watched, admin, rate=1000) as partner:
            correlation_id = f"ticket-{secrets.token_hex(8)}"
            row = {"phone": found.phone(), "tags": [found.word()], "additionalFields": {"name": found.word()}}
            accepted = partner.post([row], key=found.word(), X_Correlation_ID=correlation_id).json()
            found.secret(partner.api_key)

            def tickets() -> dict[str, bytes]:
                return {str(path): raw for store in stores for path, raw in contents(store).items()}

            wait_for(lambda: any(correlation_id.encode() in raw for raw in tickets().values()), what="the ticket")
            assert found.shown_in(tickets()) == []
            signal_delivery(watched, signal.SIGCONT)
            assert partner.finished(accepted["job_id"])["status"] == "completed"
    finally:
        signal_delivery(watched, signal.SIGCONT)


def signal_delivery(hub: Hub, signal_: signal.Signals) -> None:
    """Sends it to every process of delivery."""
    running = hub.supervisor.processes()
    for each in hub.plan.instances():
        if each.service == "delivery":
            os.kill(running[each.name]["pid"], signal_)


async def test_what_shows_is_found(tmp_path: Path) -> None:
    """The control: a leak of each kind is seen."""
    found = Planted()
    phone, word = found.phone(), found.word()
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "a.log").write_text(f'{{"event": "x", "phone": "8{phone[2:]}", "url": "/v1?name={word}"}}')

    assert len(found.shown_in(_logs(tmp_path))) == 2
