"""A workspace's spec: the JSON document that an operator gives when it is created."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from services.directory.domain import defaults
from services.directory.domain.contact import WorkspaceId
from services.directory.domain.defaults import NewId
from services.directory.domain.fields import ASSIGNEE, PHONE, RATING, CustomField, Fields, FieldType, Option
from services.directory.domain.shape import Shape
from services.directory.domain.workspace import ActionField, CustomAction, LeadStatus, Pipeline, StageType, Workspace

_KEYS = frozenset(
    {"fields", "identifier", "country", "actions", "stages", "archived_statuses", "lost_reasons", "seats",
     "lead_statuses", "industry", "website", "team_size"}
)  # fmt: skip
_API_NAME = re.compile(r"(?=\S)[^\x00-\x1f\x7f]{1,64}(?<=\S)")
_CODE = re.compile(r"ACTION_[1-9][0-9]{0,9}")
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_COLOR = re.compile(r"[#\w(),.% -]{1,32}")
_IDENTIFIERS = frozenset({FieldType.PHONE, FieldType.EMAIL, FieldType.TEXT})
_OF_ANY_TYPE = frozenset({RATING, ASSIGNEE})
_ONE_OF_A_KIND = frozenset({FieldType.PHONE, FieldType.EMAIL})
_LEAD_STATUS_TYPES = ("lead", "qualified", "disqualified")
_MOST_SEATS = 100_000


def read_spec(
    spec: Mapping[str, object], *, workspace_id: WorkspaceId, name: str, new_id: NewId, now: datetime
) -> Workspace:
    """A new workspace. Raises BadShape, whose problems say what is wrong where, as JSON Pointers.

    Unknown keys of the document itself are refused, since a mistyped one would go unseen; those of a field, an action
    or a lead status are passed over.
    """
    shape = Shape(spec)
    shape.only(_KEYS)
    fields = tuple(_fields(shape, new_id))
    pipeline = _pipeline(shape, new_id, now)
    workspace = Workspace(
        workspace_id=workspace_id,
        name=name,
        country=shape.text(
            "country", defaults.FIRST_COUNTRY, like=_COUNTRY, wanted="an ISO 3166-1 code such as IN"
        ).upper(),
        identifier=shape.text("identifier", PHONE),
        fields=Fields(fields),
        actions=tuple(_actions(shape, new_id, now)),
        pipeline=pipeline,
        lead_statuses=_lead_statuses(shape),
        seats=shape.number("seats", defaults.SEATS, least=0, most=_MOST_SEATS),
        created_at=now,
        industry=shape.text("industry", ""),
        website=shape.text("website", ""),
        team_size=shape.text("team_size", ""),
    )
    _check_identifier(shape, workspace)
    shape.close()
    return workspace


def _check_identifier(shape: Shape, workspace: Workspace) -> None:
    field = workspace.fields.find(workspace.identifier)
    if field is None:
        shape.refuse("/identifier", "No field has this apiName.")
    elif field.type not in _IDENTIFIERS:
        shape.refuse("/identifier", "Only a field of type phone, email or text can tell leads apart.")


def _fields(shape: Shape, new_id: NewId) -> Iterator[CustomField]:
    """The standard ones, as the spec has them where it names them, then its own."""
    given: dict[str, CustomField] = {}
    for each in shape.objects("fields"):
        field = CustomField(
            field_id=new_id(),
            api_name=each.text("apiName", None, like=_API_NAME, wanted="1 to 64 printable characters"),
            type=each.choice("type", {kind.value: kind for kind in FieldType}, FieldType.TEXT),
            options=tuple(Option(new_id(), label) for label in each.texts("options")),
            description=each.text("description", ""),
            lock_after_create=each.flag("lockAfterCreate"),
        )
        if field.api_name in given:
            each.refuse("/apiName", "Another field has this apiName.")
        given[field.api_name] = field
    identifier = given.get(shape.text("identifier", PHONE))
    for standard in defaults.standard_fields(new_id):
        named = given.pop(standard.api_name, standard)
        if named.type is not standard.type and standard.api_name not in _OF_ANY_TYPE:
            shape.refuse("/fields", f"The field {standard.api_name} is always of type {standard.type.value}.")
        # An identifier of another name is the contact's phone, or e-mail: there are no two of them.
        if named is not standard or identifier is None or standard.type not in _ONE_OF_A_KIND & {identifier.type}:
            yield named
    yield from given.values()


def _actions(shape: Shape, new_id: NewId, now: datetime) -> Iterator[CustomAction]:
    codes: set[str] = set()
    for each in shape.objects("actions"):
        code = each.text("code", None, like=_CODE, wanted="ACTION_ and a number, such as ACTION_1001")
        if code in codes:
            each.refuse("/code", "Another action has this code.")
        codes.add(code)
        yield CustomAction(
            action_id=new_id(),
            code=code,
            display_name=each.text("displayName", code),
            fields=tuple(_action_field(field) for field in each.objects("fields", texts_as="apiName")),
            score=each.number("score", 0, least=-1_000_000, most=1_000_000),
            description=each.text("description", ""),
            created_at=now,
            modified_at=now,
        )


def _action_field(shape: Shape) -> ActionField:
    return ActionField(
        shape.text("apiName", None, like=_API_NAME, wanted="1 to 64 printable characters"),
        shape.choice("type", {kind.value: kind for kind in FieldType}, FieldType.TEXT),
        tuple(shape.texts("options")),
    )


def _pipeline(shape: Shape, new_id: NewId, now: datetime) -> Pipeline:
    given = shape.inner("stages")
    given.only({kind.value for kind in StageType})
    stages = {kind: tuple(given.texts(kind.value, defaults.STAGES[kind])) for kind in StageType}
    archived = tuple(shape.texts("archived_statuses"))
    labels = [label for kind in StageType for label in stages[kind]]
    for label in {label for label in (*labels, *archived) if [*labels, *archived].count(label) > 1}:
        shape.refuse("/stages", f"The status {label} is there twice.")
    if not stages[StageType.OPEN]:
        given.refuse("/OPEN", "A new lead needs a status: give at least one label.")
    reasons = shape.texts("lost_reasons", defaults.LOST_REASONS)
    return defaults.pipeline(dict(stages), archived, reasons, new_id=new_id, now=now)


def _lead_statuses(shape: Shape) -> tuple[LeadStatus, ...]:
    if not shape.has("lead_statuses"):
        return defaults.lead_statuses(defaults.LEAD_STATUSES)
    given = []
    for each in shape.objects("lead_statuses"):
        kind = each.choice("type", {kind: kind for kind in _LEAD_STATUS_TYPES}, "lead")
        color = each.text("color", "#3B82F6", like=_COLOR, wanted="a colour such as #3B82F6")
        given.append((kind, each.text("label", None), color))
    return defaults.lead_statuses(given)
