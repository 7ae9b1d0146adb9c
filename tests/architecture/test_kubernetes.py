"""The manifests are of the form that Kubernetes takes, and the same hub as docker-compose.yml."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from libs.cli.containers.environment import SECRETS, own_settings, secret_files
from libs.cli.containers.kubernetes import SCALED, manifests
from libs.cli.containers.neighbours import PEERS
from libs.cli.stack.plan import CONSOLE, SERVICES

ROOT = Path(__file__).resolve().parents[2]
GATEWAY = ROOT / "gateway"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
KUSTOMIZATION: dict[str, Any] = yaml.safe_load(manifests()["kustomization.yaml"])
OBJECTS: list[dict[str, Any]] = [
    each for name in KUSTOMIZATION["resources"] for each in yaml.safe_load_all(manifests()[name])
]
WORKLOADS = {each["metadata"]["name"]: each for each in OBJECTS if each["kind"] in {"Deployment", "StatefulSet"}}
NAMES = {service: service.replace("_", "-") for service in (*SERVICES, CONSOLE)}


def _of(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in OBJECTS if each["kind"] == kind}


def _pod(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = WORKLOADS[name]["spec"]["template"]["spec"]
    return spec


def _container(name: str) -> dict[str, Any]:
    [container] = _pod(name)["containers"]
    return dict(container)


def _environment(name: str) -> dict[str, str]:
    maps = (source["configMapRef"]["name"] for source in _container(name)["envFrom"])
    shared = {key: value for source in maps for key, value in _of("ConfigMap")[source]["data"].items()}
    return shared | {each["name"]: each["value"] for each in _container(name)["env"]}


@pytest.mark.parametrize("place", range(len(OBJECTS)))
def test_object_is_of_the_form_that_kubernetes_takes(place: int) -> None:
    kubernetes_validate.validate(OBJECTS[place], "1.34", strict=True)


def test_objects_have_different_names() -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in OBJECTS]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("service", [*SERVICES, CONSOLE])
def test_program_has_the_settings_of_compose_but_for_tls_and_its_place(service: str) -> None:
    composed = COMPOSE[service]["environment"]
    settings = _environment(NAMES[service])

    differing = {name for name in settings | composed if settings.get(name) != composed.get(name)}
    assert {name for name in differing if "_TLS_" not in name} <= {"CONTACTSYNC_GATEWAYS", "CONTACTSYNC_JAEGER_URL"}
    assert " ".join(_container(NAMES[service])["command"]) == COMPOSE[service]["command"]


@pytest.mark.parametrize("name", WORKLOADS)
def test_workload_is_probed_bounded_and_confined(name: str) -> None:
    container, pod = _container(name), _pod(name)

    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container)
    assert set(container["resources"]) == {"requests", "limits"}
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert not container["securityContext"]["allowPrivilegeEscalation"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not pod["automountServiceAccountToken"]
    assert pod["topologySpreadConstraints"]
    assert pod["terminationGracePeriodSeconds"] >= 12


@pytest.mark.parametrize("service", SERVICES)
def test_service_is_probed_over_grpc_and_lives_on_while_it_is_not_ready(service: str) -> None:
    container = _container(NAMES[service])

    assert container["readinessProbe"]["grpc"] == {"port": 9000}
    assert container["livenessProbe"]["grpc"] == {"port": 9000, "service": "alive"}


@pytest.mark.parametrize("service", SERVICES)
def test_callers_find_every_pod_of_a_service(service: str) -> None:
    found = _of("Service")[NAMES[service]]["spec"]

    assert found["clusterIP"] == "None"
    assert found["selector"] == WORKLOADS[NAMES[service]]["spec"]["selector"]["matchLabels"]


@pytest.mark.parametrize("name", [name for name in WORKLOADS if name != CONSOLE])
def test_no_more_than_one_pod_of_a_workload_is_moved_at_once(name: str) -> None:
    budget = _of("PodDisruptionBudget")[name]["spec"]

    assert budget["maxUnavailable"] == 1
    assert budget["selector"] == WORKLOADS[name]["spec"]["selector"]


def test_autoscalers_decide_the_replicas_of_what_they_scale() -> None:
    assert set(_of("HorizontalPodAutoscaler")) == set(SCALED)
    for name in SCALED:
        assert "replicas" not in WORKLOADS[name]["spec"]


def test_nothing_goes_in_or_out_that_no_policy_names() -> None:
    default = _of("NetworkPolicy")["default"]["spec"]

    assert default == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert set(_of("NetworkPolicy")) == {"default", "names", *WORKLOADS}


@pytest.mark.parametrize("service", [*SERVICES, CONSOLE])
def test_service_may_dial_those_whose_addresses_it_has(service: str) -> None:
    fields = importlib.import_module(f"services.{service}.settings").Settings.model_fields

    dialled = {name.removesuffix("_address") for name in fields if name.endswith("_address")}
    assert set(PEERS[service]) == dialled


def _listed() -> Iterator[tuple[str, str, str]]:
    for made in KUSTOMIZATION["secretGenerator"]:
        for each in made["files"]:
            key, _, file = each.rpartition("=")
            yield made["name"], key or Path(file).name, Path(file).name


@pytest.mark.parametrize("service", [*SERVICES, CONSOLE])
def test_program_has_the_secrets_that_its_settings_name(service: str) -> None:
    keys = {key for name, key, _ in _listed() if name == NAMES[service]}
    named = {Path(value).name for value in _environment(NAMES[service]).values() if value.startswith(f"{SECRETS}/")}
    by_url = {value.rpartition("/")[2] for value in own_settings(service).values() if "password_file=" in value}

    assert keys == set(secret_files(service)) == named | by_url


def test_secrets_and_files_are_where_they_are_mounted() -> None:
    made = {each["name"] for kind in ("secretGenerator", "configMapGenerator") for each in KUSTOMIZATION[kind]}
    volumes = [volume for name in WORKLOADS for volume in _pod(name)["volumes"]]
    used = {v["secret"]["secretName"] for v in volumes if "secret" in v}
    used |= {v["configMap"]["name"] for v in volumes if "configMap" in v}
    files = [file for each in KUSTOMIZATION["configMapGenerator"] for file in each["files"]]

    assert used == made
    assert all((GATEWAY / file).exists() for file in files)
    assert sum((GATEWAY / file).stat().st_size for file in files) < 1024 * 1024


def test_every_description_is_given_to_the_gateway() -> None:
    [documents] = [each for each in KUSTOMIZATION["configMapGenerator"] if each["name"] == "documents"]

    assert documents["files"] == sorted(f"openapi/{file.name}" for file in (GATEWAY / "openapi").iterdir())


def test_no_manifest_holds_a_secret() -> None:
    assert "Secret" not in {each["kind"] for each in OBJECTS}
