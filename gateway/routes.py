"""The gateway's routes, read from the ``google.api.http`` options of the contracts."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from google.api import annotations_pb2
from google.protobuf import descriptor_pb2

DESCRIPTOR_SET = Path(__file__).parent / "contracts.binpb"
_VARIABLE = re.compile(r"\{[^}]+\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One REST path of one service.

    ``verbs`` holds every method the path takes; any other is answered 405. ``streams``: the answer may go on for hours.
    """

    path: str
    service: str
    owner: str
    verbs: tuple[str, ...]
    streams: bool = False

    @property
    def pattern(self) -> str | None:
        """The path as a regular expression when it has variables, else None: it is matched as it stands."""
        if "{" not in self.path:
            return None
        literal = [re.escape(part) for part in _VARIABLE.split(self.path)]
        return "[^/]+".join(literal)


def read_descriptor_set(path: Path = DESCRIPTOR_SET) -> descriptor_pb2.FileDescriptorSet:
    """The contracts as committed beside this file, with options understood."""
    files = descriptor_pb2.FileDescriptorSet()
    files.ParseFromString(path.read_bytes())
    return files


def read_routes(files: descriptor_pb2.FileDescriptorSet) -> list[Route]:
    """Every REST path of the contracts, literal paths before those with variables, so that the first match is right."""
    verbs: dict[tuple[str, str, str, bool], list[str]] = defaultdict(list)
    for owner, service, method in _methods(files):
        rule = method.options.Extensions[annotations_pb2.http]
        for binding in (rule, *rule.additional_bindings):
            verb = binding.WhichOneof("pattern")
            if verb:
                verbs[getattr(binding, verb), service, owner, method.server_streaming].append(verb.upper())
    routes = [
        Route(path, service, owner, tuple(sorted(found)), streams)
        for (path, service, owner, streams), found in verbs.items()
    ]
    return sorted(routes, key=lambda route: (route.path.count("{"), route.path))


def _methods(
    files: descriptor_pb2.FileDescriptorSet,
) -> Iterator[tuple[str, str, descriptor_pb2.MethodDescriptorProto]]:
    for file in files.file:
        if file.package.startswith("contactsync."):
            for service in file.service:
                for method in service.method:
                    yield file.package.split(".")[1], f"{file.package}.{service.name}", method
