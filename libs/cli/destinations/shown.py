"""Destinations as people and scripts like them."""

from typing import Any

from libs.cli.api import segment


def path(destination_id: str, *more: str) -> str:
    """Where a destination is in the API."""
    return "/".join(["/admin/v1/destinations", segment(destination_id), *map(segment, more)])


def plain(destination: dict[str, Any]) -> dict[str, Any]:
    """A destination with its kind in small letters, and every time it has or null."""
    kind = destination["kind"].removeprefix("DESTINATION_KIND_").lower()
    return destination | {"kind": kind, "old_secrets_until": destination.get("old_secrets_until")}


def plain_overview(found: dict[str, Any]) -> dict[str, Any]:
    """A destination and how it fares: the destination's own fields first, then the rest."""
    health = found.get("health") or {}
    return plain(found["destination"]) | {
        "destination": plain(found["destination"]),
        "waiting": found["waiting"],
        "oldest_waiting_at": found.get("oldest_waiting_at"),
        "dead_letters": found["dead_letters"],
        "breaker": health.get("breaker", ""),
        "pace": health.get("pace", 0),
        "next_attempt_at": health.get("next_attempt_at"),
        "last_errors": health.get("last_errors", []),
    }
