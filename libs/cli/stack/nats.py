"""The JetStream servers of a hub on this machine: one, or a cluster of three."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from libs.bus import BusNode, BusUser, render_nats_config
from libs.cli.stack.folder import DataFolder
from libs.cli.stack.shape import Shape

CLUSTER_SIZE = 3


def node_names(shape: Shape) -> tuple[str, ...]:
    """The programs: ``nats``, then ``nats-2`` and ``nats-3``."""
    others = (f"nats-{number}" for number in range(2, CLUSTER_SIZE + 1))
    return ("nats", *others) if shape.nats_cluster else ("nats",)


def nats_port_names(shape: Shape) -> tuple[str, ...]:
    """The names of the ports: each server's for clients, its monitor's, and in a cluster that for the other servers."""
    kinds = ("", "_monitor", "_routes") if shape.nats_cluster else ("", "_monitor")
    return tuple(f"{name}{kind}" for name in node_names(shape) for kind in kinds)


@dataclass(frozen=True, slots=True)
class NatsServers:
    """Where they listen, on loopback, and with which passwords."""

    folder: DataFolder
    shape: Shape
    ports: Mapping[str, int]

    @property
    def names(self) -> tuple[str, ...]:
        """The programs."""
        return node_names(self.shape)

    def addresses(self) -> dict[str, str]:
        """host:port of everything that they listen on."""
        return {name: self._address(name) for name in nats_port_names(self.shape)}

    def monitors(self) -> dict[str, str]:
        """The URL of each server's monitor, by program."""
        return {name: f"http://{self._address(f'{name}_monitor')}" for name in self.names}

    def url(self, account: str) -> str:
        """What a service with this account is given, which may be seen: the password is in a file."""
        servers = ",".join(f"nats://{account}@{self._address(name)}" for name in self.names)
        return f"{servers}?{urlencode({'password_file': self.password_file(account)})}"

    def password_file(self, account: str) -> Path:
        """Holds the account's password alone (0600), written at every start."""
        return self.folder.service_keys / f"{account}.nats"

    def password(self, account: str) -> str:
        """Of an account, or of the routes between the servers."""
        key = bytes.fromhex(self.folder.key("nats").read_text().strip())
        return hmac.digest(key, account.encode(), "sha256").hex()

    def config(self, name: str, users: Sequence[BusUser]) -> str:
        """The configuration of one server; holds passwords."""
        return render_nats_config(
            store_dir=self.store(name),
            listen=self._address(name),
            monitor=self._address(f"{name}_monitor"),
            users=users,
            node=self._node(name) if self.shape.nats_cluster else None,
        )

    def store(self, name: str) -> Path:
        """Where a server keeps its streams, in which nothing but tickets lies."""
        root = self.folder.root
        # Apart, since a server of its own and one of a cluster cannot use each other's store.
        return root / "nats-cluster" / name if self.shape.nats_cluster else root / "nats"

    def _node(self, name: str) -> BusNode:
        others = (each for each in self.names if each != name)
        return BusNode(
            name=name,
            listen=self._address(f"{name}_routes"),
            routes=tuple(self._address(f"{other}_routes") for other in others),
            password=self.password("route"),
        )

    def _address(self, name: str) -> str:
        return f"127.0.0.1:{self.ports[name]}"
