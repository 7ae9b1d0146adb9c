"""What the hub consists of on one machine: each process with its command and its environment."""

import hmac
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from libs.bus import DELIVERY, DELIVERY_TICKET, INTAKE, INTAKE_TICKET, BusUser
from libs.cli.stack.folder import DataFolder

# In the order in which they become useful: whoever is asked comes before who asks.
SERVICES = ("access", "idempotency", "normalization", "directory", "ingestion", "delivery", "source_polling")
_WITH_DATABASE = {"access", "idempotency", "directory", "ingestion", "delivery", "source_polling"}


@dataclass(frozen=True, slots=True)
class BusAccount:
    """What a service may do on the bus."""

    name: str
    publishes: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()

    def user(self, password: str) -> BusUser:
        """The account with a password."""
        return BusUser(name=self.name, password=password, publishes=self.publishes, consumes=self.consumes)


BUS_ACCOUNTS = {
    "ingestion": BusAccount("ingestion", publishes=(DELIVERY_TICKET,)),
    "delivery": BusAccount("delivery", consumes=(DELIVERY.name,)),
    "directory": BusAccount("directory", publishes=(INTAKE_TICKET,), consumes=(INTAKE.name,)),
}


@dataclass(frozen=True, slots=True)
class Program:
    """One process: what the supervisor runs and keeps running."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A hub on one machine.

    ``ports`` holds a loopback port for each service, nats, nats_monitor, envoy_admin and supervisor.
    """

    folder: DataFolder
    port: int
    ports: Mapping[str, int]
    otlp_endpoint: str = ""
    trace_share: float = 1.0
    trusted_hops: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the hub's REST APIs are."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def gateway_config(self) -> Path:
        """Envoy's configuration, rendered at every start."""
        return self.folder.root / "run" / "envoy.yaml"

    @property
    def nats_config(self) -> Path:
        """The NATS server's configuration, rendered at every start; holds its password (0600)."""
        return self.folder.root / "run" / "nats.conf"

    def bus_users(self) -> list[BusUser]:
        """The bus accounts of the services that use it, with the passwords of this hub."""
        return [account.user(self._bus_password(name)) for name, account in BUS_ACCOUNTS.items()]

    def _bus_password(self, service: str) -> str:
        key = bytes.fromhex(self.folder.key("nats").read_text().strip())
        return hmac.digest(key, service.encode(), "sha256").hex()

    def address(self, name: str) -> str:
        """``host:port`` of a process."""
        return f"127.0.0.1:{self.ports[name]}"

    def addresses(self) -> dict[str, str]:
        """The address of every service."""
        return {service: self.address(service) for service in SERVICES}

    def programs(self) -> Iterator[Program]:
        """Every process, in the order of start."""
        yield Program("nats", ("nats-server", "--config", str(self.nats_config)))
        for service in SERVICES:
            command = (sys.executable, "-m", f"services.{service}.main")
            yield Program(service, command, self.service_environment(service) | self._bytecode())
        envoy = ("envoy", "--config-path", str(self.gateway_config), "--concurrency", "1", "--disable-hot-restart")
        yield Program("gateway", (*envoy, "--log-level", "warn"))

    def _bytecode(self) -> dict[str, str]:
        """Compiled modules lie in our own folder where the environment wants none beside the sources."""
        if not sys.dont_write_bytecode:
            return {}
        folder = sys.pycache_prefix or str(self.folder.root / "run" / "bytecode")
        return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder}

    def service_environment(self, service: str) -> dict[str, str]:
        """The settings of a service process. Secrets travel as files; only the bus's password is in its URL."""
        folder = self.folder
        environment = {f"CONTACTSYNC_{name.upper()}_ADDRESS": address for name, address in self.addresses().items()}
        environment |= {
            "CONTACTSYNC_LISTEN": self.address(service),
            "CONTACTSYNC_GATEWAYS": "127.0.0.1",
            "CONTACTSYNC_SERVICE_KEY_FILE": str(folder.key("service")),
            "CONTACTSYNC_MASTER_KEY_FILE": str(folder.key("master")),
            "CONTACTSYNC_OTLP_ENDPOINT": self.otlp_endpoint,
            "PYTHONUNBUFFERED": "1",
            # An arena of malloc for each of a process's threads would hold what they gave back.
            "MALLOC_ARENA_MAX": "2",
            "PYDANTIC_DISABLE_PLUGINS": "__all__",
        }
        if service in _WITH_DATABASE:
            environment["CONTACTSYNC_DATABASE_URL"] = folder.database_url(service)
        if service in BUS_ACCOUNTS:
            login = f"{service}:{self._bus_password(service)}"
            environment["CONTACTSYNC_NATS_URL"] = f"nats://{login}@{self.address('nats')}"
        if service in {"access", "directory"}:
            environment["CONTACTSYNC_PEPPER_FILE"] = str(folder.key("pepper"))
        if service == "access":
            environment["CONTACTSYNC_BOOTSTRAP_FILE"] = str(folder.credentials)
        return environment | dict(self.settings)
