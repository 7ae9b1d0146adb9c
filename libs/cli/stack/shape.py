"""How far a hub on this machine is grown."""

from dataclasses import dataclass, field

from libs.cli.stack.errors import CannotStart


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What an outgrown hub has beyond a small one; without anything, it is small: one process a service, on SQLite.

    ``replicas`` is the number of processes of each service, and ``connections`` how many each may open to PostgreSQL.
    ``postgres`` is the URL of a PostgreSQL database in which every service has a schema of its own; empty: SQLite files
    in the data folder. ``nats_cluster``: three JetStream servers, each of which keeps every ticket, instead of one.
    ``tls``: the processes speak TLS with each other, each with a certificate of the hub's own authority.
    """

    replicas: int = 1
    postgres: str = field(default="", repr=False)
    connections: int = 6
    nats_cluster: bool = False
    tls: bool = False

    def check(self) -> None:
        """Raises CannotStart when the parts do not go together."""
        if self.replicas > 1 and not self.postgres:
            raise CannotStart(
                f"{self.replicas} replicas cannot share SQLite files, which have one writing process each",
                remedy="Give --postgres URL too, or leave --replicas at 1.",
            )
