"""The connect client over real HTTP, against a workspace that behaves as the document says."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.delivery.domain.answer import Refused, Taken
from services.delivery.domain.delivery import Parcel
from services.delivery.domain.destination import Credentials, DestinationKind
from services.delivery.domain.echo import Written
from services.delivery.sender.connect.sender import ConnectSender
from services.delivery.store.echoes import MemoryEchoes
from tests.fakes.connect import ConnectFake
from tests.fakes.line import HTML, CutAfter, Say
from tests.integration.delivery.parcels import contact, destination, echoes, outlet, parcel, reasons, states
from tests.unit.delivery.world import HandClock

CONTACTS = "/api/connect/contacts"


@pytest.fixture
async def fake() -> AsyncIterator[ConnectFake]:
    async with ConnectFake() as fake:
        yield fake


@pytest.fixture
def remembered() -> MemoryEchoes:
    return echoes()


@pytest.fixture
async def sender(remembered: MemoryEchoes) -> AsyncIterator[ConnectSender]:
    async with outlet() as opened:
        yield ConnectSender(opened, clock=HandClock(), echoes=remembered)


def to(fake: ConnectFake, *contacts: dict[str, Any], path: str = "", **settings: Any) -> Parcel:
    credentials = Credentials(api_key="connect-key")
    return parcel(destination(DestinationKind.CONNECT, fake.url + path, credentials=credentials, **settings), *contacts)


@pytest.mark.parametrize("path", ["", "/", "/api/connect", "/api/connect/contacts"])
async def test_a_contact_that_is_not_there_is_created(fake: ConnectFake, sender: ConnectSender, path: str) -> None:
    answer = await sender.send(
        to(fake, contact(first_name="Asha", lastName="Rao", Email="a@b.in", company="Acme", note="x"), path=path)
    )

    assert states(answer) == ["created"]
    assert fake.paths() == [f"GET {CONTACTS}", f"POST {CONTACTS}"]
    assert fake.calls[0].query == {"query": "a@b.in"}
    assert fake.calls[1].json == {
        "email": "a@b.in",
        "firstName": "Asha",
        "lastName": "Rao",
        "companyName": "Acme",
        "phoneNumbers": ["+919999999999"],
        "note": "x",
    }


async def test_a_contact_is_known_by_its_whole_email_without_case(fake: ConnectFake, sender: ConnectSender) -> None:
    await sender.send(to(fake, contact(name="Asha", email="asha@b.in")))

    answers = [
        await sender.send(to(fake, contact(name="Asha", email="ASHA@b.in"))),
        await sender.send(to(fake, contact(name="Ana", email="sha@b.in"))),
    ]

    assert [states(answer) for answer in answers] == [["unchanged"], ["created"]]
    assert fake.effects == {"asha@b.in": 1, "sha@b.in": 1}


async def test_a_contact_that_differs_is_not_changed_and_not_doubled(fake: ConnectFake, sender: ConnectSender) -> None:
    await sender.send(to(fake, contact(name="Asha", email="a@b.in", company="Acme")))

    answer = await sender.send(to(fake, contact("+919999999991", name="Asha", email="a@b.in", company="Other")))

    assert states(answer) == ["unsupported"]
    assert reasons(answer) == {
        0: "The contact is there, and connect's API cannot change its companyName, phoneNumbers."
    }
    assert len(fake.contacts) == 1


async def test_one_email_is_created_once_however_many_parts_bring_it_at_once(
    fake: ConnectFake, sender: ConnectSender
) -> None:
    parts = [
        to(fake, *(contact(f"+91999990{part}{row:03}", email=f"{row % 5}@b.in") for row in range(20)))
        for part in range(4)
    ]

    answers = await asyncio.gather(*(sender.send(part) for part in parts))

    assert fake.effects == {f"{number}@b.in": 1 for number in range(5)}
    assert sum(states(answer).count("created") for answer in answers) == 5


async def test_without_an_email_a_contact_is_known_by_name_and_phone(fake: ConnectFake, sender: ConnectSender) -> None:
    sent = [contact("+919999999991", first_name="Asha"), contact("+919999999992", first_name="Asha")]

    first, again = await sender.send(to(fake, *sent)), await sender.send(to(fake, *sent))

    assert (states(first), states(again)) == (["created"] * 2, ["unchanged"] * 2)
    assert len(fake.contacts) == 2


async def test_a_contact_with_neither_email_nor_name_fails_and_a_deletion_is_unsupported(
    fake: ConnectFake, sender: ConnectSender
) -> None:
    answer = await sender.send(to(fake, contact(), {"phone": "+919999999991", "deleted": True}))

    assert states(answer) == ["failed", "unsupported"]
    assert reasons(answer) == {
        0: "It has neither an e-mail nor a first name, and connect demands one of them.",
        1: "connect's API cannot delete a contact.",
    }
    assert not fake.calls


async def test_the_lead_status_is_set_by_its_label(fake: ConnectFake, sender: ConnectSender) -> None:
    answer = await sender.send(
        to(
            fake,
            contact(email="a@b.in"),
            contact(email="b@b.in", lead_status="qualified lead"),
            contact(email="c@b.in", lead_status="Unheard of", city="Pune", tags=["hot"]),
            lead_status="New Lead",
        )
    )

    assert states(answer) == ["created"] * 3
    labels = {each["email"]: each["leadStatus"] and each["leadStatus"]["label"] for each in fake.contacts}
    assert labels == {"a@b.in": "New Lead", "b@b.in": "Qualified Lead", "c@b.in": None}
    assert reasons(answer) == {
        2: "The workspace has no lead status of that label. connect has no field for: city, tags."
    }


async def test_a_workspace_without_lead_statuses_takes_the_contact(fake: ConnectFake, sender: ConnectSender) -> None:
    fake.tricked = lambda request: request.path.endswith("/lead-statuses")
    fake.tricks.append(Say(404, {"error": "Not found"}))

    answer = await sender.send(to(fake, contact(email="a@b.in"), lead_status="New Lead"))

    assert states(answer) == ["created"]
    assert reasons(answer) == {0: "The workspace has no lead status of that label."}


async def test_a_lead_status_that_is_gone_does_not_cost_the_contact(fake: ConnectFake, sender: ConnectSender) -> None:
    await sender.send(to(fake, contact(email="a@b.in"), lead_status="New Lead"))
    fake.statuses.clear()

    answer = await sender.send(to(fake, contact(email="b@b.in"), lead_status="New Lead"))

    assert states(answer) == ["created"]
    assert reasons(answer) == {0: "connect does not take the lead status."}


async def test_the_field_map_goes_before_names(fake: ConnectFake, sender: ConnectSender) -> None:
    fields = {"town": "jobTitle", "note": "", "stage": "leadStatus"}

    await sender.send(to(fake, contact(email="a@b.in", town="Pune", note="x", stage="New Lead"), fields=fields))

    assert fake.contacts[0]["jobTitle"] == "Pune"
    assert fake.contacts[0]["note"] is None
    assert fake.contacts[0]["leadStatus"]["id"] == 1


@pytest.mark.parametrize("trick", [CutAfter(), HTML], ids=["cut", "html"])
async def test_a_contact_whose_answer_was_lost_is_made_once(
    fake: ConnectFake, sender: ConnectSender, trick: CutAfter | Say
) -> None:
    sent = to(fake, contact(email="a@b.in", name="Asha"), contact("+919999999998", email="b@b.in"))
    fake.tricked = lambda request: request.method == "POST"
    fake.tricks.append(trick)

    first, again = await sender.send(sent), await sender.send(sent)

    assert sorted(states(first)) == ["created", "pending"]
    assert set(states(again)) <= {"created", "unchanged"}
    assert fake.effects == {"a@b.in": 1, "b@b.in": 1}


async def test_lost_answers_are_looked_up_by_search(fake: ConnectFake, sender: ConnectSender) -> None:
    sent = to(fake, contact(email="a@b.in"), contact("+919999999998", email="b@b.in"))
    await sender.send(to(fake, contact(email="a@b.in")))

    answer = await sender.look_up(sent)

    assert states(answer) == ["created", "pending"]
    assert len(fake.contacts) == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Say(400, {"error": "Invalid email"}), "connect refused the contact (400: the e-mail is invalid)."),
        (Say(400, {"error": "a@b.in is odd"}), "connect refused the contact (400)."),
        (Say(422, b"<html>"), "connect refused the contact (422)."),
    ],
)
async def test_a_refused_contact_fails_without_what_the_answer_told_of_it(
    fake: ConnectFake, sender: ConnectSender, answer: Say, expected: str
) -> None:
    fake.tricked = lambda request: request.method == "POST"
    fake.tricks.append(answer)

    said = await sender.send(to(fake, contact(email="a@b.in")))

    assert states(said) == ["failed"]
    assert reasons(said) == {0: expected}
    assert isinstance(said, Taken)
    assert said.body


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503, 302])
async def test_what_is_about_the_system_is_said_of_the_part(
    fake: ConnectFake, sender: ConnectSender, status: int
) -> None:
    fake.always = Say(status, {"error": "no"})

    said = await sender.send(
        to(fake, *(contact(f"+9199999{number:05}", email=f"{number}@b.in") for number in range(30)))
    )

    assert isinstance(said, Refused)
    assert (said.status, said.by_destination) == (status, status in {401, 404, 302})
    assert len(fake.calls) <= 16


async def test_what_was_written_is_remembered_as_an_echo(
    fake: ConnectFake, sender: ConnectSender, remembered: MemoryEchoes
) -> None:
    await sender.send(to(fake, contact(first_name="Asha", email="A@B.in"), path="/api/connect"))

    echoed = await remembered.recognize([fake.url], [Written(remote_id="1", values={"email": "a@b.in"})])

    assert echoed == [True]
