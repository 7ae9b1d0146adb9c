"""Who is let in, and what is refused before it is looked at; marked as in test_leads_table."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.contract.telecrm.caller import NOT_AUTHORIZED, SPEC, Telecrm, phone, refused
from tests.fixtures.spaces import ROOT, Space, create_space

ROUTES = [
    ("POST", "lead"),
    ("GET", "lead/x"),
    ("POST", "lead/x"),
    ("POST", "lead/search"),
    ("POST", "lead/x/action"),
    ("GET", "lead/x/action/y"),
    ("POST", "lead/x/action/y"),
    ("POST", "lead/x/action/search"),
    ("GET", "team-members"),
    ("POST", "team-members"),
    ("GET", "team-members/a@example.com"),
    ("POST", "teammember/state_change"),
    ("GET", "metadata"),
    ("GET", "custom-fields"),
    ("GET", "custom-fields/x"),
    ("GET", "custom-actions"),
    ("GET", "custom-actions/x"),
    ("GET", "lead-stage-pipeline"),
]


@pytest.fixture(scope="module")
def stranger(hub: Hub, admin: httpx.Client) -> Iterator[Telecrm]:
    """A caller of another workspace."""
    with Telecrm.of(create_space(hub, admin, **SPEC)) as caller:
        yield caller


def ask(caller: Telecrm, verb: str, path: str, **headers: str) -> httpx.Response:
    return caller.http.request(verb, caller.base + path, headers=headers, content=b"{}" if verb == "POST" else None)


@pytest.mark.parametrize(("verb", "path"), ROUTES)
def test_every_route_needs_a_sync_token_of_the_enterprise__s(
    telecrm: Telecrm, stranger: Telecrm, space: Space, verb: str, path: str
) -> None:
    message = NOT_AUTHORIZED.format(telecrm.enterprise_id)
    with Telecrm.of(space, token="tcs_aaaaaaaaaaaa_wrong") as wrong:
        refused(ask(wrong, verb, path), 401, "NOT_AUTHORIZED", message)
        refused(ask(wrong, verb, path, Authorization=""), 401, "NOT_AUTHORIZED", message)
        own = stranger.http.headers["Authorization"]
        refused(ask(wrong, verb, path, Authorization=own), 401, "NOT_AUTHORIZED", message)


def test_an_async_token_opens_no_sync_route_and_the_other_way_round__s(space: Space) -> None:
    with Telecrm.of(space, kind="async") as later:
        token = later.http.headers["Authorization"].removeprefix("Bearer ")
        with Telecrm.of(space, token=token) as caller:
            refused(caller.get("metadata"), 401, "NOT_AUTHORIZED", NOT_AUTHORIZED.format(space.enterprise_id))
        with Telecrm.of(space) as caller:
            sync = caller.http.headers["Authorization"].removeprefix("Bearer ")
            path = f"/enterprise/{space.enterprise_id}/autoupdatelead"
            refused(caller.http.post(path, json={"fields": {}}), 401, "NOT_AUTHORIZED")
            assert caller.get("metadata").status_code == 200
        assert sync != token
        assert later.post("autoupdatelead", {"fields": {}}).json() == {"status": "QUEUED"}


def test_three_tokens_of_each_type_and_one_deleted_ends_at_once__s(hub: Hub, admin: httpx.Client) -> None:
    space = create_space(hub, admin, **SPEC)
    tokens = f"{ROOT}/{space.enterprise_id}/tokens"
    sync = {"type": "CREDENTIAL_TYPE_SYNC"}
    made = [admin.post(tokens, json=sync) for _ in range(4)]

    with Telecrm.of(space, token=made[0].json()["token"]) as caller:
        before = caller.get("metadata").status_code
        admin.delete(f"{ROOT}/{space.enterprise_id}/credentials/{made[0].json()['id']}")
        after = caller.get("metadata")

    assert [each.status_code for each in made] == [200, 200, 200, 409]
    assert before == 200
    refused(after, 401, "NOT_AUTHORIZED")
    assert space.token("async")
    assert space.token("sync")


@pytest.mark.parametrize(
    ("verb", "path", "status", "code"),
    [
        *(
            (verb, path, 405, "METHOD_NOT_ALLOWED")
            for verb in ("PUT", "PATCH", "DELETE")
            for path in ("lead", "lead/x")
        ),
        ("GET", "lead", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "metadata", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "nothing", 404, "NOT_FOUND"),
        ("POST", "team-members/x/y", 404, "NOT_FOUND"),
    ],
)
def test_wrong_verbs_and_unknown_paths_have_the_envelope__d(
    telecrm: Telecrm, verb: str, path: str, status: int, code: str
) -> None:
    refused(ask(telecrm, verb, path), status, code)


@pytest.mark.parametrize("path", ["team-members?limit=%ff", "lead/x?includeActions=%ff", "custom-fields?detail=%c3%28"])
def test_a_query_that_is_no_text_is_400__i(telecrm: Telecrm, path: str) -> None:
    refused(ask(telecrm, "GET", path), 400, "BAD_REQUEST")


BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b"5",
    b'{"fields": {"phone": "919999999999"}}x',
    b'{"fields": {"phone": "919999999999", "phone": "918888888888"}}',
    b'{"fields": {}, "fields": {}}',
    b'{"fields": {"phone": "919999999999", "name": "a\\u0000b"}}',
    b'{"fields": {"phone": "919999999999", "name": "\\ud800"}}',
    b'{"fields": {"phone": "919999999999", "rating": NaN}}',
    b'{"fields": {"phone": "919999999999", "deal_size": Infinity}}',
    b'{"fields": {"phone": "919999999999", "name": "\xff"}}',
    b'\xef\xbb\xbf{"fields": {}}',
    b'{"fields": ' + b"[" * 100_000,
    b'{"fields": ' + b'{"a":' * 200 + b"1" + b"}" * 201,
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_what_is_no_json_object_is_400_on_every_post__i(telecrm: Telecrm, body: bytes) -> None:
    lead_id = telecrm.create()["lead_id"]
    before = telecrm.search({})["total_count"]

    for path in ("lead", f"lead/{lead_id}", f"lead/{lead_id}/action", "team-members", "teammember/state_change"):
        refused(telecrm.post(path, body), 400, "BAD_REQUEST")
    if body:
        refused(telecrm.post("lead/search", body), 400, "BAD_REQUEST")
        refused(telecrm.post(f"lead/{lead_id}/action/search", body), 400, "BAD_REQUEST")

    assert telecrm.search({})["total_count"] == before


@pytest.mark.parametrize("value", [None, 5, 1.5, True, "x", [], [1], {}, {"a": {"b": [1]}}])
@pytest.mark.parametrize("name", ["fields", "actions"])
def test_a_body_of_the_wrong_shape_writes_nothing__i(telecrm: Telecrm, name: str, value: Any) -> None:
    number = phone()
    body: dict[str, Any] = {"fields": {"phone": number}, "actions": []} | {name: value}

    answer = telecrm.post("lead", body)

    if name == "actions" and isinstance(value, list):
        assert answer.status_code == 201
        assert len(answer.json()["actions"]) == len(value)
    else:
        refused(answer, 400, "INVALID_LEAD" if name == "fields" else "BAD_REQUEST")
        assert telecrm.phones(fields={"phone": number}) == []


@pytest.mark.parametrize("value", [None, 5, 1.5, True, [], ["x"], {}, {"a": 1}])
def test_a_bad_type_at_every_field_is_remarked_or_refused__i(telecrm: Telecrm, value: Any) -> None:
    names = [each["apiName"] for each in telecrm.get("custom-fields").json()["customFields"] if not each["isLeadid"]]

    made = telecrm.create(**dict.fromkeys(names, value))

    fields, remarked = telecrm.fields(made["lead_id"]), {each["field"] for each in made["remarks"]}
    for name in names:
        assert f"fields.{name}" in remarked or fields.get(name) in (value, None) or name == "status", name
    answer = telecrm.update(made["lead_id"], **dict.fromkeys(names, value))
    refused(answer, 400, "VALIDATION_ERROR")
    assert telecrm.fields(made["lead_id"]) == fields


def test_a_megabyte_in_any_field_is_no_fault__i(telecrm: Telecrm) -> None:
    large = "x" * 1_000_000
    fields = dict.fromkeys(("name", "email", "note", "mobile", "contact_source", "budget", "site"), large)

    made = telecrm.create(**fields)

    assert {each["field"] for each in made["remarks"]} == {f"fields.{name}" for name in fields}
    refused(telecrm.post("lead", {"fields": {"phone": large}}), 400, "INVALID_LEAD")
    assert len(json.dumps(telecrm.fields(made["lead_id"]))) < 200
