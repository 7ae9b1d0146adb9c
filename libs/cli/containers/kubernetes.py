"""The manifests under ``gateway/deploy``: each service with its probes, bounds, neighbours and rights."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from libs.cli.containers.environment import (
    METRICS_PORT,
    NATS_HOSTS,
    PORT,
    REPLICAS,
    SECRETS,
    Surroundings,
    console_settings,
    host_of,
    own_settings,
    process_settings,
    secret_files,
    shared_settings,
)
from libs.cli.containers.neighbours import default_deny, policy
from libs.cli.containers.pods import (
    Manifest,
    Mounts,
    deployment,
    disruption_budget,
    grpc_probes,
    headless_service,
    http_probes,
    labels,
    named,
    pod_template,
)
from libs.cli.stack.plan import CONSOLE, SERVICES

HERE = Surroundings(gateways="10.0.0.0/8", tls=False)
SCALED = {"normalization": 10, "ingestion": 6}
"""Services that grow with their CPU, and to how many."""
_GENERATED = "# Made by `contactsync gateway render`; what differs from place to place is patched in an overlay.\n"


class _Plain(yaml.SafeDumper):
    """Writes a part that stands in two places twice, for readers' sake."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 — told by yaml
        return True


def manifests() -> dict[str, str]:
    """Every file, by its path below ``gateway/``."""
    found = {"deploy/ground.yaml": _file(_ground()), "kustomization.yaml": _file([_kustomization()])}
    for service in SERVICES:
        found[f"deploy/{host_of(service)}.yaml"] = _file(_service(service))
    found["deploy/console.yaml"] = _file(_console())
    found["deploy/gateway.yaml"] = _file(_gateway())
    found["deploy/nats.yaml"] = _file(_nats())
    return found


def _file(documents: Sequence[Manifest] | Iterator[Manifest]) -> str:
    return _GENERATED + yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, width=120)


def _ground() -> Iterator[Manifest]:
    """What all stand on. The two names outside are the operator's to set."""
    yield {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "contactsync", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
    }
    yield named("v1", "ConfigMap", "process", data=process_settings(HERE))
    shared = {name: value for name, value in shared_settings(HERE).items() if name not in process_settings(HERE)}
    yield named("v1", "ConfigMap", "service", data=shared)
    for name, outside in {"postgres": "postgres.example.internal", "jaeger": "collector.example.internal"}.items():
        yield named("v1", "Service", name, spec={"type": "ExternalName", "externalName": outside})
    yield from default_deny()


def _service(service: str) -> Iterator[Manifest]:
    host = host_of(service)
    container = {
        "image": "contactsync",
        "command": ["python", "-m", f"services.{service}.main"],
        "env": _environment(own_settings(service)),
        "envFrom": [{"configMapRef": {"name": name}} for name in ("process", "service")],
        "ports": [{"name": "grpc", "containerPort": PORT}, {"name": "metrics", "containerPort": METRICS_PORT}],
        **grpc_probes(PORT),
    }
    mounts: Mounts = {
        "secrets": (str(SECRETS), _secret(host)),
        "tmp": ("/tmp", {"emptyDir": {}}),  # noqa: S108 — a mount
        # Read it before the pods go: kubectl exec deploy/access -- cat /credentials/credentials.json
        **({"credentials": ("/credentials", {"emptyDir": {}})} if service == "access" else {}),
    }
    yield deployment(host, container, mounts, replicas=None if service in SCALED else REPLICAS)
    yield headless_service(host, PORT)
    yield disruption_budget(host)
    yield policy(service)
    if service in SCALED:
        yield _autoscaler(host, SCALED[service])


def _console() -> Iterator[Manifest]:
    own = {name: value for name, value in console_settings(HERE).items() if name not in process_settings(HERE)}
    container = {
        "image": "contactsync",
        "command": ["python", "-m", "services.console.main"],
        "env": _environment(own),
        "envFrom": [{"configMapRef": {"name": "process"}}],
        "ports": [{"name": "http", "containerPort": PORT}],
        **http_probes("/console/healthz", PORT),
    }
    mounts: Mounts = {"secrets": (str(SECRETS), _secret(CONSOLE)), "tmp": ("/tmp", {"emptyDir": {}})}  # noqa: S108 — a mount
    yield deployment(CONSOLE, container, mounts, replicas=1)
    yield headless_service(CONSOLE, PORT)
    yield policy(CONSOLE)


def _gateway() -> Iterator[Manifest]:
    asked = "exec 3<>/dev/tcp/127.0.0.1/9901; printf '{} HTTP/1.0\\r\\nContent-Length: 0\\r\\n\\r\\n' >&3; {}"
    ready = {"exec": {"command": ["bash", "-c", asked.format("GET /ready", "grep -q LIVE <&3")]}}
    # It closes what callers keep open while the cluster learns that it goes.
    leave = {"exec": {"command": ["bash", "-c", asked.format("POST /healthcheck/fail", "sleep 5")]}}
    container = {
        "image": "envoyproxy/envoy:v1.40-latest",
        "command": ["envoy", "--config-path", "/etc/contactsync/envoy.yaml"],
        "args": ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warn"],
        "ports": [{"name": "http", "containerPort": 8080}, {"name": "metrics", "containerPort": 9902}],
        "startupProbe": {**ready, "periodSeconds": 2, "failureThreshold": 30},
        "readinessProbe": {**ready, "periodSeconds": 5, "timeoutSeconds": 3},
        "livenessProbe": {**ready, "periodSeconds": 15, "timeoutSeconds": 3, "failureThreshold": 4},
        "lifecycle": {"preStop": leave},
    }
    mounts: Mounts = {
        "files": ("/etc/contactsync", {"configMap": {"name": "gateway"}}),
        "documents": ("/etc/contactsync/openapi", {"configMap": {"name": "documents"}}),
        "tmp": ("/tmp", {"emptyDir": {}}),  # noqa: S108 — a mount
    }
    yield deployment("gateway", container, mounts, replicas=REPLICAS, grace=30)
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    yield named("v1", "Service", "gateway", spec={"selector": labels("gateway"), "ports": ports})
    yield disruption_budget("gateway")
    yield policy("gateway")


def _nats() -> Iterator[Manifest]:
    container = {
        "image": "nats:2.15-alpine",
        "command": ["nats-server", "--config", "/etc/contactsync/nats.conf"],
        "env": [{"name": "NATS_NODE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "ports": [{"name": "client", "containerPort": 4222}, {"name": "routes", "containerPort": 6222}],
        **http_probes("/healthz?js-server-only=true", 8222, live="/healthz?js-enabled-only=true"),
    }
    mounts: Mounts = {
        "secrets": (str(SECRETS), _secret("nats")),
        "files": ("/etc/contactsync", {"configMap": {"name": "nats"}}),
        "data": ("/data", {}),
    }
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "4Gi"}}}
    spec = {
        "serviceName": "nats",
        "replicas": len(NATS_HOSTS),
        # The second and third are needed for the first to become ready.
        "podManagementPolicy": "Parallel",
        "selector": {"matchLabels": labels("nats")},
        "template": pod_template("nats", container, mounts, grace=60, apart="DoNotSchedule"),
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
    }
    yield named("apps/v1", "StatefulSet", "nats", spec=spec)
    ports = [{"name": "client", "port": 4222}, {"name": "routes", "port": 6222}]
    # One for each server, so that its name is the same as in docker-compose.yml; they meet before they are ready.
    own = {host: {"statefulset.kubernetes.io/pod-name": host} for host in NATS_HOSTS}
    for name, selector in {"nats": labels("nats"), **own}.items():
        spec = {"clusterIP": "None", "publishNotReadyAddresses": True, "selector": selector, "ports": ports}
        yield named("v1", "Service", name, spec=spec)
    yield disruption_budget("nats")
    yield policy("nats")


def _autoscaler(host: str, most: int) -> Manifest:
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": host},
        "minReplicas": REPLICAS,
        "maxReplicas": most,
        "metrics": [cpu],
        # Each replica that goes takes clients' rate buckets along: slowly.
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 600}},
    }
    return named("autoscaling/v2", "HorizontalPodAutoscaler", host, spec=spec)


def _kustomization() -> Manifest:
    """Secrets come from the files that ``contactsync gateway secrets gateway/deploy/secrets`` makes."""
    secrets = {host_of(name): [_source(name, file) for file in secret_files(name)] for name in (*SERVICES, CONSOLE)}
    secrets["nats"] = ["deploy/secrets/nats_accounts"]
    files = ("deploy/envoy.yaml", "contracts.binpb")
    documents = ("connect.yaml", "contact-source.yaml", "docs.html", "import.yaml", "sync.yaml")
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "contactsync",
        "resources": [
            f"deploy/{name}.yaml" for name in ("ground", *map(host_of, SERVICES), CONSOLE, "gateway", "nats")
        ],
        "configMapGenerator": [
            {"name": "gateway", "files": list(files)},
            {"name": "documents", "files": [f"openapi/{name}" for name in documents]},
            {"name": "nats", "files": ["nats.conf"]},
        ],
        "secretGenerator": [{"name": name, "files": listed} for name, listed in secrets.items()],
    }


def _source(name: str, file: str) -> str:
    made = {"service_keys": f"{name}_keys", "nats_password": f"nats_{name}"}.get(file, file)
    return f"{file}=deploy/secrets/{made}"


def _secret(name: str) -> Manifest:
    return {"secret": {"secretName": name, "defaultMode": 0o440}}


def _environment(settings: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in settings.items()]
