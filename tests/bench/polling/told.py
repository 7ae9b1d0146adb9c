"""What a peer of `contactsync bench polling` tells of one sync, for a process that does nothing else."""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path


def tell(sync: Callable[[str, Path, int], int]) -> None:
    """Run `sync(url, data, page_size)` as the command line says, and print its figures. Imports are not counted."""
    url, data, page_size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    began, before = time.perf_counter(), os.times()
    contacts = sync(url, data, page_size)
    seconds, after = time.perf_counter() - began, os.times()
    figures = {
        "contacts": contacts,
        "seconds": seconds,
        "cpu_s": sum(after[:4]) - sum(before[:4]),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(figures))  # noqa: T201 - the figures are the answer
