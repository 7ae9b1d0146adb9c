"""Bodies of the answers about leads, actions and members."""

from typing import Any

import msgspec

from services.directory.domain.action import Action, ActionPage
from services.directory.domain.member import Member, MemberState
from services.directory.domain.telecrm.actions import shown_action
from services.directory.domain.telecrm.leads import shown_fields, shown_status
from services.directory.domain.telecrm.members import shown_member
from services.directory.domain.telecrm.outcomes import Outcome
from services.directory.domain.telecrm.paging import Paging
from services.directory.handler.telecrm import FoundLead, FoundLeads, ShownMember, ShownMembers

encode = msgspec.json.Encoder().encode


def outcome(found: Outcome) -> bytes:
    """What became of a lead or of actions."""
    return encode(
        {
            "lead_id": found.lead_id,
            "actions": [
                {"action_id": action_id, "status": "IGNORED" if action_id is None else "CREATED"}
                for action_id in found.action_ids
            ],
            "remarks": [{"field": each.field, "status": "IGNORED", "remark": each.remark} for each in found.remarks],
        }
    )


def lead(found: FoundLead, actions: Paging | None) -> bytes:
    """A lead, with the page of its actions that was asked for."""
    body: dict[str, Any] = {"fields": shown_fields(found.contact, found.workspace)}
    if actions is not None:
        body["actions"] = [shown_action(each) for each in found.actions or ()]
        body |= {"actions_skip": actions.skip, "actions_limit": actions.limit}
    return encode(body)


def leads(found: FoundLeads, paging: Paging) -> bytes:
    """A page of leads."""
    rows = [
        {
            "id": contact.contact_id,
            "fields": shown_fields(contact, found.workspace),
            "status": shown_status(contact, found.workspace),
        }
        for contact in found.page.contacts
    ]
    return _page(rows, found.page.total, paging)


def actions(found: ActionPage, paging: Paging) -> bytes:
    """A page of actions."""
    return _page([{"id": each.action_id} | shown_action(each) for each in found.actions], found.total, paging)


def action(found: Action) -> bytes:
    """An action."""
    return encode(shown_action(found))


def members(found: ShownMembers, paging: Paging) -> bytes:
    """A page of members."""
    return _page([shown_member(each.member, each.manager) for each in found.members], found.total, paging)


def member(found: ShownMember) -> bytes:
    """A member."""
    return encode(shown_member(found.member, found.manager))


def added_member(added: Member) -> bytes:
    """A member that was added; INVITED is written in capitals here alone."""
    invited = added.state is MemberState.INVITED
    return encode(
        {
            "name": added.name,
            "email": added.email,
            "phone_number": added.phone_number,
            "role": added.role.value,
            "status": "INVITED" if invited else added.state.value,
        }
    )


def member_state(changed: Member) -> bytes:
    """A member after its state changed."""
    return encode({"email": changed.email, "status": changed.state.value})


def _page(rows: list[dict[str, Any]], total: int, paging: Paging) -> bytes:
    return encode({"data": rows, "total_count": total, "skip": paging.skip, "limit": paging.limit})
