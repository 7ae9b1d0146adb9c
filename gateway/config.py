"""Envoy's configuration, made from the contracts and a few settings.

Why each value is what it is: ``gateway/README.md``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from gateway import certificates, documents, envelopes, routing, statistics, tracing
from gateway.clusters import cluster, socket
from gateway.routes import DESCRIPTOR_SET, Route, names_of_paths, read_descriptor_set, read_routes

STATUS_SCRIPT = Path(__file__).parent / "status.lua"
BODY_LIMIT_BYTES = 8 * 1024 * 1024
Config = dict[str, Any]

# Headers that make the gRPC core answer INTERNAL, whoever sends them: its own, those with bad base64, and names that
# HTTP allows and gRPC does not (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Header-Name").
_NOT_FOR_GRPC: Sequence[Config] = (
    {"prefix": "grpc-"},
    {"suffix": "-bin"},
    {"safe_regex": {"regex": "[^:]*[^0-9a-z_.:-][^:]*"}},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """What differs between one machine and another. Addresses are ``host:port``.

    ``upstreams`` holds the addresses of each service by folder name; a service that is missing has no routes.
    With an ``otlp_endpoint``, requests are traced as ``sampling`` says.
    ``statistics`` is where Prometheus may read the gateway's numbers, without a key; empty: only at ``admin``.
    ``console`` is where the operators' pages are; empty: there are none.
    ``inside`` is TLS between gateway and services; None: none. ``outside`` is a second listener, for HTTPS.
    ``trusted_hops`` is the number of proxies in front whose X-Forwarded-For is believed.
    """

    listen: str
    admin: str
    upstreams: Mapping[str, Sequence[str]]
    statistics: str = ""
    console: str = ""
    otlp_endpoint: str = ""
    sampling: tracing.Sampling = field(default_factory=tracing.Sampling)
    trusted_hops: int = 0
    descriptor_set: Path = DESCRIPTOR_SET
    status_script: Path = field(default=STATUS_SCRIPT)
    documents: Path = documents.FOLDER
    inside: certificates.Inside | None = None
    outside: certificates.Outside | None = None


def render(settings: GatewaySettings) -> str:
    """The configuration as YAML."""
    return yaml.safe_dump(build(settings), sort_keys=False, width=140, allow_unicode=True)


def build(settings: GatewaySettings) -> Config:
    """The configuration as Envoy's bootstrap message."""
    routes = [route for route in read_routes(read_descriptor_set()) if settings.upstreams.get(route.owner)]
    clusters = [_service(settings, owner) for owner, addresses in settings.upstreams.items() if addresses]
    listeners = [_listener(settings, routes)]
    if settings.outside:
        listeners.append(_encrypted(listeners[0], settings.outside))
    if settings.statistics:
        listeners.append(statistics.listener(settings.statistics))
        clusters.append(statistics.admin_cluster(settings.admin))
    if settings.console:
        clusters.append(cluster("console", [settings.console], replicated=False, http="http_protocol_options"))
    if settings.otlp_endpoint:
        clusters.append(cluster("otlp", [urlsplit(settings.otlp_endpoint).netloc], replicated=False))
    return {
        "admin": {"address": socket(settings.admin)},
        "node": {"id": "gateway", "cluster": "contactsync"},
        "static_resources": {"listeners": listeners, "clusters": clusters},
        "overload_manager": _overload_manager(),
        "watchdogs": _watchdogs(),
        **(tracing.bootstrap() if settings.otlp_endpoint else {}),
    }


def _service(settings: GatewaySettings, owner: str) -> Config:
    secured = certificates.to_service(settings.inside, owner) if settings.inside else {}
    return {**cluster(owner, settings.upstreams[owner]), **secured}


def _encrypted(listener: Config, outside: certificates.Outside) -> Config:
    """The same for callers over HTTPS."""
    (chain,) = listener["filter_chains"]
    chains = [{**chain, **certificates.to_callers(outside)}]
    return {**listener, "name": "encrypted", "address": socket(outside.listen), "filter_chains": chains}


def _listener(settings: GatewaySettings, routes: Sequence[Route]) -> Config:
    return {
        "name": "public",
        "address": socket(settings.listen),
        # One MiB over the body limit: the transcoder answers 413, and not the buffer.
        "per_connection_buffer_limit_bytes": BODY_LIMIT_BYTES + 1024 * 1024,
        "filter_chains": [
            {"filters": [_filter("network.http_connection_manager", _connection_manager(settings, routes))]}
        ],
    }


def _connection_manager(settings: GatewaySettings, routes: Sequence[Route]) -> Config:
    manager: Config = {
        "@type": _type("filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "public",
        "codec_type": "AUTO",
        "use_remote_address": True,
        "xff_num_trusted_hops": settings.trusted_hops,
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "server_header_transformation": "PASS_THROUGH",
        "generate_request_id": False,
        "max_request_headers_kb": 32,
        "request_headers_timeout": "5s",
        "request_timeout": "30s",
        "stream_idle_timeout": "60s",
        "http_protocol_options": {
            "allow_custom_methods": True,  # routing refuses them, in the envelope of the path
            # As nginx and HAProxy speak it to what is behind them, unless they are told otherwise.
            "accept_http_10": True,
            "default_host_for_http_10": "hub",
        },
        "common_http_protocol_options": {
            "idle_timeout": "300s",
            "max_headers_count": 64,
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        "local_reply_config": {"mappers": [documents.as_it_is(), *envelopes.mappers()], **envelopes.local_replies()},
        "route_config": {
            "name": "public",
            "max_direct_response_body_size_bytes": documents.LIMIT_BYTES,
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [
                        *(routing.console_routes() if settings.console else []),
                        *routing.all_routes(routes, folder=settings.documents),
                    ],
                    **(tracing.virtual_host() if settings.otlp_endpoint else {}),
                }
            ],
        },
        "http_filters": _http_filters(settings, sorted({route.service for route in routes})),
    }
    if settings.otlp_endpoint:
        manager |= tracing.connection_manager(settings.sampling)
    return manager


def _http_filters(settings: GatewaySettings, services: Sequence[str]) -> list[Config]:
    transcoder = {
        "@type": _type("filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder"),
        "proto_descriptor": str(settings.descriptor_set),
        "services": list(services),
        "auto_mapping": False,
        "match_incoming_request_route": True,
        "convert_grpc_status": False,
        "ignore_unknown_query_parameters": True,
        "ignored_query_parameters": names_of_paths(read_descriptor_set()),
        # As forms and most HTTP clients write a space.
        "query_param_unescape_plus": True,
        "request_validation_options": {"reject_unknown_method": True},
        "max_request_body_size": BODY_LIMIT_BYTES,
        "max_response_body_size": 2 * BODY_LIMIT_BYTES,
        "print_options": {"always_print_primitive_fields": True, "preserve_proto_field_names": True},
    }
    lua = {
        "@type": _type("filters.http.lua.v3.Lua"),
        "default_source_code": _script(settings),
    }
    return [
        _filter("http.header_mutation", _header_mutation()),
        _filter("http.lua", lua),
        _filter("http.grpc_json_transcoder", transcoder),
        _filter("http.router", {"@type": _type("filters.http.router.v3.Router"), "suppress_envoy_headers": True}),
    ]


def _header_mutation() -> Config:
    correlation_id = {"header": {"key": "x-correlation-id", "value": "%UNIQUE_ID%"}, "append_action": "ADD_IF_ABSENT"}
    echo = {"header": {"key": "x-correlation-id", "value": "%REQ(x-correlation-id)%"}, "append_action": "ADD_IF_ABSENT"}
    # Of X-Forwarded-For the hop that the trusted ones say; a caller's own word for it is overwritten.
    address = {"key": "x-contactsync-client", "value": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"}
    client = {"header": address, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
    edge_only = [
        "x-contactsync-service",
        "x-contactsync-edge",
        "x-envoy-original-path",
        "x-http-status",
        "x-error-body",
    ]
    return {
        "@type": _type("filters.http.header_mutation.v3.HeaderMutation"),
        "mutations": {
            "request_mutations": [
                *({"remove": name} for name in edge_only),
                *({"remove_on_match": {"key_matcher": matcher}} for matcher in _NOT_FOR_GRPC),
                {"append": correlation_id},
                {"append": client},
            ],
            "response_mutations": [
                *(
                    {"remove": name}
                    for name in ("grpc-status", "grpc-message", "grpc-accept-encoding", "grpc-encoding")
                ),
                {"append": echo},
                {"append": correlation_id},  # where the request was not read so far that it got one
            ],
        },
    }


def _script(settings: GatewaySettings) -> Config:
    if not settings.otlp_endpoint:
        return {"filename": str(settings.status_script)}
    return {"inline_string": tracing.script(settings.sampling) + STATUS_SCRIPT.read_text()}


def _watchdogs() -> Config:
    """Count threads that hang. Unasked they would look five times a second, and each thread would wake for it."""
    looked_at = {"miss_timeout": "2s", "megamiss_timeout": "10s"}
    return {"main_thread_watchdog": looked_at, "worker_watchdog": dict(looked_at)}


def _overload_manager() -> Config:
    """Sheds new connections before the machine runs out of file handles."""
    return {
        "resource_monitors": [
            {
                "name": "envoy.resource_monitors.global_downstream_max_connections",
                "typed_config": {
                    "@type": _type("resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"),
                    "max_active_downstream_connections": 10000,
                },
            }
        ]
    }


def _filter(name: str, config: Config) -> Config:
    return {"name": f"envoy.filters.{name}", "typed_config": config}


def _type(name: str) -> str:
    return f"type.googleapis.com/envoy.extensions.{name}"
