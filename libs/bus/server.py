"""The nats-server beside the hub: its configuration, and the proof that it writes to disk before it confirms."""

import asyncio
import http.client
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from libs.bus.ports import BusUnavailable, StreamSpec
from libs.bus.streams import STREAMS, inbox_prefix_of

_ANSWER_SECONDS = 2.0
_ROUTE_USER = "route"


@dataclass(frozen=True, slots=True, kw_only=True)
class BusUser:
    """A service's account on the server. It may do what is named here, see that the streams exist, and nothing else."""

    name: str
    password: str = field(repr=False)
    publishes: tuple[str, ...] = ()
    """Subjects, such as `delivery.ticket`."""
    consumes: tuple[str, ...] = ()
    """Names of streams, such as `DELIVERY`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusNode:
    """One server of a cluster. All of them have one password for the routes between them."""

    name: str
    listen: str
    """host:port for routes from the others."""
    routes: tuple[str, ...]
    """host:port of every server; its own among them does no harm."""
    password: str = field(repr=False)

    def route_url(self, address: str) -> str:
        """The route to another server, with the account that it asks for."""
        return f"nats-route://{_ROUTE_USER}:{quote(self.password, safe='')}@{address}"


class NotSynchronous(Exception):
    """The server confirms messages that a power loss would take back."""

    def __init__(self, monitor_url: str, found: str) -> None:
        super().__init__(f"nats-server at {monitor_url} does not sync each write: {found}")
        self.monitor_url = monitor_url
        self.found = found


def render_nats_config(
    *,
    store_dir: Path,
    listen: str,
    monitor: str,
    users: Sequence[BusUser],
    streams: Sequence[StreamSpec] = STREAMS,
    max_file_store: int = 1024 * 1024 * 1024,
    node: BusNode | None = None,
) -> str:
    """Return the text of nats-server.conf. It holds the passwords: write it with mode 0600.

    `listen` and `monitor` are `host:port`. `max_file_store` is in bytes and bounds the sum of all streams. `node` makes
    the server one of a cluster, which needs more than half of its servers to confirm anything.
    """
    accounts = ",\n".join(f"    {_account(user, streams)}" for user in users)
    return f"""\
# Written at each start of the hub. JSON strings are valid here, and quote whatever a path or a password holds.
server_name: {node.name if node else "contactsync"}
listen: {json.dumps(listen)}
http: {json.dumps(monitor)}
max_connections: 256
jetstream {{
  store_dir: {json.dumps(str(store_dir))}
  # Without it a power loss takes back what was confirmed; a kill does not show the difference.
  sync_interval: always
  max_file_store: {max_file_store}
  # Only bookkeeping lives in memory: all streams are on disk.
  max_memory_store: {64 * 1024 * 1024}
  strict: true
}}
authorization {{
  users: [
{accounts}
  ]
}}
{_cluster(node) if node else ""}"""


def _cluster(node: BusNode) -> str:
    routes = ", ".join(json.dumps(node.route_url(address)) for address in node.routes)
    return f"""\
cluster {{
  name: contactsync
  listen: {json.dumps(node.listen)}
  authorization {{ user: {_ROUTE_USER}, password: {json.dumps(node.password)}, timeout: 5 }}
  routes: [{routes}]
  # Each client has the addresses of all servers in its settings.
  no_advertise: true
}}
"""


def _account(user: BusUser, streams: Sequence[StreamSpec]) -> str:
    publish = [*user.publishes, *_declaring(streams), *_consuming(user.consumes)]
    permissions = {"publish": {"allow": publish}, "subscribe": {"allow": [f"{inbox_prefix_of(user.name)}.>"]}}
    return json.dumps({"user": user.name, "password": user.password, "permissions": permissions})


def _declaring(streams: Iterable[StreamSpec]) -> Iterable[str]:
    for stream in streams:
        yield f"$JS.API.STREAM.CREATE.{stream.name}"
        yield f"$JS.API.STREAM.UPDATE.{stream.name}"


def _consuming(streams: Iterable[str]) -> Iterable[str]:
    for stream in streams:
        yield f"$JS.API.STREAM.INFO.{stream}"
        yield f"$JS.API.CONSUMER.CREATE.{stream}.>"
        yield f"$JS.API.CONSUMER.DELETE.{stream}.*"
        yield f"$JS.API.CONSUMER.INFO.{stream}.*"
        yield f"$JS.API.CONSUMER.MSG.NEXT.{stream}.*"
        yield f"$JS.ACK.{stream}.>"
        yield f"$JS.ACK.*.*.{stream}.>"  # the form that names domain and account first


async def assert_synchronous(monitor_url: str) -> None:
    """Raise `NotSynchronous` unless the server at `monitor_url` (http://host:port) syncs before it confirms.

    nats-server 2.15 tells `sync_always: true` in /varz; its `sync_interval` stays at two minutes there.
    Raises `BusUnavailable` when the server does not answer.
    """
    varz = await ask_monitor(monitor_url, "/varz")
    config = varz.get("jetstream", {}).get("config")
    if not config:
        raise NotSynchronous(monitor_url, "JetStream is off")
    if config.get("sync_always") is not True:
        raise NotSynchronous(monitor_url, f"sync_interval is {config.get('sync_interval', 0) / 1e9:g} s")


async def ask_monitor(monitor_url: str, path: str) -> dict[str, Any]:
    """Return what the server's monitor tells at a path. Raises `BusUnavailable` when it does not answer."""
    try:
        return await asyncio.to_thread(_get_json, monitor_url, path)
    except (OSError, ValueError, http.client.HTTPException) as failure:
        raise BusUnavailable(f"{monitor_url} does not answer: {type(failure).__name__}") from failure


def _get_json(url: str, path: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        content: dict[str, Any] = json.loads(connection.getresponse().read())
        return content
    finally:
        connection.close()
