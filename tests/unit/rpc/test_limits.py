"""Token buckets."""

from hypothesis import given
from hypothesis import strategies as st

from libs.rpc.limits import Buckets


def test_full_bucket_empties_and_refills_evenly() -> None:
    buckets = Buckets()
    taken = [buckets.take("a", rate=2, burst=3, now=0.0) for _ in range(4)]

    assert [allowance.allowed for allowance in taken] == [True, True, True, False]
    assert [allowance.remaining for allowance in taken] == [2, 1, 0, 0]
    assert (taken[0].limit, taken[0].reset_seconds, taken[3].retry_after_seconds) == (3, 1, 0.5)
    assert buckets.take("a", rate=2, burst=3, now=0.5).allowed


def test_one_key_does_not_use_anothers_tokens() -> None:
    buckets = Buckets()
    buckets.take("a", rate=1, burst=1, now=0.0)

    assert buckets.take("b", rate=1, burst=1, now=0.0).allowed
    assert not buckets.take("a", rate=1, burst=1, now=0.0).allowed


def test_many_keys_are_forgotten_without_being_freed() -> None:
    buckets = Buckets()
    for number in range(9_999):
        buckets.take(number, rate=1, burst=1, now=0.0)
    buckets.take("late", rate=1, burst=1, now=100.0)
    buckets.take("trigger", rate=1, burst=1, now=100.0)

    assert not buckets.take("late", rate=1, burst=1, now=100.0).allowed
    assert buckets.level(5, rate=1, burst=1, now=100.0) == 1


@given(rate=st.floats(0.1, 100), gaps=st.lists(st.floats(0, 3), max_size=60))
def test_no_more_is_allowed_than_burst_and_refill(rate: float, gaps: list[float]) -> None:
    buckets, now, allowed = Buckets(), 0.0, 0

    for gap in gaps:
        now += gap
        allowed += buckets.take("a", rate=rate, burst=max(1.0, rate), now=now).allowed

    assert allowed <= max(1.0, rate) + rate * now + 1e-6
