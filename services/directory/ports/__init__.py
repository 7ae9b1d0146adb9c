"""What the handlers need of the world."""

from services.directory.ports.actions import ActionBook, ActionChanges
from services.directory.ports.book import Clock, ContactBook, ContactCount, Decide, DeliveryBook, Entropy
from services.directory.ports.credentials import CredentialBook, CredentialList, KeyHash, SourceTokens
from services.directory.ports.leads import LeadLookup, LeadSearch, LeadWriter, Lettering, WalkReader, Walks
from services.directory.ports.workspaces import MemberBook, MemberChanges, WorkspaceBook, WorkspaceChanges

__all__ = [
    "ActionBook",
    "ActionChanges",
    "Clock",
    "ContactBook",
    "ContactCount",
    "CredentialBook",
    "CredentialList",
    "Decide",
    "DeliveryBook",
    "Entropy",
    "KeyHash",
    "LeadLookup",
    "LeadSearch",
    "LeadWriter",
    "Lettering",
    "MemberBook",
    "MemberChanges",
    "SourceTokens",
    "WalkReader",
    "Walks",
    "WorkspaceBook",
    "WorkspaceChanges",
]
