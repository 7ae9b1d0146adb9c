"""The contracts say of every method who may call it, and of every reason how it looks."""

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import grpc
import pytest
from contactsync.access.v1 import client_pb2
from contactsync.error.v1 import reason_pb2
from contactsync.policy.v1 import policy_pb2
from google.api import annotations_pb2
from google.protobuf.descriptor import MethodDescriptor

from libs.rpc import Credential, Duplicates, Scope
from libs.rpc.reason import REASONS
from libs.rpc.rules import Rule, read_rule
from libs.rpc.told import Envelope

ROOT = Path(__file__).resolve().parents[2]
SERVICES = {"access", "ingestion", "idempotency", "normalization", "delivery", "directory", "source_polling"}
# One word for one status; and 422 means an idempotency conflict and nothing else (import-api.txt).
SHARED_STATUS = {409}


def _methods() -> Iterator[MethodDescriptor]:
    for path in sorted((ROOT / "proto" / "contactsync").rglob("*.proto")):
        name = path.relative_to(ROOT / "proto").with_suffix("").as_posix().replace("/", ".")
        for service in importlib.import_module(f"{name}_pb2").DESCRIPTOR.services_by_name.values():
            yield from service.methods


METHODS = list(_methods())
RULES = [read_rule(method) for method in METHODS]


# What services may ask of each other, whole: to widen it is a decision that this table must be told of.
ASKED_BY = {
    "access.v1.AccessService/AuthenticateMany": {
        "delivery",
        "directory",
        "idempotency",
        "ingestion",
        "normalization",
        "source_polling",
    },
    "access.v1.AccessService/ListClients": {"delivery"},
    "delivery.v1.DeliveryService/ForgetAnswers": {"ingestion"},
    "delivery.v1.DeliveryService/RecognizeEchoes": {"source_polling"},
    "directory.v1.DirectoryService/ApplyMany": {"delivery"},
    "directory.v1.DirectoryService/EraseContacts": {"ingestion"},
    "exchange.v1.ExchangeService/Exchange": SERVICES,  # and then as the method of each call says
    "idempotency.v1.IdempotencyService/BeginMany": {"ingestion"},
    "idempotency.v1.IdempotencyService/CompleteMany": {"ingestion"},
    "idempotency.v1.IdempotencyService/ReleaseMany": {"ingestion"},
    "ingestion.v1.IngestionService/FetchChunks": {"delivery"},
    "ingestion.v1.IngestionService/ImportContactStream": {"source_polling"},
    "ingestion.v1.IngestionService/ImportContacts": {"source_polling"},
    "ingestion.v1.IngestionService/RecordOutcomes": {"delivery"},
    "ingestion.v1.IngestionService/RedeliverRows": {"delivery"},
    "ingestion.v1.IngestionService/ResolveRows": {"delivery"},
    "normalization.v1.NormalizationService/NormalizeMany": {"directory", "ingestion"},
    "source_polling.v1.SourcePollingService/ListSources": {"delivery"},
}


def test_services_may_ask_each_other_what_the_table_says_and_nothing_else() -> None:
    asked_by = {rule.method.removeprefix("contactsync."): set(rule.services) for rule in RULES if rule.services}

    assert asked_by == ASKED_BY


def test_the_contracts_were_found() -> None:
    assert len(METHODS) > 40
    owners = {method.containing_service.file.package.split(".")[1] for method in METHODS}
    assert owners == SERVICES | {"operation", "exchange"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.method)
def test_every_method_lets_someone_in(rule: Rule) -> None:
    assert rule.open or rule.scopes or rule.services or rule.credential


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.method)
def test_no_method_is_both_open_and_scoped(rule: Rule) -> None:
    assert not (rule.open and (rule.scopes or rule.services or rule.credential))
    assert not (rule.credential and rule.scopes), "a credential is no client's key"
    assert rule.services <= SERVICES


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_every_rest_route_lets_clients_in(method: MethodDescriptor) -> None:
    rule = read_rule(method)

    assert not method.GetOptions().HasExtension(annotations_pb2.http) or rule.open or rule.scopes or rule.credential


def test_open_methods_are_the_health_checks() -> None:
    assert {rule.method for rule in RULES if rule.open} == {
        "contactsync.ingestion.v1.ImportApi/GetHealth",
        "contactsync.ingestion.v1.ImportApi/GetReadiness",
    }


def test_every_reason_has_its_wires() -> None:
    values = [value for value in reason_pb2.Reason.DESCRIPTOR.values if value.number]

    assert all(value.GetOptions().HasExtension(reason_pb2.wire) for value in values)
    assert {f"REASON_{reason}" for reason in REASONS} == {value.name for value in values}
    for wire in REASONS.values():
        assert wire.grpc_code is not grpc.StatusCode.OK
        assert 400 <= wire.http_status <= 599
        assert wire.word.isascii()
        assert wire.word == wire.word.lower()


def test_words_are_unique_and_so_are_statuses_but_one() -> None:
    words = [wire.word for wire in REASONS.values()]
    statuses = [wire.http_status for wire in REASONS.values() if wire.http_status not in SHARED_STATUS]

    assert len(set(words)) == len(words)
    assert len(set(statuses)) == len(statuses)
    assert [wire.reason for wire in REASONS.values() if wire.http_status == 422] == ["IDEMPOTENCY_CONFLICT"]


def test_enums_of_callers_are_those_of_the_contract() -> None:
    assert {scope.name: scope.value for scope in Scope} == _values(policy_pb2.Scope.items(), "SCOPE_")
    assert {each.name: each.value for each in Credential} == _values(policy_pb2.Credential.items(), "CREDENTIAL_")
    assert {each.name: each.value for each in Envelope} == _values(policy_pb2.Envelope.items(), "ENVELOPE_")
    assert {kind.name: kind.value for kind in Duplicates} == _values(
        client_pb2.DuplicatePolicy.items(), "DUPLICATE_POLICY_"
    )


def _values(items: Sequence[tuple[str, int]], prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): number for name, number in items if number}
