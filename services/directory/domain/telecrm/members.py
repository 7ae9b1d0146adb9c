"""Team members as they are given, and as they are shown."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from services.directory.domain.member import License, Member, MemberState, Role
from services.directory.domain.telecrm.refusals import BadRequestError, Violation
from services.directory.domain.telecrm.values import is_email

STATES = (MemberState.ACTIVE, MemberState.INACTIVE, MemberState.ON_LEAVE, MemberState.WORKING)
INVALID_EMAIL = "Invalid email format"
_LONGEST_NAME, _LONGEST_PASSWORD = 256, 1024
# The country code and a number: E.164 without its sign.
_PHONE_NUMBER = re.compile(r"[1-9][0-9]{7,14}", re.ASCII)
_TEMPLATES = {
    Role.ADMIN: "Admin",
    Role.MANAGER: "Manager",
    Role.CALLER: "Caller",
    Role.MARKETING_USER: "Marketing User",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMember:
    """A member to add; `invited` when no password was given."""

    name: str = field(repr=False)
    email: str = field(repr=False)
    phone_number: str = field(repr=False)
    role: Role
    invited: bool


def read_new_member(body: Mapping[str, object]) -> NewMember:
    """Raises BadRequestError with a violation for each field that is missing or wrong."""
    name, email = _text(body, "name"), _text(body, "email")
    phone_number, role, password = _text(body, "phone_number", trimmed=False), _text(body, "role"), body.get("password")
    roles = [each.value for each in Role]
    found = (
        ("name", 0 < len(name) <= _LONGEST_NAME, f"Name must have 1 to {_LONGEST_NAME} characters"),
        ("email", is_email(email), INVALID_EMAIL),
        ("phone_number", _PHONE_NUMBER.fullmatch(phone_number) is not None, "Invalid phone_number format"),
        ("role", role in roles, f"Invalid role. Allowed roles: {', '.join(roles)}"),
        ("password", _is_password(password), f"Password must have 1 to {_LONGEST_PASSWORD} characters"),
    )
    if violations := [Violation(f"/{name}", message) for name, fits, message in found if not fits]:
        raise BadRequestError("Validation failed", violations)
    return NewMember(name=name, email=email, phone_number=phone_number, role=Role(role), invited=password is None)


def _is_password(value: object) -> bool:
    return value is None or (isinstance(value, str) and 0 < len(value) <= _LONGEST_PASSWORD)


def _text(body: Mapping[str, object], name: str, *, trimmed: bool = True) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        return ""
    return value.strip() if trimmed else value


def email_taken() -> BadRequestError:
    """Another member has the e-mail."""
    return BadRequestError("Validation failed", [Violation("/email", "A team member with this email already exists")])


def read_state(body: Mapping[str, object]) -> tuple[str, MemberState]:
    """Whose state, and which. Raises BadRequestError."""
    email, state = _text(body, "email"), body.get("state")
    found = next((each for each in STATES if each.value == state), None)
    states = ", ".join(each.value for each in STATES)
    violations = [
        *([] if is_email(email) else [Violation("/email", INVALID_EMAIL)]),
        *([] if found else [Violation("/state", f"Invalid state. Allowed states: {states}")]),
    ]
    if found is None or violations:
        raise BadRequestError(violations[0].message, violations)
    return email, found


def shown_member(member: Member, manager: Member | None) -> dict[str, object]:
    """As it is listed."""
    return {
        "name": member.name,
        "email": member.email,
        "status": member.state.value,
        "phone_number": member.phone_number or None,
        "manager_name": manager.name if manager else None,
        "manager_email": member.manager_email or None,
        "permission_template_name": _TEMPLATES[member.role],
        "license": _license(member.license),
    }


def _license(found: License | None) -> dict[str, object] | None:
    if found is None:
        return None
    return {
        "status": found.status,
        "type": found.type,
        "start_date": _day(found.start),
        "end_date": _day(found.end) if found.end else None,
    }


def _day(moment: datetime) -> str:
    return date.isoformat(moment.date())
