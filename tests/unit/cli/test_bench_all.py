"""What `bench all` makes of figures: medians and ranges, a verdict for each goal, a table and a picture."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from libs.cli.bench.together.checkout import Peers, peers_here
from libs.cli.bench.together.forms import QUICK
from libs.cli.bench.together.goals import GOALS, LEFT_OUT, Row, judge
from libs.cli.bench.together.picture import draw, share
from libs.cli.bench.together.run import Part, parts_of, run_parts
from libs.cli.bench.together.shown import show
from libs.cli.bench.together.spread import Spread, paired, spread_of
from libs.cli.bench.together.table import cells

ROW = Row("import of 1, CPU", "monolith", "≤ 0.5×", 0.5, False, Spread(0.4, 0.3, 0.6), True, "")
NO_PEERS = Peers(skipped={"by_pgqueuer": "no PostgreSQL"})


def test_spread_is_the_median_and_how_far_the_rounds_lie_apart() -> None:
    assert spread_of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)


def test_ratios_are_of_one_round_each_so_that_a_slow_round_is_slow_for_both() -> None:
    assert paired([10.0, 1.0], [20.0, 2.0]) == Spread(0.5, 0.5, 0.5)


@pytest.mark.parametrize(("ours", "theirs"), [([], []), ([1.0], []), ([1.0], [0.0])])
def test_there_is_no_ratio_without_a_pair(ours: list[float], theirs: list[float]) -> None:
    assert paired(ours, theirs) is None


def sample(target: str, size: int, cpu: float, rate: float) -> dict[str, object]:
    return {"target": target, "size": size, "cpu_ms_per_import": cpu, "requests_per_s": rate}


def test_each_goal_of_a_part_is_judged_by_the_samples_of_its_size_and_peer() -> None:
    samples = [
        *(sample("contactsync", size, 1.0, 100.0) for size in (1, 100, 1000)),
        *(sample("monolith", size, cpu, 50.0) for size, cpu in ((1, 4.0), (100, 2.0), (1000, 10.0))),
    ]

    rows = {(row.work, row.beside): row for row in judge({"import": {"samples": samples, "skipped": {}}})}

    assert rows["import of 1, CPU", "monolith"].measured == Spread(0.25, 0.25, 0.25)
    assert rows["import of 1, CPU", "monolith"].met
    assert rows["import of 100, CPU", "monolith"].met is False
    assert rows["import of 1, rate", "monolith"].met
    assert rows["import of 1000, rate", "monolith"].met is False
    assert rows["import of 1, CPU", "limit"].met is None


def test_what_was_not_run_tells_why_and_is_neither_met_nor_missed() -> None:
    (replay,) = judge({"replay": {LEFT_OUT: "no room"}})
    rows = judge({"delivery": {"samples": [], "skipped": NO_PEERS.skipped}})

    assert (replay.measured, replay.met, replay.why) == (None, None, "no room")
    assert [row.why for row in rows] == ["no PostgreSQL", "there is no figure of it"]


def test_every_goal_belongs_to_a_part_that_is_run() -> None:
    assert {goal.part for goal in GOALS} == set(parts_of(QUICK, NO_PEERS))


def test_a_part_that_fails_is_left_out_and_the_next_one_is_run() -> None:
    told: list[str] = []

    def fail() -> dict[str, Any]:
        raise RuntimeError("the hub\nis gone")

    ratio = {"median": 0.2, "least": 0.1, "most": 0.3}
    parts: dict[str, Part] = {"mixed": fail, "replay": lambda: {"cpu_ratio": ratio}}
    report = run_parts(parts, QUICK, NO_PEERS, tell=told.append)

    assert told == ["mixed", "replay"]
    assert [(row.met, row.why) for row in report.rows] == [(True, ""), (None, "RuntimeError: the hub is gone")]
    assert report.document["skipped"] == NO_PEERS.skipped


def test_report_is_one_json_document_and_one_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = run_parts({"replay": lambda: {LEFT_OUT: "no room"}}, QUICK, NO_PEERS, tell=print)

    show(report, json_file=tmp_path / "all.json", svg=tmp_path / "all.svg", as_json=False)

    found = json.loads((tmp_path / "all.json").read_text())
    assert set(found) == {"environment", "load_average", "skipped", "goals", "parts"}
    assert found["goals"][0]["why"] == "no room"
    assert (tmp_path / "all.svg").read_text().startswith("<svg")
    assert "Python" in capsys.readouterr().out


def test_a_row_tells_the_median_the_range_and_the_verdict() -> None:
    assert cells(ROW) == ("import of 1, CPU", "monolith", "≤ 0.5×", "0.4 (0.3–0.6)", "met")
    assert cells(replace(ROW, met=False))[-1] == "missed"
    assert cells(replace(ROW, measured=None, met=None, why="no peer"))[-2:] == ("–", "left out: no peer")


@pytest.mark.parametrize(
    ("row", "value", "part"),
    [
        (ROW, 0.25, 0.5),
        (replace(ROW, bound=2.0, at_least=True), 4.0, 0.5),
        (replace(ROW, bound=0.0), 0.0, 0.0),
        (replace(ROW, bound=0.0), 1.0, float("inf")),
    ],
)
def test_share_of_the_goal_is_below_one_where_it_was_met(row: Row, value: float, part: float) -> None:
    assert share(row, value) == part


def test_picture_is_well_formed_and_has_every_row_whatever_it_is_called() -> None:
    rows = [ROW, replace(ROW, work="a < b & c", met=False), replace(ROW, measured=None, met=None, why="no peer")]

    root = ET.fromstring(draw(rows, caption=["two cores & more", "versions"]))

    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"two cores & more", "versions", "a < b & c / monolith", "left out: no peer"} <= set(texts)


def test_without_a_checkout_there_are_no_peers_and_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    peers = peers_here()

    assert not peers.importing
    assert "checkout" in peers.skipped["monolith"]
