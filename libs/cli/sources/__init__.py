"""``contactsync sources``: systems whose contacts the hub fetches."""

from libs.cli.sources.command import app

__all__ = ["app"]
