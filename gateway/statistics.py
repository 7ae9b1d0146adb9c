"""Envoy's own numbers for Prometheus, and nothing else of its admin interface, which can also stop it."""

from gateway.clusters import Config, cluster, socket

PATH = "/stats/prometheus"
_CLUSTER = "admin"
_MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"


def listener(address: str) -> Config:
    """Answers this one path, without a key: for a network of the operator's own."""
    route = {"match": {"path": PATH}, "route": {"cluster": _CLUSTER}}
    manager = {
        "@type": _MANAGER,
        "stat_prefix": "statistics",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": _ROUTER}}],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    return {"name": "statistics", "address": socket(address), "filter_chains": [{"filters": filters}]}


def admin_cluster(admin: str) -> Config:
    """The admin interface as somewhere to route to."""
    return cluster(_CLUSTER, [admin], replicated=False, http="http_protocol_options")
