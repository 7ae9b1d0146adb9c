"""``contactsync workspaces``: the contact book's workspaces, and what opens its published APIs."""

from libs.cli.workspaces.command import app

__all__ = ["app"]
