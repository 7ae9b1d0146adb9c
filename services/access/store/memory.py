"""Clients and key proofs in memory: for tests, and for a hub that need not outlive its process."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from services.access.domain.client import Client, ClientId
from services.access.domain.key import KeyId
from services.access.ports import Changed


class MemoryStore:
    """Keeps `Store` and `KeyProofs` in two dictionaries; every call is whole, since none waits inside."""

    def __init__(self) -> None:
        self._clients: dict[ClientId, Client] = {}
        self._proofs: dict[str, bytes] = {}

    async def find(self, client_id: ClientId) -> Client | None:
        return self._clients.get(client_id)

    async def list_all(self) -> list[Client]:
        return sorted(self._clients.values(), key=lambda client: (client.name, client.client_id))

    async def find_holders(self, key_ids: Sequence[KeyId]) -> Mapping[KeyId, Client]:
        wanted = set(key_ids)
        return {key.key_id: client for client in self._clients.values() for key in client.keys if key.key_id in wanted}

    def note_use(self, key_ids: Sequence[KeyId], *, at: datetime) -> None:
        for client in self._clients.values():
            keys = tuple(
                replace(key, last_used_at=max(at, key.last_used_at or at)) if key.key_id in key_ids else key
                for key in client.keys
            )
            self._clients[client.client_id] = replace(client, keys=keys)

    async def add(self, client: Client) -> None:
        """Add a client; ValueError when its id or a key's is taken."""
        if client.client_id in self._clients or await self.find_holders([key.key_id for key in client.keys]):
            raise ValueError(client.client_id)
        self._clients[client.client_id] = client

    async def add_first(self, clients: Sequence[Client]) -> bool:
        if self._clients:
            return False
        self._clients.update({client.client_id: client for client in clients})
        return True

    async def change(self, client_id: ClientId, decide: Callable[[Client], Client]) -> Changed | None:
        before = self._clients.get(client_id)
        if before is None:
            return None
        self._clients[client_id] = after = decide(before)
        return Changed(before, after)

    async def remember(self, purpose: str, fingerprint: bytes) -> bytes:
        return self._proofs.setdefault(purpose, fingerprint)
