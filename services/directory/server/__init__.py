"""The book on typed gRPC."""

from services.directory.server.service import DirectoryServicer

__all__ = ["DirectoryServicer"]
