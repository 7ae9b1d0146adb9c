"""The hub's processes, and the memory that they hold."""

from http.client import HTTPException
from typing import Any

import psutil

from libs.cli.doctor.finding import Finding
from libs.cli.stack.folder import DataFolder
from libs.cli.stack.plan import CONSOLE
from libs.cli.stack.programs import Programs

_MEMORY_AIM_MB = 82
"""Of a process, as the mean of all: a hub with replicas has more of them."""


def processes(folder: DataFolder, facts: dict[str, Any]) -> list[dict[str, Any]]:
    """The hub's processes: its supervisor and everything below, without whoever started it."""
    try:
        root = psutil.Process(facts["supervisor_pid"])
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
    names = _names(folder, facts)
    known = [_process(each, names.get(each.pid, ""), facts["addresses"]) for each in family]
    return [{**each, "metrics": facts["metrics"].get(each["name"], "")} for each in known]


def memory(folder: DataFolder, facts: dict[str, Any]) -> Finding:
    """Without a Jaeger that the hub runs: it holds traces, as many as it may."""
    ours = [each for each in processes(folder, facts) if each["name"] != "jaeger"]
    resident = sum(each["resident_mb"] for each in ours)
    if None in (each["memory_mb"] for each in ours):
        seen, total = f"{resident} MB resident, shared pages counted in each process", resident
    else:
        total = sum(each["memory_mb"] for each in ours)
        seen = f"{total} MB, shared pages counted once ({resident} MB resident)"
    return Finding("memory", seen, "See below which process grew.", well=total < _MEMORY_AIM_MB * len(ours))


def _names(folder: DataFolder, facts: dict[str, Any]) -> dict[int, str]:
    """Our own programs by their processes' ids, as the supervisor has them; none while it does not answer."""
    password = folder.key("supervisor").read_text().strip()
    try:
        states = Programs(address=facts["addresses"]["supervisor"], password=password).states()
    except (OSError, HTTPException):
        return {}
    return {states[name]["pid"]: name for name in (*facts["instances"], CONSOLE) if name in states}


def _process(process: psutil.Process, name: str, addresses: dict[str, str]) -> dict[str, Any]:
    held = process.memory_full_info()
    return {
        "name": name or process.name(),
        "pid": process.pid,
        # The proportional set: a page that n processes share counts as an nth of it. Only Linux tells; elsewhere None.
        "memory_mb": held.pss // 1024**2 if hasattr(held, "pss") else None,
        "resident_mb": held.rss // 1024**2,
        "address": addresses.get(name, ""),
    }
