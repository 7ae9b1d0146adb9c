"""Whose calls the console makes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Operator:
    """Who uses the console now. `address` is where their browser is, as the gateway says; empty: nobody says."""

    key: str = field(repr=False)
    address: str = ""


AS_NOBODY = Operator("")
_SERVED: ContextVar[Operator] = ContextVar("operator", default=AS_NOBODY)


@contextmanager
def serving(operator: Operator) -> Iterator[None]:
    """Makes every call inside as this operator."""
    token = _SERVED.set(operator)
    try:
        yield
    finally:
        _SERVED.reset(token)


class ShownOperator:
    """Shows the key of whoever is served, and their address, by which failures are limited and networks allowed."""

    def shown(self, service: str) -> Sequence[tuple[str, str]]:  # noqa: ARG002 - the same to every service
        """Empty when nobody is served: then only what is open to anyone answers."""
        operator = _SERVED.get()
        metadata = [("authorization", f"Bearer {operator.key}")] if operator.key else []
        return [*metadata, ("x-contactsync-client", operator.address)] if operator.address else metadata
