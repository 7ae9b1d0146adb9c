"""The streams that services meet on."""

from datetime import timedelta

from libs.bus.ports import StreamSpec

DELIVERY_TICKET = "delivery.ticket"
"""Subject of the tickets (contactsync.delivery.v1.DeliveryTicket) that ingestion publishes and delivery takes."""

DELIVERY = StreamSpec(
    name="DELIVERY",
    subjects=(DELIVERY_TICKET,),
    max_bytes=256 * 1024 * 1024,
    duplicate_window=timedelta(minutes=2),
)
"""Tickets hold ids only: at some 100 bytes a chunk this is room for two million waiting chunks."""

INTAKE_TICKET = "directory.intake"
"""Subject of the tickets (contactsync.directory.v1.IntakeTicket) that directory publishes and takes itself."""

INTAKE = StreamSpec(
    name="INTAKE",
    subjects=(INTAKE_TICKET,),
    max_bytes=64 * 1024 * 1024,
    duplicate_window=timedelta(minutes=2),
)
"""Ids only: at some 40 bytes a lead this is room for over a million that wait."""

STREAMS = (DELIVERY, INTAKE)


def inbox_prefix_of(user: str) -> str:
    """Return where replies to this user go; the server lets each user listen under its own prefix only."""
    return f"_INBOX_{user}" if user else "_INBOX"
