"""The peers that a checkout brings along, as commands. Without a checkout there are none."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from libs.cli.bench.targets import peer_environment

_BENCH = Path("tests/bench")
_OWN_UV = Path(".uv/bin/uv")
_INSTALL_SECONDS = 600
_IMPORTING = "python -m tests.bench.{0} --port {{port}} --data {{data}} --sink {{sink}}"
_DELIVERING = "python -m tests.bench.delivering.{0} --sink {{sink}} --chunks {{chunks}} --size {{size}}"
_POLLING = "python -m tests.bench.polling.{0} {{source}} {{data}} {{page_size}}"
NO_CHECKOUT = "it stands in tests/bench, and this is no checkout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """Commands, by the bench that they take part in; ``skipped`` says of others why they do not."""

    importing: Sequence[str] = ()
    delivering: Sequence[str] = ()
    polling: Sequence[str] = ()
    phones: str = ""
    skipped: dict[str, str] = field(default_factory=dict)


def peers_here() -> Peers:
    """Those of the checkout that the command is run from. What they need of others is installed now, beside it."""
    if not _BENCH.is_dir():
        return Peers(skipped=dict.fromkeys(("monolith", "limit", "bare_loop", "by_pgqueuer", "bare"), NO_CHECKOUT))
    uv = shutil.which("uv") or str(_OWN_UV.resolve())
    pgqueuer = f"{uv} run -q --no-sync --with pgqueuer "
    alone = f"{uv} run -q --no-project --isolated --with "
    obstacle = _obstacle(f"{pgqueuer}python -c")
    queued = [f"{pgqueuer}{_DELIVERING.format('by_pgqueuer')} --data {{data}}"] if not obstacle else []
    return Peers(
        importing=[_IMPORTING.format(name) for name in ("monolith", "limit")],
        delivering=[_DELIVERING.format("bare_loop"), *queued],
        polling=[
            _POLLING.format("bare"),
            f"{alone}dlt[duckdb,parquet] {_POLLING.format('by_dlt')}",
            f"{alone}singer-sdk {_POLLING.format('by_singer')}",
        ],
        phones="python -m tests.bench.phones --json {texts}",
        skipped={"by_pgqueuer": obstacle} if obstacle else {},
    )


def _obstacle(python: str) -> str:
    """Why it cannot be run, or nothing."""
    try:
        tried = subprocess.run(  # noqa: S603 — uv, with our own words
            [*python.split(), "import pgqueuer"],
            env=peer_environment(),
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if tried.returncode == 0 else (tried.stderr.strip().splitlines() or ["it cannot be installed"])[-1]
