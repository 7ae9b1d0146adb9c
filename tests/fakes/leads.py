"""The lead search of a telecrm workspace (telecrm-sync-api.txt), as documented and as other workspaces have it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from aiohttp import web

from tests.fakes.line import Line


class Bounds(Enum):
    """What becomes of a search by created_on."""

    KEPT = auto()
    IGNORED = auto()
    REFUSED = auto()
    MISREAD = auto()
    """It is taken for the value of a field, which no lead has."""


@dataclass
class Lead:
    """A lead. `created`: milliseconds."""

    lead_id: str
    created: int
    fields: dict[str, Any] = field(default_factory=dict)
    status: str | None = None


class LeadsFake(Line):
    """`enterprise` ent-1, opened by `token`."""

    def __init__(self, leads: list[Lead]) -> None:
        super().__init__(self._serve)
        self.leads = leads
        self.token = "sync-token"
        self.id_key = "id"
        """What rows call the id. Empty: nothing, as documented."""
        self.tells_created = True
        self.tells_total = True
        self.bounds = Bounds.KEPT
        self.between: Callable[[], None] = lambda: None
        """Happens after every answer."""

    @property
    def base(self) -> str:
        """As an operator gives it."""
        return f"{self.url}/autoupdate/v2"

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.headers.getall("Authorization", []) != [f"Bearer {self.token}"]:
            return _error(401, "NOT_AUTHORIZED")
        if (request.method, request.path) != ("POST", "/autoupdate/v2/enterprise/ent-1/lead/search"):
            return _error(404, "NOT_FOUND")
        skip, limit = int(request.query.get("skip", 0)), int(request.query.get("limit", 10))
        created_on = (await request.json()).get("fields", {}).get("created_on")
        if not 1 <= limit <= 100 or (created_on and self.bounds is Bounds.REFUSED):
            return _error(400, "BAD_REQUEST")
        found = sorted(self._found(created_on), key=lambda lead: lead.created, reverse=True)
        page = {"data": [self._row(lead) for lead in found[skip : skip + limit]], "skip": skip, "limit": limit}
        self.between()
        return web.json_response(page | ({"total_count": len(found)} if self.tells_total else {}))

    def _found(self, created_on: dict[str, int] | None) -> list[Lead]:
        if created_on is None or self.bounds is Bounds.IGNORED:
            return list(self.leads)
        if self.bounds is Bounds.MISREAD:
            return []
        return [lead for lead in self.leads if created_on["from"] <= lead.created <= created_on["to"]]

    def _row(self, lead: Lead) -> dict[str, Any]:
        fields = lead.fields | ({"created_on": lead.created} if self.tells_created else {})
        return {"fields": fields, "status": lead.status} | ({self.id_key: lead.lead_id} if self.id_key else {})


def _error(status: int, code: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": "Told to."}}, status=status)
