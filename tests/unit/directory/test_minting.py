"""Ids in the order of creation."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from services.directory.domain.minting import open_mint

_NOW = datetime(2026, 1, 15, 12, 0, 0, 999_998, tzinfo=UTC)


def test_ids_are_version_7_uuids_in_the_order_of_time_then_place() -> None:
    moments = [_NOW + timedelta(microseconds=n) for n in range(5)]

    ids = [open_mint(moment, b"\xff" * 6).contact_id(place) for moment in moments for place in (0, 1, 999, 16_383)]

    assert ids == sorted(set(ids))
    assert all(str(uuid.UUID(each)) == each and uuid.UUID(each).version == 7 for each in ids)
    assert all(uuid.UUID(each).variant == uuid.RFC_4122 for each in ids)
    assert {uuid.UUID(each).int >> 80 for each in ids} == {int(m.timestamp() * 1000) for m in moments}


def test_deliveries_of_one_moment_differ_by_chance() -> None:
    assert open_mint(_NOW, b"abcdef").contact_id(0) != open_mint(_NOW, b"abcdeg").contact_id(0)


@pytest.mark.parametrize("place", [-1, 16_384])
def test_a_place_beyond_the_id_is_refused(place: int) -> None:
    with pytest.raises(ValueError, match=str(place)):
        open_mint(_NOW, b"abcdef").contact_id(place)
