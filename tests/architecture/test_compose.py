"""docker-compose.yml is the hub of ``contactsync up`` in containers: the same services, commands and settings."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from libs.cli.gateway import CONTAINER_PORT, container_files
from libs.cli.stack.folder import DataFolder
from libs.cli.stack.plan import CONSOLE, SERVICES, Instance, Plan, port_names
from libs.cli.stack.shape import Shape

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "libs" / "telemetry" / "prometheus"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return document


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    folder = DataFolder(tmp_path)
    folder.prepare()
    ports = {name: 20000 + place for place, name in enumerate(port_names(Shape()))}
    return Plan(folder=folder, port=8080, ports=ports)


@pytest.mark.parametrize("service", SERVICES)
def test_service_has_the_settings_that_up_gives_it(compose: dict[str, Any], plan: Plan, service: str) -> None:
    composed = compose["services"][service]["environment"]

    assert set(composed) == set(plan.instance_environment(Instance(service, 1)))


def test_console_has_the_settings_that_up_gives_it_and_no_service_key(compose: dict[str, Any], plan: Plan) -> None:
    composed = compose["services"][CONSOLE]

    assert set(composed["environment"]) == set(plan.console_environment())
    assert composed["environment"]["CONTACTSYNC_LISTEN"] == f"0.0.0.0:{CONTAINER_PORT}"
    assert composed["secrets"] == ["master_key"]


@pytest.mark.parametrize("service", [*SERVICES, CONSOLE])
def test_service_runs_the_command_that_up_runs(compose: dict[str, Any], plan: Plan, service: str) -> None:
    program = next(each for each in plan.programs() if each.name == service)

    assert compose["services"][service]["command"] == " ".join(["python", *program.command[1:]])


def test_every_program_of_up_is_composed(compose: dict[str, Any], plan: Plan) -> None:
    assert {program.name for program in plan.programs()} <= set(compose["services"])


def test_gateway_has_the_arguments_that_up_gives_it(compose: dict[str, Any], plan: Plan) -> None:
    program = next(each for each in plan.programs() if each.name == "gateway")
    here = " ".join(program.command).replace(str(plan.gateway_config), "/etc/contactsync/envoy.yaml")

    assert compose["services"]["gateway"]["command"] == here


@pytest.mark.parametrize("service", SERVICES)
def test_service_listens_where_its_peers_look(compose: dict[str, Any], service: str) -> None:
    environment = compose["services"][service]["environment"]

    assert environment["CONTACTSYNC_LISTEN"] == f"0.0.0.0:{CONTAINER_PORT}"
    assert environment[f"CONTACTSYNC_{service.upper()}_ADDRESS"] == f"{service}:{CONTAINER_PORT}"


def test_prometheus_reads_every_service_where_it_tells_its_numbers(compose: dict[str, Any]) -> None:
    scraped = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    [services] = [job["dns_sd_configs"][0] for job in scraped if job["job_name"] == "contactsync"]
    [gateway] = [job for job in scraped if job["job_name"] == "gateway"]

    assert services["names"] == list(SERVICES)
    for service in SERVICES:
        assert (
            compose["services"][service]["environment"]["CONTACTSYNC_METRICS_LISTEN"] == f"0.0.0.0:{services['port']}"
        )
    listener = container_files()["envoy.yaml"]
    assert gateway["static_configs"][0]["targets"] == ["gateway:9902"]
    assert "port_value: 9902" in listener


@pytest.mark.parametrize("service", ["gateway", "nats", "prometheus", "grafana"])
def test_every_file_that_is_mounted_is_there(compose: dict[str, Any], service: str) -> None:
    mounted = [volume.split(":")[0] for volume in compose["services"][service]["volumes"] if volume.startswith("./")]

    assert mounted
    assert all((ROOT / each).exists() for each in mounted)


def test_every_secret_that_is_used_is_declared(compose: dict[str, Any]) -> None:
    used = {secret for service in compose["services"].values() for secret in service.get("secrets", [])}

    assert used == set(compose["secrets"])


def test_no_container_runs_with_a_writable_root(compose: dict[str, Any]) -> None:
    assert all(compose["services"][service]["read_only"] for service in (*SERVICES, CONSOLE))
