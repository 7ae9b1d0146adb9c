"""What the hub wrote to a system that it also reads: so that its own writing is not taken for news."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from services.delivery.domain.destination import Destination, DestinationKind

FIELDS = ("phone", "email", "first_name", "last_name", "company")
"""What is remembered of a record: a phone in E.164, an e-mail folded, the others without white space around them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A record of another system as the hub wrote it last. A field that it did not write is not in `values`."""

    remote_id: str
    values: Mapping[str, str] = field(repr=False)


def folded(name: str, value: str) -> str:
    """Return a value in the form in which it is compared."""
    return value.strip().casefold() if name == "email" else value.strip()


def system_of(destination: Destination) -> str:
    """Name the system that a destination writes to. Empty: one that is never read."""
    match destination.kind:
        case DestinationKind.TELECRM:
            return same_url(destination.url) + _enterprise(destination)
        case DestinationKind.CONNECT:
            return same_url(destination.url)
        case DestinationKind.DIRECTORY | DestinationKind.WEBHOOK:
            return ""


def is_system(url: str, destination: Destination) -> bool:
    """Tell whether a source of this URL reads what the destination writes. It may leave a telecrm workspace out."""
    asked, system = same_url(url), system_of(destination)
    return bool(system) and asked in (system, same_url(destination.url))


def same_url(url: str) -> str:
    """Return what all spellings of a system's URL have in common; connect's documented paths may be left out."""
    parts = urlsplit(url.strip())
    path = parts.path.rstrip("/").removesuffix("/contacts").removesuffix("/api/connect")
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme.lower(), 0)
    return f"{parts.scheme.lower()}://{(parts.hostname or '').rstrip('.')}:{port}{path}"


def _enterprise(destination: Destination) -> str:
    path = f"/enterprise/{destination.enterprise_id}"
    return "" if same_url(destination.url).endswith(path) else path
