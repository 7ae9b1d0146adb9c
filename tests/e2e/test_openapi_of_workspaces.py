"""The descriptions of the connect API and of the contact source, and the hub that they describe."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi import checks

from gateway.documents import FOLDER
from libs.cli.stack.hub import Hub
from tests.e2e.test_openapi import EXAMPLES_A_ROUTE, FromAddress
from tests.fixtures.spaces import Space, create_space

WITHOUT = [
    # Which e-mails are valid, and that one of two keys must be there, stands in the texts.
    checks.positive_data_acceptance,
    # It asks with QUERY too, which Envoy's parser does not know: 400. tests/e2e/test_documents.py asks the other verbs.
    checks.unsupported_method,
    # It calls from an address of its own and is soon shut out. The tables in tests/contract ask instead.
    checks.ignored_auth,
]
FUZZED = settings(
    max_examples=EXAMPLES_A_ROUTE, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)

connect = schemathesis.openapi.from_path(FOLDER / "connect.yaml")
source = schemathesis.openapi.from_path(FOLDER / "contact-source.yaml")
open_routes = source.include(path="/contact-source/token")
token_routes = source.exclude(path="/contact-source/token")


@pytest.fixture(scope="module")
def space(hub: Hub, admin: httpx.Client) -> Space:
    """A workspace with two contacts."""
    made = create_space(hub, admin)
    with made.connect() as http:
        http.post("contacts", json={"firstName": "Jane", "email": "jane@example.com", "leadStatus": 1})
        http.post("contacts", json={"firstName": "John", "lastName": "Doe", "phoneNumbers": "+79001234567"})
    return made


@pytest.fixture(scope="module")
def key(space: Space) -> str:
    return space.connect_key("john@example.com")


@pytest.fixture(scope="module")
def token(space: Space) -> Iterator[str]:
    with space.source() as http:
        yield http.headers["Authorization"]


@connect.parametrize()
@FUZZED
def test_every_connect_route_keeps_its_description(case: schemathesis.Case[Any], hub: Hub, key: str) -> None:
    _validate(case, hub, {"X-Api-Key": key})


@token_routes.parametrize()
@FUZZED
def test_every_source_route_keeps_its_description(case: schemathesis.Case[Any], hub: Hub, token: str) -> None:
    # An unknown parameter counts as wrong to it, and is ignored here. tests/contract/contact_source asks wrong values.
    _validate(case, hub, {"Authorization": token}, without=[*WITHOUT, checks.negative_data_rejection])


@open_routes.parametrize()
@FUZZED
def test_the_token_route_keeps_its_description(case: schemathesis.Case[Any], hub: Hub, space: Space) -> None:
    access = space.access()
    header = httpx.BasicAuth(access.client_id, access.client_secret)._auth_header

    _validate(case, hub, {"Authorization": header})


def _validate(case: schemathesis.Case[Any], hub: Hub, headers: dict[str, str], *, without: Any = WITHOUT) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.mount(hub.url, FromAddress())
        case.call_and_validate(base_url=hub.url, session=session, headers=headers, excluded_checks=without, timeout=30)


@pytest.mark.parametrize("path", ["/api/connect/contacts", "/api/connect/contacts/lead-statuses", "/api/connect/me"])
def test_answers_of_connect_are_the_described_ones(hub: Hub, key: str, path: str) -> None:
    response = connect[path]["GET"].Case().call(base_url=hub.url, headers={"X-Api-Key": key}, timeout=30)

    assert response.status_code == 200, response.text
    connect[path]["GET"].validate_response(response)


@pytest.mark.parametrize("path", ["/contact-source/contacts", "/contact-source/contacts/delta"])
def test_answers_of_the_source_are_the_described_ones(hub: Hub, token: str, path: str) -> None:
    case = source[path]["GET"].Case(query={"timestamp": 0} if path.endswith("delta") else {})

    response = case.call(base_url=hub.url, headers={"Authorization": token}, timeout=30)

    assert response.status_code == 200, response.text
    source[path]["GET"].validate_response(response)
