"""What the gateway's configuration says of each route."""

from typing import Any

import pytest

from gateway.config import GatewaySettings, build
from gateway.envelopes import PATHS, Group
from gateway.routes import Route, read_descriptor_set, read_routes
from libs.cli.stack.plan import SERVICES

ROUTES = [route for route in read_routes(read_descriptor_set()) if route.owner in SERVICES]


def _configured() -> list[Any]:
    settings = GatewaySettings(
        listen="127.0.0.1:1", admin="127.0.0.1:2", upstreams={service: ["127.0.0.1:3"] for service in SERVICES}
    )
    listener = build(settings)["static_resources"]["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    routes: list[Any] = manager["route_config"]["virtual_hosts"][0]["routes"]
    return routes


def test_only_these_answers_are_streams() -> None:
    assert {verb + " " + route.path for route in ROUTES for verb in route.streams} == {
        "GET /v1/contacts/import/{job_id}/events",
        "GET /api/connect/contacts",
    }


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_every_answer_has_30_seconds_but_a_stream(route: Route) -> None:
    at = {"path": route.path} if route.pattern is None else {"safe_regex": {"regex": route.pattern}}
    for verb in route.verbs:
        served = next(each for each in _configured() if "route" in each and _takes(each["match"], at, verb))
        assert served["route"]["timeout"] == ("0s" if verb in route.streams else "30s")
        assert ("request_headers_to_add" not in served) is (verb in route.streams)


def _takes(match: Any, at: dict[str, Any], verb: str) -> bool:
    verbs = match["headers"][0]["string_match"]["safe_regex"]["regex"].split("|")
    return at.items() <= match.items() and verb in verbs


def test_a_group_is_known_by_every_path_it_has() -> None:
    for route in ROUTES:
        known = next((group for group, paths in PATHS.items() if route.path.startswith(paths)), Group.IMPORT)
        called = next((group for group, paths in PATHS.items() if f"/{route.service}/".startswith(paths)), Group.IMPORT)
        assert known is called is route.group


def test_only_reads_are_asked_again() -> None:
    served = [each for each in _configured() if "route" in each]
    verbs = {
        each["match"]["headers"][0]["string_match"]["safe_regex"]["regex"]: "retry_policy" in each["route"]
        for each in served
    }

    assert verbs.pop("GET")
    assert verbs
    assert not any(verbs.values())
