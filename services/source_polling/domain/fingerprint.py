"""What is kept of a contact to tell whether it changed: keyed hashes, nothing that can be read.

Of every contact a hash of the whole. Of those of a system that the hub also delivers to, in addition one of each field
that the hub delivers and one of the rest, so that it can be said which of them changed.
"""

from collections.abc import Mapping

from services.source_polling.domain.record import SourceRecord

WHOLE = 16
PART = 4
FIELDS = ("phone", "email", "first_name", "last_name", "company")


def delivered_fields(record: SourceRecord) -> dict[str, str]:
    """The fields that the hub delivers, as contactsync.delivery.v1.SeenChange has them; absent ones are left out."""
    values = {
        "phone": _dialled(record.phones[0].value) if record.phones else "",
        "email": record.emails[0].value.strip().lower() if record.emails else "",
        "first_name": record.first_name,
        "last_name": record.last_name,
        "company": record.company,
    }
    return {name: value for name, value in values.items() if value}


def _dialled(number: str) -> str:
    """With a plus and nothing but digits: these systems give numbers with their country's code."""
    digits = "".join(character for character in number if character.isdecimal())
    return f"+{digits}" if digits else ""


def rest(record: SourceRecord) -> tuple[object, ...]:
    """Everything else: a change of it is never an echo."""
    return (record.type, record.phones[1:], record.emails[1:], record.tags, record.extra)


def changed_fields(record: SourceRecord, before: bytes | None, now: bytes) -> Mapping[str, str] | None:
    """The delivered fields that differ, with their values now. None: something else differs, or a field is gone.

    Of a contact that is new everything delivered counts, and the rest does not: the system may add what it likes.
    """
    given = delivered_fields(record)
    if before is None:
        return given or None
    differing = [name for place, name in enumerate((*FIELDS, "rest")) if _part(before, place) != _part(now, place)]
    if not differing or any(name not in given for name in differing):
        return None
    return {name: given[name] for name in differing}


def _part(fingerprint: bytes, place: int) -> bytes:
    return fingerprint[WHOLE + place * PART : WHOLE + (place + 1) * PART]
