"""What the servers of a cluster tell about the streams that they keep together."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libs.bus.ports import BusUnavailable
from libs.bus.server import ask_monitor

_STREAMS = "/jsz?streams=true&config=true"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamHealth:
    """A stream as its leader sees it."""

    name: str
    replicas: int
    """Servers that are to keep it."""
    leader: str
    """The server's name. Empty: none now, and nothing can be published."""
    behind: tuple[str, ...] = ()
    """Servers that do not have all of it, or are away."""
    lag: int = 0
    """Entries that the one furthest behind does not have."""

    @property
    def healthy(self) -> bool:
        """True: it can be published to, and every server that is to have it has it."""
        return bool(self.leader) and not self.behind


async def look_at_streams(monitor_urls: Sequence[str]) -> list[StreamHealth]:
    """Ask all servers, and return what each stream's leader tells, in the order of the streams' names.

    Raises `BusUnavailable` when no server answers.
    """
    answers = await asyncio.gather(*(ask_monitor(url, _STREAMS) for url in monitor_urls), return_exceptions=True)
    told = [answer for answer in answers if isinstance(answer, dict)]
    if not told:
        raise BusUnavailable("no server of the cluster answers")
    found: dict[str, StreamHealth] = {}
    for stream in _streams(told):
        health = _health(stream)
        if stream["name"] not in found or health.leader:
            found[stream["name"]] = health
    return [found[name] for name in sorted(found)]


def _streams(answers: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for answer in answers:
        for account in answer.get("account_details") or ():
            yield from account.get("stream_detail") or ()


def _health(stream: Mapping[str, Any]) -> StreamHealth:
    """Of a server that does not lead it: without a leader, since what it knows of the others may be old."""
    cluster, replicas = stream.get("cluster") or {}, stream["config"]["num_replicas"]
    # A server of its own leads what it has, and says nothing of it.
    others, leader = cluster.get("replicas") or (), cluster.get("leader", "" if "raft_group" in cluster else "nats")
    if leader in {other["name"] for other in others}:
        leader = ""
    return StreamHealth(
        name=stream["name"],
        replicas=replicas,
        leader=leader,
        behind=tuple(sorted(other["name"] for other in others if other.get("offline") or not other["current"])),
        lag=max((other.get("lag", 0) for other in others), default=0),
    )
