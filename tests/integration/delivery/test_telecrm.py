"""The telecrm client over real HTTP, against a workspace that behaves as the documents and live systems do."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.delivery.domain.answer import Taken
from services.delivery.sender.contacts import Contact
from services.delivery.sender.telecrm import fields
from services.delivery.sender.telecrm.sender import TelecrmSender
from services.delivery.store.echoes import MemoryEchoes
from tests.fakes.line import Say
from tests.fakes.telecrm import FIELDS, TelecrmFake
from tests.integration.delivery.parcels import contact, echoes, outlet, reasons, states
from tests.integration.delivery.parcels import to_telecrm as to
from tests.unit.delivery.world import HandClock

LEAD = "/autoupdate/v2/enterprise/ent-1/lead"


@pytest.fixture
async def fake() -> AsyncIterator[TelecrmFake]:
    async with TelecrmFake() as fake:
        yield fake


@pytest.fixture
def remembered() -> MemoryEchoes:
    return echoes()


@pytest.fixture
async def sender(remembered: MemoryEchoes) -> AsyncIterator[TelecrmSender]:
    async with outlet() as opened:
        yield TelecrmSender(opened, clock=HandClock(), echoes=remembered)


async def test_a_new_lead_is_created_with_one_call(fake: TelecrmFake, sender: TelecrmSender) -> None:
    answer = await sender.send(
        to(fake, contact(tags=["hot"], firstName="Asha", last_name="Rao", Email="a@b.in", company="Acme", rating="4"))
    )

    assert states(answer) == ["created"]
    assert fake.paths()[1:] == [f"POST {LEAD}"]
    assert fake.lead("+919999999999") == {
        "phone": "919999999999",
        "name": "Asha Rao",
        "email": "a@b.in",
        "company_name": "Acme",
        "rating": 4,
        "tags": ["hot"],
    }
    assert fake.calls[1].headers["x-correlation-id"] == "corr-1"
    assert reasons(answer) == {}


@pytest.mark.parametrize("id_key", ["id", "_id", "leadId", "lead_id"])
@pytest.mark.parametrize("stored", ["9999999999", "919999999999", "+919999999999"])
async def test_a_lead_that_exists_is_found_in_any_of_its_forms_and_updated(
    sender: TelecrmSender, id_key: str, stored: str
) -> None:
    async with TelecrmFake(id_key=id_key) as fake:
        fake.leads["a1"] = {"phone": stored, "name": "Old", "tags": ["cold"], "Ad_Source": "radio"}

        answer = await sender.send(to(fake, contact(tags=["hot"], name="New", ad_source="tv")))

        assert states(answer) == ["updated"]
        assert fake.leads["a1"] == {
            "phone": stored,
            "name": "New",
            "tags": ["cold", "hot"],
            "Ad_Source": "radio",
        }
        assert fake.paths()[1:] == [f"POST {LEAD}", f"POST {LEAD}/search", f"POST {LEAD}/a1"]
        assert "phone" not in fake.calls[-1].json["fields"]


async def test_a_lead_that_is_as_it_should_be_is_not_written(fake: TelecrmFake, sender: TelecrmSender) -> None:
    sent = to(fake, contact(tags=["hot"], name="New", email="A@b.in"))
    await sender.send(sent)

    answer = await sender.send(sent)

    assert states(answer) == ["unchanged"]
    assert fake.effects == {"created +919999999999": 1}


async def test_a_201_that_left_fields_out_says_which_and_not_what_was_in_them(
    fake: TelecrmFake, sender: TelecrmSender
) -> None:
    answer = await sender.send(to(fake, contact(rating="9", email="nobody", city="Pune")))

    assert states(answer) == ["created"]
    assert reasons(answer) == {0: "telecrm left out: email, rating. The workspace has no field for: city."}
    assert isinstance(answer, Taken)
    assert b"Rating must be between 1 and 5" in answer.body


CREATED = {"lead_id": "a1", "actions": [], "remarks": []}
IGNORED = {"status": "IGNORED", "remark": "+919999999999 is taken"}


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        (Say(201, CREATED | {"lead_id": None}), "failed", "telecrm took the request and made no lead."),
        (
            Say(201, CREATED | {"remarks": [{"field": "fields.phone"} | IGNORED]}),
            "failed",
            "telecrm left out phone, which identifies the lead.",
        ),
        (
            Say(201, CREATED | {"actions": [{"status": "IGNORED"}], "remarks": [{"field": "actions[0].x"}]}),
            "created",
            "telecrm left out: actions[0].x, actions[0].",
        ),
        (Say(201, {"leadId": "a1"}), "created", ""),
        (Say(200, {"_id": "a1", "remarks": []}), "created", ""),
        (Say(201, {"data": {"id": "a1"}}), "created", ""),
        (
            Say(400, {"error": {"code": "INVALID_LEAD", "message": "Asha Rao has no phone"}}),
            "failed",
            "telecrm refused the lead (400 INVALID_LEAD, about phone).",
        ),
        (Say(403, {"error": {"code": "INVALID_LEAD"}}), "failed", "telecrm refused the lead (403 INVALID_LEAD)."),
        (Say(413, b"too large"), "failed", "telecrm refused the lead (413)."),
    ],
)
async def test_each_answer_to_a_create_has_its_state(
    fake: TelecrmFake, sender: TelecrmSender, answer: Say, state: str, reason: str
) -> None:
    fake.tricks.append(None)
    fake.tricks.append(answer)

    said = await sender.send(to(fake, contact()))

    assert states(said) == [state]
    assert reasons(said).get(0, "") == reason


async def test_a_value_that_an_update_does_not_take_fails_the_row_and_names_the_field(
    fake: TelecrmFake, sender: TelecrmSender
) -> None:
    fake.leads["a1"] = {"phone": "919999999999"}

    answer = await sender.send(to(fake, contact(rating="9")))

    assert states(answer) == ["failed"]
    assert reasons(answer) == {0: "telecrm refused the lead (400 VALIDATION_ERROR, about rating)."}


async def test_values_that_an_update_does_not_take_cost_the_others_nothing(
    fake: TelecrmFake, sender: TelecrmSender
) -> None:
    fake.leads["a1"] = {"phone": "919999999999", "rating": 4}

    answer = await sender.send(to(fake, contact(rating="9", email="nobody", name="Asha")))

    assert states(answer) == ["updated"]
    assert reasons(answer) == {0: "telecrm left out: email, rating."}
    assert fake.leads["a1"] == {"phone": "919999999999", "rating": 4, "name": "Asha"}


async def test_a_status_that_the_workspace_drops_without_a_word_is_named(sender: TelecrmSender) -> None:
    fields = [*FIELDS, {"type": "status", "apiName": "status", "isLeadid": False}]
    async with TelecrmFake(fields=fields) as fake:
        fake.leads["a1"] = {"phone": "919999999999", "status": "Fresh"}
        stored = {"fields": {"phone": "919999999999", "status": "Fresh", "name": "Asha"}}
        fake.tricks.extend([None, None, None, Say(200, stored)])

        answer = await sender.send(to(fake, contact(status="Unheard of", name="Asha")))

    assert states(answer) == ["updated"]
    assert reasons(answer) == {0: "telecrm left out: status."}


async def test_a_deletion_is_unsupported_and_asks_telecrm_nothing(fake: TelecrmFake, sender: TelecrmSender) -> None:
    answer = await sender.send(to(fake, {"phone": "+919999999999", "deleted": True}))

    assert states(answer) == ["unsupported"]
    assert reasons(answer) == {0: "telecrm's API cannot delete a lead."}
    assert not [path for path in fake.paths() if "lead" in path]


async def test_a_contact_without_the_identifier_fails_alone(sender: TelecrmSender) -> None:
    by_email = [each | {"isLeadid": each["apiName"] == "email"} for each in FIELDS]
    async with TelecrmFake(fields=by_email) as fake:
        answer = await sender.send(to(fake, contact("+919999999991", email="a@b.in"), contact("+919999999992")))

        assert states(answer) == ["created", "failed"]
        assert reasons(answer) == {1: "It has no email, by which the workspace identifies a lead."}
        assert fake.lead("A@B.in")["phone"] == "919999999991"


async def test_where_no_field_says_so_the_workspace_names_its_identifier(sender: TelecrmSender) -> None:
    fields = [each | {"isLeadid": False} for each in FIELDS]
    async with TelecrmFake(fields=fields) as fake:
        fake.metadata_identifier = "phone"

        answer = await sender.send(to(fake, contact(nick="ash")))

        assert states(answer) == ["created"]
        assert reasons(answer) == {0: "telecrm left out: nick."}


async def test_a_workspace_that_does_not_tell_its_fields_is_written_to_by_default_names(
    fake: TelecrmFake, sender: TelecrmSender
) -> None:
    fake.tricks.append(Say(404, {"error": {"code": "NOT_FOUND"}}))

    answer = await sender.send(to(fake, contact(name="Asha")))

    assert states(answer) == ["created"]
    assert fake.lead("+919999999999")["name"] == "Asha"


async def test_the_field_map_goes_before_names(fake: TelecrmFake, sender: TelecrmSender) -> None:
    field_map = {"full title": "name", "additionalFields.town": "company_name", "email": ""}

    await sender.send(to(fake, contact(**{"full title": "Asha", "town": "Pune", "email": "a@b.in"}), fields=field_map))

    assert fake.lead("+919999999999") == {"phone": "919999999999", "name": "Asha", "company_name": "Pune"}


async def test_the_last_row_of_one_contact_wins(fake: TelecrmFake, sender: TelecrmSender) -> None:
    rows = [contact(name=f"Name {number}") for number in range(20)]

    answer = await sender.send(to(fake, *rows))

    assert states(answer) == ["created"] + ["updated"] * 19
    assert fake.lead("+919999999999")["name"] == "Name 19"


async def test_one_that_cannot_be_read_or_sent_spoils_no_other(
    fake: TelecrmFake, sender: TelecrmSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = contact("+919999999991", rating="odd") | {"external_id": 7}
    faulty = contact("+919999999992")
    sent = to(fake, odd, faulty, contact("+919999999993", city=10**30))
    write = fields.write_lead

    def failing(contact: Contact, *rest: Any) -> Any:
        if contact.phone == "+919999999992":
            raise ZeroDivisionError
        return write(contact, *rest)

    monkeypatch.setattr("services.delivery.sender.telecrm.sender.write_lead", failing)

    answer = await sender.send(sent)

    assert states(answer) == ["failed", "pending", "created"]
    assert reasons(answer)[0] == "The contact is not of the agreed shape."


async def test_a_lead_is_written_in_the_contacts_own_words_where_the_workspace_tells_none(
    fake: TelecrmFake, sender: TelecrmSender
) -> None:
    fake.tricks.append(Say(501))

    answer = await sender.send(to(fake, contact(tags=["hot"], firstName="Asha", Town="Pune")))

    assert fake.calls[1].json == {
        "fields": {"phone": "+919999999999", "firstName": "Asha", "tags": ["hot"], "Town": "Pune"}
    }
    assert reasons(answer) == {0: "telecrm left out: firstName, Town."}
