"""Which of a request's texts must be looked up before its values can be judged."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from services.directory.domain.fields import FieldType
from services.directory.domain.telecrm.actions import PREFIX
from services.directory.domain.telecrm.values import texts_of
from services.directory.domain.workspace import Workspace

_LONGEST_PHONE = 256


@dataclass(frozen=True, slots=True)
class Asked:
    """Texts that stand where a phone must, and where the e-mail of a member must."""

    phones: tuple[str, ...] = field(repr=False)
    emails: tuple[str, ...] = field(repr=False)


def asked_texts(
    workspace: Workspace, fields: Mapping[str, object], actions: list[object] | None = None, *, prefix: str = ""
) -> Asked:
    """Of a lead's fields and of its actions, each once."""
    typed = [*_typed(fields, {each.api_name: each.type for each in workspace.fields})]
    for action in actions or ():
        if isinstance(action, dict):
            typed += _of_action(action, workspace, prefix)
    phones = (text for text, kind in typed if kind is FieldType.PHONE and len(text) <= _LONGEST_PHONE)
    emails = (text.strip() for text, kind in typed if kind is FieldType.ACTIVE_USERS)
    return Asked(tuple(dict.fromkeys(phones)), tuple(dict.fromkeys(emails)))


def _typed(fields: Mapping[str, object], types: Mapping[str, FieldType]) -> Iterator[tuple[str, FieldType]]:
    for name, value in fields.items():
        if kind := types.get(name):
            yield from ((text, kind) for text in texts_of(value))


def _of_action(action: Mapping[str, object], workspace: Workspace, prefix: str) -> Iterator[tuple[str, FieldType]]:
    performer, fields = action.get("performed_by"), action.get("fields")
    if isinstance(performer, str):
        yield performer, FieldType.ACTIVE_USERS
    defined = workspace.find_action(PREFIX + str(action.get("type", "")).removeprefix(prefix))
    if defined is not None and isinstance(fields, dict):
        yield from _typed(fields, {each.api_name: each.type for each in defined.fields})
