"""The connect contacts API: its keys and its errors at the edge. Marks as in test_table.py."""

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.contract.connect.asking import create, found, refused, unique
from tests.fixtures.partner import from_address, loopback_address
from tests.fixtures.spaces import Space, create_space

PLACES = [("GET", "contacts"), ("POST", "contacts"), ("GET", "contacts/lead-statuses"), ("GET", "me")]


@pytest.mark.parametrize(("verb", "path"), PLACES)
@pytest.mark.parametrize(
    "headers",
    [[], [("X-Api-Key", "")], [("X-Api-Key", "wrong")], [("X-Api-Key", "{key}"), ("X-Api-Key", "{key}")],
     [("Authorization", "Bearer {key}")], [("X-Api-Key", "Bearer {key}")], [("X-Api-Key", "{key}x")]],
    ids=["none", "empty", "wrong", "twice", "bearer", "prefixed", "longer"],
)  # fmt: skip
def test_without_the_key_nobody_is_let_in__s_d(
    hub: Hub, connect: httpx.Client, verb: str, path: str, headers: list[tuple[str, str]]
) -> None:
    key = connect.headers["X-Api-Key"]
    with from_address(hub, loopback_address()) as stranger:
        sent = [(name, value.format(key=key)) for name, value in headers]

        refused(stranger.request(verb, f"{hub.url}/api/connect/{path}", headers=sent), 401, "Unauthorized")


def test_other_credentials_of_the_workspace_do_not_open_it__d(hub: Hub, space: Space) -> None:
    token = space.token("sync")
    access = space.access()
    for text in (token, access.client_secret):
        with from_address(hub, loopback_address()) as stranger:
            refused(stranger.get("/api/connect/me", headers={"X-Api-Key": text}), 401, "Unauthorized")


def test_a_key_opens_its_own_workspace_alone__d(hub: Hub, connect: httpx.Client, admin: httpx.Client) -> None:
    name = unique()
    create(connect, firstName=name)

    with create_space(hub, admin).connect() as theirs:
        assert theirs.get("contacts").json() == []
        assert found(theirs, name) == []
        assert create(theirs, firstName=name)["id"] == 1


def test_a_key_ends_with_its_user__d(space: Space) -> None:
    key = space.connect_key("leaver@example.com")
    with space.connect(key) as http:
        assert http.get("me").status_code == 200

        space.remove_user("leaver@example.com")

        refused(http.get("me"), 401, "Unauthorized")


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("GET", "none", 404),
        ("GET", "contacts/1", 404),
        ("GET", "contacts/", 404),
        ("DELETE", "contacts", 405),
        ("PUT", "me", 405),
        ("POST", "me", 405),
        ("PURGE", "me", 405),
        ("PATCH", "contacts/lead-statuses", 405),
    ],
)
def test_unknown_paths_and_wrong_verbs_have_the_envelope__i(
    connect: httpx.Client, verb: str, path: str, status: int
) -> None:
    answer = connect.request(verb, path)

    assert answer.status_code == status
    assert answer.json().keys() == {"error"}
    assert ("allow" in answer.headers) == (status == 405)
