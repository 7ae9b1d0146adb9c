"""Paths and verbs as Envoy's route configuration has them."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway import documents
from gateway.clusters import RETRIED_READ
from gateway.routes import Route

Config = dict[str, Any]
_AT_ONCE, _STREAMED = "30s", "0s"
_READ = "GET"

# The transcoder would answer 404 before the route is asked.
_WITHOUT_TRANSCODER: Config = {
    "typed_per_filter_config": {
        "envoy.filters.http.grpc_json_transcoder": {
            "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
            "disabled": True,
        }
    }
}

# All calls of one client go to one replica, whose memory has its rate and the signatures it has seen: the ids of all of
# its keys begin alike. Of a credential that is no such key the whole counts.
_SAME_CLIENT: Sequence[Config] = (
    {
        "header": {
            "header_name": "authorization",
            "regex_rewrite": {"pattern": {"regex": "^(?:.* )?(cs_[a-z2-7]{6}|.*).*$"}, "substitution": "\\1"},
        }
    },
    {"header": {"header_name": "x-api-key"}},
)


def all_routes(routes: Sequence[Route], *, folder: Path) -> list[Config]:
    """The documents of this folder and the REST routes, each before the refusal of its other verbs."""
    of_documents = (_document_routes(document, folder) for document in documents.DOCUMENTS)
    return [each for found in (*of_documents, *map(_routes, routes)) for each in found]


def console_routes() -> list[Config]:
    """The operators' pages: plain HTTP, whose verbs and errors are the console's own; a live page is a stream."""
    stream = {"name": "accept", "string_match": {"contains": "text/event-stream"}}
    return [
        {
            "name": "import.console",
            "decorator": {"operation": "/console", "propagate": False},
            "match": {"path_separated_prefix": "/console", "headers": headers},
            "route": {"cluster": "console", "timeout": time},
            **_WITHOUT_TRANSCODER,
        }
        for headers, time in (([stream], _STREAMED), ([], _AT_ONCE))
    ]


def _document_routes(document: documents.Document, folder: Path) -> list[Config]:
    headers = {"content-type": document.media_type, "x-content-type-options": "nosniff", "x-frame-options": "DENY"}
    return [
        {
            "name": "document",
            "match": {"path": document.path, "headers": [_verbs(documents.VERBS)]},
            "direct_response": {"status": 200, "body": {"filename": str(folder / document.file)}},
            "response_headers_to_add": [_header(name, value) for name, value in headers.items()],
            **_WITHOUT_TRANSCODER,
        },
        _wrong_verb("import.document", {"path": document.path}, documents.VERBS),
    ]


def _routes(route: Route) -> list[Config]:
    path: Config = {"path": route.path} if route.pattern is None else {"safe_regex": {"regex": route.pattern}}
    name = f"{route.group.value}.{route.owner}"
    alike: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for verb in route.verbs:
        alike[_STREAMED if verb in route.streams else _AT_ONCE, verb == _READ].append(verb)
    return [
        *(
            _served(name, route, {**path, "headers": [_verbs(verbs)]}, time, again=again)
            for (time, again), verbs in alike.items()
        ),
        _wrong_verb(name, path, route.verbs),
    ]


def _served(name: str, route: Route, match: Config, time: str, *, again: bool) -> Config:
    """A stream may go on for as long as it says something within the idle time-out."""
    retried = {"retry_policy": RETRIED_READ} if again else {}
    return {
        "name": name,
        "decorator": {"operation": route.path, "propagate": False},
        "match": match,
        "route": {"cluster": route.owner, "hash_policy": list(_SAME_CLIENT), "timeout": time, **retried},
        # The service's deadline: it stops working when nobody waits any more.
        **({"request_headers_to_add": [_header("grpc-timeout", "30S")]} if time == _AT_ONCE else {}),
    }


def _verbs(verbs: Sequence[str]) -> Config:
    return {"name": ":method", "string_match": {"safe_regex": {"regex": "|".join(verbs)}}}


def _wrong_verb(name: str, path: Config, verbs: Sequence[str]) -> Config:
    return {
        "name": name,
        "match": path,
        "direct_response": {"status": 405},
        "response_headers_to_add": [_header("allow", ", ".join(verbs))],
        **_WITHOUT_TRANSCODER,
    }


def _header(key: str, value: str) -> Config:
    return {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
