"""The documents that the gateway serves itself, from files that the contracts are made into."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "openapi"
LIMIT_BYTES = 4 * 1024 * 1024
VERBS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Document:
    """A file at a path. Envoy reads it when it starts."""

    path: str
    file: str
    media_type: str


DOCUMENTS = (
    *(
        Document(f"/openapi/{name}.yaml", f"{name}.yaml", "application/yaml")
        for name in ("import", "sync", "connect", "contact-source")
    ),
    Document("/docs", "docs.html", "text/html; charset=utf-8"),
)


def as_it_is() -> dict[str, Any]:
    """Keeps the error envelope away from the documents: Envoy's own answers with 200 are they, and nothing else."""
    is_document = {"comparison": {"op": "EQ", "value": {"default_value": 200, "runtime_key": "gateway.documents"}}}
    return {
        "filter": {"status_code_filter": is_document},
        "body_format_override": {
            "content_type": "%RESP(content-type)%",
            "text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"},
        },
    }
