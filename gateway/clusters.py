"""Where requests go: the replicas of each service, and which of them gets a request."""

from collections.abc import Sequence
from typing import Any

Config = dict[str, Any]

# What a read may be asked again for: it did not arrive, or nothing came back. A service that says that it cannot answer
# has waited for its peers already.
RETRIED_READ: Config = {
    "retry_on": "connect-failure,refused-stream,reset",
    "num_retries": 5,
    "retry_back_off": {"base_interval": "0.1s", "max_interval": "2s"},
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
            },
        }
    ],
    "host_selection_retry_max_attempts": 3,
}


def cluster(
    name: str, addresses: Sequence[str], *, replicated: bool = True, http: str = "http2_protocol_options"
) -> Config:
    """A host name may stand for any number of replicas."""
    named = any(not address[0].isdigit() for address in addresses)
    return {
        "name": name,
        "type": "STRICT_DNS" if named else "STATIC",
        "connect_timeout": "1s",
        "circuit_breakers": {
            "thresholds": [{"retry_budget": {"budget_percent": {"value": 25}, "min_retry_concurrency": 20}}]
        },
        **(_replicated() if replicated and (named or len(addresses) > 1) else {}),
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {http: {}},
            }
        },
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket(address)}} for address in addresses]}],
        },
    }


def socket(address: str) -> Config:
    """A ``host:port``."""
    host, port = address.rsplit(":", 1)
    return {"socket_address": {"address": host, "port_value": int(port)}}


def _replicated() -> Config:
    """Chooses the replica by the route's hash among those that say they are well and can be reached."""
    return {
        "lb_policy": "RING_HASH",
        "health_checks": [
            {
                "timeout": "1s",
                "interval": "1s",
                "no_traffic_interval": "1s",
                "unhealthy_threshold": 1,
                "healthy_threshold": 1,
                "grpc_health_check": {},
            }
        ],
        "outlier_detection": {
            # One that takes no connection, or drops one, is left out before its next health check says so. What it
            # answers is no reason: another replica would answer the same.
            "split_external_local_origin_errors": True,
            "consecutive_local_origin_failure": 1,
            "enforcing_consecutive_local_origin_failure": 100,
            "enforcing_local_origin_success_rate": 0,
            "enforcing_consecutive_5xx": 0,
            "enforcing_consecutive_gateway_failure": 0,
            "enforcing_success_rate": 0,
            "interval": "1s",
            "base_ejection_time": "1s",
            "max_ejection_time": "5s",
            "max_ejection_percent": 50,
        },
    }
