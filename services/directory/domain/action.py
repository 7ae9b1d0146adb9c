"""What was done about a lead: custom actions of the workspace, and payments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

from services.directory.domain.contact import ContactId

ActionId = NewType("ActionId", str)
PAYMENT = "PAYMENT"
"""The type of a payment; a custom action's type is its code, ACTION_1001."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A payment; `amount` is a numeric text above 0."""

    status: str
    currency: str
    amount: str
    payment_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something noted on a lead. `fields` are JSON values by apiName; `performed_by` is a member's e-mail, or empty.

    `version` grows by one with every change, from 1.
    """

    action_id: ActionId
    contact_id: ContactId
    type: str
    performed_by: str = field(default="", repr=False)
    performed_by_id: str = ""
    created_at: datetime
    changed_at: datetime
    fields: Mapping[str, object] = field(default_factory=dict, repr=False)
    payment: Payment | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class ActionFilter:
    """All that is given must match one and the same action; empty asks for nothing. Times are inclusive."""

    types: tuple[str, ...] = ()
    performers: tuple[str, ...] = field(default=(), repr=False)
    """E-mails, whatever their case, or ids of members."""
    since: datetime | None = None
    until: datetime | None = None

    def matches(self, action: Action) -> bool:
        """The rule that a store's query follows."""
        performers = {each.casefold() for each in self.performers}
        return (
            (not self.types or action.type in self.types)
            and (not performers or not performers.isdisjoint({action.performed_by.casefold(), action.performed_by_id}))
            and (self.since is None or action.created_at >= self.since)
            and (self.until is None or action.created_at <= self.until)
        )


@dataclass(frozen=True, slots=True)
class ActionPage:
    """Actions, newest first, and how many match in all."""

    actions: Sequence[Action] = field(repr=False)
    total: int
