"""A workspace for the pure rules of telecrm."""

import itertools
from datetime import UTC, datetime
from typing import Any

from services.directory.domain.contact import WorkspaceId
from services.directory.domain.spec import read_spec
from services.directory.domain.telecrm.values import Facts
from services.directory.domain.workspace import Workspace

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
FIELDS = [
    {"apiName": "note", "type": "text"},
    {"apiName": "mobile", "type": "phone"},
    {"apiName": "deal_size", "type": "number"},
    {"apiName": "visit", "type": "date"},
    {"apiName": "contact_source", "type": "dropdown", "options": ["Website", "Referral"]},
    {"apiName": "interests", "type": "tags"},
    {"apiName": "budget", "type": "money"},
    {"apiName": "site", "type": "website"},
    {"apiName": "brochure", "type": "medialink"},
    {"apiName": "owner", "type": "activeUsers"},
    {"apiName": "stars", "type": "rating"},
    {"apiName": "why_lost", "type": "lostReason"},
    {"apiName": "locked", "type": "text", "lockAfterCreate": True},
]
SPEC: dict[str, Any] = {
    "fields": FIELDS,
    "country": "IN",
    "actions": [
        {
            "code": "ACTION_1001",
            "displayName": "Site Visit",
            "fields": [{"apiName": "note", "type": "text"}, {"apiName": "email", "type": "email"}],
        },
        {"code": "ACTION_1002", "displayName": "Call"},
    ],
    "stages": {"OPEN": ["Fresh", "Contacted"], "WON": ["Won"], "LOST": ["Lost"]},
    "archived_statuses": ["Old"],
}
PHONES = {"9999999999": "+919999999999", "919999999999": "+919999999999", "+919999999999": "+919999999999"}


def workspace(**over: Any) -> Workspace:
    ids = itertools.count()
    return read_spec(
        SPEC | over, workspace_id=WorkspaceId("w"), name="Acme", new_id=lambda: f"{next(ids):024x}", now=NOW
    )


def facts(of: Workspace) -> Facts:
    return Facts(of.pipeline, PHONES, frozenset({"agent@company.com"}))
