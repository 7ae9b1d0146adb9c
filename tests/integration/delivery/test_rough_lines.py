"""Over a line that fails at random, every contact ends in a state, and has its effect once."""

import random
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from services.delivery.domain.answer import Taken
from services.delivery.domain.delivery import Parcel, RowState
from services.delivery.domain.destination import Credentials, DestinationKind
from services.delivery.ports import Sender
from services.delivery.sender.connect.sender import ConnectSender
from services.delivery.sender.telecrm.sender import TelecrmSender
from tests.fakes.connect import ConnectFake
from tests.fakes.line import HTML, CutAfter, Line, Say, Trick
from tests.fakes.telecrm import TelecrmFake
from tests.integration.delivery.parcels import contact, destination, echoes, outlet, parcel
from tests.unit.delivery.world import HandClock

TRICKS: list[Trick] = [
    CutAfter(),
    HTML,
    Say(429, {"error": "slow down"}, {"Retry-After": "0"}),
    Say(500, b"oops"),
    Say(502, b""),
    Say(503, b"", {"Retry-After": "0"}),
    None,
    None,
    None,
    None,
]
CONTACTS = [
    contact(f"+9199999{number:05}", first_name=f"N{number}", email=f"{number}@b.in", rating=str(number % 8))
    for number in range(40)
]
MOST_TRIES = 300


async def send_until_final(sender: Sender, first: Parcel) -> list[int]:
    """Send what is pending again and again, as delivery does."""
    states, left, tries = [RowState.PENDING] * first.count, list(range(first.count)), 0
    while left:
        tries += 1
        assert tries < MOST_TRIES
        answer = await sender.send(replace(first, ref=structs.replace(first.ref, positions=tuple(left))))
        if isinstance(answer, Taken):
            assert len(answer.states) == len(left)
            for at, state in zip(left, answer.states, strict=True):
                states[at] = RowState(state)
        left = [at for at in left if states[at] is RowState.PENDING]
    return [int(state) for state in states]


def roughen(line: Line, seed: int) -> None:
    dice = random.Random(seed)
    line.tricks.extend(dice.choice(TRICKS) for _ in range(400))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("idempotent", [True, False])
async def test_each_lead_is_created_once(seed: int, *, idempotent: bool) -> None:
    async with TelecrmFake() as fake, outlet() as way:
        roughen(fake, seed)
        settings: dict[str, Any] = {"enterprise_id": "ent-1", "credentials": Credentials(token=fake.token)}
        to = destination(DestinationKind.TELECRM, fake.base, idempotent=idempotent, **settings)

        states = await send_until_final(TelecrmSender(way, clock=HandClock(), echoes=echoes()), parcel(to, *CONTACTS))

        assert set(states) <= {RowState.CREATED, RowState.UNCHANGED, RowState.FAILED}
        assert len(fake.leads) == len(CONTACTS)
        assert set(fake.effects.values()) == {1}


@pytest.mark.parametrize("seed", range(5))
async def test_each_contact_is_created_once(seed: int) -> None:
    async with ConnectFake() as fake, outlet() as way:
        roughen(fake, seed)
        to = destination(DestinationKind.CONNECT, fake.url, credentials=Credentials(api_key=fake.key))

        states = await send_until_final(ConnectSender(way, clock=HandClock(), echoes=echoes()), parcel(to, *CONTACTS))

        assert set(states) <= {RowState.CREATED, RowState.UNCHANGED}
        assert len(fake.contacts) == len(CONTACTS)
        assert set(fake.effects.values()) == {1}
