"""What a workspace has where its spec says nothing."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final

from services.directory.domain.fields import PHONE, STANDARD, CustomField, Fields
from services.directory.domain.workspace import (
    FIRST_WORKSPACE,
    LeadStatus,
    LostReason,
    Pipeline,
    Stage,
    StageType,
    Status,
    Workspace,
)

NewId = Callable[[], str]
"""Gives an id that was never given before: 24 hex digits."""

SEATS: Final = 10
FIRST_COUNTRY: Final = "RU"
STAGES: Final = {
    StageType.OPEN: ("New", "Contacted", "Interested"),
    StageType.WON: ("Won",),
    StageType.LOST: ("Lost",),
}
LOST_REASONS: Final = ("Not interested", "Too expensive", "Chose another", "Not reachable")
LEAD_STATUSES: Final = (
    ("lead", "New Lead", "#3B82F6"),
    ("qualified", "Qualified Lead", "#10B981"),
    ("disqualified", "Disqualified Lead", "#EF4444"),
)
_COLORS: Final = ("#3B82F6", "#10B981", "#F59E0B", "#8B5CF6", "#EF4444", "#6B7280", "#14B8A6", "#EC4899")


def standard_fields(new_id: NewId) -> list[CustomField]:
    """Those that every workspace has."""
    return [CustomField(field_id=new_id(), api_name=name, type=kind) for name, kind in STANDARD.items()]


def statuses(labels: Iterable[str], new_id: NewId) -> tuple[Status, ...]:
    """Statuses with these labels, in colours that differ from one to the next."""
    return tuple(Status(new_id(), label, _COLORS[place % len(_COLORS)]) for place, label in enumerate(labels))


def pipeline(
    stages: dict[StageType, Sequence[str]],
    archived: Sequence[str],
    reasons: Sequence[str] = LOST_REASONS,
    *,
    new_id: NewId,
    now: datetime,
) -> Pipeline:
    """A pipeline with a stage of each type; archived statuses lie in the first, the first lost reason is preset."""
    return Pipeline(
        stages=tuple(
            Stage(
                stage_id=new_id(),
                type=kind,
                active=statuses(stages[kind], new_id),
                archived=statuses(archived, new_id) if kind is StageType.OPEN else (),
            )
            for kind in StageType
        ),
        lost_reasons=tuple(LostReason(new_id(), label, place == 0) for place, label in enumerate(reasons)),
        created_at=now,
        modified_at=now,
    )


def lead_statuses(given: Iterable[tuple[str, str, str]]) -> tuple[LeadStatus, ...]:
    """Types, labels and colours in their order."""
    return tuple(LeadStatus(place, kind, label, color, place) for place, (kind, label, color) in enumerate(given, 1))


def first_workspace() -> Workspace:
    """The workspace that every hub has, as it is until somebody changes it; always the same, ids and all."""
    began = datetime(2026, 1, 1, tzinfo=UTC)
    places = iter(range(1000))

    def new_id() -> str:
        return blake2b(f"{FIRST_WORKSPACE}/{next(places)}".encode(), digest_size=12).hexdigest()

    return Workspace(
        workspace_id=FIRST_WORKSPACE,
        name="Default",
        country=FIRST_COUNTRY,
        identifier=PHONE,
        fields=Fields(tuple(standard_fields(new_id))),
        actions=(),
        pipeline=pipeline(dict(STAGES), (), new_id=new_id, now=began),
        lead_statuses=lead_statuses(LEAD_STATUSES),
        seats=SEATS,
        created_at=began,
    )
