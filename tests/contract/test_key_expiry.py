"""A key is kept for 72 hours and is free afterwards: ingestion and idempotency over the wire, with a clock to move."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.idempotency import main as idempotency
from tests.fixtures.databases import OpenFresh
from tests.integration.ingestion.hub import Hub, running
from tests.unit.idempotency.world import FixedClock

ONE, OTHER = [{"phone": "+79001234567"}], [{"phone": "+79001234568"}]
KEPT = timedelta(hours=72)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
async def ingestion(
    clock: FixedClock, open_fresh: OpenFresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Hub]:
    monkeypatch.setattr(idempotency, "SystemClock", lambda: clock)
    async with running(open_fresh, tmp_path) as hub:
        yield hub


async def test_key_is_kept_to_the_last_moment(ingestion: Hub, clock: FixedClock) -> None:
    first = await ingestion.post(ONE, idempotency_key="k")
    clock.move(KEPT - timedelta(microseconds=1))

    again, other = await ingestion.post(ONE, idempotency_key="k"), await ingestion.post(OTHER, idempotency_key="k")

    assert (again.status, again.body, again.headers["idempotent-replayed"]) == (202, first.body, "true")
    assert other.status == 422


@pytest.mark.parametrize("body", [ONE, OTHER])
async def test_expired_key_is_free(ingestion: Hub, clock: FixedClock, body: object) -> None:
    first = await ingestion.post(ONE, idempotency_key="k")
    clock.move(KEPT)

    second = await ingestion.post(body, idempotency_key="k")
    again = await ingestion.post(body, idempotency_key="k")

    assert (first.status, second.status, again.body) == (202, 202, second.body)
    assert first.json["job_id"] != second.json["job_id"]
    assert "idempotent-replayed" not in second.headers
    assert (await ingestion.get(first.json["job_id"])).status == 200


async def test_replay_does_not_lengthen_a_keys_life(ingestion: Hub, clock: FixedClock) -> None:
    await ingestion.post(ONE, idempotency_key="k")
    clock.move(KEPT / 2)
    await ingestion.post(ONE, idempotency_key="k")
    clock.move(KEPT / 2)

    assert (await ingestion.post(OTHER, idempotency_key="k")).status == 202
