"""Credentials in a database."""

from typing import Any, Final

from sqlalchemy import bindparam, delete, func, insert, select

from libs.storage import Database, Statement, Transaction, from_micros, table_of, to_micros
from services.directory.domain.contact import WorkspaceId
from services.directory.domain.credential import Credential, CredentialId, CredentialKind
from services.directory.domain.search import fold
from services.directory.store.tables import CredentialRow
from services.directory.store.turns import Turns

_credentials = table_of(CredentialRow).c
_COLUMNS: Final = ("credential_id", "workspace_id", "kind", "user_key", "digest", "user_email", "created_at")
_READ = tuple(_credentials[name] for name in _COLUMNS if name != "user_key")
_OF_WORKSPACE = _credentials.workspace_id == bindparam("workspace_id")

_ADD = Statement(insert(CredentialRow).values({name: bindparam(name) for name in _COLUMNS}), *_COLUMNS)
_FIND = Statement(select(*_READ).where(_credentials.credential_id == bindparam("credential_id")), "credential_id")
_DELETE = Statement(
    delete(CredentialRow).where(_OF_WORKSPACE, _credentials.credential_id == bindparam("credential_id")),
    "workspace_id",
    "credential_id",
)
_LIST = Statement(
    select(*_READ).where(_OF_WORKSPACE).order_by(_credentials.created_at, _credentials.credential_id), "workspace_id"
)
_COUNT = Statement(
    select(func.count()).where(_OF_WORKSPACE, _credentials.kind == bindparam("kind")), "workspace_id", "kind"
)


class SqlCredentials:
    """CredentialBook and CredentialList."""

    def __init__(self, database: Database, turns: Turns) -> None:
        self._database = database
        self._turns = turns

    async def add(self, credential: Credential, *, most: int | None) -> bool:
        kind = credential.kind.name

        async def unit(transaction: Transaction) -> bool:
            await self._turns.take(transaction, credential.workspace_id)
            if most is not None:
                count = await transaction.fetch_one(_COUNT, (credential.workspace_id, kind))
                if count is None or count[0] >= most:
                    return False
            await transaction.execute(
                _ADD,
                (
                    credential.credential_id,
                    credential.workspace_id,
                    kind,
                    fold(credential.user_email.strip()),
                    credential.digest,
                    credential.user_email,
                    to_micros(credential.created_at),
                ),
            )
            return True

        return await self._database.write(unit)

    async def find(self, credential_id: CredentialId) -> Credential | None:
        row = await self._database.fetch_one(_FIND, (credential_id,))
        return None if row is None else _read(row)

    async def delete(self, workspace_id: WorkspaceId, credential_id: CredentialId) -> bool:
        async def unit(transaction: Transaction) -> bool:
            return await transaction.execute(_DELETE, (workspace_id, credential_id)) > 0

        return await self._database.write(unit)

    async def of_workspace(self, workspace_id: WorkspaceId) -> list[Credential]:
        return [_read(row) for row in await self._database.fetch(_LIST, (workspace_id,))]


def _read(row: tuple[Any, ...]) -> Credential:
    credential_id, workspace_id, kind, digest, user_email, created_at = row
    return Credential(
        credential_id=CredentialId(credential_id),
        kind=CredentialKind[kind],
        workspace_id=WorkspaceId(workspace_id),
        digest=bytes(digest),
        user_email=user_email,
        created_at=from_micros(created_at),
    )
