"""The peers in memory, for tests and trials."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.ingestion.domain.erasure import Person
from services.ingestion.domain.ids import ChunkId, JobId
from services.ingestion.domain.rows import DecidedBy, Fault, Normalized, Texts
from services.ingestion.ports.peers import Begun, Conflict, Fingerprint, InProgress, Key, Replay, Started
from services.ingestion.ports.time import Clock

LEASE = timedelta(seconds=10)
_TRUNK_PREFIXES = ("+7", "7", "8")


@dataclass(slots=True)
class _Entry:
    fingerprint: Fingerprint
    job_id: JobId
    fence: int
    created_at: datetime
    lease_until: datetime
    answer: tuple[int, bytes] | None = None


class MemoryKeys:
    """Idempotency keys without expiry."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[Key, _Entry] = {}

    async def begin(self, key: Key, fingerprint: Fingerprint) -> Begun:
        """Takes the key's lease, or says why not."""
        now = self._clock()
        entry = self._entries.get(key)
        if entry is None:
            entry = _Entry(fingerprint, JobId(str(uuid.uuid4())), 0, now, now)
            self._entries[key] = entry
        if entry.fingerprint.canonical != fingerprint.canonical:
            return Conflict(entry.created_at)
        if entry.answer:
            return Replay(*entry.answer, entry.job_id)
        return _lease(entry, now)

    async def complete(self, key: Key, held: Started, *, status: int, body: bytes) -> None:
        """Stores the answer; the first stored one stays."""
        entry = self._entries.get(key)
        if entry and entry.fence == held.fence and entry.answer is None:
            entry.answer = (status, body)

    async def release(self, key: Key, held: Started) -> None:
        """Frees the key, unless its lease is held by another."""
        entry = self._entries.get(key)
        if entry and entry.fence == held.fence and entry.answer is None:
            del self._entries[key]


def _lease(entry: _Entry, now: datetime) -> Started | InProgress:
    if entry.fence and now < entry.lease_until:
        return InProgress(entry.lease_until)
    entry.fence += 1
    entry.lease_until = now + LEASE
    return Started(entry.job_id, entry.fence)


class MemoryNormalizer:
    """Knows Russian numbers of eleven digits and E.164, and addresses with one @; for tests, not for truth."""

    async def normalize(self, texts: Texts, *, default_region: str) -> Normalized:
        """What each text came to."""
        phones = [_e164(phone) for phone in texts.phones]
        emails = [email if email.count("@") == 1 else "" for email in texts.emails]
        return Normalized(
            e164=phones,
            regions=[default_region if phone else "" for phone in phones],
            decided_by=bytes(DecidedBy.DEFAULT_REGION if phone else DecidedBy.NONE for phone in phones),
            phone_refusals=bytes(Fault.NONE if phone else Fault.NOT_A_NUMBER for phone in phones),
            emails=emails,
            email_refusals=bytes(Fault.NONE if email else Fault.NOT_AN_EMAIL for email in emails),
            metadata_version="memory",
        )


def _e164(phone: str) -> str:
    prefix = next((prefix for prefix in _TRUNK_PREFIXES if phone.startswith(prefix)), None)
    digits = phone.removeprefix(prefix) if prefix else ""
    return f"+7{digits}" if len(digits) == 10 and digits.isdecimal() else ""


class MemoryBook:
    """A contact book that remembers whom it was to erase, and knows everyone once."""

    def __init__(self) -> None:
        self.erased: list[Person] = []

    async def erase(self, person: Person) -> int:
        """Deletes the person's contacts."""
        self.erased.append(person)
        return int(person not in self.erased[:-1])


class MemoryTries:
    """Tries that remember of which chunks they were to forget the answers, call by call."""

    def __init__(self) -> None:
        self.forgotten: list[Sequence[ChunkId]] = []

    async def forget(self, chunk_ids: Sequence[ChunkId]) -> None:
        """Nothing of the answers about these chunks is kept."""
        self.forgotten.append(list(chunk_ids))
