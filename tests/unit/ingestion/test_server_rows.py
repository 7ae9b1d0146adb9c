"""Rows, pages and parts of the typed entrance."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from contactsync.contact.v1.contact_pb2 import CONTACT_TYPE_LEAD, Contact, LabeledEmail, LabeledPhone
from contactsync.ingestion.v1.ingestion_service_pb2 import ImportContactStreamRequest

from services.ingestion.domain.client import Duplicates
from services.ingestion.domain.errors import Invalid, Refused
from services.ingestion.domain.judging import judge
from services.ingestion.domain.rows import texts
from services.ingestion.peers.memory import MemoryNormalizer
from services.ingestion.rest.body import decode
from services.ingestion.server.parts import gathered
from services.ingestion.server.rows import rows_of_messages
from services.ingestion.wire.pages import job_place, row_place, row_token

WHOLE = Contact(
    phone="89000000001",
    phones=[LabeledPhone(number="89000000002", label="work"), LabeledPhone(number="12", label="pager")],
    emails=[LabeledEmail(email="a@b.com", label="business"), LabeledEmail(email="nobody")],
    first_name="Пётр",
    last_name="П",
    company="ООО",
    type=CONTACT_TYPE_LEAD,
    tags=["лид"],
    additional_fields_json=b'{"k" : 1.0}',
    external_id="17",
    deleted=True,
)


async def written(*contacts: Contact) -> bytes:
    rows = rows_of_messages(contacts)
    normalized = await MemoryNormalizer().normalize(texts(rows.columns), default_region="RU")
    judged = judge(rows.columns, normalized, duplicates=Duplicates.KEEP_ALL)
    return rows.written(judged.kept, judged)


async def test_a_contact_is_written_with_all_that_was_given() -> None:
    body = await written(WHOLE)

    assert b'"additionalFields":{"k" : 1.0}' in body
    assert json.loads(body) == [
        {
            "phone": "+79000000001",
            "tags": ["лид"],
            "additionalFields": {"k": 1.0},
            "phones": [{"number": "+79000000002", "label": "work"}, {"number": "12", "label": "other"}],
            "emails": [{"email": "a@b.com", "label": "business"}, {"email": "nobody", "label": "other"}],
            "first_name": "Пётр",
            "last_name": "П",
            "company": "ООО",
            "type": "lead",
            "external_id": "17",
            "deleted": True,
        }
    ]


async def test_what_was_not_given_is_not_written() -> None:
    assert await written(Contact(phone="89000000001")) == b'[{"phone":"+79000000001","tags":[],"additionalFields":{}}]'


async def test_a_main_phone_that_is_none_is_kept_beside_the_others() -> None:
    (contact,) = json.loads(await written(Contact(phone="12", external_id="17")))

    assert (contact["phone"], contact["phones"]) == ("", [{"number": "12", "label": "other"}])


async def test_a_row_is_shown_as_it_was_given() -> None:
    rows = rows_of_messages([Contact(phone="12", emails=[LabeledEmail(email="nobody")])])

    assert json.loads(rows.submitted(0)) == {
        "phone": "12",
        "tags": [],
        "additionalFields": {},
        "emails": [{"email": "nobody", "label": "other"}],
    }
    assert rows.pointer(3) == "/contacts/3"


async def test_the_same_contacts_have_the_same_fingerprint_and_no_body_over_rest_has_it() -> None:
    one = rows_of_messages([Contact(phone="1", additional_fields_json=b'{"a":1,"b":2}')])
    other = rows_of_messages([Contact(phone="1", additional_fields_json=b'{ "b":2, "a":1 }')])
    rest = await decode(one.submitted(0))

    assert one.fingerprint.canonical == other.fingerprint.canonical
    assert one.fingerprint.body != other.fingerprint.body
    assert one.fingerprint.canonical != rest.fingerprint.canonical


@pytest.mark.parametrize(
    ("contact", "pointer"),
    [
        (Contact(phone="1", additional_fields_json=b"[]"), "/contacts/0/additional_fields_json"),
        (Contact(phone="1", additional_fields_json=b'{},{"phone":"2"'), "/contacts/0/additional_fields_json"),
        (Contact(phone="1", additional_fields_json=b'{"a":1,"a":1}'), "/contacts/0/additional_fields_json/a"),
        (Contact(phone="1", tags=["a\0b"]), "/contacts/0/tags/0"),
    ],
)
def test_contacts_that_cannot_be_kept_are_refused(contact: Contact, pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        rows_of_messages([contact])

    assert caught.value.violations[0].pointer == pointer


@pytest.mark.parametrize("token", ["x", "....", "абв", "MTIz!", "eA", "LTE"])
def test_an_odd_token_is_refused(token: str) -> None:
    for place in (job_place, row_place):
        with pytest.raises(Invalid):
            place(token)


def test_tokens_lead_to_their_places() -> None:
    assert row_place(row_token(41)) == 41
    assert row_place("") == -1
    assert job_place("") is None


async def parts(*messages: ImportContactStreamRequest) -> AsyncIterator[ImportContactStreamRequest]:
    for message in messages:
        yield message


async def test_parts_are_one_import() -> None:
    one = ImportContactStreamRequest(idempotency_key="k", contacts=[Contact(phone="1")])
    other = ImportContactStreamRequest(contacts=[Contact(phone="2")])

    key, contacts = await gathered(parts(one, other))

    assert (key, [contact.phone for contact in contacts]) == ("k", ["1", "2"])


async def test_stream_that_broke_off_is_no_import() -> None:
    async def broken() -> AsyncIterator[ImportContactStreamRequest]:
        yield ImportContactStreamRequest(idempotency_key="k", contacts=[Contact(phone="1")])
        asyncio.get_running_loop().call_soon(gathering.cancel)  # as gRPC does: behind the last message

    gathering = asyncio.ensure_future(gathered(broken()))

    with pytest.raises(asyncio.CancelledError):
        await gathering


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([], "VALIDATION_ERROR"),
        ([ImportContactStreamRequest(idempotency_key="k")], "VALIDATION_ERROR"),
        ([ImportContactStreamRequest(contacts=[Contact()])], "VALIDATION_ERROR"),
        ([ImportContactStreamRequest(idempotency_key="k"), ImportContactStreamRequest(idempotency_key="k")],
         "VALIDATION_ERROR"),
        ([ImportContactStreamRequest(idempotency_key="k", contacts=[Contact()] * 6000),
          ImportContactStreamRequest(contacts=[Contact()] * 4001)], "PAYLOAD_TOO_LARGE"),
    ],
)  # fmt: skip
async def test_odd_parts_are_refused(messages: list[ImportContactStreamRequest], reason: str) -> None:
    with pytest.raises(Refused) as caught:
        await gathered(parts(*messages))

    assert caught.value.reason == reason
