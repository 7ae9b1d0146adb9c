"""The use cases of the contact book."""

from services.directory.handler.credentials import Credentials
from services.directory.handler.directory import Directory, Page
from services.directory.handler.leads import Leads
from services.directory.handler.workspaces import Workspaces

__all__ = ["Credentials", "Directory", "Leads", "Page", "Workspaces"]
