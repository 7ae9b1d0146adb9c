"""The shape of the house: its fixed top level, and rooms that fit a sitting."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIXED = {
    "proto", "services", "libs", "gateway", "tests", "buf.yaml", "docker-compose.yml", "pyproject.toml", "README.md",
    "uv.lock", "LICENSE",
}  # fmt: skip
GENERATED = ("libs/contracts/contactsync/", "libs/contracts/buf/")
LONGEST_FILE = 300


def _tracked(pattern: str = "") -> list[str]:
    listed = subprocess.run(["git", "ls-files", pattern or "."], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.split("\n")[:-1]


def _code() -> Iterator[Path]:
    for name in _tracked("*.py"):
        if not name.startswith(GENERATED) and (ROOT / name).exists():
            yield ROOT / name


def test_top_level_is_the_fixed_one() -> None:
    names = {name.split("/")[0] for name in _tracked()}

    assert {name for name in names if not name.startswith(".")} == FIXED


def test_no_file_is_longer_than_a_sitting() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in _code()}

    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


@pytest.mark.parametrize("floor", [("libs", "gateway"), ("services",)], ids=["ground", "services"])
def test_functions_fit_a_glance(floor: tuple[str, ...]) -> None:
    bodies = sorted(_function_lengths(path for path in _code() if path.relative_to(ROOT).parts[0] in floor))

    assert bodies[len(bodies) // 2] <= 8, "median"
    assert bodies[len(bodies) * 9 // 10] <= 25, "nine in ten"


def _function_lengths(paths: Iterator[Path]) -> Iterator[int]:
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
                yield (node.end_lineno or 0) - first.lineno + 1
