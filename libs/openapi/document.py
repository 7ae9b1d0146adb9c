"""The whole description: OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1.html)."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from libs.openapi.apis import IMPORT, SCHEMES, Api
from libs.openapi.contracts import Contracts, Method
from libs.openapi.operations import Operations

VERSION = "1.0.0"


def document(files: FileDescriptorSet, api: Api = IMPORT) -> dict[str, Any]:
    """The description of an API as data. The files must carry their source info."""
    contracts = Contracts(files)
    operations = Operations(contracts, api)
    methods = [method for method in contracts.methods if method.envelope == api.envelope]
    paths: dict[str, dict[str, Any]] = {}
    for method in sorted(methods, key=lambda method: (method.rule.open, method.path)):
        paths.setdefault(method.path, {})[method.verb] = operations.describe(method)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": api.title,
            "version": VERSION,
            "description": api.about,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The hub that serves this document."}],
        "paths": paths,
        "components": {
            "securitySchemes": _schemes(methods),
            "responses": operations.responses,
            "schemas": operations.schemas.components,
        },
    }


def _schemes(methods: Iterable[Method]) -> dict[str, Any]:
    """Those that the routes need."""
    return dict(SCHEMES[number] for number in sorted({m.rule.credential for m in methods if not m.rule.open}))


def undescribed(files: FileDescriptorSet) -> list[str]:
    """REST routes with raw bodies of which the contract does not tell how they look."""
    return [method.proto.name for method in Contracts(files).methods if not method.is_described]


def as_yaml(described: dict[str, Any]) -> str:
    """The description as it is served."""
    head = "# Made from proto/ by python -m libs.contracts.generate.\n"
    return head + yaml.dump(described, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def read_files(descriptor_set: Path) -> FileDescriptorSet:
    """A descriptor set with its options understood."""
    files = FileDescriptorSet()
    files.ParseFromString(descriptor_set.read_bytes())
    return files


class _Dumper(yaml.SafeDumper):
    """Writes each thing where it stands, and texts of several lines as such."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - yaml's
        """Nothing is written as a reference to what stands elsewhere."""
        return True

    def string(self, text: str) -> yaml.ScalarNode:
        """A text of several lines in a block."""
        return self.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _Dumper.string)
