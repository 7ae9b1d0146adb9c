"""What became of a lead or of actions that were sent."""

import re
from dataclasses import dataclass

from services.directory.domain.action import ActionId
from services.directory.domain.contact import ContactId
from services.directory.domain.telecrm.remarks import Remark

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The lead, the id of each action in the order in which they were sent (None: not kept), and what was not kept."""

    lead_id: ContactId
    action_ids: tuple[ActionId | None, ...]
    remarks: tuple[Remark, ...]


def is_id(text: str) -> bool:
    """Whether a lead or an action could have it."""
    return _ID.fullmatch(text) is not None
