"""Ids of jobs."""

import time
import uuid

from services.idempotency.system import OrderedJobIds


def test_job_ids_are_version_7_uuids_in_the_order_of_their_milliseconds() -> None:
    began = time.time_ns() // 1_000_000

    ids = [OrderedJobIds().draw() for _ in range(1000)]

    ended = time.time_ns() // 1_000_000
    assert len(set(ids)) == len(ids)
    assert {(uuid.UUID(each).version, uuid.UUID(each).variant) for each in ids} == {(7, uuid.RFC_4122)}
    millis = [uuid.UUID(each).int >> 80 for each in ids]
    assert millis == sorted(millis)
    assert began <= millis[0] <= millis[-1] <= ended


def test_all_other_bits_of_a_job_id_are_chance() -> None:
    drawn = [uuid.UUID(OrderedJobIds().draw()).int for _ in range(200)]

    varying = 0
    for each in drawn:
        varying |= each ^ drawn[0]
    chance = (1 << 76) - 1 & ~(3 << 62)
    assert varying & chance == chance
