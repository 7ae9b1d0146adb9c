"""The bodies of the errors that Envoy makes itself, in the envelope of the API that was called."""

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, assert_never

# HTTP status → the import envelope's code and its words. Codes of FACTS; 405, 408 and 431 are Envoy's alone.
WORDS = {
    400: ("validation_error", "Malformed request: its headers, path, query or body cannot be read"),
    401: ("unauthorized", "Authentication required"),
    403: ("forbidden", "Forbidden"),
    404: ("not_found", "Resource not found"),
    405: ("method_not_allowed", "Method not allowed; the Allow header names the ones that are"),
    408: ("request_timeout", "The request was not finished in time"),
    413: ("payload_too_large", "Payload too large; send less at once"),
    415: ("unsupported_media_type", "Unsupported media type"),
    429: ("rate_limit_exceeded", "Too many requests"),
    431: ("headers_too_large", "Request headers too large"),
    500: ("internal_error", "Internal error"),
    502: ("service_unavailable", "Service temporarily unavailable"),
    503: ("service_unavailable", "Service temporarily unavailable"),
    504: ("deadline_exceeded", "Deadline exceeded"),
}
_TELECRM = {400: "BAD_REQUEST", 401: "NOT_AUTHORIZED"}


class Group(Enum):
    """Routes whose errors look alike. Its value begins the names of their routes, by which `status.lua` tells them."""

    IMPORT = "import"
    TELECRM = "telecrm"
    CONNECT = "connect"
    CONTACT_SOURCE = "source"


# A group's paths as they come, and as the transcoder leaves them; the import API has the rest.
PATHS: Mapping[Group, tuple[str, ...]] = {
    Group.TELECRM: (
        "/autoupdate",
        "/enterprise",
        "/contactsync.directory.v1.SyncApi/",
        "/contactsync.directory.v1.AsyncApi/",
    ),
    Group.CONNECT: ("/api/connect", "/contactsync.directory.v1.ConnectApi/"),
    Group.CONTACT_SOURCE: ("/contact-source", "/contactsync.directory.v1.ContactSourceApi/"),
}


def mappers() -> list[dict[str, Any]]:
    """One for each group but that of the import API.

    By path, since an unknown one has no route; of a request whose headers cannot be read nothing tells the group.
    """
    return [{"filter": _of(paths), "body_format_override": _format(group)} for group, paths in PATHS.items()]


def local_replies() -> dict[str, Any]:
    """One body for every other answer that no service made."""
    return {"body_format": _format(Group.IMPORT)}


def _of(paths: tuple[str, ...]) -> dict[str, Any]:
    expression = " || ".join(f"request.path.startsWith('{path}')" for path in paths)
    return {
        "extension_filter": {
            "name": "envoy.access_loggers.extension_filters.cel",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
                "expression": expression,
            },
        }
    }


def _format(group: Group) -> dict[str, Any]:
    """Fixed texts only: text_format does not escape."""
    message = _lookup({status: words[1] for status, words in WORDS.items()}, "Error")
    match group:
        case Group.IMPORT:
            code = _lookup({status: words[0] for status, words in WORDS.items()}, "error")
            body = f'{{"error":"{code}","message":"{message}"}}\n'
        case Group.TELECRM:
            code = _lookup({status: _TELECRM.get(status, words[0].upper()) for status, words in WORDS.items()}, "ERROR")
            body = f'{{"error":{{"code":"{code}","message":"{message}"}}}}\n'
        case Group.CONNECT | Group.CONTACT_SOURCE:
            body = f'{{"error":"{message}"}}\n'
        case _:
            assert_never(group)
    return {"content_type": "application/json", "text_format_source": {"inline_string": body}}


def _lookup(words: Mapping[int, str], otherwise: str) -> str:
    """A CEL expression that picks a word by status; guarded, since a map without the key gives null."""
    cel_map = json.dumps(words).replace('"', "'")
    for status in words:
        cel_map = cel_map.replace(f"'{status}':", f"{status}:")
    return f"%CEL(response.code in {cel_map} ? {cel_map}[response.code] : '{otherwise}')%"
