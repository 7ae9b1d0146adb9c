"""The methods of a peer, by what the stubs of its contracts call."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import MethodOptions


@dataclass(frozen=True, slots=True)
class Method:
    """A unary method of a peer. Of a callable of another channel: no name, no repeats."""

    ask: Any
    """The callable of the channel that is open now."""
    name: str = ""
    """"package.Service/Method"."""
    reads: bool = False
    """True: a repeat has no side effects."""
    write: Callable[[Any], bytes] = bytes
    """The request's bytes."""
    read: Callable[[bytes], Any] = bytes
    """The response of these bytes."""

    @property
    def service(self) -> str:
        """Internal methods are in the contracts of their service's name: contactsync.SERVICE.v1."""
        return self.name.partition(".")[2].partition(".")[0]


class NamingChannel:
    """A channel that remembers the names of its callables, which gRPC keeps to itself, and which may be repeated."""

    def __init__(self, open_: Callable[[], grpc.aio.Channel]) -> None:
        self._open = open_
        self._channel = open_()
        self._methods: dict[Any, Method] = {}
        self._making: dict[Any, Callable[[], Any]] = {}

    def known(self, method: Any) -> Method:
        """What is known of a callable that was made here, with that of the channel that is open now."""
        return self._methods.get(method) or Method(method)

    def unary_unary(
        self,
        path: str,
        request_serializer: Callable[[Any], bytes],
        response_deserializer: Callable[[bytes], Any],
        **options: Any,
    ) -> Any:
        """As of a channel; what it gives is known here."""

        def make() -> Any:
            return self._channel.unary_unary(path, request_serializer, response_deserializer, **options)

        method = make()
        self._making[method] = make
        self._methods[method] = Method(
            method, path.removeprefix("/"), _has_no_side_effects(path), request_serializer, response_deserializer
        )
        return method

    def reopen(self) -> grpc.aio.Channel:
        """Opens another channel for all callables, and gives the one before."""
        before, self._channel = self._channel, self._open()
        self._methods = {method: replace(known, ask=self._making[method]()) for method, known in self._methods.items()}
        return before

    def unary_stream(self, path: str, *args: Any, **options: Any) -> Any:
        """As of a channel."""
        return self._channel.unary_stream(path, *args, **options)

    def stream_unary(self, path: str, *args: Any, **options: Any) -> Any:
        """As of a channel."""
        return self._channel.stream_unary(path, *args, **options)

    def stream_stream(self, path: str, *args: Any, **options: Any) -> Any:
        """As of a channel."""
        return self._channel.stream_stream(path, *args, **options)

    async def close(self) -> None:
        """Closes the channel that is open now."""
        await self._channel.close()


def _has_no_side_effects(path: str) -> bool:
    service, _, name = path.removeprefix("/").rpartition("/")
    method = descriptor_pool.Default().FindMethodByName(f"{service}.{name}")
    return bool(method.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS)
