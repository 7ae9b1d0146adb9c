"""The bodies of the errors that Envoy makes itself, in the envelope of the import API."""

import json
from typing import Any

# HTTP status → the envelope's code and its words. Codes of FACTS; 405, 408 and 431 are Envoy's alone.
WORDS = {
    400: ("validation_error", "Malformed request"),
    401: ("unauthorized", "Authentication required"),
    403: ("forbidden", "Forbidden"),
    404: ("not_found", "Resource not found"),
    405: ("method_not_allowed", "Method not allowed; the Allow header names the ones that are"),
    408: ("request_timeout", "The request was not finished in time"),
    413: ("payload_too_large", "Payload too large; split the import"),
    415: ("unsupported_media_type", "Unsupported media type"),
    426: ("validation_error", "Malformed request"),
    429: ("rate_limit_exceeded", "Too many requests"),
    431: ("headers_too_large", "Request headers too large"),
    500: ("internal_error", "Internal error"),
    502: ("service_unavailable", "Service temporarily unavailable"),
    503: ("service_unavailable", "Service temporarily unavailable"),
    504: ("deadline_exceeded", "Deadline exceeded"),
}


def local_replies() -> dict[str, Any]:
    """One body for every answer that no service made. Fixed texts only: text_format does not escape."""
    body = f'{{"error":"{_lookup(0, "error")}","message":"{_lookup(1, "Error")}"}}\n'
    return {"body_format": {"content_type": "application/json", "text_format_source": {"inline_string": body}}}


def _lookup(column: int, otherwise: str) -> str:
    """A CEL expression that picks a word by status; guarded, since a map without the key gives null."""
    table = json.dumps({status: words[column] for status, words in WORDS.items()})
    cel_map = table.replace('"', "'")
    for status in WORDS:
        cel_map = cel_map.replace(f"'{status}':", f"{status}:")
    return f"%CEL(response.code in {cel_map} ? {cel_map}[response.code] : '{otherwise}')%"
