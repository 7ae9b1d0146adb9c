"""Clients and key proofs in a database, SQLite or PostgreSQL."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy import insert as insert_into

from libs.storage import Database, Statement, Transaction, any_of, table_of, to_micros
from services.access.domain.client import Client, ClientId
from services.access.domain.key import KeyId
from services.access.ports import Changed
from services.access.store.rows import CLIENT_COLUMNS, KEY_COLUMNS, client_row, key_row, read_clients
from services.access.store.tables import ClientRow, KeyProofRow, KeyRow

MIGRATIONS = Path(__file__).parents[1] / "migrations"

_clients, _keys, _proofs = table_of(ClientRow), table_of(KeyRow), table_of(KeyProofRow)

# A client has at least the key that was made last, so the join loses none.
_WHOLE = (
    select(*(_clients.c[name] for name in CLIENT_COLUMNS), *(_keys.c[name] for name in KEY_COLUMNS))
    .join_from(_clients, _keys, _keys.c.client_id == _clients.c.client_id)
    .order_by(_clients.c.client_id, _keys.c.created_at, _keys.c.key_id)
)
_FIND = Statement(_WHOLE.where(_clients.c.client_id == bindparam("client_id")), "client_id")
_LIST = Statement(_WHOLE)
_FIND_HOLDERS = Statement(
    _WHOLE.where(_clients.c.client_id.in_(select(_keys.c.client_id).where(any_of(_keys.c.key_id, "key_ids")))),
    "key_ids",
)
_ANY = Statement(select(_clients.c.client_id).limit(1))
_LOCK = Statement(
    select(_clients.c.client_id).where(_clients.c.client_id == bindparam("client_id")).with_for_update(), "client_id"
)
_ADD_CLIENT = Statement(
    insert_into(_clients).values({name: bindparam(name) for name in CLIENT_COLUMNS}), *CLIENT_COLUMNS
)
_CLAIM_CLIENT = Statement(
    lambda insert: insert(_clients).values({name: bindparam(name) for name in CLIENT_COLUMNS}).on_conflict_do_nothing(),
    *CLIENT_COLUMNS,
)
_CHANGE_CLIENT = Statement(
    update(_clients)
    .where(_clients.c.client_id == bindparam("client_id"))
    .values({name: bindparam(f"new_{name}") for name in CLIENT_COLUMNS[1:]}),
    "client_id",
    *(f"new_{name}" for name in CLIENT_COLUMNS[1:]),
)
_ADD_KEY = Statement(insert_into(_keys).values({name: bindparam(name) for name in KEY_COLUMNS}), *KEY_COLUMNS)
# What a change may touch: not the digest, and not last_used_at, which is marked beside it.
_CHANGE_KEY = Statement(
    update(_keys)
    .where(_keys.c.key_id == bindparam("of_key"))
    .values(sealed_secret=bindparam("sealed_secret"), expires_at=bindparam("expires_at")),
    "of_key",
    "sealed_secret",
    "expires_at",
)
_FORGET_KEY = Statement(delete(_keys).where(_keys.c.key_id == bindparam("key_id")), "key_id")
_NOTE_USE = Statement(
    update(_keys)
    .where(
        any_of(_keys.c.key_id, "key_ids"), or_(_keys.c.last_used_at.is_(None), _keys.c.last_used_at < bindparam("at"))
    )
    .values(last_used_at=bindparam("at")),
    "key_ids",
    "at",
)
_REMEMBER = Statement(
    lambda insert: (
        insert(_proofs)
        .values(purpose=bindparam("purpose"), fingerprint=bindparam("fingerprint"))
        .on_conflict_do_nothing()
    ),
    "purpose",
    "fingerprint",
)
_PROOF = Statement(select(_proofs.c.fingerprint).where(_proofs.c.purpose == bindparam("purpose")), "purpose")


class SqlStore:
    """Keeps `Store` and `KeyProofs` in the service's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, client_id: ClientId) -> Client | None:
        return next(iter(read_clients(await self._database.fetch(_FIND, (client_id,)))), None)

    async def list_all(self) -> list[Client]:
        clients = read_clients(await self._database.fetch(_LIST))
        return sorted(clients, key=lambda client: (client.name, client.client_id))

    async def find_holders(self, key_ids: Sequence[KeyId]) -> Mapping[KeyId, Client]:
        clients = read_clients(await self._database.fetch(_FIND_HOLDERS, (list(key_ids),)))
        wanted = set(key_ids)
        return {key.key_id: client for client in clients for key in client.keys if key.key_id in wanted}

    def note_use(self, key_ids: Sequence[KeyId], *, at: datetime) -> None:
        """Mark the keys in a commit that comes anyway, or within a second."""
        row = (list(key_ids), to_micros(at))

        async def unit(transaction: Transaction) -> None:
            await transaction.execute(_NOTE_USE, row)

        self._database.write_later(unit)

    async def add(self, client: Client) -> None:
        """Add a client; ConstraintViolatedError when its id or a key's is taken."""

        async def unit(transaction: Transaction) -> None:
            await transaction.execute(_ADD_CLIENT, client_row(client))
            await _add_keys(transaction, client)

        await self._database.write(unit)

    async def add_first(self, clients: Sequence[Client]) -> bool:
        """Add the clients when there is none; of two processes at once, the one that gets the first row adds them."""

        async def unit(transaction: Transaction) -> bool:
            if await transaction.fetch_one(_ANY) is not None:
                return False
            if not await transaction.execute(_CLAIM_CLIENT, client_row(clients[0])):
                return False
            await transaction.execute_many(_ADD_CLIENT, [client_row(client) for client in clients[1:]])
            for client in clients:
                await _add_keys(transaction, client)
            return True

        return await self._database.write(unit)

    async def change(self, client_id: ClientId, decide: Callable[[Client], Client]) -> Changed | None:
        async def unit(transaction: Transaction) -> Changed | None:
            if await transaction.fetch_one(_LOCK, (client_id,)) is None:
                return None
            [before] = read_clients(await transaction.fetch(_FIND, (client_id,)))
            after = decide(before)
            await _write_change(transaction, before, after)
            return Changed(before, after)

        return await self._database.write(unit)

    async def remember(self, purpose: str, fingerprint: bytes) -> bytes:
        async def unit(transaction: Transaction) -> bytes:
            await transaction.execute(_REMEMBER, (purpose, fingerprint))
            [[remembered]] = await transaction.fetch(_PROOF, (purpose,))
            return bytes(remembered)

        return await self._database.write(unit)


async def _add_keys(transaction: Transaction, client: Client) -> None:
    await transaction.execute_many(_ADD_KEY, [key_row(key, client.client_id) for key in client.keys])


async def _write_change(transaction: Transaction, before: Client, after: Client) -> None:
    await transaction.execute(_CHANGE_CLIENT, client_row(after))
    old = {key.key_id: key for key in before.keys}
    for key in after.keys:
        row = key_row(key, after.client_id)
        if key.key_id not in old:
            await transaction.execute(_ADD_KEY, row)
        elif key != old[key.key_id]:
            await transaction.execute(_CHANGE_KEY, (key.key_id, row[3], row[5]))
    for key_id in old.keys() - {key.key_id for key in after.keys}:
        await transaction.execute(_FORGET_KEY, (key_id,))
