"""What the gateway's configuration says of each route."""

from typing import Any

import pytest

from gateway.config import GatewaySettings, build
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


def test_the_events_of_a_job_are_the_only_stream() -> None:
    assert [route.path for route in ROUTES if route.streams] == ["/v1/contacts/import/{job_id}/events"]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_every_answer_has_30_seconds_but_a_stream(route: Route) -> None:
    at = {"path": route.path} if route.pattern is None else {"safe_regex": {"regex": route.pattern}}
    served = next(each for each in _configured() if "route" in each and at.items() <= each["match"].items())

    assert served["route"]["timeout"] == ("0s" if route.streams else "30s")
    assert ("request_headers_to_add" not in served) is route.streams
