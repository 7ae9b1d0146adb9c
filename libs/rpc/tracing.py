"""One trace and one correlation id through every hop, bound to the OpenTelemetry context."""

from contactsync.call.v1.call_pb2 import CallContext


def call_context() -> CallContext:
    """The current request, for an item of a batched call."""
    raise NotImplementedError


class serve_item:  # noqa: N801 - reads as a verb: `with serve_item(item.context, "idempotency.Begin"):`
    """Serves one item of a batched call as its own request: its correlation id is bound, and a SERVER span stands for it when sampled."""

    def __init__(self, context: CallContext, name: str) -> None:
        """`name` is the span's, "service.Verb"."""

    def __enter__(self) -> None: ...

    def __exit__(self, *raised: object) -> None: ...
