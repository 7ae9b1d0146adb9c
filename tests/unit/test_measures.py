from libs import measures
from libs.measures import About, Counter, Gauge, Histogram

BY_NAME = About(name="tested.things", text="Things.", labels=("tested.name",))


def test_a_counter_counts_by_its_labels() -> None:
    counter = Counter(BY_NAME)

    counter.add(("one",))
    counter.add(("two",), 3)
    counter.add(("one",))

    assert counter.counts == {("one",): 2, ("two",): 3}


def test_beyond_the_most_combinations_a_counter_counts_the_others_together() -> None:
    counter = Counter(BY_NAME)

    for number in range(measures.MOST + 5):
        counter.add((str(number),))
    counter.add(("0",))

    assert len(counter.counts) == measures.MOST + 1
    assert counter.counts[measures.OTHER,] == 5
    assert counter.counts["0",] == 2


def test_a_value_on_a_bound_lies_in_the_bucket_below_it() -> None:
    histogram = Histogram(BY_NAME, bounds=(1.0, 2.0))

    for value in (0.5, 1.0, 1.5, 7.0):
        histogram.record(value, ("one",))

    row = histogram.rows["one",]
    assert (row.counts, row.total) == ([2, 1, 1], 10.0)


def test_beyond_the_most_combinations_a_histogram_counts_the_others_together() -> None:
    histogram = Histogram(BY_NAME)

    for number in range(measures.MOST + 5):
        histogram.record(1.0, (str(number),))

    assert len(histogram.rows) == measures.MOST + 1
    assert sum(histogram.rows[measures.OTHER,].counts) == 5


def test_a_bucket_remembers_the_latest_span_that_fell_into_it() -> None:
    histogram = Histogram(BY_NAME, bounds=(1.0,))

    histogram.record(0.1, ("one",), span=(1, 2))
    histogram.record(0.2, ("one",), span=(3, 4))
    histogram.record(0.3, ("one",))

    example = histogram.rows["one",].examples[0]
    assert (example.value, example.trace_id, example.span_id) == (0.2, 3, 4)
    assert list(histogram.rows["one",].examples) == [0]


def test_a_gauge_forgets_what_is_not_shown_again() -> None:
    gauge = Gauge(BY_NAME)

    gauge.show_all({("one",): 1, ("two",): 2})
    gauge.show_all({("two",): 3})

    assert gauge.values == {("two",): 3}


def test_beyond_the_most_combinations_a_gauge_shows_the_largest_of_the_others() -> None:
    gauge = Gauge(BY_NAME)

    gauge.show_all({(str(number),): number for number in range(measures.MOST + 5)})

    assert len(gauge.values) == measures.MOST + 1
    assert gauge.values[measures.OTHER,] == measures.MOST + 4
