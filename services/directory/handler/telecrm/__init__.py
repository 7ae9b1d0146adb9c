"""The use cases of the telecrm APIs."""

from services.directory.handler.telecrm.actions import TelecrmActions
from services.directory.handler.telecrm.apis import TelecrmApis, telecrm_apis
from services.directory.handler.telecrm.enterprise import Enterprise
from services.directory.handler.telecrm.intake import Intake
from services.directory.handler.telecrm.leads import FoundLead, FoundLeads, TelecrmLeads
from services.directory.handler.telecrm.members import ShownMember, ShownMembers, Team

__all__ = [
    "Enterprise",
    "FoundLead",
    "FoundLeads",
    "Intake",
    "ShownMember",
    "ShownMembers",
    "Team",
    "TelecrmActions",
    "TelecrmApis",
    "TelecrmLeads",
    "telecrm_apis",
]
