"""skip, limit and the yes or no of a query string."""

import re
from typing import NamedTuple

from services.directory.domain.telecrm.refusals import BadRequestError

USUAL_LIMIT = 10
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)


class Paging(NamedTuple):
    """How many results are left out, and how many are given."""

    skip: int = 0
    limit: int = USUAL_LIMIT


def read_paging(skip: str, limit: str, *, most: int) -> Paging:
    """As they stand in the query string; empty: not given. Raises BadRequestError."""
    size = int(limit) if _WHOLE.fullmatch(limit) else 0 if limit else USUAL_LIMIT
    if not 1 <= size <= most:
        raise BadRequestError(f"Limit should be between 1 and {most}")
    if skip and not _WHOLE.fullmatch(skip):
        raise BadRequestError("Skip should be a whole number from 0 to 999999999")
    return Paging(int(skip or 0), size)


def read_choice(text: str, name: str) -> bool:
    """True or false in any case; empty: false. Raises BadRequestError."""
    match text.lower():
        case "true":
            return True
        case "false" | "":
            return False
        case _:
            raise BadRequestError(f"{name} should be true or false")
