from datetime import UTC, datetime, timedelta

import pytest

from libs.sealing import Seal
from services.console.sessions import IDLE, WHOLE, Session, Sessions

START = datetime(2026, 1, 15, 12, tzinfo=UTC)


class World:
    def __init__(self, master_key: bytes = b"m" * 32, now: datetime = START) -> None:
        self.now = now
        numbers = iter(range(1, 1000))
        seal = Seal(master_key, purpose="console-session", random=lambda size: next(numbers).to_bytes(size, "big"))
        self.sessions = Sessions(seal, random=lambda size: next(numbers).to_bytes(size, "big"), now=lambda: self.now)

    def begin(self) -> Session:
        return self.sessions.begin("cs_key")


def test_a_session_is_read_as_it_was_written() -> None:
    world = World()
    session = world.begin()

    cookie = world.sessions.write(session)

    assert world.sessions.read(cookie) == session
    assert "cs_key" not in cookie
    assert cookie.replace("-", "").replace("_", "").isalnum()


def test_tokens_of_two_sessions_differ() -> None:
    world = World()

    first, second = world.begin(), world.begin()

    assert first.csrf != second.csrf
    assert first.allows(first.csrf)
    assert not first.allows(second.csrf)
    assert not first.allows("")


def test_a_cookie_of_another_hub_or_changed_on_the_way_opens_nothing() -> None:
    world = World()
    cookie = world.sessions.write(world.begin())

    assert World(b"x" * 32).sessions.read(cookie) is None
    assert world.sessions.read(cookie[:-4] + "AAAA") is None
    assert world.sessions.read(cookie[:10]) is None


@pytest.mark.parametrize(("waited", "is_alive"), [(IDLE - timedelta(seconds=1), True), (IDLE, False)])
def test_a_session_lapses_when_nothing_is_done(waited: timedelta, is_alive: bool) -> None:
    world = World()
    cookie = world.sessions.write(world.begin())

    world.now += waited

    assert (world.sessions.read(cookie) is not None) is is_alive


def test_a_sign_of_life_lengthens_a_session_but_not_beyond_its_whole() -> None:
    world = World()
    session = world.begin()
    assert world.sessions.renewed(session) is None

    world.now += timedelta(minutes=30)
    renewed = world.sessions.renewed(session)
    assert renewed
    assert renewed.ends_at == START + timedelta(minutes=30) + IDLE
    world.now = START + WHOLE - timedelta(minutes=10)
    last = world.sessions.renewed(renewed)

    assert last
    assert last.ends_at == START + WHOLE


def test_an_ended_session_stays_ended_whatever_cookie_of_it_is_shown() -> None:
    world = World()
    session, other = world.begin(), world.begin()
    older = world.sessions.write(session)
    world.now += timedelta(minutes=10)
    renewed = world.sessions.renewed(session)
    assert renewed

    world.sessions.end(session)

    assert world.sessions.read(older) is None
    assert world.sessions.read(world.sessions.write(renewed)) is None
    assert world.sessions.read(world.sessions.write(other)) == other
