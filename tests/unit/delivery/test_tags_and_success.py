"""Which contacts a destination takes, and what it calls success."""

import json

import pytest

from services.delivery.domain.success import ANY_2XX, SuccessRule
from services.delivery.domain.tags import EVERYONE, TagFilter, wanted

CONTACTS = json.dumps(
    [
        {"phone": "+1", "tags": ["vip", "лид"]},
        {"phone": "+2", "tags": ["test", "vip"]},
        {"phone": "+3", "tags": []},
        {"phone": "+4"},
        {"phone": "+5", "tags": ["test"], "deleted": True},
    ]
).encode()


@pytest.mark.parametrize(
    ("tags", "passing"),
    [
        (EVERYONE, (0, 1, 2, 3, 4)),
        (TagFilter(any_of=("vip",)), (0, 1, 4)),
        (TagFilter(any_of=("лид", "test")), (0, 1, 4)),
        (TagFilter(none_of=("test",)), (0, 2, 3, 4)),
        (TagFilter(any_of=("vip",), none_of=("test",)), (0, 4)),
        (TagFilter(any_of=("VIP",)), (4,)),
    ],
)
def test_contacts_pass_by_their_tags_and_deletions_always(tags: TagFilter, passing: tuple[int, ...]) -> None:
    assert wanted(CONTACTS, tags) == passing


@pytest.mark.parametrize(
    ("rule", "status", "taken"),
    [(ANY_2XX, 204, True), (ANY_2XX, 302, False), (ANY_2XX, 404, False), (SuccessRule(statuses=(200, 409)), 409, True),
     (SuccessRule(statuses=(200,)), 201, False)],
)  # fmt: skip
def test_a_status_is_success_when_the_rule_says_so(rule: SuccessRule, status: int, *, taken: bool) -> None:
    assert rule.takes_status(status) is taken


@pytest.mark.parametrize(
    ("field", "equals", "body", "taken"),
    [
        ("", "", b"whatever", True),
        ("ok", "", b'{"ok": true}', True),
        ("ok", "", b'{"ok": 0}', False),
        ("ok", "", b'{"no": 1}', False),
        ("result.code", "0", b'{"result": {"code": 0}}', True),
        ("result.code", "0", b'{"result": {"code": "0"}}', True),
        ("result.code", "0", b'{"result": {"code": 1}}', False),
        ("result.code", "0", b'{"result": []}', False),
        ("status", "ok", b'{"status": "ok"}', True),
        ("status", '"ok"', b'{"status": "ok"}', True),
        ("status", "null", b'{"status": null}', True),
        ("status", "ok", b"<html>", False),
        ("status", "ok", b"\xff", False),
        ("status", "ok", b"[" * 100_000, False),
    ],
)
def test_a_body_is_success_when_its_field_says_so(field: str, equals: str, body: bytes, *, taken: bool) -> None:
    assert SuccessRule(body_field=field, body_equals=equals).takes_body(body) is taken
