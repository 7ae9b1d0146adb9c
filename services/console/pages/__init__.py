"""The pages. Each file has its own `PAGES`: what it shows and what its forms do."""

from services.console.pages import imports, overview
from services.console.visit import Act, Show

PAGES: tuple[Show | Act, ...] = (*overview.PAGES, *imports.PAGES)

__all__ = ["PAGES"]
