"""What the hub consists of on one machine: each process with its command and its environment."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from libs.bus import DELIVERY, DELIVERY_TICKET, INTAKE, INTAKE_TICKET, BusUser
from libs.cli.stack.certificates import Certificates
from libs.cli.stack.folder import DataFolder
from libs.cli.stack.nats import NatsServers, nats_port_names
from libs.cli.stack.postgres import SERVICES_WITH_DATABASE, service_url
from libs.cli.stack.shape import Shape
from libs.cli.stack.traces import Tracing

# In the order in which they become useful: whoever is asked comes before who asks.
SERVICES = ("access", "idempotency", "normalization", "directory", "ingestion", "delivery", "source_polling")
CONSOLE = "console"
"""The operators' web entrance: a process that owns nothing and calls the services as everyone does."""
OTHER_PORTS = ("envoy_admin", "supervisor")
"""What listens beside the gateway, the services and the bus."""
INTERPRETER = {
    "PYTHONUNBUFFERED": "1",
    # An arena of malloc for each of a process's threads would hold what they gave back.
    "MALLOC_ARENA_MAX": "2",
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}
"""How Python and the C library work in every process of ours, which they read when it begins."""
PEPPERED = ("access", "directory")
"""Services that keep hashes of keys."""
LINGER = "PT2S"
"""How long a replica that stops takes calls: the gateway looks at health every second."""


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
class Instance:
    """One of the processes of a service; ``number`` counts from 1."""

    service: str
    number: int

    @property
    def name(self) -> str:
        """The name of its program, log and port: ``ingestion``, then ``ingestion-2`` and so on."""
        return self.service if self.number == 1 else f"{self.service}-{self.number}"


def service_of(name: str) -> str:
    """The service of an instance, by the instance's name."""
    return name.partition("-")[0]


def instances_of(shape: Shape) -> tuple[Instance, ...]:
    """Every service process, all of one service after all of another, in the order of SERVICES."""
    return tuple(Instance(service, number) for service in SERVICES for number in range(1, shape.replicas + 1))


def metrics_port(instance: str) -> str:
    """The name of the port where a service process tells its numbers."""
    return f"{instance}_metrics"


def port_names(shape: Shape) -> tuple[str, ...]:
    """The names of all ports that a hub of this shape needs beside the gateway's."""
    instances = instances_of(shape)
    own = (name for instance in instances for name in (instance.name, metrics_port(instance.name)))
    return (*own, CONSOLE, *nats_port_names(shape), *OTHER_PORTS)


@dataclass(frozen=True, slots=True)
class Program:
    """One process: what the supervisor runs and keeps running."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def runs_python(self) -> bool:
        """Whether it is one of ours."""
        return self.command[0] == sys.executable


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A hub on one machine.

    ``ports`` holds a loopback port for each of ``port_names`` and of those that tracing needs.
    """

    folder: DataFolder
    port: int
    ports: Mapping[str, int]
    shape: Shape = field(default_factory=Shape)
    tracing: Tracing = field(default_factory=Tracing)
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
    def jaeger_config(self) -> Path:
        """That of the hub's own Jaeger, rendered at every start."""
        return self.folder.root / "run" / "jaeger.yaml"

    @property
    def otlp_endpoint(self) -> str:
        """Where spans go; empty: nowhere."""
        return f"http://{self.address('jaeger_otlp')}" if self.tracing.jaeger else self.tracing.endpoint

    @property
    def jaeger_url(self) -> str:
        """Where an operator's browser finds Jaeger; empty: nobody said."""
        own = f"http://{self.address('jaeger')}" if self.tracing.jaeger else ""
        return self.tracing.jaeger_url or own

    @property
    def certificates(self) -> Certificates:
        """By what the processes know each other."""
        return Certificates(self.folder, SERVICES, self.shape.tls)

    @property
    def nats(self) -> NatsServers:
        """The servers of the bus."""
        return NatsServers(self.folder, self.shape, self.ports)

    def nats_config(self, server: str) -> Path:
        """The configuration of a server of the bus, rendered at every start; holds passwords (0600)."""
        return self.folder.root / "run" / f"{server}.conf"

    def bus_users(self) -> list[BusUser]:
        """The bus accounts of the services that use it, with the passwords of this hub."""
        return [account.user(self.nats.password(name)) for name, account in BUS_ACCOUNTS.items()]

    def address(self, name: str) -> str:
        """``host:port`` of a process."""
        return f"127.0.0.1:{self.ports[name]}"

    def instances(self) -> tuple[Instance, ...]:
        """Every service process."""
        return instances_of(self.shape)

    def addresses(self) -> dict[str, list[str]]:
        """Where each service is: one address for each of its processes."""
        found: dict[str, list[str]] = {service: [] for service in SERVICES}
        for instance in self.instances():
            found[instance.service].append(self.address(instance.name))
        return found

    def instance_addresses(self) -> dict[str, str]:
        """The address of each service process, by its name."""
        return {instance.name: self.address(instance.name) for instance in self.instances()}

    def metrics_urls(self) -> dict[str, str]:
        """Where each service process tells its numbers, by its name, and where the gateway does."""
        urls = {each.name: f"http://{self.address(metrics_port(each.name))}/metrics" for each in self.instances()}
        return urls | {"gateway": f"http://{self.address('envoy_admin')}/stats/prometheus"}

    def programs(self) -> Iterator[Program]:
        """Every process, in the order of start."""
        for server in self.nats.names:
            yield Program(server, ("nats-server", "--config", str(self.nats_config(server))))
        if self.tracing.jaeger:
            # As many traces as it keeps take some 200 MB; without a limit Go would let it grow to twice that.
            limit = {"GOMEMLIMIT": "384MiB"}
            yield Program("jaeger", (self.tracing.jaeger, "--config", str(self.jaeger_config)), limit)
        for instance in self.instances():
            command = (sys.executable, "-m", f"services.{instance.service}.main")
            yield Program(instance.name, command, self.instance_environment(instance))
        console = (sys.executable, "-m", "services.console.main")
        yield Program(CONSOLE, console, self.console_environment())
        envoy = ("envoy", "--config-path", str(self.gateway_config), "--concurrency", "1", "--disable-hot-restart")
        yield Program("gateway", (*envoy, "--log-level", "warn"))

    def stop_order(self) -> list[list[str]]:
        """What is stopped at once, in order: replicas together, and who is used outlives who uses it."""
        together: dict[str, list[str]] = {}
        for program in reversed(list(self.programs())):
            together.setdefault(service_of(program.name), []).append(program.name)
        return list(together.values())

    def database_url(self, service: str) -> str:
        """Of the service's own database: a file, or a schema."""
        if not self.shape.postgres:
            return self.folder.database_url(service)
        return service_url(self.folder, self.shape, service)

    def instance_environment(self, instance: Instance) -> dict[str, str]:
        """The settings of a service process, which may be seen: secrets travel as files."""
        folder, service = self.folder, instance.service
        environment = self._process_environment(instance.name) | self.certificates.environment(service)
        environment["CONTACTSYNC_METRICS_LISTEN"] = self.address(metrics_port(instance.name))
        if self.shape.replicas > 1:
            environment["CONTACTSYNC_LINGER"] = LINGER
            environment["CONTACTSYNC_REPLICAS"] = str(self.shape.replicas)
        if service in SERVICES_WITH_DATABASE:
            environment["CONTACTSYNC_DATABASE_URL"] = self.database_url(service)
        if service in BUS_ACCOUNTS:
            environment["CONTACTSYNC_NATS_URL"] = self.nats.url(service)
            if self.shape.nats_cluster:
                environment["CONTACTSYNC_NATS_REPLICAS"] = str(len(self.nats.names))
        if service in PEPPERED:
            environment["CONTACTSYNC_PEPPER_FILE"] = str(folder.key("pepper"))
        if service == "access":
            environment["CONTACTSYNC_BOOTSTRAP_FILE"] = str(folder.credentials)
        return environment | dict(self.settings)

    def console_environment(self) -> dict[str, str]:
        """The settings of the console, which has no service key: it shows whatever key its operator has."""
        own = {"CONTACTSYNC_JAEGER_URL": self.jaeger_url} | self.certificates.environment(CONSOLE)
        return self._process_environment(CONSOLE) | own | dict(self.settings)

    def _process_environment(self, name: str) -> dict[str, str]:
        """What every process is told."""
        addresses = {
            f"CONTACTSYNC_{service.upper()}_ADDRESS": ",".join(all_) for service, all_ in self.addresses().items()
        }
        return addresses | {
            "CONTACTSYNC_LISTEN": self.address(name),
            "CONTACTSYNC_GATEWAYS": "127.0.0.1",
            "CONTACTSYNC_MASTER_KEY_FILE": str(self.folder.key("master")),
            "CONTACTSYNC_OTLP_ENDPOINT": self.otlp_endpoint,
            "CONTACTSYNC_TRACE_RATE": str(self.tracing.sampling.rate),
            "CONTACTSYNC_TRACE_RATIO": str(self.tracing.sampling.share),
            **INTERPRETER,
        }
