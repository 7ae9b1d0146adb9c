"""docker-compose.yml is the outgrown hub of ``contactsync up`` in containers: the same programs, settings, commands."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from libs.cli.containers.environment import (
    NATS_HOSTS,
    REPLICAS,
    SECRETS,
    Surroundings,
    console_settings,
    own_settings,
    secret_files,
    shared_settings,
)
from libs.cli.containers.files import container_files
from libs.cli.stack.folder import DataFolder
from libs.cli.stack.plan import CONSOLE, SERVICES, Instance, Plan, port_names, service_of
from libs.cli.stack.shape import Shape

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "libs" / "telemetry" / "prometheus"
OUTGROWN = Shape(replicas=REPLICAS, postgres="postgresql://hub@127.0.0.1/hub", nats_cluster=True, tls=True)
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
OWN = [*SERVICES, CONSOLE]
HERE = Surroundings(
    gateways=COMPOSE["networks"]["default"]["ipam"]["config"][0]["subnet"],
    tls=True,
    jaeger_url="http://127.0.0.1:16686",
)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    folder = DataFolder(tmp_path)
    folder.prepare()
    ports = {name: 20000 + place for place, name in enumerate(port_names(OUTGROWN))}
    return Plan(folder=folder, port=8080, ports=ports, shape=OUTGROWN)


def _limits(container: Mapping[str, Any]) -> dict[str, Any]:
    limits: dict[str, Any] = container["deploy"]["resources"]["limits"]
    return limits


def _secrets(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The secret and the name that it has in the container."""
    for each in container.get("secrets", []):
        yield (each, each) if isinstance(each, str) else (each["source"], each["target"])


def test_file_is_of_the_form_that_compose_reads() -> None:
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]

    checked = subprocess.run([*checker, str(ROOT / "docker-compose.yml")], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("service", SERVICES)
def test_service_has_the_settings_that_up_gives_it(plan: Plan, service: str) -> None:
    composed = CONTAINERS[service]["environment"]

    assert set(composed) == set(plan.instance_environment(Instance(service, 1)))
    assert composed == shared_settings(HERE) | own_settings(service)


def test_console_has_the_settings_that_up_gives_it(plan: Plan) -> None:
    composed = CONTAINERS[CONSOLE]["environment"]

    assert set(composed) == set(plan.console_environment())
    assert composed == console_settings(HERE)


@pytest.mark.parametrize("name", OWN)
def test_program_runs_the_command_that_up_runs(plan: Plan, name: str) -> None:
    program = next(each for each in plan.programs() if each.name == name)

    assert CONTAINERS[name]["command"] == " ".join(["python", *program.command[1:]])


def test_there_are_as_many_of_each_as_up_starts(plan: Plan) -> None:
    programs = [service_of(program.name) for program in plan.programs()]

    for service in SERVICES:
        assert CONTAINERS[service]["deploy"]["replicas"] == programs.count(service)
    assert sum(name.startswith("nats") for name in CONTAINERS) == programs.count("nats")
    assert {"gateway", CONSOLE} <= set(CONTAINERS)


def test_gateway_has_the_arguments_that_up_gives_it(plan: Plan) -> None:
    program = next(each for each in plan.programs() if each.name == "gateway")
    here = " ".join(program.command).replace(str(plan.gateway_config), "/etc/contactsync/envoy.yaml")

    assert CONTAINERS["gateway"]["command"] == here
    assert CONTAINERS["gateway"]["ports"] == [f"{plan.port}:{plan.port}"]


def test_gateway_finds_every_replica_behind_its_name_and_believes_certificates_alone() -> None:
    clusters = yaml.safe_load(container_files()["envoy.yaml"])["static_resources"]["clusters"]
    services = [cluster for cluster in clusters if cluster["name"] in SERVICES]

    assert len(services) == len(SERVICES)
    for cluster in services:
        [endpoint] = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        host = endpoint["endpoint"]["address"]["socket_address"]["address"]
        aliases = CONTAINERS[cluster["name"]].get("networks", {}).get("default", {}).get("aliases", [])
        assert cluster["type"] == "STRICT_DNS"
        assert host in {cluster["name"], *aliases}
        assert "transport_socket" in cluster


def test_prometheus_reads_every_service_where_it_tells_its_numbers() -> None:
    scraped = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    [services] = [job["dns_sd_configs"][0] for job in scraped if job["job_name"] == "contactsync"]
    [gateway] = [job for job in scraped if job["job_name"] == "gateway"]

    assert services["names"] == list(SERVICES)
    for service in SERVICES:
        listen = CONTAINERS[service]["environment"]["CONTACTSYNC_METRICS_LISTEN"]
        assert listen == f"0.0.0.0:{services['port']}"
    assert gateway["static_configs"][0]["targets"] == ["gateway:9902"]
    assert "port_value: 9902" in container_files()["envoy.yaml"]


def test_each_server_of_the_bus_has_its_own_name_and_disk() -> None:
    config = container_files()["nats.conf"]

    for host in NATS_HOSTS:
        assert CONTAINERS[host]["environment"] == {"NATS_NODE": host}
        assert f"{host}:/data" in CONTAINERS[host]["volumes"]
    assert "server_name: $NATS_NODE" in config
    assert "sync_interval: always" in config
    assert 'store_dir: "/data"' in config


@pytest.mark.parametrize("name", CONTAINERS)
def test_container_has_a_probe_limits_and_a_short_log(name: str) -> None:
    container = CONTAINERS[name]

    assert container["healthcheck"]["test"][0] == "CMD"
    assert set(_limits(container)) == {"cpus", "memory", "pids"}
    assert set(container["logging"]["options"]) == {"max-size", "max-file"}


@pytest.mark.parametrize("name", CONTAINERS)
def test_container_can_write_only_where_it_must(name: str) -> None:
    container = CONTAINERS[name]

    assert container["read_only"]
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["user"].partition(":")[0] not in {"", "0", "root"}


@pytest.mark.parametrize("name", CONTAINERS)
def test_container_waits_until_those_are_well_that_it_needs(name: str) -> None:
    conditions = {each["condition"] for each in CONTAINERS[name].get("depends_on", {}).values()}

    assert conditions <= {"service_healthy"}


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_file_that_is_mounted_is_there(name: str) -> None:
    mounted = [volume.split(":")[0] for volume in CONTAINERS[name].get("volumes", []) if volume.startswith("./")]

    assert all((ROOT / each).exists() for each in mounted if not each.startswith("./secrets/"))


@pytest.mark.parametrize("name", CONTAINERS)
def test_no_secret_is_in_the_environment(name: str) -> None:
    environment = CONTAINERS[name].get("environment", {})

    for setting, value in environment.items():
        if any(word in setting for word in ("PASSWORD", "KEY", "PEPPER")):
            assert value.startswith(("/run/secrets/", "/run/certs/")), setting
        assert "${" not in value
        assert "@" not in value or "password_file=/run/secrets/" in value


@pytest.mark.parametrize("name", OWN)
def test_program_has_the_secrets_that_its_settings_name_and_no_others(name: str) -> None:
    given = [target for _, target in _secrets(CONTAINERS[name])]
    text = " ".join(CONTAINERS[name]["environment"].values())

    assert sorted(given) == sorted(secret_files(name))
    assert all(str(SECRETS / target) in text for target in given)
    assert f"./secrets/certs/{name}:/run/certs:ro" in CONTAINERS[name]["volumes"]


def test_every_secret_that_is_used_is_declared() -> None:
    used = {source for container in CONTAINERS.values() for source, _ in _secrets(container)}

    assert used == set(COMPOSE["secrets"])


def test_every_volume_that_is_used_is_declared() -> None:
    volumes = (volume.split(":")[0] for container in CONTAINERS.values() for volume in container.get("volumes", []))

    assert {volume for volume in volumes if not volume.startswith("./")} == set(COMPOSE["volumes"])


def test_image_is_of_the_lock_file_alone_and_runs_without_root() -> None:
    build, image = (ROOT / "services" / "Dockerfile").read_text().rsplit("\nFROM ", 1)

    assert build.count("uv sync --frozen --no-dev") == build.count("uv sync")
    assert "\nUSER 10001:10001\n" in image
    assert "pip" not in image


def test_image_finds_what_it_copies_and_nothing_that_is_secret() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    lines = (line.split()[1:-1] for line in (ROOT / "services" / "Dockerfile").read_text().splitlines()
             if line.startswith("COPY ") and "--from" not in line)  # fmt: skip

    copied = {source.partition("/")[0] for sources in lines for source in sources}
    assert copied == allowed
    assert "secrets" not in allowed


@pytest.mark.parametrize("service", SERVICES)
def test_image_has_what_a_service_needs(service: str) -> None:
    assert f"--extra {service.replace('_', '-')} " in (ROOT / "services" / "Dockerfile").read_text()
