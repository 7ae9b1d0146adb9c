"""The book in memory: for tests and for trying things out; gone with the process.

What its stores do takes no turn of the event loop, so nothing comes in between.
"""

from services.directory.store.memory.book import MemoryBook
from services.directory.store.memory.intake import MemoryIntake
from services.directory.store.memory.leads import MemoryActions, MemoryLeads, MemorySearch, MemoryWalks
from services.directory.store.memory.shelf import Shelf
from services.directory.store.memory.workspaces import MemoryCredentials, MemoryMembers, MemoryWorkspaces

__all__ = [
    "MemoryActions",
    "MemoryBook",
    "MemoryCredentials",
    "MemoryIntake",
    "MemoryLeads",
    "MemoryMembers",
    "MemorySearch",
    "MemoryWalks",
    "MemoryWorkspaces",
    "Shelf",
]
