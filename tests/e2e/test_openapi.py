"""The description that the gateway serves, and the hub that it describes."""

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import requests.adapters
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi import checks

from gateway.documents import FOLDER
from libs.cli.stack.hub import Hub
from tests.e2e.test_import_path import mobile
from tests.fixtures.partner import Partner, create_client, loopback_address

EXAMPLES_A_ROUTE = 25
WITHOUT = [
    # Which phones are valid is told by numbering plans; no schema can.
    checks.positive_data_acceptance,
    # It asks with QUERY too, which Envoy's parser does not know: 400. The other verbs are asked below.
    checks.unsupported_method,
    # It calls from an address of its own and is soon shut out. tests/contract/test_who_may_call.py asks instead.
    checks.ignored_auth,
]


@pytest.fixture(scope="module")
def fuzzing(hub: Hub, admin: httpx.Client) -> Iterator[Partner]:
    """A client whose rate does not end the run."""
    with create_client(hub, admin, rate=5000) as client:
        yield client


described = schemathesis.openapi.from_path(FOLDER / "import.yaml")


class FromAddress(requests.adapters.HTTPAdapter):
    """Calls from one loopback address: failed authentications are counted for each."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, source_address=(loopback_address(), 0))


@described.parametrize()
@settings(max_examples=EXAMPLES_A_ROUTE, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_route_keeps_its_description(case: schemathesis.Case[Any], hub: Hub, fuzzing: Partner) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.mount(hub.url, FromAddress())
        case.call_and_validate(
            base_url=hub.url,
            session=session,
            headers={"Authorization": f"Bearer {fuzzing.api_key}"},
            excluded_checks=WITHOUT,
            timeout=30,
        )


@pytest.fixture
def job(fuzzing: Partner) -> dict[str, Any]:
    """A job that is done, with a rejected row."""
    accepted = fuzzing.post([{"phone": mobile()}, {"phone": "x"}], key=str(uuid.uuid4()))
    return fuzzing.finished(accepted.json()["job_id"])


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", "/v1/contacts/import/{job_id}"),
        ("GET", "/v1/contacts/import/{job_id}/rows"),
        ("GET", "/v1/contacts/import/{job_id}/rejected"),
        ("GET", "/v1/contacts/import/{job_id}/events"),
        ("POST", "/v1/contacts/import/{job_id}/retry"),
    ],
)
def test_answers_about_a_real_job_are_the_described_ones(
    hub: Hub, fuzzing: Partner, job: dict[str, Any], verb: str, path: str
) -> None:
    case = described[path][verb].Case(path_parameters={"job_id": job["job_id"]})

    response = case.call(base_url=hub.url, headers={"Authorization": f"Bearer {fuzzing.api_key}"}, timeout=30)

    assert response.status_code == (202 if verb == "POST" else 200), response.text
    described[path][verb].validate_response(response)


@pytest.mark.parametrize("debug", ["true", "no"])
def test_answers_to_an_import_are_the_described_ones(hub: Hub, fuzzing: Partner, debug: str) -> None:
    operation, key = described["/v1/contacts/import"]["POST"], str(uuid.uuid4())
    headers = {"Authorization": f"Bearer {fuzzing.api_key}", "Idempotency-Key": key, "X-Debug": debug}
    case = operation.Case(headers=headers, body={"phone": mobile()}, media_type="application/json")

    response = case.call(base_url=hub.url, timeout=30)

    assert response.status_code == (200 if debug == "true" else 202), response.text
    operation.validate_response(response)
    if debug != "true":
        asked = described["/v1/idempotency/{key}"]["GET"]
        stored = asked.Case(path_parameters={"key": key}).call(base_url=hub.url, headers=headers, timeout=30)
        assert stored.status_code == 200
        asked.validate_response(stored)
