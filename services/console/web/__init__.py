"""The console as a web application: who is let in, what every answer has, and how pages are shown."""

from services.console.web.site import Site

__all__ = ["Site"]
