"""What is measured: this hub, and a peer that serves the same import API."""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from libs.cli.api import Api, connect
from libs.cli.bench.measure import ProcessTree
from libs.cli.stack.hub import Hub, running_hub
from libs.cli.stack.ports import choose_free
from libs.cli.stack.readiness import answers
from libs.cli.stack.shape import Shape
from libs.cli.stack.supervisor import wait_until
from libs.cli.stack.traces import Tracing

HUB = "contactsync"
_START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Target:
    """Something that takes imports at ``url`` with ``key`` and posts every chunk to the sink."""

    name: str
    url: str
    key: str
    tree: ProcessTree


@dataclass(frozen=True, slots=True)
class RunningHub:
    """A hub, with its admin's API and a client of its own as the target."""

    hub: Hub
    admin: Api
    target: Target

    def pid_of(self, program: str) -> int:
        """The process id of one of its programs."""
        return int(self.hub.supervisor.processes()[program]["pid"])

    def add_client(self, url: str, *, at_once: int = 16, also: Sequence[str] = ()) -> str:
        """The key of a new client whose contacts go to a webhook at the URL, in so many requests at once.

        They go to the destinations ``also``, too.
        """
        webhook = {"kind": "DESTINATION_KIND_WEBHOOK", "url": url, "concurrency": at_once}
        destination = self.admin.call("POST", "/admin/v1/destinations", body=webhook)["destination"]["id"]
        client = {"name": "bench", "settings": {"rate": 10000, "destination_ids": [destination, *also]}}
        key: str = self.admin.call("POST", "/admin/v1/clients", body=client)["api_key"]
        return key


@contextmanager
def running_target(
    sink: str,
    *,
    name: str = HUB,
    settings: Mapping[str, str] | None = None,
    at_once: int = 16,
    tracing: Tracing | None = None,
    shape: Shape | None = None,
) -> Iterator[RunningHub]:
    """A hub on a temporary folder, with the sink as the client's only destination."""
    with tempfile.TemporaryDirectory(prefix="contactsync-bench-") as folder:
        settings = {"CONTACTSYNC_EGRESS_ALLOW": "127.0.0.0/8", **(settings or {})}
        with running_hub(Path(folder) / "data", port=0, settings=settings, tracing=tracing, shape=shape) as hub:
            admin = connect(hub.plan.folder.root, "", "", role="admin")
            running = RunningHub(hub, admin, Target(name, hub.url, "", ProcessTree(hub.supervisor.pid)))
            yield replace(running, target=replace(running.target, key=running.add_client(sink, at_once=at_once)))


@contextmanager
def hub_target(sink: str, *, name: str = HUB, tracing: Tracing | None = None) -> Iterator[Target]:
    """The hub alone, as one target among others."""
    with running_target(sink, name=name, tracing=tracing) as running:
        yield running.target


@contextmanager
def peer_target(command: str, sink: str) -> Iterator[Target]:
    """A peer: a command in which {port}, {data} and {sink} are filled in. It takes any key."""
    name = peer_name(command)
    port = choose_free([name])[name]
    with tempfile.TemporaryDirectory(prefix="contactsync-bench-") as folder:
        words = [word.format(port=port, data=folder, sink=sink) for word in shlex.split(command)]
        process = subprocess.Popen(words, env=peer_environment())  # noqa: S603 — the operator's own command
        url = f"http://127.0.0.1:{port}"
        try:
            ended = lambda: "" if process.poll() is None else f"it ended with {process.returncode}"  # noqa: E731
            wait_until(lambda: answers(f"{url}/healthz"), timeout=_START_SECONDS, hopeless=ended, what=name)
            yield Target(name, url, "bench", ProcessTree(process.pid))
        finally:
            process.terminate()
            process.wait(timeout=_START_SECONDS)


def peer_name(command: str) -> str:
    """What a command runs: the last part of its module, or else of its path."""
    words = shlex.split(command)
    if "-m" in words[:-1]:
        return words[words.index("-m") + 1].rpartition(".")[2]
    return Path(words[0]).stem


def peer_environment() -> dict[str, str]:
    """``python`` is the interpreter that this runs on."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
