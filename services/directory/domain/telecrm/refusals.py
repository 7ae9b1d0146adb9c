"""What a caller of the telecrm APIs is refused with: the API's own code, and the reason that gives the status."""

from collections.abc import Sequence
from dataclasses import dataclass

_SHOWN = 64


@dataclass(frozen=True, slots=True)
class Violation:
    """A field of the request that breaks a rule; `pointer` is a JSON Pointer to it."""

    pointer: str
    message: str
    code: str = ""
    value: str = ""


class TelecrmRefusedError(Exception):
    """The request is refused. `message` goes to the caller alone: it may hold an id that the caller gave."""

    reason = "VALIDATION_ERROR"
    code = "BAD_REQUEST"

    def __init__(self, message: str, violations: Sequence[Violation] = ()) -> None:
        super().__init__(self.code)
        self.message = message
        self.violations = violations


class BadRequestError(TelecrmRefusedError):
    """The request as a whole is not what the route takes."""


class InvalidValueError(TelecrmRefusedError):
    """A field cannot hold the value given for it, and nothing was changed."""

    code = "VALIDATION_ERROR"


class InvalidLeadError(TelecrmRefusedError):
    """The lead has no identifier, or one that is none."""

    code = "INVALID_LEAD"


class FixedIdentifierError(TelecrmRefusedError):
    """The identifier stays as the lead was created with it."""

    reason, code = "FORBIDDEN", "INVALID_LEAD"

    def __init__(self) -> None:
        super().__init__("Cannot modify lead identifier field")


class LeadExistsError(TelecrmRefusedError):
    """Another lead has the identifier."""

    reason, code = "STATE_CONFLICT", "LEAD_ALREADY_EXISTS"

    def __init__(self) -> None:
        super().__init__("A lead with the same identifier already exists")


class LeadNotFoundError(TelecrmRefusedError):
    """There is no such lead in this workspace."""

    reason, code = "NOT_FOUND", "LEAD_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("No lead with the given ID exists.")


class ActionNotFoundError(TelecrmRefusedError):
    """The lead has no such action."""

    reason, code = "NOT_FOUND", "ACTION_NOT_FOUND"

    def __init__(self, action_id: str) -> None:
        super().__init__(f"Action with ID {shown(action_id)} was not found.")


class MemberNotFoundError(TelecrmRefusedError):
    """The workspace has no such member."""

    reason, code = "NOT_FOUND", "TEAM_MEMBER_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("Team member not found")


class EnterpriseNotFoundError(TelecrmRefusedError):
    """The workspace was there when the token was checked, and is no more."""

    reason, code = "NOT_FOUND", "ENTERPRISE_NOT_FOUND"

    def __init__(self, enterprise_id: str) -> None:
        super().__init__(f"The enterprise with ID {shown(enterprise_id)} was not found.")


class DefinitionNotFoundError(TelecrmRefusedError):
    """The workspace has no such custom field or custom action."""

    reason, code = "NOT_FOUND", "NOT_FOUND"


class NoSeatError(TelecrmRefusedError):
    """Every seat of the workspace is taken."""

    reason, code = "SEATS_TAKEN", "BUY_LICENSE"

    def __init__(self) -> None:
        super().__init__("All license seats are in use. Buy more licenses, or delete a team member.")


def shown(text: str) -> str:
    """What a caller gave, shortened for an answer."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
