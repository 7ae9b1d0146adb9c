"""What a peer's refusal is in HTTP, and how one bad item is kept from refusing those that went with it."""

from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import TypeVar

from contactsync.error.v1 import reason_pb2

from libs.rpc import PeerRefused

Item = TypeVar("Item")
Result = TypeVar("Result")


@cache
def status_of(reason: str) -> int:
    """Give the HTTP status of a reason by the contract; 500 for one that it does not know."""
    value = reason_pb2.Reason.DESCRIPTOR.values_by_name.get(f"REASON_{reason}")
    return 500 if value is None else value.GetOptions().Extensions[reason_pb2.wire].http_status or 500


async def ask_apart(
    ask: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]], items: Sequence[Item]
) -> list[Result | PeerRefused]:
    """Ask for all at once, and for each alone when the whole was refused. PeerUnavailable passes."""
    try:
        return list(await ask(items))
    except PeerRefused as refused:
        if len(items) == 1:
            return [refused]
    return [answer for item in items for answer in await ask_apart(ask, [item])]
