"""The use cases of both telecrm APIs, put together over one book."""

from dataclasses import dataclass
from typing import Protocol

from services.directory.handler.leads import Leads
from services.directory.handler.telecrm.actions import TelecrmActions
from services.directory.handler.telecrm.enterprise import Enterprise
from services.directory.handler.telecrm.intake import Intake
from services.directory.handler.telecrm.leads import TelecrmLeads
from services.directory.handler.telecrm.members import Team
from services.directory.ports import (
    ActionBook,
    ActionChanges,
    Clock,
    ContactBook,
    Entropy,
    LeadSearch,
    LeadWriter,
    MemberBook,
    MemberChanges,
    WorkspaceBook,
    WorkspaceChanges,
)
from services.directory.ports.intake import IntakeAnnouncer, IntakeBook, IntakeWriter
from services.directory.ports.phones import Phones


class _Workspaces(WorkspaceBook, WorkspaceChanges, Protocol):
    """Workspaces."""


class _Members(MemberBook, MemberChanges, Protocol):
    """Members."""


class _Actions(ActionBook, ActionChanges, Protocol):
    """Actions."""


class _Intake(IntakeBook, IntakeWriter, Protocol):
    """Leads that wait."""


class TelecrmStores(Protocol):
    """Where it all lies."""

    @property
    def book(self) -> ContactBook: ...  # noqa: D102 - told by its type, as those below
    @property
    def leads(self) -> LeadWriter: ...  # noqa: D102
    @property
    def search(self) -> LeadSearch: ...  # noqa: D102
    @property
    def actions(self) -> _Actions: ...  # noqa: D102
    @property
    def workspaces(self) -> _Workspaces: ...  # noqa: D102
    @property
    def members(self) -> _Members: ...  # noqa: D102
    @property
    def intake(self) -> _Intake: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class TelecrmApis:
    """What their entrances need."""

    leads: TelecrmLeads
    actions: TelecrmActions
    team: Team
    enterprise: Enterprise
    intake: Intake


def telecrm_apis(
    stores: TelecrmStores, *, phones: Phones, announcer: IntakeAnnouncer, clock: Clock, entropy: Entropy
) -> TelecrmApis:
    """Both APIs over the stores."""
    enterprise = Enterprise(
        workspaces=stores.workspaces,
        changes=stores.workspaces,
        members=stores.members,
        phones=phones,
        entropy=entropy,
    )
    leads = TelecrmLeads(
        enterprise=enterprise,
        leads=Leads(writer=stores.leads, contacts=stores.book, entropy=entropy),
        search=stores.search,
        actions=stores.actions,
        clock=clock,
    )
    return TelecrmApis(
        leads=leads,
        actions=TelecrmActions(
            enterprise=enterprise, leads=leads, actions=stores.actions, changes=stores.actions, clock=clock
        ),
        team=Team(members=stores.members, changes=stores.members, clock=clock, entropy=entropy),
        enterprise=enterprise,
        intake=Intake(
            enterprise=enterprise,
            book=stores.intake,
            writer=stores.intake,
            announcer=announcer,
            clock=clock,
            entropy=entropy,
        ),
    )
