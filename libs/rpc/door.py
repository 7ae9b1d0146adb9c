"""The door: who may come in, by the rules that the contracts give. Default deny."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from google.protobuf.message import DecodeError

from libs.rpc.address import LOOPBACK, Address, calling_address, is_within
from libs.rpc.call import Call
from libs.rpc.caller import (
    Authenticator,
    ClientCaller,
    Credential,
    CredentialAuthenticator,
    Network,
    ServiceCaller,
    WorkspaceCaller,
)
from libs.rpc.credentials import presented, unauthorized
from libs.rpc.identity import SERVICE_HEADER, Identity
from libs.rpc.limits import Buckets
from libs.rpc.refusal import Refusal, Violation
from libs.rpc.rules import Rule, Signed
from libs.rpc.signature import WINDOW, SeenSignatures, is_signed, read_timestamp

_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([!-~]{1,512})")
_CREDENTIALS = frozenset({"authorization", "x-api-key", SERVICE_HEADER, "x-signature", "x-timestamp"})
_KEY_HEADER = "idempotency-key"
_REMEMBERED = 10_000


class _Limit(NamedTuple):
    """How many authentications from one address may fail."""

    per_second: float
    at_once: float


_OF_CLIENTS = _Limit(1.0, 50.0)
# Whoever writes a client for a published API tries every route with every wrong token; guessing 256 bits is no use.
_OF_WORKSPACES = _Limit(10.0, 500.0)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Door:
    """Lets callers in by the rule of the method. One per server; keeps rates and seen signatures in memory.

    With replicas of a service that memory is each one's own, so the gateway sends all calls with one key to the same
    replica. Who dials replicas directly has a bucket at each.
    """

    def __init__(
        self,
        *,
        identity: Identity,
        authenticate: Authenticator,
        credentials: Mapping[Credential, CredentialAuthenticator] = MappingProxyType({}),
        gateways: Sequence[Network] = LOOPBACK,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        """`identity` is the server's own; its keys verify other services. `authenticate` resolves API keys.

        `credentials` resolve those of workspaces; a method that wants one that is not here lets nobody in.
        `gateways` are the addresses whose X-Forwarded-For is believed. `monotonic` is seconds, for rates; `now` for
        signatures.
        """
        self._identity = identity
        self._authenticate = authenticate
        self._credentials = credentials
        self._gateways = gateways
        self._monotonic = monotonic
        self._now = now
        self._requests = Buckets()
        self._failures = Buckets()
        self._seen = SeenSignatures()
        self._known_keys: set[int] = set()

    async def admit(self, call: Call, rule: Rule, raw: bytes) -> None:
        """Sets the caller of the call, or refuses. `raw` is the request's message as it came."""
        if rule.open:
            return
        if call.repeated:
            _refuse_repeats(call.repeated, rule, raw)
        headers = call.headers
        if SERVICE_HEADER in headers and "authorization" not in headers:
            call.caller = self._admit_service(call, rule, raw)
            return
        if rule.credential is not None:
            call.caller = await self._workspace(call, rule, rule.credential, raw)
            return
        client = await self._client(call)
        self._hold_to_networks(call, client)
        # Before the scopes: without its signature a stolen key must look like a wrong one, whatever it is tried on.
        self._hold_to_signature(call, client, rule, raw)
        if rule.scopes.isdisjoint(client.scopes):
            raise Refusal("FORBIDDEN", "The API key does not allow this.")
        self._hold_to_rate(call, client)
        call.caller = client

    async def admit_again(self, call: Call) -> None:
        """Refuses a client whose key has ended since it was let in: a stream may outlive the key it began with."""
        if isinstance(call.caller, ClientCaller):
            match = _BEARER.fullmatch(call.headers["authorization"])
            if match is None or await self._authenticate(match[1]) is None:
                raise _unauthorized()

    def _admit_service(self, call: Call, rule: Rule, raw: bytes) -> ServiceCaller:
        """A service by its own statement, which over TLS must be that of its certificate too."""
        stated = self._identity.verify(call.headers[SERVICE_HEADER])
        if stated is None or stated.client_id or not call.is_certified(stated.issuer):
            raise unauthorized(rule, _enterprise(rule, raw))
        if stated.issuer not in rule.services:
            raise Refusal("FORBIDDEN", "This service may not call this method.")
        return ServiceCaller(stated.issuer)

    async def _workspace(self, call: Call, rule: Rule, credential: Credential, raw: bytes) -> WorkspaceCaller:
        enterprise_id = _enterprise(rule, raw)
        shown = presented(credential, call.headers)
        ask = self._credentials.get(credential)
        refusal = unauthorized(rule, enterprise_id)
        if shown is None or ask is None or SERVICE_HEADER in call.headers:
            raise self._failed(call, refusal, _OF_WORKSPACES)
        known_as = hash((credential, shown))
        if self._failures and known_as not in self._known_keys:
            self._hold_to_failures(call, _OF_WORKSPACES)
        caller = await ask(shown, enterprise_id)
        if caller is None:
            raise self._failed(call, refusal, _OF_WORKSPACES)
        self._know(known_as)
        return caller

    async def _client(self, call: Call) -> ClientCaller:
        headers = call.headers
        match = _BEARER.fullmatch(headers.get("authorization", ""))
        if match is None or SERVICE_HEADER in headers:
            raise self._failed(call)
        key = match[1]
        # Its salted hash is enough here: a collision would only spare a key the limit on failures.
        if self._failures and hash(key) not in self._known_keys:
            self._hold_to_failures(call)
        client = await self._authenticate(key)
        if client is None:
            raise self._failed(call)
        self._know(hash(key))
        return client

    def _know(self, hashed: int) -> None:
        if len(self._known_keys) >= _REMEMBERED:
            self._known_keys.clear()
        self._known_keys.add(hashed)

    def _address(self, call: Call) -> Address | None:
        return calling_address(call.context, call.headers, self._gateways)

    def _failed(self, call: Call, refusal: Refusal | None = None, limit: _Limit = _OF_CLIENTS) -> Refusal:
        """The one answer to every failed authentication; counted against the address."""
        key = (limit, self._address(call))
        allowance = self._failures.take(key, rate=limit.per_second, burst=limit.at_once, now=self._monotonic())
        return (refusal or _unauthorized()) if allowance.allowed else _too_many(allowance.retry_after_seconds)

    def _hold_to_failures(self, call: Call, limit: _Limit = _OF_CLIENTS) -> None:
        key, now = (limit, self._address(call)), self._monotonic()
        level = self._failures.level(key, rate=limit.per_second, burst=limit.at_once, now=now)
        if level < 1:
            raise _too_many((1 - level) / limit.per_second)

    def _hold_to_networks(self, call: Call, client: ClientCaller) -> None:
        if not client.allowed_networks:
            return
        address = self._address(call)
        if address is None or not is_within(address, client.allowed_networks):
            raise Refusal("FORBIDDEN", "The API key does not allow calls from this address.")

    def _hold_to_signature(self, call: Call, client: ClientCaller, rule: Rule, raw: bytes) -> None:
        if not client.signs:
            return
        if rule.signed is Signed.NEVER:
            raise Refusal("FORBIDDEN", "A client that signs its requests cannot use a stream.")
        now = self._now()
        timestamp, signature = call.headers.get("x-timestamp", ""), call.headers.get("x-signature", "")
        at = read_timestamp(timestamp)
        if at is None or abs(at - now) > WINDOW:
            raise self._failed(call)
        body = _signed_body(client, rule, raw, timestamp, signature)
        if body is None:
            raise self._failed(call)
        # Nothing signed is nothing changed: a read within the same second has the same signature and is no replay.
        if body and not rule.has_key and not self._is_first(call, client, signature, now):
            raise self._failed(call)

    def _is_first(self, call: Call, client: ClientCaller, signature: str, now: datetime) -> bool:
        return self._seen.admit(
            client_id=client.client_id,
            signature=signature,
            idempotency_key=call.headers.get(_KEY_HEADER, ""),
            now=now.timestamp(),
        )

    def _hold_to_rate(self, call: Call, client: ClientCaller) -> None:
        allowance = self._requests.take(
            client.client_id, rate=client.rate, burst=max(1.0, client.rate), now=self._monotonic()
        )
        call.standing += (
            ("x-ratelimit-limit", str(allowance.limit)),
            ("x-ratelimit-remaining", str(allowance.remaining)),
            ("x-ratelimit-reset", str(allowance.reset_seconds)),
        )
        if not allowance.allowed:
            raise _too_many(allowance.retry_after_seconds)


def _signed_body(client: ClientCaller, rule: Rule, raw: bytes, timestamp: str, signature: str) -> bytes | None:
    """What the signature was made over, besides the timestamp. None: the signature is not valid."""
    try:
        candidates = _candidates(rule, raw)
    except DecodeError:  # not a message, so there is no body that was signed
        return None
    for body in candidates:
        if is_signed(secrets=client.secrets, timestamp=timestamp, body=body, signature=signature):
            return body
    return None


def _candidates(rule: Rule, raw: bytes) -> Sequence[bytes]:
    match rule.signed:
        case Signed.BODY:
            assert rule.read_body is not None
            return (rule.read_body(raw),)
        case Signed.EMPTY:
            return (b"",)
        case Signed.MESSAGE:
            return (raw,)
        case Signed.MESSAGE_OR_EMPTY:
            return (raw, b"")
        case Signed.NEVER:
            return ()


def _enterprise(rule: Rule, raw: bytes) -> str:
    return rule.read_enterprise(raw) if rule.read_enterprise else ""


def _refuse_repeats(repeated: frozenset[str], rule: Rule, raw: bytes) -> None:
    if repeated & _CREDENTIALS:
        raise unauthorized(rule, _enterprise(rule, raw))
    if _KEY_HEADER in repeated:
        message = "Idempotency-Key must be given once"
        raise Refusal("VALIDATION_ERROR", message, violations=[Violation("", "idempotency_key", message)])


def _unauthorized() -> Refusal:
    return Refusal("UNAUTHORIZED", "The API key or the signature is missing or not valid.")


def _too_many(retry_after_seconds: float) -> Refusal:
    return Refusal(
        "RATE_LIMIT_EXCEEDED",
        "Too many requests; slow down and try again.",
        retry_after=timedelta(seconds=retry_after_seconds),
    )
