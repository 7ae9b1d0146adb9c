"""Contact data that cannot be printed by accident."""

from typing import final


class Masked:
    """A text that shows only a masked form of itself in str, repr, format and logs. Equal when the text is equal."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself: for the database, the wire and the domain, never for a log."""
        return self._text


@final
class Phone(Masked):
    """A phone number; +79001234567 shows as `+7900***4567`."""

    __slots__ = ()


@final
class Email(Masked):
    """An e-mail address; john@doe.example shows as `j***@d***`."""

    __slots__ = ()


def mask_text(text: str) -> str:
    """Return the text with all that looks like a phone number, an e-mail address or a URL's password masked."""
    raise NotImplementedError
