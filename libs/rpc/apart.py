"""Batched calls in which one bad item refuses the whole."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from libs.rpc.failure import PeerRefused

Item = TypeVar("Item")
Result = TypeVar("Result")


async def ask_apart(
    ask: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]], items: Sequence[Item]
) -> list[Result | PeerRefused]:
    """Ask for all at once, and for each alone when the whole was refused: a refusal is the answer of its own item.

    PeerUnavailable passes.
    """
    try:
        return list(await ask(items))
    except PeerRefused as refused:
        if len(items) == 1:
            return [refused]
    return [answer for item in items for answer in await ask_apart(ask, [item])]
