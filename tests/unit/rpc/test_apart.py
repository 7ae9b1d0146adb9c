from collections.abc import Sequence

import grpc
import pytest

from libs.rpc import PeerRefused, PeerUnavailable, ask_apart


async def test_a_refusal_of_the_whole_is_asked_for_item_by_item() -> None:
    calls: list[Sequence[int]] = []

    async def ask(items: Sequence[int]) -> Sequence[int]:
        calls.append(items)
        if 2 in items:
            raise PeerRefused("VALIDATION_ERROR", "No.")
        return [item * 10 for item in items]

    first, refused, last = await ask_apart(ask, [1, 2, 3])

    assert (first, last) == (10, 30)
    assert isinstance(refused, PeerRefused)
    assert calls == [[1, 2, 3], [1], [2], [3]]


async def test_what_nobody_refuses_is_one_call() -> None:
    calls: list[Sequence[int]] = []

    async def ask(items: Sequence[int]) -> Sequence[int]:
        calls.append(items)
        return items

    assert await ask_apart(ask, [1, 2]) == [1, 2]
    assert len(calls) == 1


async def test_no_answer_is_no_refusal() -> None:
    async def ask(items: Sequence[int]) -> Sequence[int]:
        raise PeerUnavailable("ApplyMany", grpc.StatusCode.UNAVAILABLE)

    with pytest.raises(PeerUnavailable):
        await ask_apart(ask, [1, 2])
