"""Headers of the import API."""

import re
from collections.abc import Iterable, Mapping

from services.ingestion.domain.errors import Invalid

_JSON = "application/json"
_UTF_8 = re.compile(r'charset\s*=\s*"?utf-?8"?')
_KEY = re.compile(r"[ -~]{1,255}")


def check_content_type(given: str) -> None:
    """Raises Invalid unless it is JSON in UTF-8. Parameters that JSON does not have mean nothing (RFC 8259, 11)."""
    if given == _JSON:
        return
    kind, *parameters = (part.strip().lower() for part in given.split(";"))
    if kind != _JSON or any(each.startswith("charset") and not _UTF_8.fullmatch(each) for each in parameters):
        raise Invalid(message="Content-Type must be application/json")


def check_content_encoding(headers: Mapping[str, str]) -> None:
    """Raises Invalid for a body that says it is packed: it is kept, signed and compared as it came."""
    if headers.get("content-encoding", "identity").strip().lower() not in {"identity", ""}:
        raise Invalid(message="Content-Encoding is not supported; send the body as plain JSON")


def idempotency_key(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """The key of the Idempotency-Key header, with or without the quotes of the IETF draft. Raises Invalid."""
    given = [value for name, value in metadata if name == "idempotency-key"]
    if len(given) > 1:
        raise Invalid(message="Idempotency-Key header must be given once")
    key = _unquoted(str(given[0]).strip()) if given else ""
    if not key:
        raise Invalid(message="Idempotency-Key header is required")
    if not _KEY.fullmatch(key):
        raise Invalid(message="Idempotency-Key must have 1 to 255 printable ASCII characters")
    return key


def _unquoted(key: str) -> str:
    if len(key) < 2 or not (key.startswith('"') and key.endswith('"')):
        return key
    return re.sub(r'\\([\\"])', r"\1", key[1:-1])


def is_dry_run(headers: Mapping[str, str]) -> bool:
    """X-Debug: true, in any case, and nothing else."""
    return headers.get("x-debug", "").strip().lower() == "true"
