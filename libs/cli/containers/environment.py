"""The settings of the hub's processes in containers: the names that ``contactsync up`` uses, with hosts for ports."""

from dataclasses import dataclass
from pathlib import Path

from libs.cli.stack.nats import CLUSTER_SIZE
from libs.cli.stack.plan import BUS_ACCOUNTS, INTERPRETER, LINGER, PEPPERED, SERVICES
from libs.cli.stack.postgres import SERVICES_WITH_DATABASE

PORT = 9000
METRICS_PORT = 9464
REPLICAS = 2
NATS_HOSTS = tuple(f"nats-{number}" for number in range(CLUSTER_SIZE))
SECRETS = Path("/run/secrets")
CERTIFICATES = Path("/run/certs")


def host_of(service: str) -> str:
    """The name under which a service is found: no host name has an underscore."""
    return service.replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What differs between one kind of containers and another.

    ``gateways`` are the networks in which the gateway lies; ``jaeger_url`` is where an operator's browser finds Jaeger.
    """

    gateways: str
    tls: bool
    otlp_endpoint: str = "http://jaeger:4317"
    jaeger_url: str = ""


def process_settings(surroundings: Surroundings) -> dict[str, str]:
    """What every process is told."""
    addresses = {f"CONTACTSYNC_{service.upper()}_ADDRESS": f"{host_of(service)}:{PORT}" for service in SERVICES}
    return addresses | {
        "CONTACTSYNC_LISTEN": f"0.0.0.0:{PORT}",
        "CONTACTSYNC_GATEWAYS": surroundings.gateways,
        "CONTACTSYNC_MASTER_KEY_FILE": str(SECRETS / "master_key"),
        "CONTACTSYNC_OTLP_ENDPOINT": surroundings.otlp_endpoint,
        "CONTACTSYNC_TRACE_RATE": "20",
        "CONTACTSYNC_TRACE_RATIO": "0.01",
        **INTERPRETER,
        **(_certificate() if surroundings.tls else {}),
    }


def shared_settings(surroundings: Surroundings) -> dict[str, str]:
    """What every service is told."""
    return process_settings(surroundings) | {
        "CONTACTSYNC_SERVICE_KEY_FILE": str(SECRETS / "service_keys"),
        "CONTACTSYNC_METRICS_LISTEN": f"0.0.0.0:{METRICS_PORT}",
        "CONTACTSYNC_LINGER": LINGER,
        "CONTACTSYNC_REPLICAS": str(REPLICAS),
    }


def own_settings(service: str) -> dict[str, str]:
    """What one service is told beside."""
    own: dict[str, str] = {}
    if service in SERVICES_WITH_DATABASE:
        query = f"schema={service}&connections=6&password_file={SECRETS / 'postgres_password'}"
        own["CONTACTSYNC_DATABASE_URL"] = f"postgresql://contactsync@postgres:5432/contactsync?{query}"
    if service in BUS_ACCOUNTS:
        servers = ",".join(f"nats://{service}@{host}:4222" for host in NATS_HOSTS)
        own["CONTACTSYNC_NATS_URL"] = f"{servers}?password_file={SECRETS / 'nats_password'}"
        own["CONTACTSYNC_NATS_REPLICAS"] = str(len(NATS_HOSTS))
    if service in PEPPERED:
        own["CONTACTSYNC_PEPPER_FILE"] = str(SECRETS / "pepper_key")
    if service == "access":
        own["CONTACTSYNC_BOOTSTRAP_FILE"] = "/credentials/credentials.json"
    return own


def console_settings(surroundings: Surroundings) -> dict[str, str]:
    """What the console is told, which is no service."""
    return process_settings(surroundings) | {"CONTACTSYNC_JAEGER_URL": surroundings.jaeger_url}


def secret_files(name: str) -> tuple[str, ...]:
    """The files in ``SECRETS`` that a service or the console reads."""
    if name not in SERVICES:
        return ("master_key",)
    database = ("postgres_password",) if name in SERVICES_WITH_DATABASE else ()
    bus = ("nats_password",) if name in BUS_ACCOUNTS else ()
    pepper = ("pepper_key",) if name in PEPPERED else ()
    return ("service_keys", "master_key", *database, *bus, *pepper)


def _certificate() -> dict[str, str]:
    return {
        "CONTACTSYNC_TLS_CA_FILE": str(CERTIFICATES / "ca.pem"),
        "CONTACTSYNC_TLS_CERT_FILE": str(CERTIFICATES / "tls.pem"),
        "CONTACTSYNC_TLS_KEY_FILE": str(CERTIFICATES / "tls.key"),
    }
