"""When a fork may run what its parent imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys, threading
from pathlib import Path
from libs.cli.stack.preloaded import Preloaded

preloaded = Preloaded()
preloaded.load(["alone_module", "alone_broken", "alone_absent"])
print(*(preloaded.has(f"alone_{name}") for name in ("module", "broken", "absent")))
exec(sys.argv[1])
print(preloaded.has("alone_module"))
"""


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    (tmp_path / "alone_module.py").write_text("import alone_below\n")
    (tmp_path / "alone_below.py").write_text("answer = 1\n")
    (tmp_path / "alone_broken.py").write_text("raise LookupError\n")
    return tmp_path


def told(modules: Path, change: str) -> list[str]:
    """What a process of its own says, before the change and after it."""
    command = [sys.executable, "-c", SCRIPT, change]
    environment = os.environ | {"PYTHONPATH": str(modules)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("change", "may"),
    [
        ("pass", True),
        ("Path('{below}').write_text('answer = 23')", False),
        ("Path('{below}').unlink()", False),
        ("Path('{below}').rename('{below}.old'); Path('{below}').write_text('answer = 2')", False),
        ("threading.Thread(target=threading.Event().wait, daemon=True).start()", False),
    ],
    ids=["nothing", "written", "deleted", "replaced", "thread"],
)
def test_a_fork_runs_what_was_imported_and_is_still_so(modules: Path, change: str, may: bool) -> None:
    before, after = told(modules, change.format(below=modules / "alone_below.py"))

    assert before == "True False False"
    assert after == str(may)
