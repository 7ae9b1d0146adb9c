"""A connect workspace by its document (connect-contacts.txt), over real HTTP."""

import re
from collections import Counter
from typing import Any

from aiohttp import web

from tests.fakes.line import Line

_WRITABLE = (
    "email", "firstName", "lastName", "jobTitle", "companyName", "phoneNumbers", "facebookUrl", "instagramUrl",
    "linkedinUrl", "note",
)  # fmt: skip


class ConnectFake(Line):
    """Takes a second contact of one e-mail, as the system does. `contacts` is what it holds."""

    def __init__(self) -> None:
        super().__init__(self._serve)
        self.key = "connect-key"
        self.contacts: list[dict[str, Any]] = []
        self.statuses = [
            {"id": 1, "type": "lead", "label": "New Lead", "color": "#3B82F6", "order": 1},
            {"id": 2, "type": "qualified", "label": "Qualified Lead", "color": "#10B981", "order": 2},
        ]
        self.effects: Counter[str] = Counter()
        """Contacts made, by e-mail or first name."""

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.headers.getall("X-Api-Key", []) != [self.key]:
            return _error(401, "Unauthorized")
        match request.method, request.path:
            case "GET", "/api/connect/contacts":
                return web.json_response(self._found(request.query.get("query", "").strip().casefold()))
            case "GET", "/api/connect/contacts/lead-statuses":
                return web.json_response(self.statuses)
            case "GET", "/api/connect/me":
                return web.json_response({"details": {"name": "A", "email": "a@b.in"}, "workspace": {"name": "Acme"}})
            case "POST", "/api/connect/contacts":
                return self._create(await request.json())
        return _error(404, "Not found")

    def _found(self, query: str) -> list[dict[str, Any]]:
        fields = ("firstName", "lastName", "email")
        return [each for each in self.contacts if any(query in (each[name] or "").casefold() for name in fields)]

    def _create(self, given: dict[str, Any]) -> web.Response:
        email, first = (given.get("email") or "").strip(), (given.get("firstName") or "").strip()
        if not email and not first:
            return _error(400, "At least email or firstName is required")
        if email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
            return _error(400, "Invalid email")
        status = next((each for each in self.statuses if each["id"] == given.get("leadStatus")), None)
        if given.get("leadStatus") is not None and status is None:
            return _error(400, "Invalid lead status")
        contact = {name: given.get(name) for name in _WRITABLE}
        contact |= {"id": len(self.contacts) + 1, "createdAt": "2026-03-01T12:00:00Z", "leadStatus": status}
        self.contacts.append(contact)
        self.effects[email or first] += 1
        return web.json_response(contact)


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
