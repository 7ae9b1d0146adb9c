"""docker-compose.yml is the hub of ``contactsync up`` in containers: the same services, commands and settings."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from libs.cli.gateway import CONTAINER_PORT
from libs.cli.stack.folder import DataFolder
from libs.cli.stack.plan import CONSOLE, SERVICES, Instance, Plan, port_names
from libs.cli.stack.shape import Shape

ROOT = Path(__file__).resolve().parents[2]


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


def test_every_secret_that_is_used_is_declared(compose: dict[str, Any]) -> None:
    used = {secret for service in compose["services"].values() for secret in service.get("secrets", [])}

    assert used == set(compose["secrets"])


def test_no_container_runs_with_a_writable_root(compose: dict[str, Any]) -> None:
    assert all(compose["services"][service]["read_only"] for service in (*SERVICES, CONSOLE))
