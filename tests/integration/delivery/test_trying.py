"""Calls that are no deliveries, over real HTTP: what is asked, what is shown, and that nothing is written."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import pytest

from libs.egress import Outlet
from libs.rpc import Peer
from services.delivery.domain.delivery import Parcel
from services.delivery.domain.destination import Credentials, DestinationKind
from services.delivery.ports.operating import Probed, Request
from services.delivery.sender.kinds import rehearsal
from services.delivery.sender.probe import DestinationProbe
from services.delivery.sender.rehearsal import MASK
from tests.fakes.connect import ConnectFake
from tests.fakes.telecrm import TelecrmFake
from tests.integration.delivery.parcels import contact, destination, outlet, parcel, to_telecrm
from tests.unit.delivery.world import HandClock

NOBODY = cast("Peer", None)  # none of these kinds asks the contact book


@pytest.fixture
async def opened() -> AsyncIterator[Outlet]:
    async with outlet() as one:
        yield one


@pytest.fixture
async def telecrm() -> AsyncIterator[TelecrmFake]:
    async with TelecrmFake() as fake:
        yield fake


@pytest.fixture
async def connect() -> AsyncIterator[ConnectFake]:
    async with ConnectFake() as fake:
        yield fake


def to_connect(fake: ConnectFake, *contacts: dict[str, Any], key: str = "connect-key") -> Parcel:
    return parcel(destination(DestinationKind.CONNECT, fake.url, credentials=Credentials(api_key=key)), *contacts)


async def probed(opened: Outlet, sample: Parcel) -> Probed:
    probe = DestinationProbe(opened, directory=NOBODY, clock=HandClock())
    return await probe.probe(sample.destination, sample=sample)


async def rehearsed(opened: Outlet, sample: Parcel) -> list[Request]:
    return [*await rehearsal(opened, clock=HandClock()).rehearse(sample)]


async def test_a_workspace_that_knows_the_hub_passes_and_nothing_is_written(
    opened: Outlet, telecrm: TelecrmFake, connect: ConnectFake
) -> None:
    one = await probed(opened, to_telecrm(telecrm, contact()))
    other = await probed(opened, to_connect(connect, contact()))

    assert (one.ok, one.status, one.message) == (True, 200, "")
    assert (other.ok, other.status, other.message) == (True, 200, "")
    assert [path.split()[0] for path in (*telecrm.paths(), *connect.paths())] == ["GET", "GET"]


async def test_a_workspace_that_refuses_the_key_fails(opened: Outlet, telecrm: TelecrmFake) -> None:
    sample = to_telecrm(telecrm, contact())
    wrong = replace(sample.destination, credentials=Credentials(token="wrong"))

    found = await probed(opened, replace(sample, destination=wrong))

    assert (found.ok, found.status, found.message) == (False, 401, "It answered 401.")
    assert b"NOT_AUTHORIZED" in found.body


async def test_a_rehearsal_at_telecrm_writes_the_lead_and_sends_it_to_nobody(
    opened: Outlet, telecrm: TelecrmFake
) -> None:
    shown = await rehearsed(opened, to_telecrm(telecrm, contact(firstName="Asha", Email="a@b.in")))

    assert {path.split()[0] for path in telecrm.paths()} == {"GET"}
    assert shown[0].method == "POST"
    assert shown[0].url.endswith("/enterprise/ent-1/lead")
    assert shown[0].headers["Authorization"] == MASK
    assert "Asha" in shown[0].body.decode()


async def test_a_rehearsal_at_connect_searches_and_creates_at_nobody(opened: Outlet, connect: ConnectFake) -> None:
    shown = await rehearsed(opened, to_connect(connect, contact(first_name="Asha", Email="a@b.in")))

    assert connect.paths() == []
    assert [each.method for each in shown] == ["GET", "POST"]
    assert shown[0].headers["X-Api-Key"] == MASK
    assert json.loads(shown[1].body)["email"] == "a@b.in"


async def test_a_rehearsal_shows_ten_requests_at_most(opened: Outlet, connect: ConnectFake) -> None:
    many = [contact(f"+9199999999{number:02}", first_name="A", Email=f"a{number}@b.in") for number in range(20)]

    assert len(await rehearsed(opened, to_connect(connect, *many))) == 10


async def test_what_the_contact_book_would_get_is_shown(opened: Outlet) -> None:
    there = destination(DestinationKind.DIRECTORY, "")

    [shown] = await rehearsed(opened, parcel(there, contact(first_name="Asha")))

    assert (shown.method, shown.url) == ("gRPC", "contactsync.directory.v1.DirectoryService/ApplyMany")
    assert json.loads(shown.body)[0]["additionalFields"] == {"first_name": "Asha"}
