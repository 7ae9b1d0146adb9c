"""The custom contact source: its token and whom it opens for. Marks as in test_table.py."""

import base64
import json
import time

import httpx
import jwt
import pytest

from libs.cli.stack.hub import Hub
from tests.contract.contact_source.asking import fill, refused
from tests.fixtures.partner import from_address, loopback_address
from tests.fixtures.spaces import Access, Space, create_space


def test_a_token_is_a_jwt_for_one_hour__s_i(hub: Hub, shared: Space, access: Access) -> None:
    with from_address(hub, loopback_address()) as http:
        answer = http.get("/contact-source/token", auth=(access.client_id, access.client_secret))

    assert answer.status_code == 200
    assert list(answer.json()) == ["token"]
    token = answer.json()["token"]
    assert jwt.get_unverified_header(token)["alg"] in {"HS256", "HS384", "HS512"}
    claims = jwt.decode(token, options={"verify_signature": False})
    assert 3590 <= claims["exp"] - time.time() <= 3610
    assert access.client_secret not in json.dumps(claims)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic !",
        "Basic {id}:{secret}",
        "Basic {b64:id:wrong}",
        "Basic {b64:wrong:secret}",
        "Basic {b64:secret}",
        "Bearer {b64:id:secret}",
        "Bearer {secret}",
    ],
)
def test_the_token_endpoint_wants_the_id_and_the_secret__s_i(hub: Hub, access: Access, header: str | None) -> None:
    with from_address(hub, loopback_address()) as http:
        sent = {} if header is None else {"Authorization": _filled(header, access)}

        refused(http.get("/contact-source/token", headers=sent), 401)


def _filled(header: str, access: Access) -> str:
    known = {"id": access.client_id, "secret": access.client_secret, "wrong": "wrong"}
    before, coded, rest = header.partition("{b64:")
    if coded:
        pair = ":".join(known[name] for name in rest.rstrip("}").split(":"))
        return before + base64.b64encode(pair.encode()).decode()
    return header.format(**known)


@pytest.mark.parametrize("path", ["contacts", "contacts/delta?timestamp=0"])
@pytest.mark.parametrize("kind", ["none", "basic", "garbage", "changed", "unsigned", "foreign", "expired"])
def test_only_a_token_opens_the_contacts__s_i(
    hub: Hub, caller: httpx.Client, access: Access, path: str, kind: str
) -> None:
    token = caller.headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    past = claims | {"exp": int(time.time()) - 1, "iat": int(time.time()) - 3601}
    basic = base64.b64encode(f"{access.client_id}:{access.client_secret}".encode()).decode()
    header = {
        "none": "",
        "basic": f"Basic {basic}",
        "garbage": "Bearer a.b.c",
        "changed": f"Bearer {token[:-4]}AAAA",
        "unsigned": f"Bearer {jwt.encode(claims, '', algorithm='none')}",
        "foreign": f"Bearer {jwt.encode(claims, 'another key of 32 bytes, or more')}",
        "expired": f"Bearer {jwt.encode(past, 'another key of 32 bytes, or more')}",
    }[kind]
    with from_address(hub, loopback_address()) as http:
        sent = {"Authorization": header} if header else {}

        refused(http.get(f"/contact-source/{path}", headers=sent), 401)


def test_a_token_ends_with_its_access__i(space: Space) -> None:
    access = space.access()
    with space.source(access) as http:
        assert http.get("contacts").status_code == 200

        space.delete_credential(access.client_id)

        refused(http.get("contacts"), 401)
        refused(http.get("token", auth=(access.client_id, access.client_secret)), 401)


def test_one_authorization_header_is_enough__i(hub: Hub, caller: httpx.Client) -> None:
    token = caller.headers["Authorization"]
    with from_address(hub, loopback_address()) as http:
        twice = [("Authorization", token), ("Authorization", token)]

        refused(http.get("/contact-source/contacts", headers=twice), 401)


def test_a_token_is_of_its_own_workspace__i(hub: Hub, connect: httpx.Client, admin: httpx.Client) -> None:
    fill(connect, 1)

    with create_space(hub, admin).source() as theirs:
        assert theirs.get("contacts").json() == {"contacts": [], "has_more": False}
