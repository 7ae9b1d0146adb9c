"""Identities. All but the job's are made from it, so that finishing a job twice writes the same."""

from typing import NewType

JobId = NewType("JobId", str)
ClientId = NewType("ClientId", str)
ChunkId = NewType("ChunkId", str)
DestinationId = NewType("DestinationId", str)


def chunk_id(job: JobId, *, index: int) -> ChunkId:
    """The id of the chunk at this place of the job, from 0."""
    return ChunkId(f"{job}.{index}")


def job_of(chunk: ChunkId) -> JobId:
    """The job that the chunk is part of; nonsense for a text that is no chunk's id."""
    return JobId(chunk.partition(".")[0])


def index_of(chunk: ChunkId) -> int:
    """The chunk's place in its job; -1 for a text that is no chunk's id."""
    index = chunk.partition(".")[2]
    return int(index) if index.isdecimal() and index.isascii() and len(index) < 6 else -1
