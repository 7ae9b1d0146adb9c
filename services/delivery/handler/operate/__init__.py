"""What an operator does: with destinations, with what they did not take, and with calls that are no deliveries."""

from services.delivery.handler.operate.dead_letters import DeadLetterDesk, DeadLetterOffice
from services.delivery.handler.operate.destinations import Office, Operator, Overview
from services.delivery.handler.operate.replays import ReplayDesk, ReplayOffice
from services.delivery.handler.operate.trying import Preview, TryOut, TryOutOffice

__all__ = [
    "DeadLetterDesk",
    "DeadLetterOffice",
    "Office",
    "Operator",
    "Overview",
    "Preview",
    "ReplayDesk",
    "ReplayOffice",
    "TryOut",
    "TryOutOffice",
]
