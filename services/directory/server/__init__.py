"""The book and its workspaces on typed gRPC."""

from services.directory.server.service import DirectoryServicer
from services.directory.server.workspaces import WorkspaceServicer

__all__ = ["DirectoryServicer", "WorkspaceServicer"]
