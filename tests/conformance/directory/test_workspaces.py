"""Workspaces, their members and their credentials, on every store."""

import asyncio
from dataclasses import replace

from services.directory.domain.contact import WorkspaceId
from services.directory.domain.credential import CredentialKind, Secret
from services.directory.domain.leads import NoWorkspace
from services.directory.domain.member import Joined, Member, MemberState, NotJoined
from services.directory.domain.workspace import FIRST_WORKSPACE
from services.directory.handler.credentials import NotMade
from tests.fixtures.book import START, WORKSPACE, Book

OTHER = WorkspaceId("0123456789abcdef01234567")


def _member(email: str, name: str = "", *, seat: bool = True) -> Member:
    return Member(workspace_id=OTHER, member_id=email, email=email, name=name or email, seat=seat, created_at=START)


async def test_there_is_a_first_workspace_and_others_come_back_as_they_were_made(book: Book) -> None:
    made = await book.add_workspace(OTHER)

    listed = await book.stores.workspaces.list()

    assert [each.workspace_id for each in listed] == [FIRST_WORKSPACE, OTHER]
    assert await book.stores.workspaces.get(OTHER) == made
    assert await book.stores.workspaces.get(WorkspaceId("unknown")) is None


async def test_changes_of_a_workspace_at_once_lose_nothing(book: Book) -> None:
    await book.add_workspace(OTHER)

    await asyncio.gather(
        *(book.stores.workspaces.change(OTHER, lambda known: replace(known, name=known.name + "x")) for _ in range(10))
    )
    nobody = await book.stores.workspaces.change(WorkspaceId("unknown"), lambda known: known)

    found = await book.stores.workspaces.get(OTHER)
    assert found is not None
    assert (found.name, found.version) == ("Other" + "x" * 10, 11)
    assert nobody is NoWorkspace.NO_WORKSPACE


async def test_no_more_join_than_there_are_seats(book: Book) -> None:
    await book.add_workspace(OTHER, seats=3)

    results = await asyncio.gather(*(book.stores.members.join(_member(f"{n}@example.com")) for n in range(10)))
    user = await book.stores.members.join(_member("user@example.com", seat=False))

    assert sum(isinstance(result, Joined) for result in results) == 3
    assert results.count(NotJoined.NO_SEAT) == 7
    assert isinstance(user, Joined)
    assert (await book.stores.members.page(OTHER, deleted=False, skip=0, limit=10)).total == 3


async def test_members_are_listed_by_name_and_found_whatever_the_case(book: Book) -> None:
    await book.add_workspace(OTHER)
    for name in ("bob", "Ann", "Cid"):
        await book.stores.members.join(_member(f"{name}@Example.com", name))

    page = await book.stores.members.page(OTHER, deleted=False, skip=1, limit=1)
    again = await book.stores.members.join(_member("ANN@example.COM"))

    assert [member.name for member in page.members] == ["bob"]
    assert again is NotJoined.EXISTS
    assert await book.stores.members.find(OTHER, "ann@EXAMPLE.com") is not None


async def test_a_removed_member_frees_the_seat_and_takes_its_keys_along(book: Book) -> None:
    await book.add_workspace(OTHER, seats=1)
    await book.stores.members.join(_member("ann@example.com"))
    key = await book.credentials.create(OTHER, CredentialKind.CONNECT, user_email="Ann@example.com")
    assert isinstance(key, Secret)
    before = await book.credentials.open_connect(key.text)

    removed = await book.stores.members.remove(OTHER, "ANN@example.com")

    assert before is not None
    assert before.user is not None
    assert removed
    assert await book.credentials.open_connect(key.text) is None
    assert await book.stores.members.find(OTHER, "ann@example.com") is None
    kept = await book.stores.members.find(OTHER, "ann@example.com", deleted=True)
    assert kept is not None
    assert kept.state is MemberState.DELETED
    assert isinstance(await book.stores.members.join(_member("bob@example.com")), Joined)


async def test_there_are_at_most_three_tokens_of_a_type_however_many_are_made_at_once(book: Book) -> None:
    made = await asyncio.gather(*(book.credentials.create(WORKSPACE, CredentialKind.SYNC) for _ in range(10)))
    other = await book.credentials.create(WORKSPACE, CredentialKind.ASYNC)

    assert sum(isinstance(each, Secret) for each in made) == 3
    assert made.count(NotMade.TOO_MANY) == 7
    assert isinstance(other, Secret)


async def test_a_credential_opens_its_own_entrance_of_its_own_workspace_alone(book: Book) -> None:
    await book.add_workspace(OTHER)
    sync = await book.credentials.create(OTHER, CredentialKind.SYNC)
    source = await book.credentials.create(OTHER, CredentialKind.SOURCE)
    assert isinstance(sync, Secret)
    assert isinstance(source, Secret)

    opened = await book.credentials.open_sync(OTHER, sync.text)
    token = book.credentials.issue_source_token(source.credential_id)

    assert opened is not None
    assert opened.workspace.workspace_id == OTHER
    assert await book.credentials.open_sync(WORKSPACE, sync.text) is None
    assert await book.credentials.open_async(OTHER, sync.text) is None
    assert await book.credentials.open_connect(sync.text) is None
    assert await book.credentials.open_sync(OTHER, sync.text[:-1]) is None
    assert await book.credentials.open_sync(OTHER, "") is None
    assert await book.credentials.open_source_basic("someone", source.text) is None
    assert token is not None
    assert await book.credentials.open_source_token(token) is not None
    assert await book.credentials.open_source_token(token + "x") is None


async def test_a_deleted_credential_opens_nothing_from_the_next_call_on(book: Book) -> None:
    source = await book.credentials.create(WORKSPACE, CredentialKind.SOURCE)
    assert isinstance(source, Secret)
    token = book.credentials.issue_source_token(source.credential_id)
    assert token is not None

    elsewhere = await book.credentials.delete(OTHER, source.credential_id)
    deleted = await book.credentials.delete(WORKSPACE, source.credential_id)

    assert (elsewhere, deleted) == (False, True)
    assert await book.credentials.open_source_token(token) is None
    assert await book.credentials.open_source_basic(source.credential_id, source.text) is None
