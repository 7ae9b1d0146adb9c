"""The telecrm client when the system is slow, busy, failing or closed, and what becomes of lost answers."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.delivery.domain.answer import NoAnswer, Refused, Taken
from services.delivery.domain.echo import Written
from services.delivery.sender.telecrm.sender import TelecrmSender
from services.delivery.store.echoes import MemoryEchoes
from tests.fakes.line import HTML, CutAfter, Hang, Say
from tests.fakes.telecrm import TelecrmFake
from tests.integration.delivery.parcels import contact, echoes, outlet, states
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
    assert answer.strained
    done, pending = states(answer).count("created"), states(answer).count("pending")
    assert done + pending == 50
    assert done == len(fake.leads) < 30
    assert answer.message == f"{pending} of 50 contacts not taken: It answered 429."


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
