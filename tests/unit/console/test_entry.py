"""Which keys open the console, and how often wrong ones may be tried."""

from typing import Any, cast

import grpc
import pytest

from libs.rpc import PeerRefused, PeerUnavailable
from services.console.peers import Operator, Services
from services.console.web.entry import Entry

AT_ONCE = 10


class Access:
    """Answers as access does when it is asked for a client that there is not."""

    GetClient = None

    def __init__(self) -> None:
        self.asked = 0
        self.answers: dict[str, Exception] = {
            "right": PeerRefused("NOT_FOUND", "no such client"),
            "client's": PeerRefused("FORBIDDEN", "lacks admin"),
            "busy": PeerRefused("RATE_LIMIT_EXCEEDED", "slow down"),
            "away": PeerUnavailable("x/Y", grpc.StatusCode.UNAVAILABLE),
            "odd": PeerRefused("INTERNAL_ERROR", "?"),
        }
        self.key = ""

    @property
    def access(self) -> "Access":
        return self

    async def ask(self, _method: Any, _request: Any) -> Any:
        self.asked += 1
        raise self.answers.get(self.key, PeerRefused("UNAUTHORIZED", "no"))


class World:
    def __init__(self) -> None:
        self.access = Access()
        self.now = 0.0
        self.entry = Entry(cast("Services", self.access), monotonic=lambda: self.now)

    async def judge(self, key: str, *, address: str = "203.0.113.9") -> tuple[str, int]:
        self.access.key = key
        refused = await self.entry.judge(Operator(key, address))
        return (refused.word, refused.status) if refused else ("", 200)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("right", ("", 200)),
        ("wrong", ("entry.wrong", 401)),
        ("", ("entry.wrong", 401)),
        ("ключ", ("entry.wrong", 401)),
        ("client's", ("entry.not_admin", 403)),
        ("busy", ("entry.too_many", 429)),
        ("away", ("entry.unavailable", 503)),
        ("odd", ("entry.unavailable", 503)),
    ],
)
async def test_a_key_is_judged_by_access(key: str, told: tuple[str, int]) -> None:
    assert await World().judge(key) == told


async def test_wrong_keys_are_limited_for_each_address_and_the_limit_wears_off() -> None:
    world = World()
    for _ in range(AT_ONCE):
        assert await world.judge("wrong") == ("entry.wrong", 401)

    limited = await world.judge("right")
    asked = world.access.asked
    elsewhere = await world.judge("right", address="198.51.100.1")
    world.now += 6.1

    assert (limited, asked) == (("entry.too_many", 429), AT_ONCE)
    assert elsewhere == await world.judge("right") == ("", 200)


async def test_right_keys_are_not_counted() -> None:
    world = World()

    told = {await world.judge("right") for _ in range(AT_ONCE * 3)}

    assert told == {("", 200)}
