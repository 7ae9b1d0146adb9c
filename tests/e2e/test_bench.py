"""One part of ``contactsync bench all``, as an operator runs it."""

import json
import subprocess
import sys
from pathlib import Path


def test_one_part_is_run_against_a_hub_of_its_own_and_told_in_every_form(tmp_path: Path) -> None:
    figures, picture = tmp_path / "all.json", tmp_path / "all.svg"
    asked = ["bench", "all", "--quick", "--rounds", "1", "--only", "replay"]

    ended = subprocess.run(
        [sys.executable, "-m", "libs.cli.main", *asked, "--json-file", str(figures), "--svg", str(picture)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    found = json.loads(figures.read_text())
    (row,) = found["goals"]
    assert row["measured"]["median"] > 0, found
    assert row["met"] is not None
    assert "replay of a stored" in ended.stdout
    assert picture.read_text().startswith("<svg")
