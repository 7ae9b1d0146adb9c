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

STREAMS = (DELIVERY,)
