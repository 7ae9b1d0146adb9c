from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from libs.telemetry.sampling import RateThenRatio, sampler
from libs.telemetry.spans import DRY_RUN

ALWAYS_BEYOND_RATIO = (1 << 64) - 1


def decisions(sampler: RateThenRatio, number: int, trace_id: int = ALWAYS_BEYOND_RATIO) -> list[bool]:
    return [sampler.should_sample(None, trace_id, "name").decision is Decision.RECORD_AND_SAMPLE for _ in range(number)]


def test_the_first_of_a_second_are_recorded_and_no_more() -> None:
    now = 100.0
    sampler = RateThenRatio(3, 0.0, clock=lambda: now)

    assert decisions(sampler, 5) == [True, True, True, False, False]


def test_each_second_has_its_own() -> None:
    now = 100.0
    sampler = RateThenRatio(2, 0.0, clock=lambda: now)
    decisions(sampler, 5)

    now = 101.0

    assert decisions(sampler, 3) == [True, True, False]


def test_beyond_the_rate_the_ratio_decides() -> None:
    sampler = RateThenRatio(0, 0.01, clock=lambda: 100.0)

    assert decisions(sampler, 1, trace_id=1) == [True]
    assert decisions(sampler, 1) == [False]


def test_the_caller_decides_for_its_traces() -> None:
    tracer = TracerProvider(sampler=sampler(0, 0.0), shutdown_on_exit=False).get_tracer("test")

    recorded = [
        tracer.start_span("child", set_span_in_context(NonRecordingSpan(SpanContext(1, 2, True, TraceFlags(flag)))))
        for flag in (0, 1)
    ]

    assert [span.get_span_context().trace_flags.sampled for span in recorded] == [False, True]


def test_a_dry_run_is_recorded_beyond_the_rate() -> None:
    sampler = RateThenRatio(0, 0.0, clock=lambda: 100.0)

    told = sampler.should_sample(None, ALWAYS_BEYOND_RATIO, "name", attributes={DRY_RUN: True})

    assert told.decision is Decision.RECORD_AND_SAMPLE
