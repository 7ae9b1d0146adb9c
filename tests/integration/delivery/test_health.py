"""How delivery says that it keeps up, and how its destinations do, over gRPC."""

from contactsync.delivery.v1 import delivery_service_pb2 as pb

from tests.integration.delivery.hub import Hub
from tests.integration.delivery.test_service import BOOK, hub

__all__ = ["hub"]


async def test_it_tells_that_nothing_is_late_and_that_the_book_answers(hub: Hub) -> None:
    async with hub.delivering() as service:
        await hub.ticket(("job.0", BOOK))
        await hub.ingestion.wait_for_finals(1)
        health = await hub.ask(service, "GetHealth", pb.GetHealthRequest())
        book = await hub.ask(service, "GetDestination", pb.GetDestinationRequest(destination_id=BOOK))

    assert (list(health.conditions), health.late, health.never_tried) == ([], 0, 0)
    assert health.HasField("tickets")
    assert (book.health.breaker, book.health.pace) == ("closed", 0)
