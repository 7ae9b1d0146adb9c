from typing import TYPE_CHECKING, Any

from libs.bus.cluster import StreamHealth, look_at_streams
from libs.bus.items import delivering_items, publishing_items
from libs.bus.memory import MemoryBus
from libs.bus.ports import Ack, Bus, BusUnavailable, Deliver, GiveUp, Message, Retry, StreamSpec, Verdict
from libs.bus.server import BusNode, BusUser, NotSynchronous, assert_synchronous, render_nats_config
from libs.bus.streams import DELIVERY, DELIVERY_TICKET, INTAKE, INTAKE_TICKET, STREAMS

if TYPE_CHECKING:
    from libs.bus.jetstream import JetStreamBus

__all__ = [
    "DELIVERY",
    "DELIVERY_TICKET",
    "INTAKE",
    "INTAKE_TICKET",
    "STREAMS",
    "Ack",
    "Bus",
    "BusNode",
    "BusUnavailable",
    "BusUser",
    "Deliver",
    "GiveUp",
    "JetStreamBus",
    "MemoryBus",
    "Message",
    "NotSynchronous",
    "Retry",
    "StreamHealth",
    "StreamSpec",
    "Verdict",
    "assert_synchronous",
    "delivering_items",
    "look_at_streams",
    "publishing_items",
    "render_nats_config",
]


def __getattr__(name: str) -> Any:
    """The client is imported when it is asked for: who only configures servers is spared 7 MB."""
    if name == "JetStreamBus":
        from libs.bus.jetstream import JetStreamBus  # noqa: PLC0415 - see above

        return JetStreamBus
    raise AttributeError(name)
