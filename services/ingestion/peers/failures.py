import contextlib
from collections.abc import Iterator

from libs.rpc import PeerRefused, PeerUnavailable
from services.ingestion.domain.errors import Refused, Unavailable


@contextlib.contextmanager
def as_refusals() -> Iterator[None]:
    """Turns what a peer's call fails with into what ingestion's caller may be told."""
    try:
        yield
    except PeerUnavailable as error:
        raise Unavailable from error
    except PeerRefused as error:
        if error.reason == "SERVICE_UNAVAILABLE":
            raise Unavailable from error
        # A refusal between services is a fault of the hub and not of the caller, whatever its reason.
        raise Refused from error
