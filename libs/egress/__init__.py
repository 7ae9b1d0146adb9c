"""The hub's way out: HTTP to addresses that others chose, and so never to the hub's own networks."""

from libs.egress.outlet import Outlet, Reply, Unanswered
from libs.egress.retry_after import parse_retry_after
from libs.egress.rules import CheckedResolver, EgressRules, ForbiddenAddressError, Network, parse_networks

__all__ = [
    "CheckedResolver",
    "EgressRules",
    "ForbiddenAddressError",
    "Network",
    "Outlet",
    "Reply",
    "Unanswered",
    "parse_networks",
    "parse_retry_after",
]
