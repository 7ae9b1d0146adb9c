"""The description of the telecrm APIs, and the hub that it describes."""

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
from tests.contract.telecrm.caller import SPEC, Telecrm
from tests.e2e.test_openapi import EXAMPLES_A_ROUTE, FromAddress
from tests.fixtures.spaces import Space, create_space

WITHOUT = [
    # Which values a field takes is told by its workspace, and that a limit is a number stands in the texts.
    checks.positive_data_acceptance,
    checks.negative_data_rejection,
    # It asks with QUERY too, which Envoy's parser does not know: 400. tests/e2e/test_documents.py asks the other verbs.
    checks.unsupported_method,
    # It calls from an address of its own and is soon shut out. The tables in tests/contract ask instead.
    checks.ignored_auth,
]
PREFIX = "/autoupdate/v2/enterprise/{enterprise_id}"

described = schemathesis.openapi.from_path(FOLDER / "sync.yaml")


@pytest.fixture(scope="module")
def space(hub: Hub, admin: httpx.Client) -> Space:
    """A workspace with seats for all that is made up."""
    return create_space(hub, admin, **(SPEC | {"seats": 100}))


@pytest.fixture(scope="module")
def tokens(space: Space) -> dict[bool, str]:
    """By whether the path is the Async API's."""
    return {later: f"Bearer {space.token('async' if later else 'sync')}" for later in (False, True)}


@pytest.fixture(scope="module")
def places(space: Space) -> Iterator[dict[str, str]]:
    """Values of path variables that lead somewhere."""
    member = {"name": "Jane", "email": "jane@example.com", "phone_number": "919876543210", "role": "CALLER"}
    with Telecrm.of(space) as caller:
        caller.post("team-members", member)
        made = caller.create({"type": "1001", "fields": {"note": "n"}}, status="Won", rating=4)
        yield {
            "enterprise_id": space.enterprise_id,
            "lead_id": made["lead_id"],
            "action_id": made["actions"][0]["action_id"],
            "email": member["email"],
            "api_name": "contact_source",
            "code": "ACTION_1001",
        }


@described.parametrize()
@settings(max_examples=EXAMPLES_A_ROUTE, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_route_keeps_its_description(
    case: schemathesis.Case[Any], hub: Hub, tokens: dict[bool, str], places: dict[str, str]
) -> None:
    """With the real lead as often as not: what is made up is unknown at once.

    Without headers that are made up: of those that Envoy cannot read it does not tell whose path they came to.
    """
    for name in [name for name in case.headers or () if name.lower() != "x-correlation-id"]:
        del case.headers[name]
    known = places if len(str(case.body)) % 2 else {"enterprise_id": places["enterprise_id"]}
    case.path_parameters.update({name: value for name, value in known.items() if name in case.path_parameters})
    with requests.Session() as session:
        session.trust_env = False
        session.mount(hub.url, FromAddress())
        case.call_and_validate(
            base_url=hub.url,
            session=session,
            headers={"Authorization": tokens[case.operation.path.endswith("autoupdatelead")]},
            excluded_checks=WITHOUT,
            timeout=30,
        )


@pytest.mark.parametrize(
    ("route", "body", "status"),
    [
        ("POST /lead", {"fields": {"phone": "919812345678", "rating": 9}, "actions": [{"type": "1002"}]}, 201),
        ("POST /lead/search", {"fields": {"status": "Won"}}, 200),
        ("GET /lead/{lead_id}", None, 200),
        ("POST /lead/{lead_id}", {"fields": {"note": "n"}}, 200),
        ("POST /lead/{lead_id}/action", {"actions": [{"type": "1002"}, {"type": "9"}]}, 200),
        ("POST /lead/{lead_id}/action/search", {}, 200),
        ("GET /lead/{lead_id}/action/{action_id}", None, 200),
        ("POST /lead/{lead_id}/action/{action_id}", {"type": "1001", "fields": {"note": "m"}}, 200),
        ("GET /team-members", None, 200),
        ("GET /team-members/{email}", None, 200),
        ("POST /teammember/state_change", {"email": "jane@example.com", "state": "Working"}, 200),
        ("GET /metadata", None, 200),
        ("GET /custom-fields", None, 200),
        ("GET /custom-fields/{api_name}", None, 200),
        ("GET /custom-actions", None, 200),
        ("GET /custom-actions/{code}", None, 200),
        ("GET /lead-stage-pipeline", None, 200),
    ],
)
def test_answers_are_the_described_ones(  # noqa: PLR0917 - pytest gives them by name
    hub: Hub, tokens: dict[bool, str], places: dict[str, str], route: str, body: Any, status: int
) -> None:
    verb, path = route.split()
    operation = described[PREFIX + path][verb]
    given: dict[str, Any] = {} if body is None else {"body": body, "media_type": "application/json"}
    parameters = {name: value for name, value in places.items() if f"{{{name}}}" in PREFIX + path}

    response = operation.Case(path_parameters=parameters, **given).call(
        base_url=hub.url, headers={"Authorization": tokens[False]}, timeout=30
    )

    assert response.status_code == status, response.text
    operation.validate_response(response)
