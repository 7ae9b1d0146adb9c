"""Peers of ``contactsync bench delivery``: commands that deliver the same bodies to the same sink in another way.

A peer is started with {sink}, {data}, {chunks} and {size} filled in. It prints `ready` when it holds the chunks, with
the ids of processes that work for it and are not its children; it begins to deliver when it reads a line, and ends when
its input does.
"""

import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from libs.cli.bench.measure import ProcessTree
from libs.cli.bench.targets import peer_environment, peer_name

_END_SECONDS = 30


class Peer:
    """One process at a time."""

    def __init__(self, command: str, sink: str, data: str) -> None:
        self.name = peer_name(command)
        self._command, self._sink, self._data = command, sink, data
        self._process: subprocess.Popen[str] | None = None
        self._tree: ProcessTree | None = None

    @property
    def tree(self) -> ProcessTree:
        """All its processes. Raises when it was not prepared."""
        if self._tree is None:
            raise RuntimeError(f"{self.name} was not prepared")
        return self._tree

    def prepare(self, *, chunks: int, size: int) -> None:
        """Start it anew, and return when it holds so many chunks. Raises when it ends instead."""
        self.end()
        given = {"sink": self._sink, "data": self._data, "chunks": chunks, "size": size}
        words = [word.format(**given) for word in shlex.split(self._command)]
        self._process = subprocess.Popen(  # noqa: S603 — the operator's own command
            words, env=peer_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        match self._process.stdout.readline().split():
            case ["ready", *others]:
                self._tree = ProcessTree(self._process.pid, *map(int, others))
            case _:
                raise RuntimeError(f"{self.name} ended before it was ready")

    def go(self) -> None:
        """Let it deliver."""
        assert self._process is not None, "it was prepared"
        pipe = self._process.stdin
        assert pipe is not None
        pipe.write("\n")
        pipe.flush()

    def end(self) -> None:
        """Stop it, if it runs."""
        if self._process is None:
            return
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(timeout=_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        self._process = None


@contextmanager
def running_peer(command: str, sink: str) -> Iterator[Peer]:
    """A peer with a folder of its own; nothing of it runs behind the block."""
    with tempfile.TemporaryDirectory(prefix="contactsync-bench-") as folder:
        peer = Peer(command, sink, folder)
        try:
            yield peer
        finally:
            peer.end()
