"""Actions as they are given, and as they are shown."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from services.directory.domain.action import PAYMENT, Action, ActionId, Payment
from services.directory.domain.contact import ContactId
from services.directory.domain.fields import FieldType
from services.directory.domain.telecrm.moments import read_moment
from services.directory.domain.telecrm.refusals import BadRequestError, InvalidValueError, Violation
from services.directory.domain.telecrm.remarks import Read, Remark, read_values
from services.directory.domain.telecrm.values import Facts
from services.directory.domain.workspace import CustomAction, Workspace

PREFIX: Final = "ACTION_"
PAYMENT_STATUSES: Final = ("PENDING", "COMPLETED", "FAILED", "REFUNDED", "CANCELLED", "PROCESSING")
CURRENCIES: Final = ("INR", "USD", "PKR", "AED", "QAR", "SAR", "MYR", "AUD", "CAD", "SGD", "XOF")
NOT_WRITABLE: Final = "Only custom actions and payment actions can be created"
_CODE = re.compile(r"[0-9]{1,18}", re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,9})?", re.ASCII)
_FIXED = ("amount", "currency", "paymentid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An action that can be kept; `created_at` None: now."""

    type: str
    fields: Mapping[str, object] = field(default_factory=dict, repr=False)
    payment: Payment | None = None
    created_at: datetime | None = None
    performed_by: str = field(default="", repr=False)

    def action(self, action_id: ActionId, contact_id: ContactId, *, now: datetime) -> Action:
        """The action of a lead."""
        at = self.created_at or now
        return Action(
            action_id=action_id,
            contact_id=contact_id,
            type=self.type,
            performed_by=self.performed_by,
            created_at=at,
            changed_at=now,
            fields=self.fields,
            payment=self.payment,
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of actions: a draft or None for each, in order, and remarks on all of them."""

    drafts: tuple[Draft | None, ...]
    remarks: tuple[Remark, ...]


def is_writable(type: object, *, prefix: str = "") -> bool:  # noqa: A002 - the contract's name for it
    """Whether it could be the type of a custom action or of a payment."""
    if not isinstance(type, str):
        return False
    return type == PAYMENT or (type.startswith(prefix) and _CODE.fullmatch(type.removeprefix(prefix)) is not None)


def judge_actions(
    given: list[object], workspace: Workspace, facts: Facts, *, now: datetime, prefix: str = ""
) -> Judged:
    """Judges each action for itself. `prefix` is what a custom action's code has before its number."""
    drafts: list[Draft | None] = []
    remarks: list[Remark] = []
    for place, each in enumerate(given):
        draft, found = _judge(each, workspace, facts, now=now, prefix=prefix, where=f"actions[{place}]")
        drafts.append(draft)
        remarks.extend(found)
    return Judged(tuple(drafts), tuple(remarks))


def _judge(
    given: object, workspace: Workspace, facts: Facts, *, now: datetime, prefix: str, where: str
) -> tuple[Draft | None, list[Remark]]:
    if not isinstance(given, dict):
        return None, [Remark(where, "An action must be an object")]
    kind = given.get("type")
    if not is_writable(kind, prefix=prefix):
        return None, [Remark(f"{where}.type", NOT_WRITABLE)]
    draft, remarks = (
        _judge_payment(given, where) if kind == PAYMENT else _judge_custom(given, workspace, facts, prefix, where)
    )
    at, faults = _times(given, where, now=now)
    performer, more = _performer(given, facts, where)
    remarks += [*faults, *more]
    if draft is None or faults:
        return None, remarks
    return replace(draft, created_at=at, performed_by=performer), remarks


def _times(given: Mapping[str, object], where: str, *, now: datetime) -> tuple[datetime | None, list[Remark]]:
    if "created_on" not in given:
        return None, []
    moment = read_moment(given["created_on"])
    if moment is None or moment > now:
        return None, [Remark(f"{where}.created_on", "Date is invalid, or still to come")]
    return moment, []


def _performer(given: Mapping[str, object], facts: Facts, where: str) -> tuple[str, list[Remark]]:
    value = given.get("performed_by", "")
    if isinstance(value, str) and (not value or value.strip().casefold() in facts.members):
        return value.strip(), []
    return "", [Remark(f"{where}.performed_by", "No active team member has this email")]


def _judge_payment(given: Mapping[str, object], where: str) -> tuple[Draft | None, list[Remark]]:
    remarks = [
        Remark(f"{where}.{name}", text)
        for name, text in (
            ("status", "" if given.get("status") in PAYMENT_STATUSES else _one_of("Status", PAYMENT_STATUSES)),
            ("currency", "" if given.get("currency") in CURRENCIES else _one_of("Currency", CURRENCIES)),
            ("amount", "" if _is_amount(given.get("amount")) else "Amount must be a numeric string above 0"),
        )
        if text
    ]
    if remarks:
        return None, remarks
    payment_id = given.get("paymentid", "")
    payment = Payment(
        status=str(given["status"]),
        currency=str(given["currency"]),
        amount=str(given["amount"]),
        payment_id=payment_id if isinstance(payment_id, str) else "",
    )
    return Draft(type=PAYMENT, payment=payment), []


def _one_of(name: str, words: tuple[str, ...]) -> str:
    return f"{name} must be one of {', '.join(words)}"


def _is_amount(value: object) -> bool:
    return isinstance(value, str) and _AMOUNT.fullmatch(value) is not None and value.strip("0.") != ""


def _judge_custom(
    given: Mapping[str, object], workspace: Workspace, facts: Facts, prefix: str, where: str
) -> tuple[Draft | None, list[Remark]]:
    number = str(given["type"]).removeprefix(prefix)
    defined = workspace.find_action(PREFIX + number)
    if defined is None:
        return None, [Remark(f"{where}.type", f"Custom action with code {number} was not found")]
    fields = given.get("fields", {})
    if not isinstance(fields, dict):
        return None, [Remark(f"{where}.fields", "fields must be an object")]
    read = _read_fields(fields, defined, facts, where=f"{where}.fields")
    nothing_left = bool(fields) and not read.values
    return None if nothing_left else Draft(type=defined.code, fields=read.values), list(read.remarks)


def _read_fields(fields: Mapping[str, object], defined: CustomAction, facts: Facts, *, where: str) -> Read:
    """An action without a schema takes any text."""
    types = {each.api_name: each.type for each in defined.fields} or dict.fromkeys(fields, FieldType.TEXT)
    return read_values(fields, types, facts, where=where)


def changed_action(action: Action, given: Mapping[str, object], workspace: Workspace, facts: Facts) -> Action:
    """The action with what is given over it. Raises BadRequestError and InvalidValueError."""
    if given.get("type") != shown_type(action.type):
        raise BadRequestError("The type of an action cannot be changed: give the type that it has")
    if action.payment is not None:
        return _changed_payment(action, action.payment, given)
    defined, fields = workspace.find_action(action.type), given.get("fields", {})
    if not isinstance(fields, dict):
        raise BadRequestError("fields must be an object")
    if defined is None:
        raise BadRequestError("The action is not defined any more")
    read = _read_fields(fields, defined, facts, where="fields")
    if broken := [remark for remark in read.remarks if remark.broken]:
        violations = [Violation("/" + each.field.replace(".", "/", 1), each.remark) for each in broken]
        raise InvalidValueError(broken[0].remark, violations)
    return replace(action, fields={**action.fields, **read.values})


def _changed_payment(action: Action, payment: Payment, given: Mapping[str, object]) -> Action:
    if any(name in given for name in _FIXED):
        raise BadRequestError("Cannot update amount, currency, or paymentid fields for existing payment action.")
    status = given.get("status", payment.status)
    if status not in PAYMENT_STATUSES:
        text = _one_of("Status", PAYMENT_STATUSES)
        raise InvalidValueError(text, [Violation("/status", text)])
    return replace(action, payment=replace(payment, status=str(status)))


def shown_type(type: str) -> str:  # noqa: A002 - the contract's name for it
    """The bare code of a custom action; PAYMENT as it is."""
    return type.removeprefix(PREFIX)


def shown_action(action: Action) -> dict[str, object]:
    """As it is read."""
    if action.payment is None:
        return {"type": shown_type(action.type), "fields": dict(action.fields)}
    payment = action.payment
    return {"type": PAYMENT, "status": payment.status, "currency": payment.currency, "amount": payment.amount}
