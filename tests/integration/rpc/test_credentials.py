"""Workspaces' credentials at the door, over the wire, and refusals in the envelope of each API."""

import json
from base64 import b64encode
from typing import Any

import grpc
import pytest
from contactsync.directory.v1 import connect_api_pb2, contact_source_api_pb2, sync_api_pb2
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.empty_pb2 import Empty

from libs.rpc import Credential, Refusal, Violation, WorkspaceCaller
from tests.integration.rpc.conftest import Stubs
from tests.integration.rpc.world import Heard, World, bearer, hear, service

WORKSPACE = WorkspaceCaller("w1", "jane@example.com", "c1")
OPENS = {
    Credential.CONNECT_KEY: {("key", ""): WORKSPACE},
    Credential.TELECRM_SYNC: {("sync", "w1"): WORKSPACE},
    Credential.SOURCE_BASIC: {("id:se:cret", ""): WORKSPACE},
    Credential.SOURCE_TOKEN: {("jwt", ""): WORKSPACE},
}
BODY = HttpBody(content_type="application/json", data=b"{}")
GET_LEAD = sync_api_pb2.GetLeadRequest(enterprise_id="w1", lead_id="l")
TELECRM_401 = (
    "Enterprise with ID {} not found or invalid access token. "
    "Please generate a new one from the Website/API integrations section of the telecrm app."
)


@pytest.fixture
def world() -> World:
    return World(opens=OPENS)


def basic(pair: str) -> tuple[str, str]:
    return ("authorization", f"Basic {b64encode(pair.encode()).decode()}")


async def _connect(stubs: Stubs, *metadata: tuple[str, str]) -> Heard:
    return await hear(stubs.connect.CreateConnectContact, BODY, *metadata)


async def _lead(stubs: Stubs, *metadata: tuple[str, str], enterprise_id: str = "w1") -> Heard:
    asked = sync_api_pb2.GetLeadRequest(enterprise_id=enterprise_id, lead_id="l")
    return await hear(stubs.sync.GetLead, asked, *metadata)


async def _token(stubs: Stubs, *metadata: tuple[str, str]) -> Heard:
    return await hear(stubs.source.GetSourceToken, Empty(), *metadata)


async def _contacts(stubs: Stubs, *metadata: tuple[str, str]) -> Heard:
    asked = contact_source_api_pb2.ListSourceContactsRequest()
    return await hear(stubs.source.ListSourceContacts, asked, *metadata)


@pytest.mark.parametrize(
    ("ask", "metadata"),
    [
        (_connect, ("x-api-key", "key")),
        (_lead, bearer("sync")),
        (_token, basic("id:se:cret")),
        (_contacts, bearer("jwt")),
    ],
)
async def test_a_credential_opens_its_own_methods(
    world: World, stubs: Stubs, ask: Any, metadata: tuple[str, str]
) -> None:
    heard = await ask(stubs, metadata)

    assert heard.status == "200"
    assert world.callers == [WORKSPACE]


@pytest.mark.parametrize(
    ("ask", "metadata"),
    [
        (_connect, ()),
        (_connect, (("x-api-key", ""),)),
        (_connect, (("x-api-key", "other"),)),
        (_connect, (("x-api-key", "key"), ("x-api-key", "key"))),
        (_connect, (bearer("key"),)),
        (_connect, (bearer("good"),)),
        (_lead, ()),
        (_lead, (bearer("jwt"),)),
        (_lead, (("x-api-key", "sync"),)),
        (_lead, (bearer("sync"), bearer("sync"))),
        (_lead, (bearer("sync"), ("x-contactsync-service", "x"))),
        (_token, (basic("id:other"),)),
        (_token, (basic("idsecret"),)),
        (_token, (("authorization", "Basic id:se:cret"),)),
        (_token, (("authorization", "Basic /w=="),)),
        (_token, (bearer("jwt"),)),
        (_contacts, (basic("id:se:cret"),)),
        (_contacts, (bearer("jwt2"),)),
    ],
)
async def test_nothing_else_opens_them(
    world: World, stubs: Stubs, ask: Any, metadata: tuple[tuple[str, str], ...]
) -> None:
    heard = await ask(stubs, *metadata)

    assert heard.status == "401"
    assert world.served == []


async def test_a_service_is_let_in_by_no_rule(world: World, stubs: Stubs) -> None:
    heard = await _connect(stubs, service("ingestion"))

    assert heard.status == "403"
    assert json.loads(heard.response.data) == {"error": "This service may not call this method."}


async def test_refusals_are_in_the_words_of_each_api(stubs: Stubs) -> None:
    telecrm, connect, token, contacts = (
        await _lead(stubs, enterprise_id='51ab"ё'),
        await _connect(stubs),
        await _token(stubs),
        await _contacts(stubs),
    )

    message = TELECRM_401.format('51ab"ё')
    assert json.loads(telecrm.response.data) == {"error": {"code": "NOT_AUTHORIZED", "message": message}}
    assert json.loads(connect.response.data) == {"error": "Unauthorized"}
    assert json.loads(contacts.response.data) == {"error": "Unauthorized"}
    assert token.initial["www-authenticate"] == 'Basic realm="contact-source"'
    assert contacts.initial["www-authenticate"] == 'Bearer realm="contact-source"'
    assert telecrm.initial["www-authenticate"] == "Bearer"
    assert "www-authenticate" not in connect.initial


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (
            Refusal("NOT_FOUND", "No lead.", code="LEAD_NOT_FOUND"),
            "404",
            {"code": "LEAD_NOT_FOUND", "message": "No lead."},
        ),
        (Refusal("NOT_FOUND", "No field."), "404", {"code": "NOT_FOUND", "message": "No field."}),
        (
            Refusal("VALIDATION_ERROR", "Bad.", violations=[Violation("/email", "invalid", "Email is invalid")]),
            "400",
            {"code": "BAD_REQUEST", "message": "Bad.", "details": [{"field": "email", "message": "Email is invalid"}]},
        ),
        (Refusal("SEATS_TAKEN", "Buy.", code="BUY_LICENSE"), "402", {"code": "BUY_LICENSE", "message": "Buy."}),
        (
            RuntimeError("+79001234567"),
            "500",
            {"code": "INTERNAL_ERROR", "message": "The hub failed; the correlation id finds it in the log."},
        ),
    ],
)
async def test_telecrm_codes(world: World, stubs: Stubs, error: Exception, status: str, told: dict[str, Any]) -> None:
    async def behave(request: Any) -> None:
        raise error

    world.behave = behave

    heard = await _lead(stubs, bearer("sync"))

    assert heard.status == status
    assert json.loads(heard.response.data) == {"error": told}


async def test_a_stream_is_refused_in_the_envelope_too(stubs: Stubs) -> None:
    call = stubs.connect.ListConnectContacts(connect_api_pb2.ListConnectContactsRequest())

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call.read()

    trailing = dict(refused.value.trailing_metadata() or ())
    assert trailing["x-http-status"] == "401"
    assert trailing["x-error-body"] == '{"error":"Unauthorized"}'


async def test_failures_of_an_address_are_limited_but_not_those_who_got_in_before(world: World, stubs: Stubs) -> None:
    assert (await _connect(stubs, ("x-api-key", "key"))).status == "200"

    refused = [await _connect(stubs, ("x-api-key", f"wrong{count}")) for count in range(530)]

    assert {heard.status for heard in refused[:500]} == {"401"}
    assert refused[-1].status == "429"
    assert json.loads(refused[-1].response.data) == {"error": "Too many requests; slow down and try again."}
    assert (await _connect(stubs, ("x-api-key", "key"))).status == "200"
