"""API keys resolved by the access service, kept for at most 5 s."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from ipaddress import ip_network

import structlog
from contactsync.access.v1 import access_service_pb2, access_service_pb2_grpc, client_pb2
from contactsync.call.v1.call_pb2 import CallContext

from libs.rpc.batch import Batch
from libs.rpc.caller import Authenticator, ClientCaller, ClientId, Duplicates, Scope
from libs.rpc.peer import Peer
from libs.rpc.tracing import call_context

MAX_AGE_SECONDS = 5.0
"""How long a revoked key may still open: the law of the hub."""

_AHEAD_SECONDS = 2.0
"""So long before an answer is too old it is asked for again, if the key is in use: no request waits for that."""

_COMMON_SCOPES = frozenset({Scope.IMPORT, Scope.READ})
_UNKNOWN_SECONDS = 1.0
_KEPT = 4096

_log = structlog.get_logger("libs.rpc")


def remote_authenticator(access: Peer) -> Authenticator:
    """Asks access in batches and keeps the answers for at most 5 s. Raises PeerUnavailable when it does not answer."""
    stub = access_service_pb2_grpc.AccessServiceStub(access.channel)

    async def authenticate_many(asked: Sequence[tuple[str, CallContext]]) -> Sequence[ClientCaller | None]:
        request = access_service_pb2.AuthenticateManyRequest(
            keys=[key for key, _ in asked], contexts=[context for _, context in asked]
        )
        response = await access.call(stub.AuthenticateMany, request)
        return [_client(result) for result in response.results]

    batch = Batch(authenticate_many)
    return cached_authenticator(lambda key: batch.ask((key, call_context())))


def cached_authenticator(authenticate: Authenticator, *, now: Callable[[], float] = time.monotonic) -> Authenticator:
    """Keeps what an authenticator answers: clients for 5 s, unknown keys for 1 s, at most 4096 of each.

    `now` is seconds.
    """
    return _Cache(authenticate, now).authenticate


class _Cache:
    """By SHA-256 of the key: a dump of the process shows no key. Known and unknown keys do not displace each other."""

    def __init__(self, authenticate: Authenticator, now: Callable[[], float]) -> None:
        self._authenticate = authenticate
        self._now = now
        self._known: OrderedDict[bytes, tuple[float, ClientCaller]] = OrderedDict()
        self._unknown: OrderedDict[bytes, float] = OrderedDict()
        self._renewing: dict[bytes, asyncio.Task[None]] = {}

    async def authenticate(self, key: str) -> ClientCaller | None:
        digest = sha256(key.encode()).digest()
        asked_at = self._now()
        known = self._known.get(digest)
        if known is not None and known[0] > asked_at:
            if known[0] - asked_at < _AHEAD_SECONDS and digest not in self._renewing:
                self._renewing[digest] = asyncio.create_task(self._renew(key, digest, known))
            return known[1]
        if self._unknown.get(digest, asked_at) > asked_at:
            return None
        client = await self._authenticate(key)
        self._keep(digest, client, asked_at)  # aged from the question: the answer is at least as old
        return client

    async def _renew(self, key: str, digest: bytes, known: tuple[float, ClientCaller]) -> None:
        asked_at = self._now()
        try:
            client = await self._authenticate(key)
        except Exception as error:  # noqa: BLE001 - whatever it is: who comes when the answer is too old will meet it
            _log.debug("key_not_asked_ahead", error=type(error).__name__)
        else:
            if self._known.get(digest) is known:  # no newer answer came meanwhile
                self._keep(digest, client, asked_at)
        finally:
            del self._renewing[digest]

    def _keep(self, digest: bytes, client: ClientCaller | None, asked_at: float) -> None:
        self._known.pop(digest, None)
        self._unknown.pop(digest, None)
        if client is None:
            self._unknown[digest] = asked_at + _UNKNOWN_SECONDS
        else:
            self._known[digest] = (asked_at + MAX_AGE_SECONDS, client)
        for kept in (self._known, self._unknown):
            if len(kept) > _KEPT:
                kept.popitem(last=False)


def _client(result: access_service_pb2.AuthenticateResult) -> ClientCaller | None:
    """None: no client, or one that is turned off."""
    if not result.HasField("client") or not result.client.enabled:
        return None
    settings = result.client.settings
    return ClientCaller(
        client_id=ClientId(result.client.id),
        scopes=_scopes(settings.scopes),
        default_region=settings.default_region or "RU",
        destination_ids=tuple(settings.destination_ids) or ("directory",),
        duplicates=_duplicates(settings.duplicates),
        workspace_id=settings.workspace_id,
        rate=settings.rate or 10.0,
        allowed_networks=tuple(ip_network(network, strict=False) for network in settings.allowed_networks),
        signs=settings.hmac,
        secrets=tuple(secret.encode() for secret in result.hmac_secrets),
    )


def _scopes(given: Iterable[int]) -> frozenset[Scope]:
    """Both common ones where none is given. One that only a newer access knows opens nothing here."""
    numbers = set(given)
    return frozenset(scope for scope in Scope if scope in numbers) if numbers else _COMMON_SCOPES


def _duplicates(policy: client_pb2.DuplicatePolicy.ValueType) -> Duplicates:
    keep_last = policy == client_pb2.DUPLICATE_POLICY_KEEP_LAST
    return Duplicates.KEEP_LAST if keep_last else Duplicates.KEEP_ALL
