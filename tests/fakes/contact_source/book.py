"""The contacts of a source, with when they changed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

Document = dict[str, Any]
_encode = msgspec.json.Encoder().encode


def make_contact(number: int, *, mark: str = "") -> Document:
    """A contact that no other number has; the same one every time."""
    phones = [{"number": f"+791{number:08d}", "label": "mobile"}]
    if number % 3 == 0:
        phones.append({"number": f"+7495{1_000_000 + number:07d}", "label": "work"})
    return {
        "id": str(number),
        "first_name": "Виктор",
        "last_name": f"Иванов-{number}{mark}",
        "company": f"ООО «Ромашка {number % 100}»",
        "type": "lead" if number % 2 else "customer",
        "phones": phones,
        "emails": [{"email": f"victor.{number}@example.org", "label": "business"}],
    }


class Book:
    """Ids are strings. Not frozen while it is paged: what a simple source does."""

    def __init__(self, contacts: Iterable[Document] = (), *, now: int = 1_700_000_000) -> None:
        self.now = now
        """UNIX seconds; what changes now changed at this time."""
        self._contacts: dict[str, Document] = {}
        self._changed: dict[str, int] = {}
        self._deleted: dict[str, int] = {}
        self._rendered: dict[object, bytes] = {}
        for contact in contacts:
            self.put(contact)

    @property
    def contacts(self) -> Mapping[str, Document]:
        """All that are not deleted, by id."""
        return self._contacts

    def put(self, contact: Document) -> None:
        """Create it or change it."""
        contact_id = str(contact["id"])
        self._contacts[contact_id] = contact
        self._changed[contact_id] = self.now
        self._deleted.pop(contact_id, None)
        self._rendered.clear()

    def delete(self, contact_id: str) -> None:
        """Delete it, if it is there."""
        if self._contacts.pop(contact_id, None) is not None:
            del self._changed[contact_id]
            self._deleted[contact_id] = self.now
            self._rendered.clear()

    def page(self, *, limit: int, page: int) -> Document:
        """A page of all, oldest first."""
        return _part("contacts", list(self._contacts.values()), limit=limit, page=page)

    def delta(self, *, since: int, limit: int, page: int) -> Document:
        """A page of what changed at this time or later."""
        updated = [self._contacts[each] for each in _since(self._changed, since)]
        changed = _part("updated", updated, limit=limit, page=page)
        deleted = _part("deleted", _since(self._deleted, since), limit=limit, page=page)
        return {**changed, **deleted, "has_more": changed["has_more"] or deleted["has_more"]}

    def rendered(self, *, since: int | None, limit: int, page: int) -> bytes:
        """The page as JSON, made once while nothing changes. `since`: of the delta."""
        key = (since, limit, page)
        if key not in self._rendered:
            document = self.page(limit=limit, page=page)
            if since is not None:
                document = self.delta(since=since, limit=limit, page=page)
            self._rendered[key] = _encode(document)
        return self._rendered[key]


def _since(times: Mapping[str, int], since: int) -> list[str]:
    return [each for each, at in sorted(times.items(), key=lambda item: (item[1], item[0])) if at >= since]


def _part(name: str, rows: Sequence[object], *, limit: int, page: int) -> Document:
    return {name: rows[(page - 1) * limit : page * limit], "has_more": len(rows) > page * limit}
