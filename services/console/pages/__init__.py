"""The pages. Each file has its own `PAGES`: what it shows and what its forms do."""

from services.console.pages import (
    client_settings,
    clients,
    dead_letters,
    destination_settings,
    destinations,
    imports,
    job,
    overview,
    sources,
)
from services.console.visit import Act, Show

PAGES: tuple[Show | Act, ...] = (
    *overview.PAGES,
    *imports.PAGES,
    *job.PAGES,
    *destinations.PAGES,
    *destination_settings.PAGES,
    *dead_letters.PAGES,
    *sources.PAGES,
    *clients.PAGES,
    *client_settings.PAGES,
)

__all__ = ["PAGES"]
