"""What a delivery does to the book."""

from collections.abc import Collection, Sequence
from typing import assert_never

from services.directory.domain.contact import Contact, ContactId, Details, Given, Identity, Tombstone, Unreadable
from services.directory.domain.delivery import Applied, Claim, Decision, Failure, Known, RowState
from services.directory.domain.details import let_go, merge
from services.directory.domain.identity import agree, is_email, is_shared_only, scopes_of
from services.directory.domain.leads import Turn
from services.directory.domain.minting import Mint


def decide(given: Sequence[Given], known: Known, *, mint: Mint, turn: Turn) -> Decision:
    """Applies the contacts in order, each to what the one before it left. The same input gives the same decision."""
    draft = _Draft(known, mint, turn)
    states = bytearray()
    failures: list[Failure] = []
    for position, contact in enumerate(given):
        match contact:
            case Details():
                states.append(draft.upsert(contact, position))
            case Tombstone(details):
                states.append(draft.delete(details))
            case Unreadable(reason):
                states.append(RowState.FAILED)
                failures.append(Failure(position, reason))
            case _:
                assert_never(contact)
    return draft.decision(Applied(bytes(states), tuple(failures)))


class _Draft:
    """The part of the book that a delivery touches, as its contacts change it one by one."""

    def __init__(self, known: Known, mint: Mint, turn: Turn) -> None:
        self._known = known
        self._mint = mint
        self._turn = turn
        self._owners = dict(known.owners)
        self._contacts = dict(known.contacts)
        self._created: dict[ContactId, None] = {}
        self._changed: dict[ContactId, None] = {}
        self._deleted: dict[ContactId, Contact] = {}
        self._claims: list[Claim] = []
        self._dropped: list[tuple[Identity, ContactId]] = []
        self._numbers = 0

    def upsert(self, given: Details, position: int) -> RowState:
        contact = self._find(given)
        if contact is None:
            self._create(given, position)
            return RowState.CREATED
        merged = merge(contact.details, given)
        if merged is contact.details:
            return RowState.UNCHANGED
        self._change(contact, merged)
        return RowState.UPDATED

    def delete(self, given: Details) -> RowState:
        """UNCHANGED when nothing leads to a contact: it is gone already, or never came.

        A contact that another source has too stays, without the ids of the one that deleted it.
        """
        contact = self._find(given)
        if contact is None:
            return RowState.UNCHANGED
        kept = let_go(contact.details, given.external_ids)
        self._remove(contact) if kept is None else self._leave(contact, kept)
        return RowState.UPDATED

    def _leave(self, contact: Contact, kept: Details) -> None:
        self._change(contact, kept)
        dropped = [each for each in contact.details.identities if each not in kept.identities]
        self._dropped += [(identity, contact.contact_id) for identity in dropped]
        self._give_up(contact, dropped)

    def _give_up(self, contact: Contact, identities: Collection[Identity]) -> None:
        contact_id = contact.contact_id
        kept = [each for each in self._claims if each.contact_id != contact_id or each.identity not in identities]
        self._claims = kept
        for identity in identities:
            if self._owners.get(identity) == contact_id:
                del self._owners[identity]

    def _remove(self, contact: Contact) -> None:
        contact_id = contact.contact_id
        del self._contacts[contact_id]
        self._changed.pop(contact_id, None)
        if contact_id in self._created:  # nobody has seen it yet: no tombstone is owed
            del self._created[contact_id]
        else:
            self._deleted[contact_id] = self._known.contacts[contact_id]
        self._give_up(contact, contact.details.identities)

    def decision(self, applied: Applied) -> Decision:
        return Decision(
            applied,
            self._turn.at,
            created=[self._contacts[contact_id] for contact_id in self._created],
            changed=[(self._known.contacts[contact_id], self._contacts[contact_id]) for contact_id in self._changed],
            deleted=list(self._deleted.values()),
            claims=self._claims,
            dropped=self._dropped,
        )

    def _find(self, given: Details) -> Contact | None:
        """By the first identity that leads to a contact.

        An e-mail leads to no contact of another phone: people share addresses, and merging two of them loses one.
        An external id does: it is its system's own word that this is the same contact, whose phone has changed. Where
        it is a source's own, it comes first, and nothing else leads to a contact that has another id of that source.
        """
        scopes = scopes_of(given.external_ids) if given.external_ids else None
        for identity in given.identities:
            owner = self._owners.get(identity)
            if owner is None or is_shared_only(identity, given.external_ids):
                continue
            contact = self._contacts[owner]
            if is_email(identity) and given.phone and contact.details.phone:
                continue
            if not scopes or agree(scopes, contact.details.external_ids):
                return contact
        return None

    def _create(self, given: Details, position: int) -> None:
        number = self._turn.number + self._numbers
        self._numbers += 1
        contact = Contact(self._mint.contact_id(position), 1, self._turn.at, self._turn.at, given, number)
        self._contacts[contact.contact_id] = contact
        self._created[contact.contact_id] = None
        for identity in given.identities:
            self._claim(identity, contact)

    def _change(self, contact: Contact, merged: Details) -> None:
        contact_id = contact.contact_id
        changed = Contact(contact_id, contact.version + 1, contact.created_at, self._turn.at, merged, contact.number)
        self._contacts[contact_id] = changed
        if contact_id not in self._created:
            self._changed[contact_id] = None
        held = set(contact.details.identities)
        for identity in merged.identities:
            if identity not in held:
                self._claim(identity, changed)

    def _claim(self, identity: Identity, contact: Contact) -> None:
        self._claims.append(claim(identity, contact, self._owners))


def claim(identity: Identity, contact: Contact, owners: dict[Identity, ContactId]) -> Claim:
    """As the owner when there is none yet, which `owners` then knows."""
    if is_shared_only(identity, contact.details.external_ids):
        return Claim(identity, contact.contact_id, owner=False)
    return Claim(identity, contact.contact_id, owners.setdefault(identity, contact.contact_id) == contact.contact_id)
