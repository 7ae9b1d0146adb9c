from dataclasses import replace
from datetime import timedelta

import pytest

from services.access.domain.client import DEFAULT_OVERLAP, ClientId
from services.access.domain.client_settings import WantedSettings
from services.access.domain.errors import (
    ClientNotFoundError,
    InvalidClientError,
    KeyNotFoundError,
    TwoKeysLiveError,
)
from services.access.domain.key import make_key
from services.access.handler import Access
from tests.unit.access.worlds import HOUR, NOW, SameBytes, World

SIGNING = WantedSettings(hmac=True)
STRANGER = make_key(b"\xff" * 40, client_id="client").text


async def holder(access: Access, key: str) -> ClientId | None:
    [found] = await access.authenticate([key])
    return None if found is None else found.client.client_id


async def secrets(access: Access, key: str) -> tuple[str, ...]:
    [found] = await access.authenticate([key])
    assert found is not None
    return found.hmac_secrets


async def test_a_new_key_opens_for_its_client() -> None:
    access = World().access()

    issued = await access.create(name=" Partner ", settings=WantedSettings())

    assert await holder(access, issued.api_key) == issued.client.client_id
    assert issued.client.name == "Partner"
    assert issued.hmac_secret == ""


async def test_each_key_is_answered_in_its_place() -> None:
    access = World().access()
    one, two = [await access.create(name=name, settings=WantedSettings()) for name in "ab"]

    found = await access.authenticate([two.api_key, "rubbish", one.api_key, STRANGER, two.api_key])

    assert [who and who.client.client_id for who in found] == [
        two.client.client_id,
        None,
        one.client.client_id,
        None,
        two.client.client_id,
    ]


@pytest.mark.parametrize("key", ["", "rubbish", STRANGER, "cs_", "é" * 512, "\x00"])
async def test_what_is_no_key_of_ours_opens_nothing(key: str) -> None:
    access = World().access()
    await access.create(name="a", settings=WantedSettings())

    assert await holder(access, key) is None


async def test_the_right_id_with_another_secret_opens_nothing() -> None:
    access = World(randomness=SameBytes()).access()
    issued = await access.create(name="a", settings=WantedSettings())

    other = make_key(b"\x01" * 8 + b"\x02" * 32, client_id=issued.client.client_id)

    assert other.key_id == issued.client.keys[0].key_id
    assert await holder(access, other.text) is None


async def test_a_disabled_client_is_as_unknown_until_it_is_enabled() -> None:
    access = World().access()
    issued = await access.create(name="a", settings=WantedSettings())

    await access.update(issued.client.client_id, settings=None, enabled=False)
    while_off = await holder(access, issued.api_key)
    await access.update(issued.client.client_id, settings=None, enabled=True)

    assert while_off is None
    assert await holder(access, issued.api_key) == issued.client.client_id


async def test_both_keys_open_during_the_overlap_and_the_new_one_after() -> None:
    world = World()
    access = world.access()
    old = await access.create(name="a", settings=WantedSettings())
    new = await access.rotate(old.client.client_id, overlap=None)

    before = await access.authenticate([old.api_key, new.api_key])
    world.clock.moment += DEFAULT_OVERLAP
    after = await access.authenticate([old.api_key, new.api_key])

    assert [found is not None for found in (*before, *after)] == [True, True, False, True]


async def test_a_signing_client_has_the_secrets_of_its_live_keys() -> None:
    world = World()
    access = world.access()
    old = await access.create(name="a", settings=SIGNING)
    new = await access.rotate(old.client.client_id, overlap=HOUR)

    during = await secrets(access, new.api_key)
    world.clock.moment += HOUR
    after = await secrets(access, new.api_key)

    assert during == (old.hmac_secret, new.hmac_secret)
    assert after == (new.hmac_secret,)


async def test_a_revoked_keys_secret_no_longer_signs() -> None:
    access = World().access()
    old = await access.create(name="a", settings=SIGNING)
    new = await access.rotate(old.client.client_id, overlap=HOUR)

    await access.revoke(old.client.client_id, key_id=old.client.keys[0].key_id)

    assert await holder(access, old.api_key) is None
    assert await secrets(access, new.api_key) == (new.hmac_secret,)


async def test_turning_signing_on_shows_one_secret_for_all_keys() -> None:
    access = World().access()
    old = await access.create(name="a", settings=WantedSettings())
    new = await access.rotate(old.client.client_id, overlap=HOUR)

    updated = await access.update(old.client.client_id, settings=SIGNING, enabled=None)

    assert updated.hmac_secret
    assert await secrets(access, old.api_key) == await secrets(access, new.api_key) == (updated.hmac_secret,)


async def test_a_change_that_leaves_signing_on_shows_nothing() -> None:
    access = World().access()
    issued = await access.create(name="a", settings=SIGNING)

    updated = await access.update(issued.client.client_id, settings=replace(SIGNING, rate=5), enabled=None)

    assert updated.hmac_secret == ""
    assert await secrets(access, issued.api_key) == (issued.hmac_secret,)


async def test_signing_turned_on_without_a_live_key_gets_its_secret_by_rotation() -> None:
    access = World().access()
    issued = await access.create(name="a", settings=WantedSettings())
    await access.revoke(issued.client.client_id, key_id="")

    updated = await access.update(issued.client.client_id, settings=SIGNING, enabled=None)
    new = await access.rotate(issued.client.client_id, overlap=None)

    assert updated.hmac_secret == ""
    assert await secrets(access, new.api_key) == (new.hmac_secret,)


async def test_a_third_key_is_refused_and_leaves_two() -> None:
    access = World().access()
    issued = await access.create(name="a", settings=WantedSettings())
    await access.rotate(issued.client.client_id, overlap=None)

    with pytest.raises(TwoKeysLiveError):
        await access.rotate(issued.client.client_id, overlap=None)

    assert len((await access.get(issued.client.client_id)).keys) == 2


async def test_revoking_all_shuts_every_key_out() -> None:
    access = World().access()
    issued = await access.create(name="a", settings=WantedSettings())

    await access.revoke(issued.client.client_id, key_id="")

    assert await holder(access, issued.api_key) is None


@pytest.mark.parametrize("client_id", ["nobody", "", "A\x00"])
async def test_a_client_that_is_not_there_is_not_found_by_anyone(client_id: str) -> None:
    access = World().access()

    for call in (
        access.get(client_id),
        access.update(client_id, settings=None, enabled=True),
        access.rotate(client_id, overlap=None),
        access.revoke(client_id, key_id=""),
    ):
        with pytest.raises(ClientNotFoundError):
            await call


@pytest.mark.parametrize("key_id", ["nokey", "\x00", "aaaaaaaaaaaa"])
async def test_a_key_that_is_not_there_is_not_found(key_id: str) -> None:
    access = World().access()
    issued = await access.create(name="a", settings=WantedSettings())

    with pytest.raises(KeyNotFoundError):
        await access.revoke(issued.client.client_id, key_id=key_id)


async def test_settings_that_break_a_rule_change_nothing() -> None:
    access = World().access()
    issued = await access.create(name="a", settings=WantedSettings())

    with pytest.raises(InvalidClientError):
        await access.update(issued.client.client_id, settings=WantedSettings(default_region="ZZ"), enabled=False)

    assert await access.get(issued.client.client_id) == issued.client


async def test_clients_are_listed_by_name_then_id() -> None:
    access = World().access()
    for name in ("b", "a", "b"):
        await access.create(name=name, settings=WantedSettings())

    listed = await access.list_clients()

    assert [client.name for client in listed] == ["a", "b", "b"]
    assert listed == sorted(listed, key=lambda client: (client.name, client.client_id))


async def test_use_is_noted_once_a_minute_and_only_for_keys_that_open() -> None:
    world = World()
    access = world.access()
    issued = await access.create(name="a", settings=WantedSettings())

    marks = []
    for seconds in (0, 59, 60):
        world.clock.moment = NOW + timedelta(seconds=seconds)
        await access.authenticate([issued.api_key, STRANGER])
        marks.append((await access.get(issued.client.client_id)).keys[0].last_used_at)

    assert marks == [NOW, NOW, NOW + timedelta(minutes=1)]


async def test_nothing_shown_once_is_in_a_repr() -> None:
    access = World().access()
    issued = await access.create(name="a", settings=SIGNING)

    shown = repr([issued, await access.authenticate([issued.api_key])])

    assert issued.api_key not in shown
    assert issued.hmac_secret not in shown
