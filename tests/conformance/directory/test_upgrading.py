"""A book from before workspaces and postings is found whole by what came since."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import bindparam, insert

from libs.storage import Statement, Transaction
from services.directory.domain.leads import LeadQuery
from services.directory.main import MIGRATIONS
from services.directory.store.rows import CONTACT_COLUMNS
from services.directory.store.stores import sql_stores
from services.directory.store.tables import ContactRow
from tests.fixtures.book import WORKSPACE, Book, Ticking, person
from tests.fixtures.databases import Databases

_BEFORE = CONTACT_COLUMNS[:-1]
_ADD = Statement(insert(ContactRow).values({name: bindparam(name) for name in _BEFORE}), *_BEFORE)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_contacts_of_before_are_numbered_and_found(databases: Databases, tmp_path: Path, kind: str) -> None:
    before = tmp_path / "before"
    (before / "versions").mkdir(parents=True)
    shutil.copy(next(MIGRATIONS.glob("versions/0001_*.py")), before / "versions")
    url = databases.url(kind)
    old = await databases.reopen(url, before)
    ids = [f"01000000-0000-7000-8000-{number:012x}" for number in (2, 1, 3)]

    async def unit(transaction: Transaction) -> None:
        for contact_id in ids:
            row = (WORKSPACE, contact_id, 1, 1000, 1000, "", "Ann", "", "", 0, "ann", "{}", "{}")
            await transaction.execute(_ADD, row)

    await old.write(unit)
    await old.close()

    clock = Ticking()
    book = Book(await sql_stores(await databases.reopen(url, MIGRATIONS), clock=clock), clock)
    await book.apply(person(1))

    found = await book.stores.search.search(WORKSPACE, LeadQuery(limit=10))
    named = await book.containing("ann")
    assert [contact.number for contact in found.contacts] == [4, 3, 2, 1]
    assert [contact.contact_id for contact in named] == sorted(ids, reverse=True)
