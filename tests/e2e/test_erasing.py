"""One person is erased everywhere: jobs, rows, tries, stored answers, the book, and every file of the hub."""

import asyncio
import json
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from contactsync.contact.v1.contact_pb2 import Contact, LabeledEmail
from contactsync.ingestion.v1.ingestion_service_pb2 import ImportContactsRequest
from contactsync.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceStub

from libs.cli.stack.hub import Hub
from tests.e2e.test_cli import run
from tests.e2e.test_import_extras import client, finished, imported, rows, sending_to
from tests.e2e.test_import_path import mobile
from tests.fakes.webhook import Slow, Status, WebhookFake
from tests.fixtures.files import contents
from tests.fixtures.hub import dial
from tests.fixtures.partner import Partner, create_client
from tests.fixtures.places import ON_POSTGRESQL, rows_of_all_tables
from tests.fixtures.waiting import look


@pytest.fixture
async def webhook() -> AsyncIterator[WebhookFake]:
    async with WebhookFake() as fake:
        yield fake


def erase(caller: httpx.Client, key: str, **named: str) -> Any:
    answer = caller.post("/v1/contacts/erase", json=named, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/contacts/erasures/{answer.json()['erasure_id']}"
    return answer.json()


def completed(partner: Partner, erasure: Any) -> Any:
    return no_longer_pending(lambda: partner.get(f"/v1/contacts/erasures/{erasure['erasure_id']}"))


def no_longer_pending(ask: Callable[[], httpx.Response]) -> Any:
    def find() -> Any:
        now = ask().json()
        return now if now["status"] == "completed" else None

    return look(find, what="the erasure's end")


def in_book(admin: httpx.Client, phone: str) -> int:
    return len(admin.get("/admin/v1/contacts", params={"phone": phone}).json()["contacts"])


def tries(admin: httpx.Client, url: str, chunk_id: str) -> Any:
    """At the destination of that URL, oldest first."""
    [hook] = [each["id"] for each in admin.get("/admin/v1/destinations").json()["destinations"] if each["url"] == url]
    return admin.get(f"/admin/v1/destinations/{hook}/attempts/{chunk_id}").json()["attempts"]


def places_of(text: str, data: Path) -> Iterator[str]:
    """Tables of all databases, and all other files, that hold the text in any column or byte."""
    if ON_POSTGRESQL:
        for table, rows in rows_of_all_tables(data).items():
            if any(text in row for row in rows):
                yield table.replace(":", ".sqlite3:")
    for path, raw in contents(data).items():
        if path.suffix == ".sqlite3":
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
                tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
                for table in tables:
                    if any(text.encode() in repr(row).encode() for row in database.execute(f"SELECT * FROM {table}")):
                        yield f"{path.name}:{table}"
        elif not path.name.endswith(("-wal", "-shm")) and text.encode() in raw:
            yield path.name


def test_nothing_of_the_person_is_left_anywhere(hub: Hub, admin: httpx.Client, partner: Partner, data: Path) -> None:
    phone, email, name = mobile(), f"{uuid.uuid4().hex}@example.com", uuid.uuid4().hex
    digits = phone.removeprefix("+7")
    body = [
        {"phone": f"8{digits}", "tags": [name], "additionalFields": {"email": email, "first_name": name}, "x": name},
        {"phone": mobile()},
        {"phone": "12", "additionalFields": {"E-Mail": email.upper(), "note": name}},
    ]
    accepted = partner.post(body).json()
    partner.finished(accepted["job_id"])
    known = set(places_of(digits, data)) | set(places_of(name, data))

    erasure = completed(partner, erase(partner.http, partner.api_key, phone=f"8 {digits}", email=email))

    assert erasure == {
        "erasure_id": erasure["erasure_id"], "status": "completed", "jobs": 1, "rows": 2, "book_contacts": 1,
        "created_at": erasure["created_at"], "completed_at": erasure["completed_at"],
    }  # fmt: skip
    assert known == {
        "ingestion.sqlite3:chunks", "ingestion.sqlite3:rejected_rows", "directory.sqlite3:contacts",
        "directory.sqlite3:contact_identities",
    }  # fmt: skip
    for text in (digits, email, email.upper(), name):
        assert list(places_of(text, data)) == []
    shown = rows(partner, accepted["job_id"])
    assert [(row["state"], row["code"], row["original_phone"]) for row in shown["rows"]] == [
        ("created", "erased", ""), ("created", None, shown["rows"][1]["original_phone"]), ("rejected", "erased", ""),
    ]  # fmt: skip
    assert shown["rows"][0]["reason"] == "Erased on request"
    assert partner.get(f"/v1/contacts/import/{accepted['job_id']}/rejected").json() == []


async def test_external_id_of_a_typed_import_finds_the_person(hub: Hub, admin: httpx.Client, partner: Partner) -> None:
    external = uuid.uuid4().hex
    whom = Contact(external_id=external, emails=[LabeledEmail(email=f"{external}@example.com")])
    async with dial(hub, "ingestion") as channel:
        accepted = await IngestionServiceStub(channel).ImportContacts(
            ImportContactsRequest(idempotency_key=external, contacts=[whom]),
            metadata=(("authorization", f"Bearer {partner.api_key}"),),
            timeout=30,
        )
    partner.finished(accepted.job_id)

    erasure = completed(partner, erase(partner.http, partner.api_key, external_id=external))

    assert (erasure["rows"], erasure["book_contacts"]) == (1, 1)


async def test_delivery_under_way_does_not_bring_the_person_back(
    hub: Hub, admin: httpx.Client, webhook: WebhookFake
) -> None:
    phone = mobile()
    webhook.next.append(Slow())
    with sending_to(hub, admin, webhook) as partner:
        async with client(partner) as http:
            await imported(http, [{"phone": phone}, {"phone": mobile()}])
            await webhook.arrived.wait()
            asked = (await http.post("/v1/contacts/erase", json={"phone": phone})).json()
            waiting = (await http.get(f"/v1/contacts/erasures/{asked['erasure_id']}")).json()
            webhook.go_on.set()
            done = await asyncio.to_thread(completed, partner, asked)

    assert waiting["status"] == "pending"
    assert (done["rows"], done["book_contacts"]) == (1, 0)


async def test_person_is_not_sent_any_more(hub: Hub, admin: httpx.Client, webhook: WebhookFake) -> None:
    phone, other = mobile(), mobile()
    webhook.next += [Status(400)] * 3  # the whole chunk, then each half of it
    with sending_to(hub, admin, webhook) as partner:
        async with client(partner) as http:
            job_id = await imported(http, [{"phone": phone}, {"phone": other}])
            await finished(http, job_id)
            await asyncio.to_thread(completed, partner, erase(partner.http, partner.api_key, phone=phone))
            retried = (await http.post(f"/v1/contacts/import/{job_id}/retry")).json()
            job = await finished(http, job_id)

    assert (retried["retried_rows"], job["sent_contacts"], job["failed_contacts"]) == (1, 1, 1)
    assert [contact["phone"] for contact in json.loads(webhook.arrivals[-1].body)["contacts"]] == [other]


async def test_what_a_destination_said_of_the_person_is_forgotten(
    hub: Hub, admin: httpx.Client, webhook: WebhookFake
) -> None:
    phone = mobile()
    webhook.next.append(Status(422, body=f"{phone} is blocked".encode()))
    with sending_to(hub, admin, webhook) as partner:
        async with client(partner) as http:
            job_id = await imported(http, [{"phone": phone}])
            await finished(http, job_id)
        [before] = await asyncio.to_thread(tries, admin, webhook.url, f"{job_id}.0")
        await asyncio.to_thread(completed, partner, erase(partner.http, partner.api_key, phone=phone))
        after = await asyncio.to_thread(tries, admin, webhook.url, f"{job_id}.0")

    assert before["answer_body"] == f"{phone} is blocked"
    assert after == [{**before, "answer_body": ""}]


def test_clients_reach_their_own_contacts_and_operators_everyones(
    hub: Hub, admin: httpx.Client, partner: Partner
) -> None:
    phone = mobile()
    job_id = partner.post({"phone": phone}).json()["job_id"]
    partner.finished(job_id)

    with create_client(hub, admin) as other:
        theirs = completed(other, erase(other.http, other.api_key, phone=phone))
        assert (theirs["rows"], in_book(admin, phone)) == (0, 1)
        assert partner.get(f"/v1/contacts/erasures/{theirs['erasure_id']}").status_code == 404
    key = admin.headers["authorization"].removeprefix("Bearer ")
    everyones = erase(admin, key, phone=phone)
    now = no_longer_pending(lambda: admin.get(f"/v1/contacts/erasures/{everyones['erasure_id']}"))

    assert (now["rows"], now["book_contacts"], in_book(admin, phone)) == (1, 1, 0)
    assert rows(partner, job_id)["rows"][0]["code"] == "erased"


def test_operator_erases_on_the_command_line(data: Path, admin: httpx.Client, partner: Partner) -> None:
    phone = mobile()
    partner.finished(partner.post({"phone": phone}).json()["job_id"])

    erasure = run("contacts", "erase", "--phone", phone, data=data)

    assert (erasure["status"], erasure["rows"], erasure["book_contacts"]) == ("completed", 1, 1)
    assert in_book(admin, phone) == 0


def test_erased_person_may_come_again(admin: httpx.Client, partner: Partner) -> None:
    phone, key = mobile(), str(uuid.uuid4())
    first = partner.post({"phone": phone}, key=key)
    partner.finished(first.json()["job_id"])
    completed(partner, erase(partner.http, partner.api_key, phone=phone))

    replayed = partner.post({"phone": phone}, key=key)
    assert (replayed.content, in_book(admin, phone)) == (first.content, 0)
    partner.finished(partner.post({"phone": phone}).json()["job_id"])

    assert in_book(admin, phone) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{}", "empty"), (b'{"phone":" "}', "empty"), (b'{"phone":7}', "wrong_type"), (b"[]", "wrong_type"),
        (b'{"e-mail":"a@b.ru"}', "unknown_name"), (b'{"phone":"%s"}' % (b"1" * 257), "too_long"), (b"{", "not_json"),
        (b'{"phone":"1","phone":"2"}', "duplicate_name"), (b'{"email":"\\u0000"}', "unfit_text"),
    ],
    ids=repr,
)  # fmt: skip
def test_question_that_names_nobody_is_refused(partner: Partner, body: bytes, code: str) -> None:
    headers = {"Authorization": f"Bearer {partner.api_key}", "Content-Type": "application/json"}

    refused = partner.http.post("/v1/contacts/erase", content=body, headers=headers)

    assert (refused.status_code, refused.json()["error"]) == (400, "validation_error")
    assert refused.json()["details"][0]["code"] == code


def test_reader_may_not_erase(hub: Hub, admin: httpx.Client) -> None:
    with create_client(hub, admin, scopes=["SCOPE_READ"]) as reader:
        refused = reader.http.post(
            "/v1/contacts/erase", json={"phone": mobile()}, headers={"Authorization": f"Bearer {reader.api_key}"}
        )

    assert refused.status_code == 403
