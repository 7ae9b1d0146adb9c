"""Runs a command that ends when its parent does: ``python -m libs.cli.stack.child COMMAND ARGUMENT…``.

Linux only (prctl PR_SET_PDEATHSIG survives exec); elsewhere the command simply runs, and an orphan is possible when the
supervisor is killed with SIGKILL.
"""

import ctypes
import os
import signal
import sys

STARTED_SECONDS = 1
"""What ends sooner counts as not started, and supervisord tries it again whatever its exit code."""
_PR_SET_PDEATHSIG = 1


def end_with(parent: int) -> None:
    """Sends this process SIGTERM when that one ends; ends it at once when that is so already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            raise SystemExit("the parent ended before its child began")


def main(command: list[str]) -> None:
    """Becomes the command."""
    end_with(os.getppid())
    os.execvp(command[0], command)  # noqa: S606 — no shell: the command is the supervisor's own


if __name__ == "__main__":
    main(sys.argv[1:])
