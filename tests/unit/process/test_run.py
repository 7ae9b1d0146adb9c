"""What a process does before it serves, and how it says that it cannot."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os, sys
from libs.process import ProcessSettings, run_process

def before(settings):
    print("before", os.getpid(), settings.listen, flush=True)
    exec(sys.argv[1])

async def serve(settings):
    print("serve", os.getpid(), settings.listen, flush=True)

run_process("probe", ProcessSettings, serve, before=before)
"""


@pytest.mark.parametrize("ending", ["pass", "raise LookupError", "sys.exit(3)", "os.kill(os.getpid(), 9)"])
def test_what_comes_before_is_a_process_of_its_own_and_serving_follows_however_that_ends(ending: str) -> None:
    ours = {"CONTACTSYNC_LISTEN": "127.0.0.1:0", "CONTACTSYNC_SERVICE_KEY_FILE": "/nowhere"}

    command = [sys.executable, "-c", SCRIPT, ending]

    done = subprocess.run(command, env=os.environ | ours, capture_output=True, text=True, check=False, timeout=60)

    (first, first_pid, *told), (second, second_pid, *told_again) = (line.split() for line in done.stdout.splitlines())
    assert (first, second) == ("before", "serve")
    assert told == told_again == ["127.0.0.1:0"]
    assert first_pid != second_pid
    assert (done.returncode, done.stderr) == (0, "")
