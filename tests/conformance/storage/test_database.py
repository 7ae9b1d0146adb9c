"""What every Database promises, on each kind."""

import asyncio

import pytest

from libs.storage import ConstraintViolatedError, Database, StorageUnavailableError, Transaction, from_micros, to_micros
from tests.fixtures.databases import Databases, OpenFresh
from tests.fixtures.things import (
    COUNT,
    FIND,
    FIND_ANY,
    FIND_SIZES,
    FIND_THESE,
    GROW,
    LOCK,
    MIGRATIONS,
    PUT,
    PUT_LISTED,
    PUT_NEW,
    REMOVE,
    RESIZE,
    putting,
)
from tests.fixtures.waiting import PATIENCE_SECONDS


@pytest.fixture
async def database(open_fresh: OpenFresh) -> Database:
    return await open_fresh(MIGRATIONS)


async def test_a_written_row_is_read_back_with_its_types(database: Database) -> None:
    body = bytes(range(256)) * 400

    name = await database.write(putting("Имя", 2**62, body))

    assert name == "Имя"
    assert await database.fetch(FIND, ("Имя",)) == [("Имя", 2**62, body)]
    assert await database.fetch_one(FIND, ("another",)) is None


async def test_a_unit_that_raises_leaves_nothing_and_its_exception_reaches_the_caller(database: Database) -> None:
    class MistakeError(Exception):
        pass

    async def unit(transaction: Transaction) -> None:
        await transaction.execute(PUT, ("half", 1, None))
        raise MistakeError

    with pytest.raises(MistakeError):
        await database.write(unit)

    assert await database.fetch_one(COUNT) == (0,)


async def test_a_failing_unit_does_not_hurt_its_neighbours(database: Database) -> None:
    await database.write(putting("taken"))
    names = [f"thing {index}" for index in range(20)]

    outcomes = await asyncio.gather(
        *(database.write(putting(name)) for name in [*names[:10], "taken", *names[10:]]), return_exceptions=True
    )

    failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert [type(error) for error in failed] == [ConstraintViolatedError]
    assert "taken" not in str(failed[0])
    assert await database.fetch_one(COUNT) == (21,)


async def test_execute_tells_how_many_rows_it_changed(database: Database) -> None:
    async def unit(transaction: Transaction) -> list[int]:
        return [
            await transaction.execute(PUT, ("a", 1, None)),
            await transaction.execute(PUT_NEW, ("a", 1)),
            await transaction.execute(RESIZE, (5, "a")),
            await transaction.execute(RESIZE, (5, "nobody")),
            await transaction.execute(REMOVE, ("a",)),
        ]

    assert await database.write(unit) == [1, 0, 1, 0, 1]


async def test_returning_gives_rows_and_a_unit_sees_what_it_wrote(database: Database) -> None:
    async def unit(transaction: Transaction) -> list[object]:
        return [
            await transaction.fetch(PUT_NEW, ("a", 1)),
            await transaction.fetch(PUT_NEW, ("a", 1)),
            await transaction.fetch_one(GROW, ("a",)),
            await transaction.fetch_one(FIND, ("a",)),
        ]

    assert await database.write(unit) == [[("a",)], [], (2,), ("a", 2, None)]


async def test_execute_many_writes_all_rows_in_order(database: Database) -> None:
    async def unit(transaction: Transaction) -> None:
        await transaction.execute_many(PUT, [(f"{index:04}", index, b"x") for index in range(1000)])
        await transaction.execute_many(RESIZE, [(7, "0001"), (8, "0001")])

    await database.write(unit)

    assert await database.fetch_one(COUNT) == (1000,)
    assert await database.fetch_one(FIND, ("0001",)) == ("0001", 8, b"x")


async def test_any_of_finds_what_is_in_the_list(database: Database) -> None:
    for name, size in (("a", 1), ("b", 2), ("c", 3)):
        await database.write(putting(name, size))

    assert await database.fetch(FIND_ANY, (["c", "a", 'x"'],)) == [("a",), ("c",)]
    assert await database.fetch(FIND_SIZES, ([2, 9],)) == [("b",)]
    assert await database.fetch(FIND_ANY, ([],)) == []


async def test_any_row_of_finds_what_is_in_the_list_as_it_stands(database: Database) -> None:
    for name, size in (("a", 1), ("b", 2), ('x"ы', 3)):
        await database.write(putting(name, size))

    assert await database.fetch(FIND_THESE, ([("a", 2), ('x"ы', 3), ("b", 2)],)) == [("b",), ('x"ы',)]
    assert await database.fetch(FIND_THESE, ([],)) == []


async def test_what_is_listed_is_inserted_in_one_statement_with_its_place(database: Database) -> None:
    await database.write(putting("b", 5))

    async def unit(transaction: Transaction) -> None:
        await transaction.execute(PUT_LISTED, (["a", "b", 'x"ы'],))
        await transaction.execute(PUT_LISTED, ([],))

    await database.write(unit)

    found = [await database.fetch_one(FIND, (name,)) for name in ("a", "b", 'x"ы')]
    assert found == [("a", 0, None), ("b", 7, None), ('x"ы', 2, None)]


async def test_concurrent_read_modify_writes_under_a_lock_lose_nothing(database: Database) -> None:
    await database.write(putting("counter", 0))

    async def unit(transaction: Transaction) -> None:
        found = await transaction.fetch_one(LOCK, ("counter",))
        assert found is not None
        await transaction.execute(RESIZE, (found[0] + 1, "counter"))

    await asyncio.gather(*(database.write(unit) for _ in range(50)))

    assert await database.fetch_one(FIND, ("counter",)) == ("counter", 50, None)


async def test_a_race_for_one_key_has_one_winner(database: Database) -> None:
    async def unit(transaction: Transaction) -> bool:
        return await transaction.fetch_one(PUT_NEW, ("key", 1)) is not None

    won = await asyncio.gather(*(database.write(unit) for _ in range(50)))

    assert won.count(True) == 1


async def test_units_that_lock_in_opposite_order_all_end(database: Database) -> None:
    for name in ("left", "right"):
        await database.write(putting(name))

    async def grow(first: str, second: str) -> None:
        async def unit(transaction: Transaction) -> None:
            await transaction.execute(GROW, (first,))
            await transaction.execute(GROW, (second,))

        await database.write(unit)

    await asyncio.gather(*(grow(*pair) for pair in [("left", "right"), ("right", "left")] * 4))

    assert await database.fetch_one(FIND, ("left",)) == ("left", 8, None)


async def test_a_cancelled_caller_leaves_the_database_usable(database: Database) -> None:
    tasks = [asyncio.create_task(database.write(putting(f"thing {index}"))) for index in range(10)]
    await asyncio.sleep(0)

    for task in tasks[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert outcomes[1::2] == [f"thing {index}" for index in range(1, 10, 2)]
    assert await database.write(putting("afterwards")) == "afterwards"


async def test_close_flushes_what_was_left_for_later(databases: Databases, database_kind: str) -> None:
    url = databases.url(database_kind)
    database = await databases.reopen(url, MIGRATIONS)
    for index in range(5):
        database.write_later(putting(f"mark {index}"))

    await database.close()

    again = await databases.reopen(url, MIGRATIONS)
    assert await again.fetch_one(COUNT) == (5,)


async def test_a_bad_mark_does_not_take_the_others_along(databases: Databases, database_kind: str) -> None:
    url = databases.url(database_kind)
    database = await databases.reopen(url, MIGRATIONS)
    for name in ("a", "b", "a", "c"):
        database.write_later(putting(name))

    await database.close()

    again = await databases.reopen(url, MIGRATIONS)
    assert await again.fetch_one(COUNT) == (3,)


async def test_a_mark_is_written_without_another_write(database: Database) -> None:
    done = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def mark(transaction: Transaction) -> None:
        await transaction.execute(PUT, ("mark", 1, None))
        loop.call_soon_threadsafe(done.set)

    database.write_later(mark)

    await asyncio.wait_for(done.wait(), PATIENCE_SECONDS)
    await database.write(putting("next"))  # committed behind the mark on SQLite, beside it on PostgreSQL
    await database.close()


async def test_a_closed_database_refuses(database: Database) -> None:
    await database.check()
    await database.close()

    with pytest.raises(StorageUnavailableError):
        await database.write(putting("late"))
    with pytest.raises(StorageUnavailableError):
        await database.fetch(COUNT)
    with pytest.raises(StorageUnavailableError):
        database.write_later(putting("late"))
    with pytest.raises(StorageUnavailableError):
        await database.check()


async def test_times_keep_their_microseconds() -> None:
    for micros in (0, 1, -1, 1_700_000_000_123_456):
        assert to_micros(from_micros(micros)) == micros
