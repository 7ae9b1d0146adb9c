"""Broken rules as violations with pointers."""

import pytest
from contactsync.access.v1 import access_service_pb2 as access
from contactsync.access.v1 import client_pb2
from contactsync.idempotency.v1 import idempotency_service_pb2 as idempotency
from protovalidate import Validator

from libs.rpc import Refusal
from libs.rpc.validation import read_request

VALIDATOR = Validator()


def test_valid_request_is_read() -> None:
    request = access.GetClientRequest(client_id="a")

    assert read_request(access.GetClientRequest.FromString, request.SerializeToString(), VALIDATOR) == request


def test_every_broken_rule_has_a_pointer() -> None:
    request = idempotency.BeginManyRequest(
        items=[
            idempotency.BeginItem(client_id="a", key="k", body_hash=b"1" * 32, fingerprint=b"1" * 32),
            idempotency.BeginItem(client_id="a", key="k" * 300, body_hash=b"1", fingerprint=b"1" * 32),
        ]
    )

    with pytest.raises(Refusal) as caught:
        read_request(idempotency.BeginManyRequest.FromString, request.SerializeToString(), VALIDATOR)

    refusal = caught.value
    assert (refusal.reason, refusal.total_errors) == ("VALIDATION_ERROR", 2)
    assert [(v.pointer, v.code, v.value) for v in refusal.violations] == [
        ("/items/1/key", "string.max_len", "k" * 64),
        ("/items/1/body_hash", "bytes.len", ""),
    ]


def test_rule_of_a_message_keeps_its_own_words() -> None:
    request = access.CreateClientRequest(name="x", settings=client_pb2.ClientSettings(default_region="ru"))

    with pytest.raises(Refusal) as caught:
        read_request(access.CreateClientRequest.FromString, request.SerializeToString(), VALIDATOR)

    violation = caught.value.violations[0]
    assert (violation.pointer, violation.code, violation.value) == ("/settings/default_region", "region", "ru")
    assert "ISO 3166-1" in violation.message


def test_bytes_that_are_no_message_are_refused() -> None:
    with pytest.raises(Refusal) as caught:
        read_request(access.GetClientRequest.FromString, b"\xff\xff", VALIDATOR)

    assert [(v.pointer, v.code) for v in caught.value.violations] == [("", "malformed")]


def test_many_broken_rules_are_counted() -> None:
    request = idempotency.ReleaseManyRequest(items=[idempotency.ReleaseItem(client_id="a", key="k")] * 256)

    with pytest.raises(Refusal) as caught:
        read_request(idempotency.ReleaseManyRequest.FromString, request.SerializeToString(), VALIDATOR)

    assert (len(caught.value.violations), caught.value.total_errors) == (100, 256)
