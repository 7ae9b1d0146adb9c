"""Contact data that cannot be printed by accident, and the net below it for texts that are not ours."""

import re
from typing import final
from urllib.parse import unquote


class Masked:
    """A text that shows only a masked form of itself in str, repr, format and logs. Equal when the text is equal.

    No subclass of str on purpose: a JSON encoder would write out the text of one.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself: for the database, the wire and the domain, never for a log."""
        return self._text

    def __str__(self) -> str:
        return "***"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self!s})"

    def __format__(self, format_spec: str) -> str:
        return format(str(self), format_spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Masked) and type(other) is type(self) and other._text == self._text

    def __hash__(self) -> int:
        return hash((type(self), self._text))

    def __bool__(self) -> bool:
        return bool(self._text)


@final
class Phone(Masked):
    """A phone number; +79001234567 shows as `+7900***4567`, one of fewer than ten digits as `***`."""

    __slots__ = ()

    def __str__(self) -> str:
        return mask_phone(self._text)


@final
class Email(Masked):
    """An e-mail address; john@doe.example shows as `j***@d***`."""

    __slots__ = ()

    def __str__(self) -> str:
        return mask_email(self._text)


def mask_phone(text: str) -> str:
    """Return the first four digits, three stars, and the last four; `***` when that would leave too little hidden."""
    digits = "".join(character for character in text if character.isdigit())
    if len(digits) < 10:
        return "***"
    return f"{'+' if text.lstrip().startswith('+') else ''}{digits[:4]}***{digits[-4:]}"


def mask_email(text: str) -> str:
    """Return the first letter of the mailbox and of the domain."""
    mailbox, at, domain = text.rpartition("@")
    return f"{mailbox[:1]}***@{domain[:1]}***" if at else "***"


_URL_PASSWORD = re.compile(r"(?<=://)[^\s/@]*:[^\s/]*(?=@)")
_EMAIL = re.compile(r"""(?:[\w.+%&'-]+|"[^"\n]{1,64}")(?:@|%40|\uff20)\w[\w-]*(?:\.[\w-]+)+""")
# Ours, those that sign for webhooks, and whatever stands behind a scheme.
_KEY = re.compile(r"(?<![A-Za-z0-9])(cs_|tcs_|tca_|cck_|ccs_|whsec_|[Bb]earer +)[\w.~+/=-]{8,}")
# What stands between a phone's digits: blanks, brackets, dots and dashes of any script, and a URL's spelling of them.
_GAP = r"(?:[^\S\r\n]|[().\-\u2010-\u2015\u2212]|%(?:20|28|29)){0,3}"
# With a plus: eight digits and more, wherever they stand. Without: ten to fifteen with the usual punctuation, not part
# of a word, an id, a date or an IPv4 address. An id of bare digits is masked as well: in a text that is not ours nobody
# can tell.
_PHONE = re.compile(
    rf"(?:[+\uff0b]|%2[Bb])[(]?\d(?:(?:{_GAP}|[_/])\d){{7,14}}"
    r"|(?<![\w.-])(?!\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b)(?!\d{4}-\d\d-\d\d)"
    rf"[(]?\d(?:{_GAP}\d){{9,14}}(?![0-9a-fA-F-])"
)


def mask_text(text: str) -> str:
    """Return the text with all that looks like a phone, an e-mail address, a URL's password or a key masked."""
    if "@" in text or "%40" in text or "\uff20" in text:
        text = _URL_PASSWORD.sub("***", text)
        text = _EMAIL.sub(lambda found: mask_email(unquote(found[0]).replace("\uff20", "@")), text)
    if "_" in text or "earer " in text:
        text = _KEY.sub(r"\1***", text)
    return _PHONE.sub(lambda found: mask_phone(unquote(found[0])), text)
