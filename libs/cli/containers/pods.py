"""The parts of which every workload in Kubernetes is made."""

from collections.abc import Mapping
from typing import Any

from libs.rpc.server import ALIVE

Manifest = dict[str, Any]
Mounts = Mapping[str, tuple[str, Manifest]]
"""Where each volume is mounted, and what it is; nothing: a claim of the set's own."""
_USER = 10001


def labels(name: str) -> dict[str, str]:
    """By which the pods of a workload are found."""
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "contactsync"}


def named(api: str, kind: str, name: str, **content: Manifest | Mapping[str, str]) -> Manifest:
    """An object of the namespace that kustomization.yaml names."""
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "labels": labels(name)}, **content}


def deployment(name: str, container: Manifest, mounts: Mounts, *, replicas: int | None, grace: int = 15) -> Manifest:
    """Replaced one by one, with a new one ready before an old one goes. ``replicas`` of None: the autoscaler's."""
    spec = {
        **({"replicas": replicas} if replicas else {}),
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "selector": {"matchLabels": labels(name)},
        "template": pod_template(name, container, mounts, grace=grace, apart="ScheduleAnyway"),
    }
    return named("apps/v1", "Deployment", name, spec=spec)


def pod_template(name: str, container: Manifest, mounts: Mounts, *, grace: int, apart: str) -> Manifest:
    """One container that may do nothing but its work; ``apart`` is what to do when there is no other machine."""
    volumes = [{"name": volume, **source} for volume, (_, source) in mounts.items() if source]
    places = [
        {"name": volume, "mountPath": place, "readOnly": _is_read_only(source)}
        for volume, (place, source) in mounts.items()
    ]
    spread = {"maxSkew": 1, "whenUnsatisfiable": apart, "labelSelector": {"matchLabels": labels(name)}}
    spec = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": grace,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [{**spread, "topologyKey": "kubernetes.io/hostname"}],
        "containers": [{"name": name, **container, **_confined(), "volumeMounts": places}],
        "volumes": volumes,
    }
    return {"metadata": {"labels": labels(name)}, "spec": spec}


def grpc_probes(port: int) -> Manifest:
    """Ready while it says SERVING; alive while it answers at all, so that a database's outage restarts nothing."""
    ready = {"grpc": {"port": port}, "timeoutSeconds": 3}
    return {
        # A migration may take its time.
        "startupProbe": {**ready, "periodSeconds": 2, "failureThreshold": 300},
        "readinessProbe": {**ready, "periodSeconds": 5},
        "livenessProbe": {
            "grpc": {"port": port, "service": ALIVE},
            "timeoutSeconds": 5,
            "periodSeconds": 15,
            "failureThreshold": 4,
        },
    }


def http_probes(path: str, port: int, *, live: str = "") -> Manifest:
    """The same over HTTP; ``live`` is the path that tells whether it is alive, if not the same."""
    ready = {"httpGet": {"path": path, "port": port}, "timeoutSeconds": 3}
    alive = {"httpGet": {"path": live or path, "port": port}, "timeoutSeconds": 5}
    return {
        "startupProbe": {**alive, "periodSeconds": 2, "failureThreshold": 60},
        "readinessProbe": {**ready, "periodSeconds": 5},
        "livenessProbe": {**alive, "periodSeconds": 15, "failureThreshold": 4},
    }


def headless_service(name: str, port: int) -> Manifest:
    """A name with the address of every ready pod: callers choose among them themselves, as gRPC must."""
    spec = {"clusterIP": "None", "selector": labels(name), "ports": [{"name": "grpc", "port": port}]}
    return named("v1", "Service", name, spec=spec)


def disruption_budget(name: str) -> Manifest:
    """One at a time."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": labels(name)}}
    return named("policy/v1", "PodDisruptionBudget", name, spec=spec)


def _confined() -> Manifest:
    return {
        "resources": {"requests": {"cpu": "250m", "memory": "192Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _is_read_only(source: Manifest) -> bool:
    return "secret" in source or "configMap" in source
