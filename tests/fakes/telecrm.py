"""A telecrm workspace by its document (telecrm-sync-api.txt), as far as its lead endpoints go, over real HTTP."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.fakes.line import Line

FIELDS: list[dict[str, Any]] = [
    {"type": "phone", "apiName": "phone", "lockAfterCreate": True, "isLeadid": True, "options": []},
    {"type": "text", "apiName": "name", "lockAfterCreate": False, "isLeadid": False, "options": []},
    {"type": "email", "apiName": "email", "lockAfterCreate": False, "isLeadid": False, "options": []},
    {"type": "text", "apiName": "company_name", "lockAfterCreate": False, "isLeadid": False, "options": []},
    {"type": "rating", "apiName": "rating", "lockAfterCreate": False, "isLeadid": False, "options": []},
    {"type": "tags", "apiName": "tags", "lockAfterCreate": False, "isLeadid": False, "options": []},
    {"type": "text", "apiName": "Ad_Source", "lockAfterCreate": True, "isLeadid": False, "options": []},
]
NOT_AUTHORIZED = "Enterprise with ID {} not found or invalid access token."


class TelecrmFake(Line):
    """One workspace, `ent-1`, opened by `token`. `leads` is what it holds."""

    def __init__(self, *, fields: list[dict[str, Any]] | None = None, id_key: str = "id", country: str = "91") -> None:
        super().__init__(self._serve)
        self.fields = FIELDS if fields is None else fields
        self.id_key = id_key
        """What a row of a search calls its id; live workspaces differ. Empty: nothing, as documented."""
        self.token = "sync-token"
        self.metadata_identifier = "phone"
        self.leads: dict[str, dict[str, Any]] = {}
        self.effects: Counter[str] = Counter()
        """Writes by kind and identifier: "created +91…"."""
        self._country = country

    @property
    def base(self) -> str:
        """As an operator gives it."""
        return f"{self.url}/autoupdate/v2"

    @property
    def identifier(self) -> str:
        return next((each["apiName"] for each in self.fields if each["isLeadid"]), "phone")

    def lead(self, identifier: str) -> dict[str, Any]:
        return next(lead for lead in self.leads.values() if self._same(lead[self.identifier], identifier))

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        prefix, tokens = "/autoupdate/v2/enterprise/ent-1/", request.headers.getall("Authorization", [])
        if tokens != [f"Bearer {self.token}"] or not request.path.startswith(prefix):
            return _error(401, "NOT_AUTHORIZED", NOT_AUTHORIZED.format("ent-1"))
        path = request.path.removeprefix(prefix).split("/")
        if request.method == "POST" and path[0] == "lead":
            return self._write(path[1:], (await request.json()).get("fields", {}))
        if request.method == "GET" and path == ["custom-fields"]:
            return web.json_response({"customFields": self.fields})
        if request.method == "GET" and path == ["metadata"]:
            return web.json_response({"id": "ent-1", "leadIdentifierFieldId": self.metadata_identifier})
        return _error(404, "NOT_FOUND", "Cannot find it.")

    def _write(self, path: list[str], fields: Mapping[str, Any]) -> web.Response:
        match path:
            case []:
                return self._create(fields)
            case ["search"]:
                return self._search(fields)
            case [lead_id]:
                return self._update(lead_id, fields)
            case _:
                return _error(404, "NOT_FOUND", "Cannot find it.")

    def _create(self, fields: Mapping[str, Any]) -> web.Response:
        identifier = fields.get(self.identifier)
        if not identifier:
            return _error(400, "INVALID_LEAD", "Lead identifier is missing.")
        if any(self._same(lead[self.identifier], identifier) for lead in self.leads.values()):
            return _error(409, "LEAD_ALREADY_EXISTS", f"A lead with {identifier} exists already.")
        flaws = {name: flaw for name, value in fields.items() if (flaw := self._flaw(name, value))}
        lead_id = f"{len(self.leads) + 1:024x}"
        self.leads[lead_id] = {name: self._stored(name, value) for name, value in fields.items() if name not in flaws}
        self.effects[f"created {identifier}"] += 1
        remarks = [{"field": f"fields.{name}", "status": "IGNORED", "remark": flaw} for name, flaw in flaws.items()]
        return web.json_response({"lead_id": lead_id, "actions": [], "remarks": remarks}, status=201)

    def _update(self, lead_id: str, fields: Mapping[str, Any]) -> web.Response:
        lead = self.leads.get(lead_id)
        if lead is None:
            return _error(404, "LEAD_NOT_FOUND", "No such lead.")
        if self.identifier in fields:
            return _error(403, "INVALID_LEAD", "Cannot modify lead identifier field")
        known = {each["apiName"]: each for each in self.fields}
        for name, value in fields.items():
            if name in known and (flaw := self._flaw(name, value)):
                return _error(400, "VALIDATION_ERROR", f"{name}: {flaw}, got {value}")
        lead.update({name: value for name, value in fields.items() if name in known})
        self.effects[f"updated {lead[self.identifier]}"] += 1
        return web.json_response({"fields": lead})

    def _search(self, wanted: Mapping[str, Any]) -> web.Response:
        found = [(lead_id, lead) for lead_id, lead in self.leads.items() if self._meets(lead, wanted)]
        rows = [{"fields": lead} | ({self.id_key: lead_id} if self.id_key else {}) for lead_id, lead in found]
        return web.json_response({"data": rows[::-1][:10], "total_count": len(rows), "skip": 0, "limit": 10})

    def _meets(self, lead: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
        return all(
            any(self._same(str(lead.get(name, "")), each) for each in (value if isinstance(value, list) else [value]))
            for name, value in wanted.items()
        )

    def _same(self, one: str, other: str) -> bool:
        return self._normal(one) == self._normal(other)

    def _normal(self, value: str) -> str:
        bare = value.lstrip("+")
        if bare.isdecimal():
            return bare if len(bare) > 10 else self._country + bare
        return value.casefold()

    def _stored(self, name: str, value: Any) -> Any:
        return self._normal(value) if name == "phone" else value

    def _flaw(self, name: str, value: Any) -> str:
        kind = next((each["type"] for each in self.fields if each["apiName"] == name), None)
        match kind:
            case None:
                return "No such field"
            case "rating" if not (isinstance(value, int) and 1 <= value <= 5):
                return "Rating must be between 1 and 5"
            case "email" if "@" not in str(value):
                return "Email is invalid"
            case "tags" if not isinstance(value, list):
                return "Tags must be a list"
        return ""


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)
