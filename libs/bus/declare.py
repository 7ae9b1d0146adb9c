"""Streams and consumers on the server, made or altered in place until they are as the specs say."""

from collections.abc import Iterable
from datetime import timedelta

from libs.bus.client import APIError, api, errors
from libs.bus.ports import StreamSpec
from libs.bus.session import ApiRefused, NoResponders, Session, SessionLost

_STREAM_NAME_IN_USE = 10058
_STORAGE_STAYS = 10012

MAX_ACK_PENDING = 1024
"""Messages of one consumer that are delivered or wait for their `Retry` pause, over all replicas. With that many
waiting nothing new is delivered until one is due; long pauses therefore belong into the database, not on the bus."""


async def declare_streams(session: Session, streams: Iterable[StreamSpec], *, replicas: int) -> None:
    """Make each stream, or alter it in place. Raises `SessionLost`, `NoResponders` or `ApiRefused`."""
    for stream in streams:
        config = _stream_config(stream, replicas)
        try:
            await session.management.add_stream(config)
        except APIError as refusal:
            if refusal.err_code != _STREAM_NAME_IN_USE:
                raise _translate(refusal) from refusal
            await _alter(session, config)
        except errors.Error as failure:
            raise _translate(failure) from failure


async def declare_consumer(session: Session, stream: str, consumer: str, *, ack_wait: timedelta) -> str:
    """Make the durable consumer, or alter it in place. Raises as `declare_streams`.

    Return the stream's incarnation: one that was made anew has another, and acknowledgements of the old one must not
    reach it, since they would hit messages of the same numbers. A consumer that is made anew, since its server forgot
    it, goes on with the same numbers: what is under way is not begun twice.
    """
    config = api.ConsumerConfig(
        name=consumer,
        durable_name=consumer,
        ack_policy=api.AckPolicy.EXPLICIT,
        ack_wait=ack_wait.total_seconds(),
        max_ack_pending=MAX_ACK_PENDING,
        max_deliver=-1,  # past it a message would stay unseen in the stream; the dead letter is the database's
        # What is acknowledged leaves the stream: nothing is lost with the consumer, and nothing need be written twice.
        mem_storage=True,
    )
    try:
        await _make_consumer(session, stream, config)
        info = await session.management.stream_info(stream)
    except errors.Error as failure:
        raise _translate(failure) from failure
    return str(info.created)


async def _make_consumer(session: Session, stream: str, config: api.ConsumerConfig) -> None:
    try:
        await session.management.add_consumer(stream, config)
    except APIError as refusal:
        if refusal.err_code != _STORAGE_STAYS:
            raise
        await session.management.delete_consumer(stream, config.durable_name or "")
        await session.management.add_consumer(stream, config)


async def count_waiting(session: Session, stream: str, consumer: str) -> int:
    """Count the messages that the consumer was not given, or has not acknowledged. Raises as `declare_streams`."""
    try:
        info = await session.management.consumer_info(stream, consumer)
    except errors.Error as failure:
        raise _translate(failure) from failure
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


async def _alter(session: Session, config: api.StreamConfig) -> None:
    try:
        await session.management.update_stream(config)
    except errors.Error as failure:
        raise _translate(failure) from failure


def _stream_config(stream: StreamSpec, replicas: int) -> api.StreamConfig:
    return api.StreamConfig(
        name=stream.name,
        subjects=list(stream.subjects),
        retention=api.RetentionPolicy.WORK_QUEUE,
        storage=api.StorageType.FILE,
        discard=api.DiscardPolicy.NEW,
        max_bytes=stream.max_bytes,
        duplicate_window=stream.duplicate_window.total_seconds(),
        num_replicas=replicas,
    )


def _translate(failure: errors.Error) -> Exception:
    if isinstance(failure, APIError):
        return ApiRefused(failure.err_code or failure.code or 0, failure.description or "")
    if isinstance(failure, errors.NoRespondersError | errors.TimeoutError):
        return NoResponders("JetStream")
    return SessionLost(type(failure).__name__)
