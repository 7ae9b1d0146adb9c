"""``contactsync import FILE``: files of contacts, read as a stream and sent in requests that may be repeated."""

from libs.cli.importing.command import import_file

__all__ = ["import_file"]
