"""Format, lint, types, import walls and contracts: the tools' verdicts as tests; one command checks everything."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sys.executable).parent

CHECKS = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "types": ["mypy"],
    "import walls": ["lint-imports"],
    "contracts are formatted": ["buf", "format", "--diff", "--exit-code"],
    "contracts are linted": ["buf", "lint"],
    "contracts break nobody": ["buf", "breaking", "proto", "--against", "libs/contracts/released.binpb"],
    "lock file is fresh": ["uv", "lock", "--check"],
}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("command", CHECKS.values(), ids=CHECKS.keys())
def test_tool_finds_nothing(command: list[str]) -> None:
    tool, *arguments = command

    finished = subprocess.run([SCRIPTS / tool, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)

    assert finished.returncode == 0, finished.stdout + finished.stderr
