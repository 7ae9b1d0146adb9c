"""A connect workspace, for the time of one part (connect-contacts.txt)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from libs.egress import Unanswered
from services.delivery.ports import Clock
from services.delivery.sender.api import Api, Said, member
from services.delivery.sender.part import Trouble, trouble_of

REMEMBERED = timedelta(minutes=5)
"""How late a new lead status is noticed."""
CONTACTS = "/api/connect/contacts"


def root_of(url: str) -> str:
    """Return where /api/connect lies, wherever in it the URL points."""
    return url.rstrip("/").removesuffix("/contacts").removesuffix("/api/connect")


async def search(api: Api, text: str) -> Sequence[Mapping[str, Any]] | Said | Unanswered:
    """Give the contacts whose name or e-mail holds the text, or the answer that is no list."""
    answer = await api.ask("GET", f"{CONTACTS}?query={quote(text, safe='')}")
    if isinstance(answer, Unanswered) or answer.status != 200:
        return answer
    found = answer.data if isinstance(answer.data, list) else answer.member("contacts", "data")
    if not isinstance(found, list):
        return Said(status=200, data=None, body=answer.body, retry_after=None)
    return [each for each in found if isinstance(each, dict)]


class LeadStatuses:
    """The ids of lead statuses by their labels, remembered for a while."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[tuple[str, ...], tuple[datetime, Mapping[str, Any]]] = {}

    async def find(self, api: Api, label: str, *key: str) -> Any | Trouble:
        """Give the id that the label has in the workspace that `key` stands for. None: it has no such label."""
        now = self._clock.now()
        at, ids = self._known.get(key, (now, None))
        if ids is None or now - at >= REMEMBERED or label.casefold() not in ids:
            asked = await _ask(api)
            if isinstance(asked, Trouble):
                return asked
            ids = asked
            self._known[key] = (now, ids)
        return ids.get(label.casefold())


async def _ask(api: Api) -> Mapping[str, Any] | Trouble:
    answer = await api.ask("GET", f"{CONTACTS}/lead-statuses")
    if isinstance(answer, Unanswered):
        return Trouble(message=answer.message, wrote=False, ends_part=True)
    if answer.status == 404:
        return {}  # the contacts were found, so it is only this that is not there
    listed = answer.data if isinstance(answer.data, list) else answer.member("data", "leadStatuses")
    if answer.status != 200 or not isinstance(listed, list):
        return trouble_of(answer, wrote=False, by_destination=not answer.is_passing)
    return {str(member(each, "label") or "").strip().casefold(): member(each, "id") for each in listed}
