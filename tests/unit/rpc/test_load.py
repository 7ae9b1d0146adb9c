"""How much a server takes on at once."""

import pytest

from libs.rpc.load import Load
from libs.rpc.refusal import Refusal


def test_over_the_limit_a_call_is_told_when_to_come_again() -> None:
    load = Load(1)
    load.enter(0)

    with pytest.raises(Refusal) as refused:
        load.enter(0)

    assert refused.value.retry_after


def test_a_place_is_free_again_when_its_call_has_ended() -> None:
    load = Load(1)
    load.enter(0)
    load.leave(0)

    load.enter(0)


def test_partners_cannot_take_the_places_that_are_kept_for_other_services() -> None:
    load = Load(8)
    for _ in range(6):
        load.enter(1, partner=True)

    with pytest.raises(Refusal):
        load.enter(1, partner=True)

    load.enter(0)
    load.enter(0)


def test_what_partners_sent_is_bounded_in_bytes_and_other_calls_are_not() -> None:
    load = Load(100, bytes_limit=10)
    load.enter(6, partner=True)

    with pytest.raises(Refusal):
        load.enter(5, partner=True)

    load.enter(0)
    load.enter(4, partner=True)


def test_one_alone_may_be_larger_than_the_bound() -> None:
    load = Load(100, bytes_limit=10)

    load.enter(11, partner=True)

    with pytest.raises(Refusal):
        load.enter(1, partner=True)


def test_bytes_are_free_again_when_their_call_has_ended() -> None:
    load = Load(100, bytes_limit=10)
    load.enter(10, partner=True)
    load.leave(10)

    load.enter(10, partner=True)
