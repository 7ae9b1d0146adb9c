"""When a destination is sent to: breaker, pace, and what it teaches."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.delivery.domain.answer import Answer, NoAnswer, Refused, Taken
from services.delivery.domain.breaker import Breaker, BreakerState
from services.delivery.domain.destination import Destination, RetrySchedule, directory
from services.delivery.domain.flow import Flow
from services.delivery.domain.pace import Bucket, LearnedRate, Meter
from services.delivery.domain.parts import Bounds
from tests.unit.delivery.world import NOW

SECOND = timedelta(seconds=1)
TAKEN = Taken(states=b"\x02")
AWAY = NoAnswer(message="away", reached=False)
BOUNDS = Bounds(failures=3)
LONG = timedelta(seconds=3)
HOOK = replace(directory(now=NOW), retry=RetrySchedule())


def after(flow: Flow, *answers: Answer, at: timedelta = timedelta(0), destination: Destination = HOOK) -> Flow:
    for answer in answers:
        flow = flow.admitted(destination, now=NOW + at)
        flow = flow.answered(answer, destination, started_at=NOW + at, now=NOW + at, speed=41, bounds=BOUNDS)
    return flow


def opened() -> Flow:
    """Since NOW."""
    return after(after(Flow(), AWAY, at=-LONG), AWAY, AWAY)


def test_a_breaker_opens_after_so_many_failures_in_a_row_that_last() -> None:
    twice, thrice = after(after(Flow(), AWAY, at=-LONG), Refused(status=500, message="")), opened()
    at_once = after(Flow(), *[AWAY] * 50)

    assert twice.opens_at(HOOK, now=NOW) is None
    assert at_once.opens_at(HOOK, now=NOW) is None
    assert thrice.opens_at(HOOK, now=NOW) == NOW + SECOND
    assert thrice.health(HOOK, now=NOW).breaker is BreakerState.OPEN
    assert thrice.health(HOOK, now=NOW).consecutive_failures == 3


@pytest.mark.parametrize("status", [301, 400, 401, 404, 408, 422, 429])
def test_any_answer_of_a_destination_at_work_keeps_it_closed(status: int) -> None:
    flow = after(after(Flow(), AWAY, AWAY, at=-LONG), Refused(status=status, message=""), AWAY, AWAY, AWAY)

    assert flow.breaker.state(NOW) is BreakerState.CLOSED


def test_one_probe_goes_and_others_wait_for_it() -> None:
    later = NOW + SECOND
    flow = opened()

    room = flow.room(HOOK, now=later)
    probing = flow.admitted(HOOK, now=later)

    assert flow.breaker.state(later) is BreakerState.HALF_OPEN
    assert room == 1
    assert probing.room(HOOK, now=later) == 0
    assert probing.given_back().room(HOOK, now=later) == 1
    assert probing.opens_at(HOOK, now=later) == later + timedelta(seconds=30)


def test_a_probe_that_is_answered_closes_it_and_one_that_fails_doubles_the_rest() -> None:
    answered = after(opened(), TAKEN, at=SECOND)
    failed = after(opened(), AWAY, at=SECOND)

    assert answered.breaker == Breaker()
    assert failed.opens_at(HOOK, now=NOW + SECOND) == NOW + 2 * SECOND + SECOND


def test_what_was_under_way_when_it_opened_does_not_lengthen_the_rest() -> None:
    straggling = opened().answered(AWAY, HOOK, started_at=NOW, now=NOW, speed=0, bounds=BOUNDS)

    assert straggling.breaker.retry_at == opened().breaker.retry_at
    assert straggling.breaker.failures == 4


def test_a_rest_has_a_longest_and_is_never_longer_than_the_longest_delay() -> None:
    breaker = Breaker(failures=9, failing_since=NOW - LONG, openings=40, retry_at=NOW, probing_until=NOW)

    longest = breaker.failed(now=NOW, threshold=3)
    short = breaker.failed(now=NOW, threshold=3, longest=timedelta(milliseconds=200))

    assert longest.retry_at == NOW + timedelta(seconds=30)
    assert short.retry_at == NOW + timedelta(milliseconds=200)


def test_a_line_that_is_cut_at_once_opens_nothing_and_one_that_hung_does() -> None:
    cut, hung = NoAnswer(message="cut", reached=True), NoAnswer(message="timed out", reached=True)
    cuts = after(after(Flow(), *[cut] * 5, at=-LONG), *[cut] * 50)
    hangs = after(Flow(), AWAY, AWAY, at=-LONG).answered(
        hung, HOOK, started_at=NOW - 15 * SECOND, now=NOW, speed=0, bounds=BOUNDS
    )

    assert cuts.breaker.state(NOW) is BreakerState.CLOSED
    assert hangs.breaker.state(NOW) is BreakerState.OPEN


def test_a_rate_lets_a_second_s_worth_go_at_once_and_then_one_by_one() -> None:
    paced = replace(HOOK, rate=4.0)
    flow = Flow()
    room = flow.room(paced, now=NOW)
    for _ in range(4):
        assert flow.opens_at(paced, now=NOW) is None
        flow = flow.admitted(paced, now=NOW)

    opens_at = flow.opens_at(paced, now=NOW)

    assert room == 4
    assert opens_at == NOW + timedelta(milliseconds=251)
    assert flow.room(paced, now=opens_at) == 1


def test_a_slow_rate_never_lets_two_go_together() -> None:
    bucket = Bucket().filled(0.5, now=NOW).taken().filled(0.5, now=NOW + timedelta(hours=1))

    assert bucket.tokens == 1.0


def test_no_rate_is_no_bound() -> None:
    assert Flow().room(HOOK, now=NOW) is None


def test_a_destination_that_is_too_fast_is_sent_half_and_then_more_and_more() -> None:
    flow = after(Flow(), *[TAKEN] * 40)
    refused = after(flow, Refused(status=429, message=""), at=SECOND)
    rates = [refused.rate(HOOK)]
    for second in range(2, 40):
        refused = after(refused, TAKEN, at=second * SECOND)
        rates.append(refused.rate(HOOK))

    assert rates[0] == pytest.approx(20.5)
    assert rates[1] == pytest.approx(20.5 + 4.1)
    assert rates[-1] == 0


def test_refusals_before_a_new_rate_has_settled_count_once() -> None:
    once = LearnedRate().refused(started_at=NOW, now=NOW + SECOND, speed=100, retry_after=None)

    twice = once.refused(started_at=NOW, now=NOW + SECOND, speed=100, retry_after=None)
    later = once.refused(started_at=NOW + 3 * SECOND, now=NOW + 3 * SECOND, speed=100, retry_after=None)

    assert (once.rate, twice.rate, later.rate) == (50, 50, 25)


def test_a_speed_is_of_the_last_seconds_and_a_burst_is_none() -> None:
    meter = Meter(NOW)
    for at in (0, 0, 0, 0, 2, 11):
        meter.count(now=NOW + at * SECOND)
    bursting = Meter(NOW, sent=4)

    assert bursting.speed(now=NOW) == 4
    assert meter.speed(now=NOW + 12 * SECOND) == 1


def test_refusals_alone_never_stop_it_whole() -> None:
    learned = LearnedRate()
    for at in range(30):
        learned = learned.refused(started_at=NOW + at * SECOND, now=NOW + at * SECOND, speed=0, retry_after=None)

    assert learned.rate == 1.0


@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_keeps_everything_back_for_a_minute_at_most(status: int) -> None:
    short = after(Flow(), Refused(status=status, message="", retry_after=7 * SECOND))
    long = after(Flow(), Refused(status=status, message="", retry_after=timedelta(hours=7)))

    assert short.opens_at(HOOK, now=NOW) == NOW + 7 * SECOND
    assert long.opens_at(HOOK, now=NOW) == NOW + timedelta(minutes=1)


def test_a_retry_after_keeps_nothing_back_past_the_longest_delay() -> None:
    brisk = replace(HOOK, retry=RetrySchedule(max_delay=2 * SECOND))

    held = after(Flow(), Refused(status=429, message="", retry_after=timedelta(hours=7)), destination=brisk)

    assert held.opens_at(brisk, now=NOW) == NOW + 2 * SECOND


def test_the_lower_of_the_set_and_the_learned_rate_holds_and_is_shown() -> None:
    flow = after(Flow(), *[TAKEN] * 20, Refused(status=429, message=""))

    assert flow.health(replace(HOOK, rate=3.0), now=NOW).rate_now == 3.0
    assert flow.health(replace(HOOK, rate=300.0), now=NOW).rate_now == flow.learned.rate
