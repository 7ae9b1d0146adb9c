"""Every server tells and sets how much its process says, to an operator only."""

import logging
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from contactsync.operation.v1 import log_service_pb2 as pb
from contactsync.operation.v1.log_service_pb2_grpc import LogServiceStub

from libs.rpc import ClientCaller, ClientId, Scope
from tests.integration.rpc.world import World, bearer


@pytest.fixture(autouse=True)
def _level() -> Iterator[None]:
    ours = logging.getLogger("contactsync")
    before = ours.level
    ours.setLevel(logging.INFO)
    yield
    ours.setLevel(before)


@pytest.fixture
def logs(channel: grpc.aio.Channel, world: World) -> LogServiceStub:
    world.clients["operator"] = ClientCaller(ClientId("operator"), frozenset({Scope.ADMIN}), rate=1000)
    return LogServiceStub(channel)


async def test_an_operator_sets_the_level_and_is_told_the_one_before(logs: LogServiceStub) -> None:
    changed = await logs.SetLevel(
        pb.SetLevelRequest(level=pb.LOG_LEVEL_DEBUG), metadata=(bearer("operator"),), timeout=20
    )
    told = await logs.GetLevel(pb.GetLevelRequest(), metadata=(bearer("operator"),), timeout=20)

    assert (changed.before, told.level) == (pb.LOG_LEVEL_INFO, pb.LOG_LEVEL_DEBUG)
    assert logging.getLogger("contactsync").level == logging.DEBUG


@pytest.mark.parametrize("level", [pb.LOG_LEVEL_UNSPECIFIED, 99])
async def test_a_level_that_there_is_not_is_refused(logs: LogServiceStub, level: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await logs.SetLevel(pb.SetLevelRequest(level=level), metadata=(bearer("operator"),), timeout=20)

    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert logging.getLogger("contactsync").level == logging.INFO


@pytest.mark.parametrize(("key", "code"), [("good", "PERMISSION_DENIED"), ("wrong", "UNAUTHENTICATED")])
async def test_nobody_else_does(logs: LogServiceStub, key: str, code: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await logs.SetLevel(pb.SetLevelRequest(level=pb.LOG_LEVEL_DEBUG), metadata=(bearer(key),), timeout=20)

    assert refused.value.code().name == code
    assert logging.getLogger("contactsync").level == logging.INFO
