"""What the senders would send, found out by letting them send to nobody."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from typing_extensions import override

from libs.egress import Outlet, Reply, Unanswered
from services.delivery.domain.delivery import Parcel
from services.delivery.domain.destination import Destination, DestinationKind
from services.delivery.domain.echo import Written
from services.delivery.ports import Echoes, Sender
from services.delivery.ports.operating import Rehearsal, Request
from services.delivery.sender.body import picked

MOST_REQUESTS = 10
MASK = "•••"
APPLY = "contactsync.directory.v1.DirectoryService/ApplyMany"
_CREDENTIALS = frozenset({"authorization", "webhook-signature", "x-api-key", "api-key", "x-auth-token", "secret-key"})


class DryOutlet(Outlet):
    """Keeps what is asked and answers as if nobody knew the contacts. Only what a workspace tells of itself is read."""

    def __init__(self, outlet: Outlet) -> None:
        """`outlet` reads."""
        self._outlet = outlet
        self.asked: list[Request] = []

    @override
    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeout: timedelta,
        read_limit: int = 65536,
        unshared: bool = False,
    ) -> Reply | Unanswered:
        """Ask nothing that holds a contact: what a GET without a query reads is the workspace's own."""
        if method == "GET" and "?" not in url:
            return await self._outlet.ask(method, url, headers=headers, timeout=timeout, read_limit=read_limit)
        if len(self.asked) < MOST_REQUESTS:
            self.asked.append(Request(method=method, url=url, headers=dict(headers), body=body or b""))
        if method == "GET":
            return Reply(status=200, headers={}, body=b"[]", whole=True)
        return Reply(status=201, headers={}, body=b'{"id":"preview"}', whole=True)


SenderTo = Callable[[Outlet], Sender]


class SenderRehearsal(Rehearsal):
    """Lets the very code that sends write its requests."""

    def __init__(self, outlet: Outlet, senders: Mapping[DestinationKind, SenderTo]) -> None:
        """`senders` gives one of each kind that speaks HTTP, for an outlet."""
        self._outlet = outlet
        self._senders = senders

    @override
    async def rehearse(self, parcel: Parcel) -> Sequence[Request]:
        make = self._senders.get(parcel.destination.kind)
        if make is None:
            return [_apply(parcel)]
        dry = DryOutlet(self._outlet)
        await make(dry).send(parcel)
        return [_masked(request, parcel.destination) for request in dry.asked]


def _apply(parcel: Parcel) -> Request:
    return Request(method="gRPC", url=APPLY, headers={}, body=picked(parcel.chunk.contacts, parcel.ref.positions))


def _masked(request: Request, destination: Destination) -> Request:
    """The operator's own headers may hold anything, so none of their values is shown."""
    hidden = _CREDENTIALS | {name.lower() for name in destination.headers}
    secrets = {destination.credentials.token, destination.credentials.api_key, *destination.secrets} - {""}
    return Request(
        method=request.method,
        url=request.url,
        headers={
            name: MASK if name.lower() in hidden or any(secret in value for secret in secrets) else value
            for name, value in request.headers.items()
        },
        body=request.body,
    )


class NoEchoes(Echoes):
    """Remembers nothing: what is rehearsed was not written."""

    @override
    async def remember(self, destination: Destination, records: Sequence[Written]) -> None:
        pass

    @override
    async def recognize(self, systems: Sequence[str], seen: Sequence[Written]) -> Sequence[bool]:
        return [False] * len(seen)
