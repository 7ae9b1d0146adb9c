"""Which texts are spellings of one number, and of nothing else.

The library looks for a number *in* a text: "my number is +1415..." is a number to it, and "8900 12 Ivan 7" becomes
+79001248267, since letters are keys of a telephone to it. In a contact both are mistakes, and a wrong number is worse
than a refused one. So the whole text must be the number, and letters are only read where they mark an extension.
Vanity numbers (1-800-FLOWERS) are refused for the same reason.
"""

import re
from enum import Enum, unique
from typing import Final, NamedTuple
from unicodedata import decimal

# What the library skips between digits (its "valid punctuation"), without x, which stands for a carrier's digits there.
_PUNCTUATION: Final = (
    r"\-\u2010-\u2015\u2212\u30FC\uFF0D-\uFF0F \u00A0\u00AD\u200B\u2060\u3000()\uFF08\uFF09\uFF3B\uFF3D.\[\]/~"
    r"\u2053\u223C\uFF5E"
)
# Spaces that the library does not know inside a number, for example the narrow one of French typography.
_OTHER_SPACES: Final = "\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f"
# White space, and the invisible marks that address books put around a copied number (direction, width, byte order).
_AROUND: Final = (
    f" \t\r\n\v\f\u0085\u00a0{_OTHER_SPACES}\u2028\u2029\u3000\u200b\u200c\u200d\u2060\ufeff"
    "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_SPACES: Final = str.maketrans(dict.fromkeys(_OTHER_SPACES, " "))

# No two neighbours here can match the same character, so a hostile text costs no more than its length.
_BARE: Final = rf"[{_PUNCTUATION}]*(?:[+\uFF0B]+[{_PUNCTUATION}\d]*|\d[{_PUNCTUATION}\d]*)?"
_PLAIN: Final = re.compile(_BARE)
_PARAMETERS: Final = re.compile(rf"{_BARE}(?P<parameters>(?:;[A-Za-z0-9-]+=[A-Za-z0-9_\-.!~*'()\[\]/:&+$%]*)+)")
_EXTENSION: Final = re.compile(r";ext=[^;]", re.IGNORECASE)
_LABEL_BACKWARDS: Final = re.compile(r"#?(?P<extension>\d{1,20}+)\D{1,20}+")
_SCHEME: Final = "tel:"


@unique
class Form(Enum):
    """What shape a whole-number text has."""

    PLAIN = "digits and punctuation"
    LABELLED = "a number, then perhaps an extension: only if the library finds that very extension"
    EXTENDED = "a tel: number with an ext parameter"


class Spelling(NamedTuple):
    """A text that may be one number."""

    text: str  # as the library is to read it
    form: Form
    extension: str  # the digits after a label, as given; empty unless LABELLED


def strip(text: str) -> str:
    """The text without surrounding white space and invisible marks; control characters stay."""
    return text.strip(_AROUND)


def read(stripped: str) -> Spelling | None:
    """Tell how a text spells a number; None when it holds anything else beside one."""
    text = stripped.translate(_SPACES)
    # A scheme is the same in any case (RFC 3986), but the library finds it in lower case only.
    has_scheme = text[: len(_SCHEME)].lower() == _SCHEME
    body = text[len(_SCHEME) :] if has_scheme else text
    if _PLAIN.fullmatch(body):
        return Spelling(body, Form.PLAIN, "")
    if match := _PARAMETERS.fullmatch(body):
        extended = _EXTENSION.search(match["parameters"]) is not None
        return Spelling(_SCHEME + body, Form.EXTENDED if extended else Form.PLAIN, "")
    return None if has_scheme else _read_labelled(body)


def ascii_digits(text: str) -> str:
    """The digits of a text, whatever script they are in."""
    return "".join(str(decimal(character)) for character in text if character.isdecimal())


def is_international(text: str) -> bool:
    """Whether a plus stands before the digits."""
    return "+" in text or "\uff0b" in text


def _read_labelled(text: str) -> Spelling | None:
    label = _LABEL_BACKWARDS.match(text[::-1])
    if label is None or not _PLAIN.fullmatch(text, 0, len(text) - label.end()):
        return None
    return Spelling(text, Form.LABELLED, label["extension"][::-1])
