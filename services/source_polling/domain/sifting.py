"""What of a page must be imported: only what changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from services.source_polling.domain.record import ExternalId, Skip, SourceRecord, is_id

LONGEST_TEXT, LONGEST_EMAIL, MOST_LABELED, MOST_TAGS = 256, 320, 50, 100
"""contactsync.contact.v1.Contact."""


_SHORT = LONGEST_TEXT + 110
"""Bytes: JSON takes more than 110 for the names of a contact's fields alone."""
_NUL = b"\\u0000"
_NO_ID = "Its id is empty, longer than 256 characters, or holds a NUL character."


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A contact as it is compared and sent on: a fourth of the memory of what was read, which is let go of."""

    external_id: ExternalId
    fingerprint: bytes
    text: bytes
    """The contact as it is hashed and imported."""
    flaw: str | None = None
    """Why it cannot be imported. None: it can."""
    record: SourceRecord | None = None
    """Kept where a change may be an echo."""

    def __repr__(self) -> str:
        return "Draft(...)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """A page, sifted. Together the parts hold every row of it once."""

    changes: tuple[Draft, ...]
    unchanged: tuple[ExternalId, ...]
    skipped: tuple[Skip, ...]
    echoes: tuple[Draft, ...] = ()

    @property
    def rows(self) -> int:
        """How many the page had."""
        return len(self.changes) + len(self.unchanged) + len(self.echoes) + len(self.skipped)

    def without_echoes(self, echoes: Sequence[bool], asked: Sequence[Draft]) -> "Sifted":
        """The page when these of its changes are, or are not, but echoes."""
        heard = {change.external_id for change, echo in zip(asked, echoes, strict=True) if echo}
        return replace(
            self,
            changes=tuple(each for each in self.changes if each.external_id not in heard),
            echoes=tuple(each for each in self.changes if each.external_id in heard),
        )


def draft(record: SourceRecord, fingerprint: Callable[[SourceRecord], tuple[bytes, bytes]], *, may_echo: bool) -> Draft:
    """Write the contact down."""
    digest, text = fingerprint(record)
    reason = None if _is_plainly_fit(record, text) else flaw(record)
    return Draft(record.external_id, digest, text, reason, record if may_echo else None)


def sift(drafts: Sequence[Draft], skipped: Sequence[Skip], *, known: Mapping[ExternalId, bytes]) -> Sifted:
    """Compare each contact with what was last accepted of it. Of a contact that comes twice the last one counts."""
    changes: list[Draft] = []
    unchanged: list[ExternalId] = []
    unfit: list[Skip] = []
    for external_id, given in {each.external_id: each for each in drafts}.items():
        if known.get(external_id) == given.fingerprint:
            unchanged.append(external_id)
        elif given.flaw:
            unfit.append(Skip(external_id, given.flaw))
        else:
            changes.append(given)
    return Sifted(changes=tuple(changes), unchanged=tuple(unchanged), skipped=tuple(map(_named, (*skipped, *unfit))))


def _named(skip: Skip) -> Skip:
    """An id that cannot be kept is left out of the list."""
    return skip if is_id(skip.external_id) else Skip(ExternalId(""), skip.reason)


def _is_plainly_fit(record: SourceRecord, text: bytes) -> bool:
    """Whether so short a text leaves no room for anything that is too long or too many, and holds no NUL."""
    return len(text) <= _SHORT and record.external_id != "" and _NUL not in text


def flaw(record: SourceRecord) -> str | None:
    """Say why the contact cannot be imported whole; nothing is cut off silently. None: it can."""
    if not is_id(record.external_id):
        return _NO_ID
    emails = [each.value for each in record.emails]
    texts = [record.first_name, record.last_name, record.company, *record.tags]
    texts += [each.value for each in record.phones]
    if max(map(len, texts)) > LONGEST_TEXT or max(map(len, emails), default=0) > LONGEST_EMAIL:
        return f"A name, a phone or a tag is longer than {LONGEST_TEXT} characters, or an e-mail than {LONGEST_EMAIL}."
    if len(record.phones) > MOST_LABELED or len(emails) > MOST_LABELED or len(record.tags) > MOST_TAGS:
        return f"It has more than {MOST_LABELED} phones or e-mails, or more than {MOST_TAGS} tags."
    return "A text holds a NUL character." if "\x00" in "".join((record.external_id, *texts, *emails)) else None
