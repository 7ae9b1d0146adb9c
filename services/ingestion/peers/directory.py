from contactsync.directory.v1.directory_service_pb2 import EraseContactsRequest
from contactsync.directory.v1.directory_service_pb2_grpc import DirectoryServiceStub

from libs.rpc import Peer
from services.ingestion.domain.erasure import Person
from services.ingestion.peers.failures import as_refusals


class RpcBook:
    """The contact book, kept by the directory service."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._stub = DirectoryServiceStub(peer.channel)

    async def erase(self, person: Person) -> int:
        """Deletes the person's contacts; returns how many there were."""
        request = EraseContactsRequest(phones=person.phones, emails=person.emails, external_ids=person.external_ids)
        with as_refusals():
            return (await self._peer.call(self._stub.EraseContacts, request)).erased_contacts
