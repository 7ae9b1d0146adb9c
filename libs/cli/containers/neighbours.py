"""Who may dial whom in Kubernetes: nobody, but for what is written here."""

from collections.abc import Iterator, Sequence

from libs.cli.containers.environment import METRICS_PORT, PORT, host_of
from libs.cli.containers.pods import Manifest, labels, named
from libs.cli.stack.plan import BUS_ACCOUNTS, CONSOLE, SERVICES
from libs.cli.stack.postgres import SERVICES_WITH_DATABASE

PEERS = {
    "access": (),
    "idempotency": ("access",),
    "normalization": ("access",),
    "directory": ("access", "normalization"),
    "ingestion": ("access", "idempotency", "normalization", "directory", "delivery"),
    "delivery": ("access", "ingestion", "directory", "source_polling"),
    "source_polling": ("access", "ingestion", "delivery"),
    CONSOLE: SERVICES,
    "gateway": (*SERVICES, CONSOLE),
}
"""Whom each calls."""
_OUTWARD = ("delivery", "source_polling")
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10")
_METRICS = {"gateway": 9902, **dict.fromkeys(SERVICES, METRICS_PORT)}
_TRACES = 4317


def default_deny() -> Iterator[Manifest]:
    """Nothing comes in and nothing goes out, but questions for names."""
    yield _policy("default", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
    names = [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]
    to = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}]
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": to, "ports": names}]}
    yield _policy("names", spec)


def policy(name: str) -> Manifest:
    """What one workload may be asked by, and may ask."""
    spec = {
        "podSelector": {"matchLabels": labels(host_of(name))},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": list(_in(name)),
        "egress": list(_out(name)),
    }
    return _policy(host_of(name), spec)


def _in(name: str) -> Iterator[Manifest]:
    if name == "gateway":
        # From wherever the operator's ingress is.
        yield {"ports": _ports(8080)}
    elif name == "nats":
        yield {"from": _pods(tuple(BUS_ACCOUNTS)), "ports": _ports(4222)}
        yield {"from": _pods(("nats",)), "ports": _ports(6222)}
    elif callers := tuple(caller for caller, peers in PEERS.items() if name in peers):
        yield {"from": _pods(callers), "ports": _ports(PORT)}
    if name in _METRICS:
        monitoring = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
        yield {"from": [monitoring], "ports": _ports(_METRICS[name])}


def _out(name: str) -> Iterator[Manifest]:
    if peers := PEERS.get(name):
        yield {"to": _pods(peers), "ports": _ports(PORT)}
    if name in BUS_ACCOUNTS:
        yield {"to": _pods(("nats",)), "ports": _ports(4222)}
    if name == "nats":
        yield {"to": _pods(("nats",)), "ports": _ports(6222)}
    else:
        yield {"ports": _ports(_TRACES)}
    if name in SERVICES_WITH_DATABASE:
        yield {"ports": _ports(5432)}
    if name in _OUTWARD:
        # Receivers and sources, wherever they are; what is private inside the cluster is none.
        yield {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": list(_PRIVATE)}}]}


def _pods(names: Sequence[str]) -> list[Manifest]:
    return [{"podSelector": {"matchLabels": labels(host_of(name))}} for name in names]


def _ports(*numbers: int) -> list[Manifest]:
    return [{"port": number, "protocol": "TCP"} for number in numbers]


def _policy(name: str, spec: Manifest) -> Manifest:
    return named("networking.k8s.io/v1", "NetworkPolicy", name, spec=spec)
