from libs.cli.bench.scale import growth


def test_growth_is_each_target_beside_itself_with_the_fewest_contacts() -> None:
    figures = {
        1000: {"sqlite-1": {"cpu_ms_per_import": 4.0, "p50_ms": 20.0}, "postgresql-2": {"cpu_ms_per_import": 8.0}},
        1_000_000: {"sqlite-1": {"cpu_ms_per_import": 5.0, "p50_ms": 20.0}, "postgresql-2": {"cpu_ms_per_import": 6.0}},
    }

    grown = growth(figures)

    assert grown[1000] == {
        "sqlite-1": {"cpu_ms_per_import": 1.0, "p50_ms": 1.0},
        "postgresql-2": {"cpu_ms_per_import": 1.0},
    }
    assert grown[1_000_000]["sqlite-1"] == {"cpu_ms_per_import": 1.25, "p50_ms": 1.0}
    assert grown[1_000_000]["postgresql-2"] == {"cpu_ms_per_import": 0.75}


def test_what_costs_nothing_has_no_growth() -> None:
    figures = {1000: {"sqlite-1": {"p99_ms": 0.0}}, 2000: {"sqlite-1": {"p99_ms": 1.0}}}

    assert growth(figures)[2000] == {"sqlite-1": {}}
