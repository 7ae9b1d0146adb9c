"""A workspace: whose contacts these are, and what the published APIs say about them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Final

from services.directory.domain.contact import WorkspaceId
from services.directory.domain.fields import EMAIL, PHONE, CustomField, Fields, FieldType

FIRST_WORKSPACE: Final = WorkspaceId("default")
"""The one that every hub has, and that an empty workspace id means."""


class StageType(Enum):
    """Where a lead of that stage stands."""

    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


@dataclass(frozen=True, slots=True)
class Status:
    """A status that a lead may have; leads name it by its label."""

    status_id: str
    label: str
    color: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of the pipeline with its statuses, those that may be given and those that may no more."""

    stage_id: str
    type: StageType
    active: tuple[Status, ...]
    archived: tuple[Status, ...] = ()
    visible: bool = True


@dataclass(frozen=True, slots=True)
class LostReason:
    """Why a lead was lost; leads name it by its label."""

    reason_id: str
    label: str
    default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The stages in the order OPEN, WON, LOST. `version` grows by one with every change, from 1."""

    stages: tuple[Stage, ...]
    lost_reasons: tuple[LostReason, ...]
    archived_lost_reasons: tuple[LostReason, ...] = ()
    created_at: datetime
    modified_at: datetime
    modified_by: str = ""
    version: int = 1

    def active_statuses(self) -> Iterator[Status]:
        """Those that a lead may be given, in the order of the stages."""
        for stage in self.stages:
            yield from stage.active

    def stage_of(self, label: str) -> Stage | None:
        """The stage whose active status has exactly this label."""
        return next((stage for stage in self.stages if any(each.label == label for each in stage.active)), None)


@dataclass(frozen=True, slots=True)
class ActionField:
    """A field of a custom action."""

    api_name: str
    type: FieldType
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomAction:
    """An action that callers may note on a lead. `code` is ACTION_ and a number."""

    action_id: str
    code: str
    display_name: str
    fields: tuple[ActionField, ...] = ()
    score: int = 0
    source: str = "custom"
    description: str = ""
    icon: str = ""
    created_at: datetime
    created_by: str = ""
    modified_at: datetime
    modified_by: str = ""


@dataclass(frozen=True, slots=True)
class LeadStatus:
    """A lead status as the connect API has it: `type` is lead, qualified or disqualified; ids and orders from 1."""

    status_id: int
    type: str
    label: str
    color: str
    order: int


_OF_TYPE: Final = {FieldType.PHONE: PHONE, FieldType.EMAIL: EMAIL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Everything about a workspace but its contacts, members and credentials.

    `country` is the region of national numbers, ISO 3166-1 alpha-2. `identifier` is the apiName of the field that tells
    leads apart: of type phone, email or text. `version` grows by one with every change, from 1.
    """

    workspace_id: WorkspaceId
    name: str
    country: str
    identifier: str
    fields: Fields
    actions: tuple[CustomAction, ...]
    pipeline: Pipeline
    lead_statuses: tuple[LeadStatus, ...]
    seats: int
    created_at: datetime
    industry: str = ""
    website: str = ""
    team_size: str = ""
    version: int = field(default=1)

    @property
    def identifier_field(self) -> CustomField:
        """The field that tells leads apart."""
        found = self.fields.find(self.identifier)
        assert found is not None  # a spec without it is refused
        return found

    def own_name(self, api_name: str) -> str:
        """The contact's own field that this one is: an identifier is its phone or e-mail, whatever the name."""
        if api_name == self.identifier:
            return _OF_TYPE.get(self.identifier_field.type, api_name)
        return api_name

    def find_action(self, code: str) -> CustomAction | None:
        """By the whole code, ACTION_1001."""
        return next((each for each in self.actions if each.code == code), None)
