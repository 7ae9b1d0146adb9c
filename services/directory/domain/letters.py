"""A substring search over names and e-mails: by runs of three letters, which every longer text is made of."""

from collections.abc import Iterable
from typing import Final

from services.directory.domain.contact import Details, WorkspaceId
from services.directory.domain.search import fold
from services.directory.domain.terms import Term, term_of

RUN: Final = 3
_FIELD: Final = "\1letters"
"""No field has this name."""


def lettered(details: Details) -> tuple[str, ...]:
    """What is looked into: first name, last name and each e-mail, folded."""
    texts = (details.first_name, details.last_name, *(email.email for email in details.emails))
    return tuple(fold(text) for text in texts if text)


def contains(details: Details, text: str) -> bool:
    """The rule that a store's query follows; the text is folded, and the empty one is in all."""
    return not text or any(text in each for each in lettered(details))


def letter_terms(workspace_id: WorkspaceId, texts: Iterable[str]) -> set[Term]:
    """A term for each run of letters; shorter texts have none."""
    runs = {text[at : at + RUN] for text in texts for at in range(len(text) - RUN + 1)}
    return {term_of(workspace_id, _FIELD, run) for run in runs}
