"""The gateway's routes, read from the ``google.api.http`` options of the contracts."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from contactsync.policy.v1 import policy_pb2
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2

from gateway.envelopes import Group

DESCRIPTOR_SET = Path(__file__).parent / "contracts.binpb"
GROUPS: Mapping[int, Group] = {
    policy_pb2.ENVELOPE_UNSPECIFIED: Group.IMPORT,
    policy_pb2.ENVELOPE_IMPORT: Group.IMPORT,
    policy_pb2.ENVELOPE_TELECRM: Group.TELECRM,
    policy_pb2.ENVELOPE_CONNECT: Group.CONNECT,
    policy_pb2.ENVELOPE_CONTACT_SOURCE: Group.CONTACT_SOURCE,
}
_VARIABLE = re.compile(r"\{[^}]+\}")
_NAME = re.compile(r"\{(\w+)")


@dataclass(frozen=True, slots=True)
class Route:
    """One REST path of one service.

    ``verbs`` holds every method the path takes; any other is answered 405. The answers to those in ``streams`` may go
    on for hours. ``group`` is the first part of its route's name, which says in what envelope the gateway refuses.
    """

    path: str
    service: str
    owner: str
    verbs: tuple[str, ...]
    streams: tuple[str, ...] = ()
    group: Group = Group.IMPORT

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
    verbs: dict[tuple[str, str, str, Group], dict[str, bool]] = defaultdict(dict)
    for owner, service, group, method in _methods(files):
        rule = method.options.Extensions[annotations_pb2.http]
        for binding in (rule, *rule.additional_bindings):
            verb = binding.WhichOneof("pattern")
            if verb:
                verbs[getattr(binding, verb), service, owner, group][verb.upper()] = method.server_streaming
    routes = [
        Route(path, service, owner, tuple(sorted(found)), tuple(sorted(v for v in found if found[v])), group)
        for (path, service, owner, group), found in verbs.items()
    ]
    return sorted(routes, key=lambda route: (route.path.count("{"), route.path))


def names_of_paths(files: descriptor_pb2.FileDescriptorSet) -> list[str]:
    """What stands in some path and is read from no query: a query that has it too must not have the last word."""
    messages = {f".{file.package}.{each.name}": each for file in files.file for each in file.message_type}
    bound: set[str] = set()
    asked: set[str] = set()
    for _, _, _, method in _methods(files):
        rule = method.options.Extensions[annotations_pb2.http]
        verb = rule.WhichOneof("pattern")
        if verb:
            in_path = set(_NAME.findall(getattr(rule, verb)))
            bound |= in_path
            if rule.body != "*":
                asked |= {field.name for field in messages[method.input_type].field} - in_path
    return sorted(bound - asked)


def _methods(
    files: descriptor_pb2.FileDescriptorSet,
) -> Iterator[tuple[str, str, Group, descriptor_pb2.MethodDescriptorProto]]:
    for file in files.file:
        if file.package.startswith("contactsync."):
            for service in file.service:
                group = GROUPS[service.options.Extensions[policy_pb2.envelope]]
                for method in service.method:
                    yield file.package.split(".")[1], f"{file.package}.{service.name}", group, method
