"""A connect workspace, by its contacts API: search first, and create what is not there.

The API takes a second contact of one e-mail, and cannot change or delete one. So the search comes first; a contact that
is there and differs is `unsupported`, which is seen, and not a second contact, which is not.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

from typing_extensions import override

from libs.egress import Outlet, Unanswered
from services.delivery.domain.answer import Answer
from services.delivery.domain.delivery import Parcel, RowState
from services.delivery.domain.destination import Destination
from services.delivery.domain.echo import Written
from services.delivery.ports import Clock, Echoes, Lookup, Sender
from services.delivery.sender.api import Api, Said, member
from services.delivery.sender.connect.fields import Card, differing, is_same_person, write_card
from services.delivery.sender.connect.workspace import CONTACTS, LeadStatuses, root_of, search
from services.delivery.sender.contacts import Contact, read_parcel
from services.delivery.sender.echoes import written
from services.delivery.sender.part import Part, RowEnd, Trouble, again, failed, trouble_of, unsupported
from services.delivery.sender.spelling import Known

CANNOT_DELETE = "connect's API cannot delete a contact."
INVALID_STATUS = "Invalid lead status"
_TEXTS = {
    "At least email or firstName is required": "it needs an e-mail or a first name",
    "Invalid email": "the e-mail is invalid",
    INVALID_STATUS: "the lead status is invalid",
}
"""The errors of the contract. Any other text of an answer may hold contact data, and is not told."""


Locks = WeakValueDictionary[tuple[str, str], asyncio.Lock]


class ConnectSender(Sender, Lookup):
    """Idempotent as far as a search finds what a lost answer left behind: by e-mail, else by name and phone."""

    def __init__(self, outlet: Outlet, *, clock: Clock, echoes: Echoes) -> None:
        self._outlet = outlet
        self._clock = clock
        self._echoes = echoes
        self._statuses = LeadStatuses(clock)
        self._at_work: Locks = WeakValueDictionary()

    @override
    async def send(self, parcel: Parcel) -> Answer:
        """Write each contact."""
        contacts = self._open(parcel)
        part = Part(read_parcel(parcel), idempotent=parcel.destination.idempotent, identified_by=Known.EMAIL)
        answer = await part.send(contacts.write)
        await self._echoes.remember(parcel.destination, contacts.wrote)
        return answer

    @override
    async def look_up(self, parcel: Parcel) -> Answer | None:
        """Search each contact: one that is there arrived."""
        return await Part(read_parcel(parcel), idempotent=True).send(self._open(parcel).look_up)

    def _open(self, parcel: Parcel) -> "_Contacts":
        destination = parcel.destination
        api = Api(
            self._outlet,
            clock=self._clock,
            parcel=parcel,
            base=root_of(destination.url),
            headers={"X-Api-Key": destination.credentials.api_key},
            until=self._clock.now() + destination.part_timeout,
        )
        return _Contacts(api, self._statuses, destination, at_work=self._at_work)


class _Contacts:
    """The contacts of one workspace, while one part is written."""

    def __init__(self, api: Api, statuses: LeadStatuses, destination: Destination, *, at_work: "Locks") -> None:
        """`at_work` keeps two parts from finding at once that one e-mail is not there, and creating it twice."""
        self._api = api
        self._at_work = at_work
        self._statuses = statuses
        self._destination = destination
        self.wrote: list[Written] = []

    async def write(self, contact: Contact) -> RowEnd:
        """Create it, unless it is there."""
        card = self._read(contact)
        if isinstance(card, RowEnd):
            return card
        key = (self._destination.destination_id, card.email.casefold() or str(card.values["firstName"]))
        async with self._at_work.setdefault(key, asyncio.Lock()):
            return await self._find_or_create(card)

    async def _find_or_create(self, card: Card) -> RowEnd:
        found = await self._search(card)
        if isinstance(found, RowEnd):
            return found
        if found is None:
            return await self._create(card)
        others = differing(card, found)
        if others:
            return unsupported(f"The contact is there, and connect's API cannot change its {', '.join(others)}.")
        self._note(card, found)
        return RowEnd(state=RowState.UNCHANGED, reason=_homeless(card))

    async def look_up(self, contact: Contact) -> RowEnd:
        """Search, and write nothing."""
        card = self._read(contact)
        if isinstance(card, RowEnd):
            return card
        found = await self._search(card)
        if isinstance(found, RowEnd):
            return found
        return again(Trouble(status=404, message="It did not arrive.")) if found is None else _created("")

    def _read(self, contact: Contact) -> Card | RowEnd:
        if contact.deleted:
            return unsupported(CANNOT_DELETE)
        card = write_card(contact, self._destination.fields)
        if not card.email and not card.values.get("firstName"):
            return failed("It has neither an e-mail nor a first name, and connect demands one of them.")
        return card

    async def _search(self, card: Card) -> Mapping[str, Any] | RowEnd | None:
        found = await search(self._api, card.email or str(card.values["firstName"]))
        if isinstance(found, Said | Unanswered):
            return _unwritten(found, wrote=False)
        same = [each for each in found if is_same_person(card, each)]
        return min(same, key=lambda each: len(differing(card, each)), default=None)

    async def _create(self, card: Card) -> RowEnd:
        status, flaw = await self._lead_status(card)
        if isinstance(status, Trouble):
            return again(status)
        answer = await self._post(card, status)
        if status is not None and isinstance(answer, Said) and answer.member("error") == INVALID_STATUS:
            answer, flaw = await self._post(card, None), "connect does not take the lead status."
        if isinstance(answer, Unanswered) or not 200 <= answer.status < 300:
            return _unwritten(answer, wrote=True)
        if member(answer.data, "id", "_id") is None:
            return again(
                Trouble(status=answer.status, message="connect took a contact and does not name it."), answer.body
            )
        self._note(card, answer.data)
        return _created(" ".join(filter(None, (flaw, _homeless(card)))))

    async def _post(self, card: Card, status: Any) -> Said | Unanswered:
        body = {**card.values} if status is None else {**card.values, "leadStatus": status}
        return await self._api.ask("POST", CONTACTS, body)

    async def _lead_status(self, card: Card) -> tuple[Any | Trouble | None, str]:
        """The id for the contact's own label, else the destination's; and what is wrong with it."""
        label = card.lead_status or self._destination.lead_status
        if not label:
            return None, ""
        destination = self._destination
        found = await self._statuses.find(self._api, label, destination.url, destination.credentials.api_key)
        return found, "" if found is not None else "The workspace has no lead status of that label."

    def _note(self, card: Card, stored: Mapping[str, Any]) -> None:
        remote_id = str(member(stored, "id", "_id") or "")
        if remote_id:
            self.wrote.append(written(remote_id, value_of=card.known))


def _created(reason: str) -> RowEnd:
    return RowEnd(state=RowState.CREATED, reason=reason)


def _unwritten(answer: Said | Unanswered, *, wrote: bool) -> RowEnd:
    """Read an answer that is no success: of this contact, of all, or of the moment."""
    if isinstance(answer, Unanswered):
        return again(trouble_of(answer, wrote=wrote))
    if answer.is_passing:
        return again(trouble_of(answer, wrote=wrote), answer.body)
    if answer.is_of_destination:
        return again(trouble_of(answer, wrote=wrote, by_destination=True), answer.body)
    because = _TEXTS.get(str(answer.member("error")), "")
    return failed(f"connect refused the contact ({answer.status}{f': {because}' if because else ''}).", answer.body)


def _homeless(card: Card) -> str:
    names: Sequence[str] = card.homeless[:10]
    return f"connect has no field for: {', '.join(names)}." if names else ""
