"""Normalisation in one process, beside the library: the checkout's own measuring, run apart from this process."""

import json
import shlex
import subprocess
from dataclasses import asdict
from typing import Any

from libs.cli.bench.targets import peer_environment
from libs.cli.bench.together.checkout import NO_CHECKOUT
from libs.cli.bench.together.goals import LEFT_OUT
from libs.cli.bench.together.spread import spread_of


def bench_phones(command: str, *, texts: int) -> dict[str, Any]:
    """How many times as fast as the library the fast path is, and how many of the texts it answers otherwise."""
    if not command:
        return {LEFT_OUT: NO_CHECKOUT}
    words = shlex.split(command.format(texts=texts))
    ended = subprocess.run(words, env=peer_environment(), capture_output=True, text=True, check=False)  # noqa: S603 — the checkout's
    if ended.returncode:
        raise RuntimeError(f"phones: {(ended.stderr.strip().splitlines() or ['it ended'])[-1]}")
    told: dict[str, Any] = json.loads(ended.stdout)
    times = spread_of([library / fast for library, fast in zip(told["phonenumbers_us"], told["fast_us"], strict=True)])
    return told | {"times": asdict(times), "differences": asdict(spread_of([told["different"]]))}
