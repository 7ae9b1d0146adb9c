"""Who may call what: every method and every REST route by every kind of caller, by the rules of the contracts."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from contactsync.policy.v1 import policy_pb2

from libs.cli.stack.hub import Hub
from libs.cli.stack.plan import SERVICES
from libs.rpc import Identity
from services.access.domain.key import checksum
from tests.contract.methods import METADATA, SAME, Method, call, every_method
from tests.fixtures.hub import dial
from tests.fixtures.partner import Partner, create_client, from_address, loopback_address

METHODS = every_method()
Route = tuple[Method, str, str]
ROUTES: list[Route] = [(method, verb, path) for method in METHODS for verb, path in method.routes]
ALL_SCOPES = ["SCOPE_IMPORT", "SCOPE_READ", "SCOPE_ADMIN"]
LET_IN, UNAUTHORIZED, FORBIDDEN = 200, 401, 403


@dataclass(frozen=True)
class Caller:
    """Someone at the door, and what the door says to them: scopes or a service when they are let in by rule."""

    metadata: METADATA
    refused: int = 0
    """What every method says that is not open. 0: the method's rule decides."""
    scope: int = 0
    service: str = ""
    certificate: str = "operator"
    """What they show where TLS is on."""

    signs: bool = False

    def expected(self, method: Method) -> int:
        rule = method.rule
        if rule.open:
            return LET_IN
        if self.signs and method.descriptor.client_streaming:
            return FORBIDDEN  # there is no way to sign it
        if rule.credential and not self.service:
            return UNAUTHORIZED  # a client's key is none of a workspace's credentials
        if self.refused:
            return self.refused
        return LET_IN if self.scope in rule.scopes or self.service in rule.services else FORBIDDEN


def bearer(key: str) -> METADATA:
    return (("authorization", f"Bearer {key}"),)


def token(value: str) -> METADATA:
    return (("x-contactsync-service", value),)


@pytest.fixture(scope="module")
def clients(hub: Hub, admin: httpx.Client) -> Iterator[dict[str, Caller]]:
    """API clients of every kind. Those that are refused have every scope, and never called before."""
    with ExitStack() as stack:

        def make(**settings: Any) -> Partner:
            return stack.enter_context(create_client(hub, admin, **{"rate": 10_000, "scopes": ALL_SCOPES, **settings}))

        revoked, disabled, rotated, whole = make(), make(), make(), make()
        _ok(admin.post(f"/admin/v1/clients/{revoked.client_id}/revoke", json={}))
        _ok(admin.patch(f"/admin/v1/clients/{disabled.client_id}", json={"enabled": False}))
        _ok(admin.post(f"/admin/v1/clients/{rotated.client_id}/rotate", json={"overlap": "0s"}))
        yield {
            "no key": Caller((), UNAUTHORIZED),
            "malformed key": Caller(bearer("nonsense"), UNAUTHORIZED),
            "key cut short": Caller(bearer(whole.api_key[:-1]), UNAUTHORIZED),
            "another secret behind a known id": Caller(bearer(forged(whole.api_key)), UNAUTHORIZED),
            "other scheme": Caller((("authorization", f"Basic {whole.api_key}"),), UNAUTHORIZED),
            "revoked key": Caller(bearer(revoked.api_key), UNAUTHORIZED),
            "key rotated away": Caller(bearer(rotated.api_key), UNAUTHORIZED),
            "disabled client": Caller(bearer(disabled.api_key), UNAUTHORIZED),
            "unsigned request": Caller(bearer(make(hmac=True).api_key), UNAUTHORIZED, signs=True),
            "outside its networks": Caller(
                bearer(make(allowed_networks=["0.0.0.0/32", "fd00::/8"]).api_key), FORBIDDEN
            ),
            "two keys": Caller((*bearer(whole.api_key), *bearer(whole.api_key)), UNAUTHORIZED),
        } | {
            scope: Caller(bearer(make(scopes=[scope]).api_key), scope=policy_pb2.Scope.Value(scope))
            for scope in ALL_SCOPES
        }


def _ok(answer: httpx.Response) -> None:
    assert answer.status_code == httpx.codes.OK, answer.text


def forged(key: str) -> str:
    """A well-formed key with the id of this one and another secret."""
    body = f"{key[:-49]}{'A' * 43}"
    assert body.count("_") == 2
    return body + checksum(body)


def services(hub: Hub, method: Method) -> dict[str, Caller]:
    """Callers of the method that show a service's statement, true or not, and where TLS is on a certificate."""
    key, now = bytes.fromhex(hub.plan.folder.key("service").read_text().strip()), time.time()

    def stated(name: str, *, key: bytes = key, audience: str = method.owner, late: float = 0) -> str:
        return Identity(name, key, now=lambda: now + late).token(audience)

    true = stated("ingestion")
    elsewhere = next(each for each in SERVICES if each != method.owner)
    wrong = {
        "statement under another key": Caller(token(stated("ingestion", key=bytes(32))), UNAUTHORIZED),
        "statement of another name": Caller(token(true.replace("v2.ingestion", "v2.delivery")), UNAUTHORIZED),
        "statement for another audience": Caller(token(stated("ingestion", audience=elsewhere)), UNAUTHORIZED),
        "statement about a client": Caller(
            token(Identity("ingestion", key).token(method.owner, client_id="someone")), UNAUTHORIZED
        ),
        "lapsed statement": Caller(token(stated("ingestion", late=-300)), UNAUTHORIZED),
        "statement of too long a life": Caller(token(stated("ingestion", late=300)), UNAUTHORIZED),
        "plain name": Caller(token("ingestion"), UNAUTHORIZED),
        "empty statement": Caller(token(""), UNAUTHORIZED),
        "statement and key": Caller((*token(true), *bearer("nonsense")), UNAUTHORIZED),
        "two statements": Caller((*token(true), *token(true)), UNAUTHORIZED),
    }
    callers = {name: replace(each, certificate="ingestion") for name, each in wrong.items()}
    callers |= {name: Caller(token(stated(name)), service=name, certificate=name) for name in SERVICES}
    if hub.plan.shape.tls:
        return callers | {
            "another's statement": Caller(token(stated("delivery")), UNAUTHORIZED, certificate="ingestion")
        }
    return callers | {"stranger": Caller(token(stated("stranger")), service="stranger")}


def told(status: int) -> int:
    """401 and 403 are refusals of the door; nothing may fail; all else shows that the caller was let in."""
    return status if status in {UNAUTHORIZED, FORBIDDEN, 429, 500, 503, 504} else LET_IN


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_method_lets_in_whom_its_rule_names(hub: Hub, clients: dict[str, Caller], method: Method) -> None:
    callers = clients | services(hub, method)

    async with AsyncExitStack() as stack:
        channels = {
            each: await stack.enter_async_context(dial(hub, method.owner, certificate=each))
            for each in {caller.certificate for caller in callers.values()}
        }
        heard = {
            name: await call(channels[caller.certificate], method, b"", caller.metadata)
            for name, caller in callers.items()
        }

    assert {name: told(each.status) for name, each in heard.items()} == {
        name: caller.expected(method) for name, caller in callers.items()
    }
    refused = {(each.code, each.details, each.metadata, each.response)
               for each in heard.values() if each.status == UNAUTHORIZED}  # fmt: skip
    assert len(refused) == (0 if method.rule.open else 1)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route[1]} {route[2]}")
def test_route_lets_in_whom_its_rule_names(hub: Hub, clients: dict[str, Caller], route: Route) -> None:
    method, verb, path = route
    # The gateway takes service tokens off: they are no way in from outside, true or not.
    callers = clients | {name: Caller(each.metadata, UNAUTHORIZED) for name, each in services(hub, method).items()}

    with from_address(hub, loopback_address()) as http:
        path = filled(path)  # telecrm's refusal shows the enterprise id of the path
        heard = {name: ask(http, verb, path, caller.metadata) for name, caller in callers.items()}

    assert {name: told(each.status_code) for name, each in heard.items()} == {
        name: caller.expected(method) for name, caller in callers.items()
    }
    refused = {each.content for each in heard.values() if each.status_code == UNAUTHORIZED}
    assert len(refused) == (0 if method.rule.open else 1)
    assert {_word(json.loads(body)["error"]) for body in refused} <= {"unauthorized", "not_authorized"}


def _word(error: Any) -> str:
    """In whatever envelope."""
    return str(error["code"] if isinstance(error, dict) else error).lower()


def ask(http: httpx.Client, verb: str, path: str, headers: METADATA, **ids: str) -> httpx.Response:
    """A request with these ids in the path, and unknown ones where none is given."""
    return http.request(verb, filled(path, **ids), headers=list(headers), content=b"" if verb == "GET" else b"{}")


def filled(path: str, **values: str) -> str:
    """The path with these values in place of its variables, and unknown ones for the rest."""
    names = [part.split("}")[0] for part in path.split("{")[1:]]
    for name in names:
        unknown = "0" if name == "position" else str(uuid.uuid4())
        path = path.replace(f"{{{name}}}", values.get(name, unknown))
    return path


OWN = [method for method in METHODS if {policy_pb2.SCOPE_IMPORT, policy_pb2.SCOPE_READ} & set(method.rule.scopes)]
BY_ID = [method for method in OWN if {"job_id", "key"} & method.fields]


@pytest.fixture(scope="module")
def theirs(hub: Hub, admin: httpx.Client) -> Iterator[dict[str, str]]:
    """Ids of another client, all of them in use."""
    key = str(uuid.uuid4())
    with create_client(hub, admin, rate=10_000) as partner:
        job = partner.post([{"phone": "+79001234567"}, {"phone": "x"}], key=key).json()
        partner.finished(job["job_id"])
        yield {"job_id": job["job_id"], "key": key, "client_id": partner.client_id}


@pytest.mark.parametrize("method", BY_ID, ids=lambda method: method.name)
async def test_another_clients_id_looks_like_an_unknown_one(
    hub: Hub, partner: Partner, theirs: dict[str, str], method: Method
) -> None:
    ids = {name: value for name, value in theirs.items() if name in method.fields}
    unknown = {name: str(uuid.uuid4()) for name in ids}

    async with dial(hub, method.owner) as channel:
        heard = [
            await call(channel, method, method.request(**given), bearer(partner.api_key)) for given in (ids, unknown)
        ]

    assert heard[0] == heard[1]
    assert heard[0].status in {404, 501}


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route[0] in BY_ID], ids=lambda route: f"{route[1]} {route[2]}"
)
def test_another_clients_path_looks_like_an_unknown_one(partner: Partner, theirs: dict[str, str], route: Route) -> None:
    _, verb, path = route
    headers = (*bearer(partner.api_key), *SAME)

    known, unknown = (ask(partner.http, verb, path, headers, **ids) for ids in (theirs, {}))

    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert _lasting(known) == _lasting(unknown)
    assert known.status_code in {403, 404, 501}


def _lasting(answer: httpx.Response) -> set[tuple[str, str]]:
    """The headers but for those that tell of the time."""
    return {each for each in answer.headers.items() if each[0] != "date" and not each[0].startswith("x-ratelimit")}


@pytest.mark.parametrize("method", OWN, ids=lambda method: method.name)
async def test_nothing_of_another_client_is_shown(
    hub: Hub, partner: Partner, theirs: dict[str, str], method: Method
) -> None:
    async with dial(hub, method.owner) as channel:
        heard = await call(channel, method, b"", bearer(partner.api_key))

    assert [name for name, value in theirs.items() if value.encode() in heard.response] == []
