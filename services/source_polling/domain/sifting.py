"""What of a page must be imported: only what changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from services.source_polling.domain.record import ExternalId, Skip, SourceRecord, is_id

LONGEST_TEXT, LONGEST_EMAIL, MOST_LABELED, MOST_TAGS = 256, 320, 50, 100
"""contactsync.contact.v1.Contact."""


_SHORT = LONGEST_TEXT + 110
"""Bytes: JSON takes more than 110 for the names of a contact's fields alone."""
_NUL = b"\\u0000"
_NO_ID = "Its id is empty, longer than 256 characters, or holds a NUL character."


class Change(NamedTuple):
    """A contact that is new or differs from what was last accepted."""

    record: SourceRecord
    fingerprint: bytes
    before: bytes | None
    """None: it is new."""
    text: bytes
    """The contact as it is hashed and imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """A page, sifted. Together the parts hold every row of it once."""

    changes: tuple[Change, ...]
    unchanged: tuple[ExternalId, ...]
    skipped: tuple[Skip, ...]
    echoes: tuple[Change, ...] = ()

    @property
    def rows(self) -> int:
        """How many the page had."""
        return len(self.changes) + len(self.unchanged) + len(self.echoes) + len(self.skipped)

    def without_echoes(self, echoes: Sequence[bool], asked: Sequence[Change]) -> "Sifted":
        """The page when these of its changes are, or are not, but echoes."""
        heard = {change.record.external_id for change, echo in zip(asked, echoes, strict=True) if echo}
        return replace(
            self,
            changes=tuple(each for each in self.changes if each.record.external_id not in heard),
            echoes=tuple(each for each in self.changes if each.record.external_id in heard),
        )


def sift(
    records: Sequence[SourceRecord],
    skipped: Sequence[Skip],
    *,
    known: Mapping[ExternalId, bytes],
    fingerprint: Callable[[SourceRecord], tuple[bytes, bytes]],
) -> Sifted:
    """Compare each contact with what was last accepted of it. Of a contact that comes twice the last one counts."""
    changes: list[Change] = []
    unchanged: list[ExternalId] = []
    unfit: list[Skip] = []
    for record in {record.external_id: record for record in records}.values():
        before, (now, text) = known.get(record.external_id), fingerprint(record)
        if before == now:
            unchanged.append(record.external_id)
        elif not _is_plainly_fit(record, text) and (reason := flaw(record)):
            unfit.append(Skip(record.external_id, reason))
        else:
            changes.append(Change(record, now, before, text))
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
