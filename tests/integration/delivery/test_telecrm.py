"""The telecrm client over real HTTP, against a workspace that behaves as the documents and live systems do."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.delivery.domain.answer import NoAnswer, Refused, Taken
from services.delivery.domain.delivery import Parcel
from services.delivery.domain.destination import Credentials, DestinationKind
from services.delivery.domain.echo import Written
from services.delivery.sender.contacts import Contact
from services.delivery.sender.telecrm import fields
from services.delivery.sender.telecrm.sender import TelecrmSender
from services.delivery.store.echoes import MemoryEchoes
from tests.fakes.line import HTML, CutAfter, Hang, Say
from tests.fakes.telecrm import FIELDS, TelecrmFake
from tests.integration.delivery.parcels import contact, destination, echoes, outlet, parcel, reasons, states
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


def to(fake: TelecrmFake, *contacts: dict[str, Any], token: str = "sync-token", **settings: Any) -> Parcel:
    there = destination(
        DestinationKind.TELECRM, fake.base, enterprise_id="ent-1", credentials=Credentials(token=token), **settings
    )
    return parcel(there, *contacts)


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


def many(count: int) -> list[dict[str, Any]]:
    return [contact(f"+9199999{number:05}", name="Asha") for number in range(count)]


async def test_contacts_of_a_part_go_several_at_once_but_not_all(fake: TelecrmFake, sender: TelecrmSender) -> None:
    answer = await sender.send(to(fake, *many(50)))

    assert states(answer) == ["created"] * 50
    assert 1 < fake.most_at_once <= 8


async def test_rows_that_got_429_wait_as_long_as_was_asked_and_the_others_are_done(
    fake: TelecrmFake, sender: TelecrmSender
) -> None:
    fake.tricked = lambda request: request.path == LEAD
    fake.tricks.extend([None] * 12)
    fake.tricks.append(Say(429, {"error": {"code": "RATE"}}, {"Retry-After": "30"}))

    answer = await sender.send(to(fake, *many(50)))

    assert isinstance(answer, Taken)
    assert (answer.status, answer.retry_after and answer.retry_after.total_seconds()) == (429, 30)
    done, pending = states(answer).count("created"), states(answer).count("pending")
    assert done + pending == 50
    assert done == len(fake.leads) < 30
    assert answer.message == f"{pending} of the contacts wait: It answered 429."


@pytest.mark.parametrize(
    ("answer", "status", "by_destination"),
    [
        (Say(401, {"error": {"code": "NOT_AUTHORIZED"}}), 401, True),
        (Say(402, {"error": {"code": "BUY_LICENSE"}}), 402, True),
        (Say(403, {"error": {"code": "FORBIDDEN"}}), 403, True),
        (Say(404, {"error": {"code": "ENTERPRISE_NOT_FOUND"}}), 404, True),
        (Say(500, b"oops"), 500, False),
        (Say(503, b"", {"Retry-After": "5"}), 503, False),
        (HTML, 200, False),
        (Say(302, b"", {"Location": "http://169.254.169.254/"}), 302, True),
    ],
    ids=lambda value: str(getattr(value, "status", value)),
)
async def test_what_is_about_the_system_is_said_of_the_part(
    fake: TelecrmFake, sender: TelecrmSender, answer: Say, status: int, by_destination: bool
) -> None:
    fake.always = answer

    said = await sender.send(to(fake, *many(20)))

    assert isinstance(said, Refused)
    assert (said.status, said.by_destination) == (status, by_destination)
    assert len(fake.calls) == 1


async def test_a_token_that_is_revoked_meanwhile_leaves_the_rest_waiting(
    fake: TelecrmFake, sender: TelecrmSender
) -> None:
    await sender.send(to(fake, contact("+919999999990")))

    fake.token = "another"
    said = await sender.send(to(fake, *many(20)))

    assert isinstance(said, Refused)
    assert (said.status, said.by_destination) == (401, True)
    assert len(fake.calls) <= 2 + 8


async def test_a_server_that_fails_again_and_again_is_left_alone(fake: TelecrmFake, sender: TelecrmSender) -> None:
    await sender.send(to(fake, contact("+919999999990")))

    fake.always = Say(500, b"oops")
    said = await sender.send(to(fake, *many(50)))

    assert said == Refused(status=500, message="It answered 500.", body=said.body if isinstance(said, Refused) else b"")
    assert len(fake.calls) <= 2 + 16


@pytest.mark.parametrize("trick", [CutAfter(), HTML], ids=["cut", "html"])
async def test_a_lead_whose_answer_was_lost_is_written_once(
    fake: TelecrmFake, sender: TelecrmSender, trick: CutAfter | Say
) -> None:
    sent = to(fake, contact(name="Asha"), contact("+919999999998"))
    fake.tricked = lambda request: request.path == LEAD
    fake.tricks.append(trick)

    first, again = await sender.send(sent), await sender.send(sent)

    assert sorted(states(first)) == ["created", "pending"]
    assert set(states(again)) <= {"created", "unchanged"}
    assert set(fake.effects.values()) == {1}
    assert len(fake.leads) == 2


async def test_what_became_of_lost_answers_is_looked_up_by_a_search(fake: TelecrmFake, sender: TelecrmSender) -> None:
    sent = to(fake, contact("+919999999998"), contact(name="Asha"), idempotent=False)
    fake.tricked = lambda request: request.path == LEAD
    fake.tricks.extend([None, CutAfter()])

    first = await sender.send(sent)
    del fake.leads[next(iter(fake.leads))]
    looked_up = await sender.look_up(sent)

    assert sorted(states(first)) == ["created", "pending"]
    assert sorted(states(looked_up)) == ["created", "pending"]
    assert len(fake.leads) == 1


async def test_a_system_that_hangs_is_left_in_time(fake: TelecrmFake, sender: TelecrmSender) -> None:
    fake.always = Hang()

    said = await sender.send(to(fake, *many(20), timeout=0.2))

    assert said == NoAnswer(message="The receiver did not answer in time.", reached=False)


async def test_what_was_written_is_remembered_as_an_echo(
    fake: TelecrmFake, sender: TelecrmSender, remembered: MemoryEchoes
) -> None:
    sent = to(fake, contact(first_name=" Asha", last_name="Rao", email="A@B.in", company="Acme"))
    await sender.send(sent)
    [lead_id] = fake.leads

    echoed = await remembered.recognize(
        [f"{fake.base}/enterprise/ent-1"],
        [
            Written(remote_id=lead_id, values={"phone": "+919999999999", "email": "a@b.in"}),
            Written(remote_id=lead_id, values={"company": "Other"}),
            Written(remote_id="another", values={"company": "Acme"}),
        ],
    )

    assert echoed == [True, False, False]
